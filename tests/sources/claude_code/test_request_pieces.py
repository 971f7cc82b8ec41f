"""A request as named pieces whose bytes add up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.claude_code.reading import PROPERTY

from tokenbudget.model.window import (
    AGENT_LISTING,
    DEFERRED_NAMES,
    ENVIRONMENT,
    FILE,
    FRAME,
    IMAGE,
    MCP_INSTRUCTIONS,
    MCP_TOOL,
    MEMORY_FILE,
    OTHER,
    PROMPT,
    REMINDER,
    SKILL_BODY,
    SKILL_LISTING,
    SUMMARY,
    SYSTEM_PROMPT,
    SYSTEM_TOOL,
    TEXT,
    THINKING,
    TOOL_RESULT,
    TOOL_USE,
    Piece,
)
from tokenbudget.sources.claude_code.request_hints import Hints
from tokenbudget.sources.claude_code.request_pieces import counted, json_size, pieces_of

Json = dict[str, Any]
MARK: Json = {"type": "ephemeral"}


def text(words: str, **fields: object) -> Json:
    return {"type": "text", "text": words, **fields}


def user(*content: object) -> Json:
    return {"role": "user", "content": list(content)}


def assistant(*content: object) -> Json:
    return {"role": "assistant", "content": list(content)}


def call(tool: str, **given_to_it: object) -> Json:
    return {"type": "tool_use", "id": "t1", "name": tool, "input": given_to_it}


def result(content: object) -> Json:
    return {"type": "tool_result", "tool_use_id": "t1", "content": content}


def reminder(words: str) -> str:
    return f"<system-reminder>\n{words}\n</system-reminder>"


def attached(kind: str, *texts: str, **fields: object) -> Json:
    """An attachment line."""
    rendered = [{"content": reminder(words)} for words in texts]
    return {"type": "attachment", "attachment": {"type": kind, **fields}, "rendered": rendered}


def hints_of(*lines: Json) -> Hints:
    hints = Hints()
    for line in lines:
        hints.add(json.dumps(line, separators=(",", ":")).encode())
    return hints


NO_HINTS = hints_of()


def pieces(*messages: object, hints: Hints = NO_HINTS) -> list[Piece]:
    """The pieces of some messages; their sizes add up."""
    found = pieces_of([], [], list(messages), hints)
    assert sum(piece.size_bytes for piece in found) == json_size(counted([], [], list(messages)))
    assert found[-1].kind == FRAME
    return found[:-1]


def told(found: list[Piece]) -> list[tuple[str, str, str]]:
    return [piece[:3] for piece in found]


def words_of(found: list[Piece]) -> str:
    return "".join(piece.text for piece in found)


# ── before the conversation ───────────────────────────────────────────────────────────────────────


def test_the_billing_header_and_the_cache_marks_are_not_counted() -> None:
    header = text("x-anthropic-billing-header: v=1;")
    marked = text("Be brief.", cache_control=MARK)
    tool = {"name": "Read", "cache_control": MARK}
    said = user(result([text("a", cache_control=MARK)]) | {"cache_control": MARK})
    with_them = pieces_of([header, marked], [tool], [said], NO_HINTS)
    plain = user(result([text("a")]))
    assert with_them == pieces_of([text("Be brief.")], [{"name": "Read"}], [plain], NO_HINTS)
    assert told(with_them)[0] == (SYSTEM_PROMPT, "", "")


def test_a_property_of_a_tool_may_be_called_like_a_mark() -> None:
    tool = {"name": "Read", "input_schema": {"properties": {"cache_control": {}}}}
    (piece, _) = pieces_of([], [tool], [], NO_HINTS)
    assert "cache_control" in piece.text


def test_tools_are_told_by_name_and_server() -> None:
    tools = [{"name": "Read"}, {"name": "mcp__db__query"}, {"name": "DeferredToolPlaceholder"}]
    found = pieces_of([], tools, [], NO_HINTS)
    assert told(found) == [
        (SYSTEM_TOOL, "Read", ""),
        (MCP_TOOL, "mcp__db__query", "db"),
        (SYSTEM_TOOL, "DeferredToolPlaceholder", ""),
        (FRAME, "", ""),
    ]
    assert found[0].size_bytes == len('{"name":"Read"}')


# ── the conversation ──────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_words_thoughts_and_calls() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    found = pieces(assistant(thought, text('Said "so".'), call("Read", file_path="/a.py")))
    assert told(found) == [(THINKING, "", ""), (TEXT, "", ""), (TOOL_USE, "Read", "/a.py")]
    assert [piece.text for piece in found] == ["Hm.", 'Said "so".', '{"file_path":"/a.py"}']
    assert found[0].size_bytes == len(json.dumps(thought, separators=(",", ":")))
    assert found[1].size_bytes == len(r"Said \"so\".")


@pytest.mark.parametrize(
    ("given_to_it", "target"),
    [
        ({"notebook_path": "/a.ipynb"}, "/a.ipynb"),
        ({"skill": "pdf", "path": "x"}, "pdf"),
        ({"subagent_type": "Explore", "prompt": "?"}, "Explore"),
        ({"pattern": "x", "path": "src"}, "src"),
        ({"url": "https://example.org/"}, "https://example.org/"),
        ({"command": "ls"}, ""),
        ({"file_path": 7}, ""),
    ],
)
def test_a_result_is_told_by_its_call(given_to_it: Json, target: str) -> None:
    found = pieces(assistant(call("Tool", **given_to_it)), user(result("Done.")))
    assert told(found) == [(TOOL_USE, "Tool", target), (TOOL_RESULT, "Tool", target)]
    assert found[1].text == "Done."


def test_a_result_of_an_unknown_call_has_no_name() -> None:
    assert told(pieces(user(result("Done.")))) == [(TOOL_RESULT, "", "")]


def test_an_image_in_a_result_is_a_piece_of_its_own() -> None:
    image = {"type": "image", "source": {"data": "aGk="}}
    found = pieces(
        assistant(call("Read", file_path="/a.png")), user(result([text("Here:"), image]), image)
    )
    assert told(found)[1:] == [
        (TOOL_RESULT, "Read", "/a.png"),
        (IMAGE, "Read", "/a.png"),
        (IMAGE, "", ""),
    ]
    assert found[1].text == "Here:"


def test_a_loaded_tool_is_words_of_the_result() -> None:
    reference = {"type": "tool_reference", "tool_name": "mcp__db__query"}
    found = pieces(user(result([reference]), text("Tool loaded.")))
    assert told(found) == [(TOOL_RESULT, "", ""), (REMINDER, "tool_loaded", "")]
    assert "mcp__db__query" in found[0].text


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        ("Hello?", PROMPT, ""),
        ("<command-name>/tidy</command-name>", PROMPT, ""),
        ("This session is being continued from another.", SUMMARY, ""),
        ("<local-command-stdout>Done.</local-command-stdout>", REMINDER, "local_command"),
        ("<task-notification>Done.</task-notification>", REMINDER, "task_notification"),
        ("[Request interrupted by user]", REMINDER, "interrupted"),
    ],
)
def test_a_text_of_the_users_is_told_by_how_it_begins(words: str, kind: str, name: str) -> None:
    assert told(pieces({"role": "user", "content": words})) == [(kind, name, "")]
    assert told(pieces(user(text(words)))) == [(kind, name, "")]


def test_a_skills_body_is_named_as_it_was_called() -> None:
    body = text("Base directory for this skill: /plugins/x/tidy\n\n# Tidy\n")
    called = pieces(assistant(call("Skill", skill="house:tidy")), user(result("Launching"), body))
    assert called[-1][:3] == (SKILL_BODY, "house:tidy", "")
    assert told(pieces(user(body))) == [(SKILL_BODY, "tidy", "")]


def test_the_frame_is_what_stands_around_the_words() -> None:
    found = pieces_of([], [], [user(text("Hello?"))], NO_HINTS)
    message = '{"role":"user","content":[{"type":"text","text":""}]}'
    around = f'{{"system":[],"tools":[],"messages":[{message}]}}'
    assert found[-1] == Piece(FRAME, "", "", "", len(around))


def test_what_nobody_knows_is_a_piece_too() -> None:
    strange = {"type": "hologram", "data": 1}
    found = pieces(user(strange, 7), "no message", {"role": "user", "content": 5})
    assert told(found) == [(OTHER, "hologram", ""), (OTHER, "", ""), (OTHER, "", "")]


# ── injected texts that the transcript knows ──────────────────────────────────────────────────────


def test_texts_that_were_joined_are_told_apart() -> None:
    hints = hints_of(
        attached("environment", "Running on a toaster.\n\nWith two slots."),
        attached("skill_listing", "These skills exist:\n- tidy"),
        attached("weather_report", "It rains today."),
    )
    joined = (
        "Running on a toaster.\n\nWith two slots.\n\nIt rains today.\n\nThese skills exist:\n- tidy"
    )
    found = pieces({"role": "system", "content": joined}, hints=hints)
    assert told(found) == [
        (ENVIRONMENT, "environment", ""),
        (REMINDER, "weather_report", ""),
        (SKILL_LISTING, "skill_listing", ""),
    ]
    assert words_of(found) == joined
    assert found[1].text == "It rains today.\n\n"


def test_a_reminder_keeps_its_tags() -> None:
    hints = hints_of(attached("weather_report", "It rains today."))
    found = pieces(user(text(reminder("It rains today.") + "\n"), text("Hello?")), hints=hints)
    assert told(found) == [(REMINDER, "weather_report", ""), (PROMPT, "", "")]
    assert found[0].text == reminder("It rains today.") + "\n"


def test_what_the_user_writes_is_no_reminder_because_it_says_the_same() -> None:
    hints = hints_of(attached("weather_report", "It rains today."))
    assert told(pieces(user(text("Look:\nIt rains today.")), hints=hints)) == [(PROMPT, "", "")]


def test_memory_files_are_told_by_their_paths() -> None:
    words = (
        "Obey.\n\nContents of /a.md (mine):\n\nBe brief.\n\nContents of /b.md (yours):\n\nBe kind."
    )
    files = [{"path": "/a.md", "content": "Be brief."}, {"path": "/b.md", "content": "Be kind."}]
    hints = hints_of(attached("instructions", words, files=files))
    found = pieces(user(text(reminder(words))), hints=hints)
    assert told(found) == [
        (REMINDER, "instructions", ""),
        (MEMORY_FILE, "/a.md", ""),
        (MEMORY_FILE, "/b.md", ""),
    ]
    assert found[1].text == "Contents of /a.md (mine):\n\nBe brief.\n\n"


def test_a_memory_file_of_a_folder_is_told_by_its_path() -> None:
    hints = hints_of(attached("nested_memory", "Here, be bold.", path="/x/b.md"))
    assert told(pieces(user(text(reminder("Here, be bold."))), hints=hints)) == [
        (MEMORY_FILE, "/x/b.md", "")
    ]


def test_names_of_deferred_tools_are_told_by_their_servers() -> None:
    names = ["Fetch", "Search", "mcp__db__query", "mcp__db__write", "mcp__web__get"]
    words = "Ask for these:\n" + "\n".join(names)
    hints = hints_of(attached("deferred_tools_delta", words, addedLines=names))
    found = pieces({"role": "system", "content": words}, hints=hints)
    assert told(found) == [
        (REMINDER, "deferred_tools_delta", ""),
        (DEFERRED_NAMES, "", ""),
        (DEFERRED_NAMES, "", "db"),
        (DEFERRED_NAMES, "", "web"),
    ]
    assert found[2].text == "mcp__db__query\nmcp__db__write\n"


def test_instructions_are_told_by_their_servers() -> None:
    blocks = ["## db\nAsk twice.", "## web\nAsk once."]
    words = "Servers say:\n\n" + "\n\n".join(blocks)
    line = attached("mcp_instructions_delta", words, addedNames=["db", "web"], addedBlocks=blocks)
    found = pieces({"role": "system", "content": words}, hints=hints_of(line))
    assert [piece.target for piece in found if piece.kind == MCP_INSTRUCTIONS] == ["db", "web"]


def test_an_attached_file_is_told_by_its_path() -> None:
    line = attached("file", "Called it with a.py", "It holds: pass", filename="/a.py")
    said = user(text(reminder("Called it with a.py")), text(reminder("It holds: pass")))
    assert told(pieces(said, hints=hints_of(line))) == [(FILE, "file", "/a.py")] * 2


def test_a_text_that_was_put_in_without_tags_is_known_too() -> None:
    names = ["Fetch", "mcp__db__query"]
    words = "Ask for this:\n" + "\n".join(names)
    hints = hints_of(attached("deferred_tools_delta", words, addedLines=names))
    found = pieces(user(text(f"\n{words}\n")), hints=hints)
    assert [piece.target for piece in found] == ["", "", "db"]
    assert words_of(found) == f"\n{words}\n"


def test_a_summary_is_known_by_its_line() -> None:
    line = {"type": "user", "isCompactSummary": True, "message": user(text("All went well."))}
    assert told(pieces(user(text("All went well.")), hints=hints_of(line))) == [(SUMMARY, "", "")]


def test_a_prompt_that_waited_is_a_prompt() -> None:
    hints = hints_of(attached("queued_command", "And then this."))
    assert told(pieces(user(text(reminder("And then this."))), hints=hints)) == [
        (PROMPT, "queued_command", "")
    ]


def test_a_reminder_behind_a_result_is_no_part_of_it() -> None:
    hints = hints_of(attached("weather_report", "It rains today."))
    tail = "\n\n" + reminder("It rains today.")
    found = pieces(user(result("Done." + tail)), hints=hints)
    assert told(found) == [(TOOL_RESULT, "", ""), (REMINDER, "weather_report", "")]
    assert [piece.text for piece in found] == ["Done.", tail]
    as_blocks = pieces(user(result([text("Done."), text(tail.strip())])), hints=hints)
    assert [piece.text for piece in as_blocks] == ["Done.", tail.strip()]


def test_reminders_behind_a_result_are_told_apart() -> None:
    hints = hints_of(
        attached("nested_memory", "Contents of /b.md:\n\nBe bold.", path="/b.md"),
        attached("weather_report", "It rains today."),
    )
    tails = [
        "\n\n" + reminder(words + end)
        for words, end in (("Contents of /b.md:\n\nBe bold.", "\n"), ("It rains today.", ""))
    ]
    found = pieces(user(result("Done." + "".join(tails))), hints=hints)
    assert told(found) == [
        (TOOL_RESULT, "", ""),
        (MEMORY_FILE, "/b.md", ""),
        (REMINDER, "weather_report", ""),
    ]
    assert words_of(found) == "Done." + "".join(tails)


def test_a_reminder_that_a_tool_printed_is_left_where_it_is() -> None:
    tokens = reminder("<total_tokens>9 tokens left</total_tokens>")
    quoted = "A file.\n\n" + reminder("Nobody said this.")
    found = pieces(user(result(f"{quoted}\n\n{tokens}")))
    assert told(found) == [(TOOL_RESULT, "", ""), (REMINDER, "total_tokens_reminder", "")]
    assert found[0].text == quoted


def test_a_text_that_is_too_short_to_be_found_by_is_no_hint() -> None:
    hints = hints_of(attached("weather_report", "Rain."))
    assert told(pieces(user(text(reminder("Rain."))), hints=hints)) == [
        (REMINDER, "unrecognized", "")
    ]


def test_a_result_that_quotes_a_reminder_is_left_whole() -> None:
    quoted = "A file.\n\n" + reminder("Nobody said this.")
    (piece,) = pieces(user(result(quoted)))
    assert (piece.kind, piece.text) == (TOOL_RESULT, quoted)


@pytest.mark.parametrize(
    "line",
    [
        b'{"attachment":',
        b'["attachment"]',
        b'{"attachment":7}',
        b'{"attachment":{"type":7},"rendered":[{"content":"Long enough."},7,{"content":7}]}',
        b'{"attachment":{"type":"instructions","files":[7,{"path":7}]},'
        b'"rendered":[{"content":"Well, well."}]}',
        b'{"attachment":{"type":"file"},"rendered":{}}',
        b'{"attachment":{"type":"x"},'
        b'"rendered":[{"content":[{"text":7},{"text":"Long enough."}]}]}',
        b'{"isCompactSummary":true,"message":7}',
        b'{"attachment":' + b"[" * 100_000,
    ],
)
def test_a_damaged_attachment_says_nothing_wrong(line: bytes) -> None:
    hints = Hints()
    hints.add(line)
    assert told(pieces(user(text("Hello?")), hints=hints)) == [(PROMPT, "", "")]


# ── injected texts that nobody recorded ───────────────────────────────────────────────────────────


def test_without_hints_texts_are_told_by_how_they_begin() -> None:
    parts = (
        "# Environment\n - a toaster",
        "Available agent types for it:\n- one",
        "# MCP Server Instructions\n\n## db\nAsk twice.\n\n## web\nAsk once.",
        "The following deferred tools are now available:\nFetch\nmcp__db__query",
        "Today's date is 2026-11-20.",
    )
    found = pieces({"role": "system", "content": "\n\n".join(parts)})
    assert told(found) == [
        (ENVIRONMENT, "environment", ""),
        (AGENT_LISTING, "agent_listing_delta", ""),
        (REMINDER, "mcp_instructions_delta", ""),
        (MCP_INSTRUCTIONS, "", "db"),
        (MCP_INSTRUCTIONS, "", "web"),
        (REMINDER, "deferred_tools_delta", ""),
        (DEFERRED_NAMES, "", ""),
        (DEFERRED_NAMES, "", "db"),
        (ENVIRONMENT, "date", ""),
    ]
    assert words_of(found) == "\n\n".join(parts)


def test_without_hints_memory_files_are_told_by_their_headings() -> None:
    words = "Codebase and user instructions:\n\nContents of /a.md (mine):\n\nBe brief."
    assert told(pieces(user(text(reminder(words))))) == [
        (REMINDER, "instructions", ""),
        (MEMORY_FILE, "/a.md", ""),
    ]


def test_without_hints_an_attached_file_is_told_by_the_call() -> None:
    words = 'Called the Read tool with the following input: {"file_path":"/a.py"}'
    assert told(pieces(user(text(reminder(words))))) == [(FILE, "file", "/a.py")]


@pytest.mark.parametrize(
    "words", ["Result of calling the Read tool:", "Codebase and user instructions"]
)
def test_without_hints_a_file_may_begin_its_lines_in_any_way(words: str) -> None:
    (piece,) = pieces(user(text(reminder(words + "\n# Environment\n# MCP Server Instructions"))))
    assert piece.name in {"file", "instructions"}


def test_at_worst_a_reminder_is_unrecognized() -> None:
    assert told(pieces(user(text(reminder("Something new."))))) == [(REMINDER, "unrecognized", "")]
    assert told(pieces({"role": "system", "content": "Something new.\nAnd more."})) == [
        (REMINDER, "unrecognized", "")
    ]


def test_an_unknown_text_behind_a_known_one_is_not_taken_for_it() -> None:
    hints = hints_of(attached("weather_report", "It rains today."))
    found = pieces({"role": "system", "content": "It rains today.\n\nSomething new."}, hints=hints)
    assert told(found) == [(REMINDER, "weather_report", ""), (REMINDER, "unrecognized", "")]


# ── anything at all ───────────────────────────────────────────────────────────────────────────────

PHRASES = st.sampled_from(
    [
        "<system-reminder>\n",
        "\n</system-reminder>",
        "\n\n",
        "\n",
        "# Environment",
        "The following deferred tools are now available\n",
        "mcp__db__query\n",
        "Codebase and user instructions\n",
        "Contents of /a.md (mine):\n",
        "# MCP Server Instructions\n",
        "## db\n",
        "It rains today.",
        "Ask for this:\nFetch\nmcp__db__query",
        "<total_tokens>9",
        "Base directory for this skill: /",
        "\ud800",
        "\udc00",
        "ä😀\x00\x7f\u2028",
    ]
)
WORDS = st.one_of(st.text(max_size=5), st.lists(PHRASES, max_size=7).map("".join))
ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.sampled_from([1e-7, 2e-5])
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "role", "cache_control", "input", "ä"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
TYPES = st.sampled_from(
    ["text", "thinking", "tool_use", "tool_result", "image", "document", "tool_reference"]
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "thinking": WORDS,
    "id": st.sampled_from(["t1", "t2"]),
    "tool_use_id": st.sampled_from(["t1", "t2"]),
    "name": st.sampled_from(["Read", "Skill", "mcp__db__query"]),
    "input": ANYTHING,
    "cache_control": st.just(MARK),
}
FLAT = st.fixed_dictionaries({"type": TYPES}, optional=FIELDS)
BLOCKS = st.one_of(
    FLAT,
    st.fixed_dictionaries(
        {"type": TYPES},
        optional={**FIELDS, "content": st.one_of(WORDS, st.lists(FLAT, max_size=3))},
    ),
    ANYTHING,
)
MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "system", 7]),
            "content": st.one_of(WORDS, st.lists(BLOCKS, max_size=4), ANYTHING),
        },
        optional={"output_config": ANYTHING},
    ),
    ANYTHING,
)
PARTS = st.one_of(ANYTHING, st.lists(BLOCKS, max_size=3))
KNOWING = hints_of(
    attached("weather_report", "It rains today."),
    attached(
        "deferred_tools_delta",
        "Ask for this:\nFetch\nmcp__db__query",
        addedLines=["Fetch", "mcp__db__query"],
    ),
)


def plain_size(system: object, tools: object, messages: object) -> int:
    """The size by the standard library alone, of numbers that it writes as the client does."""
    whole = {"system": system, "tools": tools, "messages": messages}
    written = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return len(written.encode("utf-8", "backslashreplace"))


@PROPERTY
@given(PARTS, PARTS, st.one_of(st.lists(MESSAGES, max_size=4), ANYTHING), st.booleans())
def test_the_bytes_of_any_request_add_up(
    system: Any, tools: Any, messages: Any, is_known: bool
) -> None:
    found = pieces_of(system, tools, messages, KNOWING if is_known else NO_HINTS)
    counts = counted(system, tools, messages)
    total = sum(piece.size_bytes for piece in found)
    assert total == json_size(counts)
    if "e-0" not in repr(counts):
        assert total == plain_size(**counts)
    assert all(piece.size_bytes >= 0 for piece in found)
    assert [piece.kind for piece in found].count(FRAME) == 1


@PROPERTY
@given(st.sampled_from(["user", "system"]), WORDS, st.booleans())
def test_no_word_of_an_injected_text_is_lost(role: str, words: str, is_known: bool) -> None:
    found = pieces({"role": role, "content": words}, hints=KNOWING if is_known else NO_HINTS)
    assert words_of(found) == words


def test_what_is_nested_too_deeply_has_no_pieces() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert pieces_of([], [], deep, NO_HINTS) == []
