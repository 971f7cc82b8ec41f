"""A manifest is the bytes that were written, or it is not believed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.archive.manifest import (
    FORMAT,
    ArchiveRecord,
    FileRecord,
    Manifest,
    archive_file_name,
    decoded,
    encoded,
    from_header,
    header_of,
)
from tokenbudget.model.errors import Refused, SourceUnreadable, TokenBudgetError

texts = st.text(st.characters(codec=None), max_size=20)
numbers = st.integers(0, 1 << 62)
files = st.builds(FileRecord, texts, texts, texts, numbers, numbers, numbers, texts)
records = st.builds(
    ArchiveRecord,
    file=texts,
    layout=st.sampled_from(["solid", "per-file"]),
    archived_at_ms=numbers,
    size_bytes=numbers,
    sha256=texts,
    files=st.lists(files, min_size=1, max_size=3).map(tuple),
    marked_at_ms=st.none() | numbers,
)
manifests = st.builds(Manifest, st.lists(records, max_size=3).map(tuple))


@given(manifests)
def test_what_is_written_is_read(manifest: Manifest) -> None:
    """Also with the lone surrogates that stand for bytes in odd file names."""
    assert decoded(encoded(manifest), "m") == manifest


@given(records)
def test_a_header_tells_its_record(record: ArchiveRecord) -> None:
    told = from_header(header_of(record), record.file)
    assert (told.layout, told.files) == (record.layout, record.files)
    assert archive_file_name(told) == archive_file_name(record)


@given(manifests, st.data())
def test_no_flipped_byte_passes(manifest: Manifest, data: st.DataObject) -> None:
    written = bytearray(encoded(manifest))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TokenBudgetError):
        decoded(bytes(written), "m")


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_with_one_of_our_errors(data: bytes) -> None:
    with pytest.raises(SourceUnreadable):
        decoded(data, "m")
    with pytest.raises(SourceUnreadable):
        from_header(data, "f")


@pytest.mark.parametrize("data", [b"[]", b"{}", b"[" * 100_000, b"null", b'{"archives":{}}'])
def test_other_json_is_damage(data: bytes) -> None:
    with pytest.raises(SourceUnreadable, match="damaged"):
        decoded(data, "m")
    with pytest.raises(SourceUnreadable, match="damaged"):
        from_header(data, "f")


def test_a_newer_format_is_named_and_not_called_damage() -> None:
    newer = json.dumps({"format": "tokenbudget/archive/2"}).encode()
    with pytest.raises(Refused, match="newer version"):
        decoded(newer, "m")


HONEST = ArchiveRecord(
    "a.zst", "solid", 1, 2, "0", (FileRecord("s", "n", "/n", 3, 0o600, 4, "1"),), marked_at_ms=5
)


def consistent(told: dict[str, object]) -> bytes:
    """A manifest whose hash is right, whatever it says."""
    body = json.dumps({"archives": [told], "format": FORMAT}, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'{body[:-1]},"sha256":"{digest}"}}\n'.encode()


def told_of(record: ArchiveRecord) -> dict[str, Any]:
    return {**record._asdict(), "files": [file._asdict() for file in record.files]}


def test_a_consistent_manifest_is_read_however_it_came_about() -> None:
    assert decoded(consistent(told_of(HONEST)), "m") == Manifest((HONEST,))


WRONG: list[Any] = [None, True, 1.5, "x", 7, [], {}, [[]], ["x"], [None]]


@pytest.mark.parametrize("field", ArchiveRecord._fields)
def test_another_type_of_any_field_is_damage(field: str) -> None:
    right = told_of(HONEST)
    for wrong in WRONG:
        is_meant = type(wrong) is type(right[field]) and wrong not in ("x", [[]], ["x"], [None])
        if is_meant or (field, wrong) == ("marked_at_ms", None):
            continue
        if field in ("file", "sha256") and wrong == "x":
            continue
        with pytest.raises(SourceUnreadable, match="damaged"):
            decoded(consistent({**right, field: wrong}), "m")


@pytest.mark.parametrize("field", FileRecord._fields)
def test_another_type_of_any_field_of_a_file_is_damage(field: str) -> None:
    right = HONEST.files[0]._asdict()
    for wrong in WRONG:
        if type(wrong) is not type(right[field]):
            files = [{**right, field: wrong}]
            with pytest.raises(SourceUnreadable, match="damaged"):
                decoded(consistent({**told_of(HONEST), "files": files}), "m")


def test_a_field_too_many_or_too_few_is_damage() -> None:
    right = told_of(HONEST)
    few = {name: value for name, value in right.items() if name != "marked_at_ms"}
    odd_file = {**right["files"][0], "more": 1}
    wrong: list[Any] = [{**right, "more": 1}, few, {**right, "files": [odd_file]}, []]
    for told in wrong:
        with pytest.raises(SourceUnreadable, match="damaged"):
            decoded(consistent(told), "m")
