from importlib import import_module

import pytest
from tests.cli.conftest import Home, response
from tests.cli.window_sessions import plain_session

from tokenbudget import __version__
from tokenbudget.cli import VERBS
from tokenbudget.cli.completion import words

SHOWN = [verb.name for verb in VERBS if not verb.is_hidden]
READING = ["overview", "usage", "sessions", "doctor"]


class TestHelp:
    @pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
    def test_lists_every_verb(self, home: Home, arguments: list[str]) -> None:
        done = home.run(*arguments)

        assert done.code == 0
        listed = [line.split()[0] for line in done.lines if line.startswith("  ")]
        assert [name for name in listed if name in SHOWN] == SHOWN

    def test_fits_eighty_columns(self, home: Home) -> None:
        assert max(map(len, home.run("--help").lines)) <= 80

    @pytest.mark.parametrize("verb", SHOWN)
    def test_of_a_verb_explains_every_option(self, home: Home, verb: str) -> None:
        done = home.run(verb, "--help")

        assert done.code == 0
        explained = {line.split()[0] for line in done.lines if line.startswith("  --")}
        assert explained == {word for word in words()[verb] if word.startswith("--")} - {"--help"}
        assert max(map(len, done.lines)) <= 88

    def test_takes_a_verb(self, home: Home) -> None:
        assert home.run("help", "usage").out == home.run("usage", "--help").out

    @pytest.mark.parametrize("verb", READING)
    def test_every_reading_verb_takes_the_shared_options(self, verb: str) -> None:
        assert {"--json", "--no-color", "--from", "--tz"} <= set(words()[verb])

    @pytest.mark.parametrize("arguments", [["--version"], ["-V"]])
    def test_the_version(self, home: Home, arguments: list[str]) -> None:
        assert home.run(*arguments).out == f"tokens {__version__}\n"

    def test_nothing_is_read_or_written_for_it(self, home: Home) -> None:
        home.run("--help")
        home.run("usage", "--help")

        assert list(home.path.iterdir()) == []

    def test_every_verb_has_its_module(self) -> None:
        for verb in VERBS:
            assert callable(import_module(f"tokenbudget.cli.{verb.module}").run)


class TestRefusal:
    @pytest.mark.parametrize(
        ("typed", "meant"), [("usge", "usage"), ("session", "sessions"), ("docter", "doctor")]
    )
    def test_a_mistyped_verb_is_guessed(self, home: Home, typed: str, meant: str) -> None:
        done = home.run(typed)

        assert (done.code, done.out) == (2, "")
        assert done.err == (
            f"tokens: there is no verb '{typed}' (did you mean '{meant}'?);"
            " tokens --help lists them\n"
        )

    def test_an_unlike_verb_is_not_guessed(self, home: Home) -> None:
        assert (
            home.run("xyzzy").err == "tokens: there is no verb 'xyzzy'; tokens --help lists them\n"
        )

    # An agent's status bar gets its line whatever it was told: tests/cli/test_statusline_verb.py.
    @pytest.mark.parametrize("verb", [verb for verb in SHOWN if verb != "statusline"])
    def test_an_unknown_option_is_one_sentence(self, home: Home, verb: str) -> None:
        done = home.run(verb, "--colour")

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("tokens: ")
        assert done.err.endswith(f"tokens {verb} --help says more\n")
        assert done.err.count("\n") == 1

    @pytest.mark.parametrize(
        "arguments",
        [
            ["usage", "--by"],
            ["usage", "--sin", "today"],
            ["usage", "extra"],
            ["sessions", "--limit", "0"],
            ["sessions", "--limit", "-1"],
            ["sessions", "--limit", "many"],
            ["sessions", "--limit", "9" * 5000],
            ["doctor", "--problems", "-1"],
            ["doctor", "--rebuild", "--from", "."],
            ["completion"],
            ["completion", "csh"],
            ["--by", "day"],
        ],
        ids=lambda arguments: " ".join(arguments)[:30],
    )
    def test_what_cannot_be_meant_is_one_sentence(self, home: Home, arguments: list[str]) -> None:
        done = home.run(*arguments)

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("tokens: ")
        assert done.err.count("\n") == 1

    def test_no_traceback_reaches_a_person(self, home: Home) -> None:
        done = home.spawn("usage", "--since", "soon")

        assert done.code == 2
        assert done.err.count("\n") == 1

    def test_debug_gives_one(self, home: Home) -> None:
        for arguments in (["--debug", "usage"], ["usage", "--debug"]):
            done = home.spawn(*arguments, "--since", "soon")

            assert done.code == 1
            assert "Traceback" in done.err
            assert "BadRequest: 'soon' is no time" in done.err


