"""`tokens budget`: the screen, its JSON, `--check`, and the settings that it obeys."""

import re
from typing import Any

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import Talk, filled_session, plain_session, rich_session, words


@pytest.fixture
def healthy(home: Home) -> Home:
    """A window with plenty of room."""
    plain_session().write(home)
    return home


def configured(home: Home, text: str) -> Home:
    """The home with this config.toml."""
    home.config.parent.mkdir(exist_ok=True)
    home.config.write_text(text + "\n")
    return home


def filled(home: Home, share: float) -> Home:
    """A home whose last session has filled this share of its window."""
    filled_session(share).write(home)
    return home


def parts(answer: Any, field: str) -> dict[str, Any]:
    """A field of each part."""
    return {row["part"]: row[field] for row in answer["rows"]}


class TestScreen:
    @pytest.mark.parametrize(
        "words_of_it",
        [
            "📊 Token Budget Status",
            "Total Budget:",
            "Current Usage:",
            "Available:",
            "Breakdown:",
            "├─ System:",
            "├─ MCPs (active):",
            "├─ Skills (loaded):",
            "├─ Messages:",
            "└─ Context:",
            "Status: 🟢 Healthy",
        ],
    )
    def test_holds_the_words_that_people_know(self, healthy: Home, words_of_it: str) -> None:
        assert any(line.startswith(words_of_it) for line in healthy.run("budget").lines)

    @pytest.mark.parametrize(
        ("share", "said"),
        [
            (0.3, "Status: 🟢 Healthy"),
            (0.55, "Status: 🟡 Warning"),
            (0.76, "Status: 🟠 Critical"),
            (0.92, "Status: 🔴 Emergency"),
        ],
    )
    def test_a_colour_says_which_scale_it_is(self, home: Home, share: float, said: str) -> None:
        (line,) = (
            line for line in filled(home, share).run("budget").lines if line.startswith("Status")
        )

        assert line.startswith(said)
        assert "(health level, " in line
        assert line.endswith("% of the window)")

    def test_no_other_line_shows_a_colour(self, home: Home) -> None:
        lines = filled(home, 0.92).run("budget").lines

        assert sum(any(light in line for light in "🟢🟡🟠🔴") for line in lines) == 1

    def test_used_and_available_add_up(self, healthy: Home) -> None:
        amounts = {
            line.partition(":")[0]: int(line.partition(":")[2].split()[0].replace(",", ""))
            for line in healthy.run("budget").lines[2:5]
        }

        assert amounts["Current Usage"] + amounts["Available"] == amounts["Total Budget"]

    def test_what_is_over_its_allotment_is_marked(self, healthy: Home) -> None:
        configured(healthy, "[allocation]\nconversation = 99\nsystem_prompt = 1")
        marked = [line for line in healthy.run("budget").lines if "─ " in line and " !" in line]

        assert [line.split()[1] for line in marked] == ["System:", "Context:"]

    def test_little_that_is_known_makes_no_forecast(self, home: Home) -> None:
        Talk().ask().answer().answer().write(home)

        assert "Forecast: unknown (2 requests so far; a forecast needs 3)" in home.run("budget").out

    def test_a_forecast_is_a_spread(self, healthy: Home) -> None:
        lines = healthy.run("budget").lines
        start = next(i for i, line in enumerate(lines) if line.startswith("Runs out"))
        names = [line.split("  ")[1] for line in lines[start + 2 : start + 6]]

        assert lines[start + 1].split() == ["P10", "/", "P50", "/", "P90"] * 2
        assert names == ["warning at 100,000", "critical at 150,000", *names[2:]]
        assert names[2:] == ["auto-compaction at 167,000", "full at 200,000"]
        for line in lines[start + 2 : start + 6]:
            requests = [int(cell) for cell in re.findall(r"(\d+)(?: /|  )", line[34:57] + "  ")]
            assert requests == sorted(requests)
            assert len(requests) == 3

    def test_a_nearly_full_window_is_told_to_compact_first(self, home: Home) -> None:
        out = filled(home, 0.8).run("budget").out

        assert "1. " in out
        assert "until the client compacts: /compact at a pause, or /clear" in out

    def test_a_server_that_was_never_called_is_named(self, home: Home) -> None:
        talk = Talk(hidden_tokens=15_000).shape("", {"mcp__tickets__find": words(1_500)})
        talk.ask().answer().write(home)

        (text,) = (x for x in home.ask("budget")["recommendations"] if "tickets" in x)
        assert "1,763 tokens in every request, and this session has not called it" in text

    def test_a_server_that_was_called_is_not(self, home: Home) -> None:
        rich_session().write(home)

        assert not any(
            "has not called it" in text for text in home.ask("budget")["recommendations"]
        )

    @pytest.mark.parametrize("is_compacted", [False, True], ids=["single-tool", "compacted"])
    def test_a_server_is_not_unused_because_its_calls_are_hard_to_see(
        self, home: Home, is_compacted: bool
    ) -> None:
        talk = Talk(hidden_tokens=15_000).shape("", {"mcp__tickets__find": words(1_500)}).ask()
        talk.call("mcp__tickets__find", words(50))
        if is_compacted:
            talk.call("Bash", words(50)).compact(words(50)).ask()
        talk.answer().write(home)

        assert not any(
            "has not called it" in text for text in home.ask("budget")["recommendations"]
        )

    def test_instructions_of_no_server_are_no_unused_server(self, home: Home) -> None:
        Talk().attach("mcp_instructions_delta", words(1_500)).ask().answer().write(home)

        assert not any("all servers" in text for text in home.ask("budget")["recommendations"])

    def test_one_file_is_one_file(self, healthy: Home) -> None:
        out = healthy.run("budget").out

        assert "out-of-date copies of 1 file (most:" in out
        assert "1 files" not in out

    def test_one_request_is_one_request(self, home: Home) -> None:
        Talk().ask().answer().write(home)

        assert "Forecast: unknown (1 request so far;" in home.run("budget").out


