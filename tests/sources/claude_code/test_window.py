"""What a transcript shows of the windows of its requests, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from tests.ledger.builders import (
    Json,
    answer,
    compaction,
    encoded,
    line,
    prompt,
    tool_result,
    tool_use,
)
from tests.sources.claude_code.reading import PROPERTY

from tokenbudget.model import window
from tokenbudget.model.window import Piece, Placed
from tokenbudget.sources.claude_code import window as module
from tokenbudget.sources.claude_code.details import Block
from tokenbudget.sources.claude_code.window import (
    SKILL_SIGN,
    Said,
    WindowLine,
    WindowReader,
    plain,
    read_window,
)

STEP = 10
"""A line's offset is its number times this: no number in a test means two things."""


def placed(*lines: Json | bytes) -> list[Placed]:
    """What a reader tells of some lines."""
    reader = WindowReader()
    found: list[Placed] = []
    for number, raw in enumerate(lines):
        found += reader.take(number * STEP, raw if isinstance(raw, bytes) else encoded(raw))
    return found


def pieces(*lines: Json | bytes) -> list[Piece]:
    return [one.piece for one in placed(*lines)]


def kinds(*lines: Json | bytes) -> list[str]:
    return [piece.kind for piece in pieces(*lines)]


def events(*lines: Json | bytes) -> list[tuple[int, str, str]]:
    """(offset, kind, link) of what happened to the window."""
    return [
        (one.offset, one.piece.kind, one.link)
        for one in placed(*lines)
        if one.piece.kind in window.EVENTS
    ]


def words(kind: str, text: str, name: str = "", target: str = "") -> Piece:
    """A piece of words: it is as large as they are."""
    return Piece(kind, name, target, text, len(text.encode()))


def said(*content: Json, uuid: str = "u1", **more: object) -> Json:
    """A user's line with these blocks."""
    return line("user", {"message": {"role": "user", "content": list(content)}}, uuid, **more)


def injected(kind: str, *shown: str, uuid: str = "i1", **fields: object) -> Json:
    """An attachment line; `shown` is its exact text, where the client kept that."""
    body: Json = {"attachment": {"type": kind, **fields}}
    if shown:
        body["rendered"] = [{"content": text} for text in shown]
    return line("attachment", body, uuid)


def shape(*tools: str, system: str = "You help.", uuid: str = "q1") -> Json:
    found = {"system": [{"type": "text", "text": system}], "tools": [{"name": t} for t in tools]}
    return line("api-request-shape", {"shape": found}, uuid)


# ── what a person says ────────────────────────────────────────────────────────────────────────────


def test_a_prompt_is_one_piece_as_large_as_its_words() -> None:
    assert placed(prompt("Grüße", "u1")) == [Placed(0, 0, "", "", words(window.PROMPT, "Grüße"))]


def test_the_blocks_of_a_prompt_keep_their_order() -> None:
    blocks = [{"type": "text", "text": "one"}, {"type": "document"}, {"type": "text", "text": "2"}]
    found = placed(said(*blocks))
    assert [one.position for one in found] == [0, 1, 2]
    assert [one.piece for one in found] == [
        words(window.PROMPT, "one"),
        words(window.OTHER, "", "document"),
        words(window.PROMPT, "2"),
    ]


def test_an_image_has_the_size_of_its_source_and_no_words() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "QUJD" * 9}
    (piece,) = pieces(said({"type": "image", "source": source}))
    size_bytes = len(json.dumps(source, separators=(",", ":")))
    assert piece == Piece(window.IMAGE, "", "", "", size_bytes)


def test_a_block_without_a_type_is_unknown() -> None:
    assert pieces(said({})) == [words(window.OTHER, "", "unknown")]


@pytest.mark.parametrize("content", [None, [], 7, {}])
def test_a_prompt_without_words_has_no_piece(content: object) -> None:
    assert pieces(line("user", {"message": {"role": "user", "content": content}}, "u1")) == []


