"""An archive file is believed as far as its hashes go, wherever it was cut or changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.archive.sessions import NOW_MS, SESSION

from tokenbudget.archive.container import (
    Part,
    SourceChanged,
    read_header,
    unpack,
    write_container,
)
from tokenbudget.archive.manifest import ArchiveRecord, FileRecord, Layout
from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.system.regular_file import sha256_of

CONTENTS = (b"first\n" * 50, b"", b"last", b"x" * 3_000_000)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def written(folder: Path, layout: Layout) -> tuple[Path, ArchiveRecord]:
    files, parts = [], []
    for number, data in enumerate(CONTENTS):
        source = folder / str(number)
        source.write_bytes(data)
        with opened(source) as descriptor:
            digest = sha256_of(descriptor)
        files.append(FileRecord(SESSION, str(number), str(source), len(data), 0o600, 0, digest))
        parts.append(Part(SESSION, partial(opened, source), len(data), digest))
    record = ArchiveRecord("a.zst", layout, NOW_MS, 0, "", tuple(files))
    path = folder / "a.zst"
    with open(path, "wb", buffering=0) as handle:
        write_container(handle.fileno(), record, parts, 3)
    return path, record


@pytest.mark.parametrize("layout", ["solid", "per-file"])
def test_every_file_comes_out_in_its_turn(tmp_path: Path, layout: Layout) -> None:
    path, record = written(tmp_path, layout)
    out = [b""] * len(CONTENTS)

    def sink(number: int, data: bytes) -> None:
        out[number] += data

    with opened(path) as descriptor:
        unpack(descriptor, record, sink)
        assert read_header(descriptor, "a.zst")[0].files == record.files
    assert tuple(out) == CONTENTS


@pytest.mark.parametrize("layout", ["solid", "per-file"])
def test_cut_anywhere_it_is_damaged(tmp_path: Path, layout: Layout) -> None:
    """But for the four bytes of zstd's own check sum at the end: ours have been compared by then,
    and the manifest's hash covers these."""
    path, record = written(tmp_path, layout)
    whole = path.read_bytes()
    for size in range(len(whole) - 4):
        path.write_bytes(whole[:size])
        with opened(path) as descriptor, pytest.raises(SourceUnreadable, match="damaged"):
            unpack(descriptor, record)


def test_a_source_that_shrank_or_changed_is_said(tmp_path: Path) -> None:
    path, record = written(tmp_path, "solid")
    for data in (b"", b"fIrst\n" * 50):
        (tmp_path / "0").write_bytes(data)
        digest = record.files[0].sha256
        part = Part(SESSION, lambda: opened(tmp_path / "0"), len(CONTENTS[0]), digest)
        with open(path, "wb", buffering=0) as handle, pytest.raises(SourceChanged):
            write_container(handle.fileno(), record, [part])


def test_nothing_that_we_did_not_write_has_a_header(tmp_path: Path) -> None:
    for data in (
        b"",
        b"\x5a*M\x18",
        b"\x5a*M\x18\xff\xff\xff\xff",
        b"\x28\xb5\x2f\xfd" + bytes(99),
    ):
        (tmp_path / "a").write_bytes(data)
        with opened(tmp_path / "a") as descriptor, pytest.raises(SourceUnreadable):
            read_header(descriptor, "a")