class TestJson:
    def test_is_one_object_of_its_format(self, healthy: Home) -> None:
        answer = healthy.ask("budget")

        assert answer["format"] == "tokenbudget/budget/1"
        assert answer["used_share"] == answer["total_tokens"] / answer["window_tokens"]

    def test_parts_add_up_to_the_total(self, home: Home) -> None:
        rich_session().write(home)
        answer = home.ask("budget")

        assert sum(parts(answer, "tokens").values()) == answer["totals"]["tokens"]
        assert answer["totals"]["tokens"] == home.ask("context")["total_tokens"]

    def test_rows_are_flat(self, healthy: Home) -> None:
        for row in healthy.ask("budget")["rows"]:
            assert not [value for value in row.values() if isinstance(value, (dict, list))]

    def test_each_scale_has_its_own_name(self, home: Home) -> None:
        answer = filled(home, 0.76).ask("budget")

        assert (answer["health_level"], answer["traffic_light"]) == ("critical", "yellow")

    def test_the_standard_plan_is_that_of_the_window(self, healthy: Home) -> None:
        assert parts(healthy.ask("budget"), "allotted_tokens") == {
            "System": 10_000,
            "MCPs (active)": 15_000,
            "Skills (loaded)": 10_000,
            "Messages": 100_000,
            "Context": 30_000,
        }

    def test_what_no_agent_reported_is_null(self, healthy: Home) -> None:
        assert healthy.ask("budget")["limits"] == {"five_hour": None, "seven_day": None}

    def test_a_forecast_names_every_threshold(self, healthy: Home) -> None:
        names = [crossing["threshold"] for crossing in healthy.ask("budget")["forecast"]]

        assert names == ["warning", "critical", "auto-compaction", "full"]

    def test_an_unknown_window_is_null(self, home: Home) -> None:
        plain_session(model="mystery-9").write(home)
        answer = home.ask("budget")

        assert (answer["used_share"], answer["health_level"], answer["traffic_light"]) == (
            None,
            None,
            None,
        )
        assert set(parts(answer, "allotted_tokens").values()) == {None}

    def test_parts_of_an_unknown_use_are_unknown(self, home: Home) -> None:
        Talk().ask().answer(usage=None).write(home)
        answer = home.ask("budget")

        assert set(parts(answer, "provenance").values()) == {"unknown"}
        assert set(parts(answer, "tokens").values()) == {None}

    def test_parts_after_a_compaction_are_unknown(self, home: Home) -> None:
        plain_session().compact().write(home)
        answer = home.ask("budget")

        assert set(parts(answer, "tokens").values()) == {None}
        assert (answer["health_level"], answer["forecast"]) == (None, [])
        assert answer["totals"] == {"tokens": None}
        assert "unknown (before that: 17,925)" in home.run("budget").out


class TestCheck:
    @pytest.mark.parametrize(
        ("share", "code"), [(0.1, 0), (0.55, 0), (0.7, 0), (0.76, 1), (0.92, 1)]
    )
    def test_critical_or_worse_is_not_so(self, home: Home, share: float, code: int) -> None:
        done = filled(home, share).run("budget", "--check")

        assert done.code == code
        assert done == home.run("budget")._replace(code=code)

    @pytest.mark.parametrize(
        "talk",
        [Talk().ask(), Talk().ask().answer(usage=None), plain_session(model="mystery-9")],
        ids=["prompt-only", "usage-null", "unknown-window"],
    )
    def test_what_is_unknown_is_no_alarm(self, home: Home, talk: Talk) -> None:
        talk.write(home)

        assert home.run("budget", "--check").code == 0

    def test_works_with_json(self, home: Home) -> None:
        done = filled(home, 0.92).run("budget", "--check", "--json")

        assert (done.code, done.json["health_level"]) == (1, "emergency")

    def test_a_window_that_was_compacted_begins_anew(self, home: Home) -> None:
        filled_session(0.92).compact(words(300)).answer().write(home)

        assert home.run("budget", "--check").code == 0
        assert home.ask("budget")["health_level"] == "healthy"

    def test_one_that_was_just_compacted_is_no_alarm(self, home: Home) -> None:
        filled_session(0.92).compact(words(300)).write(home)

        assert home.run("budget", "--check").code == 0

    def test_own_thresholds_decide(self, home: Home) -> None:
        filled(home, 0.55)
        configured(home, "tokenManagement = {warningThreshold = 0.3, criticalThreshold = 0.5}")

        assert home.run("budget", "--check").code == 1


