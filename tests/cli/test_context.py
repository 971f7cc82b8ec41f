"""`tokens context`, and what it shares with `tokens budget` and `tokens timeline`."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import OPUS, PRICES, Done, Home
from tests.cli.test_golden import accepted
from tests.cli.test_hostile_text import HOSTILE, harmful
from tests.cli.window_sessions import (
    BEGIN,
    HAIKU,
    SHAPE,
    SHAPE_TOKENS,
    Talk,
    plain_session,
    recorded,
    rich_session,
    words,
)

from tokenbudget.model.figures import text_width

SCREENS = {
    "context": ["context"],
    "budget": ["budget"],
    "timeline": ["timeline"],
    "calibration": ["doctor", "--calibration"],
}
VERBS = ("context", "budget", "timeline")
WIDTHS = (60, 80, 100, 160)
ASCII = {"LANG": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
LONG = "extraordinarily-long-" * 20
WIDE = "購物車の合計を四捨五入する" * 12


EVERY_SIZE = [(screen, width) for screen in SCREENS for width in WIDTHS]


def items(answer: Any, component: str) -> dict[str, int]:
    """Tokens of a component by item."""
    rows = [row for row in answer["rows"] if row["component"] == component]
    return {row["item"]: row["tokens"] for row in rows if row["level"] == 1}


def components(answer: Any) -> dict[str, int]:
    """Tokens by component."""
    return {row["component"]: row["tokens"] for row in answer["rows"] if row["level"] == 0}


def prose(done: Done) -> str:
    """What a screen says, however its sentences are broken into lines."""
    return " ".join(done.out.split())


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one session that has everything; only for commands that read."""
    home = Home(tmp_path_factory.mktemp("rich") / "home")
    rich_session().write(home)
    home.config.parent.mkdir()
    home.config.write_text(PRICES)
    return home


class TestScreens:
    @pytest.mark.parametrize(("screen", "width"), EVERY_SIZE)
    def test_looks_as_it_was_accepted(self, rich: Home, screen: str, width: int) -> None:
        done = rich.run(*SCREENS[screen], COLUMNS=str(width))

        assert (done.code, done.err) == (0, "")
        assert max(map(text_width, done.lines)) <= width
        assert done.out == accepted(screen, width, done.out)

    @pytest.mark.parametrize(("screen", "width"), EVERY_SIZE)
    @pytest.mark.parametrize("name", [LONG, WIDE, "x"], ids=["long", "wide", "short"])
    def test_fits_whatever_things_are_called(
        self, home: Home, screen: str, width: int, name: str
    ) -> None:
        talk = Talk(cwd=f"/srv/{name}").titled(name).ask()
        talk.read(f"/srv/{name}/{name}.py", 900).call(f"mcp__{name}__{name}", words(900))
        talk.attach("nested_memory", words(90), path=f"/srv/{name}/CLAUDE.md").answer().write(home)

        done = home.run(*SCREENS[screen], COLUMNS=str(width))

        assert done.code == 0
        assert max(map(text_width, done.lines)) <= width

    @pytest.mark.parametrize("screen", SCREENS)
    def test_is_plain_in_a_pipe(self, rich: Home, screen: str) -> None:
        piped = rich.run(*SCREENS[screen])

        assert "\x1b" not in piped.out
        assert piped.out == rich.run(*SCREENS[screen], NO_COLOR="1").out

    @pytest.mark.parametrize("width", [60, 100])
    @pytest.mark.parametrize("screen", SCREENS)
    def test_an_ascii_terminal_gets_stand_ins_of_the_same_width(
        self, rich: Home, screen: str, width: int
    ) -> None:
        plain = rich.spawn(*SCREENS[screen], COLUMNS=str(width), **ASCII)
        same = rich.spawn(*SCREENS[screen], COLUMNS=str(width))

        assert (plain.code, plain.err) == (0, "")
        assert plain.out.isascii()
        assert list(map(len, plain.lines)) == list(map(text_width, same.lines))
        assert not re.search(r"\?-|\? [a-z]|^\?", plain.out, re.MULTILINE)

    def test_an_ascii_terminal_can_tell_the_bands_apart(self, rich: Home) -> None:
        out = rich.spawn("timeline", **ASCII).out

        signs = [re.search(rf"(\S) {name}", out) for name in ("messages", "files", "MCP", "system")]
        assert len({found[1] for found in signs if found}) == 4

    def test_on_an_ascii_terminal_a_cut_path_is_no_path_at_home(self, home: Home) -> None:
        plain_session().read(f"/srv/{'deep' * 30}/cart.py", 90).answer().write(home)
        lines = home.spawn("context", COLUMNS="80", **ASCII).lines

        assert not [line for line in lines if line.strip().startswith("~") and "cart.py" in line]

    @pytest.mark.parametrize("screen", SCREENS)
    def test_no_line_ends_in_blanks(self, rich: Home, screen: str) -> None:
        done = rich.run(*SCREENS[screen], COLUMNS="100")

        assert [line for line in done.lines if line != line.rstrip()] == []