class TestFault:
    """A fault of the program itself."""

    @pytest.fixture
    def faulty(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
        def fail(arguments: list[str]) -> int:
            raise ZeroDivisionError("of \x1b[2Jnothing")

        monkeypatch.setattr("tokenbudget.cli.usage.run", fail)
        return home

    def test_is_one_sentence_with_an_exit_code_of_its_own(self, faulty: Home) -> None:
        done = faulty.run("usage")

        assert done.code == 70
        assert done.err == (
            "tokens: a fault of this program (ZeroDivisionError: of [2Jnothing);"
            " --debug shows where\n"
        )

    def test_debug_raises_it(self, faulty: Home) -> None:
        with pytest.raises(ZeroDivisionError):
            faulty.run("usage", "--debug")


class TestEmptyHome:
    @pytest.mark.parametrize("arguments", [[], ["usage"], ["sessions"], ["doctor"]])
    def test_teaches(self, home: Home, arguments: list[str]) -> None:
        done = home.run(*arguments)

        assert (done.code, done.err) == (0, "")
        assert done.lines[:2] == [
            "No sessions under ~/.claude or ~/.config/claude yet.",
            "Try: tokens usage --from PATH, with a session file or a folder of sessions.",
        ]

    @pytest.mark.parametrize("verb", READING)
    def test_is_no_error_in_json(self, home: Home, verb: str) -> None:
        assert home.ask(verb)["format"] == f"tokenbudget/{verb}/1"

    @pytest.mark.parametrize("verb", READING)
    def test_names_what_was_given(self, home: Home, verb: str) -> None:
        done = home.run(verb, "--from", str(home.path))

        assert done.lines[0] == f"No sessions under {home.path} yet."

    def test_a_session_that_is_not_there_is_refused(self, home: Home) -> None:
        assert home.run("sessions", "last").code == 2


class TestImports:
    """What a command costs before it begins: every module here was measured in milliseconds."""

    SHARED = frozenset({"msgspec", "dataclasses", "inspect", "asyncio"})
    AT_ONCE = SHARED | {
        "argparse",
        "sqlite3",
        "json",
        "decimal",
        "zoneinfo",
        "datetime",
        "subprocess",
    }
    WARM = SHARED | {
        "multiprocessing",
        "concurrent",
        "shutil",
        "tomllib",
        "zoneinfo",
        "subprocess",
        "tempfile",
        "textwrap",
        "unicodedata",
        "difflib",
        "threading",
        "logging",
        "pathlib",
    }

    COUNTING = frozenset(
        {
            "splintr",
            "msgspec",
            "tokenbudget.metering.tokenizer",
            "tokenbudget.metering.calibration",
            "tokenbudget.analysis.calibrating",
            "tokenbudget.analysis.rebuilt",
            "tokenbudget.analysis.window_cost",
            "tokenbudget.analysis.window_replay",
            "tokenbudget.analysis.window_report",
            "tokenbudget.sources.claude_code.decoder",
            "tokenbudget.sources.claude_code.last_request",
            "tokenbudget.sources.claude_code.reader",
            "tokenbudget.sources.claude_code.window",
        }
    )
    """What reads, counts and follows a transcript; an answer that was kept needs none of it."""

    def imported(self, home: Home, *arguments: str) -> set[str]:
        """Top-level modules that a command imports beyond those of the interpreter."""
        return {name.partition(".")[0] for name in home.modules(*arguments)}

    @pytest.mark.parametrize("option", ["--help", "--version"])
    def test_help_needs_next_to_nothing(self, home: Home, option: str) -> None:
        assert self.imported(home, option) & self.AT_ONCE == set()

    @pytest.mark.parametrize("by", ["day", "model", "project", "session", "block"])
    def test_a_warm_usage_reads_no_transcript_and_no_configuration(
        self, home: Home, by: str
    ) -> None:
        home.write_session("s1", response(1))
        home.run("usage")

        assert self.imported(home, "usage", "--by", by) & self.WARM == set()

    def test_a_warm_overview_is_as_light(self, home: Home) -> None:
        home.write_session("s1", response(1))
        home.run("usage")

        assert self.imported(home) & self.WARM - {"unicodedata"} == set()

    def test_a_zone_is_loaded_when_it_is_named(self, home: Home) -> None:
        home.write_session("s1", response(1))

        assert "zoneinfo" in self.imported(home, "usage", "--tz", "Europe/Berlin")

    @pytest.mark.parametrize("verb", ["context", "budget"])
    @pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
    def test_a_warm_window_is_neither_read_nor_counted(
        self, home: Home, verb: str, form: list[str]
    ) -> None:
        plain_session().write(home)
        home.run("context")
        found = home.modules(verb, *form)

        assert found & self.COUNTING == set()
        assert {name.partition(".")[0] for name in found} & self.WARM - {"unicodedata"} == set()

    def test_a_cold_window_is_counted(self, home: Home) -> None:
        plain_session().write(home)

        assert {"splintr", "msgspec"} <= home.modules("context")

    def test_a_warm_timeline_loads_no_vocabulary(self, home: Home) -> None:
        plain_session().write(home)
        home.run("timeline")

        assert self.imported(home, "timeline") & {"splintr", "msgspec", "multiprocessing"} == set()
