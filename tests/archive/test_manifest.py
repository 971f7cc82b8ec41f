"""A manifest is the bytes that were written, or it is not believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.archive.manifest import (
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
files = st.builds(FileRecord, texts, texts, numbers, numbers, numbers, texts)
records = st.builds(
    ArchiveRecord,
    file=texts,
    session=texts,
    layout=st.sampled_from(["solid", "per-file"]),
    archived_at_ms=numbers,
    size_bytes=numbers,
    sha256=texts,
    files=st.lists(files, max_size=3).map(tuple),
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
    assert (told.session, told.layout, told.files) == (record.session, record.layout, record.files)
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
