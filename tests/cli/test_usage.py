import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home, Sample, response, write_lines

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
)
SUMMED = (*TOKENS, "total_tokens", "requests", "unpriced_tokens", "unknown_usage_requests")
PAIRS = ("day,model", "model,day", "project,model", "session,agent", "block,model", "month,week")


def total(table: Any) -> int:
    """All tokens of a table."""
    return int(table["totals"]["total_tokens"])


@pytest.fixture
def week(home: Home) -> Home:
    """A response a day, the tokens of each a power of ten."""
    home.write_session(
        "s1",
        response(1, "2026-11-16T09:00:00Z", usage={"input_tokens": 1, "output_tokens": 0}),
        response(2, "2026-11-17T09:30:00Z", usage={"input_tokens": 10, "output_tokens": 0}),
    )
    home.write_session(
        "s2",
        response(
            3,
            "2026-11-18T23:30:00Z",
            usage={"input_tokens": 100, "output_tokens": 0},
            sessionId="s2",
            cwd="/srv/tools/shop-admin",
            model="claude-haiku-5-5",
        ),
        response(
            4,
            "2026-11-20T11:00:00Z",
            usage={"input_tokens": 1000, "output_tokens": 0},
            sessionId="s2",
            cwd="/srv/tools/shop-admin",
            model="claude-haiku-5-5",
        ),
    )
    return home