def test_what_the_client_says_beside_the_person_is_a_reminder() -> None:
    found = pieces(prompt("Mind the gap.", "u1", isMeta=True))
    assert found == [words(window.REMINDER, "Mind the gap.", "notice")]


def test_a_summary_is_told_as_one() -> None:
    found = pieces(prompt("So far so good.", "u1", isCompactSummary=True))
    assert found == [words(window.SUMMARY, "So far so good.")]


def test_a_line_that_is_only_shown_is_not_sent() -> None:
    assert pieces(prompt("For your eyes.", "u1", isVisibleInTranscriptOnly=True)) == []


@pytest.mark.parametrize(
    ("folder", "skill"),
    [
        ("/srv/skills/pdf", "pdf"),
        ("/srv/skills/pdf/", "pdf"),
        ("D:\\skills\\pdf", "pdf"),
        ("pdf", "pdf"),
        ("", "unknown"),
    ],
)
def test_the_body_of_a_skill_is_named_after_its_folder(folder: str, skill: str) -> None:
    text = f"{SKILL_SIGN}{folder}\n\nFold twice."
    assert pieces(prompt(text, "u1", isMeta=True)) == [words(window.SKILL_BODY, text, skill)]


def test_a_person_who_quotes_a_skill_has_written_a_prompt() -> None:
    assert kinds(prompt(f"{SKILL_SIGN}/srv/skills/pdf", "u1")) == [window.PROMPT]


# ── what the model writes ─────────────────────────────────────────────────────────────────────────


def test_all_lines_of_an_answer_are_linked_by_its_key() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    lines = [
        answer("msg_1", content=[thought], uuid="a1", requestId="req_1"),
        answer("msg_1", content=[{"type": "text", "text": "Yes."}], uuid="a2"),
        answer("msg_1", content=[tool_use("t1", "Read", file_path="a.py")], uuid="a3"),
    ]
    found = placed(*lines)
    assert [(one.offset, one.position, one.link) for one in found] == [
        (number * STEP, 0, "msg_1") for number in range(3)
    ]
    assert [one.piece for one in found] == [
        words(window.THINKING, "Hm."),
        words(window.TEXT, "Yes."),
        words(window.TOOL_USE, 'Read {"file_path":"a.py"}', "Read", "a.py"),
    ]


def test_an_answer_without_an_id_is_linked_by_its_request_and_then_by_its_line() -> None:
    nameless = answer("msg_1", uuid="a1", requestId="req_1")
    del nameless["message"]["id"]
    assert placed(nameless)[0].link == "req_1"
    del nameless["requestId"]
    assert placed(nameless)[0].link == "a1"
    del nameless["uuid"]
    assert placed(nameless)[0].link == ""


def test_thoughts_without_words_are_still_a_piece() -> None:
    thought = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    assert pieces(answer("msg_1", content=[thought])) == [words(window.THINKING, "")]


def test_a_block_of_another_kind_is_told_by_its_type() -> None:
    hidden = {"type": "redacted_thinking", "data": "c2ln"}
    found = pieces(answer("msg_1", content=[hidden]))
    assert found == [words(window.OTHER, "", "redacted_thinking")]


def test_an_answer_without_blocks_still_tells_its_request() -> None:
    empty = answer("msg_1")
    empty["message"]["content"] = []
    assert placed(empty) == [Placed(0, 0, "", "msg_1", words(window.OTHER, "", "empty"))]


@pytest.mark.parametrize(
    "said_by_the_client",
    [answer("msg_1", isApiErrorMessage=True), answer("msg_1", model="<synthetic>")],
)
def test_the_clients_own_words_in_an_answers_place_are_not_sent(said_by_the_client: Json) -> None:
    assert pieces(said_by_the_client) == []


def test_an_answer_without_a_message_has_no_piece() -> None:
    assert pieces(line("assistant", {}, "a1")) == []