class TestHostileNames:
    @pytest.fixture(params=HOSTILE)
    def attacked(self, home: Home, request: pytest.FixtureRequest) -> Home:
        """A session in which tools, paths, titles and branches are hostile."""
        bad = HOSTILE[str(request.param)]
        talk = Talk(cwd=f"/srv/{bad}").titled(f"Title {bad}").ask(f"Do {bad}", gitBranch=bad)
        talk.shape(words(90), {f"mcp__{bad}__run": words(90), bad: words(90)})
        talk.read(f"/srv/{bad}.py", 90).call(f"mcp__{bad}__run", words(90)).call(bad, words(90))
        talk.attach("nested_memory", words(90), path=f"/srv/{bad}/CLAUDE.md")
        talk.attach(f"kind {bad}", words(90)).compact(words(90), trigger=bad)
        talk.ask(bad).answer().write(home)
        return home

    @pytest.mark.parametrize("screen", SCREENS)
    def test_reach_no_terminal(self, attacked: Home, screen: str) -> None:
        for width in ("80", "160"):
            done = attacked.run(*SCREENS[screen], COLUMNS=width)

            assert (done.code, done.err) == (0, "")
            assert harmful(done.out) == set()

    @pytest.mark.parametrize("screen", SCREENS)
    def test_are_ascii_in_json(self, attacked: Home, screen: str) -> None:
        done = attacked.run(*SCREENS[screen], "--json")

        assert done.out.isascii()
        assert json.loads(done.out)["format"].startswith("tokenbudget/")

    @pytest.mark.parametrize("bad", ["clear", "bidi", "c1", "clipboard"])
    @pytest.mark.parametrize("verb", VERBS)
    def test_of_a_model_reach_none_either(self, home: Home, verb: str, bad: str) -> None:
        Talk(model=f"model-{HOSTILE[bad]}").ask().answer().answer().write(home)

        assert harmful(home.run(verb).out) == set()

    def test_of_a_subagent_reach_none(self, home: Home) -> None:
        Talk(agent="a\x1b[2Jb").ask().answer().write(home)

        assert harmful(home.run("context").out) == set()

    @pytest.mark.parametrize("bad", ["clear", "bidi", "lines"])
    @pytest.mark.parametrize("verb", VERBS)
    def test_as_an_argument_make_one_clean_line(self, home: Home, verb: str, bad: str) -> None:
        plain_session().write(home)

        for arguments in ([f"no-{HOSTILE[bad]}"], ["s1", "--agent", f"no-{HOSTILE[bad]}"]):
            done = home.run(verb, *arguments)
            assert (done.code, done.err.count("\n")) == (2, 1)
            assert harmful(done.err) == set()


