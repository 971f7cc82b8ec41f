import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw
from tests.counting.transcripts import Json, agent_progress, counts, encoded, message
from tests.sources.claude_code.reading import LINES, PROPERTY

from tokenbudget.sources.claude_code.decoder import (
    LARGEST_COUNT,
    Line,
    Malformed,
    Message,
    NotAnObject,
    Progress,
    Usage,
    decode_line,
    decode_progress,
    raw_text,
    repaired_line,
    typed_line,
)

FIELDS = [*Line.__struct_encode_fields__, *Message.__struct_encode_fields__]
COUNTED = [
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
]
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "user", "assistant", "agent_progress"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*FIELDS, *Usage.__struct_encode_fields__, "ephemeral_1h_input_tokens"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def plain(value: object) -> object:
    """A struct as data, its undecoded parts decoded."""
    if isinstance(value, Raw):
        return json.loads(bytes(value)) if bytes(value) else None
    if isinstance(value, msgspec.Struct):
        return {name: plain(item) for name, item in msgspec.structs.asdict(value).items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def usage_of(text: str) -> Usage:
    found = decode_line(f'{{"message":{{"usage":{text}}}}}'.encode()).message
    assert found is not None
    assert found.usage is not None
    return found.usage


@PROPERTY
@given(st.binary(max_size=60))
@example(b"{" * 2000)
@example(b"[" * 200_000)
def test_any_bytes_are_a_line_or_one_of_two_errors(data: bytes) -> None:
    with contextlib.suppress(Malformed, NotAnObject):
        assert isinstance(decode_line(data), Line)


@PROPERTY
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6))
def test_a_field_of_any_type_never_stops_the_line(fields: Json) -> None:
    found = decode_line(json.dumps(fields).encode())
    assert found.type is None or isinstance(found.type, str)
    json.dumps(plain(found), ensure_ascii=False).encode()  # nothing in it cannot be stored


@PROPERTY
@given(VALUES)
def test_counts_are_whole_numbers_in_bounds_or_absent(value: object) -> None:
    usage = dict.fromkeys(COUNTED, value)
    found = usage_of(json.dumps(usage))
    for name in COUNTED:
        count = getattr(found, name)
        assert count is None or (type(count) is int and 0 <= count <= LARGEST_COUNT)


@PROPERTY
@given(LINES)
def test_the_lenient_reading_of_a_sound_line_is_the_typed_one(line: Json) -> None:
    data = encoded(line)
    found, expected = plain(repaired_line(data)), plain(typed_line(data))
    assert _without_absent(found) == _without_absent(expected)


def _without_absent(value: object) -> object:
    """Nothing, an empty object and an empty list are all no information."""
    if isinstance(value, list):
        return [_without_absent(item) for item in value]
    if isinstance(value, dict):
        kept = {name: _without_absent(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, {}, [])}
    return value


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("12.0", 12),
        ("12.7", 12),
        (str(LARGEST_COUNT), LARGEST_COUNT),
        (str(LARGEST_COUNT + 1), None),
        ("-1", None),
        ("-0.5", None),
        ("true", None),
        ('"7"', None),
        ("NaN", None),
        ("Infinity", None),
        ("1e400", None),
        ("[7]", None),
        ("null", None),
    ],
)
def test_a_count_is_taken_if_it_is_one(text: str, count: int | None) -> None:
    found = usage_of(f'{{"input_tokens":{text},"output_tokens":3}}')
    assert (found.input_tokens, found.output_tokens) == (count, 3)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"null", "null"), (b"[]", "a list"), (b'"x"', "a string"), (b"1", "a number")],
)
def test_json_that_is_no_object_says_what_it_is(data: bytes, kind: str) -> None:
    with pytest.raises(NotAnObject, match=kind):
        decode_line(data)


@pytest.mark.parametrize(
    "data", [b"", b"  ", b"{", b'{"a":1}x', b"\xff", b'{"a":%s}' % (b"9" * 5000)]
)
def test_what_is_no_json_is_malformed_or_harmless(data: bytes) -> None:
    try:
        assert decode_line(data) == Line()
    except Malformed:
        assert data[:5] != b'{"a":' or data.endswith(b"x")


@pytest.mark.parametrize("depth", [100, 400, 480, 600, 900, 1000, 3000, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"usage":', "}"), ('[{"iterations":', "}]")]
)
def test_nesting_of_any_depth_is_survived(depth: int, opening: str, closing: str) -> None:
    nested = opening * depth + "1" + closing * depth
    text = f'{{"cwd":7,"message":{{"usage":{{"iterations":{nested}}},"content":{nested}}}}}'
    try:
        assert decode_line(text.encode()).cwd is None
    except Malformed:
        assert depth > 300


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert decode_line(b'{"cwd":"a\\ud800b","version":"2"}').cwd == "a?b"


def test_bad_utf_8_becomes_the_replacement_character() -> None:
    assert decode_line(b'{"cwd":"a\xffb"}').cwd == "a\ufffdb"


def test_a_repaired_text_keeps_the_size_that_it_had_in_the_file() -> None:
    content = '[{"type":"text","text":"Grüße, 世界"}]'
    found = decode_line(f'{{"cwd":7,"message":{{"content":{content}}}}}'.encode())
    assert found.message is not None
    assert bytes(found.message.content) == content.encode()


def test_a_negative_cost_of_a_repaired_line_is_none() -> None:
    assert decode_line(b'{"cwd":7,"costUSD":-1}').reported_usd is None
    assert decode_line(b'{"cwd":7,"costUSD":2}').reported_usd == 2.0


@PROPERTY
@given(VALUES)
def test_progress_of_any_shape_is_progress(value: object) -> None:
    assert isinstance(decode_progress(raw_text(value)), Progress)


def test_damaged_progress_keeps_what_can_be_used() -> None:
    data = agent_progress(counts(1, 2))["data"]
    data["message"]["uuid"] = 7
    found = decode_progress(Raw(json.dumps(data).encode()))
    assert found.type == "agent_progress"
    assert found.message is not None
    assert found.message.message is not None
    assert found.message.message.id == message(None, "msg_sub")["id"]


def test_no_data_is_empty_progress() -> None:
    assert decode_progress(Raw(b"")) == Progress()
    assert decode_progress(Raw(b"[" * 5000)) == Progress()
