"""`tokens compact`: what it shows, what it asks, what it does, and that all of it can be undone."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.archive.faults import every_death, every_failure
from tests.cli.conftest import NOON, PRICES, Done, Home
from tests.cli.test_hostile_text import HOSTILE, as_argument, harmful
from tests.cli.window_sessions import Talk, words
from tests.e2e.cluttered_project import SERVERS, Clutter, add_old_sessions, clutter_up

from tokenbudget.analysis.compact_plan import EFFECTS
from tokenbudget.app.compacting_done import Cleanup, settings_faults
from tokenbudget.model.actions import EditSettings, SettingEdit
from tokenbudget.model.errors import ProjectUnusable
from tokenbudget.model.figures import text_width
from tokenbudget.system.trash import Trash

NOON_SECONDS = round(NOON.timestamp())
GOLDEN = Path(__file__).parent / "golden"
SESSIONS = 6
EMPTY = "Expecting value: line 1 column 1 (char 0)"
DRAFT = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


class Shop:
    """A cluttered project in a person's home, with sessions that hardly used any of it."""

    def __init__(self, home: Home, project: Path) -> None:
        self.home = home
        home.claude.mkdir(parents=True, exist_ok=True)
        project.mkdir(parents=True)
        self.project = project
        self.clutter: Clutter = clutter_up(project, home.claude, NOON_SECONDS)

    def worked(self) -> Shop:
        for number in range(SESSIONS):
            self.talk(number).write(self.home, self.clutter.slug)
        return self

    def talk(self, number: int) -> Talk:
        begin = NOON - timedelta(days=SESSIONS - number, hours=1)
        talk = Talk(f"5e55{number:04d}", cwd=str(self.project), begin=begin)
        self.offered(talk).ask(f"Fix part {number} of the cart.")
        talk.call("Edit", "done", file_path=f"{self.project}/src/app.py")
        return talk.answer("Done.")

    def offered(self, talk: Talk) -> Talk:
        """What the client tells the model of what there is."""
        blocks = [words(40) for _ in SERVERS]
        added = {"addedNames": list(SERVERS), "addedBlocks": blocks}
        talk.attach("mcp_instructions_delta", "\n".join(blocks), **added)
        talk.attach("skill_listing", words(900))
        memory = self.clutter.project / "CLAUDE.md"
        return talk.attach("nested_memory", memory.read_text(), path=str(memory))

    def add_server(self, name: str) -> None:
        """One that no session has been offered yet, defined long ago."""
        path = self.project / ".mcp.json"
        document = json.loads(path.read_text())
        document["mcpServers"][name] = {"command": "true"}
        facts = path.stat()
        path.write_text(json.dumps(document))
        os.utime(path, (facts.st_atime, facts.st_mtime))

    def old(self, count: int = 3) -> Shop:
        add_old_sessions(self.clutter, count, NOON_SECONDS)
        return self

    def run(self, *words: str, **variables: str) -> Done:
        return self.home.run(words[0], "--project", str(self.project), *words[1:], **variables)

    def ask(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert (done.code, done.err) == (0, "")
        return done.json

    def undo(self) -> Done:
        return self.home.run("undo", "--yes")

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Everything that belongs to the person: the project, the transcripts, the settings.

        An archive keeps its copy of a session when the originals come back. A process that is
        ended while it writes leaves a draft beside the file.
        """
        kept = self.project / ".claude" / "sessions"
        return {
            str(path): (path.read_bytes(), path.stat().st_mode)
            for top in (self.project, self.home.claude)
            for path in sorted(top.rglob("*"))
            if path.is_file() and kept not in path.parents and not DRAFT.fullmatch(path.name)
        }


@pytest.fixture
def shop(home: Home, tmp_path: Path) -> Shop:
    return Shop(home, tmp_path / "srv" / "shop").worked().old()


def ids(plan: Any, **facts: object) -> list[str]:
    rows = plan["rows"]
    return [row["id"] for row in rows if all(row[name] == v for name, v in facts.items())]


# ── showing ──────────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_shows_the_plan_and_writes_nothing(shop: Shop) -> None:
    before = shop.tree()
    done = shop.run("compact", "--dry-run")
    assert (done.code, done.err) == (0, "")
    for title in ("MCP servers", "Memory files", "Skills", "Agents", "Old sessions", "Backups"):
        assert title in done.out
    assert done.lines[-1] == "Nothing was changed (--dry-run)."
    assert shop.tree() == before
    assert shop.ask("compact", "--dry-run")["is_done"] is False
    assert shop.tree() == before


def test_the_document_says_of_each_item_what_it_frees_when_and_why(shop: Shop) -> None:
    plan = shop.ask("compact", "--dry-run")
    assert plan["format"] == "tokenbudget/compact/1"
    assert plan["session"] == f"5e55{SESSIONS - 1:04d}"
    assert plan["requests_per_week"] > 0
    assert len({row["id"] for row in plan["rows"]}) == len(plan["rows"])
    for row in plan["rows"]:
        assert row["effect"] in EFFECTS
        assert row["reason"]
        assert row["freed_tokens"] is None or row["freed_tokens_basis"] != "unknown"
        if row["effect"] == "disk only":
            assert row["freed_tokens"] == 0
        if row["is_chosen"]:
            assert row["steps"] > 0
    chosen = [row for row in plan["rows"] if row["is_chosen"]]
    known = sum(row["freed_tokens"] or 0 for row in chosen)
    assert plan["totals"]["freed_tokens"] == known > 0
    by_effect = plan["totals"]["by_effect"].values()
    assert sum(part["freed_tokens"] for part in by_effect) == known


def test_the_command_for_the_conversation_names_the_task_and_the_files(shop: Shop) -> None:
    talk = shop.talk(SESSIONS)
    talk.ask("Round the totals of the cart.").read(f"{shop.project}/src/app.py", 30_000)
    talk.answer("Read.").write(shop.home, shop.clutter.slug)
    plan = shop.ask("compact", "--dry-run")
    assert plan["conversation"]["command"] == (
        '/compact Keep the task "Round the totals of the cart."; the edited files "src/app.py"'
    )
    assert plan["conversation"]["freed_tokens"] > 10_000
    assert plan["conversation"]["command"] in shop.run("compact", "--dry-run").lines[5:9][0]


@pytest.mark.parametrize("width", [80, 100])
def test_the_plan_as_a_person_sees_it(shop: Shop, width: int) -> None:
    shop.home.config.parent.mkdir(exist_ok=True)
    shop.home.config.write_text(PRICES)
    servers = shop.project / ".mcp.json"  # its size must not depend on where Python is
    times = servers.stat()
    servers.write_text(re.sub(r'"/[^"]*/([a-z_]+)[0-9.]*(\.py)?"', r'"\1\2"', servers.read_text()))
    os.utime(servers, ns=(times.st_atime_ns, times.st_mtime_ns))  # still as old as it was
    done = shop.run("compact", "--dry-run", "--no-archive", COLUMNS=str(width))
    command = [line for line in done.lines if "/compact Keep" in line]
    for line in done.lines:
        assert text_width(line) <= width or line in command
    shown = done.out.replace(str(shop.project), "/srv/shop")
    path = GOLDEN / f"compact-{width}.txt"
    if not path.exists():
        path.write_text(shown)
        pytest.fail(f"wrote {path.name}: look at it, then run again")
    assert shown == path.read_text()


@pytest.mark.parametrize("columns", [60, 66, 80])
def test_how_full_the_window_is_never_gives_way_to_its_bar(shop: Shop, columns: int) -> None:
    lines = shop.run("compact", "--dry-run", COLUMNS=str(columns)).lines
    [line] = [line for line in lines if line.startswith("Window")]
    assert line.endswith("healthy")
    assert text_width(line) <= columns


def test_a_tidy_project_is_told_in_one_line(home: Home, tmp_path: Path) -> None:
    project = tmp_path / "tidy"
    project.mkdir()
    (project / "app.py").write_text("print()\n")
    done = home.run("compact", "--project", str(project))
    assert (done.code, done.err) == (0, "")
    assert len(done.lines) == 1
    assert home.run("compact", "--project", str(project), "--only", "skills").code == 0
    assert done.lines[0].startswith("Nothing to do")


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_on_their_line(home: Home, tmp_path: Path, bad: str) -> None:
    name = as_argument(bad).replace("/", "_")[:80]
    shop = Shop(home, tmp_path / f"p-{name}")
    for path in (f".claude/rules/{name}.old.md", f"{name}.bak", f".claude/skills/{name}/SKILL.md"):
        (shop.project / path).parent.mkdir(parents=True, exist_ok=True)
        (shop.project / path).write_text(f"---\nname: {bad[:9]!r}\n---\n" * 50)
    shop.worked()
    done = shop.run("compact", "--dry-run", "--include", "scratch")
    assert not harmful(done.out + done.err)
    assert done.code in (0, 2)
    assert not harmful(shop.run("compact", "--yes").out)


# ── choosing ─────────────────────────────────────────────────────────────────────────────────────


def test_only_some_kinds_and_without_some_items(shop: Shop) -> None:
    plan = shop.ask("compact", "--dry-run", "--only", "skills,scratch")
    kinds = {row["kind"] for row in plan["rows"] if row["is_chosen"]}
    assert kinds <= {"skills", "scratch"}
    assert kinds
    [first, *_] = ids(plan, is_chosen=True)
    without = shop.ask("compact", "--dry-run", "--exclude", first)
    assert first not in ids(without, is_chosen=True)


def test_what_is_doubtful_is_done_only_when_it_is_named(shop: Shop) -> None:
    shop.add_server("payments")
    plan = shop.ask("compact", "--dry-run")
    assert "mcp-servers/payments" in ids(plan, is_chosen=False, freed_tokens=None)
    named = shop.ask("compact", "--dry-run", "--include", "mcp-servers/payments")
    assert "mcp-servers/payments" in ids(named, is_chosen=True)
    assert named["totals"]["unknown_weights"] == 1


def test_without_the_archive_old_sessions_stay(shop: Shop) -> None:
    assert "sessions/archive" in ids(shop.ask("compact", "--dry-run"))
    assert "sessions/archive" not in ids(shop.ask("compact", "--dry-run", "--no-archive"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "spoons"), "there is no kind 'spoons'"),
        (("--include", "skills/nothing"), "there is no proposal 'skills/nothing'"),
        (("--exclude", "nothing"), "there is no proposal 'nothing'"),
        (("--dry-run", "--yes"), "do not go together"),
        (("--session", "ffff"), "no session begins with 'ffff'"),
    ],
)
def test_what_cannot_be_meant_is_told(shop: Shop, words: tuple[str, ...], said: str) -> None:
    done = shop.run("compact", *words)
    assert done.code == 2
    assert said in done.err


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def test_without_a_person_it_shows_the_plan_and_refuses(shop: Shop) -> None:
    before = shop.tree()
    done = shop.run("compact")
    assert done.code == 4
    assert "Chosen:" in done.out
    assert "--yes" in done.err
    assert shop.tree() == before


@pytest.mark.parametrize(("answer", "is_done"), [("y\n", True), ("n\n", False), ("", False)])
def test_a_person_is_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: str, is_done: bool
) -> None:
    monkeypatch.setattr("tokenbudget.cli.asking.can_ask", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    before = shop.tree()
    done = shop.run("compact")
    assert done.code == 0
    assert "[y/N]" in done.err
    assert (shop.tree() != before) is is_done
    assert ("Nothing was changed." in done.out) is not is_done


@pytest.mark.parametrize("where", ["home", "above", "agent", "inside-agent"])
def test_what_is_no_project_is_left_alone(shop: Shop, where: str) -> None:
    folder = {
        "home": shop.home.path,
        "above": shop.home.path.parent,
        "agent": shop.home.claude,
        "inside-agent": shop.home.claude / "projects",
    }[where]
    before = shop.tree()
    done = shop.home.run("compact", "--yes", "--project", str(folder))
    assert done.code == 4
    assert "no project" in done.err
    assert shop.tree() == before


def test_another_users_project_is_left_alone(shop: Shop) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(shop.project, 12_345, -1)
    done = shop.run("compact", "--yes")
    assert done.code == 4
    assert "another user" in done.err


def test_from_a_folder_below_it_works_on_the_project(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.project / ".git").mkdir()
    monkeypatch.chdir(shop.project / "src")
    done = shop.home.run("compact", "--dry-run", "--json")
    assert done.json["project"] == str(shop.project)
    assert done.json["session"] == f"5e55{SESSIONS - 1:04d}"


def test_the_window_of_another_session_can_be_shown(shop: Shop) -> None:
    assert shop.ask("compact", "--dry-run", "--session", "5e550001")["session"] == "5e550001"


def test_a_folder_that_is_not_there_is_told(home: Home) -> None:
    done = home.run("compact", "--project", "/srv/nowhere/at all")
    assert done.code == 2
    assert "there is no folder" in done.err


# ── doing ────────────────────────────────────────────────────────────────────────────────────────


def test_it_does_what_is_chosen_looks_again_and_is_taken_back_to_the_byte(shop: Shop) -> None:
    state = shop.home.claude / ".claude.json"
    state.write_text('{"numStartups": 3}')
    before = shop.tree()
    done = shop.ask("compact", "--yes")
    assert done["is_done"]
    receipt = done["receipt"]
    assert receipt["faults"] == []
    assert {step["state"] for step in receipt["steps"]} <= {"done", "unchanged"}
    was, now = ({one["kind"]: one for one in receipt[when]} for when in ("before", "after"))
    for kind in ("memory-files", "skills", "agents"):
        assert now.get(kind, {"tokens": 0})["tokens"] < was[kind]["tokens"]
    assert state.read_text() == '{"numStartups": 3}'
    local = json.loads((shop.project / ".claude" / "settings.local.json").read_text())
    assert set(local["disabledMcpjsonServers"]) == set(SERVERS)
    undone = shop.undo()
    assert undone.code == 0, undone.err
    assert shop.tree() == before


def test_the_second_time_there_is_nothing_left_to_do(shop: Shop) -> None:
    assert shop.run("compact", "--yes").code == 0
    after = shop.tree()
    again = shop.ask("compact", "--yes")
    assert ids(again, is_chosen=True) == []
    assert shop.tree() == after
    assert again["last_action"]["is_measured"] is False


def test_the_receipt_names_the_action_and_what_is_left_to_measure(shop: Shop) -> None:
    done = shop.run("compact", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "Checked: every file is as it should be, and the settings can be read." in done.out
    assert "Take it back: tokens undo 1" in done.out
    assert "tokens compact --measure" in done.out


def test_one_step_that_fails_keeps_no_other_from_being_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Trash.move

    def stubborn(self: Trash, path: str, *more: Any) -> Any:
        if path.endswith("notes.txt.bak"):
            raise ProjectUnusable("notes.txt.bak will not move; look at it")
        return move(self, path, *more)

    monkeypatch.setattr(Trash, "move", stubborn)
    before = shop.tree()
    done = shop.run("compact", "--yes")
    assert done.code == 1
    assert "! notes.txt.bak will not move; look at it" in done.out
    assert (shop.project / "notes.txt.bak").exists()
    assert not (shop.project / "CLAUDE.md.bak").exists()
    local = shop.project / ".claude" / "settings.local.json"
    assert set(json.loads(local.read_text())["disabledMcpjsonServers"]) == set(SERVERS)
    monkeypatch.undo()
    assert shop.undo().code == 0
    assert shop.tree() == before


def test_settings_that_were_spoilt_afterwards_are_told(shop: Shop) -> None:
    step = EditSettings(
        str(shop.project / "settings.json"),
        (SettingEdit(("permissions", "deny"), "Read(./x)", is_member=True),),
    )
    assert [*settings_faults(step)] == [f"{step.path} cannot be read as JSON any more: " + EMPTY]
    Path(step.path).write_text('{"permissions": {"deny": ["Read(./y)"]}}')
    [fault] = settings_faults(step)
    assert fault.endswith('does not say permissions.deny: "Read(./x)"')
    Path(step.path).write_text('{"permissions": {"deny": ["Read(./y)", "Read(./x)"]}}')
    assert [*settings_faults(step)] == []


def test_without_a_journal_nothing_is_done(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    before = shop.tree()
    done = shop.run("compact", "--yes", TOKENS_HOME=str(tmp_path / "a-file" / "below"))
    assert done.code in (3, 4)
    assert shop.tree() == before


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


def test_the_next_session_proves_it(shop: Shop) -> None:
    assert shop.run("compact", "--measure").out.startswith("tokens compact has not changed")
    first = shop.offered(Talk("x")).ask("Fix part 5 of the cart.").window_tokens
    predicted = shop.ask("compact", "--yes")["totals"]["freed_tokens"]
    assert "not measured yet" in shop.run("compact", "--measure").out
    shop.home.now = NOON + timedelta(hours=2)
    next_one = Talk("5e559999", cwd=str(shop.project), begin=NOON + timedelta(hours=1))
    next_one.ask("Fix part 9 of the cart.").answer().write(shop.home, shop.clutter.slug)
    proof = shop.ask("compact", "--measure")["last_action"]
    assert proof["is_measured"]
    assert (proof["first_request_before_tokens"], proof["sessions_before"]) == (first, 3)
    assert proof["predicted_freed_tokens"] == predicted
    assert proof["measured_freed_tokens"] == first - proof["first_request_after_tokens"] > 0
    assert proof["session_after"] == "5e559999"
    said = shop.run("compact", "--measure").out
    assert f"measured: {first:,} → {proof['first_request_after_tokens']:,} tokens" in said
    assert "measured:" in shop.run("compact", "--dry-run").out
    [row] = shop.home.ask("undo", "--list")["rows"]
    assert row["measured_freed_tokens"] == proof["measured_freed_tokens"]
    listed = shop.home.run("undo", "--list", COLUMNS="200")
    assert f"{proof['measured_freed_tokens']:,}" in listed.lines[2]


# ── faults ───────────────────────────────────────────────────────────────────────────────────────


STRIDE = 17
"""Of the calls that change the disk every so manieth fails here; all of them take minutes."""


class Bed:
    """A small project that is put back for each point at which something breaks."""

    def __init__(self, top: Path) -> None:
        self._place, self._pristine = top / "now", top / "pristine"
        self._place.mkdir(parents=True)
        self.shop = Shop(Home(self._place / "home"), self._place / "shop").worked().old(1)
        for name in ("skills", "agents"):
            for extra in sorted((self.shop.project / ".claude" / name).iterdir())[2:]:
                shutil.rmtree(extra) if extra.is_dir() else extra.unlink()
        self.shop.run("compact", "--dry-run")  # everything is read and counted
        self._before = self.shop.tree()
        shutil.copytree(self._place, self._pristine)
        self._tried = 0

    def run(self) -> None:
        self.shop.run("compact", "--yes")

    def check(self, at: int) -> None:
        """Undone, everything is as it was; sometimes the same goes through then, and is undone."""
        self._check_undone(at)
        self._tried += 1
        if not self._tried % 4:
            self.run()
            assert self.shop.tree() != self._before, f"point {at}"
            self._check_undone(at)
        shutil.rmtree(self._place)
        shutil.copytree(self._pristine, self._place)

    def _check_undone(self, at: int) -> None:
        assert self.shop.undo().code in (0, 2), f"point {at}"
        assert self.shop.tree() == self._before, f"point {at}"


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path / "bed")


@pytest.mark.slow
def test_wherever_the_process_ends_undo_brings_all_back(bed: Bed) -> None:
    points = every_death(bed.run, bed.check, STRIDE)
    print(f"compact: ended at {points} points")
    assert points >= 15


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_whatever_call_fails_undo_brings_all_back(bed: Bed, code: int) -> None:
    points = every_failure(bed.run, bed.check, code, STRIDE)
    print(f"compact: failed with {errno.errorcode[code]} at {points} points")
    assert points >= 15


def test_secrets_of_the_settings_are_kept_once_and_told_to_nobody(shop: Shop) -> None:
    local = shop.project / ".claude" / "settings.local.json"
    local.write_text('{"env": {"KEY": "s3cret"}, "permissions": {"deny": []}}')
    servers = shop.project / ".mcp.json"
    servers.write_text(servers.read_text().replace('"args"', '"env": {"K": "hush-hush"}, "args"'))
    os.utime(servers, (NOON_SECONDS - 86_400 * 60,) * 2)
    told = [
        shop.run("compact", "--yes"),
        shop.home.run("undo", "--dry-run"),
        shop.home.run("undo", "--dry-run", "--json"),
        shop.undo(),
    ]
    assert [done.code for done in told] == [0] * 4
    assert not any(word in done.out for done in told for word in ("s3cret", "hush-hush"))
    files = [path for path in shop.home.config.parent.rglob("*") if path.is_file()]
    [kept] = [path for path in files if b"s3cret" in path.read_bytes()]
    assert (kept.parent.name, kept.stat().st_mode & 0o777) == ("kept", 0o600)
    assert not any(b"hush-hush" in path.read_bytes() for path in files)


def test_what_was_made_goes_with_undo_folders_too(home: Home, tmp_path: Path) -> None:
    shop = Shop(home, tmp_path / "srv" / "shop").worked()
    shutil.rmtree(shop.project / ".claude")
    assert shop.run("compact", "--yes", "--no-archive").code == 0
    assert (shop.project / ".claude" / "settings.local.json").exists()
    assert shop.undo().code == 0
    assert not (shop.project / ".claude").exists()


def test_two_at_once_do_everything_once(shop: Shop) -> None:
    before = shop.tree()
    plan = ["compact", "--project", str(shop.project), "--yes"]
    shop.run("compact", "--dry-run")
    both = [
        subprocess.Popen(
            shop.home.command(*plan),
            env=shop.home.spawn_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [one.communicate(timeout=60) for one in both]
    assert not any(
        "! " in line for out, _ in told for line in out.splitlines() if "archive" in line
    )
    assert any("Checked:" in out for out, _ in told)
    for _ in range(2):
        assert shop.undo().code == 0
    assert shop.tree() == before


def test_what_was_archived_meanwhile_stood_so_already(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is old by the time it is done: another command was quicker."""
    real, runs = Cleanup.carried_out, []

    def slow(cleanup: Cleanup, *rest: Any) -> Any:
        runs.append(cleanup)
        if len(runs) == 1:
            assert shop.run("compact", "--yes").code == 0
        return real(cleanup, *rest)

    monkeypatch.setattr(Cleanup, "carried_out", slow)
    late = shop.run("compact", "--yes")
    assert (late.code, "Done: 0 of" in late.out) == (0, True)
    assert "Take it back" not in late.out
    listed = shop.home.run("undo", "--list", COLUMNS="200").lines
    assert listed[2].endswith("nothing done")
    assert "17," not in listed[2]
