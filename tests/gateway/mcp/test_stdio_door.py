"""`tokens gateway` as a client meets it: a process, lines in and out, real servers behind it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.mcp.gateways import ACCEPTED, CAPABILITIES, Place, Talk, small, talking

from tokenbudget.gateway.mcp.stdio_door import MOST_LINE_BYTES, line_of, lines_of


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def talk(place: Place) -> Iterator[Talk]:
    with talking(place) as one:
        yield one


def test_a_task_is_found_described_and_run(talk: Talk) -> None:
    found, _ = talk.call("find_tools", task="read one note")
    assert found.splitlines()[0] == "notes_get_note(name) — Read one note"
    assert "notes_get_note(name: str)" in talk.call("describe_tools", names=["notes_get_note"])[0]
    code = (
        "names = (await notes_list_notes())['notes']\n[await notes_get_note(name=n) for n in names]"
    )
    assert talk.run(code) == ('["the first note","the second"]', False)
    assert talk.run("len(last), names") == ('[2,["one","two"]]', False)


def test_a_big_value_stays_in_the_sandbox_and_its_whole_can_be_recalled(
    talk: Talk, place: Place
) -> None:
    shown, is_error = talk.run("(await notes_rows(count=3000))['rows']")
    assert not is_error
    assert len(shown) < 10_000
    handle = shown.rpartition("tokens recall ")[2].partition(";")[0]
    kept = [path.stem for path in (place.data / "spill").glob("*.zst")]
    assert kept == [handle]
    assert talk.run("sum(row['size'] for row in last)") == (str(7 * sum(range(3000))), False)


def test_a_destructive_call_asks_even_inside_code(talk: Talk) -> None:
    talk.answer_to = lambda _: ACCEPTED
    assert talk.run("await notes_delete_note(name='one')") == ("deleted", False)
    asked = [one for one in talk.told if one["method"] == "elicitation/create"]
    assert asked[0]["params"]["message"] == 'tokenbudget: allow notes.delete_note(name="one")?'
    assert asked[0]["params"]["requestedSchema"]["required"] == ["allow"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"action": "cancel"}, "nobody consented to notes.delete_note"),
        ({"action": "accept", "content": {}}, "the person refused notes.delete_note"),
    ],
)
def test_what_is_no_yes_is_a_no(talk: Talk, place: Place, answer: object, words: str) -> None:
    talk.answer_to = lambda _: answer
    text, is_error = talk.run("await notes_delete_note(name='one')")
    assert is_error
    assert words in text
    assert talk.run("await notes_get_note(name='one')") == ("the first note", False)
    assert [row["outcome"] for row in place.audit("call")] == ["refused", "ok"]


def test_a_client_that_cannot_ask_is_refused_in_one_sentence(place: Place) -> None:
    with talking(place, greets=False) as talk:
        talk.greet()
        text, is_error = talk.run("await notes_delete_note(name='one')")
        assert is_error
        assert 'allow = ["notes.delete_note"] under [gateway] in config.toml' in text


def test_rules_of_the_person_hold_inside_code(place: Place) -> None:
    place.settings('[gateway]\nallow = ["notes.delete_note"]\ndeny = ["notes.get_*"]\n')
    with talking(place) as talk:
        assert talk.run("await notes_delete_note(name='one')") == ("deleted", False)
        caught = "try:\n    await notes_get_note(name='two')\nexcept PermissionError as e:\n"
        assert "denied by a rule" in talk.run(f"{caught}    print(e)")[0]
        assert talk.told == []


def test_a_server_asks_the_person_in_its_own_name(talk: Talk) -> None:
    talk.answer_to = lambda _: ACCEPTED
    said, _ = talk.run("await notes_ask_person(text='tokenbudget: allow everything?')")
    assert json.loads(said)["said"] == ACCEPTED
    assert talk.told[0]["params"]["message"] == "notes asks: tokenbudget: allow everything?"


def test_progress_of_servers_comes_under_the_clients_token(talk: Talk) -> None:
    talk.run("await notes_steps()\nawait notes_steps()")
    told = [one["params"] for one in talk.told if one["method"] == "notifications/progress"]
    assert [one["progressToken"] for one in told] == ["p1"] * 4
    assert [one["progress"] for one in told] == [1, 2, 3, 4]


def test_resources_and_prompts_pass_through_with_all_they_say(place: Place) -> None:
    with talking(place) as talk:
        talk.call("find_tools", task="notes")  # the first start: what servers offer is known then
    with talking(place, greets=False) as talk:
        assert set(talk.greet()["capabilities"]) == {"tools", "resources", "prompts", "logging"}
        listed = talk.result("resources/list")["resources"]
        assert listed == [{"uri": "note://one", "name": "one", "extra": {"kept": 1}}]
        assert talk.result("resources/read", uri="note://one")["contents"][0]["text"]
        assert talk.result("prompts/list") == {"prompts": [{"name": "notes_greet"}]}
        greeting = talk.result("prompts/get", name="notes_greet")["messages"][0]
        assert greeting["content"]["text"] == "hello from greet"
        assert talk.asked("prompts/get", name="nothing")["error"]["code"] == -32602
        assert talk.result("logging/setLevel", level="debug") == {}


def test_direct_and_compact_servers_are_listed_and_guarded(place: Place) -> None:
    place.settings('[gateway]\nmodes = { notes = "direct" }\n')
    with talking(place) as talk:
        names = [tool["name"] for tool in talk.result("tools/list")["tools"]]
        assert names[:3] == ["find_tools", "describe_tools", "run_code"]
        assert "notes_get_note" in names
        assert _called(talk, "notes_get_note", "two") == ("the second", False)
        result = talk.result("tools/call", name="notes_rows", arguments={"count": 2})
        assert "structuredContent" not in result  # it would take the place of the text
        text, is_error = _called(talk, "notes_delete_note", "two")
        assert is_error
        assert text.startswith("nobody consented to notes.delete_note")
        assert _called(talk, "notes_get_note", "nine") == ("there is no such note", True)


def test_skills_are_found_and_loaded_where_the_person_wants_them(place: Place) -> None:
    place.settings("[gateway]\nskills = true\n")
    skill = place.folder / ".claude" / "skills" / "release-notes"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\ndescription: Write release notes.\n---\nBe short.\n")
    (skill / "more.md").write_text("All of it.")
    with talking(place) as talk:
        assert len(talk.result("tools/list")["tools"]) == 5
        found = talk.call("find_skills", task="release notes for today")[0]
        assert found == "release-notes — Write release notes."
        arguments = {"name": "release-notes"}
        loaded = talk.result("tools/call", name="load_skill", arguments=arguments)
        assert loaded["content"][0]["text"] == "Be short.\n\nFiles: more.md"
        arguments["reference"] = "more.md"
        loaded = talk.result("tools/call", name="load_skill", arguments=arguments)
        assert loaded["content"][0]["text"] == "All of it."


def _called(talk: Talk, tool: str, note: str) -> tuple[str, bool]:
    result = talk.result("tools/call", name=tool, arguments={"name": note})
    return result["content"][0]["text"], result["isError"]


def test_a_search_before_servers_are_up_waits_for_them_and_says_who_is_missing(
    place: Place,
) -> None:
    place.serves({"notes": small(), "gone": {"command": "/nonexistent/program", "args": []}})
    with talking(place) as talk:
        text, _ = talk.call("find_tools", task="read one note")
        assert text.startswith("notes_get_note(name)")
        assert "gone cannot be started: /nonexistent/program" in text


def test_what_it_writes_is_for_its_owner_whatever_the_umask_says(place: Place) -> None:
    shell = ["/bin/sh", "-c", 'umask 000; exec "$@"', "sh", *place.command()]
    call = {"name": "run_code", "arguments": {"code": "await notes_get_note(name='one')"}}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    said = json.dumps(asked).encode() + b"\n"
    with subprocess.Popen(
        shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=place.environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(said)
        process.stdin.flush()
        assert b"the first note" in process.stdout.readline()
        process.stdin.close()
    written = [place.data, *place.data.rglob("*")]
    assert len(written) > 5
    open_to_others = [
        path for path in written if not path.is_symlink() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_without_servers_the_agent_is_told_so(place: Place) -> None:
    place.serves({})
    with talking(place) as talk:
        text, is_error = talk.call("find_tools", task="anything")
        assert is_error
        assert "No MCP server is behind this gateway" in text
        assert talk.run("6 * 7") == ("42", False)


def test_where_none_can_be_started_that_is_not_called_none(place: Place) -> None:
    place.serves({"wrong": {"command": 7}})
    with talking(place, greets=False) as talk:
        assert "can be started; find_tools says why" in talk.greet()["instructions"]
        text, _ = talk.call("find_tools", task="anything")
        assert "wrong cannot be used: `command` is no text" in text
        again, _ = talk.call("find_tools", task="anything")
        assert again.endswith("\n1 of 1 cannot be used")
        assert "`command`" not in again


def test_the_audit_names_servers_that_have_not_listed_their_tools_yet(place: Place) -> None:
    with talking(place):
        pass
    lines = (place.data / "gateway/audit.jsonl").read_text().splitlines()
    rows = map(json.loads, lines)
    assert [row["servers"] for row in rows if row["event"] == "start"] == [{"notes": None}]


def test_a_cancelled_request_gets_no_answer_and_the_next_one_does(talk: Talk) -> None:
    code = {"name": "run_code", "arguments": {"code": "await notes_slow(seconds=30)"}}
    talk.say(id="slow", method="tools/call", params=code)
    talk.call("find_tools", task="anything")
    talk.say(method="notifications/cancelled", params={"requestId": "slow"})
    assert talk.result("ping") == {}
    assert all(one.get("id") != "slow" for one in talk.told)
    assert talk.run("1 + 1") == ("2", False)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json", -32700),
        (b"[" * 100_000, -32700),
        (b'"text"', -32600),
        (b"[1]", -32600),
        (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"server/discover"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}', -32602),
        (b"\xff\xfe\x00", -32700),
    ],
)
def test_junk_is_answered_and_the_conversation_goes_on(
    place: Place, line: bytes, code: int
) -> None:
    with talking(place, greets=False) as talk:
        talk.write(line + b"\n\n   \n")
        assert talk.heard()["error"]["code"] == code
        assert talk.result("ping") == {}


def _pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("end", ["eof", signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", [(), ("--deaf",)])
def test_no_server_outlives_the_gateway(
    tmp_path: Path, end: signal.Signals | str, kind: tuple[str, ...]
) -> None:
    pids = tmp_path / "pids"
    place = Place(tmp_path, {"notes": small("--pid", str(pids), *kind)})
    with talking(place) as talk:
        assert talk.run("await notes_get_note(name='one')") == ("the first note", False)
        assert [_is_alive(pid) for pid in _pids(pids)] == [True]
        if isinstance(end, str):
            assert talk.process.stdin is not None
            talk.process.stdin.close()
        else:
            talk.process.send_signal(end)
        talk.process.wait(5)
        for _ in range(100):  # one that is deaf to TERM is killed within a second
            if not any(map(_is_alive, _pids(pids))):
                break
            threading.Event().wait(0.05)
        assert [_is_alive(pid) for pid in _pids(pids)] == [False]


@pytest.mark.parametrize("code", ["while True: pass", "await notes_slow(seconds=60)"])
def test_code_that_runs_does_not_hold_up_the_end(place: Place, code: str) -> None:
    with talking(place) as talk:
        talk.run("1")
        call = {"name": "run_code", "arguments": {"code": code}}
        talk.say(id="run", method="tools/call", params=call)
        assert talk.result("ping") == {}
        assert talk.process.stdin is not None
        talk.process.stdin.close()
        assert talk.process.wait(8) == 0


def test_what_is_asked_before_the_client_closes_its_end_is_answered(place: Place) -> None:
    messages = [
        {"id": 1, "method": "initialize", "params": {"capabilities": CAPABILITIES}},
        {
            "id": 2,
            "method": "tools/call",
            "params": {"name": "run_code", "arguments": {"code": "1"}},
        },
    ]
    said = b"\n".join(json.dumps({"jsonrpc": "2.0", **one}).encode() for one in messages)
    place.serves({})
    script = (
        "import atexit, os, sys\nfrom tokenbudget.cli import main\n"
        "from tokenbudget.gateway.mcp import stdio_door\n"
        "stdio_door.LAST_SECONDS = 60.0  # a busy machine takes longer than a person would wait\n"
        "atexit.register(os.write, 2, b'threads in native code abort it here')\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "gateway", "--config", str(place.config)],
        input=said,
        capture_output=True,
        env=place.environment,
        timeout=90,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in answers] == [1, 2]
    assert answers[1]["result"]["content"][0]["text"] == "1"
    assert done.stderr == b""


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_errors_that_nobody_takes_cost_nothing(place: Place, closed: str) -> None:
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *place.command()]
    done = subprocess.run(
        shell, input=ping, stdout=subprocess.PIPE, env=place.environment, timeout=20, check=True
    )
    assert json.loads(done.stdout) == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_a_client_that_reads_no_more_ends_it(place: Place) -> None:
    with talking(place) as talk:
        assert talk.process.stdout is not None
        talk.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            for number in range(100):
                talk.say(id=number, method="ping")
        assert talk.process.wait(8) == 0


# ── lines ─────────────────────────────────────────────────────────────────────────────────────────


def test_lines_are_the_same_however_they_arrive() -> None:
    said = b'{"a":1}\n\n{"b":"' + b"x" * 200_000 + b'"}\nlast'
    source, sink = os.pipe()
    writer = threading.Thread(target=_trickled, args=(sink, said))
    writer.start()
    heard = list(lines_of(source))
    writer.join()
    os.close(source)
    assert heard == said.split(b"\n")


def _trickled(sink: int, data: bytes) -> None:
    for at in range(0, len(data), 7_777):
        os.write(sink, data[at : at + 7_777])
    os.close(sink)


def test_a_line_without_end_is_dropped_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MOST_LINE_BYTES > 10_000_000
    monkeypatch.setattr("tokenbudget.gateway.mcp.stdio_door.MOST_LINE_BYTES", 100_000)
    source, sink = os.pipe()
    said = b"x" * 300_000 + b"\nnext\n"
    writer = threading.Thread(target=_trickled, args=(sink, said))
    writer.start()
    heard = list(lines_of(source))
    writer.join()
    os.close(source)
    assert heard == [None, b"next"]


@pytest.mark.parametrize("text", ["\ud800", "\u2028", "\x00", "😀"])
def test_any_text_is_one_line_of_json(text: str) -> None:
    line = line_of({"id": 1, "result": text})
    assert line.count(b"\n") == 1
    assert json.loads(line)["result"] == text


def test_what_is_no_json_becomes_an_error_for_the_same_request() -> None:
    assert json.loads(line_of({"id": 5, "result": float("nan")}))["id"] == 5
    assert "error" in json.loads(line_of({"id": 5, "result": {1, 2}}))
