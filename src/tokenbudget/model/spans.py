"""How a length of time is written, wherever a person reads one."""

from __future__ import annotations


def shown_span(milliseconds: int) -> str:
    """A length of time in its two largest units: `45s`, `51m`, `2h 10m`, `3d 4h`."""
    seconds = max(0, milliseconds) // 1_000
    if seconds < 60:
        return f"{seconds}s"
    minutes, hours = seconds // 60 % 60, seconds // 3_600
    if hours >= 24:
        return f"{hours // 24}d {hours % 24}h" if hours % 24 else f"{hours // 24}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m"
