"""Draw the plugin's icon: a gauge of the window. Standard library only.

python tools/make_icon.py src/tokenbudget/gateway/plugin/.claude-plugin/icon.png
"""

import math
import struct
import sys
import zlib
from pathlib import Path

SIDE = 512
CORNER, RING, THICK = 96.0, 150.0, 52.0
USED = 0.58
OPEN_DEGREES = 90
"""Of the ring, at the bottom."""
GROUND, EMPTY, FULL, NEEDLE = (24, 27, 34), (58, 64, 77), (74, 179, 118), (232, 236, 242)


def main() -> None:
    """Write the picture where it is wanted."""
    Path(sys.argv[1]).write_bytes(png([row(y) for y in range(SIDE)]))


def row(y: int) -> bytes:
    """One line of pixels, red, green, blue and how much of the ground shows through."""
    return b"".join(bytes(pixel(x + 0.5, y + 0.5)) for x in range(SIDE))


def pixel(x: float, y: float) -> tuple[int, int, int, int]:
    """The colour at a point; edges are one pixel soft."""
    middle = SIDE / 2
    away = math.hypot(x - middle, y - middle)
    color = GROUND
    turned = math.degrees(math.atan2(y - middle, x - middle)) - 90 - OPEN_DEGREES / 2
    share = turned % 360 / (360 - OPEN_DEGREES)
    if share <= 1:
        part = FULL if share <= USED else EMPTY
        color = mixed(color, part, soft(THICK / 2 - abs(away - RING)))
    color = mixed(color, NEEDLE, soft(34 - away))
    return (*color, round(255 * soft(-outside(x, y))))


def outside(x: float, y: float) -> float:
    """How far a point lies outside of the square with round corners; less than 0 is inside."""
    half = SIDE / 2 - CORNER
    dx, dy = abs(x - SIDE / 2) - half, abs(y - SIDE / 2) - half
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - CORNER


def soft(inside: float) -> float:
    """0 outside, 1 inside, and between them where the edge runs through the pixel."""
    return min(1.0, max(0.0, inside + 0.5))


def mixed(
    under: tuple[int, int, int], over: tuple[int, int, int], amount: float
) -> tuple[int, int, int]:
    """One colour over the other."""
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(under, over, strict=True))
    return red, green, blue


def png(rows: list[bytes]) -> bytes:
    """The file; every line is written as its difference to the one above."""
    above = bytes(len(rows[0]))
    filtered = []
    for line in rows:
        filtered.append(b"\x02" + bytes((a - b) & 255 for a, b in zip(line, above, strict=True)))
        above = line
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    body = zlib.compress(b"".join(filtered), 9)
    parts = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


if __name__ == "__main__":
    main()
