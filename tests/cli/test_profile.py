"""`tokens profile`: the screen, the lists, the JSON, the files that it writes."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home
from tests.cli.profile_sessions import profiled_home, worked
from tests.cli.test_golden import accepted
from tests.hostile import MARKER, PAYLOADS

from tokenbudget.cli import alert_setting
from tokenbudget.cli.profile import BY
from tokenbudget.model.figures import text_width

TOKEN_FIELDS = (
    "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
    "cache_read_tokens", "total_tokens",
)  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three sessions in two projects; only for commands that read."""
    return profiled_home(Home(tmp_path_factory.mktemp("profile") / "home"))


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ever saved into the project that the tests are run from."""
    (tmp_path / "somewhere").mkdir()
    monkeypatch.chdir(tmp_path / "somewhere")


def total(rows: list[Any], field: str) -> Any:
    """The sum of a field; money exactly."""
    if field == "cost_usd":
        return sum((Decimal(row[field]) for row in rows), Decimal(0))
    return sum(row[field] for row in rows)


class TestScreen:
    @pytest.mark.parametrize("width", [80, 120])
    @pytest.mark.parametrize(
        ("screen", "arguments"),
        [
            ("profile", []),
            ("profile-costs", ["--costs"]),
            ("profile-files", ["--by", "files"]),
            ("profile-efficiency", ["--efficiency"]),
        ],
    )
    def test_is_as_accepted(
        self, shop: Home, screen: str, arguments: list[str], width: int
    ) -> None:
        done = shop.run("profile", "--tz", "UTC", *arguments, COLUMNS=str(width))

        assert (done.code, done.err) == (0, "")
        assert max(map(text_width, done.lines)) <= width
        assert done.out == accepted(screen, width, done.out)

    def test_begins_with_the_answer(self, shop: Home) -> None:
        first = shop.run("profile").lines[0]

        assert re.match(r"Who spends: [\w ]+ \d+%, ", first)

    @pytest.mark.parametrize("what", sorted(BY))
    @pytest.mark.parametrize("width", [40, 80])
    def test_every_list_fits(self, shop: Home, what: str, width: int) -> None:
        done = shop.run("profile", "--by", what, COLUMNS=str(width))

        assert done.code == 0
        assert max(map(text_width, done.lines)) <= width

    def test_a_list_says_how_to_see_the_rest(self, shop: Home) -> None:
        lines = shop.run("profile", "--by", "files", "--top", "1").lines

        assert lines[-1] == "and 9 more: --top 10"

    def test_the_whole_tree_has_every_command(self, shop: Home) -> None:
        lines = shop.run("profile", "--tree").lines

        assert any("npm test" in line for line in lines)
        assert any("src/web/page_3.py" in line for line in lines)

    def test_another_list_is_refused_with_what_there_is(self, shop: Home) -> None:
        done = shop.run("profile", "--by", "colours")

        assert done.code == 2
        assert "commands, components" in done.err

    def test_one_screen_at_a_time(self, shop: Home) -> None:
        done = shop.run("profile", "--tree", "--by", "files")

        assert (done.code, done.out) == (2, "")
        assert "choose one" in done.err

    def test_nothing_yet_is_no_error(self, home: Home) -> None:
        done = home.run("profile")

        assert (done.code, done.err) == (0, "")
        assert done.lines[0].startswith("No sessions under")
        assert "tokens profile --from PATH" in done.lines[1]

    def test_nothing_within_the_limits_is_told(self, shop: Home) -> None:
        done = shop.run("profile", "--until", "2020-01-01")

        assert (done.code, done.lines[0]) == (0, "No usage within these limits.")

    def test_nothing_yet_is_a_valid_object(self, home: Home) -> None:
        found = home.ask("profile")

        assert (found["rows"], found["totals"]["total_tokens"]) == ([], 0)
        assert found["efficiency"]["score"] is None


class TestConservation:
    """Whatever is asked: the components are what `tokens usage` says, to the token and the cent."""

    LIMITS: tuple[list[str], ...] = (
        [],
        ["--since", "2026-11-10"],
        ["--until", "2026-11-10"],
        ["--since", "2026-11-02", "--until", "2026-11-12"],
        ["--project", "shop"],
        ["--session", "bbbb2222"],
    )

    @pytest.mark.parametrize("limits", LIMITS, ids=" ".join)
    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
    def test_rows_are_the_bill(self, shop: Home, limits: list[str], zone: str) -> None:
        usage = shop.ask("usage", "--tz", zone, *limits)["totals"]
        found = shop.ask("profile", "--tz", zone, *limits)

        assert usage["total_tokens"] > 0
        for field in TOKEN_FIELDS:
            assert found["totals"][field] == usage[field] == total(found["rows"], field)
        cost = Decimal(usage["cost_usd"])
        assert Decimal(found["totals"]["cost_usd"]) == cost == total(found["rows"], "cost_usd")
        for split in ("projects", "branches", "models", "sessions", "spenders"):
            assert total(found[split], "cost_usd") == cost
        assert found["requests"] == usage["requests"]

    def test_on_the_sample_sessions_too(self, tmp_path: Path) -> None:
        from datetime import UTC, datetime

        from sample_sessions import generate

        home = Home(tmp_path / "home")
        generate(home.claude, end=datetime(2026, 11, 20, 12, tzinfo=UTC), days=4, seed=3)
        usage, found = home.ask("usage")["totals"], home.ask("profile")

        assert found["totals"]["total_tokens"] == usage["total_tokens"]
        assert total(found["rows"], "total_tokens") == usage["total_tokens"]
        assert found["totals"]["cost_usd"] == usage["cost_usd"]
        assert total(found["rows"], "cost_usd") == Decimal(usage["cost_usd"])

    def test_kinds_of_token_are_the_bill(self, shop: Home) -> None:
        costs = shop.ask("profile")["costs"]

        assert total(costs["kinds"], "cost_usd") == Decimal(costs["total_usd"])

    def test_a_period_is_of_whole_days(self, shop: Home) -> None:
        whole = shop.ask("profile", "--tz", "UTC", "--since", "2026-11-10")
        within = shop.ask("profile", "--tz", "UTC", "--since", "2026-11-10T23:30")

        assert within["totals"] == whole["totals"]

    def test_what_was_deleted_uncounted_is_unattributed(self, home: Home) -> None:
        talk = worked("aaaa1111", profiled_begin())
        talk.write(home)
        before = home.ask("usage")["totals"]
        talk.path(home).unlink()

        found = home.ask("profile")
        assert found["totals"]["total_tokens"] == before["total_tokens"]
        assert found["unattributed"]["total_tokens"] == before["total_tokens"]
        assert "gone" in found["notes"][0]


def profiled_begin() -> Any:
    """A morning."""
    from datetime import UTC, datetime

    return datetime(2026, 11, 18, 9, tzinfo=UTC)


class TestFigures:
    @pytest.mark.parametrize("what", sorted(BY))
    def test_rows_are_those_of_the_grouping(self, shop: Home, what: str) -> None:
        found = shop.ask("profile", "--by", what)

        assert found["by"] == BY[what]
        assert all(BY[what] in row for row in found["rows"])

    def test_tools_have_their_calls(self, shop: Home) -> None:
        tools = {row["tool"]: row for row in shop.ask("profile")["tools"]}

        assert tools["Bash"]["calls"] == 36
        assert tools["Read"]["calls"] == 39
        assert tools["mcp__github__list_issues"]["mcp_server"] == "github"
        assert tools["Bash"]["rerun_rate"] == pytest.approx(33 / 36, abs=1e-6)

    def test_a_file_carries_what_it_added_into_every_request_behind_it(self, shop: Home) -> None:
        files = {row["file"]: row for row in shop.ask("profile")["consumers"]["file"]}

        cart = files["shop/src/cart.py"]
        assert cart["sessions"] == 2
        assert cart["sent_times"] > 15

    def test_paths_of_one_project_are_relative(self, shop: Home) -> None:
        files = shop.ask("profile", "--project", "shop")["consumers"]["file"]

        assert files[0]["file"] == "src/cart.py"

    def test_the_budget_is_the_one_that_alerts_watch(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Else a process of its own would evaluate too, by the machine's clock.
        monkeypatch.setattr(alert_setting, "wake_sender", lambda *_: 0)
        worked("aaaa1111", profiled_begin()).write(home)
        before = home.ask("profile")["costs"]["comparison"]
        assert home.run("alert", "--scope", "week-cost", "--usd", "7.50").code == 0
        after = home.ask("profile")["costs"]["comparison"]

        assert (before["budget_usd"], after["budget_usd"]) == ("100", "7.5")
        assert after["sessions_per_budget"] == pytest.approx(before["sessions_per_budget"] * 0.075)

    def test_weeks_are_compared(self, shop: Home) -> None:
        weeks = shop.ask("profile", "--tz", "UTC")["weeks"]

        assert [row["week"] for row in weeks] == ["2026-11-02", "2026-11-09", "2026-11-16"]
        assert [row["is_whole"] for row in weeks] == [True, True, False]


class TestFiles:
    @pytest.fixture
    def project(self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder that one is in, with the agent's folder in it."""
        profiled_home(home)
        folder = tmp_path / "shop"
        (folder / ".claude").mkdir(parents=True)
        (folder / "src").mkdir()
        monkeypatch.chdir(folder / "src")
        return folder

    def test_is_saved_in_the_project_that_one_is_in(self, home: Home, project: Path) -> None:
        done = home.run("profile")

        path = project / ".claude" / "context" / "token-profile.json"
        assert json.loads(path.read_text())["format"] == "tokenbudget/profile/1"
        assert done.lines[-1].startswith("Saved ")

    @pytest.mark.parametrize(
        "arguments", [["--no-file"], ["--json"], ["--by", "tools"], ["--output", "-"]]
    )
    def test_is_not_saved_where_nobody_would_expect_it(
        self, home: Home, project: Path, arguments: list[str]
    ) -> None:
        assert home.run("profile", *arguments).code == 0
        assert not (project / ".claude" / "context").exists()

    def test_is_not_saved_where_there_is_no_project(
        self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        profiled_home(home)
        (tmp_path / "elsewhere").mkdir()
        for folder in (tmp_path / "elsewhere", home.path):
            monkeypatch.chdir(folder)
            assert home.run("profile").code == 0
        assert not list(tmp_path.rglob("token-profile.json"))

    def test_that_cannot_be_saved_is_shown_all_the_same(self, home: Home, project: Path) -> None:
        (project / ".claude" / "context").symlink_to("/")
        done = home.run("profile")

        assert done.code == 0
        assert "--no-file" in done.err
        assert done.lines[0].startswith("Who spends")

    def test_a_named_file_that_cannot_be_written_is_an_error(
        self, home: Home, project: Path
    ) -> None:
        done = home.run("profile", "--output", str(project / "none" / "p.json"))

        assert done.code == 3
        assert "cannot write" in done.err

    def test_standard_output_is_the_same_object(self, home: Home, project: Path) -> None:
        printed = json.loads(home.run("profile", "--output", "-").out)

        assert printed == home.ask("profile")

    def test_the_page_is_written_whole(self, home: Home, project: Path) -> None:
        done = home.run("profile", "--flame", "flame.html")

        page = (project / "src" / "flame.html").read_text()
        assert done.lines == ["Saved flame.html"]
        assert page.startswith("<!doctype html>")
        assert "npm test" in page
        assert not (project / ".claude" / "context").exists()


class TestRedacted:
    def test_tells_no_name_of_ones_own(self, shop: Home) -> None:
        plain, hidden = shop.ask("profile"), shop.run("profile", "--redact", "--json")
        found = json.loads(hidden.out)

        for word in ("shop", "cart", "aaaa1111", "npm", "github", "list_issues"):
            assert word in json.dumps(plain)
            assert word not in hidden.out
        assert found["totals"] == plain["totals"]
        assert found["efficiency"] == plain["efficiency"]
        assert len(found["consumers"]["file"]) == len(plain["consumers"]["file"])

    def test_of_one_session_too(self, shop: Home) -> None:
        hidden = shop.run("profile", "--redact", "--json", "--session", "bbbb2222")

        assert "bbbb2222" not in hidden.out
        assert json.loads(hidden.out)["consumers"]["file"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which every path and command is an attack."""
    home = Home(tmp_path_factory.mktemp("hostile") / "home")
    talk = worked("s1", profiled_begin(), turns=2)
    for name, payload in PAYLOADS.items():
        talk.read(f"/srv/shop/{name}/{payload}", 40)
        talk.call("Bash", "words", command=payload)
        talk.call(payload or "x", "words")
    talk.titled("<script>window.pwned=1</script>").write(home)
    return home


class TestHostile:
    def test_the_terminal_gets_no_control(self, hostile: Home) -> None:
        for arguments in ([], ["--tree"], ["--by", "files", "--top", "999"], ["--by", "tools"]):
            out = hostile.run("profile", *arguments).out
            assert out
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)

    def test_the_page_has_no_markup_of_theirs(self, hostile: Home, tmp_path: Path) -> None:
        path = tmp_path / "page.html"
        hostile.run("profile", "--html", str(path), "--session", "s1")
        page = path.read_text()

        assert page.count("<script") == 2
        assert page.count("</script>") == 2
        assert "<img" not in page
        assert MARKER in page  # it is shown, letter by letter

    def test_the_object_can_be_read(self, hostile: Home) -> None:
        assert len(hostile.ask("profile")["consumers"]["file"]) > 100


def test_a_warm_answer_loads_neither_vocabulary_nor_screen(shop: Home) -> None:
    shop.run("profile")
    unwanted = (
        *("splintr", "textual", "hypothesis", "asyncio", "hashlib"),
        *("tokenbudget.sources.claude_code.reader", "tokenbudget.sources.claude_code.window"),
        "tokenbudget.reports.profile_icicle",
    )
    assert [name for name in shop.modules("profile") if name.startswith(unwanted)] == []


def test_the_page_names_every_field_and_every_list(shop: Home) -> None:
    page = (Path(__file__).parents[2] / "docs" / "profile.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))

    assert set(shop.ask("profile")) - {"format"} <= named
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    told = {word.strip() for row in rows for word in row.split(",")}
    assert set(BY) - {"directories"} <= told
