"""How the C library hands memory to threads, where it can be told (glibc)."""

from __future__ import annotations

_M_ARENA_MAX = -8
"""Of `mallopt` in glibc's malloc.h."""


def share_heap() -> bool:
    """Have threads started from now on share a heap; False where this system has no such thing.

    Each thread has a heap of its own otherwise, and large answers that pass from one to another
    leave holes in all of them. From the 40th to the 120th run of code with 60 calls that gave
    150 KB each, a gateway grew from 127 to 135 MB, with a shared heap from 111 to 113 MB, while
    what Python itself held stayed the same.
    """
    import ctypes

    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1))
    except (OSError, AttributeError, TypeError):
        return False