# ── tools ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_result_is_named_after_its_call() -> None:
    call = answer("msg_1", content=[tool_use("t1", "Read", file_path="/srv/a.py")])
    _, result = placed(call, tool_result("t1", "x = 1", "u1"))
    assert result == Placed(
        STEP, 0, "", "t1", words(window.TOOL_RESULT, "x = 1", "Read", "/srv/a.py")
    )


def test_results_are_named_in_whatever_order_they_come() -> None:
    calls = [tool_use("t1", "Glob", path="src"), tool_use("t2", "mcp__docs__search", query="?")]
    lines = [answer("msg_1", content=calls), tool_result("t2", "b", "u2")]
    results = pieces(*lines, tool_result("t1", "a", "u1"))[2:]
    assert results == [
        words(window.TOOL_RESULT, "b", "mcp__docs__search"),
        words(window.TOOL_RESULT, "a", "Glob", "src"),
    ]


def test_a_result_whose_call_is_nowhere_is_unknown() -> None:
    (found,) = placed(tool_result("t9", "x", "u1"))
    assert (found.link, found.piece) == ("t9", words(window.TOOL_RESULT, "x", "unknown"))


def test_the_texts_of_a_result_are_one_piece() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    result = {"type": "tool_result", "tool_use_id": "t1", "content": blocks}
    assert pieces(said(result)) == [words(window.TOOL_RESULT, "a\nb", "unknown")]


def test_a_tool_that_was_found_is_told_by_its_name() -> None:
    blocks = [{"type": "tool_reference", "tool_name": name} for name in ("WebFetch", "Monitor")]
    call = answer("msg_1", content=[tool_use("t1", "ToolSearch", query="web")])
    result = {"type": "tool_result", "tool_use_id": "t1", "content": blocks}
    assert pieces(call, said(result))[1] == words(
        window.TOOL_RESULT, "WebFetch\nMonitor", "ToolSearch"
    )


def test_an_image_in_a_result_is_a_piece_of_its_own() -> None:
    call = answer("msg_1", content=[tool_use("t1", "Read", file_path="a.png")])
    blocks = [{"type": "image", "source": {"data": "QUJD"}}, {"type": "text", "text": "a"}]
    found = placed(call, said({"type": "tool_result", "tool_use_id": "t1", "content": blocks}))[1:]
    assert [(one.position, one.link) for one in found] == [(0, "t1"), (1, "t1")]
    assert [one.piece for one in found] == [
        Piece(window.IMAGE, "Read", "a.png", "", len('{"data":"QUJD"}')),
        words(window.TOOL_RESULT, "a", "Read", "a.png"),
    ]


def test_a_result_without_content_is_an_empty_piece() -> None:
    result = {"type": "tool_result", "tool_use_id": "t1"}
    assert pieces(said(result)) == [words(window.TOOL_RESULT, "", "unknown")]


def test_a_result_and_words_beside_it_are_two_pieces() -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "a"}
    assert kinds(said(result, {"type": "text", "text": "Stop."})) == [
        window.TOOL_RESULT,
        window.PROMPT,
    ]


# ── threads and repeated lines ────────────────────────────────────────────────────────────────────


def test_a_subagents_line_has_its_thread() -> None:
    (found,) = placed(prompt("Look.", "u1", isSidechain=True, agentId="a7"))
    assert found.thread == "a7"


def test_a_sidechain_of_an_older_client_has_no_name_of_its_own() -> None:
    assert placed(prompt("Look.", "u1", isSidechain=True))[0].thread == "sidechain"


def test_a_line_of_the_main_thread_may_name_an_agent() -> None:
    assert placed(prompt("Look.", "u1", agentId="a7"))[0].thread == ""


