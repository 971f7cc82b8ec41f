import json
from pathlib import Path

import pytest
from hypothesis import given
from msgspec import Raw
from tests.counting.transcripts import NOON, Json, agent_progress, answer, counts, encoded, prompt
from tests.sources.claude_code.reading import PROPERTY, line_of, read
from tests.sources.claude_code.test_decoder import VALUES

from tokenbudget.model.events import Attachment, Compaction, Content, Detail, ToolCall, ToolResult
from tokenbudget.sources.claude_code.details import DetailTable, blocks_of, first_text, text_hash

NOON_MS = 1_795_176_000_000


def detail_of(*lines: Json, key: str | None = "msg_1") -> Detail:
    """The events of some lines; a line's offset is its number."""
    table = DetailTable("by-place")
    for offset, fields in enumerate(lines):
        table.add(line_of(fields), offset, key)
    return table.detail()


def with_blocks(line: Json, *blocks: Json) -> Json:
    return {**line, "message": {**line["message"], "content": list(blocks)}}


def tool_use(given: object, **fields: object) -> Json:
    use = {"type": "tool_use", "id": "t1", "name": "Read", "input": given, **fields}
    return with_blocks(answer(counts(1), uuid="u1"), use)


def tool_result(content: object, **fields: object) -> Json:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": content}
    return with_blocks({**prompt(uuid="u2"), **fields}, result)


# ── tools ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_tool_call_is_told_with_its_size_and_target() -> None:
    (call,) = detail_of(tool_use({"file_path": "/srv/a.py"})).tool_calls
    size = len('{"file_path": "/srv/a.py"}')
    assert call == ToolCall("t1", "msg_1", "Read", "/srv/a.py", size, call.input_hash, NOON_MS, 0)


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ({"notebook_path": "/a.ipynb"}, "/a.ipynb"),
        ({"skill": "pdf"}, "pdf"),
        ({"subagent_type": "Explore", "prompt": "?"}, "Explore"),
        ({"pattern": "x", "path": "src"}, "src"),
        ({"url": "https://example.org/"}, "https://example.org/"),
        ({"command": "ls"}, ""),
        ({"file_path": 7}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_target_is_what_a_tool_acts_on(given: object, target: str) -> None:
    (call,) = detail_of(tool_use(given)).tool_calls
    assert call.target == target


def test_equal_arguments_have_equal_hashes() -> None:
    calls = detail_of(tool_use({"a": 1}), tool_use({"a": 1}), tool_use({"a": 2})).tool_calls
    hashes = [call.input_hash for call in calls]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_hash_fits_into_63_bits() -> None:
    assert all(0 <= text_hash(Raw(bytes([n]) * n)) < 2**63 for n in range(256))


def test_a_tool_call_without_an_id_is_not_told() -> None:
    assert detail_of(tool_use({}, id=None)).tool_calls == []


def test_the_calls_of_no_response_are_not_told() -> None:
    assert detail_of(tool_use({}), key=None).tool_calls == []


@pytest.mark.parametrize(
    ("facts", "duration_ms"),
    [
        ({"durationMs": 12.4}, 12),
        ({"totalDurationMs": 7}, 7),
        ({"durationMs": 3, "totalDurationMs": 7}, 3),
        ({"durationMs": -1}, None),
        ({"durationMs": 1e300}, None),
        ({"durationMs": "3"}, None),
        ({}, None),
        ("done", None),
        (["done"], None),
        (None, None),
    ],
)
def test_a_tool_result_is_told_with_its_duration(facts: object, duration_ms: int | None) -> None:
    (result,) = detail_of(tool_result("four", toolUseResult=facts)).tool_results
    expected = ToolResult("t1", 6, result.result_hash, 0, duration_ms, NOON_MS, 0)
    assert result == expected


def test_a_failed_tool_is_told_as_such() -> None:
    line = tool_result("no")
    line["message"]["content"][0]["is_error"] = True
    assert detail_of(line).tool_results[0].is_error == 1


def test_a_tool_result_without_an_id_is_not_told() -> None:
    line = tool_result("four")
    line["message"]["content"][0]["tool_use_id"] = None
    assert detail_of(line).tool_results == []


def test_a_subagent_s_tools_inside_its_parent_s_file_are_told() -> None:
    line = agent_progress(counts(1), uuid="u9")
    use = {"type": "tool_use", "id": "t9", "name": "Bash", "input": {}}
    line["data"]["message"]["message"]["content"] = [use]
    assert [call.tool_use_id for call in detail_of(line).tool_calls] == ["t9"]
    assert detail_of(line, key=None) == Detail([], [], [], [], [])


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({}, "prompt"), ({"isMeta": True}, "notice"), ({"isCompactSummary": True}, "summary")],
)
def test_words_of_a_user_line_are_told_by_who_wrote_them(fields: Json, kind: str) -> None:
    (content,) = detail_of(prompt("four", uuid="u", **fields), key=None).contents
    assert content == Content("u", 0, "", kind, 6, NOON_MS, "s1", 0)


