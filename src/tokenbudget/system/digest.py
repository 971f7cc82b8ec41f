"""SHA-256 without OpenSSL, for what must start quickly.

`hashlib` loads OpenSSL, which takes 2.4 ms: a twentieth of the time from the start of the gateway
to its first answer. CPython's own implementation gives the same digests; where it is not to be
had, `hashlib` it is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256

__all__ = ["sha256"]
