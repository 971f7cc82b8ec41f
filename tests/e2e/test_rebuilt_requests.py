"""Requests rebuilt from a real client's transcripts, beside what the client really sent.

The fake API keeps every request. A response's key leads from there to the request that the client
recorded for it, so no pair is found by looking alike. Each recorded request must be equal to the
sent one, as JSON and piece by piece, billing header and cache marks apart, and must have the digest
that the client noted. Compactions are the requests of which no transcript holds a record.
"""

import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.billing import Exchange
from tests.e2e.claude_client import ClaudeClient, ClientError, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import Release
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import (
    JsonObject,
    Script,
    Scripts,
    Step,
    Usage,
    text,
    thinking,
    tool_use,
)

from rebuild_check import Transcript, compared, read_transcript
from tokenbudget.model import window
from tokenbudget.model.window import Piece
from tokenbudget.sources.claude_code.request_pieces import counted, json_size, pieces_of
from tokenbudget.sources.claude_code.requests import Body

pytestmark = pytest.mark.e2e

OPUS = "--model=claude-opus-5-5"
SONNET = "--model=claude-sonnet-4-5"
SMALL_WINDOW = {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000"}
MCP_TOOL = "mcp__parrot__echo"
MORE_TOOLS = f"--allowedTools=Bash,Read,Write,Skill,ToolSearch,{MCP_TOOL}"
MCP_SERVER = Path(__file__).with_name("echo_mcp_server.py")
COMPACTIONS = [RequestKind.COMPACTION]


def test_plain_tools_and_thinking(newest_client: Release, sandbox: Sandbox) -> None:
    pieces = last_pieces(
        drive(newest_client, sandbox, lambda client: client.run("SCRIPT:tools", OPUS), 4)
    )
    [thought] = of_kind(pieces, window.THINKING)
    assert thought.text == "The notes come first."
    results = of_kind(pieces, window.TOOL_RESULT)
    assert [result.name for result in results] == ["Read", "Bash", "Write"]
    assert results[0].target == str(sandbox.project / "notes.txt")


def test_calls_side_by_side_that_fail_and_print_odd_bytes(
    newest_client: Release, sandbox: Sandbox
) -> None:
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:odd", OPUS), 3)
    names = [piece.name for piece in of_kind(last_pieces(sent), window.TOOL_RESULT)]
    assert sorted(names) == ["Bash", "Bash", "Read", "Unknown"], "each ends in its own time"


def test_a_tool_that_is_searched_for_and_loaded(newest_client: Release, sandbox: Sandbox) -> None:
    sent = drive(newest_client, sandbox, with_mcp_server(sandbox, "SCRIPT:search", OPUS), 3)
    pieces = last_pieces(sent)
    [loaded] = of_kind(pieces, window.MCP_TOOL)
    assert (loaded.name, loaded.target) == (MCP_TOOL, "parrot")
    assert "DeferredToolPlaceholder" in {tool.name for tool in of_kind(pieces, window.SYSTEM_TOOL)}
    assert {names.target for names in of_kind(pieces, window.DEFERRED_NAMES)} == {"", "parrot"}
    [taught] = of_kind(pieces, window.MCP_INSTRUCTIONS)
    assert taught.target == "parrot"


def test_an_mcp_tool_that_is_loaded_from_the_start(
    newest_client: Release, sandbox: Sandbox
) -> None:
    variables = {"ENABLE_TOOL_SEARCH": "false"}
    sent = drive(
        newest_client, sandbox, with_mcp_server(sandbox, "SCRIPT:echo", OPUS, **variables), 2
    )
    pieces = last_pieces(sent)
    assert len(of_kind(pieces, window.MCP_TOOL)) == 2
    assert not of_kind(pieces, window.DEFERRED_NAMES)


def test_a_subagent_in_a_file_of_its_own(newest_client: Release, sandbox: Sandbox) -> None:
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:delegate", OPUS), 5)
    of_agent = [body for kind, body, _ in sent if kind is RequestKind.SUBAGENT]
    assert len(of_agent) == 2
    assert len(of_agent[0].tools) < len(sent[0][1].tools)


def test_a_skill_that_the_agent_calls(newest_client: Release, sandbox: Sandbox) -> None:
    add_skill(sandbox)
    run = "SCRIPT:skill", OPUS, MORE_TOOLS
    sent = drive(newest_client, sandbox, lambda client: client.run(*run), 3)
    [body] = of_kind(last_pieces(sent), window.SKILL_BODY)
    assert body.name == "tidy"
    assert "Sort the lines." in body.text


def test_a_skill_that_the_user_calls(newest_client: Release, sandbox: Sandbox) -> None:
    add_skill(sandbox)
    sent = drive(newest_client, sandbox, lambda client: client.run("/tidy SCRIPT:tools", OPUS), 4)
    [body] = of_kind(last_pieces(sent), window.SKILL_BODY)
    assert body.name == "tidy"


def test_a_compaction_by_command_and_what_follows(newest_client: Release, sandbox: Sandbox) -> None:
    add_memory(sandbox)

    def drive_it(client: ClaudeClient) -> None:
        session = f"--resume={client.run('SCRIPT:tools', OPUS)['session_id']}"
        client.run("/compact", OPUS, session)
        client.run("SCRIPT:tools once more", OPUS, session)

    sent = drive(newest_client, sandbox, drive_it, 8, unrecorded=COMPACTIONS)
    pieces = last_pieces(sent)
    assert len(of_kind(pieces, window.SUMMARY)) == 1
    attached = {piece.target for piece in of_kind(pieces, window.FILE)}
    assert attached == {str(sandbox.project / name) for name in ("notes.txt", "list.txt")}


def test_an_automatic_compaction(newest_client: Release, sandbox: Sandbox) -> None:
    def drive_it(client: ClaudeClient) -> None:
        client.run("SCRIPT:fill", OPUS, variables=SMALL_WINDOW)

    sent = drive(newest_client, sandbox, drive_it, 6, unrecorded=COMPACTIONS)
    assert len(of_kind(last_pieces(sent), window.SUMMARY)) == 1


def test_a_session_resumed(newest_client: Release, sandbox: Sandbox) -> None:
    def drive_it(client: ClaudeClient) -> None:
        first = client.run("SCRIPT:tools", OPUS)
        client.run("SCRIPT:tools again", OPUS, f"--resume={first['session_id']}")

    sent = drive(newest_client, sandbox, drive_it, 8)
    prompts = [piece.text for piece in of_kind(last_pieces(sent), window.PROMPT)]
    assert prompts == ["SCRIPT:tools", "SCRIPT:tools again"]


def test_a_session_forked(newest_client: Release, sandbox: Sandbox) -> None:
    def drive_it(client: ClaudeClient) -> None:
        first = client.run("SCRIPT:tools", OPUS)
        client.run("SCRIPT:tools", OPUS, f"--resume={first['session_id']}", "--fork-session")

    drive(newest_client, sandbox, drive_it, 8)


def test_an_image_that_is_read(newest_client: Release, sandbox: Sandbox) -> None:
    (sandbox.project / "dot.png").write_bytes(png())
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:image", OPUS), 2)
    [image] = of_kind(last_pieces(sent), window.IMAGE)
    assert (image.name, image.target) == ("Read", str(sandbox.project / "dot.png"))


def test_a_file_that_the_prompt_mentions(newest_client: Release, sandbox: Sandbox) -> None:
    run = "SCRIPT:tools and see @notes.txt please", OPUS
    sent = drive(newest_client, sandbox, lambda client: client.run(*run), 4)
    attached = of_kind(last_pieces(sent), window.FILE)
    assert {piece.target for piece in attached} == {str(sandbox.project / "notes.txt")}


def test_an_older_models_layout(newest_client: Release, sandbox: Sandbox) -> None:
    add_memory(sandbox)

    def drive_it(client: ClaudeClient) -> None:
        first = client.run("SCRIPT:tools", SONNET)
        client.run("SCRIPT:tools again", SONNET, f"--resume={first['session_id']}")

    pieces = last_pieces(drive(newest_client, sandbox, drive_it, 8))
    reminders = [piece for piece in pieces if piece.name == "total_tokens_reminder"]
    assert len(reminders) > 6, "one behind every tool result"
    [read, *_] = of_kind(pieces, window.TOOL_RESULT)
    assert "total_tokens" not in read.text


def test_an_older_models_layout_with_a_loaded_tool(
    newest_client: Release, sandbox: Sandbox
) -> None:
    drive(newest_client, sandbox, with_mcp_server(sandbox, "SCRIPT:search", SONNET), 3)


def test_a_memory_file(newest_client: Release, sandbox: Sandbox) -> None:
    add_memory(sandbox)
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:tools", OPUS), 4)
    [memory] = of_kind(last_pieces(sent), window.MEMORY_FILE)
    assert memory.name == str(sandbox.project / "CLAUDE.md")
    assert 'Write "briefly", ä' in memory.text


@pytest.mark.parametrize("model", [OPUS, SONNET])
def test_a_memory_file_of_a_folder(newest_client: Release, sandbox: Sandbox, model: str) -> None:
    folder = sandbox.project / "inner"
    folder.mkdir()
    (folder / "CLAUDE.md").write_text("Be bold in here.\n", encoding="utf-8")
    (folder / "notes.txt").write_text("Buy bread.\n", encoding="utf-8")
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:inner", model), 2)
    pieces = last_pieces(sent)
    assert [piece.name for piece in of_kind(pieces, window.MEMORY_FILE)] == [
        str(folder / "CLAUDE.md")
    ]
    [read] = of_kind(pieces, window.TOOL_RESULT)
    assert "bold" not in read.text


@pytest.mark.parametrize("model", [OPUS, SONNET])
def test_words_that_hooks_put_in(newest_client: Release, sandbox: Sandbox, model: str) -> None:
    add_hooks(sandbox, "SessionStart", "UserPromptSubmit", "PostToolUse")
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:tools", model), 4)
    put_in = [piece for piece in last_pieces(sent) if piece.name == "hook_additional_context"]
    assert len(put_in) == 5, "one for each tool, one for the prompt, one for the session"


def test_a_session_that_goes_on_with_another_model(
    newest_client: Release, sandbox: Sandbox
) -> None:
    def drive_it(client: ClaudeClient) -> None:
        session = f"--resume={client.run('SCRIPT:tools', OPUS)['session_id']}"
        client.run("SCRIPT:tools", SONNET, session)
        client.run("SCRIPT:tools", OPUS, session)

    drive(newest_client, sandbox, drive_it, 12)


def test_a_long_output_that_is_put_into_a_file(newest_client: Release, sandbox: Sandbox) -> None:
    sent = drive(newest_client, sandbox, lambda client: client.run("SCRIPT:long", OPUS), 2)
    [result] = of_kind(last_pieces(sent), window.TOOL_RESULT)
    assert 1000 < result.size_bytes < 5000


def test_a_request_that_failed_and_what_follows(newest_client: Release, sandbox: Sandbox) -> None:
    def drive_it(client: ClaudeClient) -> None:
        session = f"--resume={client.run('SCRIPT:tools', OPUS)['session_id']}"
        with pytest.raises(ClientError, match="529"):
            client.run("SCRIPT:overloaded", OPUS, session)
        client.run("SCRIPT:tools again", OPUS, session)

    drive(newest_client, sandbox, drive_it, 10)


# ── the comparison ────────────────────────────────────────────────────────────────────────────────

Sent = list[tuple[RequestKind, Body, list[Piece]]]
"""Of each recorded request, in the order of sending: what it was for, its body, its pieces."""


def drive(
    release: Release,
    sandbox: Sandbox,
    drive_it: Callable[[ClaudeClient], object],
    recorded: int,
    unrecorded: list[RequestKind] | None = None,
) -> Sent:
    """Drive a client; hold every request that it sent against its record."""
    with serving(scripts(sandbox), sandbox.root / "api") as api:
        drive_it(ClaudeClient(release, sandbox, api))
        exchanges = api.exchanges()
    transcripts = [read_transcript(path) for path in sorted(sandbox.transcripts.rglob("*.jsonl"))]
    pairs = list(paired(exchanges, transcripts))
    assert [exchange.kind for exchange, found in pairs if found is None] == (unrecorded or [])
    sent = [equal_to_sent(exchange, found) for exchange, found in pairs if found is not None]
    assert len(sent) == recorded
    assert sum(len(one.recorder.requests) for one in transcripts) == recorded, "none is left over"
    return sent


Record = tuple[Transcript, str]
"""A transcript, and the id of a request in it."""


def paired(
    exchanges: list[Exchange], transcripts: list[Transcript]
) -> Iterator[tuple[Exchange, Record | None]]:
    """Each request with its record: by its response's key, or by its turn among the unanswered."""
    records = {
        request.id: (transcript, request.id)
        for transcript in transcripts
        for request in transcript.recorder.requests
    }
    named = {key: name for one in transcripts for key, name in one.recorder.responses.items()}
    unanswered = [record for name, record in records.items() if name not in named.values()]
    for exchange in exchanges:
        if exchange.response is None:
            yield exchange, unanswered.pop(0)
        else:
            yield exchange, records.get(named.get(exchange.response.id, ""))


def equal_to_sent(exchange: Exchange, found: Record) -> tuple[RequestKind, Body, list[Piece]]:
    """The rebuilt request, once it is the same as the sent one in every byte."""
    transcript, request_id = found
    body = transcript.recorder.body(request_id)
    assert body.is_proven
    assert not body.mismatched_hashes
    result = compared(body, exchange.body, transcript.hints)
    assert result.differing == []
    assert result.is_equal
    parts = body.system, body.tools, body.messages
    pieces = pieces_of(*parts, transcript.hints)
    assert sum(piece.size_bytes for piece in pieces) == json_size(counted(*parts))
    assert not [piece for piece in pieces if piece.name == "unrecognized"]
    return exchange.kind, body, pieces


def last_pieces(sent: Sent) -> list[Piece]:
    """The pieces of the last request."""
    return sent[-1][2]


def of_kind(pieces: list[Piece], kind: str) -> list[Piece]:
    return [piece for piece in pieces if piece.kind == kind]


# ── what the client works with ────────────────────────────────────────────────────────────────────


def with_mcp_server(
    sandbox: Sandbox, prompt: str, model: str, **variables: str
) -> Callable[[ClaudeClient], object]:
    server = {"command": sys.executable, "args": [str(MCP_SERVER)]}
    config = sandbox.root / "mcp.json"
    config.write_text(json.dumps({"mcpServers": {"parrot": server}}), encoding="utf-8")
    options = (model, f"--mcp-config={config}", MORE_TOOLS)
    return lambda client: client.run(prompt, *options, variables=variables)


def add_memory(sandbox: Sandbox) -> None:
    (sandbox.project / "CLAUDE.md").write_text('# Style\n\nWrite "briefly", ä\n', encoding="utf-8")


def add_skill(sandbox: Sandbox) -> None:
    folder = sandbox.project / ".claude" / "skills" / "tidy"
    folder.mkdir(parents=True)
    heading = "---\nname: tidy\ndescription: Tidy a list.\n---\n"
    (folder / "SKILL.md").write_text(f"{heading}\n# Tidy\n\nSort the lines.\n", encoding="utf-8")


def add_hooks(sandbox: Sandbox, *events: str) -> None:
    """Hooks that tell the agent which event they ran at."""

    def settings_of(event: str) -> list[JsonObject]:
        output = {"hookEventName": event, "additionalContext": f"This is {event}."}
        command = f"echo '{json.dumps({'hookSpecificOutput': output})}'"
        return [{"hooks": [{"type": "command", "command": command}]}]

    folder = sandbox.project / ".claude"
    folder.mkdir()
    settings = {"hooks": {event: settings_of(event) for event in events}}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")


def png() -> bytes:
    """A picture of eight by eight points."""
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    points = zlib.compress(b"".join(b"\0" + b"\x10\x80\xf0" * 8 for _ in range(8)))
    chunks = ((b"IHDR", header), (b"IDAT", points), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def bash(command: str) -> JsonObject:
    return tool_use("Bash", command=command, description="Try it")


def scripts(sandbox: Sandbox) -> Scripts:
    """Everything that the scripted model can be asked to do."""
    notes = tool_use("Read", file_path=str(sandbox.project / "notes.txt"))
    done = Step((text("Done."),))
    shopping = tool_use("Write", file_path=str(sandbox.project / "list.txt"), content="milk\n")
    return {
        "tools": [
            Step((thinking("The notes come first."), text("I read the notes."), notes)),
            Step((bash("wc -l notes.txt"),)),
            Step((shopping,)),
            done,
        ],
        "odd": [
            Step(
                (text("Three \u2028 \x7f 😀"), notes, bash("printf '\\xff\\001 é'"), bash("exit 3"))
            ),
            Step((tool_use("Unknown", number=0.00001, smaller=1e-7),)),
            done,
        ],
        "search": [
            Step((tool_use("ToolSearch", query=f"select:{MCP_TOOL}", max_results=3),)),
            Step((tool_use(MCP_TOOL, text="hear"),)),
            done,
        ],
        "echo": [Step((tool_use(MCP_TOOL, text="hear"),)), done],
        "skill": [Step((tool_use("Skill", skill="tidy"),)), Step((notes,)), done],
        "image": [
            Step((tool_use("Read", file_path=str(sandbox.project / "dot.png")),)),
            done,
        ],
        "inner": [
            Step((tool_use("Read", file_path=str(sandbox.project / "inner" / "notes.txt")),)),
            done,
        ],
        "long": [Step((bash("seq 1 20000"),)), done],
        "overloaded": [Step((bash("echo a"),)), Step(status=529, error="try later")],
        "fill": filling_the_window(),
        **one_subagent(),
    }


def filling_the_window() -> Script:
    """Small steps, then one that reports more context than `SMALL_WINDOW` holds."""
    step = bash("wc -l notes.txt")
    small = [Step((step,), Usage(10, 20 + n, 100, 0, 5000 * n)) for n in range(4)]
    return [*small, Step((step,), Usage(10, 30, 100, 0, 150_000))]


def one_subagent() -> Scripts:
    task = {"description": "Count lines", "subagent_type": "general-purpose"}
    return {
        "delegate": [
            Step((tool_use("Agent", prompt="SCRIPT:count", **task),)),
            Step((text("I wait for the count."),)),
            Step((text("Ten lines."),)),
        ],
        "count": [Step((bash("wc -l notes.txt"),)), Step((text("10"),))],
    }