class TestJson:
    def test_is_one_object_of_its_format(self, rich: Home) -> None:
        answer = rich.ask("context")

        assert answer["format"] == "tokenbudget/context/1"
        assert answer["session"] == "s1"
        assert answer["model"] == HAIKU

    def test_components_add_up_to_the_total(self, rich: Home) -> None:
        answer = rich.ask("context")

        assert sum(components(answer).values()) == answer["total_tokens"]
        assert {row["level"] for row in answer["rows"]} == {0, 1, 2}
        assert answer["totals"] == {"tokens": answer["total_tokens"], "provenance": "exact"}
        assert answer["total_tokens"] == answer["prompt_tokens"] + answer["answer_tokens"]

    def test_items_add_up_to_their_component(self, rich: Home) -> None:
        answer = rich.ask("context")

        for component, tokens in components(answer).items():
            found = items(answer, component)
            assert sum(found.values()) == tokens or not found

    def test_parts_add_up_to_their_item(self, rich: Home) -> None:
        rows = rich.ask("context")["rows"]
        whole = {(r["component"], r["item"]): r["tokens"] for r in rows if r["level"] == 1}
        parts: dict[tuple[str, str], int] = {}
        for row in rows:
            if row["level"] == 2:
                name = (row["component"], row["item"])
                parts[name] = parts.get(name, 0) + row["tokens"]

        assert parts
        assert parts.items() <= whole.items()

    def test_rows_are_flat(self, rich: Home) -> None:
        for row in rich.ask("context")["rows"]:
            assert not [value for value in row.values() if isinstance(value, (dict, list))]

    def test_tells_where_the_size_of_the_window_is_known_from(self, rich: Home) -> None:
        answer = rich.ask("context")

        assert (answer["window_tokens"], answer["window_origin"]) == (200_000, "published")
        assert (answer["reserve_tokens"], answer["reserve_origin"]) == (33_000, "assumed")
        assert answer["until_compaction_tokens"] == answer["free_tokens"] - 33_000

    def test_costs_are_decimal_strings_that_add_up(self, rich: Home) -> None:
        cost = rich.ask("context")["cost"]
        kinds = ("input_usd", "cache_write_usd", "cache_read_usd", "output_usd")

        assert isinstance(cost["cost_usd"], str)
        assert sum(float(cost[kind]) for kind in kinds) == pytest.approx(float(cost["cost_usd"]))
        by_component = sum(map(float, cost["by_component"].values()))
        assert by_component == pytest.approx(float(cost["cost_usd"]), abs=1e-6)


class TestComposition:
    def test_names_everything_that_a_transcript_tells(self, rich: Home) -> None:
        answer = rich.ask("context")

        assert set(components(answer)) == {
            "system_prompt",
            "system_tools",
            "mcp_tools",
            "skills",
            "memory_files",
            "messages",
            "context_files",
            "hidden",
        }
        assert set(items(answer, "mcp_tools")) == {"tickets"}
        assert set(items(answer, "memory_files")) == {"/srv/shop/CLAUDE.md"}

    def test_what_was_compacted_is_gone(self, rich: Home) -> None:
        answer = rich.ask("context")

        assert set(items(answer, "context_files")) == {
            "/srv/shop/src/part0.py",
            "/srv/shop/src/part1.py",
        }
        assert "summary of what was compacted" in items(answer, "messages")

    def test_a_file_read_twice_is_stale_once(self, home: Home) -> None:
        plain_session().write(home)
        (row,) = (r for r in home.ask("context")["rows"] if r["item"] == "/srv/shop/src/cart.py")

        assert (row["reads"], row["pieces"]) == (2, 2)
        assert row["stale_tokens"] == pytest.approx(row["tokens"] / 2, abs=1)

    def test_what_no_line_shows_is_not_recorded(self, home: Home) -> None:
        plain_session(hidden_tokens=17_000).write(home)

        assert components(home.ask("context"))["hidden"] == pytest.approx(17_000, abs=60)

    def test_all_shows_every_item(self, home: Home) -> None:
        talk = Talk().ask()
        for number in range(8):
            talk.read(f"/srv/shop/part{number}.py", 300 + number)
        talk.answer().write(home)

        short, whole = home.run("context").out, home.run("context", "--all").out
        assert [f"part{number}.py" in short for number in range(8)].count(True) == 5
        assert "and 3 more" in short
        assert all(f"part{number}.py" in whole for number in range(8))
        assert "and 3 more" not in whole

    def test_what_waits_to_be_sent_is_told(self, home: Home) -> None:
        plain_session().ask(words(500)).write(home)

        assert home.ask("context")["waiting_tokens"] == pytest.approx(588, rel=0.1)
        assert "new since then, not sent yet" in home.run("context").out


