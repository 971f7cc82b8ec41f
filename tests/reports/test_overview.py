import pytest
from tests.reports.conftest import sums, table

from tokenbudget.analysis.overview import Latest, Overview
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.overview import ago, overview_lines

NOW = 1_795_176_000_000
MINUTE = 60_000
LATEST = Latest("s1", "Fix the cart", "/srv/shop", "main", "claude-opus-5-5", 84_120, NOW - MINUTE)


def seen(**fields: object) -> Overview:
    """A day of one session."""
    plain = Overview(
        today=sums(),
        sessions_today=1,
        week=sums(3000),
        week_before=sums(2000),
        month=sums(4000),
        everything=sums(5000),
        unpriced_models=[],
        daily_tokens=[0, 1000],
        models=table("model", {"claude-opus-5-5": sums(2000), "mystery-1": sums(1000)}),
        projects=table("project", {"/srv/shop": sums(3000)}),
        latest=LATEST,
    )
    return plain._replace(**fields)  # type: ignore[arg-type]


def lines_of(overview: Overview, width: int = 80) -> list[str]:
    """The screen as plain text."""
    return overview_lines(overview, Style(width, is_styled=False), NOW)


def test_the_first_line_tells_where_and_how_full() -> None:
    first = lines_of(seen())[0]

    assert first.startswith("shop · Fix the cart · claude-opus-5-5")
    assert first.endswith("84,120 tokens in the window, 1 min ago")
    assert len(first) == 80


@pytest.mark.parametrize(
    ("latest", "said"),
    [
        (LATEST._replace(title=""), "shop · main · claude-opus-5-5"),
        (LATEST._replace(title="", git_branch=""), "shop · claude-opus-5-5"),
        (LATEST._replace(project=""), "? · Fix the cart"),
        (LATEST._replace(at_ms=0), "tokens in the window"),
    ],
)
def test_what_is_not_known_is_left_out(latest: Latest, said: str) -> None:
    assert said in lines_of(seen(latest=latest))[0]
    assert "days ago" not in lines_of(seen(latest=latest))[0]


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (2000, "+50% on the same days"),
        (6000, "\N{MINUS SIGN}50% on the same"),
        (0, ""),
        (3000, "+0% on"),
    ],
)
def test_the_week_is_compared(before: int, change: str) -> None:
    week = next(line for line in lines_of(seen(week_before=sums(before))) if "This week" in line)

    assert change in week
    assert ("on the same days" in week) == bool(before)


def test_shares_are_of_the_whole() -> None:
    rows = [line.split() for line in lines_of(seen()) if "█" in line and "%" in line]

    assert [row[2] for row in rows] == ["67%", "33%", "100%"]


def test_the_smaller_ones_are_summed_up_in_words() -> None:
    many = table("model", {f"m{n}": sums(1000 - n) for n in range(8)})

    assert "  and 3 more" in lines_of(seen(models=many))


def test_a_week_without_usage_says_what_the_tables_are_about() -> None:
    assert "  Models so far" in lines_of(seen(week=sums(0, "0")))


def test_amounts_stand_under_each_other() -> None:
    lines = lines_of(seen(month=sums(4000, "11.25", unpriced_tokens=1)))
    places = {
        line.index(".", line.index("$")) for line in lines if line[:7] in ("  Today", "  This ")
    }

    assert len(places) == 1


def test_it_ends_with_what_to_type_next() -> None:
    assert lines_of(seen())[-1].startswith("  Next   tokens ")


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 100, 200])
def test_it_fits(width: int) -> None:
    wide = seen(
        latest=LATEST._replace(title="漢字" * 60, project="/" + "p" * 90),
        models=table("model", {"漢" * 90: sums(2000), "m" * 200: sums(10**12, "123456789")}),
        unpriced_models=["x" * 200],
        everything=sums(unpriced_tokens=5),
    )

    assert max(map(text_width, lines_of(wide, width))) <= width


@pytest.mark.parametrize(
    ("elapsed_ms", "said"),
    [
        (-MINUTE, "now"),
        (0, "now"),
        (MINUTE, "1 min ago"),
        (59 * MINUTE, "59 min ago"),
        (60 * MINUTE, "1 h ago"),
        (47 * 60 * MINUTE, "47 h ago"),
        (48 * 60 * MINUTE, "2 days ago"),
        (400 * 24 * 60 * MINUTE, "400 days ago"),
    ],
)
def test_ago(elapsed_ms: int, said: str) -> None:
    assert ago(elapsed_ms) == said
