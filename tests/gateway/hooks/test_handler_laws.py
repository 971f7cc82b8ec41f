"""What holds of every answer, whatever comes and whatever lies about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.hooks.hook_desk import NOW_MS, SESSION, HookDesk, context_of

from tokenbudget.gateway.hook_client import PLAIN_WORDS
from tokenbudget.gateway.hooks import small_files
from tokenbudget.gateway.hooks.handler import Answer, answer
from tokenbudget.gateway.hooks.session_state import FORMAT, MOST_BYTES, SessionState
from tokenbudget.gateway.hooks.telling import ANSWERS

EVENTS = [*ANSWERS, "Stop", "SubagentStop", "SessionEnd", "Notification", "NeverHeardOf"]
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = ("transcript_path", "cwd", "tool_name", "tool_use_id", "tool_input", "tool_response",
          "agent_id", "source", "model", "trigger", "error", "from_model", "to_model",
          "context_tokens", "prompt_cache_warm", "prompt", "is_interrupt")  # fmt: skip
PLAUSIBLE = st.sampled_from(["/", "/dev/null", "Read", "Bash", "compact", "a1", True, 9, "\ud800"])
EVENT = st.builds(
    lambda name, fields: json.dumps(
        {"session_id": SESSION, "hook_event_name": name, **fields}
    ).encode(),
    st.sampled_from(EVENTS),
    st.dictionaries(st.sampled_from(FIELDS), WILD | PLAUSIBLE),
)


@contextmanager
def home_of_a_moment() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def assert_is_a_reply(said: Answer) -> None:
    """Nothing, or one JSON object that begins and ends as such, or a line for a summary."""
    if said.reply.startswith(PLAIN_WORDS):
        assert said.reply.decode().isprintable()
        assert len(said.reply) < 4_000
    elif said.reply:
        assert said.reply[:1] == b"{"
        assert said.reply.isascii()
        assert isinstance(json.loads(said.reply), dict)


@given(st.lists(EVENT | st.binary(max_size=200), max_size=12))
@settings(deadline=None)
def test_any_events_are_answered_with_nothing_or_one_object(payloads: list[bytes]) -> None:
    with home_of_a_moment() as home:
        for at, payload in enumerate(payloads):
            assert_is_a_reply(answer(payload, str(home), NOW_MS + at))


STATE = st.dictionaries(st.sampled_from(SessionState.__slots__), WILD)
SETTINGS = st.dictionaries(
    st.sampled_from(["thresholds", "is_telling", "guard_tokens", "stop_at_share", "stop_at_usd",
                     "stop_at_tokens", "mode", "windows", "level_shares"]), WILD,
)  # fmt: skip
SNAPSHOT = st.dictionaries(
    st.sampled_from(["window_tokens", "threshold_shares", "cost_usd", "model"]), WILD
)


@given(
    STATE | st.binary(), SETTINGS | st.binary(), SNAPSHOT | st.binary(), st.lists(EVENT, max_size=5)
)
@settings(deadline=None, max_examples=60)
def test_so_they_are_whatever_the_files_hold(
    state: dict[str, object] | bytes,
    wishes: dict[str, object] | bytes,
    snapshot: dict[str, object] | bytes,
    payloads: list[bytes],
) -> None:
    with home_of_a_moment() as folder:
        desk = HookDesk(folder)
        desk.wishes()
        desk.snapshot()
        for path, told, form in (
            (desk.state_file, state, FORMAT),
            (desk.home / "hooks/settings.json", wishes, "tokenbudget/hook-settings/1"),
            (desk.home / f"statusline/{SESSION}.json", snapshot, "tokenbudget/statusline/1"),
        ):
            own = {"format": form, "session": SESSION}
            data = told if isinstance(told, bytes) else json.dumps({**told, **own}).encode()
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        for payload in payloads:
            assert_is_a_reply(answer(payload, str(desk.home), NOW_MS))
        desk.responds(190_000)
        assert_is_a_reply(desk.answers("UserPromptSubmit"))


@pytest.mark.parametrize("home", ["/dev/null", "/proc/1", "/does/not/exist", "", "\0", "\ud800"])
def test_so_they_are_wherever_home_is(home: str) -> None:
    payload = json.dumps({"session_id": SESSION, "hook_event_name": "SessionStart"}).encode()
    if home == "":
        return  # the present folder is nobody's home; the callers never say so
    said = answer(payload, home, NOW_MS)
    assert_is_a_reply(said)
    assert said.session in (SESSION, "")


# ── a story, told in two homes ────────────────────────────────────────────────────────────────────


ONE_ANSWER = """
import sys
from tokenbudget.gateway.hooks.handler import answer
for line in sys.stdin.buffer:
    at, home, payload = line.split(b" ", 2)
    sys.stdout.buffer.write(answer(payload, home.decode(), int(at)).reply + b"\\n")