class TestRecord:
    """What the client itself recorded of the last request."""

    def test_a_proven_one_is_named_so(self, home: Home) -> None:
        recorded().write(home)
        answer = home.ask("context")

        assert answer["record"]["is_proven"]
        assert "hidden" not in components(answer)
        assert "every byte proven by the client's digest" in prose(home.run("context"))

    def test_its_bytes_add_up(self, home: Home) -> None:
        recorded().write(home)
        record = home.ask("context")["record"]

        parts = sum(record["bytes_by_component"].values()) + record["frame_bytes"]
        assert parts == record["size_bytes"]

    def test_another_digest_proves_nothing(self, home: Home) -> None:
        recorded(digest="0" * 64).write(home)
        record = home.ask("context")["record"]

        assert (record["is_whole"], record["is_proven"]) == (True, False)
        assert "proven" not in home.run("context").out

    @pytest.mark.parametrize(
        ("spoilt", "parts"),
        [(recorded(hashes=["f" * 64]), "lacks 1 part"), (recorded(keep=3), "lacks 3 parts")],
        ids=["message", "base"],
    )
    def test_what_it_lacks_is_told(self, home: Home, spoilt: Talk, parts: str) -> None:
        spoilt.write(home)
        answer = home.ask("context")

        assert not answer["record"]["is_whole"]
        assert any(parts in note for note in answer["notes"])
        assert answer["total_tokens"] == sum(components(answer).values())

    def test_another_hash_is_told(self, home: Home) -> None:
        recorded(shape={**SHAPE, "system": []}).write(home)

        assert any("another hash" in note for note in home.ask("context")["notes"])

    def test_with_another_hash_it_is_not_whole(self, home: Home) -> None:
        recorded(shape={**SHAPE, "system": []}).write(home)

        assert not home.ask("context")["record"]["is_whole"]

    def test_without_one_there_is_none(self, rich: Home) -> None:
        assert rich.ask("context")["record"] is None

    def test_the_sample_bills_what_it_holds(self, home: Home) -> None:
        recorded().write(home)

        assert home.ask("context")["prompt_tokens"] == pytest.approx(SHAPE_TOKENS, abs=20)