def test_a_line_that_was_written_again_counts_once() -> None:
    lines = [prompt("One.", "u1"), answer("msg_1"), prompt("Two.", "u2")]
    found = placed(*lines, *lines[:2], prompt("Three.", "u3"))
    assert [one.offset // STEP for one in found] == [0, 1, 2, 5]


def test_lines_without_identity_all_count() -> None:
    nameless = line("user", {"message": {"content": "One."}, "uuid": None}, "")
    assert kinds(nameless, nameless) == [window.PROMPT, window.PROMPT]


def test_a_call_is_remembered_across_a_line_that_was_written_again() -> None:
    call = answer("msg_1", content=[tool_use("t1", "Read", file_path="a.py")])
    assert pieces(call, call, tool_result("t1", "x", "u1"))[1].name == "Read"


# ── a person who goes back ────────────────────────────────────────────────────────────────────────

CHAT = [
    prompt("One.", "u1", parentUuid=None),
    answer("msg_1", uuid="a1", parentUuid="u1"),
    prompt("Two.", "u2", parentUuid="a1"),
    answer("msg_2", uuid="a2", parentUuid="u2"),
]


def test_a_prompt_behind_an_earlier_line_leaves_the_rest_behind() -> None:
    back = prompt("Two, but better.", "u3", parentUuid="a1")
    found = placed(*CHAT, back)[-2:]
    assert found == [
        Placed(4 * STEP, 0, "", str(STEP), words(window.REWOUND, "")),
        Placed(4 * STEP, 1, "", "", words(window.PROMPT, "Two, but better.")),
    ]


def test_a_conversation_that_goes_on_is_not_rewound() -> None:
    assert events(*CHAT, prompt("Three.", "u3", parentUuid="a2")) == []


def test_a_prompt_behind_a_line_that_is_not_there_is_not_rewound() -> None:
    assert events(*CHAT, prompt("Three.", "u3", parentUuid="elsewhere")) == []


def test_lines_that_nobody_said_do_not_come_between() -> None:
    between = [injected("date", "It is late."), line("system", {"subtype": "turn_duration"}, "s1")]
    assert events(*CHAT, *between, prompt("Three.", "u3", parentUuid="a2")) == []


def test_words_without_identity_do_not_come_between() -> None:
    nameless = line("user", {"message": {"content": "Hm."}, "uuid": None}, "")
    assert events(*CHAT, nameless, prompt("Three.", "u3", parentUuid="a2")) == []


def test_what_a_subagent_says_does_not_come_between() -> None:
    agent = answer("msg_9", uuid="b1", isSidechain=True, agentId="a7")
    assert events(*CHAT, agent, prompt("Three.", "u3", parentUuid="a2")) == []


def test_a_late_tool_result_is_not_rewound() -> None:
    calls = [
        answer("msg_3", content=[tool_use("t1")], uuid="a3"),
        answer("msg_3", content=[tool_use("t2")], uuid="a4"),
        tool_result("t2", "b", "u4", parentUuid="a4"),
        tool_result("t1", "a", "u3", parentUuid="a3"),
    ]
    assert events(*CHAT, *calls) == []


def test_the_clients_notice_is_not_rewound() -> None:
    assert events(*CHAT, prompt("Note.", "u3", parentUuid="a1", isMeta=True)) == []


def test_going_back_after_lines_were_written_again_names_their_first_place() -> None:
    back = prompt("Two, but better.", "u3", parentUuid="a1")
    assert events(*CHAT, *CHAT, back) == [(8 * STEP, window.REWOUND, str(STEP))]


def test_going_back_twice_is_told_twice() -> None:
    lines = [prompt(f"Two, {n}.", f"u{n}", parentUuid="a1") for n in (3, 4)]
    assert [link for _, _, link in events(*CHAT, *lines)] == [str(STEP), str(STEP)]


# ── compaction ────────────────────────────────────────────────────────────────────────────────────


def compacted(uuid: str = "c1", **facts: object) -> Json:
    return line("system", {"subtype": "compact_boundary", "compactMetadata": facts}, uuid)


def test_a_compaction_stands_where_its_line_stands() -> None:
    found = placed(*CHAT, compaction("c1", 90_000), prompt("All.", "u3", isCompactSummary=True))
    assert found[-2:] == [
        Placed(4 * STEP, 0, "", "", words(window.COMPACTED, "", "auto", "90000")),
        Placed(5 * STEP, 0, "", "", words(window.SUMMARY, "All.")),
    ]


def test_a_compaction_names_the_lines_that_it_kept() -> None:
    kept = {"uuids": ["u2", "a2", "elsewhere", 7]}
    found = events(*CHAT, compacted(trigger="manual", preservedMessages=kept))
    assert found == [(4 * STEP, window.COMPACTED, f"{2 * STEP} {3 * STEP}")]


@pytest.mark.parametrize("kept", [None, [], "u1", {}, {"uuids": None}, {"uuids": "u1"}])
def test_a_compaction_that_kept_nothing_names_no_line(kept: object) -> None:
    assert events(*CHAT, compacted(preservedMessages=kept)) == [(4 * STEP, window.COMPACTED, "")]


@pytest.mark.parametrize("facts", [{}, {"trigger": None}, {"trigger": ""}])
def test_a_compaction_without_a_reason_is_of_an_unknown_one(facts: Json) -> None:
    assert [piece.name for piece in pieces(compacted(**facts))] == ["unknown"]


def test_the_prompt_after_a_summary_is_not_rewound() -> None:
    after = [
        {**compacted(), "parentUuid": None},
        prompt("All.", "u3", isCompactSummary=True, parentUuid="c1"),
        prompt("On.", "u4", parentUuid="u3"),
    ]
    assert [kind for _, kind, _ in events(*CHAT, *after)] == [window.COMPACTED]


def test_every_cleared_result_is_an_event_of_its_own() -> None:
    facts = {"compactedToolIds": ["t1", "t2", 7, None]}
    thinned = line(
        "system", {"subtype": "microcompact_boundary", "microcompactMetadata": facts}, "c1"
    )
    found = placed(*CHAT, thinned)[-2:]
    assert [(one.position, one.link, one.piece.kind) for one in found] == [
        (0, "t1", window.CLEARED),
        (1, "t2", window.CLEARED),
    ]


@pytest.mark.parametrize("facts", [None, {}, {"compactedToolIds": "t1"}, "t1"])
def test_a_thinned_history_that_names_nothing_is_no_event(facts: object) -> None:
    thinned = {"subtype": "microcompact_boundary", "microcompactMetadata": facts}
    assert events(line("system", thinned, "c1")) == []


# ── system prompt and tools ───────────────────────────────────────────────────────────────────────


def test_a_shape_tells_system_prompt_and_tools_anew() -> None:
    found = placed(shape("Read", "mcp__docs__search"))
    assert [one.position for one in found] == [0, 1, 2, 3]
    assert [one.piece for one in found] == [
        words(window.RESHAPED, ""),
        words(window.SYSTEM_PROMPT, "You help."),
        words(window.SYSTEM_TOOL, '{"name":"Read"}', "Read"),
        words(window.MCP_TOOL, '{"name":"mcp__docs__search"}', "mcp__docs__search", "docs"),
    ]


def test_a_later_shape_voids_the_one_before() -> None:
    found = events(shape("Read"), shape("Read", "Write", uuid="q2"))
    assert found == [(0, window.RESHAPED, ""), (STEP, window.RESHAPED, "")]


def test_a_shape_that_cannot_be_read_still_voids_what_was_told() -> None:
    assert kinds(line("api-request-shape", {"shape": "new"}, "q1")) == [window.RESHAPED]


def test_a_snapshot_tells_what_a_shape_would() -> None:
    found = pieces(
        injected("prompt_snapshot", systemPrompt=["You help."], tools=[{"name": "Read"}])
    )
    assert found == pieces(shape("Read"))


def test_a_later_snapshot_voids_the_one_before() -> None:
    lines = [injected("prompt_snapshot", tools=[], uuid=uuid) for uuid in ("i1", "i2")]
    assert [kind for _, kind, _ in events(*lines)] == [window.RESHAPED, window.RESHAPED]


def test_a_snapshot_beside_a_shape_tells_nothing_new() -> None:
    snapshot = injected("prompt_snapshot", systemPrompt=["You help."], tools=[{"name": "Read"}])
    assert kinds(shape("Read"), snapshot) == kinds(shape("Read"))


def test_a_snapshot_without_tools_tells_nothing() -> None:
    assert pieces(injected("prompt_snapshot", systemPrompt=["You help."])) == []


# ── other lines ───────────────────────────────────────────────────────────────────────────────────


def test_an_attachment_is_told_with_its_exact_text() -> None:
    found = placed(prompt("One.", "u1"), injected("date", "It is late.", date="2026-11-20"))
    assert found[1] == Placed(STEP, 0, "", "", words(window.ENVIRONMENT, "It is late.", "date"))


def test_an_attachment_of_an_older_client_is_told_with_its_own_words() -> None:
    assert pieces(injected("date", date="2026-11-20")) == [
        words(window.ENVIRONMENT, "2026-11-20", "date")
    ]


def test_an_attachment_that_was_rendered_as_nothing_is_not_sent() -> None:
    silent = {**injected("date", date="2026-11-20"), "rendered": []}
    assert pieces(silent) == []


@pytest.mark.parametrize("kind", ["progress", "cost-state", "last-prompt", "of tomorrow", None])
def test_lines_of_other_types_are_not_sent(kind: str | None) -> None:
    assert pieces({**prompt("One.", "u1"), "type": kind}) == []


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"null\n", b"[{}]\n", b'"x"\n', b"{\n", b'{"type":"user"', b"\xff\n", b"[" * 3000],
)
def test_what_is_no_record_is_passed_over(data: bytes) -> None:
    assert placed(data, prompt("One.", "u1"))[0].offset == STEP


