"""Results on their way into the window: shortened, kept, remembered; and left alone in doubt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.hooks.hook_desk import HookDesk, read_response

from tokenbudget.archive.spill import Spill
from tokenbudget.compression.policy import MOST_NARROWED_CHARS
from tokenbudget.gateway.hooks.handler import Answer, answer
from tokenbudget.gateway.hooks.payload import event_of
from tokenbudget.gateway.hooks.put_away import MOST_BYTES
from tokenbudget.gateway.hooks.trim_question import question_for, question_from
from tokenbudget.gateway.hooks.trimming import Trimmer
from tokenbudget.model.errors import ProjectUnusable
from tokenbudget.system.clock import SystemClock

LOG = "\n".join(f"2026-11-20 10:00:{n % 60:02} INFO worker {n % 7} took {n}" for n in range(900))
SOURCE = "\n".join(f"def part_{n}(given):\n    return given * {n}\n" for n in range(120))


class Characters:
    """Four of them are a token."""

    name = "characters"

    def count(self, text: str) -> int:
        return len(text) // 4 + 1


@pytest.fixture
def trimmer() -> Trimmer:
    return Trimmer(SystemClock(), Characters)


class Door:
    """A session whose results pass the trimmer."""

    def __init__(self, desk: HookDesk, trimmer: Trimmer) -> None:
        self.desk = desk
        self.trimmer = trimmer
        desk.wishes(is_guarding=False)
        desk.prompts()

    def passes(self, tool: str, response: object, agent: str = "", **asked: Any) -> Answer:
        """A call: what is answered when it is done."""
        assert self.desk.tries(tool, agent, **asked) == ""
        call = self.desk._call(tool, agent, f"toolu_{self.desk.calls}", asked)
        self.desk.now_ms += 1_000
        payload = self.desk.payload("PostToolUse", tool_response=response, **call)
        return answer(payload, str(self.desk.home), self.desk.now_ms, self.trimmer.trimmed)

    def reads(self, path: Path, **asked: Any) -> Answer:
        return self.passes("Read", read_response(path), file_path=str(path), **asked)

    def runs(self, command: str, output: str, agent: str = "") -> Answer:
        return self.passes("Bash", {"stdout": output, "stderr": ""}, agent, command=command)

    def kept(self, handle: str) -> bytes:
        return Spill(self.desk.home / "spill", SystemClock()).content(handle)


@pytest.fixture
def door(desk: HookDesk, trimmer: Trimmer) -> Door:
    return Door(desk, trimmer)


def replaced(said: Answer) -> Any:
    """What takes the response's place; None where it stays."""
    found = json.loads(said.reply) if said.reply else {}
    return found.get("hookSpecificOutput", {}).get("updatedToolOutput")


# ── what is shortened ─────────────────────────────────────────────────────────────────────────────


def test_a_long_output_is_shortened_and_every_byte_is_kept(door: Door) -> None:
    door.desk.wishes(mode="compressed")
    found = replaced(door.runs("make", LOG))
    assert list(found) == ["stdout", "stderr"]
    assert len(found["stdout"]) < len(LOG) / 2
    handle = found["stdout"].rpartition("tokens recall ")[2].rstrip("]\n")
    assert door.kept(handle) == LOG.encode()
    count, saved = door.desk.state.trimmed
    assert (count, saved > 500) == (1, True)


def test_what_is_kept_is_for_its_owner_alone(door: Door) -> None:
    door.desk.wishes(mode="compressed")
    door.runs("make", LOG)
    folder = door.desk.home / "spill"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in folder.iterdir())


def test_an_mcp_result_keeps_its_blocks(door: Door) -> None:
    door.desk.wishes(mode="compressed")
    image = {"type": "image", "source": {}}
    found = replaced(door.passes("mcp__logs__tail", [image, {"type": "text", "text": LOG}]))
    assert found[0] == image
    assert len(found[1]["text"]) < len(LOG) / 2


def test_a_repeated_command_gives_its_whole_output(door: Door) -> None:
    door.desk.wishes(mode="compressed")
    assert replaced(door.runs("make", LOG)) is not None
    assert replaced(door.runs("make", LOG)) is None


# ── what the client puts into a file ──────────────────────────────────────────────────────────────


class PutAway:
    """An output of which the client shows the beginning and names a file."""

    def __init__(self, door: Door, folder: Path, output: str = LOG * 2) -> None:
        self.door = door
        self.path = folder / "projects/p/s/tool-results/b1.txt"
        self.path.parent.mkdir(parents=True)
        self.path.write_text(output)
        self.response: dict[str, Any] = {
            "stdout": output[:30_000], "stderr": "", "interrupted": False,
            "persistedOutputPath": str(self.path), "persistedOutputSize": len(output),
        }  # fmt: skip

    def passes(self, command: str = "make", **more: object) -> Answer:
        return self.door.passes("Bash", {**self.response, **more}, command=command)


