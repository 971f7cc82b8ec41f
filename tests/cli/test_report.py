"""`tokens report`: the four formats of the same sessions, what they keep to themselves, and where
they are written."""

import json
import os
import pty
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import fastjsonschema
import pytest
from tests.cli.conftest import Home
from tests.cli.profile_sessions import profiled_home
from tests.cli.window_sessions import Talk, words
from tests.hostile import MARKER, PAYLOADS

from tokenbudget.model.figures import text_width

FORMATS = ("text", "json", "html", "pdf")
LIBRARY = "https://github.com/leeoniya/uPlot"
SECRETS = ("/srv/shop", "/srv/api", "cart.py", "page_1", "npm", "github", "aaaa1111", "Zephyr")


def numbered(lines: int) -> str:
    """A file as the reading tool shows it."""
    return "\n".join(f"{n}\tprice of item {n} in the cart" for n in range(1, lines + 1))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three sessions in two projects within a month; only for commands that read."""
    return profiled_home(Home(tmp_path_factory.mktemp("report") / "home"))


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is ever saved into the project that the tests are run from."""
    folder = tmp_path / "somewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def made(home: Home, kind: str, folder: Path, *arguments: str) -> bytes:
    """The bytes of a report."""
    target = folder / f"made.{kind}"
    done = home.run("report", kind, "--output", str(target), *arguments)
    assert (done.code, done.err) == (0, "")
    return target.read_bytes()


class TestTheFigures:
    def test_totals_are_those_of_usage(self, shop: Home) -> None:
        usage = shop.ask("usage", "--since", "2026-10-22", "--tz", "UTC")["totals"]
        told = shop.ask("report", "--tz", "UTC")
        for name in ("input_tokens", "cache_read_tokens", "total_tokens", "cost_usd"):
            assert told["totals"][name] == usage[name]
        assert told["requests"] == usage["requests"]

    def test_days_hours_and_kinds_add_up_to_them(self, shop: Home) -> None:
        told = shop.ask("report", "--tz", "UTC")
        whole, cost = told["totals"]["total_tokens"], Decimal(told["totals"]["cost_usd"])
        for rows in (told["days"], told["heat"]):
            assert sum(row["total_tokens"] for row in rows) == whole
            assert sum(Decimal(row["cost_usd"]) for row in rows) == cost
        assert sum(Decimal(kind["cost_usd"]) for kind in told["costs"]["kinds"]) == cost

    def test_the_period_is_the_last_thirty_days(self, shop: Home) -> None:
        told = shop.ask("report", "--tz", "UTC")
        assert told["period"] == "2026-10-22 to 2026-11-20"
        assert len(told["days"]) == 30
        assert told["days"][0]["day"] == "2026-10-22"

    def test_another_period_is_whole_days(self, shop: Home) -> None:
        told = shop.ask("report", "--tz", "UTC", "--since", "2026-11-10T17:00", "--until",
                        "2026-11-11")  # fmt: skip
        assert told["period"] == "2026-11-10 to 2026-11-11"
        assert [day["day"] for day in told["days"]] == ["2026-11-10", "2026-11-11"]
        assert [one["session"] for one in told["sessions"]] == ["bbbb2222"]

    def test_all_time_begins_with_the_first_use(self, shop: Home) -> None:
        told = shop.ask("report", "--tz", "UTC", "--since", "all")
        assert told["period"] == "all time: 2026-11-02 to 2026-11-17"
        assert told["previous"] is None

    def test_findings_are_those_of_optimize_and_say_of_which_days(self, home: Home) -> None:
        for day in (2, 5, 9):
            talk = Talk(f"s{day}", begin=home.now.replace(day=day, hour=9)).ask("Fix it, please.")
            for _ in range(4):
                talk.call("Read", numbered(120), file_path="/srv/shop/cart.py")
            for _ in range(8):
                talk.answer("And on.")
            talk.write(home)
        told = home.ask("report", "--tz", "UTC", "--since", "all")
        found = home.ask("optimize", "--tz", "UTC", "--all-projects")
        assert [one["id"] for one in told["findings"]] == [one["id"] for one in found["rows"]]
        assert told["findings"]
        assert told["could_be_saved"]["usd_per_week"] == found["totals"]["usd_per_week"]
        assert told["findings_period"] == f"{found['first_day']} to {found['last_day']}"

    def test_it_is_compared_with_as_many_days_before(self, shop: Home) -> None:
        told = shop.ask("report", "--tz", "UTC", "--since", "2026-11-10", "--until", "2026-11-17")
        before = shop.ask("usage", "--tz", "UTC", "--since", "2026-11-02", "--until", "2026-11-09")
        assert told["previous"]["cost_usd"] == before["totals"]["cost_usd"]
        times = Decimal(told["totals"]["cost_usd"]) / Decimal(before["totals"]["cost_usd"])
        assert told["change"] == pytest.approx(float(times) - 1)

    def test_a_project_alone(self, shop: Home) -> None:
        told = shop.ask("report", "--tz", "UTC", "--project", "api")
        assert [row["project"] for row in told["projects"]] == ["/srv/api"]
        usage = shop.ask("usage", "--project", "api", "--tz", "UTC")["totals"]
        assert told["totals"]["total_tokens"] == usage["total_tokens"]
        assert {one["project"] for one in told["findings"]} <= {"/srv/api"}

    @pytest.mark.parametrize("more", [[], ["--redact"]])
    def test_one_session_alone(self, shop: Home, more: list[str]) -> None:
        told = shop.ask("report", "--tz", "UTC", "--session", "bbbb", *more)
        usage = shop.ask("usage", "--session", "bbbb2222")["totals"]
        assert told["totals"]["cost_usd"] == usage["cost_usd"]
        assert sum(cell["total_tokens"] for cell in told["heat"]) == usage["total_tokens"]
        assert sum(day["total_tokens"] for day in told["days"]) == usage["total_tokens"]
        assert len(told["sessions"]) == 1
        assert told["previous"] is None
        assert told["period"].startswith("session ")
        assert ("bbbb2222" in told["period"]) is not bool(more)

    def test_hours_are_those_of_the_zone(self, shop: Home) -> None:
        utc = shop.ask("report", "--tz", "UTC")["heat"]
        tokyo = shop.ask("report", "--tz", "Asia/Tokyo")["heat"]
        assert [(one["hour"] + 9) % 24 for one in utc] == [one["hour"] for one in tokyo]

    def test_sessions_from_elsewhere_are_taken_whole(self, shop: Home, tmp_path: Path) -> None:
        source = str(shop.claude / "projects")
        fresh = Home(tmp_path / "fresh")
        told = fresh.ask("report", "--from", source, "--tz", "UTC")
        assert len(told["sessions"]) == 3
        assert told["period"].startswith("all time")


