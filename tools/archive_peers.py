"""What others make of the same sessions: `zstd` for each file, `tar | zstd` for each project."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import zstandard

from tokenbudget.archive.pack import Bundle

MEGABYTE = 1_000_000
WINDOW = 1 << 27

Sized = tuple[Bundle, int]


class Row(NamedTuple):
    """One way to keep sessions. Seconds are None where it has no such step."""

    name: str
    raw_bytes: int
    kept_bytes: int
    pack_seconds: float
    verify_seconds: float | None
    recover_seconds: float | None
    note: str = ""

    @property
    def cells(self) -> list[str]:
        """As the table shows it."""
        speeds = (self.pack_seconds, self.verify_seconds, self.recover_seconds)
        shown = ["" if s is None else f"{self.raw_bytes / MEGABYTE / s:,.1f}" for s in speeds]
        return [self.name, f"{self.kept_bytes / self.raw_bytes:.2%}", *shown, self.note]


def each_file(them: dict[str, list[Sized]]) -> Row:
    """What `zstd -19` makes of each file, by the library: a process for each says nothing."""
    raw = kept = 0
    compressor = zstandard.ZstdCompressor(level=19, write_checksum=True)
    packed: list[bytes] = []
    began = time.perf_counter()
    for sized in them.values():
        for bundle, _ in sized:
            for member in bundle.members:
                data = Path(member.path).read_bytes()
                packed.append(compressor.compress(data))
                raw += len(data)
                kept += len(packed[-1])
    middle = time.perf_counter()
    for data in packed:
        zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj().decompress(data)
    ended = time.perf_counter()
    note = "library, in memory; no names, no hashes"
    return Row("zstd -19, each file", raw, kept, middle - began, ended - middle, None, note)


def tarred(them: dict[str, list[Sized]], top: Path, *, is_long: bool) -> Row:
    """`tar | zstd -19` of each project, with the program where there is one."""
    raw = sum(size for sized in them.values() for _, size in sized)
    program = shutil.which("zstd")
    options = ["-19", *(["--long=27"] if is_long else [])]
    name = f"tar | zstd {' '.join(options)}"
    top.mkdir()
    kept, steps = 0, [0.0, 0.0, 0.0]
    for number, sized in enumerate(them.values()):
        path = top / f"{number}.tar.zst"
        for step, run in enumerate(_tar_steps(sized, path, options, program, top / "to")):
            began = time.perf_counter()
            run()
            steps[step] += time.perf_counter() - began
        kept += path.stat().st_size
    shutil.rmtree(top)
    note = f"{'zstd program' if program else 'zstandard library'}, tarfile; no hashes"
    return Row(name, raw, kept, steps[0], steps[1], steps[2], note)


def _tar_steps(
    sized: Sequence[Sized], path: Path, options: Sequence[str], program: str | None, to: Path
) -> Iterator[Callable[[], object]]:
    def packed() -> None:
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w") as archive:
            for bundle, _ in sized:
                for member in bundle.members:
                    archive.add(member.path, member.name)
        path.write_bytes(_compressed(whole.getvalue(), options, program))

    def tested() -> None:
        with open(path, "rb") as handle, _reader(handle) as stream:
            while stream.read(1 << 20):
                pass

    def given_back() -> None:
        with (
            open(path, "rb") as handle,
            _reader(handle) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            archive.extractall(to, filter="data")

    yield from (packed, tested, given_back)


def _reader(handle: io.BufferedReader) -> zstandard.ZstdDecompressionReader:
    return zstandard.ZstdDecompressor(max_window_size=WINDOW).stream_reader(handle)


def _compressed(data: bytes, options: Sequence[str], program: str | None) -> bytes:
    if program:
        command = [program, "-q", "-c", *options]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout
    is_long = len(options) > 1
    parameters = zstandard.ZstdCompressionParameters.from_level(
        19, source_size=len(data), enable_ldm=is_long, **({"window_log": 27} if is_long else {})
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)