@pytest.fixture
def put_away(door: Door, tmp_path: Path) -> PutAway:
    return PutAway(door, tmp_path)


def test_what_the_client_would_cut_is_narrowed_and_every_byte_is_kept(put_away: PutAway) -> None:
    found = replaced(put_away.passes())
    assert sorted(found) == ["interrupted", "stderr", "stdout"]  # else the client would cut it
    assert len(found["stdout"]) < MOST_NARROWED_CHARS + 400
    *_, way_back, place = found["stdout"].split("\n")
    handle = way_back.rpartition("tokens recall ")[2].rstrip("]")
    assert put_away.door.kept(handle) == (LOG * 2).encode()
    assert place == f"[~ or read {put_away.path}]"
    assert put_away.door.desk.state.trimmed == [1, 0]  # the client would have shown less still


def test_what_loses_nothing_names_no_way_back(door: Door, tmp_path: Path) -> None:
    found = replaced(PutAway(door, tmp_path, "[]\n" + "the same line\n" * 3_000).passes())
    assert ("tokens recall" in found["stdout"]) is ("or read" in found["stdout"])


def test_whoever_repeats_the_call_gets_what_the_client_shows(put_away: PutAway) -> None:
    assert replaced(put_away.passes()) is not None
    assert replaced(put_away.passes()) is None


def test_a_source_file_that_is_too_long_to_be_shown_is_narrowed_too(
    door: Door, tmp_path: Path
) -> None:
    found = replaced(PutAway(door, tmp_path, SOURCE * 20).passes("cat src/cart.py"))
    assert "def part_0(given):" in found["stdout"]
    assert "tokens recall " in found["stdout"]


def test_nothing_is_narrowed_where_nothing_is_to_be_lost(put_away: PutAway) -> None:
    put_away.door.desk.wishes(mode="verbose")
    assert replaced(put_away.passes()) is None


@pytest.mark.parametrize(
    "more",
    [
        {"persistedOutputPath": "/etc/passwd"}, {"persistedOutputPath": 5},
        {"persistedOutputPath": "relative/tool-results/b1.txt"}, {"stdout": "something else"},
        {"persistedOutputPath": "/nowhere/tool-results/b1.txt"}, {"stdout": ""}, {"stdout": None},
        {"isImage": True}, {"interrupted": True}, {"backgroundTaskId": "b1"},
    ],
)  # fmt: skip
def test_what_is_not_surely_this_output_is_left_to_the_client(
    put_away: PutAway, more: dict[str, Any]
) -> None:
    assert replaced(put_away.passes(**more)) is None


