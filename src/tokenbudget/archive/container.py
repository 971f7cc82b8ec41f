"""The bytes of one archive file: a header that zstd skips, then the files as zstd frames.

`zstd -dc FILE` gives the files one after the other, with no program of ours; in the solid layout
one frame holds all of them. Their names and sizes are in the header, which is JSON, compressed too:
`tail -c +9 FILE | zstd -dc` shows it in front of the files.
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
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    import zstandard

SKIPPABLE_MAGIC = 0x184D2A5A
_START = struct.Struct("<II")
LEVEL = 19
"""Of 61 MB of real sessions, level 19 keeps 15.4 %, 15 16.0 % and 12 16.1 %; level 12 is fifteen
times as fast (77 MB/s), but an archive is written once and kept for years."""
MOST_THREADS, JOB_BYTES = 4, 4 << 20
"""Jobs overlap by a whole window, so that threads change the size by less than 0.01 % and the bytes
do not depend on their number; two take three quarters of the time of one, and each 80 MB."""
MOST_WINDOW_LOG = 27
"""128 MB: what every zstd decoder accepts without being told to."""
MOST_HEADER_BYTES = 64 << 20


class SourceChanged(Exception):
    """A file of this session was written while it was being packed."""

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self.session = session


class Part(NamedTuple):
    """A source, opened when its turn comes, and the size and hash that it had at first."""

    session: str
    opened: Callable[[], AbstractContextManager[int]]
    size_bytes: int
    sha256: str


def unheard(done_bytes: int) -> None:
    """Where nobody wants to know how far it is."""


def write_container(
    descriptor: int,
    record: ArchiveRecord,
    parts: Sequence[Part],
    level: int = LEVEL,
    progress: Callable[[int], None] = unheard,
) -> None:
    """Write header and frames at the descriptor's position.

    `progress` is told, after each chunk, how many bytes of the sources are done so far.

    Raises:
        SourceChanged: a source is not what its part says any more.
        OSError: it cannot be written.
    """
    header = _packed_header(record)
    write_all(descriptor, _START.pack(SKIPPABLE_MAGIC, len(header)) + header)
    frames = [parts] if record.layout == "solid" else [[part] for part in parts]
    done_bytes = 0
    for frame in frames:
        for more_bytes in _written_frame(descriptor, frame, level):
            done_bytes += more_bytes
            progress(done_bytes)


def _written_frame(descriptor: int, parts: Sequence[Part], level: int) -> Iterator[int]:
    """Write one frame; how many bytes of the sources each step took."""
    size = sum(part.size_bytes for part in parts)
    frame = _compressor(size, level).compressobj(size=size)
    for part in parts:
        digest = hashlib.sha256()
        with part.opened() as source:
            for data in chunks(source, part.size_bytes):
                digest.update(data)
                write_all(descriptor, frame.compress(data))
                yield len(data)
        if digest.hexdigest() != part.sha256:
            raise SourceChanged(part.session)
    write_all(descriptor, frame.flush())


def _compressor(size_bytes: int, level: int) -> zstandard.ZstdCompressor:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(
        level,
        source_size=size_bytes,
        window_log=max(10, min(MOST_WINDOW_LOG, size_bytes.bit_length())),
        enable_ldm=True,
        write_checksum=True,
        threads=min(MOST_THREADS, os.cpu_count() or 1),
        job_size=JOB_BYTES,
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


def _packed_header(record: ArchiveRecord) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=LEVEL).compress(header_of(record))


def read_header(descriptor: int, file: str) -> tuple[ArchiveRecord, int]:
    """The record at the start of an archive file, and where its frames start.

    Raises:
        SourceUnreadable: there is none that we write.
    """
    header, start = _header_bytes(descriptor, file)
    return from_header(header, file), start


def _header_bytes(descriptor: int, file: str) -> tuple[bytes, int]:
    start = os.pread(descriptor, _START.size, 0)
    if len(start) == _START.size:
        magic, size = _START.unpack(start)
        if magic == SKIPPABLE_MAGIC and size <= MOST_HEADER_BYTES:
            header = os.pread(descriptor, size, _START.size)
            if len(header) == size:
                return _unpacked_header(header, file), _START.size + size
    raise _bad_start(file)


def _unpacked_header(packed: bytes, file: str) -> bytes:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << MOST_WINDOW_LOG)
    try:
        with decompressor.stream_reader(packed) as reader:
            header = b"".join(_exactly(reader, MOST_HEADER_BYTES + 1))
    except zstandard.ZstdError as wrong:
        raise _bad_start(file) from wrong
    if len(header) > MOST_HEADER_BYTES:
        raise _bad_start(file)
    return header


def _bad_start(file: str) -> SourceUnreadable:
    return SourceUnreadable(f"the archive {quoted(file)} is damaged at its start")


def unpack(
    descriptor: int,
    record: ArchiveRecord,
    sink: Callable[[int, bytes], None] | None = None,
    wanted: Collection[int] | None = None,
) -> None:
    """Decompress an archive's files, hand their bytes to `sink(number, data)`, check their hashes.

    Args:
        descriptor: The archive file.
        record: What the manifest says of it.
        sink: Is given every chunk as it comes, before its file's hash is known to be right.
        wanted: The numbers of the files that are asked for; None is all. What lies before them is
            decompressed, for there is no other way to them, and not looked at. After the last file
            of all nothing may come. No more is decompressed than the record says.

    Raises:
        SourceUnreadable: the header is not this record's, or a file is not what its hash says.
        OSError: the archive cannot be read, or whatever `sink` raises.
    """
    import zstandard

    header, start = _header_bytes(descriptor, record.file)
    if header != header_of(record):
        raise SourceUnreadable(f"the archive {quoted(record.file)} is not what the manifest says")
    os.lseek(descriptor, start, os.SEEK_SET)
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << MOST_WINDOW_LOG)
    with os.fdopen(descriptor, "rb", closefd=False) as handle:
        reader = decompressor.stream_reader(handle, read_across_frames=True, closefd=False)
        asked = range(len(record.files)) if wanted is None else wanted
        try:
            for number in range(max(asked, default=-1) + 1):
                _unpack_one(reader, record, number, sink, number in asked)
            if len(record.files) - 1 in asked and reader.read(1):
                raise _damaged(record, "more than its files")
        except zstandard.ZstdError as wrong:
            raise _damaged(record, "its frames") from wrong


def _unpack_one(
    reader: zstandard.ZstdDecompressionReader,
    record: ArchiveRecord,
    number: int,
    sink: Callable[[int, bytes], None] | None,
    is_wanted: bool,
) -> None:
    file = record.files[number]
    digest = hashlib.sha256()
    for data in _exactly(reader, file.size_bytes):
        if is_wanted:
            digest.update(data)
            if sink is not None:
                sink(number, data)
    if is_wanted and digest.hexdigest() != file.sha256:
        raise _damaged(record, file.name)


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