"""


def in_a_process(payload: bytes, home: Path, at_ms: int) -> bytes:
    """The reply of a process of its own, as there is one without a daemon."""
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {SOURCE!r}){ONE_ANSWER}"],
        input=b"%d %s %s\n" % (at_ms, str(home).encode(), payload),
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == b""
    return done.stdout.removesuffix(b"\n")


SOURCE = str(Path(small_files.__file__).parents[3])


def test_a_process_for_each_event_answers_as_one_that_stays(tmp_path: Path, big_file: Path) -> None:
    """The daemon, and the hook's own process where none runs."""
    staying, starting = HookDesk(tmp_path / "a"), HookDesk(tmp_path / "b")
    replies: list[list[bytes]] = []
    for desk in (staying, starting):
        desk.folder.mkdir()
        shutil.copy2(big_file, desk.folder / "cart.py")
    for desk in (staying, starting):
        said = []
        for payload in course(desk):
            one = (
                answer(payload, str(desk.home), desk.now_ms).reply
                if desk is staying
                else in_a_process(payload, desk.home, desk.now_ms)
            )
            said.append(one.replace(b"/a/", b"/b/"))
        replies.append(said)

    assert replies[0] == replies[1]
    assert sum(map(bool, replies[0])) >= 5


def course(desk: HookDesk) -> Iterator[bytes]:
    """A session with something to say to most events."""
    yield desk.payload("SessionStart", source="startup", model=desk.model)
    yield desk.payload("UserPromptSubmit")
    desk.asks()
    for tokens in (50, 101, 165):
        desk.calls += 1
        desk.responds(tokens * 1_000, calls=(f"toolu_{desk.calls}",))
        call = {"tool_name": "Read", "tool_use_id": f"toolu_{desk.calls}",
                "tool_input": {"file_path": str(desk.folder / "cart.py")}}  # fmt: skip
        yield desk.payload("PreToolUse", **call)
        content = (desk.folder / "cart.py").read_text()
        file = {"content": content, "numLines": 9, "startLine": 1, "totalLines": 9}
        response = {"type": "text", "file": file}
        yield desk.payload("PostToolUse", tool_response=response, **call)
    yield desk.payload("PreCompact", trigger="auto")
    desk.compacts(165_000, 20_000)
    yield desk.payload("SessionStart", source="compact")
    yield desk.payload("Stop")


# ── once ──────────────────────────────────────────────────────────────────────────────────────────


AT_ONCE = """
import sys
from tokenbudget.gateway.hooks import session_state
from tokenbudget.gateway.hooks.handler import answer
session_state.PATIENCE_STEPS = 5_000
payload = sys.stdin.buffer.read()
for at in range(20):
    sys.stdout.buffer.write(answer(payload, sys.argv[1], 1_800_000_000_000 + at).reply + b"\\n")
"""


def test_processes_that_come_at_once_tell_a_crossing_once_and_lose_no_event(desk: HookDesk) -> None:
    desk.responds(101_000)
    payload = desk.payload("UserPromptSubmit")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, str(desk.home)],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(payload)
        process.stdin.close()
    said = b""
    for process in running:
        assert process.stdout is not None
        said += process.stdout.read()
        process.stdout.close()
        assert process.wait(60) == 0
    assert said.count(b"additionalContext") == 1
    assert desk.state.events["UserPromptSubmit"][0] == 60


