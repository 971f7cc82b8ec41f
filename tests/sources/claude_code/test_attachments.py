"""What the client injects beside the conversation, as pieces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.claude_code.reading import PROPERTY

from tokenbudget.model import window
from tokenbudget.model.window import Piece
from tokenbudget.sources.claude_code.attachments import (
    NEVER_SHOWN,
    attachment_pieces,
    piece,
    shape_pieces,
    tool_piece,
)

Json = dict[str, Any]


def told(kind: str, *shown: str, **fields: object) -> list[Piece]:
    """The pieces of an attachment; `shown` is its exact text, where the client kept that."""
    return list(attachment_pieces({"type": kind, **fields}, shown or None))


def texts(found: list[Piece]) -> list[str]:
    return [one.text for one in found]


# ── the exact text, and what stands in for it ─────────────────────────────────────────────────────


def test_the_exact_text_wins_over_the_attachments_own_fields() -> None:
    assert told("date", "It is late.", date="2026-11-20") == [
        piece(window.ENVIRONMENT, "It is late.", "date")
    ]


def test_several_exact_texts_are_one_piece() -> None:
    assert texts(told("date", "It is late.", "Very.")) == ["It is late.\nVery."]


def test_without_the_exact_text_the_fields_own_words_stand_in() -> None:
    found = told("environment", snapshot={"cwd": "/srv", "isWorktree": True}, more=["a", ["b"], 7])
    assert found == [piece(window.ENVIRONMENT, "/srv\na\nb", "environment")]


def test_what_the_client_notes_for_itself_is_no_word() -> None:
    noted = {"hookName": "Stop", "toolUseID": "t1", "hookEvent": "Stop", "commandMode": "prompt"}
    assert texts(told("of tomorrow", words="Mind.", uuid="u1", origin={"kind": "x"}, **noted)) == [
        "Mind."
    ]


def test_an_attachment_whose_exact_text_is_nothing_was_not_sent() -> None:
    for shown in ([], [""], ["", ""]):
        assert list(attachment_pieces({"type": "date", "date": "2026-11-20"}, shown)) == []


@pytest.mark.parametrize("kind", sorted(NEVER_SHOWN))
def test_what_the_client_keeps_for_itself_is_not_sent(kind: str) -> None:
    assert told(kind, content="words") == told(kind, "words") == []


# ── kinds and names ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("environment", {}, (window.ENVIRONMENT, "environment", "")),
        ("model", {}, (window.ENVIRONMENT, "model", "")),
        ("session_context", {}, (window.ENVIRONMENT, "session_context", "")),
        ("remote_session_change", {}, (window.ENVIRONMENT, "remote_session_change", "")),
        ("skill_listing", {}, (window.SKILL_LISTING, "", "")),
        ("agent_listing_delta", {}, (window.AGENT_LISTING, "", "")),
        ("nested_memory", {"path": "/srv/CLAUDE.md"}, (window.MEMORY_FILE, "/srv/CLAUDE.md", "")),
        ("nested_memory", {}, (window.MEMORY_FILE, "unknown", "")),
        ("file", {"filename": "/srv/a.py"}, (window.FILE, "file", "/srv/a.py")),
        ("edited_text_file", {"filename": "a.py"}, (window.FILE, "edited_text_file", "a.py")),
        ("file", {}, (window.FILE, "file", "")),
        ("queued_command", {}, (window.PROMPT, "", "")),
        ("todo_reminder", {}, (window.REMINDER, "todo_reminder", "")),
        ("of tomorrow", {}, (window.REMINDER, "of tomorrow", "")),
    ],
)
def test_every_kind_has_its_place(kind: str, fields: Json, expected: tuple[str, str, str]) -> None:
    (found,) = told(kind, "Words.", **fields)
    assert found[:3] == expected
    assert (found.text, found.size_bytes) == ("Words.", 6)


@pytest.mark.parametrize("fields", [{}, {"type": None}, {"type": ""}])
def test_an_attachment_without_a_kind_is_unknown(fields: Json) -> None:
    assert list(attachment_pieces(fields, ["Words."])) == [
        piece(window.REMINDER, "Words.", "unknown")
    ]


# ── older clients, kind by kind ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["hook_success", "async_hook_response"])
def test_a_hook_is_sent_where_it_said_something(kind: str) -> None:
    assert told(kind, content="All good.", stdout="noise", command="make") == [
        piece(window.REMINDER, "All good.", kind)
    ]


@pytest.mark.parametrize("kind", ["hook_success", "async_hook_response"])
@pytest.mark.parametrize("content", ["", None, [], {}])
def test_a_hook_that_said_nothing_is_not_sent(kind: str, content: object) -> None:
    assert told(kind, content=content, stdout="noise") == told(kind, stdout="noise") == []


@pytest.mark.parametrize(
    ("kind", "fields", "text"),
    [
        ("todo_reminder", {"content": [{"content": "a", "status": "open"}, "b"]}, "a\nopen\nb"),
        ("task_reminder", {"content": []}, ""),
        ("nested_memory", {"path": "/m", "content": {"content": "Be kind."}}, "Be kind."),
        ("edited_text_file", {"filename": "a.py", "snippet": "1: x"}, "1: x"),
        ("agent_listing_delta", {"addedTypes": ["a"], "addedLines": ["- a: looks"]}, "- a: looks"),
        ("plan_mode", {"planFilePath": "/p.md", "reminderType": "full"}, "/p.md"),
        ("plan_mode_exit", {}, ""),
        ("skill_listing", {"content": "- pdf: folds"}, "- pdf: folds"),
        ("queued_command", {"prompt": "And now?", "commandMode": "prompt"}, "And now?"),
    ],
)  # fmt: skip
def test_the_words_of_a_kind_stand_where_it_keeps_them(kind: str, fields: Json, text: str) -> None:
    assert texts(told(kind, **fields)) == [text]


def test_diagnostics_are_their_messages() -> None:
    files = [
        {"uri": "a.py", "diagnostics": [{"message": "one", "severity": "Error"}]},
        {"uri": "b.py", "diagnostics": [{"message": "two"}, {}]},
        {"uri": "c.py"},
        7,
    ]
    assert texts(told("diagnostics", files=files)) == ["one\ntwo\n"]


# ── tools whose schemas are not loaded ────────────────────────────────────────────────────────────

NAMES = ["Fetch", "mcp__docs__search", "mcp__docs__open", "mcp__code__run"]


def test_names_of_tools_are_told_by_server_and_at_last_the_agents_own() -> None:
    assert told("deferred_tools_delta", addedNames=NAMES) == [
        piece(window.DEFERRED_NAMES, "mcp__code__run\n", "", "code"),
        piece(window.DEFERRED_NAMES, "mcp__docs__search\nmcp__docs__open\n", "", "docs"),
        piece(window.DEFERRED_NAMES, "Fetch"),
    ]


def test_of_the_exact_text_only_the_servers_names_are_taken_out() -> None:
    shown = "These can be loaded:\nFetch\n- mcp__docs__search\n`mcp__docs__open`\nmcp__code__run"
    found = told("deferred_tools_delta", shown, addedNames=NAMES)
    assert [one.target for one in found] == ["code", "docs", ""]
    assert found[-1] == piece(window.DEFERRED_NAMES, "These can be loaded:\nFetch\n")


def test_names_that_are_gone_are_told_as_well() -> None:
    found = told("deferred_tools_delta", addedNames=["Fetch"], removedNames=["mcp__docs__open"])
    assert [(one.target, one.text) for one in found] == [
        ("docs", "mcp__docs__open\n"),
        ("", "Fetch"),
    ]


@pytest.mark.parametrize("names", [None, [], "Fetch", {}])
def test_no_names_are_no_piece(names: object) -> None:
    assert told("deferred_tools_delta", addedNames=names) == []


# ── memory files ──────────────────────────────────────────────────────────────────────────────────

FILES = [
    {"path": "/srv/CLAUDE.md", "type": "Project", "content": "Be kind."},
    {"path": "/home/dev/CLAUDE.md", "type": "User", "content": "Be brief."},
]


def test_memory_files_are_told_by_path() -> None:
    assert told("instructions", files=FILES) == [
        piece(window.MEMORY_FILE, "Be kind.", "/srv/CLAUDE.md"),
        piece(window.MEMORY_FILE, "Be brief.", "/home/dev/CLAUDE.md"),
    ]


def test_the_words_around_memory_files_are_the_clients() -> None:
    shown = "Heed these.\nFrom /srv: Be kind.\nFrom /home: Be brief."
    found = told("instructions", shown, files=FILES)
    assert found[:2] == told("instructions", files=FILES)
    rest = "Heed these.\nFrom /srv: \nFrom /home: "
    assert found[2:] == [piece(window.ENVIRONMENT, rest, "instructions")]
    assert sum(one.size_bytes for one in found) == len(shown)


def test_a_memory_file_that_is_told_twice_is_taken_out_once() -> None:
    found = told("instructions", "Be kind. Be kind.", files=FILES[:1])
    assert found[1].text == " Be kind."


@pytest.mark.parametrize("file", [{}, {"path": None, "content": None}])
def test_a_memory_file_without_a_path_is_unknown(file: Json) -> None:
    assert told("instructions", files=[file, 7]) == [piece(window.MEMORY_FILE, "", "unknown")]


def test_instructions_without_files_are_the_clients_words() -> None:
    assert told("instructions", "Heed.") == [piece(window.ENVIRONMENT, "Heed.", "instructions")]


# ── instructions of MCP servers ───────────────────────────────────────────────────────────────────


def test_instructions_of_a_server_are_told_with_it() -> None:
    found = told("mcp_instructions_delta", addedNames=["docs"], addedBlocks=["Search.", "Open."])
    assert found == [
        piece(window.MCP_INSTRUCTIONS, "Search.", "docs", "docs"),
        piece(window.MCP_INSTRUCTIONS, "Open."),
    ]


def test_the_words_around_a_servers_instructions_are_told_without_one() -> None:
    shown = "# Servers\n## docs\nSearch."
    found = told("mcp_instructions_delta", shown, addedNames=["docs"], addedBlocks=["Search."])
    assert [(one.target, one.text) for one in found] == [
        ("docs", "Search."),
        ("", "# Servers\n## docs\n"),
    ]


def test_a_server_that_went_is_told_by_its_name() -> None:
    assert texts(told("mcp_instructions_delta", removedNames=["docs", "code"])) == ["docs\ncode"]
    assert texts(told("mcp_instructions_delta", "docs went.", removedNames=["docs"])) == [
        "docs went."
    ]


# ── system prompt and tools ───────────────────────────────────────────────────────────────────────


def test_a_system_prompt_is_its_blocks() -> None:
    system = ["You help.", {"type": "text", "text": "Gladly."}, "", {"text": 7}, 7, None]
    assert list(shape_pieces(system, None)) == [
        piece(window.SYSTEM_PROMPT, "You help."),
        piece(window.SYSTEM_PROMPT, "Gladly."),
    ]


def test_a_tool_is_its_schema_as_compact_json() -> None:
    schema = {"name": "Read", "description": "Reads “all”.", "input_schema": {"a": [1, 2]}}
    text = '{"name":"Read","description":"Reads “all”.","input_schema":{"a":[1,2]}}'
    assert tool_piece(schema) == piece(window.SYSTEM_TOOL, text, "Read")
    assert tool_piece(schema).size_bytes == len(text.encode())


def test_a_servers_tool_is_told_with_it() -> None:
    found = tool_piece({"name": "mcp__docs__search"})
    assert (found.kind, found.name, found.target) == (window.MCP_TOOL, "mcp__docs__search", "docs")


def test_a_tool_without_a_name_is_unknown() -> None:
    found = list(shape_pieces(None, [{}, 7, "Read"]))
    assert found == [piece(window.SYSTEM_TOOL, "{}", "unknown")]


def test_words_with_a_lone_surrogate_have_a_size() -> None:
    assert piece(window.TEXT, "a\ud800b").size_bytes == 3


# ── whatever the values ───────────────────────────────────────────────────────────────────────────

FIELDS = [
    *("content", "path", "files", "addedNames", "removedNames", "addedBlocks", "addedLines"),
    *("filename", "snippet", "diagnostics", "message", "planFilePath", "name", "text", "system"),
]
KINDS = [
    *("deferred_tools_delta", "instructions", "mcp_instructions_delta", "hook_success", "file"),
    *("todo_reminder", "nested_memory", "edited_text_file", "diagnostics", "agent_listing_delta"),
    *("plan_mode", "environment", "queued_command", "of tomorrow"),
]
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "mcp__docs__search", "mcp__"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=10,
)
ATTACHMENTS: Any = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(KINDS) | VALUES,
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
)


@PROPERTY
@given(ATTACHMENTS, st.none() | st.lists(st.text(max_size=9), max_size=2))
def test_any_attachment_is_survived(found: Json, shown: list[str] | None) -> None:
    for one in attachment_pieces(found, shown):
        assert all(isinstance(field, str) for field in one[:4])
        assert one.size_bytes == len(one.text.encode("utf-8", "replace"))


@PROPERTY
@given(VALUES, VALUES)
def test_any_shape_is_survived(system: object, tools: object) -> None:
    kinds = {one.kind for one in shape_pieces(system, tools)}
    assert kinds <= window.PREFIX


@PROPERTY
@given(st.lists(st.sampled_from(["Be kind.", "Be brief.", "Be.", "x"]), max_size=3), st.data())
def test_memory_files_and_the_words_around_them_are_the_exact_text(
    files: list[str], data: st.DataObject
) -> None:
    between = [data.draw(st.sampled_from(["", "\n", "From /srv:\n"])) for _ in files]
    shown = "".join(gap + words for gap, words in zip(between, files, strict=True)) + "End."
    found = told("instructions", shown, files=[{"path": "/m", "content": one} for one in files])
    assert sum(one.size_bytes for one in found) == len(shown)


@pytest.mark.parametrize("depth", [7, 8, 9, 900])
def test_words_deeper_than_a_client_nests_are_left_out(depth: int) -> None:
    nested: object = "deep"
    for _ in range(depth - 1):
        nested = [nested]
    assert texts(told("of tomorrow", words=nested)) == (["deep"] if depth < 9 else [""])


# ── pictures and names are no words ───────────────────────────────────────────────────────────────


def test_a_picture_in_an_attachment_is_not_counted_as_words() -> None:
    content = {"type": "image", "file": {"base64": "QUJD" * 99, "type": "image/png"}}
    assert texts(told("file", filename="/a.png", content=content)) == ["/a.png"]
    prompts = [{"type": "text", "text": "And now?"}, {"type": "image", "source": {"data": "QUJD"}}]
    assert texts(told("queued_command", prompt=prompts)) == ["And now?"]


def test_an_attached_file_is_its_path_and_its_words() -> None:
    inner = {"filePath": "/a.py", "content": "x=1", "displayPath": "a.py"}
    found = told("file", filename="/a.py", content={"type": "text", "file": inner})
    assert found == [piece(window.FILE, "/a.py\nx=1", "file", "/a.py")]


def test_an_empty_memory_file_counts_none_of_its_names() -> None:
    content = {"path": "/m", "type": "Project", "content": ""}
    assert texts(told("nested_memory", path="/m", content=content)) == [""]