class TestTheFormats:
    @pytest.mark.parametrize("arguments", [[], ["--redact"], ["--since", "all", "--with-content"]])
    def test_json_keeps_to_its_schema(self, shop: Home, arguments: list[str]) -> None:
        schema = Path(__file__).parents[2] / "docs" / "report.schema.json"
        fastjsonschema.compile(json.loads(schema.read_text()))(shop.ask("report", *arguments))

    def test_text_is_printed_and_saved(self, shop: Home, somewhere: Path) -> None:
        done = shop.run("report", "--tz", "UTC", COLUMNS="80")
        assert (done.code, done.err) == (0, "")
        assert done.lines[0].startswith("Token report   2026-10-22 to 2026-11-20")
        assert max(map(text_width, done.lines)) <= 80
        assert done.lines[-1] == "Saved: .claude/context/token-report.text"
        saved = (somewhere / ".claude" / "context" / "token-report.text").read_text()
        assert saved.startswith("Token report   2026-10-22 to 2026-11-20\n")

    @pytest.mark.parametrize("kind", ["json", "html", "pdf"])
    def test_the_others_are_saved_and_named(self, shop: Home, somewhere: Path, kind: str) -> None:
        done = shop.run("report", kind)
        assert (done.code, done.err) == (0, "")
        assert done.out == f".claude/context/token-report.{kind}\n"
        assert (somewhere / ".claude" / "context" / f"token-report.{kind}").stat().st_size > 5000

    def test_standard_output(self, shop: Home, somewhere: Path) -> None:
        done = shop.run("report", "--output", "-")
        assert done.lines[0].startswith("Token report")
        assert "Saved" not in done.out
        assert shop.run("report", "html", "--output", "-").out.startswith("<!doctype html>")
        assert list(somewhere.iterdir()) == []

    def test_a_pipe_takes_a_pdf(self, shop: Home, tmp_path: Path) -> None:
        done = shop.run("report", "pdf", "--output", str(tmp_path / "x.pdf"), "--paper", "letter")
        assert done.code == 0
        assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")

    def test_a_terminal_takes_no_pdf(self, shop: Home) -> None:
        main, terminal = pty.openpty()
        try:
            done = subprocess.run(
                shop.command("report", "pdf", "--output", "-"),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=subprocess.PIPE,
                timeout=60,
                env=shop.spawn_environment(),
            )
        finally:
            os.close(terminal)
            os.close(main)
        assert done.returncode == 2
        assert b"not to a terminal" in done.stderr

    def test_the_same_moment_makes_the_same_bytes(self, shop: Home, tmp_path: Path) -> None:
        for kind in FORMATS:
            assert made(shop, kind, tmp_path) == made(shop, kind, tmp_path)

    def test_without_typst_a_sentence_says_how_to_have_it(
        self, shop: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "typst", None)
        done = shop.run("report", "pdf")
        assert done.code == 2
        assert "pip install 'tokenbudget[report]'" in done.err
        assert shop.run("report", "html").code == 0