@given(
    st.lists(
        st.tuples(st.integers(1, 230), st.sampled_from(["prompt", "call", "agent", "restart"])),
        max_size=40,
    )
)
@settings(deadline=None, max_examples=60)
def test_between_two_tellings_of_a_threshold_the_window_has_shrunk(
    steps: list[tuple[int, str]],
) -> None:
    """In whatever order prompts, calls, subagents and restarts come."""
    with home_of_a_moment() as folder:
        desk = HookDesk(folder)
        told: dict[int, int] = {}
        for at, (thousands, kind) in enumerate(steps):
            desk.responds(thousands * 1_000)
            said = ""
            if kind == "prompt":
                said = desk.says("UserPromptSubmit")
            elif kind == "restart":
                desk.says("SessionStart", source="resume")
            else:
                agent = "a1" if kind == "agent" else None
                said = desk.says("PostToolUse", tool_name="Bash", agent_id=agent)
                assert not (agent and said)
            if not said or said.endswith((": healthy.", ": warning.", ": critical.", "emergency.")):
                continue
            highest = max(one for one in (50, 70, 80, 90) if thousands >= 2 * one)
            assert thousands >= 100
            if highest in told:
                least = min(each for each, _ in steps[told[highest] : at])
                assert least <= 2 * highest - 6
            told[highest] = at


@given(st.lists(st.sampled_from(["read", "run", "sub read", "prompt"]), max_size=30))
@settings(deadline=None, max_examples=60)
def test_a_call_is_denied_at_most_once(kinds: list[str]) -> None:
    with home_of_a_moment() as folder:
        desk = HookDesk(folder)
        file = folder / "cart.py"
        file.write_text("line of code\n" * 1_600)
        denied: list[str] = []
        desk.prompts()
        for kind in kinds:
            if kind == "prompt":
                desk.prompts()
            elif kind == "run":
                denied += ["run"] * bool(desk.runs("make", "x" * 21_000))
            else:
                agent = "a1" if kind == "sub read" else ""
                denied += [kind] * bool(desk.reads(file, agent=agent))
        assert len(denied) == len(set(denied))
        for kind in {"read", "run", "sub read"}:
            assert (kind in denied) == (kinds.count(kind) > 1)


# ── bounded, and in the worst of places ───────────────────────────────────────────────────────────


def test_after_two_thousand_events_the_state_is_still_small(desk: HookDesk, tmp_path: Path) -> None:
    desk.prompts()
    desk.responds(9_000)
    files = [tmp_path / f"{'deep-' * 30}{n}.py" for n in range(150)]
    for file in files:
        file.write_text("x\n")
    response = {"type": "text", "file": {"content": "x" * 9_000, "numLines": 1}}
    response["file"] |= {"startLine": 1, "totalLines": 1}  # type: ignore[operator]
    for n in range(500):
        read: dict[str, object] = {"tool_name": "Read"}
        read |= {"agent_id": f"agent{n % 70}" if n % 3 else None}
        read |= {"tool_use_id": f"toolu_{n}", "tool_input": {"file_path": str(files[n % 150])}}
        run: dict[str, object] = {"tool_name": "Bash"}
        run |= {"tool_input": {"command": f"make {n} " + "\u00e9" * 400}}
        for name, call in (("PreToolUse", read), ("PostToolUse", read), ("PreToolUse", run)):
            answer(desk.payload(name, tool_response=response, **call), str(desk.home), NOW_MS)
        output = {"stdout": "x" * (21_000 if n % 7 else 10)}
        answer(desk.payload("PostToolUse", tool_response=output, **run), str(desk.home), NOW_MS)
    state = desk.state
    assert sum(times for times, _ in state.events.values()) == 2_001
    assert len(state.reads) > 20
    assert state.faults == 0
    assert desk.state_file.stat().st_size <= MOST_BYTES


