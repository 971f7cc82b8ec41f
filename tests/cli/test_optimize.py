"""`tokens optimize`: what it finds and writes, what `--apply` does, and what that really saved."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import NOON, Done, Home
from tests.cli.test_hostile_text import HOSTILE, as_argument, harmful
from tests.cli.window_sessions import Talk, words
from tests.e2e.cluttered_project import AGENTS, SERVERS, SKILLS, Clutter, clutter_up

from tokenbudget.cli.optimize import NOT_SO
from tokenbudget.model.figures import short_count, text_width
from tokenbudget.resources.instruction_lines import LINES

FILE = "OPTIMIZATION-RECOMMENDATIONS.md"
SESSIONS = 6
MEMORY = "# Shop\n\n- Be kind.\n"


def numbered(lines: int) -> str:
    """A file as the client shows it when it is read."""
    return "\n".join(f"{n:6}→{words(9)} {n}" for n in range(1, lines + 1))


class Shop:
    """A project whose sessions read one file again and again."""

    def __init__(self, home: Home, project: Path) -> None:
        self.home = home
        self.project = project
        (project / ".git").mkdir(parents=True)
        (project / "CLAUDE.md").write_text(MEMORY)

    def worked(self, first: int = 0, count: int = SESSIONS, reads: int = 4) -> Shop:
        for number in range(first, first + count):
            self.talk(number, reads).write(self.home)
        return self

    def talk(self, number: int, reads: int = 4, file: str = "src/cart.py") -> Talk:
        begin = NOON - timedelta(days=10 - number, hours=2)
        talk = Talk(f"5e55{number:04d}", cwd=str(self.project), begin=begin).ask("Fix it, please.")
        for _ in range(reads):
            talk.call("Read", numbered(120), file_path=f"{self.project}/{file}")
        for _ in range(8):
            talk.answer("And on.")
        return talk

    @property
    def file(self) -> Path:
        return self.project / FILE

    @property
    def memory(self) -> str:
        return (self.project / "CLAUDE.md").read_text()

    def run(self, *words: str, **variables: str) -> Done:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.project)
            return self.home.run("optimize", *words, **variables)

    def ask(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert (done.code, done.err) == (0, "")
        return done.json

    def row(self, drain: str = "re-read") -> Any:
        rows = [row for row in self.ask("--no-file")["rows"] if row["drain"] == drain]
        assert len(rows) == 1
        return rows[0]

    def apply(self) -> str:
        identity = str(self.row()["id"])
        done = self.run("--apply", identity, "--yes")
        assert (done.code, done.err) == (0, "")
        return identity


@pytest.fixture
def shop(home: Home, tmp_path: Path) -> Shop:
    return Shop(home, tmp_path / "home" / "shop").worked()


# ── showing ──────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_ledger_gives_a_friendly_answer(home: Home, tmp_path: Path) -> None:
    empty = Shop(home, tmp_path / "home" / "shop")
    done = empty.run()
    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == "No sessions to look at yet."
    assert "--from PATH" in done.lines[1]
    assert not empty.file.exists()
    told = empty.ask()
    assert (told["rows"], told["first_day"], told["file"]) == ([], None, None)
    assert told["totals"]["findings"] == 0


def test_the_sum_comes_first_and_each_finding_has_price_and_id(shop: Shop) -> None:
    done = shop.run()
    assert (done.code, done.err) == (0, "")
    assert "a week goes down the drain" in done.lines[0]
    assert "~/shop" in done.lines[1]
    row = next(line for line in done.lines if "src/cart.py read again 18 times" in line)
    assert "$" in row
    assert "±" in row
    assert str(shop.row()["id"]) in done.out
    assert "--dry-run shows a change before it is made" in " ".join(done.out.split())


def test_the_document_holds_every_finding_whole(shop: Shop) -> None:
    told = shop.ask()
    assert told["format"] == "tokenbudget/optimize/1"
    assert (told["sessions"], told["weeks"]) == (SESSIONS, 1.0)
    assert told["file"] == str(shop.file)
    row = shop.row()
    assert row["subject"] == f"{shop.project}/src/cart.py"
    assert (row["times"], row["sessions"], row["fix_kind"]) == (18, 6, "apply")
    assert 0 < row["tokens_per_week_error"] <= row["tokens_per_week"]
    assert float(row["usd_per_week"]) > 0
    assert {seen["line"] for seen in row["evidence"]} == {4}
    total = sum(one["tokens_per_week"] for one in told["rows"])
    assert told["totals"]["tokens_per_week"] == total < told["totals"]["billed_tokens_per_week"]


def test_one_finding_says_where_it_was_seen_and_what_to_do(shop: Shop) -> None:
    row = shop.row()
    done = shop.run(row["id"])
    assert (done.code, done.err) == (0, "")
    for label in ("Costs", "Seen", "Confidence", "Rule", "Instead", "Tip", "Fix", "Undo"):
        assert any(line.startswith(label) for line in done.lines), label
    assert f"tokens optimize --apply {row['id']}" in done.out
    assert "5e550000.jsonl:4" in done.out
    assert shop.run(row["id"].partition("/")[2]).out == done.out  # its digits are enough
    number = [one["id"] for one in shop.ask("--no-file")["rows"]].index(row["id"]) + 1
    assert shop.run(str(number)).out == done.out
    assert shop.ask(row["id"])["rows"] == [row]


def test_an_unknown_finding_is_told(shop: Shop) -> None:
    for wanted in ("re-read/000000", "99", "", "x" * 5_000, "\x1b[2J"):
        done = shop.run(f"{wanted}") if wanted else shop.run("--apply", "")
        assert done.code == 2
        assert not harmful(done.err)
        assert "tokens optimize lists them" in done.err


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(shop: Shop, width: int) -> None:
    for arguments in ((), (shop.row()["id"],), ("--list-drains",)):
        done = shop.run(*arguments, COLUMNS=str(width))
        wide = [line for line in done.lines if text_width(line) > width and "/" not in line]
        assert wide == []


def test_the_list_of_drains_can_be_read_without_a_ledger(home: Home, tmp_path: Path) -> None:
    done = home.run("optimize", "--list-drains")
    assert (done.code, done.err) == (0, "")
    told = home.ask("optimize", "--list-drains")
    assert len(told["rows"]) == 22
    for row in told["rows"]:
        assert row["drain"] in done.out
    assert not (home.config.parent / "ledger.db").exists()


def test_one_kind_alone_and_a_kind_that_is_none(shop: Shop) -> None:
    told = shop.ask("--drain", "re-read")
    assert {row["drain"] for row in told["rows"]} == {"re-read"}
    assert told["file"] is None  # a part of the findings never replaces the whole list
    assert shop.ask("--drain", "image")["rows"] == []
    done = shop.run("--drain", "magic")
    assert (done.code, done.out) == (2, "")


def test_a_period_without_the_sessions_has_no_finding(shop: Shop) -> None:
    assert shop.ask("--since", "2026-11-19", "--no-file")["rows"] == []
    assert shop.ask("--until", "2026-11-01", "--no-file")["rows"] == []
    half = shop.ask("--since", "2026-11-13", "--no-file")
    assert half["first_day"] == "2026-11-13"
    assert 0 < half["sessions"] < SESSIONS


def test_one_session_alone(shop: Shop) -> None:
    told = shop.ask("--session", "5e550002")
    assert (told["sessions"], told["file"]) == (1, None)
    (row,) = [one for one in told["rows"] if one["drain"] == "re-read"]
    assert {seen["session"] for seen in row["evidence"]} == {"5e550002"}
    assert shop.ask("--session", "last")["sessions"] == 1
    assert shop.run("--session", "nothing").code == 2
    assert shop.run("--session", "last", "--apply", "1").code == 2


def test_check_ends_with_1_above_its_limit(shop: Shop) -> None:
    assert shop.run("--check", "1000usd").code == 0
    done = shop.run("--check", "1000")
    assert done.code == NOT_SO
    assert "over the limit" in done.err
    assert shop.run("--check", "much").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--dry-run",), ("--yes",), ("x", "--apply", "y"), ("--project", "a", "--all-projects"),
        ("--output", "a", "--no-file"), ("--output", "-", "--json"),
        ("--apply", "x", "--yes", "--dry-run"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(shop: Shop, words: tuple[str, ...]) -> None:
    done = shop.run(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("tokens: ")


def test_outside_of_a_project_all_are_shown_and_no_file_is_written(
    shop: Shop, tmp_path: Path
) -> None:
    Talk("away", cwd="/srv/other", begin=NOON - timedelta(days=5)).ask().answer().write(shop.home)
    folder = tmp_path / "somewhere"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = shop.home.run("optimize")
    assert done.lines[1].startswith("all projects, for none is of this folder · ")
    assert "all projects · " in shop.home.run("optimize", "--all-projects").lines[1]
    assert list(folder.iterdir()) == []
    assert not shop.file.exists()
    named = shop.home.ask("optimize", "--project", "shop", "--no-file")
    assert named["project"] == str(shop.project)
    assert shop.home.run("optimize", "--project", "nowhere").code == 2


def test_sessions_from_elsewhere_are_shown_and_never_acted_on(shop: Shop) -> None:
    folder = str(shop.home.claude / "projects")
    told = shop.ask("--from", folder)
    assert {row["fix_kind"] for row in told["rows"]} <= {"advice", "command"}
    assert told["file"] is None
    assert shop.run("--from", folder, "--apply", "re-read/aaaaaa").code == 4


def test_redacted_nothing_of_ones_own_is_shown_and_nothing_applied(
    shop: Shop, tmp_path: Path
) -> None:
    row = shop.row()
    target = tmp_path / "shown.md"
    shown = shop.run("--redact", "--output", str(target))
    told = shop.run("--redact", "--json")
    whole = shop.run("1", "--redact")
    for text in (shown.out, told.out, whole.out, target.read_text()):
        for secret in ("cart", "shop", "5e550000", str(row["id"]), "home"):
            assert secret not in text.replace(str(target), "")
        assert "re-read" in text
    assert not shop.file.exists()
    assert shop.run("--redact", "--apply", str(row["id"])).code == 2


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def test_ticks_and_notes_stay_when_the_file_is_written_again(shop: Shop) -> None:
    first = shop.run()
    assert f"Written: {FILE}" in first.lines[-1]
    text = shop.file.read_text()
    identity = str(shop.row()["id"])
    header = next(line for line in text.splitlines() if f"`{identity}`" in line)
    noted = header.replace("- [ ]", "- [x]") + "\n  - Kim does this on Monday"
    shop.file.write_text(text.replace(header, noted))
    shop.worked(first=6, count=2)
    shop.run()
    again = shop.file.read_text()
    assert "24 times" in again
    lines = again.splitlines()
    at = next(n for n, line in enumerate(lines) if f"`{identity}`" in line)
    assert lines[at].startswith("- [x] ")
    assert "  - Kim does this on Monday" in lines[at:]
    shop.run()
    assert shop.file.read_text() == again
    assert [path.name for path in shop.project.glob("*.md")].count(FILE) == 1


def test_a_file_of_somebody_else_is_kept_beside(shop: Shop) -> None:
    mine = "My own plans\n\n- [ ] buy milk\n"
    shop.file.write_text(mine)
    done = shop.run()
    assert done.code == 0
    (kept,) = shop.project.glob("OPTIMIZATION-RECOMMENDATIONS.old-*.md")
    assert kept.read_text() == mine
    assert str(kept) in done.err
    for line in ("My own plans", "- [ ] buy milk"):
        assert line in shop.file.read_text().splitlines()
    again = shop.run()
    assert again.err == ""  # now it is ours


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00bad", b"\xef\xbb\xbf# x\r\n", b"[" * 9_000])
def test_any_old_content_is_survived(shop: Shop, content: bytes) -> None:
    shop.file.write_bytes(content)
    assert shop.run().code == 0
    assert "src/cart.py" in shop.file.read_text()
    kept = list(shop.project.glob("OPTIMIZATION-RECOMMENDATIONS.old-*.md"))
    assert [path.read_bytes() for path in kept] == ([content] if content else [])


def test_a_target_that_cannot_be_written_leaves_the_old_file_whole(
    shop: Shop, tmp_path: Path
) -> None:
    shop.run()
    before = shop.file.read_bytes()
    shop.file.chmod(0o400)
    done = shop.run()
    assert done.code == 0  # the answer is there all the same
    assert "not written" in done.err
    assert shop.file.read_bytes() == before
    named = shop.run("--output", str(shop.file))
    assert named.code in (3, 4)
    assert shop.file.read_bytes() == before
    missing = shop.run("--output", str(tmp_path / "no" / "folder.md"))
    assert missing.code == 3


def test_a_link_in_its_place_is_not_followed(shop: Shop, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    shop.file.symlink_to(victim)
    done = shop.run()
    assert "not written" in done.err
    assert victim.read_text() == "mine"


def test_another_place_standard_output_and_no_file(shop: Shop, tmp_path: Path) -> None:
    assert shop.run("--no-file").code == 0
    assert not shop.file.exists()
    target = tmp_path / "plan.md"
    assert shop.run("--output", str(target)).code == 0
    assert not shop.file.exists()
    printed = shop.run("--output", "-")
    assert printed.out == target.read_text()


# ── applying ─────────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_shows_the_whole_line_and_changes_nothing(shop: Shop) -> None:
    done = shop.run("--apply", shop.row()["id"], "--dry-run", COLUMNS="80")
    assert (done.code, done.err) == (0, "")
    assert LINES["re-read"].removeprefix("- ") in " ".join(done.out.split())
    assert done.lines[-1] == "Nothing was changed (--dry-run)."
    assert shop.memory == MEMORY
    told = shop.ask("--apply", shop.row()["id"], "--dry-run")
    assert (told["is_done"], told["rows"][0]["action"]) == (False, None)


def test_without_an_answer_nothing_is_changed(shop: Shop) -> None:
    done = shop.run("--apply", shop.row()["id"])
    assert done.code == 4
    assert shop.memory == MEMORY


@pytest.mark.parametrize("before", [MEMORY, "", "no end", "# A\r\n\r\nB\r\n", "- x\n\n"])
def test_applied_and_undone_is_as_before_byte_for_byte(shop: Shop, before: str) -> None:
    path = shop.project / "CLAUDE.md"
    path.write_bytes(before.encode())
    shop.apply()
    after = path.read_bytes().decode()
    assert LINES["re-read"] in after.splitlines()
    assert after.startswith(before)
    assert ("\r\n" in after) == ("\r\n" in before)
    assert shop.home.run("undo", "--yes").code == 0
    assert path.read_bytes() == before.encode()


def test_a_memory_file_is_made_and_goes_again(shop: Shop) -> None:
    (shop.project / "CLAUDE.md").unlink()
    shop.apply()
    assert shop.memory == LINES["re-read"] + "\n"
    assert shop.home.run("undo", "--yes").code == 0
    assert not (shop.project / "CLAUDE.md").exists()


def test_what_is_applied_is_not_offered_again(shop: Shop) -> None:
    shop.apply()
    row = shop.row()
    assert row["fix_kind"] == "advice"
    assert "CLAUDE.md says so already" in row["fix"]
    assert row["applied"]["saved_tokens_per_week"] is None
    again = shop.run("--apply", row["id"], "--yes")
    assert again.code == 4
    assert "advice" in again.err


def test_a_memory_file_that_is_a_link_or_ends_in_a_comment_is_left_alone(
    shop: Shop, tmp_path: Path
) -> None:
    path = shop.project / "CLAUDE.md"
    for text in ("# A\n<!-- not yet\n", "```\ncode\n"):
        path.write_text(text)
        assert shop.row()["fix_kind"] == "advice"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.md")
    assert shop.row()["fix_kind"] == "advice"


def test_several_fixes_are_several_actions(shop: Shop) -> None:
    for number in range(6):
        talk = shop.talk(number, file="src/cart.py")
        for _ in range(3):
            talk.call("Read", numbered(130), file_path=f"{shop.project}/src/tax.py")
        for _ in range(5):
            talk.answer("On.")
        talk.write(shop.home)
    ids = [row["id"] for row in shop.ask("--no-file")["rows"] if row["drain"] == "re-read"]
    assert len(ids) == 2
    told = shop.ask("--apply", *ids, "--yes")
    assert len(told["rows"]) == 1  # one line is the fix of both, and is added once
    whole = sum(
        row["tokens_per_week"] for row in shop.ask("--no-file", "--drain", "re-read")["rows"]
    )
    assert 0.9 * whole < told["rows"][0]["predicted_tokens_per_week"] < whole
    assert shop.memory.count(LINES["re-read"]) == 1
    again = shop.run("--no-file")
    assert again.out.count("not enough use yet") == 1  # said once, though it is about both
    assert shop.run("--apply", "1", "--dry-run").code == 4  # and there is nothing left to apply


# ── what it really saved ─────────────────────────────────────────────────────────────────────────


def later(shop: Shop, days: int, first: int, count: int, reads: int) -> Done:
    """So many sessions after the fix, and the answer some days after it."""
    shop.worked(first, count, reads)
    shop.home.now = NOON + timedelta(days=days)
    return shop.run(COLUMNS="120")


def test_a_week_of_use_later_it_says_what_was_saved(shop: Shop) -> None:
    identity = shop.apply()
    predicted = shop.row()["applied"]["predicted_tokens_per_week"]
    assert 0.95 * shop.row()["tokens_per_week"] < predicted < shop.row()["tokens_per_week"]
    early = later(shop, 3, first=11, count=3, reads=1)
    assert "not enough use yet to measure it (3 days)" in early.out
    late = later(shop, 8, first=14, count=5, reads=1)
    assert "saved" in late.out
    (applied,) = shop.ask("--no-file")["applied"]
    assert (applied["finding"], applied["subject"]) == (identity, None)
    assert applied["after_tokens_per_week"] == 0
    assert 0 < applied["saved_tokens_per_week"] < applied["before_tokens_per_week"]
    assert 0 < applied["saved_tokens_per_week_error"] < applied["saved_tokens_per_week"]
    assert float(applied["saved_usd_per_week"]) > 0
    assert f"foretold were {short_count(predicted)}" in " ".join(late.out.split())


def test_a_fix_that_the_agent_did_not_heed_saved_nothing(shop: Shop) -> None:
    shop.apply()
    done = later(shop, 8, first=11, count=7, reads=4)
    assert "costs more since" in done.out  # its own tokens, and nothing was saved
    (applied,) = shop.ask("--no-file")["applied"]
    difference = applied["before_tokens_per_week"] - applied["after_tokens_per_week"]
    assert difference == pytest.approx(0, abs=applied["before_tokens_per_week"] / 100)
    assert -0.1 * applied["before_tokens_per_week"] < applied["saved_tokens_per_week"] < 0


def test_a_fix_that_was_taken_back_says_so(shop: Shop) -> None:
    shop.apply()
    assert shop.home.run("undo", "--yes").code == 0
    done = later(shop, 8, first=11, count=5, reads=4)
    assert "undone after 0 days" in done.out
    assert shop.row()["fix_kind"] == "apply"  # and can be applied again
    assert shop.row()["applied"]["is_undone"] is True


# ── what every request carries ───────────────────────────────────────────────────────────────────


@pytest.fixture
def cluttered(home: Home, tmp_path: Path) -> Shop:
    project = tmp_path / "home" / "clutter"
    shop = Shop(home, project)
    (project / "CLAUDE.md").unlink()
    home.claude.mkdir()
    clutter: Clutter = clutter_up(project, home.claude, round(NOON.timestamp()))
    for number in range(SESSIONS):
        begin = NOON - timedelta(days=SESSIONS - number, hours=1)
        talk = Talk(f"5e55{number:04d}", cwd=str(project), begin=begin)
        blocks = [words(40) for _ in SERVERS]
        added = {"addedNames": list(SERVERS), "addedBlocks": blocks}
        talk.attach("mcp_instructions_delta", "\n".join(blocks), **added)
        talk.attach("skill_listing", words(900))
        text = (project / "CLAUDE.md").read_text()
        talk.attach("nested_memory", text, path=str(project / "CLAUDE.md"))
        talk.ask(f"Fix part {number}.").answer("Done.").write(home, clutter.slug)
    return shop


def test_unused_servers_skills_and_doubled_words_are_findings(cluttered: Shop) -> None:
    rows = cluttered.ask("--no-file")["rows"]
    kinds = {row["drain"] for row in rows}
    assert {"mcp-server", "skill", "duplicate-instruction"} <= kinds
    servers = [row for row in rows if row["drain"] == "mcp-server"]
    assert {row["subject"] for row in servers} == set(SERVERS)
    for row in servers:
        assert "6 sessions of the last 30 days" in row["confidence_reason"]
        assert "sessions" in row["evidence"][0]["detail"]
        assert row["window_tokens"] > 0
        assert row["tokens_per_week"] > 0


def test_unused_skills_and_agents_are_one_finding_and_one_fix(cluttered: Shop) -> None:
    (row,) = [one for one in cluttered.ask("--no-file")["rows"] if one["drain"] == "skill"]
    assert row["subject"] == f"{len(SKILLS)} skills and {len(AGENTS)} agents"
    assert row["title"] == f"{row['subject']} were not used in 6 sessions"
    carried = f"{row['window_tokens']:,} tokens a request"
    assert carried in cluttered.run().out  # and so it is in the file
    assert f"  - Carried: {carried}\n" in cluttered.file.read_text()
    assert "and 23 more" in row["evidence"][0]["detail"]
    local = cluttered.project / ".claude" / "settings.local.json"
    before = local.read_bytes() if local.exists() else None
    assert cluttered.run("--apply", "skill", "--yes").code == 0
    assert set(SKILLS) <= set(json.loads(local.read_text())["skillOverrides"])
    assert cluttered.ask("--no-file", "--drain", "skill")["rows"] == []
    assert cluttered.home.run("undo", "--yes").code == 0
    assert (local.read_bytes() if local.exists() else None) == before
    (again,) = [one for one in cluttered.ask("--no-file")["rows"] if one["drain"] == "skill"]
    assert again["id"] == row["id"]


def test_a_server_is_switched_off_and_on_again(cluttered: Shop) -> None:
    rows = cluttered.ask("--no-file", "--drain", "mcp-server")["rows"]
    row = next(one for one in rows if one["fix_kind"] == "apply")
    local = cluttered.project / ".claude" / "settings.local.json"
    before = local.read_bytes() if local.exists() else None
    done = cluttered.run("--apply", row["id"], "--yes")
    assert (done.code, done.err) == (0, "")
    assert row["subject"] in json.loads(local.read_text())["disabledMcpjsonServers"]
    left = cluttered.ask("--no-file", "--drain", "mcp-server")
    assert row["id"] not in {one["id"] for one in left["rows"]}
    (applied,) = left["applied"]
    assert applied["finding"] == row["id"]
    assert "Applied before" in cluttered.run("--no-file").out
    assert cluttered.home.run("undo", "--yes").code == 0
    assert (local.read_bytes() if local.exists() else None) == before


def test_what_a_server_really_weighed_is_told_by_how_sessions_begin_since(cluttered: Shop) -> None:
    rows = cluttered.ask("--no-file", "--drain", "mcp-server")["rows"]
    row = next(one for one in rows if one["fix_kind"] == "apply")
    assert cluttered.run("--apply", row["id"], "--yes").code == 0
    for number in range(4):
        talk = Talk(
            f"1a7e{number:04d}", cwd=str(cluttered.project), begin=NOON + timedelta(days=number + 1)
        )
        talk.ask("Go on.").answer("Done.").write(cluttered.home)
    cluttered.home.now = NOON + timedelta(days=8)
    (applied,) = cluttered.ask("--no-file")["applied"]
    assert applied["saved_tokens_per_week"] > 0
    assert applied["before_tokens_per_week"] > applied["after_tokens_per_week"]
    assert "Measured" in cluttered.home.run("undo", "--list").out


def test_of_a_project_that_is_not_here_the_transcripts_tell(home: Home, tmp_path: Path) -> None:
    gone = "/nowhere/shop"
    for number in range(SESSIONS):
        talk = Talk(f"5e55{number:04d}", cwd=gone, begin=NOON - timedelta(days=number, hours=2))
        added = {"addedNames": ["we]ird\x1b[31m`name`"], "addedBlocks": [words(400)]}
        talk.attach("mcp_instructions_delta", words(400), **added)
        talk.attach("skill_listing", words(900)).ask("Fix it.")
        for _ in range(9):
            talk.answer("And on.")
        talk.write(home)
    done = home.run("optimize", "--json", "--all-projects")
    rows = {row["drain"]: row for row in done.json["rows"]}
    server = rows["mcp-server"]
    assert server["subject"] == "we_ird__31m_name_"
    assert (server["sessions"], server["project"], server["fix_kind"]) == (6, gone, "command")
    assert 0 < float(server["usd_in_period"]) < float(rows["skill"]["usd_in_period"])
    assert "every skill" in rows["skill"]["title"]
    assert home.run("optimize", "--apply", server["id"], "--yes").code == 4


# ── hostile texts ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_paths_reach_no_output(home: Home, tmp_path: Path, name: str) -> None:
    bad = HOSTILE[name]
    shop = Shop(home, tmp_path / "home" / "shop")
    for number in range(3):
        talk = shop.talk(number, file=f"src/{bad}<script>`${{x}}|@all.py")
        talk.titled(bad).write(home)
    done = shop.run()
    assert done.code == 0
    assert not harmful(done.out + done.err)
    written = shop.file.read_text()
    assert not harmful(written)
    for sign in ("<script>", "${", "|@", "@all"):
        assert sign not in written
    for row in shop.ask("--no-file")["rows"]:
        assert not harmful(shop.run(row["id"]).out)
        assert not harmful(shop.run("--apply", row["id"], "--dry-run").out)


def test_hostile_arguments_are_told_inert(shop: Shop) -> None:
    for bad in HOSTILE.values():
        for option in ("--project", "--drain", "--since", "--apply", "--output"):
            done = shop.run(option, as_argument(bad))
            assert not harmful(done.err)
            assert done.code in (0, 2, 3, 4)
    assert sorted(os.listdir(shop.project))