class TestDoubtful:
    """Each is a true, partial answer that says what is unknown."""

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize(
        ("talk", "said"),
        [
            (Talk().ask(), "no request has been answered yet"),
            (Talk().ask().answer(usage=None), "no request reported its usage"),
            (Talk(agent="a1").ask().answer(), "only subagents did"),
            (plain_session().answer(usage=None), "the last request reported no usage"),
            (Talk().ask().answer(model=OPUS).ask().answer(), "the model changed"),
            (plain_session(model="mystery-9"), "the window of mystery-9 is not known"),
        ],
        ids=["prompt-only", "usage-null", "only-subagents", "last-null", "models", "unknown-model"],
    )
    def test_says_what_is_unknown(self, home: Home, verb: str, talk: Talk, said: str) -> None:
        talk.write(home)
        done = home.run(verb)

        assert (done.code, done.err) == (0, "")
        assert said in prose(done)
        assert any(said in note for note in home.ask(verb)["notes"])

    def test_without_usage_nothing_is_claimed(self, home: Home) -> None:
        Talk().ask().answer(usage=None).write(home)
        answer = home.ask("context")

        assert (answer["total_tokens"], answer["free_tokens"], answer["rows"]) == (None, None, [])
        assert answer["totals"]["provenance"] == "unknown"

    def test_of_several_models_the_window_of_the_last_counts(self, home: Home) -> None:
        Talk().ask().answer(model=OPUS).ask().answer(model=HAIKU).write(home)

        assert home.ask("context")["window_tokens"] == 200_000

    def test_a_compaction_without_a_summary_is_one(self, home: Home) -> None:
        plain_session().compact().answer("What next?").write(home)
        answer = home.ask("context")

        assert "context_files" not in components(answer)
        assert home.ask("timeline")["rows"][-1]["event"] == "compaction"

    def test_a_compaction_since_the_last_request_is_told(self, home: Home) -> None:
        plain_session().compact().write(home)

        assert any("compact" in note for note in home.ask("context")["notes"])

    @pytest.mark.parametrize("summary", ["", words(40)], ids=["none", "summary"])
    def test_after_it_the_total_is_unknown_until_the_next_request(
        self, home: Home, summary: str
    ) -> None:
        path = plain_session().compact(summary).write(home)
        answer = home.ask("context")

        unknown = ("total_tokens", "free_tokens", "until_compaction_tokens")
        assert [answer[name] for name in unknown] == [None] * 3
        assert (answer["prompt_tokens"], answer["rows"]) == (17_912, [])
        assert answer["totals"] == {"tokens": None, "provenance": "unknown"}

        plain_session().compact(summary).answer().write(home)
        os.utime(path, ns=(1, 1))
        assert home.ask("context")["total_tokens"] < 17_912

    def test_a_deleted_transcript_is_remembered_as_it_was_counted(self, home: Home) -> None:
        path = plain_session().write(home)
        before = home.ask("context")
        path.unlink()
        after = home.ask("context")

        assert (after["rows"], after["total_tokens"]) == (before["rows"], before["total_tokens"])
        assert any("the transcript is gone" in note for note in after["notes"])

    def test_one_deleted_before_it_was_counted_is_not_unanswered(self, home: Home) -> None:
        path = plain_session().write(home)
        home.run("usage")
        path.unlink()

        (note,) = home.ask("context")["notes"]
        assert note == "the transcript is gone, and nothing of it had been counted"

    @pytest.mark.parametrize("verb", VERBS)
    def test_garbage_lines_change_nothing(self, home: Home, verb: str) -> None:
        path = plain_session().write(home)
        first, *rest = path.read_bytes().splitlines(keepends=True)
        clean = home.ask(verb)
        garbage = b'[]\nno json \x1b[2J\n{"type": 3}\n\xff\xfe\n\n'
        path.write_bytes(garbage + first + garbage + b"".join(rest) + b'{"type":"assist')

        assert home.ask(verb) == clean

    def test_two_sessions_in_one_file_can_both_be_asked_for(self, home: Home) -> None:
        shared(home)

        assert [home.ask("context", name)["session"] for name in ("s1", "s2")] == ["s1", "s2"]
        assert any("session s1" in note for note in home_of_second(home)["notes"])

    def test_of_two_sessions_in_one_file_the_first_goes_on_in_no_other(self, home: Home) -> None:
        shared(home)
        home.ask("context", "s2")

        assert home.ask("context", "s1")["notes"] == []

    def test_of_two_sessions_in_one_file_neither_gets_the_others_answer(self, home: Home) -> None:
        shared(home)
        second = home.ask("context", "s2")

        home.config.parent.joinpath("ledger.db").unlink()
        home.ask("context", "s1")
        assert home.ask("context", "s2") == second

    @pytest.mark.skipif(os.geteuid() == 0, reason="a superuser may write anywhere")
    @pytest.mark.parametrize("verb", VERBS)
    def test_a_home_that_cannot_be_written_still_answers(self, home: Home, verb: str) -> None:
        plain_session().write(home)
        home.config.parent.mkdir(mode=0o500)
        done = home.run(verb)

        assert done.code == 0
        assert "read afresh" in done.err

    @pytest.mark.parametrize("verb", VERBS)
    def test_where_no_ledger_can_be_kept_it_still_answers(self, home: Home, verb: str) -> None:
        plain_session().write(home)
        blocked = home.path / "blocked"
        blocked.write_text("a file where the folder should be")
        nothing = str(home.path / "none.toml")
        done = home.run(verb, "--json", TOKENS_HOME=str(blocked), TOKENS_CONFIG=nothing)

        assert done.code == 0
        assert done.json["total_tokens"] > 12_000
        assert "read afresh" in done.err