class TestAnEmptyLedger:
    @pytest.mark.parametrize("kind", FORMATS)
    def test_makes_a_friendly_report(self, home: Home, tmp_path: Path, kind: str) -> None:
        assert len(made(home, kind, tmp_path)) > 1000

    def test_says_what_to_do(self, home: Home) -> None:
        done = home.run("report")
        assert (done.code, done.err) == (0, "")
        assert "--from PATH" in done.out

    def test_a_quiet_month_says_when_the_last_use_was(self, shop: Home) -> None:
        told = shop.ask("report", "--since", "2026-11-19")
        assert told["verdict"] == (
            "Nothing was used in this period; the last use was on 2026-11-17 (--since)."
        )


class TestWhatItKeepsToItself:
    @pytest.fixture
    def named(self, home: Home) -> Home:
        profiled_home(home)
        talk = Talk("dddd4444", cwd="/srv/shop", begin=home.now.replace(hour=8))
        talk.ask("Project Zephyr: " + words(200)).answer(words(50)).write(home)
        return home

    @pytest.mark.parametrize("kind", ["text", "json", "html"])
    def test_redacted_no_format_has_any_name(self, named: Home, tmp_path: Path, kind: str) -> None:
        plain = made(named, kind, tmp_path).decode()
        assert "/srv/shop" in plain
        hidden = made(named, kind, tmp_path, "--redact").decode().replace(LIBRARY, "")
        for secret in SECRETS:
            assert secret not in hidden

    def test_redacted_the_pdf_has_none_either(
        self, named: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tokenbudget.reports.pdf import report_pdf
        from tokenbudget.reports.pdf.pdf_data import pdf_data as plain

        told: list[str] = []

        def seen(*arguments: object) -> dict[str, object]:
            data = plain(*arguments)  # type: ignore[arg-type]
            told.append(json.dumps(data, ensure_ascii=False))
            return data

        monkeypatch.setattr(report_pdf, "pdf_data", seen)
        made(named, "pdf", tmp_path, "--redact")
        for secret in SECRETS:
            assert secret not in told[0].replace("\u200b", "")

    def test_pseudonyms_are_stable_and_figures_stay(self, named: Home) -> None:
        plain, once = named.ask("report"), named.ask("report", "--redact")
        assert once == named.ask("report", "--redact")
        assert once["totals"] == plain["totals"]
        assert len(once["findings"]) == len(plain["findings"])
        assert [one["drain"] for one in once["findings"]] == [
            one["drain"] for one in plain["findings"]
        ]

    @pytest.mark.parametrize("kind", ["text", "json", "html"])
    def test_prompts_are_there_only_when_asked_for(
        self, named: Home, tmp_path: Path, kind: str
    ) -> None:
        assert b"Zephyr" not in made(named, kind, tmp_path)
        assert b"Project Zephyr" in made(named, kind, tmp_path, "--with-content")

    def test_a_title_that_is_the_prompt_is_content(self, home: Home, tmp_path: Path) -> None:
        for name, title in (("aaaa1111", "Rename project ZEPHYR\u2026"), ("bbbb2222", "Renaming")):
            talk = Talk(name, cwd="/srv/shop", begin=home.now.replace(hour=9))
            talk.lines.append({"type": "ai-title", "aiTitle": title, "sessionId": name})
            talk.ask("Rename  project Zephyr to Aurora").answer(words(20)).write(home)
        for kind in ("text", "json", "html"):
            page = made(home, kind, tmp_path).decode().casefold()
            assert "zephyr" not in page
            assert "renaming" in page
        told = home.ask("report", "--with-content")["sessions"]
        assert {one["title"] for one in told} == {"Rename project ZEPHYR\u2026", "Renaming"}

    @pytest.mark.parametrize("verb", ["report", "profile"])
    def test_redacted_an_account_s_name_of_a_model_is_hidden(self, home: Home, verb: str) -> None:
        own = "arn:aws:bedrock:eu-west-1:1234:application-inference-profile/acme"
        talk = Talk("aaaa1111", cwd="/srv/shop", begin=home.now.replace(hour=9), model=own)
        talk.ask("Begin").answer(words(20)).write(home)
        assert own in json.dumps(home.ask(verb))
        assert "arn:aws" not in json.dumps(home.ask(verb, "--redact"))

    def test_redacted_content_is_refused(self, named: Home) -> None:
        done = named.run("report", "--redact", "--with-content")
        assert done.code == 2
        assert "choose one" in done.err


class TestATargetThatCannotBeWritten:
    @pytest.mark.parametrize("kind", FORMATS)
    def test_leaves_the_old_file_whole(self, shop: Home, tmp_path: Path, kind: str) -> None:
        target = tmp_path / "old.file"
        target.write_text("mine")
        target.chmod(0o400)
        done = shop.run("report", kind, "--output", str(target))
        assert done.code in (3, 4)
        assert "read-only" in done.err
        assert target.read_text() == "mine"

    def test_says_so_where_there_is_no_folder(self, shop: Home, tmp_path: Path) -> None:
        done = shop.run("report", "html", "--output", str(tmp_path / "none" / "x.html"))
        assert done.code == 3
        assert "choose another --output" in done.err

    def test_a_printed_report_is_no_failure(self, shop: Home, somewhere: Path) -> None:
        (somewhere / ".claude").write_text("no folder")
        done = shop.run("report")
        assert done.code == 0
        assert done.lines[0].startswith("Token report")
        assert "was not saved" in done.err
        assert shop.run("report", "html").code != 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["docx"], "invalid choice"),
        (["html", "--json"], "choose one"),
        (["--since", "2026-11-05", "--until", "2026-11-01"], "not before"),
        (["--project", "nowhere"], "no project is named"),
        (["--paper", "a5"], "invalid choice"),
    ],
)
def test_what_cannot_be_meant_is_refused(shop: Home, arguments: list[str], words: str) -> None:
    done = shop.run("report", *arguments)
    assert done.code == 2
    assert words in done.err


def test_hostile_sessions_are_inert(home: Home, tmp_path: Path) -> None:
    for number, text in enumerate(PAYLOADS.values()):
        safe = re.sub(r"[\0\ud800-\udfff]", "", text)
        talk = Talk(f"s{number:03}", cwd=f"/srv/{safe}", begin=home.now.replace(hour=7))
        talk.ask(text).read(f"/srv/{safe}/x", 300).call("Bash", text, command=text)
        talk.answer(words(20)).write(home)
    page = made(home, "html", tmp_path, "--with-content").decode()
    assert f"<script>window.{MARKER}" not in page
    assert page.count("<script") == 5
    assert "\x1b" not in made(home, "text", tmp_path, "--with-content").decode()
    json.loads(made(home, "json", tmp_path, "--with-content"))
    assert made(home, "pdf", tmp_path, "--with-content").startswith(b"%PDF-")
