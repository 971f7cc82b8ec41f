"""The bytes of one kept original: a header that zstd skips, then the content as a zstd frame.

`zstd -dc FILE` gives the content, with no program of ours. The header is JSON of a fixed size, so
that it can be written last: only then are the hash and the size of a stream known.
"""

from __future__ import annotations

import hashlib
import os
import struct
from json import JSONDecodeError, dumps, loads
from typing import NamedTuple

from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.regular_file import CHUNK_BYTES, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SKIPPABLE_MAGIC = 0x184D2A5B
_START = struct.Struct("<II")
HEADER_BYTES = 512
MOST_LABEL_CHARS = 80
"""Of at most four bytes each: they fit into the header beside the rest."""
LEVEL = 3
"""A hook waits for it: 450 KB of output take 2 ms."""
MOST_WINDOW_LOG = 27
"""128 MB: what every zstd decoder accepts without being told to."""


class Head(NamedTuple):
    """What the header says of the content."""

    sha256: str
    size_bytes: int
    label: str = ""
    """What it was, for a person who looks for it: `Bash npm test`."""


class Damaged(SourceUnreadable):
    """The file is not what its header says, or has none."""


def write_content(descriptor: int, content: Iterable[bytes], label: str) -> Head:
    """Write header and frame into an empty file; what the header says then. Raises OSError."""
    import zstandard

    frame = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
    digest, size = hashlib.sha256(), 0
    os.lseek(descriptor, _START.size + HEADER_BYTES, os.SEEK_SET)
    for chunk in content:
        digest.update(chunk)
        size += len(chunk)
        write_all(descriptor, frame.compress(chunk))
    write_all(descriptor, frame.flush())
    head = Head(digest.hexdigest(), size, one_line(label)[:MOST_LABEL_CHARS])
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, _START.pack(SKIPPABLE_MAGIC, HEADER_BYTES) + _packed(head))
    return head


def read_head(descriptor: int) -> Head:
    """What the header says. Raises Damaged, OSError."""
    start = os.pread(descriptor, _START.size + HEADER_BYTES, 0)
    if len(start) == _START.size + HEADER_BYTES and start.startswith(
        _START.pack(SKIPPABLE_MAGIC, HEADER_BYTES)
    ):
        head = _unpacked(start[_START.size :])
        if head is not None:
            return head
    raise Damaged("its header")


def read_content(descriptor: int, head: Head) -> Iterator[bytes]:
    """The content in parts, its hash compared when the last was given. Raises Damaged, OSError."""
    import zstandard

    digest, left = hashlib.sha256(), head.size_bytes
    os.lseek(descriptor, _START.size + HEADER_BYTES, os.SEEK_SET)
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << MOST_WINDOW_LOG)
    with os.fdopen(descriptor, "rb", closefd=False) as handle:
        reader = decompressor.stream_reader(handle, closefd=False)
        try:
            while data := reader.read(min(CHUNK_BYTES, left + 1)):
                left -= len(data)
                if left < 0:
                    break
                digest.update(data)
                yield data
        except zstandard.ZstdError as wrong:
            raise Damaged("its content") from wrong
    if left or digest.hexdigest() != head.sha256:
        raise Damaged("its content")


def _packed(head: Head) -> bytes:
    text = dumps(head._asdict(), ensure_ascii=False)
    return text.encode().ljust(HEADER_BYTES)


def _unpacked(packed: bytes) -> Head | None:
    try:
        told = loads(packed)
        sha256, size_bytes, label = told["sha256"], told["size_bytes"], told["label"]
    except (JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(sha256, str) and isinstance(size_bytes, int) and isinstance(label, str):
        return Head(sha256, size_bytes, one_line(label))
    return None
