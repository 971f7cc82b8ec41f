"""A transcript that is read on tells what one tells that is read from its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.window_sessions import recorded
from tests.ledger.builders import Json, answer, compaction, encoded, prompt, tool_result, tool_use
from tests.sources.claude_code.reading import PROPERTY

from tokenbudget.model import window
from tokenbudget.model.window import Placed
from tokenbudget.sources.claude_code import window_kept
from tokenbudget.sources.claude_code.source import ClaudeCode
from tokenbudget.sources.claude_code.window import read_window
from tokenbudget.sources.claude_code.window_kept import RECENT_CALLS, KeptTranscripts

UUIDS = st.integers(0, 12).map(lambda number: f"u{number}")
CALLS = st.integers(0, 5).map(lambda number: f"t{number}")


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """One of every kind, often one that was there before, or that goes back to one."""
    uuid, parent, call = draw(UUIDS), draw(st.none() | UUIDS), draw(CALLS)
    key = draw(st.sampled_from(["m1", "m2", "m3"]))
    kept = {"uuids": [draw(UUIDS)]}
    made: list[Json] = [
        prompt("Some words.", uuid, parentUuid=parent),
        answer(key, uuid=uuid, parentUuid=parent),
        answer(key, content=[tool_use(call, "Read", file_path="a.py")], uuid=uuid),
        tool_result(call, "x = 1", uuid),
        compaction(uuid, 9_000) | {"compactMetadata": {"preservedMessages": kept}},
    ]
    return draw(st.sampled_from([*map(encoded, made), b"\xff damaged\n"]))


def told(placed: Iterator[Placed], since: int) -> list[Placed]:
    return [one for one in placed if one.offset >= since]


GROWN = st.lists(st.lists(lines(), max_size=5), min_size=1, max_size=6)


@PROPERTY
@given(GROWN, st.integers(0, 3), st.booleans())
def test_what_is_new_is_told_as_a_reading_from_the_beginning_tells_it(
    tmp_path_factory: pytest.TempPathFactory, grown: list[list[bytes]], recent: int, is_torn: bool
) -> None:
    path = tmp_path_factory.mktemp("kept") / "s1.jsonl"
    kept, data, since = KeptTranscripts(""), b"", 0
    with mock.patch.object(window_kept, "RECENT_CALLS", recent):
        for number, more in enumerate(grown):
            data += b"".join(more)
            torn = data[:-3] if is_torn and number % 2 and more else data
            path.write_bytes(torn)
            expected = told(read_window(str(path)), since)
            assert told(kept.window(str(path), since), since) == expected
            since = expected[-1].offset


@PROPERTY
@given(GROWN, st.lists(lines(), max_size=4), st.lists(lines(), max_size=4))
def test_a_file_that_was_written_anew_is_read_anew(
    tmp_path_factory: pytest.TempPathFactory,
    grown: list[list[bytes]],
    other: list[bytes],
    more: list[bytes],
) -> None:
    path = tmp_path_factory.mktemp("kept") / "s1.jsonl"
    kept = KeptTranscripts("")
    path.write_bytes(b"".join(line for some in grown for line in some))
    [*_, end] = kept.window(str(path))
    path.write_bytes(b"".join([*other, *more]))
    assert list(kept.window(str(path))) == list(read_window(str(path)))
    assert told(kept.window(str(path), end.offset), end.offset) == told(
        read_window(str(path)), end.offset
    )


def test_what_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s1.jsonl"
    first = encoded(prompt("One two.", "u1"), answer("m1", uuid="a1"))
    path.write_bytes(first)
    kept = KeptTranscripts("")
    list(kept.window(str(path)))
    read: list[int] = []

    def reading(name: str, reader: object, offset: int = 0) -> Iterator[Placed]:
        read.append(offset)
        return read_window(name, reader, offset)  # type: ignore[arg-type]

    monkeypatch.setattr(window_kept, "read_window", reading)
    with path.open("ab") as file:
        file.write(encoded(prompt("Three.", "u2")))
    found = list(kept.window(str(path), len(first)))
    assert [one.piece.kind for one in found] == [window.PROMPT, window.END]
    assert read == [len(first)]
    kept.keep_only([])
    list(kept.window(str(path), len(first)))
    assert read == [len(first), 0]


def test_a_reading_that_was_not_taken_in_whole_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    path.write_bytes(encoded(prompt("One two.", "u1"), prompt("Three.", "u2")))
    kept = KeptTranscripts("")
    next(iter(kept.window(str(path))))
    assert list(kept.window(str(path))) == list(read_window(str(path)))


def test_the_name_of_an_old_call_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    calls = [tool_use(f"t{n}", "Read", file_path=f"{n}.py") for n in range(RECENT_CALLS + 2)]
    first = encoded(*(answer(f"m{n}", content=[c], uuid=f"a{n}") for n, c in enumerate(calls)))
    path.write_bytes(first)
    kept = KeptTranscripts("")
    list(kept.window(str(path)))
    late = encoded(tool_result("t0", "x = 1", "r0"), tool_result("nobody's", "y", "r1"))
    path.write_bytes(first + late)
    found = told(kept.window(str(path), len(first)), len(first))
    assert [one.piece.name for one in found] == ["Read", "unknown", ""]
    assert found[0].piece.target == "0.py"


def test_a_call_is_what_it_is_called_now(tmp_path: Path) -> None:
    """The file was written anew, as long as it was: what was remembered of it holds no longer."""
    path = tmp_path / "s1.jsonl"
    was = encoded(answer("m1", content=[tool_use("t1", "Read", file_path="a.py")]))
    now = encoded(answer("m1", content=[tool_use("t1", "Edit", file_path="a.py")]))
    assert len(was) == len(now)
    path.write_bytes(was)
    kept = KeptTranscripts("")
    list(kept.window(str(path)))
    path.write_bytes(now + encoded(tool_result("t1", "x = 1", "r1")))
    found = told(kept.window(str(path), len(was)), len(was))
    assert [one.piece.name for one in found] == ["Edit", ""]


# ── the client's own record ──────────────────────────────────────────────────────────────────────


def test_a_record_is_found_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    kept, plain = KeptTranscripts(""), ClaudeCode("")
    first = encoded(prompt("One two.", "u1"), answer("m1", uuid="a1"))
    path.write_bytes(first)
    for _ in range(2):
        assert kept.rebuilt(str(path), "m1") is None
    whole = encoded(*recorded("s2").lines)
    key = "msg_s2__1"
    for end in range(len(first), len(first + whole), 97):
        path.write_bytes((first + whole)[:end])
        assert kept.rebuilt(str(path), key) == plain.rebuilt(str(path), key)
    path.write_bytes(first + whole)
    found = kept.rebuilt(str(path), key)
    assert found is not None
    assert found == plain.rebuilt(str(path), key)
    path.write_bytes(first)
    assert kept.rebuilt(str(path), key) is None


def test_a_transcript_without_a_record_is_not_read_again_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s1.jsonl"
    path.write_bytes(encoded(prompt("One two.", "u1")))
    monkeypatch.setattr(
        ClaudeCode, "rebuilt", lambda *_: pytest.fail("it is read from its beginning")
    )
    kept = KeptTranscripts("")
    assert kept.rebuilt(str(path), "m1") is None
    monkeypatch.setattr(window_kept, "CHUNK_BYTES", 4)
    for number in range(3):
        with path.open("ab") as file:
            file.write(encoded(answer(f"m{number}", uuid=f"a{number}")))
        assert kept.rebuilt(str(path), f"m{number}") is None


def test_a_record_in_a_file_that_was_written_anew_is_found(tmp_path: Path) -> None:
    path = tmp_path / "s1.jsonl"
    whole = encoded(*recorded("s2").lines)
    path.write_bytes(encoded(prompt("x" * len(whole), "u1")))
    kept = KeptTranscripts("")
    assert kept.rebuilt(str(path), "msg_s2__1") is None
    path.write_bytes(whole + encoded(prompt("y" * len(whole), "u1")))
    assert kept.rebuilt(str(path), "msg_s2__1") == ClaudeCode("").rebuilt(str(path), "msg_s2__1")
