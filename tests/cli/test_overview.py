import pytest
from tests.cli.conftest import Home, Sample, response


def test_sums_of_today_week_month_and_all(home: Home) -> None:
    home.write_session(
        "s1",
        response(1, "2026-11-20T00:00:00Z"),  # a Friday
        response(2, "2026-11-16T00:00:00Z"),
        response(3, "2026-11-13T23:59:59Z"),
        response(4, "2026-11-14T00:00:00Z"),
        response(5, "2026-11-01T00:00:00Z"),
        response(6, "2026-10-31T23:59:59Z"),
    )

    seen = home.ask("overview", "--tz", "UTC")

    names = ("today", "week", "week_before", "month", "totals")
    assert [seen[name]["requests"] for name in names] == [1, 2, 1, 5, 6]
    assert seen["today"]["sessions"] == 1
    assert seen["daily_total_tokens"][-8:] == [110, 110, 0, 110, 0, 0, 0, 110]


def test_all_is_the_truth(sample: Sample) -> None:
    totals = sample.home.ask("overview")["totals"]

    assert totals["input_tokens"] == sample.truth.total.input_tokens
    assert totals["cache_read_tokens"] == sample.truth.total.cache_read_tokens


def test_names_the_latest_session(home: Home) -> None:
    home.write_session("s1", response(1, "2026-11-20T11:00:00Z", gitBranch="fix-cart"))

    assert home.ask("overview", "--tz", "Asia/Kolkata")["latest"] == {
        "session": "s1",
        "title": "",
        "project": "/srv/shop",
        "git_branch": "fix-cart",
        "model": "claude-opus-5-5",
        "context_tokens": 110,
        "at": "2026-11-20T16:30:00.000+05:30",
    }
    assert home.run().lines[0].endswith("110 tokens in the window, 1 h ago")
    assert home.run().lines[0].startswith("shop · fix-cart · claude-opus-5-5")


def test_it_is_what_tokens_alone_shows(sample: Sample) -> None:
    assert sample.home.run() == sample.home.run("overview")


def test_every_mark_is_explained_even_if_it_is_from_before_this_week(home: Home) -> None:
    home.write_session("s1", response(1), response(2, "2026-10-01T00:00:00Z", model="mystery-1"))

    done = home.run()

    assert "$0.0006?" in done.out
    assert "? 110 tokens have no price and are not in the cost: mystery-1." in done.out


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_today_is_that_of_the_zone(home: Home, zone: str) -> None:
    home.write_session("s1", response(1, "2026-11-19T20:00:00Z"))

    today = home.ask("overview", "--tz", zone)["today"]["requests"]
    assert today == (1 if zone == "Asia/Tokyo" else 0)


def test_projects_of_one_name_are_told_apart(home: Home) -> None:
    home.write_session("s1", response(1, cwd="/srv/blue/shop"))
    home.write_session("s2", response(2, cwd="/srv/red/shop", sessionId="s2"))
    home.write_session("s3", response(3, cwd="/srv/api", sessionId="s3"))

    lines = {line.split()[0] for line in home.run().lines if line.strip()}
    assert {"blue/shop", "red/shop", "api"} <= lines