def crossing_payload(desk: HookDesk) -> bytes:
    desk.responds(181_000)
    return desk.payload("UserPromptSubmit")


def test_where_nothing_can_be_written_nothing_is_said_that_is_said_once(
    desk: HookDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the file before still stands, and the next time there is room it is said."""
    payload = crossing_payload(desk)
    monkeypatch.setattr("posix.write", lambda descriptor, data: 10)
    assert answer(payload, str(desk.home), NOW_MS).reply == b""
    assert desk.state.events == {}
    monkeypatch.undo()
    assert "You must compact" in context_of(answer(payload, str(desk.home), NOW_MS))


def test_so_it_is_in_a_folder_that_is_a_link_to_one_that_is_read_only(
    desk: HookDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real"
    real.mkdir()
    desk.home.mkdir()
    (desk.home / "hooks").symlink_to(real)
    payload = crossing_payload(desk)

    def refused(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(13, "read only", path)
        return os.open(path, flags, mode)

    monkeypatch.setattr("posix.open", refused)
    assert answer(payload, str(desk.home), NOW_MS).reply == b""
    started = desk.payload("SessionStart", source="resume")
    assert "ctx 90%" in context_of(answer(started, str(desk.home), NOW_MS))
    monkeypatch.undo()
    assert "You must compact" in context_of(answer(payload, str(desk.home), NOW_MS))


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("call", ["posix.write", "posix.unlink", "posix.pread", "fcntl.flock"])
def test_killed_anywhere_the_state_is_the_old_one_or_the_new_one(
    desk: HookDesk, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    desk.answers("Stop")
    payload = crossing_payload(desk)
    before = desk.state_file.read_bytes()

    def ends_here(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(call, ends_here)
    with pytest.raises(Killed):
        answer(payload, str(desk.home), NOW_MS)
    monkeypatch.undo()
    assert desk.state_file.read_bytes() == before
    said = context_of(answer(payload, str(desk.home), NOW_MS))
    assert "You must compact" in said
    assert desk.state.events["UserPromptSubmit"][0] == 1


def test_killed_with_the_old_state_gone_the_new_one_is_there(
    desk: HookDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.answers("Stop")
    payload = crossing_payload(desk)

    def ends_here(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("posix.rename", ends_here)
    with pytest.raises(Killed):
        answer(payload, str(desk.home), NOW_MS)
    monkeypatch.undo()
    assert not desk.state_file.exists()
    monkeypatch.setattr("posix.write", ends_here)  # nor is it lost where the next one is killed
    with pytest.raises(Killed):
        answer(payload, str(desk.home), NOW_MS)
    monkeypatch.undo()
    answer(payload, str(desk.home), NOW_MS)
    assert desk.state.events["UserPromptSubmit"][0] == 2
    assert desk.state.events["Stop"][0] == 1


def test_a_state_that_was_cut_off_is_begun_anew(desk: HookDesk) -> None:
    desk.responds(101_000)
    assert desk.says("UserPromptSubmit").startswith("ctx 50%")
    data = desk.state_file.read_bytes()
    for length in range(0, len(data), 97):
        desk.state_file.write_bytes(data[:length])
        assert_is_a_reply(desk.answers("Stop"))
        assert desk.state.events["Stop"] == [1, desk.now_ms]


def test_nothing_heavy_is_imported() -> None:
    """As much as bare Python itself, and no more: a process is started for every event."""
    script = (
        f"import sys; sys.path.insert(0, {SOURCE!r}); bare = set(sys.modules);"
        " import tokenbudget.gateway.hooks.handler as h;"
        ' h.answer(b\'{"session_id":"s","hook_event_name":"UserPromptSubmit"}\', \'/dev/null\', 1);'
        " print(*sorted(name for name in set(sys.modules) - bare if 'tokenbudget' not in name))"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script], capture_output=True, check=True, timeout=30
    )
    assert set(done.stdout.decode().split()) <= {
        "__future__", "_json", "binascii", "fcntl", "time", "posix", "errno",
    }  # fmt: skip