def test_a_byte_order_mark_is_passed_over() -> None:
    assert kinds(b"\xef\xbb\xbf" + encoded(prompt("One.", "u1"))) == [window.PROMPT]


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    data = encoded(prompt("a\ud800b", "u1"), tool_result("t1", "c\udfff", "u2"))
    assert [piece.text for piece in pieces(*data.splitlines())] == ["a?b", "c?"]


def test_bad_utf_8_becomes_the_replacement_character() -> None:
    data = encoded(prompt("a-b", "u1")).replace(b"a-b", b"a\xffb")
    assert [piece.text for piece in pieces(data)] == ["a\ufffdb"]


def test_a_line_with_nan_in_it_is_read() -> None:
    data = encoded(prompt("One.", "u1", progress=float("nan")))
    assert kinds(data) == [window.PROMPT]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'"a\\n\\u00e9"', "a\né"),
        (b'"a\tb"', "a\tb"),
        (b'"\\ud83d"', "\ud83d"),
        (b"7", ""),
        (b"null", ""),
        (b"", ""),
        (b'["a"]', ""),
        (b'"a', ""),
    ],
)
def test_only_a_string_has_words(raw: bytes, text: str) -> None:
    assert plain(Raw(raw)) == text


# ── a whole file ──────────────────────────────────────────────────────────────────────────────────