def shared(home: Home) -> None:
    """A session that a client of old went on with under another id, in the same file."""
    talk = plain_session("s1")
    later = Talk("s2", begin=talk.at, hidden_tokens=talk.window_tokens).ask("Go on.").answer()
    talk.lines += later.lines
    talk.write(home)


def home_of_second(home: Home) -> Any:
    """What is said of the second session where nothing was asked before."""
    home.config.parent.joinpath("ledger.db").unlink()
    return home.ask("context", "s2")


class TestUnknownModel:
    @pytest.mark.parametrize("name", ["mystery-9", "myst*", "*", "MYSTERY-9"])
    def test_a_setting_cures_it(self, home: Home, name: str) -> None:
        plain_session(model="mystery-9").write(home)
        assert home.ask("context")["window_tokens"] is None
        home.config.write_text(f'windows."{name}" = 64_000\n')

        answer = home.ask("context")
        assert (answer["window_tokens"], answer["window_origin"]) == (64_000, "setting")
        assert answer["notes"] == []

    def test_the_longest_beginning_decides(self, home: Home) -> None:
        plain_session(model="mystery-9").write(home)
        home.config.parent.mkdir()
        home.config.write_text('[windows]\n"*" = 1000\n"mystery-*" = 64000\n"my*" = 2000\n')

        assert home.ask("context")["window_tokens"] == 64_000

    def test_the_sentence_is_one(self, home: Home) -> None:
        plain_session(model="mystery-9").write(home)

        said = "  Window     17,925 tokens, of a window that is not known"
        assert said in home.run("context").lines

    def test_what_has_no_price_did_not_cost_nothing(self, home: Home) -> None:
        plain_session(model="mystery-9").write(home)
        done = home.run("context")
        cells = [line.split()[-1] for line in done.lines if line.startswith("  Messages")]

        assert "$" not in done.out
        assert cells == ["?"]
        assert "Cost of this thread so far: ? (59,952 tokens have no price)" in prose(done)

    def test_what_has_a_price_in_part_is_told(self, home: Home) -> None:
        Talk().ask().answer(model="mystery-9").ask().answer().write(home)
        done = home.run("context")

        assert re.search(r"so far: \$\d.* without 12,022 tokens that have no price", prose(done))
        assert re.search(r"^  Not recorded .*\$[0-9.]+\?$", done.out, re.MULTILINE)