class TestGroupings:
    @pytest.mark.parametrize(
        "by", ["day", "week", "month", "session", "model", "project", "agent", "block", *PAIRS]
    )
    def test_rows_add_up_to_the_totals_and_to_the_truth(self, sample: Sample, by: str) -> None:
        table = sample.home.ask("usage", "--by", by, "--tz", "UTC")

        for name in SUMMED:
            assert sum(row[name] for row in table["rows"]) == table["totals"][name]
        assert total(table) == sum(table["totals"][name] for name in TOKENS)
        assert {name: table["totals"][name] for name in TOKENS} == {
            name: getattr(sample.truth.total, name) for name in TOKENS
        }

    @pytest.mark.parametrize("by", ["day", "session", "block", "day,model"])
    def test_costs_add_up_exactly(self, sample: Sample, by: str) -> None:
        table = sample.home.ask("usage", "--by", by)

        costs = [Decimal(row["cost_usd"]) for row in table["rows"]]
        assert sum(costs) == Decimal(table["totals"]["cost_usd"])

    @pytest.mark.parametrize("by", ["day", "model", "session"])
    def test_every_row_is_the_truth_of_its_label(self, sample: Sample, by: str) -> None:
        table = sample.home.ask("usage", "--by", by, "--tz", "UTC")

        truth = {
            "day": sample.truth.by_utc_day,
            "model": sample.truth.by_model,
            "session": sample.truth.by_session,
        }[by]
        found = {row[by]: [row[name] for name in TOKENS] for row in table["rows"]}
        assert found == {
            label: [getattr(tokens, name) for name in TOKENS] for label, tokens in truth.items()
        }

    def test_a_row_is_flat_and_named_after_its_grouping(self, sample: Sample) -> None:
        table = sample.home.ask("usage", "--by", "day,model")

        assert table["format"] == "tokenbudget/usage/1"
        assert table["by"] == ["day", "model"]
        for row in table["rows"]:
            assert list(row)[:2] == ["day", "model"]
            assert set(row) == {"day", "model", *table["totals"]}
            assert not [value for value in row.values() if isinstance(value, (dict, list))]

    def test_the_figures_have_their_public_names(self, sample: Sample) -> None:
        totals = sample.home.ask("usage")["totals"]

        assert set(totals) >= {*TOKENS, "total_tokens", "requests", "cost_usd", "unpriced_tokens"}
        assert isinstance(totals["cost_usd"], str)

    def test_a_pair_of_groupings_in_other_order_has_the_same_rows(self, sample: Sample) -> None:
        tables = [sample.home.ask("usage", "--by", by) for by in ("day,model", "model,day")]

        found = [{(row["day"], row["model"]): row["cost_usd"] for row in t["rows"]} for t in tables]
        assert found[0] == found[1]

    @pytest.mark.parametrize(
        ("by", "labels"),
        [
            ("day", ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-20"]),
            ("week", ["2026-11-16"]),
            ("month", ["2026-11"]),
            ("session", ["s2", "s1"]),
            ("model", ["claude-haiku-5-5", "claude-opus-5-5"]),
            ("project", ["/srv/tools/shop-admin", "/srv/shop"]),
            ("agent", ["claude-code"]),
            (
                "block",
                [
                    "2026-11-16T09:00+00:00",
                    "2026-11-17T09:00+00:00",
                    "2026-11-18T23:00+00:00",
                    "2026-11-20T11:00+00:00",
                ],
            ),
        ],
    )
    def test_labels_and_their_order(self, week: Home, by: str, labels: list[str]) -> None:
        table = week.ask("usage", "--by", by)

        assert [row[by] for row in table["rows"]] == labels

    def test_periods_come_oldest_first_and_others_dearest_first(self, sample: Sample) -> None:
        days = [row["day"] for row in sample.home.ask("usage")["rows"]]
        costs = [
            Decimal(row["cost_usd"]) for row in sample.home.ask("usage", "--by", "session")["rows"]
        ]

        assert days == sorted(days)
        assert costs == sorted(costs, reverse=True)

    def test_what_has_no_time_stands_under_unknown(self, home: Home) -> None:
        home.write_session("s1", response(1, "no time at all"))

        labels = {
            by: home.ask("usage", "--by", by)["rows"][0][by]
            for by in ("day", "week", "month", "block")
        }
        assert set(labels.values()) == {"unknown"}

    @pytest.mark.parametrize(
        ("by", "said"),
        [
            ("colour", "cannot group by 'colour'"),
            ("", "one or more"),
            ("day,day", "different"),
            ("day,block", "a block may span two days"),
        ],
    )
    def test_an_impossible_grouping_is_refused(self, home: Home, by: str, said: str) -> None:
        done = home.run("usage", "--by", by)

        assert done.code == 2
        assert said in done.err
        assert done.err.count("\n") == 1


class TestBlocks:
    @pytest.fixture
    def busy(self, home: Home) -> Home:
        """A window from 9 to 14, with another project's, model's and session's work at 12."""
        other = {"sessionId": "s2", "cwd": "/srv/api", "model": "claude-haiku-5-5"}
        home.write_session(
            "s1", response(1, "2026-11-20T09:10:00Z"), response(3, "2026-11-20T14:00:00Z")
        )
        home.write_session("s2", response(2, "2026-11-20T12:30:00Z", **other))
        return home

    @pytest.mark.parametrize(
        "limits",
        [
            ["--model", "haiku"],
            ["--project", "api"],
            ["--session", "s2"],
            ["--since", "2026-11-20T12:00", "--until", "2026-11-20T13:00"],
            ["--since", "2026-11-20T12:15", "--until", "2026-11-20T12:45"],
        ],
    )
    @pytest.mark.parametrize("by", ["block", "block,model", "session,block"])
    def test_limits_do_not_move_the_windows(self, busy: Home, by: str, limits: list[str]) -> None:
        rows = busy.ask("usage", "--by", by, *limits)["rows"]

        assert [row["block"] for row in rows] == ["2026-11-20T09:00+00:00"]
        assert rows[0]["total_tokens"] == 110

    def test_a_label_has_its_offset_and_the_table_has_none(self, busy: Home) -> None:
        options = ("usage", "--by", "block", "--tz", "Asia/Kolkata")

        labels = [row["block"] for row in busy.ask(*options)["rows"]]
        shown = [line[:18].rstrip() for line in busy.run(*options).lines[2:4]]

        assert labels == ["2026-11-20T14:30+05:30", "2026-11-20T19:30+05:30"]
        assert shown == ["2026-11-20 14:30", "2026-11-20 19:30"]


class TestTime:
    @pytest.mark.parametrize("limit", [["--since", "0001-01-01"], ["--until", "today"]])
    def test_limits_leave_out_what_has_no_time(self, home: Home, limit: list[str]) -> None:
        home.write_session("s1", response(1, "no time at all"), response(2))

        assert total(home.ask("usage")) == 220
        assert total(home.ask("usage", *limit)) == 110

    @pytest.mark.parametrize(
        ("limits", "tokens"),
        [
            (["--since", "2026-11-17"], 1110),
            (["--until", "2026-11-17"], 11),
            (["--since", "2026-11-17", "--until", "2026-11-18"], 110),
            (["--since", "2026-11-17T09:30"], 1110),
            (["--until", "2026-11-17T09:30"], 1),
            (["--since", "2026-11-17T10:31+01:00"], 1100),
            (["--since", "2026-11-17T10:30+01:00"], 1110),
            (["--since", "today"], 1000),
            (["--until", "yesterday"], 111),
            (["--since", "2d"], 1100),
            (["--since", "1h"], 1000),
            (["--since", "0h"], 0),
            (["--since", "1w"], 1111),
            (["--since", "999999999w"], 1111),
            (["--until", "9999-12-31"], 1111),
            (["--since", "0001-01-01"], 1111),
        ],
    )
    def test_limits(self, week: Home, limits: list[str], tokens: int) -> None:
        assert total(week.ask("usage", *limits)) == tokens

    @pytest.mark.parametrize(
        "text", ["tomorrow-ish", "", "7x", "²d", "9999999999999d", "2026-13-01", "2026-11-17T25:00"]
    )
    def test_what_is_no_time_is_refused_with_examples(self, home: Home, text: str) -> None:
        done = home.run("usage", "--since", text)

        assert done.code == 2
        assert done.err == (
            f"tokens: '{text}' is no time;"
            " write 2026-11-20, 2026-11-20T09:30, today, yesterday or 7d\n"
        )

    @pytest.mark.parametrize(
        ("zone", "day"),
        [
            ("UTC", "2026-11-18"),
            ("Europe/Berlin", "2026-11-19"),
            ("America/Los_Angeles", "2026-11-18"),
            ("Asia/Kolkata", "2026-11-19"),
            ("Pacific/Auckland", "2026-11-19"),
        ],
    )
    def test_days_are_those_of_the_zone(self, week: Home, zone: str, day: str) -> None:
        table = week.ask("usage", "--tz", zone, "--model", "haiku")

        assert table["timezone"] == zone
        assert table["rows"][0]["day"] == day

    def test_without_a_zone_days_are_those_of_the_machine(self, week: Home) -> None:
        done = week.spawn("usage", "--json", "--model", "haiku", TZ="Pacific/Auckland")

        assert done.json["timezone"] == "local"
        assert done.json["rows"][0]["day"] == "2026-11-19"

    def test_local_overrules_the_configured_zone(self, week: Home) -> None:
        limits = ("--model", "haiku", "--until", "2026-11-19")

        configured = week.ask("usage", *limits, TOKENS_TZ="Europe/Berlin")
        local = week.ask("usage", *limits, "--tz", "local", TOKENS_TZ="Europe/Berlin")

        assert [t["rows"][0]["day"] for t in (configured, local)] == ["2026-11-19", "2026-11-18"]

    @pytest.mark.parametrize("zone", ["Middle/Earth", "../../etc/passwd", "Europe", "\0"])
    def test_what_is_no_zone_is_refused(self, home: Home, zone: str) -> None:
        done = home.run("usage", "--tz", zone)

        assert done.code == 2
        assert "is no time zone; use an IANA name" in done.err


class TestFilters:
    @pytest.mark.parametrize(
        ("option", "name", "tokens"),
        [
            ("--project", "/srv/shop", 11),
            ("--project", "/srv/shop/", 11),
            ("--project", "shop", 11),
            ("--project", "SHOP-ADMIN", 1100),
            ("--project", "srv", 1111),
            ("--project", "tools/", 1100),
            ("--model", "claude-haiku-5-5", 1100),
            ("--model", "opus", 11),
            ("--agent", "claude-code", 1111),
            ("--agent", "claude", 1111),
            ("--session", "s1", 11),
            ("--session", "last", 1100),
        ],
    )
    def test_a_name_is_the_whole_the_last_part_or_a_part(
        self, week: Home, option: str, name: str, tokens: int
    ) -> None:
        assert total(week.ask("usage", option, name)) == tokens

    def test_a_filter_may_be_given_twice(self, week: Home) -> None:
        assert total(week.ask("usage", "--model", "opus", "--model", "haiku")) == 1111

    def test_what_names_no_project_is_meant_by_unknown(self, week: Home) -> None:
        week.write_session("s3", response(5, sessionId="s3", cwd=None))

        listed = week.ask("usage", "--by", "project")["rows"]
        table = week.ask("usage", "--by", "project", "--project", "unknown")

        assert table["rows"] == [row for row in listed if row["project"] == "unknown"]
        assert total(table) == 110
        assert total(week.ask("usage", "--project", "Unknown", "--project", "shop")) == 121

    def test_a_part_of_unknown_means_no_project(self, week: Home) -> None:
        week.write_session("s3", response(5, sessionId="s3", cwd=None))

        assert week.run("usage", "--project", "know").code == 2

    def test_filters_narrow_each_other(self, week: Home) -> None:
        assert total(week.ask("usage", "--model", "opus", "--project", "shop-admin")) == 0

    @pytest.mark.parametrize("kind", ["project", "model", "agent"])
    def test_an_unknown_name_says_which_command_lists_them(self, week: Home, kind: str) -> None:
        done = week.run("usage", f"--{kind}", "nowhere")

        assert done.code == 2
        assert (
            done.err
            == f"tokens: no {kind} is named 'nowhere'; tokens usage --by {kind} lists them\n"
        )

    def test_an_unknown_session_says_which_command_lists_them(self, week: Home) -> None:
        done = week.run("usage", "--session", "zzz")

        assert (done.code, done.err) == (
            2,
            "tokens: no session begins with 'zzz'; tokens sessions lists them\n",
        )

    def test_an_ambiguous_session_shows_the_candidates(self, week: Home) -> None:
        done = week.run("usage", "--session", "s")

        assert done.code == 2
        assert "2 sessions begin with 's' (s2, s1); give more of it" in done.err

    def test_no_session_at_all_says_so(self, home: Home) -> None:
        assert "there is no session yet" in home.run("usage", "--session", "last").err

    def test_the_output_says_what_it_is_limited_to(self, week: Home) -> None:
        table = week.ask("usage", "--model", "opus", "--since", "2026-11-16")

        assert (table["since"], table["until"]) == ("2026-11-16", None)
        assert table["filters"] == {"project": None, "model": ["opus"], "agent": None}


class TestCheck:
    @pytest.mark.parametrize(
        ("limit", "code"),
        [
            ("1111", 0),
            ("1110", 1),
            ("1.111K", 0),
            ("1.1k", 1),
            ("1_111 tokens", 0),
            ("2M", 0),
            ("1e300", 0),
            ("$1", 0),
            ("0usd", 1),
            ("0.000594usd", 0),
            ("$0.000593", 1),
        ],
    )
    def test_exit_code_says_whether_the_limit_holds(
        self, week: Home, limit: str, code: int
    ) -> None:
        week.config.parent.mkdir()
        week.config.write_text(
            '[prices."claude-opus-5-5"]\ninput = 4\n[prices."claude-haiku-5-5"]\ninput = 0.5\n'
        )

        done = week.run("usage", "--check", limit)

        assert done.code == code
        assert ("over the limit" in done.err) == bool(code)

    def test_the_excess_is_told_exactly(self, week: Home) -> None:
        assert week.run("usage", "--check", "1,110").err == (
            "tokens: over the limit: 1,111 of 1,110 tokens\n"
        )

    def test_the_table_is_printed_all_the_same(self, week: Home) -> None:
        assert total(week.run("usage", "--json", "--check", "0").json) == 1111

    @pytest.mark.parametrize(
        "limit", ["", "much", "-1", "nan", "inf", "usd", "12eur", "1e", "$-1", "1e999999999"]
    )
    def test_an_impossible_amount_is_refused(self, home: Home, limit: str) -> None:
        done = home.run("usage", f"--check={limit}")

        assert done.code == 2
        assert done.err == (
            f"tokens: --check takes an amount such as 25usd, $25, 2000000 or 2M, not '{limit}'\n"
        )

    def test_tokens_without_a_price_are_named(self, home: Home) -> None:
        home.write_session("s1", response(1, model="mystery-1"))

        done = home.run("usage", "--check", "1usd")

        assert (done.code, done.err) == (
            0,
            "tokens: 110 tokens have no price and are not in the check\n",
        )


class TestFrom:
    def test_a_file(self, home: Home, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "one.jsonl", [response(1)])

        assert total(home.ask("usage", "--from", str(path))) == 110

    def test_a_folder_of_any_layout(self, home: Home, tmp_path: Path) -> None:
        write_lines(tmp_path / "any" / "deep" / "one.jsonl", [response(1)])
        write_lines(tmp_path / "any" / "two.jsonl", [response(2)])

        assert total(home.ask("usage", "--from", str(tmp_path / "any"))) == 220

    def test_several_count_a_response_once(self, home: Home, tmp_path: Path) -> None:
        one = write_lines(tmp_path / "one.jsonl", [response(1), response(2)])
        two = write_lines(tmp_path / "two.jsonl", [response(2), response(3)])

        assert total(home.ask("usage", "--from", str(one), "--from", str(two))) == 330

    def test_the_same_folder_twice_counts_once(self, home: Home, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "one.jsonl", [response(1)])

        assert total(home.ask("usage", "--from", str(path), "--from", str(tmp_path))) == 110

    def test_the_ledger_stays_as_it_is(self, home: Home, tmp_path: Path) -> None:
        path = write_lines(tmp_path / "one.jsonl", [response(1)])
        home.run("usage", "--from", str(path))

        assert total(home.ask("usage")) == 0

    def test_what_is_not_there_is_unreadable_input(self, home: Home, tmp_path: Path) -> None:
        done = home.run("usage", "--from", str(tmp_path / "missing"))

        assert done.code == 3
        assert done.out == ""
        assert done.err.startswith(f"tokens: cannot read {tmp_path / 'missing'} (No such file")


class TestOutput:
    def test_a_file_gets_what_a_pipe_would(self, sample: Sample, tmp_path: Path) -> None:
        path = tmp_path / "report.txt"
        done = sample.home.run("usage", "--output", str(path))

        assert (done.code, done.out) == (0, "")
        assert path.read_text() == sample.home.run("usage").out

    def test_a_dash_is_standard_output(self, sample: Sample) -> None:
        assert sample.home.run("usage", "--output", "-") == sample.home.run("usage")

    def test_json_goes_there_too(self, sample: Sample, tmp_path: Path) -> None:
        sample.home.run("usage", "--json", "--output", str(tmp_path / "usage.json"))

        assert json.loads((tmp_path / "usage.json").read_text()) == sample.home.ask("usage")

    def test_an_old_report_is_replaced_whole(self, sample: Sample, tmp_path: Path) -> None:
        path = tmp_path / "report.txt"
        path.write_text("x" * 100_000)
        sample.home.run("usage", "--output", str(path))

        assert path.read_text() == sample.home.run("usage").out
        assert list(tmp_path.iterdir()) == [path]

    def test_a_link_stays_a_link(self, sample: Sample, tmp_path: Path) -> None:
        target, link = tmp_path / "target.txt", tmp_path / "link.txt"
        link.symlink_to(target)
        sample.home.run("usage", "--output", str(link))

        assert link.is_symlink()
        assert target.read_text().startswith("Day")

    def test_a_device_is_written_to_and_not_replaced(self, sample: Sample) -> None:
        before = Path("/dev/null").stat().st_mode

        assert sample.home.run("usage", "--output", "/dev/null").code == 0
        assert Path("/dev/null").stat().st_mode == before

    @pytest.mark.parametrize("name", ["no/such/folder.txt", ""])
    def test_what_cannot_be_written_is_one_sentence(
        self, sample: Sample, tmp_path: Path, name: str
    ) -> None:
        done = sample.home.run("usage", "--output", str(tmp_path / name))

        assert done.code == 2
        assert done.err.startswith(f"tokens: cannot write {tmp_path}")
        assert done.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


class TestCompare:
    def test_names_the_facts_of_this_ledger(self, home: Home) -> None:
        cache = {"cache_creation": {"ephemeral_1h_input_tokens": 4000}}
        home.write_session("s1", response(1, usage=cache), response(2, stop_reason=None))
        home.write_session("s2", response(1, usage=cache, sessionId="s2"))
        home.write_session("s3", response(3, model="<synthetic>"))

        text = home.ask("usage", "--compare")["compare"]

        assert "2 responses are counted once each" in text
        assert "1 of them also stand in further files" in text
        assert "4,000 tokens were written to the 1-hour cache" in text
        assert "1 lines that the client wrote itself" in text
        assert "10 output tokens are marked as too low" in text

    def test_stands_under_the_table_and_fits(self, sample: Sample) -> None:
        plain = sample.home.run("usage", COLUMNS="80").out
        done = sample.home.run("usage", "--compare", COLUMNS="80")

        assert done.out.startswith(plain)
        assert max(map(len, done.lines)) <= 80


class TestWords:
    def test_what_is_doubtful_is_marked_and_explained(self, home: Home) -> None:
        home.write_session("s1", response(1, model="mystery-1"), response(2, stop_reason=None))

        done = home.run("usage", "--by", "model,day")
        rows = {line.split()[0]: line for line in done.lines if line}

        assert rows["mystery-1"].endswith("  ?")
        assert "  ~10  " in rows["claude-opus-5-5"]
        assert rows["Total"].endswith("$0.0006?")
        assert "? 110 tokens have no price and are not in the cost: mystery-1." in done.out
        assert "~ 10 output tokens come from responses" in done.out

    def test_an_empty_result_says_what_to_try(self, week: Home) -> None:
        assert week.run("usage", "--since", "0h").lines == [
            "No usage within these limits.",
            "Try: tokens usage --by month, without them.",
        ]

    def test_amounts_stand_under_each_other(self, sample: Sample) -> None:
        rows = sample.home.run("usage", "--by", "session").lines
        rows = rows[2 : rows.index(rows[1], 2)]
        ends = [[i for i, (a, b) in enumerate(pairwise(row)) if a != " " == b] for row in rows]

        assert len({tuple(places[:-1]) for places in ends}) == 1


def test_json_by_model_says_where_each_price_comes_from(home: Home) -> None:
    home.write_session(
        "s1", response(1, model="claude-opus-5-5"), response(2, model="nobody-knows-1")
    )

    origins = home.ask("usage", "--by", "model")["price_origins"]

    assert [row["model"] for row in origins] == ["claude-opus-5-5"]
    assert origins[0]["source"].startswith("genai-prices ")
    assert origins[0]["as_of"] is not None