END = window.END


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def places(path: str) -> list[tuple[int, str]]:
    return [(one.offset, one.piece.kind) for one in read_window(path)]


def test_the_end_is_told_last_and_stands_behind_the_last_line(tmp_path: Path) -> None:
    first, second = encoded(prompt("One.", "u1")), encoded(answer("msg_1"))
    path = write(tmp_path / "s1.jsonl", first + second)
    assert list(read_window(path))[-1] == Placed(
        len(first + second), 0, "", "", Piece(END, "", "", "", 0)
    )
    assert places(path)[:2] == [(0, window.PROMPT), (len(first), window.TEXT)]


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    first, second = encoded(prompt("One.", "u1")), encoded(answer("msg_1"))
    for half in (second[:1], second[:40], second[:-1]):
        path = write(tmp_path / "s1.jsonl", first + half)
        assert places(path) == [(0, window.PROMPT), (len(first), END)]


def test_damaged_lines_take_up_their_room(tmp_path: Path) -> None:
    damage = b"\nnull\n{\n\xff\r\n"
    path = write(tmp_path / "s1.jsonl", damage + encoded(prompt("One.", "u1")))
    assert places(path)[0] == (len(damage), window.PROMPT)


def test_a_line_that_is_too_long_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE_BYTES", 1_000)
    long = encoded(prompt("One." * 1_000, "u1"))
    path = write(tmp_path / "s1.jsonl", long + encoded(prompt("Two.", "u2")))
    assert places(path)[0] == (len(long), window.PROMPT)


