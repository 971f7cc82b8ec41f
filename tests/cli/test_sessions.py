from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import NOON, Home, Sample, response, write_lines


@pytest.fixture
def three(home: Home) -> Home:
    """Three sessions in two projects, a day apart."""
    for number, (name, cwd) in enumerate(
        [("aaa1", "/srv/shop"), ("aaa2", "/srv/shop"), ("bbb", "/srv/api")]
    ):
        at = (NOON - timedelta(days=2 - number, hours=1)).isoformat().replace("+00:00", "Z")
        home.write_session(name, response(number, at, sessionId=name, cwd=cwd))
    return home


class TestList:
    def test_shows_the_last_used_first(self, three: Home) -> None:
        rows = three.ask("sessions")["rows"]

        assert [row["session"] for row in rows] == ["bbb", "aaa2", "aaa1"]

    def test_a_row_has_the_facts_and_the_figures(self, three: Home) -> None:
        table = three.ask("sessions")

        assert table["format"] == "tokenbudget/sessions/1"
        assert table["sessions"] == 3
        assert (
            table["rows"][0]
            | {
                "project": "/srv/api",
                "git_branch": "main",
                "agent": "claude-code",
                "agent_version": "2.1.329",
                "is_transcript_gone": False,
                "total_tokens": 110,
                "requests": 1,
            }
            == table["rows"][0]
        )

    def test_adds_up_to_all_usage(self, sample: Sample) -> None:
        rows = sample.home.ask("sessions")["rows"]

        assert len(rows) == len(sample.truth.by_session)
        assert sum(row["input_tokens"] for row in rows) == sample.truth.total.input_tokens

    @pytest.mark.parametrize(
        ("options", "names"),
        [
            (["--project", "shop"], ["aaa2", "aaa1"]),
            (["--since", "yesterday"], ["bbb", "aaa2"]),
            (["--since", "2h"], ["bbb"]),
            (["--limit", "1"], ["bbb"]),
            (["--all"], ["bbb", "aaa2", "aaa1"]),
        ],
    )
    def test_limits(self, three: Home, options: list[str], names: list[str]) -> None:
        assert [row["session"] for row in three.ask("sessions", *options)["rows"]] == names

    def test_sessions_without_a_project_are_meant_by_unknown(self, three: Home) -> None:
        three.write_session("ccc", response(9, sessionId="ccc", cwd=None))

        rows = three.ask("sessions", "--project", "unknown")["rows"]

        assert [row["session"] for row in rows] == ["ccc"]

    def test_says_how_many_are_not_shown_and_how_to_see_them(self, three: Home) -> None:
        done = three.run("sessions", "--limit", "1")

        assert done.lines[-2:] == [
            "2 more: tokens sessions --all",
            "One whole: tokens sessions bbb",
        ]

    def test_all_shows_all(self, sample: Sample) -> None:
        done = sample.home.run("sessions", "--all")

        assert done.lines.index("") - 2 == len(sample.truth.by_session)

    def test_times_are_those_of_the_zone(self, three: Home) -> None:
        assert "2026-11-20 11:00" in three.run("sessions", "--tz", "UTC").out
        assert "2026-11-20 16:30" in three.run("sessions", "--tz", "Asia/Kolkata").out

    def test_a_time_without_an_offset_is_utc(self, home: Home) -> None:
        home.write_session("s1", response(1, "2026-11-20T09:00:00"))

        assert "2026-11-20 14:30" in home.run("sessions", "--tz", "Asia/Kolkata").out

    @pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "soon"])
    def test_a_time_beyond_the_calendar_is_no_error(self, home: Home, stamp: str) -> None:
        home.write_session("s1", response(1, stamp))

        for zone in ("UTC", "Pacific/Kiritimati", "America/Adak"):
            for verb in ([], ["usage"], ["sessions"], ["sessions", "s1"]):
                assert home.run(*verb, "--tz", zone).code == 0

    def test_a_deleted_transcript_is_named(self, three: Home) -> None:
        three.run("usage")
        (three.claude / "projects" / "-w" / "bbb.jsonl").unlink()

        assert "api (gone)" in three.run("sessions").out
        assert "transcript gone" in three.run("sessions", "bbb").out
        assert three.ask("sessions")["rows"][0]["is_transcript_gone"] is True

    def test_nothing_within_the_limits_says_what_to_try(self, three: Home) -> None:
        assert three.run("sessions", "--since", "0h").lines[0] == "No usage within these limits."


