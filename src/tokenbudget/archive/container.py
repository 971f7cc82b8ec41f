"""The bytes of one archive file: a header that zstd skips, then the files as zstd frames.

`zstd -dc FILE` gives the files one after the other, with no program of ours: names and sizes are in
the header, which is plain JSON at the start. In the solid layout one frame holds all of them.
"""

from __future__ import annotations

import hashlib
import os
import struct
from typing import NamedTuple

from tokenbudget.archive.manifest import ArchiveRecord, from_header, header_of
from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.system.regular_file import CHUNK_BYTES, chunks, quoted, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import zstandard

SKIPPABLE_MAGIC = 0x184D2A5A
_START = struct.Struct("<II")
LEVEL = 19
MOST_WINDOW_LOG = 27
"""128 MB: what every zstd decoder accepts without being told to."""
MOST_HEADER_BYTES = 64 << 20


class SourceChanged(Exception):
    """A file was written while it was being packed."""


class Part(NamedTuple):
    """A source, opened when its turn comes, and the size and hash that it had at first."""

    opened: Callable[[], AbstractContextManager[int]]
    size_bytes: int
    sha256: str


def write_container(
    descriptor: int, record: ArchiveRecord, parts: Sequence[Part], level: int = LEVEL
) -> None:
    """Write header and frames at the descriptor's position.

    Raises:
        SourceChanged: a source is not what its part says any more.
        OSError: it cannot be written.
    """
    header = header_of(record)
    write_all(descriptor, _START.pack(SKIPPABLE_MAGIC, len(header)) + header)
    groups = [parts] if record.layout == "solid" else [[part] for part in parts]
    for group in groups:
        _write_frame(descriptor, group, level)


def _write_frame(descriptor: int, parts: Sequence[Part], level: int) -> None:
    size = sum(part.size_bytes for part in parts)
    frame = _compressor(size, level).compressobj(size=size)
    for part in parts:
        digest = hashlib.sha256()
        with part.opened() as source:
            for data in chunks(source, part.size_bytes):
                digest.update(data)
                write_all(descriptor, frame.compress(data))
        if digest.hexdigest() != part.sha256:
            raise SourceChanged
    write_all(descriptor, frame.flush())


def _compressor(size_bytes: int, level: int) -> zstandard.ZstdCompressor:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(
        level,
        source_size=size_bytes,
        window_log=max(10, min(MOST_WINDOW_LOG, size_bytes.bit_length())),
        enable_ldm=True,
        write_checksum=True,
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


def read_header(descriptor: int, file: str) -> tuple[ArchiveRecord, int]:
    """The record at the start of an archive file, and where its frames start.

    Raises:
        SourceUnreadable: there is none that we write.
    """
    start = os.pread(descriptor, _START.size, 0)
    if len(start) == _START.size:
        magic, size = _START.unpack(start)
        if magic == SKIPPABLE_MAGIC and size <= MOST_HEADER_BYTES:
            header = os.pread(descriptor, size, _START.size)
            if len(header) == size:
                return from_header(header, file), _START.size + size
    raise SourceUnreadable(f"the archive {quoted(file)} is damaged at its start")


def unpack(
    descriptor: int, record: ArchiveRecord, sink: Callable[[int, bytes], None] | None = None
) -> None:
    """Decompress every file of an archive, hand its bytes to `sink(number, data)`, check its hash.

    No more is decompressed than the record says, whatever the archive holds.

    Raises:
        SourceUnreadable: the header is not this record's, or a file is not what its hash says.
        OSError: the archive cannot be read, or whatever `sink` raises.
    """
    import zstandard

    told, start = read_header(descriptor, record.file)
    if (told.session, told.layout, told.files) != (record.session, record.layout, record.files):
        raise SourceUnreadable(f"the archive {quoted(record.file)} is not what the manifest says")
    os.lseek(descriptor, start, os.SEEK_SET)
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << MOST_WINDOW_LOG)
    with os.fdopen(descriptor, "rb", closefd=False) as handle:
        reader = decompressor.stream_reader(handle, read_across_frames=True, closefd=False)
        try:
            for number, file in enumerate(record.files):
                digest = hashlib.sha256()
                for data in _exactly(reader, file.size_bytes):
                    digest.update(data)
                    if sink is not None:
                        sink(number, data)
                if digest.hexdigest() != file.sha256:
                    raise _damaged(record, file.name)
            if reader.read(1):
                raise _damaged(record, "more than its files")
        except zstandard.ZstdError as wrong:
            raise _damaged(record, "its frames") from wrong


def _exactly(reader: zstandard.ZstdDecompressionReader, size_bytes: int) -> Iterator[bytes]:
    left = size_bytes
    while left:
        data = reader.read(min(CHUNK_BYTES, left))
        if not data:
            return  # the hash says that something is missing
        left -= len(data)
        yield data


def _damaged(record: ArchiveRecord, what: str) -> SourceUnreadable:
    return SourceUnreadable(f"the archive {quoted(record.file)} is damaged: {quoted(what)}")