def test_the_blocks_of_an_answer_are_told_by_position() -> None:
    blocks: list[Json] = [
        {"type": "thinking", "thinking": "hm", "signature": "long"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "four"},
        {"type": "image", "source": {"data": "abc"}},
        {"type": "fallback"},
    ]
    found = detail_of(with_blocks(answer(counts(1), uuid="u"), *blocks)).contents
    assert [(content.position, content.kind) for content in found] == [
        (0, "thinking"),
        (1, "thinking"),
        (2, "text"),
        (3, "image"),
        (4, "other"),
    ]
    assert [content.size_bytes for content in found] == [4, 0, 6, len('{"data": "abc"}'), 0]


def test_a_line_without_a_uuid_is_known_by_its_place() -> None:
    assert detail_of(prompt(), key=None).contents[0].uuid == "by-place:0"


# ── attachments and compactions ───────────────────────────────────────────────────────────────────


def attachment(value: object, **beside: object) -> Attachment:
    line = {"type": "attachment", "uuid": "u", "timestamp": NOON, "attachment": value, **beside}
    (found,) = detail_of(line).attachments
    return found


def test_an_attachment_has_the_size_of_what_the_model_was_shown() -> None:
    shown = [{"content": "four"}, {"content": "six66"}]
    found = attachment({"type": "date", "more": "x" * 99}, rendered=shown)
    assert found == Attachment("u", "date", 13, NOON_MS, "by-place", 0)


def test_an_attachment_of_an_old_client_has_the_size_of_all_of_it() -> None:
    value = {"type": "file", "content": "x"}
    assert attachment(value)[1:3] == ("file", len(json.dumps(value)))


def test_an_attachment_of_another_shape_is_of_an_unknown_kind() -> None:
    assert attachment(["x"]).kind == "unknown"


def boundary(kind: str, facts: object) -> list[Compaction]:
    name = {"compact_boundary": "compactMetadata"}.get(kind, "microcompactMetadata")
    line = {"type": "system", "subtype": kind, "uuid": "u", "timestamp": NOON, name: facts}
    return detail_of(line).compactions


def test_a_compaction_is_told_with_its_tokens() -> None:
    facts = {"trigger": "auto", "preTokens": 160_000, "postTokens": 9_000}
    expected = Compaction("u", "compact", "auto", 160_000, 9_000, None, NOON_MS, "by-place", 0)
    assert boundary("compact_boundary", facts) == [expected]


def test_a_microcompaction_is_told_with_what_it_saved() -> None:
    (found,) = boundary("microcompact_boundary", {"trigger": "auto", "tokensSaved": 42})
    assert (found.kind, found.saved_tokens) == ("microcompact", 42)


@pytest.mark.parametrize("facts", [None, [], {"preTokens": 10**30}, {"preTokens": -1}, {}])
def test_a_compaction_with_impossible_facts_is_told_without_them(facts: object) -> None:
    (found,) = boundary("compact_boundary", facts)
    assert (found.trigger, found.pre_tokens) == ("unknown", None)


def test_other_lines_of_the_system_are_no_events() -> None:
    assert boundary("turn_duration", {}) == []


# ── damage ────────────────────────────────────────────────────────────────────────────────────────


@PROPERTY
@given(VALUES)
def test_content_of_any_shape_is_survived(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for raw in (Raw(text), Raw(b'[{"type":"text","text":' + text + b',"id":7}]')):
        json.dumps([str(block.type) for block in blocks_of(raw)])
        first_text(raw)


@PROPERTY
@given(VALUES, VALUES)
def test_tools_of_any_shape_are_survived(given_value: object, result: object) -> None:
    detail_of(tool_use(given_value), tool_result(result, toolUseResult=given_value))


def test_a_block_with_a_field_of_another_type_keeps_the_others() -> None:
    (call,) = detail_of(tool_use({"n": 10**30, "path": "é"}, name=7)).tool_calls
    assert (call.tool_use_id, call.name, call.target) == ("t1", "unknown", "é")


def test_bad_utf_8_inside_a_tool_call_is_survived(tmp_path: Path) -> None:
    line = encoded(tool_use({"path": "WRONG"}, name="WRONG")).replace(b"WRONG", b"a\xff")
    found = read(tmp_path / "s1.jsonl", line).detail
    assert found is not None
    (call,) = found.tool_calls
    assert (call.name, call.target) == ("a\ufffd", "a\ufffd")


@pytest.mark.parametrize("depth", [100, 400, 600, 900, 3000, 100_000])
def test_blocks_of_any_depth_are_survived(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    blocks = blocks_of(Raw(b'[{"type":"tool_use","id":7,"input":' + nested + b"}]"))
    assert blocks == [] or blocks[0].type == "tool_use"


def test_the_first_words_are_those_of_the_first_text() -> None:
    assert first_text(Raw(b'"Hello"')) == "Hello"
    blocks = b'[{"type":"image"},{"type":"text","text":"Hi"},{"type":"text","text":"x"}]'
    assert first_text(Raw(blocks)) == "Hi"
    assert first_text(Raw(b'[{"type":"text","text":7}]')) is None
    assert first_text(Raw(b"{}")) is None
