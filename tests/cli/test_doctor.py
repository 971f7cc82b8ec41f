import os
from pathlib import Path

import pytest
from tests.cli.conftest import Home, Sample, response

from tokenbudget.gateway.statusline_reports import count_lost


@pytest.fixture
def damaged(home: Home) -> Home:
    """A session with two lines that are none."""
    path = home.write_session("s1", response(1), response(2))
    with path.open("ab") as handle:
        handle.write(b"no json\n[1, 2]\n")
    return home


def test_says_first_how_it_stands(damaged: Home) -> None:
    assert damaged.run("doctor").lines[0] == (
        "1 transcript read, 2 responses; 2 lines passed over."
    )


def test_says_so_when_nothing_is_doubtful(home: Home) -> None:
    home.write_session("s1", response(1))

    assert home.run("doctor").lines[0] == (
        "1 transcript read, 1 response: nothing in the transcripts is doubtful."
    )


def test_shows_where_each_problem_is(damaged: Home) -> None:
    problems = damaged.ask("doctor")["problems"]

    size = (damaged.claude / "projects/-w/s1.jsonl").stat().st_size
    assert [problem["byte_offset"] for problem in problems] == [size - 15, size - 7]
    assert "~/.claude/projects/-w/s1.jsonl" in damaged.run("doctor").out


def test_says_how_many_problems_are_not_shown(damaged: Home) -> None:
    done = damaged.run("doctor", "--problems", "1")

    assert "1 more: tokens doctor --problems N" in done.lines
    assert "more:" not in damaged.run("doctor").out


def test_names_folders_that_are_not_there(damaged: Home) -> None:
    lines = damaged.run("doctor").lines

    assert "  Looked in    ~/.claude" in lines
    assert "               ~/.config/claude (not there)" in lines


def test_looks_where_it_is_told_to(damaged: Home, tmp_path: Path) -> None:
    report = damaged.ask("doctor", "--from", str(damaged.claude))

    assert report["folders"] == [str(damaged.claude)]
    assert report["ledger"] == ""


def test_counts_what_the_sample_is_known_to_hold(sample: Sample) -> None:
    files = sample.home.ask("doctor")["files"]

    assert files["files"] == sample.truth.files
    assert files["unknown_responses"] == sample.truth.total.requests_without_usage
    assert files["responses"] == sample.truth.total.requests


def test_estimates_output_that_is_too_low(home: Home) -> None:
    words = [{"type": "text", "text": "x" * 1400}]
    home.write_session("s1", response(1, stop_reason=None, content=words))

    row = home.ask("doctor")["low_confidence"][0]

    assert row["output_tokens"] == 10
    assert 1000 <= row["estimated_output_tokens"] <= 1050
    assert f"~{row['estimated_output_tokens']:,}" in home.run("doctor").out


def test_names_models_without_a_price(home: Home) -> None:
    home.write_session("s1", response(1, model="mystery-1"))

    assert home.ask("doctor")["unpriced_models"] == ["mystery-1"]
    assert (
        "? 110 tokens have no price and are not in the cost: mystery-1." in home.run("doctor").out
    )


def test_rebuild_gives_the_same_totals(sample: Sample, tmp_path: Path) -> None:
    own = str(tmp_path / "own")
    before = sample.home.ask("usage", TOKENS_HOME=own)["totals"]

    rebuilt = sample.home.ask("doctor", "--rebuild", TOKENS_HOME=own)

    assert rebuilt["files"]["files"] == sample.truth.files
    assert sample.home.ask("usage", TOKENS_HOME=own)["totals"] == before


def test_after_a_damaged_ledger_the_verdict_is_about_the_transcripts(home: Home) -> None:
    home.write_session("s1", response(1))
    home.config.parent.mkdir()
    home.config.with_name("ledger.db").write_bytes(b"no ledger" * 1000)

    done = home.run("doctor", "--rebuild")

    assert "the ledger was damaged" in done.err
    assert done.lines[0].endswith(": nothing in the transcripts is doubtful.")


def test_a_rebuild_takes_the_zone(home: Home) -> None:
    home.write_session("s1", response(1))

    assert home.run("doctor", "--rebuild", "--tz", "Asia/Kolkata").code == 0
    done = home.run("doctor", "--rebuild", "--tz", "Middle/Earth")
    assert (done.code, done.err) == (
        2,
        "tokens: 'Middle/Earth' is no time zone; use an IANA name such as Europe/Berlin\n",
    )


class TestCopies:
    @pytest.fixture
    def session(self, home: Home) -> Path:
        return home.write_session("s1", response(1), response(2))

    @staticmethod
    def copied(home: Home) -> int:
        return int(home.ask("doctor")["files"]["copied_responses"])

    def test_a_fork_is_a_copy(self, home: Home, session: Path) -> None:
        home.write_session("s2", response(1, sessionId="s2"))

        assert self.copied(home) == 1
        assert "1  stand in several files" in home.run("doctor").out

    def test_a_fork_that_is_gone_is_none(self, home: Home, session: Path) -> None:
        fork = home.write_session("s2", response(1, sessionId="s2"))
        assert self.copied(home) == 1
        fork.unlink()

        assert self.copied(home) == 0

    @pytest.mark.parametrize("folder", ["-a", "-z"])
    @pytest.mark.parametrize("more", [b"", b"{}\n"])
    def test_a_moved_file_is_none(
        self, home: Home, session: Path, folder: str, more: bytes
    ) -> None:
        assert self.copied(home) == 0
        moved = session.parents[1] / folder / session.name
        moved.parent.mkdir()
        session.rename(moved)
        with moved.open("ab") as handle:
            handle.write(more)

        assert self.copied(home) == 0
        assert "0 of them also stand" in home.ask("usage", "--compare")["compare"]

    def test_a_file_seen_through_two_folders_is_none(self, home: Home, session: Path) -> None:
        second = home.path / "second"
        (second / "projects" / "-w").mkdir(parents=True)
        (second / "projects" / "-w" / session.name).hardlink_to(session)
        home.variables["CLAUDE_CONFIG_DIR"] = f"{home.claude},{second}"

        files = home.ask("doctor")["files"]

        assert (files["files"], files["copied_responses"]) == (2, 0)


def test_a_file_that_may_not_be_read_is_named(home: Home) -> None:
    home.write_session("s1", response(1))
    path = home.write_session("s2", response(2, sessionId="s2"))
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser reads everything
        path.unlink()
        path.parent.joinpath("s2.jsonl").mkdir()
        path.parent.joinpath("loop").symlink_to("loop")

    report = home.run("doctor", "--json").json

    assert len(report["unreadable"]) + len(report["problems"]) >= 1
    assert home.run("doctor").lines[0].startswith("1 transcript read, 1 response; 1 file could not")


def test_lost_reports_of_the_status_line_are_told(home: Home) -> None:
    home.write_session("s1", response(1))
    assert "status line" not in home.run("doctor").out
    count_lost(str(home.config.parent), 12, 1)
    assert "Up to 12 reports of the status line" in " ".join(home.run("doctor").out.split())
    assert home.ask("doctor")["lost_statusline_reports"] == 12