def test_an_empty_file_ends_where_it_begins(tmp_path: Path) -> None:
    assert places(write(tmp_path / "s1.jsonl", b"")) == [(0, END)]


def test_a_file_that_is_gone_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_window(str(tmp_path / "none.jsonl")))


# ── whatever the bytes ────────────────────────────────────────────────────────────────────────────

FIELDS = [
    *WindowLine.__struct_encode_fields__,
    *Said.__struct_encode_fields__,
    *Block.__struct_encode_fields__,
    *("system", "systemPrompt", "tools", "rendered", "trigger", "preservedMessages", "uuids"),
    *("compactedToolIds", "addedNames", "removedNames", "addedBlocks", "files", "path", "filename"),
]
TYPES = ["user", "assistant", "attachment", "system", "api-request-shape"]
WORDS = [
    *("\ud800", "\x00", "u1", "a1", "<synthetic>", SKILL_SIGN, "mcp__docs__search"),
    *("compact_boundary", "microcompact_boundary", "prompt_snapshot", "instructions"),
    *("deferred_tools_delta", "mcp_instructions_delta", "nested_memory", "hook_success"),
    *("text", "thinking", "tool_use", "tool_result", "tool_reference", "image"),
]
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=12,
)
BLOCKS: Any = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(WORDS[-6:])},
        optional={name: VALUES for name in Block.__struct_encode_fields__ if name != "type"},
    ),
    max_size=3,
)
MESSAGES: Any = st.fixed_dictionaries({"content": BLOCKS | VALUES}, optional={"id": VALUES})
LINES: Any = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        "uuid": st.sampled_from(["u1", "a1", "c1"]),
        "parentUuid": st.sampled_from(["u1", "a1", "c1"]),
        "isSidechain": st.booleans() | VALUES,
        "message": MESSAGES | VALUES,
        "subtype": st.sampled_from(WORDS[7:9]),
        "attachment": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
        "rendered": st.lists(st.fixed_dictionaries({"content": VALUES}), max_size=2),
        "shape": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
        "compactMetadata": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
        "microcompactMetadata": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
    },
)


def check(found: list[Placed]) -> None:
    """What holds of the pieces of any line."""
    assert [one.position for one in found] == list(range(len(found)))
    for one in found:
        names = (one.thread, one.link, one.piece.kind, one.piece.name, one.piece.target)
        assert all(name.encode().decode() == name for name in names)  # as the ledger keeps them
        size = len(one.piece.text.encode("utf-8", "replace"))
        assert one.piece.size_bytes == size or (one.piece.kind == window.IMAGE and not size)


@PROPERTY
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_a_reader_survives_any_bytes(lines: list[bytes]) -> None:
    reader = WindowReader()
    for offset, data in enumerate(lines):
        check(list(reader.take(offset, data)))


@PROPERTY
@given(st.lists(LINES | VALUES, max_size=4))
def test_a_reader_survives_any_values(lines: list[object]) -> None:
    reader = WindowReader()
    for offset, value in enumerate(lines):
        check(list(reader.take(offset, json.dumps(value).encode())))


@PROPERTY
@given(LINES)
def test_a_line_never_tells_more_words_than_it_holds(value: object) -> None:
    data = json.dumps(value).encode()
    told = sum(len(one.text.encode("utf-8", "replace")) for one in pieces(data))
    assert told <= len(data)