class TestWhichSession:
    @pytest.fixture
    def two(self, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
        """A session of this directory, and a later one of another."""
        here = tmp_path / "here"
        here.mkdir()
        monkeypatch.chdir(here)
        Talk("s-here", cwd=str(here)).ask().answer().write(home, slug="-here")
        later = BEGIN + timedelta(minutes=9)
        Talk("s-there", cwd="/srv/there", begin=later).ask().answer().write(home, slug="-there")
        return home

    @pytest.mark.parametrize("verb", VERBS)
    def test_without_a_name_it_is_the_last_one_of_this_directory(
        self, two: Home, verb: str
    ) -> None:
        assert two.ask(verb)["session"] == "s-here"

    def test_last_is_the_last_one_of_all(self, two: Home) -> None:
        assert two.ask("context", "last")["session"] == "s-there"

    def test_in_another_directory_it_is_the_last_one_of_all(
        self, two: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        assert two.ask("context")["session"] == "s-there"

    def test_a_beginning_is_enough(self, two: Home) -> None:
        assert two.ask("context", "s-t")["session"] == "s-there"

    @pytest.mark.parametrize("verb", VERBS)
    def test_an_ambiguous_beginning_shows_the_candidates(self, two: Home, verb: str) -> None:
        done = two.run(verb, "s-")

        assert (done.code, done.out) == (2, "")
        assert "2 sessions begin with 's-' (s-there, s-here); give more of it" in done.err

    @pytest.mark.parametrize("verb", VERBS)
    def test_an_unknown_one_is_refused_in_a_sentence(self, two: Home, verb: str) -> None:
        assert two.run(verb, "zzz") == (
            2,
            "",
            "tokens: no session begins with 'zzz'; tokens sessions lists them\n",
        )

    @pytest.mark.parametrize("verb", VERBS)
    def test_an_empty_home_teaches_what_to_do(self, home: Home, verb: str) -> None:
        done = home.run(verb)

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert "there is no session yet; name a file or folder" in done.err
        assert "--from PATH" in done.err

    def test_in_a_directory_that_is_gone_it_is_the_last_one_of_all(
        self, two: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()

        done = two.run("context", "--json")
        assert (done.code, done.err) == (0, "")
        assert done.json["session"] == "s-there"

    def test_it_is_as_ambiguous_as_for_sessions(self, home: Home) -> None:
        shared(home)

        assert home.run("context", "s").code == home.run("sessions", "s").code == 2

    def test_named_files_are_read_instead(self, two: Home, tmp_path: Path) -> None:
        path = Talk("s-far").ask().answer().write(Home(tmp_path / "far"))

        assert two.ask("context", "--from", str(path))["session"] == "s-far"
        assert two.run("context", "s-far").code == 2

    def test_a_folder_of_files_is_read_as_well(self, home: Home, tmp_path: Path) -> None:
        far = Home(tmp_path / "far")
        plain_session("s1").write(far)
        plain_session("s2", begin=BEGIN + timedelta(minutes=9)).write(far)

        assert home.ask("context", "--from", str(far.claude))["session"] == "s2"
        assert home.ask("context", "s1", "--from", str(far.claude))["session"] == "s1"


class TestSubagents:
    @pytest.fixture
    def helped(self, home: Home) -> Home:
        """A session with two subagents, the second of which has said less."""
        plain_session().write(home)
        Talk(agent="abc123", hidden_tokens=4_000).ask().answer().answer().write(home)
        Talk(agent="def456", hidden_tokens=5_000).ask().answer().write(home)
        return home

    @pytest.mark.parametrize("verb", VERBS)
    def test_a_beginning_names_one(self, helped: Home, verb: str) -> None:
        answer = helped.ask(verb, "--agent", "def")

        assert answer["agent_thread"] == "def456"
        assert answer["prompt_tokens"] == 5_013

    @pytest.mark.parametrize("verb", VERBS)
    def test_an_unknown_one_is_refused_with_some_names(self, helped: Home, verb: str) -> None:
        done = helped.run(verb, "--agent", "zz")

        assert (done.code, done.out) == (2, "")
        assert done.err == "tokens: the session has no subagent 'zz' (it has: abc123, def456)\n"

    def test_a_session_without_any_says_so(self, home: Home) -> None:
        plain_session().write(home)

        assert "no subagent 'a' (it has: none)" in home.run("context", "--agent", "a").err

    def test_its_window_is_not_the_sessions(self, helped: Home) -> None:
        assert helped.ask("context")["prompt_tokens"] > 12_000
        assert "subagent def456" in helped.run("context", "--agent", "def").out

    def test_where_only_they_asked_they_are_listed(self, home: Home) -> None:
        Talk(agent="a1").ask().answer().write(home)
        answer = home.ask("context")

        assert [found["requests"] for found in answer["subagents"]] == [1]
        assert "    a1  12,022 tokens, 1 request" in home.run("context").lines

    def test_they_are_listed_beside_a_main_thread_too(self, helped: Home) -> None:
        answer = helped.ask("context")
        listed = [(found["requests"], found["total_tokens"]) for found in answer["subagents"]]

        assert listed == [(2, 4_031), (1, 5_022)]
        assert helped.run("context").out.count("--agent ID") == 1

    def test_a_subagent_lists_none(self, helped: Home) -> None:
        assert helped.ask("context", "--agent", "def")["subagents"] == []
        assert "--agent ID" not in helped.run("context", "--agent", "def").out

    def test_an_ambiguous_beginning_is_refused(self, home: Home) -> None:
        for agent in ("a1", "a2", "a22"):
            Talk(agent=agent).ask().answer().write(home)

        for verb in VERBS:
            assert home.run(verb, "--agent", "a") == (
                2,
                "",
                "tokens: 3 subagents begin with 'a' (a1, a2, a22); give more of it\n",
            )
        assert home.ask("context", "--agent", "a2")["agent_thread"] == "a2"