class TestOne:
    def test_is_found_by_its_id_its_beginning_or_last(self, three: Home) -> None:
        for wanted in ("bbb", "b", "last"):
            assert three.ask("sessions", wanted)["session"] == "bbb"

    def test_a_whole_id_wins_over_longer_ones(self, home: Home) -> None:
        for number, name in enumerate(["s", "s1"]):
            home.write_session(name, response(number, sessionId=name))

        assert home.ask("sessions", "s")["session"] == "s"

    def test_an_ambiguous_beginning_is_refused(self, three: Home) -> None:
        done = three.run("sessions", "aaa")

        assert done.code == 2
        assert "2 sessions begin with 'aaa' (aaa2, aaa1); give more of it" in done.err

    def test_shows_what_it_was_and_where_the_tokens_went(self, home: Home) -> None:
        prompt = {
            "type": "user",
            "uuid": "u1",
            "sessionId": "s1",
            "timestamp": "2026-11-20T08:59:00Z",
            "message": {"role": "user", "content": "Round the cart to cents"},
        }
        call = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
        home.write_session(
            "s1", prompt, response(1, content=[call]), response(2, model="claude-haiku-5-5")
        )

        done = home.run("sessions", "last")

        assert done.lines[0] == "Round the cart to cents"
        assert "Project    /srv/shop   branch main" in done.out
        assert "Usage      220 tokens; 2 requests" in done.out
        assert [line.split()[0] for line in done.lines[10:12]] == [
            "claude-opus-5-5",
            "claude-haiku-5-5",
        ]
        assert [line.split()[:2] for line in done.lines[-1:]] == [["Bash", "1"]]

    def test_a_title_wins_over_the_first_words(self, home: Home) -> None:
        title = {"type": "custom-title", "customTitle": "Cart rounding", "sessionId": "s1"}
        home.write_session("s1", response(1), title)

        assert home.run("sessions", "s1").lines[0] == "Cart rounding"

    def test_in_json_is_whole(self, sample: Sample) -> None:
        whole = sample.home.ask("sessions", "last")

        assert whole["format"] == "tokenbudget/session/1"
        assert (
            sum(row["total_tokens"] for row in whole["models"]) == whole["totals"]["total_tokens"]
        )
        assert sum(row["total_tokens"] for row in whole["days"]) == whole["totals"]["total_tokens"]
        assert whole["cost_usd"] == whole["totals"]["cost_usd"]
        assert whole["tools"]
        assert whole["context_tokens"] > 0

    def test_a_compaction_is_shown_with_its_time(self, home: Home) -> None:
        compaction = {
            "type": "system",
            "subtype": "compact_boundary",
            "uuid": "c1",
            "sessionId": "s1",
            "timestamp": "2026-11-20T09:30:00Z",
            "compactMetadata": {"trigger": "auto", "preTokens": 160000},
        }
        home.write_session("s1", response(1), compaction)

        assert (
            "Compact    2026-11-20 09:30 auto at 160,000 tokens" in home.run("sessions", "s1").out
        )
        assert home.ask("sessions", "s1", "--tz", "Asia/Kolkata")["compactions"] == [
            {
                "at": "2026-11-20T15:00:00.000+05:30",
                "kind": "compact",
                "trigger": "auto",
                "pre_tokens": 160000,
            }
        ]

    def test_from_a_file_works_too(self, home: Home, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "one.jsonl", [response(1)])

        assert home.ask("sessions", "last", "--from", str(path))["session"] == "s1"