@PROPERTY
@given(st.lists(LINES.map(lambda value: json.dumps(value).encode()) | st.binary(), max_size=4))
def test_a_file_of_anything_ends_behind_its_last_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    data = b"\n".join(lines)
    path = write(tmp_path_factory.getbasetemp() / "any.jsonl", data)
    *found, end = read_window(path)
    assert (end.offset, end.piece.kind) == (data.rfind(b"\n") + 1, END)
    assert all(one.offset < end.offset and one.piece.kind != END for one in found)


@pytest.mark.parametrize("depth", [100, 400, 480, 900, 960, 980, 1000, 3000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"name":', "}")])
@pytest.mark.parametrize(
    "outside",
    [
        '{"type":"attachment","attachment":{"type":%s,"content":%s}}',
        '{"type":"attachment","attachment":{"type":"prompt_snapshot","tools":[%s]}}',
        '{"type":"attachment","attachment":{"type":"instructions","files":[{"path":%s}]}}',
        '{"type":"api-request-shape","shape":{"tools":[{"name":%s}]}}',
        '{"type":"system","subtype":"compact_boundary","compactMetadata":{"trigger":%s}}',
        '{"type":"assistant","message":{"content":[{"type":"tool_use","id":7,"input":%s}]}}',
        '{"type":"user","isMeta":7,"message":{"content":%s}}',
    ],
)
def test_nesting_of_any_depth_is_survived(
    outside: str, opening: str, closing: str, depth: int
) -> None:
    nested = opening * depth + "1" + closing * depth
    check(placed(outside.replace("%s", nested).encode()))


@pytest.mark.parametrize("outside", ['{"tools":[{"name":"Read","size":%s}]}', "%s"])
def test_a_number_of_any_length_is_survived(outside: str) -> None:
    data = b'{"type":"api-request-shape","shape":%s}' % outside.replace("%s", "9" * 9000).encode()
    assert kinds(data) == [window.RESHAPED]


# ── what an older reader lost ─────────────────────────────────────────────────────────────────────


def test_exact_text_in_blocks_is_read_as_well() -> None:
    blocks = [{"type": "text", "text": "And"}, {"type": "text", "text": "now?"}]
    queued = {**injected("queued_command", prompt="-"), "rendered": [{"content": blocks}]}
    assert pieces(queued) == [words(window.PROMPT, "And\nnow?")]


@pytest.mark.parametrize("odd", [{"agentId": 7}, {"isMeta": "yes"}, {"rendered": [None]}])
def test_a_field_of_another_type_costs_that_field_alone(odd: Json) -> None:
    assert pieces(prompt("Still there.", "u1", **odd)) == [words(window.PROMPT, "Still there.")]


def test_a_line_that_is_only_shown_goes_back_to_nothing() -> None:
    shown = prompt("For your eyes.", "u3", parentUuid="u1", isVisibleInTranscriptOnly=True)
    assert events(prompt("One.", "u1"), prompt("Two.", "u2", parentUuid="u1"), shown) == []


def test_a_prompt_that_was_taken_back_before_its_answer_is_left_behind() -> None:
    first = prompt("One.", "u1")
    taken_back = prompt("Two.", "u2", parentUuid="u1")
    instead = prompt("Three.", "u3", parentUuid="u1")
    assert [kind for _, kind, _ in events(first, taken_back, instead)] == [window.REWOUND]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            "<command-message>tokens</command-message>\n<command-name>/tokens</command-name>\n",
            "/tokens",
        ),
        (
            "<command-name>/model</command-name>\n  <command-message>model</command-message>",
            "/model",
        ),
        ("<command-name>sc:mode</command-name>", "/sc:mode"),
        ("Why does <command-name>/tokens</command-name> stand there?", ""),
        ("<command-name>/" + "x" * 2_000 + "</command-name>", ""),
        ("<command-name>/two\nlines</command-name>", ""),
        ("<command-message>" + "<" * 500, ""),
        ("<local-command-stdout>Set model to opus</local-command-stdout>", ""),
    ],
)
def test_a_slash_command_is_told_from_what_a_person_wrote(text: str, command: str) -> None:
    [found] = placed(prompt(text, "u1"))
    assert (found.piece.kind, found.link) == (window.PROMPT, command)