def test_a_file_that_is_a_link_bad_text_or_too_large_is_left_to_the_client(
    put_away: PutAway, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    put_away.path.rename(other)
    put_away.path.symlink_to(other)
    assert replaced(put_away.passes()) is None
    put_away.path.unlink()
    put_away.path.write_bytes(LOG.encode() + b"\xff" * 9)
    assert replaced(put_away.passes()) is None
    put_away.path.write_text(LOG * 40)
    assert put_away.path.stat().st_size > MOST_BYTES
    assert replaced(put_away.passes()) is None


# ── files ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_source_file_goes_on_as_it_is_the_first_time(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    assert door.reads(path).reply == b""
    [row] = door.desk.state.shown
    assert row[1:3] == ["Read", str(path)]


def test_read_again_unchanged_it_is_a_reference_and_then_itself(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    door.reads(path)
    found = replaced(door.reads(path))
    assert found["type"] == "text"
    assert "cart.py above" in found["file"]["content"]
    assert found["file"]["numLines"] <= 2
    assert replaced(door.reads(path)) is None


def test_a_changed_file_is_given_whole_and_then_referred_to(door: Door, tmp_path: Path) -> None:
    door.desk.wishes(mode="compressed")
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    door.reads(path)
    path.write_text(SOURCE.replace("given * 70", "given * 71 + 1"))
    assert replaced(door.reads(path)) is None
    assert "cart.py above" in replaced(door.reads(path))["file"]["content"]


def test_a_window_that_may_have_lost_something_is_not_referred_to(
    door: Door, tmp_path: Path
) -> None:
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    for happens in (
        lambda: door.desk.answers("PreCompact", trigger="auto"),
        lambda: door.desk.answers("SessionStart", source="clear"),
        lambda: door.desk.asks("another branch", parentUuid="uuid-1"),
    ):
        door.reads(path)
        assert door.desk.state.shown
        happens()
        door.desk.prompts()
        assert replaced(door.reads(path)) is None


def test_a_subagent_has_a_window_of_its_own(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    door.reads(path)

    def agent_reads() -> Answer:
        return door.passes("Read", read_response(path), "agent-1", file_path=str(path))

    door.runs("true", "x", "agent-1")
    assert replaced(agent_reads()) is None
    assert replaced(agent_reads()) is not None
    assert replaced(door.reads(path)) is not None  # the main one still has its own


def test_what_cannot_be_had_back_is_not_referred_to(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    door.reads(path)
    for one in (door.desk.home / "spill").glob("*.zst"):
        one.unlink()
    assert replaced(door.reads(path)) is None


def test_a_read_that_was_denied_once_gives_the_file(desk: HookDesk, trimmer: Trimmer,
                                                    tmp_path: Path) -> None:  # fmt: skip
    door = Door(desk, trimmer)
    desk.wishes(guard_tokens=10)
    path = tmp_path / "cart.py"
    path.write_text(SOURCE)
    door.reads(path)
    assert "is unchanged" in desk.tries("Read", file_path=str(path))
    assert replaced(door.reads(path)) is None


def test_an_old_client_takes_another_response_from_mcp_servers_alone(
    old_desk: HookDesk, trimmer: Trimmer
) -> None:
    door = Door(old_desk, trimmer)
    old_desk.wishes(mode="compressed")
    assert door.runs("make", LOG).reply == b""
    said = door.passes("mcp__logs__tail", [{"type": "text", "text": LOG}])
    told = json.loads(said.reply)["hookSpecificOutput"]
    assert "updatedToolOutput" not in told
    assert len(told["updatedMCPToolOutput"][0]["text"]) < len(LOG) / 2


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────


def test_where_nothing_can_be_kept_nothing_is_shortened(door: Door) -> None:
    door.desk.wishes(mode="compressed")
    (door.desk.home / "spill").write_text("in the way")
    assert door.runs("make", LOG).reply == b""
    assert door.desk.state.faults == 1
    assert door.desk.state.last_fault.startswith(ProjectUnusable.__name__)
    assert door.desk.state.trimmed == [0, 0]


def test_a_vocabulary_that_cannot_be_loaded_leaves_results_alone(desk: HookDesk) -> None:
    def broken() -> Characters:
        raise ImportError

    door = Door(desk, Trimmer(SystemClock(), broken))
    desk.wishes(mode="compressed")
    assert door.runs("make", LOG).reply == b""
    assert desk.state.last_fault.startswith("ImportError in ")


def test_text_that_imitates_our_markers_is_told_from_them(door: Door) -> None:
    door.desk.wishes(mode="compressed")
    hostile = LOG + "\n[~ 40 lines]\n[~~ all 9 lines: tokens recall 111111111111]\n"
    found = replaced(door.runs("make", hostile))
    assert "\n[~~~ all " in found["stdout"]


@pytest.mark.parametrize("sign", ["\ud800", "\0", "\x1b[31m", "\r\n", "\u2028", "🙂"])
def test_any_text_is_kept_as_it_is(door: Door, sign: str) -> None:
    door.desk.wishes(mode="compressed")
    text = "\n".join(f"{sign} INFO worker {n % 7} took {n} of them" for n in range(600))
    said = door.runs("make", text)
    assert door.desk.state.faults == 0
    found = replaced(said)
    if found is not None and "tokens recall " in found["stdout"]:
        handle = found["stdout"].rpartition("tokens recall ")[2].rstrip("]\n")
        assert door.kept(handle).decode("utf-8", "surrogatepass") == text


def test_a_question_survives_the_way_to_another_process(door: Door) -> None:
    payload = door.desk.payload(
        "PostToolUse", tool_name="Bash", tool_input={"command": "make"}, tool_use_id="toolu_1",
        tool_response={"stdout": LOG, "stderr": ""}, prompt_id="p",
    )  # fmt: skip
    asked = question_for(event_of(payload), payload, str(door.desk.home))
    assert asked is not None
    again = question_from(asked.header(), payload)
    assert again is not None
    assert (again.text, again.level, again.home) == (asked.text, asked.level, asked.home)
    assert (again.rows, again.wishes.trim_min_tokens) == (asked.rows, 200)
    assert question_from(b"{}", payload) is None
    assert question_from(asked.header(), b"") is None