class TestThresholds:
    @pytest.mark.parametrize("given", ["0.05", "5", "5.0"])
    def test_are_shares_or_percent(self, healthy: Home, given: str) -> None:
        assert healthy.ask("budget")["health_level"] == "healthy"
        configured(healthy, f"tokenManagement.warningThreshold = {given}")

        assert healthy.ask("budget")["health_level"] == "warning"

    def test_move_the_forecast(self, healthy: Home) -> None:
        configured(healthy, "tokenManagement.criticalThreshold = 80")
        goals = {x["threshold"]: x["threshold_tokens"] for x in healthy.ask("budget")["forecast"]}

        assert (goals["warning"], goals["critical"]) == (100_000, 160_000)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("warningThreshold = 0.8", "is not below criticalThreshold 0.75 (default)"),
            ("emergencyThreshold = 101", "must be a number such as 0.75 or 75, not 101"),
            ("warningThreshold = 0", "must be a number such as 0.75 or 75, not 0"),
            ("warningThreshold = -5", "must be a number such as 0.75 or 75, not -5"),
            ("criticalThreshold = nan", "must be a number such as 0.75 or 75, not nan"),
            ('warningThreshold = "much"', "must be a number such as 0.75 or 75, not 'much'"),
            ("warningThreshold = true", "must be a number such as 0.75 or 75, not True"),
            ("warning = 0.5", "config.toml has no 'warning'"),
            ("warningTreshold = 0.5", "(did you mean 'warningThreshold'?)"),
        ],
    )
    @pytest.mark.parametrize("verb", ["budget", "context", "timeline"])
    def test_that_cannot_be_meant_are_one_sentence(
        self, healthy: Home, verb: str, text: str, said: str
    ) -> None:
        done = configured(healthy, f"[tokenManagement]\n{text}").run(verb)

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert said in done.err


class TestAllocation:
    @pytest.mark.parametrize(
        "text",
        [
            "conversation = 0.6\nsystem_prompt = 0.1\nmcp_servers = 0.3",
            "conversation = 60\nsystem_prompt = 10\nmcp_servers = 30",
        ],
        ids=["shares", "percent"],
    )
    def test_own_shares_take_the_place_of_the_plan(self, healthy: Home, text: str) -> None:
        configured(healthy, f"[allocation]\n{text}")

        assert parts(healthy.ask("budget"), "allotted_tokens") == {
            "System": 20_000,
            "MCPs (active)": 60_000,
            "Skills (loaded)": 0,
            "Messages": 120_000,
            "Context": 0,
        }

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("conversation = 0.5", "the shares sum to 0.5; make them sum to 1"),
            ("chatter = 1", "'chatter' is no part of a window; use one of reserved"),
            ('conversation = "all"', "allocation.conversation must be a number, not 'all'"),
            ("conversation = true", "allocation.conversation must be a number, not True"),
            ("conversation = 2\ncontext = -1", "context = -1 cannot be"),
            ("conversation = inf", "conversation = inf cannot be"),
            ("conversation = nan", "conversation = nan cannot be"),
        ],
    )
    def test_that_cannot_be_meant_is_one_sentence(
        self, healthy: Home, text: str, said: str
    ) -> None:
        done = configured(healthy, f"[allocation]\n{text}").run("budget")

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert said in done.err

    def test_is_refused_for_an_unknown_window_as_well(self, home: Home) -> None:
        plain_session(model="mystery-9").write(home)

        assert configured(home, "allocation.chatter = 1").run("budget").code == 2


class TestReserve:
    def test_own_figure_moves_auto_compaction(self, healthy: Home) -> None:
        answer = healthy.ask("budget", TOKENS_AUTOCOMPACT_RESERVE="10_000")

        assert (answer["reserve_tokens"], answer["reserve_origin"]) == (10_000, "setting")
        assert answer["until_compaction_tokens"] == answer["free_tokens"] - 10_000

    def test_it_is_observed_where_the_client_compacted(self, home: Home) -> None:
        filled_session(0.8).compact(words(300)).answer().write(home)

        answer = home.ask("budget")
        assert answer["reserve_origin"] == "observed"
        assert answer["reserve_tokens"] == pytest.approx(40_000, abs=6_000)

    def test_it_is_no_more_than_a_quarter_of_a_small_window(self, home: Home) -> None:
        plain_session(model="mystery-9").write(home)
        configured(home, 'windows."mystery-9" = 40_000')

        assert home.ask("budget")["reserve_tokens"] == 10_000
