import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.counting.transcripts import LATER, NOON, Json, answer, counts, encoded, prompt
from tests.sources.claude_code.reading import PROPERTY, TRANSCRIPTS, merged, read, stretches

from tokenbudget.model.events import LineCounts, Stretch
from tokenbudget.sources.claude_code import reader
from tokenbudget.sources.claude_code.decoder import decode_line
from tokenbudget.sources.claude_code.reader import is_user_line

ONE = encoded(answer(counts(1, 2)))
TWO = encoded(answer(counts(3, 4), "msg_2"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s1.jsonl"


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A buffer of 64 bytes, stretches of 100, and no line longer than 4,096."""
    monkeypatch.setattr(reader, "BUFFER_BYTES", 64)
    monkeypatch.setattr(reader, "STRETCH_BYTES", 100)
    monkeypatch.setattr(reader, "LONGEST_LINE_BYTES", 4096)


def keys(*found: Stretch) -> list[str]:
    return [packed[0] for stretch in found for packed in stretch.responses]


# ── any bytes ─────────────────────────────────────────────────────────────────────────────────────


def check_positions(found: list[Stretch], data: bytes) -> None:
    assert found[0].start == 0
    assert [stretch.is_last for stretch in found] == [False] * (len(found) - 1) + [True]
    assert all(one.end == two.start for one, two in pairwise(found))
    assert all(stretch.start <= stretch.end <= stretch.size_bytes for stretch in found)
    end = found[-1].end
    assert data[:end].endswith(b"\n") or not end
    assert sum(stretch.line_counts.lines for stretch in found) == data.count(b"\n", 0, end)


@PROPERTY
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf\n{}")
@example(b"{}")
@example(b"\x00}\n}")
def test_any_bytes_are_read_without_an_error(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    check_positions(stretches(path), data)


@PROPERTY
@given(TRANSCRIPTS, st.binary(max_size=40))
def test_positions_agree_however_small_the_steps(
    path: Path, small_steps: None, data: bytes, rest: bytes
) -> None:
    path.write_bytes(data + rest)
    check_positions(stretches(path), data + rest)


@PROPERTY
@given(TRANSCRIPTS)
def test_no_line_is_special_in_two_ways_or_forgotten(path: Path, data: bytes) -> None:
    line_counts = read(path, data).line_counts
    special = line_counts.blank_lines + line_counts.malformed_lines + line_counts.repaired_lines
    assert special <= line_counts.lines == data.count(b"\n")


# ── however the file is split ─────────────────────────────────────────────────────────────────────


@PROPERTY
@given(TRANSCRIPTS, st.lists(st.integers(0, 5000), max_size=4), st.booleans())
def test_reading_in_increments_gives_the_responses_of_reading_at_once(
    path: Path, data: bytes, cuts: list[int], with_detail: bool
) -> None:
    position, found = 0, []
    for cut in [*sorted(cuts), len(data)]:
        path.write_bytes(data[:cut])
        found += stretches(path, position, with_detail)
        position = found[-1].end
    assert merged(found, path) == merged([read(path, data)], path)


@PROPERTY
@given(TRANSCRIPTS)
def test_small_stretches_give_the_responses_of_a_large_one(path: Path, data: bytes) -> None:
    whole = merged([read(path, data)], path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BUFFER_BYTES", 64)
        patch.setattr(reader, "STRETCH_BYTES", 100)
        assert merged(stretches(path), path) == whole


@PROPERTY
@given(TRANSCRIPTS)
def test_usage_alone_is_the_same_usage(path: Path, data: bytes) -> None:
    alone = read(path, data, with_detail=False)
    assert alone.responses == read(path, data).responses
    assert (alone.detail, alone.problems) == (None, [])
    assert alone.line_counts == LineCounts(0, 0, 0, 0, 0)


# ── ends of files ─────────────────────────────────────────────────────────────────────────────────


def test_a_whole_last_line_without_an_end_is_taken_and_not_counted(path: Path) -> None:
    found = read(path, ONE + TWO.rstrip())
    assert keys(found) == ["msg_1", "msg_2"]
    assert (found.end, found.line_counts.lines) == (len(ONE), 1)


def test_an_unended_line_is_taken_behind_the_first_stretch_too(
    path: Path, small_steps: None
) -> None:
    path.write_bytes(ONE + TWO.rstrip())
    found = stretches(path)
    assert len(found) == 2
    assert keys(*found) == ["msg_1", "msg_2"]


def test_half_a_last_line_is_left_alone(path: Path) -> None:
    for length in range(1, len(TWO) - 1):
        found = read(path, ONE + TWO[:length])
        assert keys(found) == ["msg_1"]
        assert (found.end, found.problems, found.line_counts.lines) == (len(ONE), [], 1)


def test_an_unended_damaged_line_is_not_reported_yet(path: Path) -> None:
    found = read(path, ONE + b'{"type":}')
    assert (found.problems, found.line_counts.malformed_lines) == ([], 0)


def test_an_unended_synthetic_line_is_not_counted_yet(path: Path) -> None:
    line = encoded(answer(counts(1), model="<synthetic>"))
    assert read(path, line.rstrip()).line_counts.synthetic_lines == 0
    assert read(path, line).line_counts.synthetic_lines == 1


def test_an_empty_file_is_one_empty_stretch(path: Path) -> None:
    found = read(path, b"")
    assert (found.start, found.end, found.is_last, found.responses) == (0, 0, True, [])


def test_a_file_that_has_vanished_raises(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        stretches(path)


# ── lines that are not as they should be ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        (b"\n", LineCounts(2, 1, 0, 0, 0)),
        (b" \t\r\n", LineCounts(2, 1, 0, 0, 0)),
        (b"null\n", LineCounts(2, 0, 1, 0, 0)),
        (b"[1]\n", LineCounts(2, 0, 1, 0, 0)),
        (b"{oops\n", LineCounts(2, 0, 1, 0, 0)),
        (b"\xff\xfe\n", LineCounts(2, 0, 1, 0, 0)),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", LineCounts(2, 0, 1, 0, 0)),
        (b'{"x":NaN}\n', LineCounts(2, 0, 0, 1, 0)),
        (b'{"cwd":"\\ud800"}\n', LineCounts(2, 0, 0, 1, 0)),
        (b'{"cwd":"\xff"}\n', LineCounts(2, 0, 0, 1, 0)),
        (b'{"cwd":7}\n', LineCounts(2, 0, 0, 1, 0)),
        (b'{"x":' + b"9" * 500 + b"}\r\n", LineCounts(2, 0, 0, 0, 0)),
    ],
)
def test_a_damaged_line_is_counted_and_the_next_one_read(
    path: Path, damaged: bytes, expected: LineCounts
) -> None:
    found = read(path, damaged + ONE)
    assert keys(found) == ["msg_1"]
    assert found.line_counts == expected
    assert len(found.problems) == expected.malformed_lines


def test_a_problem_says_where_and_why(path: Path) -> None:
    found = read(path, ONE + b"[1]\n" + b"{oops\n")
    assert [problem.offset for problem in found.problems] == [len(ONE), len(ONE) + 4]
    assert found.problems[0].reason == "not an object but a list"
    assert found.problems[1].reason.startswith("not JSON: ")


def test_a_byte_order_mark_is_no_damage(path: Path) -> None:
    found = read(path, b"\xef\xbb\xbf" + ONE)
    assert keys(found) == ["msg_1"]
    assert found.line_counts == LineCounts(1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "usage",
    [
        b'{"input_tokens":1,"output_tokens":NaN}',
        b'{"input_tokens":1.0,"output_tokens":-2}',
        b'{"input_tokens":1,"output_tokens":true}',
        b'{"input_tokens":1,"output_tokens":"2"}',
        b'{"input_tokens":1,"iterations":7,"cache_creation":[]}',
        b'{"input_tokens":1,"output_tokens":' + b"9" * 400 + b"}",
        b'{"input_tokens":1,"speed":{},"service_tier":[],"server_tool_use":"x"}',
    ],
)
def test_a_field_of_another_type_is_dropped_and_the_others_kept(path: Path, usage: bytes) -> None:
    line = b'{"type":"assistant","message":{"id":"m","model":"x","usage":%s}}\n' % usage
    (packed,) = read(path, line).responses
    assert packed[8:13] == (1, 0, 0, 0, 0)


def test_a_line_of_two_megabytes_is_a_line(path: Path) -> None:
    long = encoded(prompt("word " * 420_000))
    found = read(path, long + ONE)
    assert keys(found) == ["msg_1"]
    assert found.detail is not None
    assert found.detail.contents[0].size_bytes > 2_000_000


def test_a_line_that_is_too_long_is_passed_over_and_reported(path: Path, small_steps: None) -> None:
    path.write_bytes(encoded(prompt("x" * 5000)) + ONE)
    found = stretches(path)
    assert keys(*found) == ["msg_1"]
    assert sum(stretch.line_counts.lines for stretch in found) == 2
    assert [p.offset for stretch in found for p in stretch.problems] == [0]


def test_a_line_that_is_too_long_is_reported_behind_the_first_stretch_too(
    path: Path, small_steps: None
) -> None:
    data = ONE + encoded(prompt("x" * 5000)) + TWO
    path.write_bytes(data)
    found = stretches(path)
    check_positions(found, data)
    assert [p.offset for stretch in found for p in stretch.problems] == [len(ONE)]


def test_a_line_that_is_too_long_and_has_no_end_yet_is_left_alone(
    path: Path, small_steps: None
) -> None:
    path.write_bytes(ONE + encoded(prompt("x" * 5000)).rstrip())
    found = stretches(path)
    assert (found[-1].end, keys(*found)) == (len(ONE), ["msg_1"])


def test_only_the_first_problems_are_kept_and_all_are_counted(path: Path) -> None:
    found = read(path, b"{\n" * (reader.KEPT_PROBLEMS + 7))
    assert len(found.problems) == reader.KEPT_PROBLEMS
    assert found.line_counts.malformed_lines == reader.KEPT_PROBLEMS + 7


# ── sessions ──────────────────────────────────────────────────────────────────────────────────────


def test_a_session_is_told_by_its_lines(path: Path) -> None:
    facts: Json = {"cwd": "/srv/a", "gitBranch": "main", "version": "2.0.0"}
    later: Json = {"cwd": "/srv/a/src", "gitBranch": "topic", "version": "2.0.1"}
    titles: list[Json] = [
        {"type": "ai-title", "aiTitle": "First", "sessionId": "s1"},
        {"type": "custom-title", "customTitle": "Second", "sessionId": "s1"},
    ]
    lines = [prompt(at=LATER, **facts), prompt(at=NOON, **later), *titles]
    (fact,) = read(path, encoded(*lines)).sessions
    assert fact == ("s1", "/srv/a", "topic", "2.0.1", NOON, LATER, "Second")


def test_a_session_begins_with_its_first_line_that_has_a_time(path: Path) -> None:
    mode: Json = {"type": "mode", "mode": "normal", "sessionId": "s1"}
    (fact,) = read(path, encoded(mode, prompt(at=NOON), prompt(at=LATER))).sessions
    assert (fact.first_at, fact.last_at) == (NOON, LATER)


def test_a_line_that_names_no_session_belongs_to_its_file(path: Path) -> None:
    line = answer(counts(1))
    del line["sessionId"]
    (packed,) = read(path, encoded(line)).responses
    assert packed[4] == "s1"


# ── user lines, seen from outside ─────────────────────────────────────────────────────────────────

PAD = "x" * 3000


def sees_user(line: bytes) -> bool:
    """What is said of a line that stands between two user lines."""
    before, after = b'{"type":"user"}\n', b'\n{"type":"user"}\n'
    block = bytearray(before + line + after)
    return is_user_line(block, len(before), len(before) + len(line))


@pytest.mark.parametrize(
    "line",
    [
        {"type": "user", "message": {"content": [{"type": "text", "text": PAD}]}},
        {"parentUuid": None, "type": "user", "message": {"content": PAD}},
        {"message": {"role": "user", "content": [PAD]}, "type": "user", "uuid": "u"},
    ],
)
@pytest.mark.parametrize("ending", [b"", b"\r"])
def test_a_long_user_line_is_seen_as_one(line: Json, ending: bytes) -> None:
    assert sees_user(encoded(line).rstrip() + ending)


@pytest.mark.parametrize(
    "text",
    [
        '{"message":{"type":"user"},"pad":"PAD","type":"assistant"}',
        '{"type":"assistant","pad":"PAD","message":{"type":"user"}}',
        '{"type":"assistant","pad":"PAD","message":{"a":{"type":"user"},"b":1}}',
        '{"content":[{"type":"user"}],"pad":"PAD","type":"assistant"}',
        '{"type":"assistant","pad":"PAD","content":[{"type":"user"}]}',
        '[{"type":"user","pad":"PAD"}]',
        '[0,{"pad":"PAD","type":"user"}]',
        '{"text":"{\\"type\\":\\"user\\"}","pad":"PAD","type":"assistant"}',
        '{"type":"assistant","pad":"PAD","text":"\\"type\\":\\"user\\"}"}',
        '{"x\\"type":"user","pad":"PAD","type":"assistant"}',
        '{"type":"assistant","pad":"PAD","x\\"type":"user"}',
        '{"x\\\\\\"type":"user","pad":"PAD","type":"assistant"}',
        '{"text":"}","message":{"type":"user"},"pad":"PAD","type":"assistant"}',
        '{"type":"assistant","pad":"PAD","text":"{","message":{"type":"user"}}',
        '{"type":"assistant","pad":"PAD","message":{"type":"user"}} ',
        '{"type":"users","pad":"PAD"}',
        '{"type":"assistant","type2":"user","pad":"PAD"}',
        '{"type":null,"pad":"PAD"}',
    ],
)
def test_what_only_looks_like_a_user_line_is_decoded(text: str) -> None:
    assert not sees_user(text.replace("PAD", PAD).encode())


@pytest.mark.parametrize(
    "text",
    ['{"type": "user", "pad":"PAD"}', '{"a":"{","type":"user","pad":"PAD"}', '{"type":"user"'],
)
def test_a_look_that_never_leaves_the_line(text: str) -> None:
    line = text.replace("PAD", PAD).encode()
    assert not sees_user(line) or decode_or_none(line) in ("user", None)


def decode_or_none(line: bytes) -> str | None:
    try:
        return decode_line(line).type
    except ValueError:
        return None


_TRAPS = st.sampled_from(
    ["user", "assistant", '"type":"user"', '","type":"user"}', "{", "}", "[", "]", "\\", '"', PAD]
)
_KEYS = st.sampled_from(["type", 'x"type', "\\type", '"type":"user"', "message", "a", "b"])
_VALUES = st.recursive(
    _TRAPS | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", ":"), (",", ":\t")])


@PROPERTY
@given(
    st.lists(st.tuples(_KEYS, _VALUES), max_size=6),
    _SEPARATORS,
    st.sampled_from(["", " ", "\t "]),
    st.sampled_from(["", "\r", " ", "  "]),
    st.booleans(),
)
def test_no_line_of_another_type_is_ever_seen_as_a_user_line(
    fields: list[tuple[str, object]],
    separators: tuple[str, str],
    before: str,
    after: str,
    in_ascii: bool,
) -> None:
    text = json.dumps(dict(fields), separators=separators, ensure_ascii=in_ascii)
    line = (before + text + after).encode()
    if sees_user(line):
        assert decode_line(line).type == "user"


@PROPERTY
@given(st.lists(st.sampled_from([*'{}[],:" \\', '"type":"user"', '"a"', "x" * 600]), max_size=14))
def test_no_json_of_any_shape_is_wrongly_seen_as_a_user_line(pieces: list[str]) -> None:
    line = "".join(pieces).encode()
    if sees_user(line):
        assert decode_or_none(line) in ("user", None)


def test_an_answer_with_user_lines_inside_is_counted_by_the_quick_pass(path: Path) -> None:
    quoted: Json = {"type": "user", "message": {"type": "user", "content": PAD}}
    line = {"toolUse": quoted, **answer(counts(1, 2)), "last": quoted}
    assert keys(read(path, encoded(line), with_detail=False)) == ["msg_1"]
