"""Prose in fewer tokens, with its meaning."""

from __future__ import annotations

import re

import markdown_it
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from splintr import Tokenizer

from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE
from tokenbudget.compression.prose import Rewritten, rewritten
from tokenbudget.compression.prose_blocks import blocks_of
from tokenbudget.compression.prose_spans import FIRST_NUMBER
from tokenbudget.compression.symbols import measured, with_symbols
from tokenbudget.compression.symbols_glossary import expanded, glossary_for, with_signs
from tokenbudget.metering.tokenizer import BytePairCounter

COUNTER = BytePairCounter()


def balanced(text: str) -> str:
    return rewritten(text, BALANCED, COUNTER).text


def compressed(text: str) -> str:
    return rewritten(text, COMPRESSED, COUNTER).text


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Please make sure that the tests pass.", "ensure tests pass."),
        ("Use this in order to build the project.", "Use this to build project."),
        ("- **Source**: the main entry point", "- Source: main entry point"),
        ("Read logs, traces, and metrics.", "Read logs, traces and metrics."),
        ("No writes, and reads are cached by the day.", None),
        ("For new files, use tabs, and spaces are bad as the rest.", None),
        ("Run it prior to a release.", "Run it before release."),
        ("There are files that are generated.", "files generated."),
        ("Read the file when you change the API.", "Read file when changing API."),
        ("It takes a few minutes, once a day.", "It takes a few minutes, once a day."),
        ("Do not just delete the cache.", "Do not just delete cache."),
        ("Don't ever answer with just code.", "Don't ever answer with just code."),
        ("Do NOT also delete the cache.", "Do NOT also delete cache."),
        ("Never delete it, because a test needs it.", "Never delete it, because test needs it."),
        ("It is slow, so cache the result.", "It's slow so cache result."),
        ("If you create or modify the file, run it.", "If you create or modify file, run it."),
        ("When you change the API and run the tests, wait.", None),
        ("Your first `git commit` will abort.", "Your first `git commit` will abort."),
        ("See what your branch changed.", "See what your branch changed."),
        (
            "It makes any omission an error under a filter.",
            "It makes any omission an error under filter.",
        ),
        (
            "So recording a session never depends on the hook.",
            "So recording a session never depends on hook.",
        ),
        ("Before editing the file, read the guide.", "Before editing file, read guide."),
        (
            "See the pages Inside your Handler and Clients.",
            "See pages Inside your Handler and Clients.",
        ),
        ("Never read a file or a range of a file.", "Never read file or a range of file."),
        (
            "It takes a number of seconds as the argument.",
            "It takes a number of seconds as argument.",
        ),
        (
            "We know what made a change in order to weigh it.",
            "We know what made change in order to weigh it.",
        ),
        ("Make sure to run the tests.", "run tests."),
        ("It is in the root of this repository.", "It's in repo root."),
        (
            "It burns the partner's name and the plugin's cache.",
            "It burns partner's name and plugin cache.",
        ),
        ("Check this file's contract.", "Check this file's contract."),
        ("Read some (e.g. the words are deliberate).", "Read some (e.g. words are deliberate)."),
        ("Read some (e.g. the words).", "Read some (like words)."),
        (
            "All packages in the repo (`a`) as well as the skills.",
            "All packages in repo (`a`) plus skills.",
        ),
        ("Read the `README.md` file and the `a.md` files.", "Read `README.md` and `a.md` files."),
        (
            "Read the `test_*.py` files and the `~/b/` directories.",
            "Read `test_*.py` and `~/b/` directories.",
        ),
        ("Use pnpm in place of npm.", "Use pnpm in place of npm."),
        ("Use pnpm as opposed to npm.", "Use pnpm as opposed to npm."),
        ("It is a commit the pull request introduces.", "It's commit the pull request introduces."),
        ("Reading it is half the contract.", "Reading it is half the contract."),
        ("Name errors a caller would catch.", "Name errors a caller would catch."),
        ("Read the words if the hook can write.", "Read words if hook can write."),
        ("Find folders that are immutable.", "Find folders that are immutable."),
        ("Use the following structure.", "Use following structure."),
        ("Use the following commands:", "Use these commands:"),
        ("The build fails if you skip the step.", "build fails if you skip step."),
        ("Your job is to read the file.", "Your job is to read file."),
    ],
)
def test_balanced(text: str, short: str | None) -> None:
    assert balanced(text) == (short or text.replace("the ", ""))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("The tests are located in the folder below.", "tests in folder below."),
        ("A PR will be closed unless it is reviewed.", "PR get closed unless reviewed."),
        ("The tool is not installed by default.", "tool not installed by default."),
        ("A hook that contains errors fails.", "hook containing errors fails."),
        ("The two packages are independent parts.", "two packages are independent parts."),
        ("Adding a symbol there is a decision.", "Adding symbol there is decision."),
        ("Those who are members of this repository, read on.", "Those who are members, read on."),
        ("Use *only* the **first** one.", "Use only first one."),
        (
            "Ensure that tests pass, and that changes work.",
            "Ensure tests pass, and that changes work.",
        ),
        (
            "Keep what must stay and which tests to run.",
            "Keep what must stay and which tests to run.",
        ),
        (
            "A rule written by the one is read by the other.",
            "rule written by the one is read by the other.",
        ),
        ("Note the results in the file of the day.", "Note results in file of day."),
        ("Read the plugin's manual and its index.", "Read plugin manual and index."),
        ("It's own state, the session's not saved.", "It's own state, session's not saved."),
        ("This file is generated by a hook.", "file generated by hook."),
        ("Set the words (this file is read).", "Set words (this file is read)."),
        ("The tests are in a folder and run by hand.", "tests are in folder and run by hand."),
        ("Look into the `docs/` directory for it.", "Look into `docs/` for it."),
        ("Look into the `docs` directory for it.", "Look into `docs` directory for it."),
        ("The tests live in `docs/`.", "tests in `docs/`."),
        ("The tests live in `docs/` and run by hand.", "tests live in `docs/` and run by hand."),
        (
            "Since a plan was expanded from the shell, wait.",
            "Since plan expanded from shell, wait.",
        ),
        (
            "If the docs and the code disagree, the doc is wrong.",
            "If docs and code disagree, doc wrong.",
        ),
        ("When the user is asked for a name, wait.", "When user is asked for name, wait."),
        ("If the hook is asked for it, wait.", "If hook is asked for it, wait."),
        (
            "Files that predate the rule are listed in `a`.",
            "Files that predate rule are listed in `a`.",
        ),
        ("Apply it to a PR that touches `apps/`.", "Apply it to PR touching `apps/`."),
        ("A guide for this repository.", "guide for repository."),
        ("Keep this file lean.", "Keep this file lean."),
        ("Change the behavior with its tests.", "Change behavior with its tests."),
        ("The cache is immutable.", "cache immutable."),
        ("The run fails. This means the cache is empty.", "run fails. This means cache is empty."),
        ("Wait. You MUST read every file.", "Wait. MUST read every file."),
        ("You can read every file.", "You can read every file."),
        (
            "The user gets a diff and gives their approval.",
            "user gets diff and gives their approval.",
        ),
    ],
)
def test_compressed(text: str, short: str) -> None:
    assert compressed(text) == short


def test_verbose_changes_nothing() -> None:
    text = "Please make sure that the tests pass."
    assert rewritten(text, VERBOSE, COUNTER) == Rewritten(text, 8, 8)


KEPT = """---
name: the skill of the day
description: a file that is in the folder
---

# The Title of the Document

```sh
# the comment of a block
echo "the end"   # really
```

    the indented code is kept

<!-- the comment
that is kept -->
[the ref]: https://example.com/the/path

See `the code`, [the link](docs/the-file.md), https://x.example/the/a, src/the/file.py, "the words".

> Say exactly the words of a quote.

Do NOT run the tests unless you MUST; never before 3 of 10 are done.
"""


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_what_is_protected_stays_byte_for_byte(level: str) -> None:
    short = rewritten(KEPT, level, COUNTER).text
    assert short.startswith(KEPT[: KEPT.index("See")])
    for span in ("`the code`", "[the link](docs/the-file.md)", "https://x.example/the/a,"):
        assert span in short
    assert '"the words"' in short
    assert "src/the/file.py" in short
    assert re.search(r"Do NOT run tests unless you MUST; never before 3 of 10 (are )?done\.", short)


def test_wrapped_lines_are_joined_and_meant_lines_are_not() -> None:
    wrapped = (
        "- This line of a list was wrapped by an editor that stops at\n"
        "  sixty columns or so, and it goes on here until\n"
        "  its end.\n"
        "Status: done\n"
        "Owner: nobody\n"
    )
    short = balanced(wrapped)
    assert short.count("\n") == 4 or short.count("\n") == 3
    assert "stops at sixty columns" in short
    assert "Status: done\nOwner: nobody\n" in short


def test_narrow_lines_are_joined_where_a_sentence_stops_in_its_middle() -> None:
    text = (
        "Pushing the batch higher is an untested\ndefault of the trainer, so measure it\nfirst.\n"
    )
    assert (
        compressed(text)
        == "Pushing batch higher is untested default of trainer so measure it first.\n"
    )


def test_a_table_keeps_its_cells_without_their_padding() -> None:
    table = (
        "| Name          | Meaning of the name             |\n"
        "| :------------ | ------------------------------: |\n"
        "| `a|b`         | unbalanced \\| here              |\n"
        "| the first     | the last one of the list        |\n"
    )
    short = balanced(table)
    assert short == (
        "| Name | Meaning of name |\n"
        "|:---|---:|\n"
        "| `a|b`         | unbalanced \\| here              |\n"
        "| first | last one of list |\n"
    )


def test_drawn_lines_go_and_an_underlined_title_stays() -> None:
    text = "Title\n---\n\nThe first part of the text.\n\n---\n\nThe second part of the text.\n"
    assert compressed(text) == "Title\n---\n\nfirst part of text.\n\nsecond part of text.\n"


def test_symbols_only_where_they_gain() -> None:
    short = compressed("It leads to more than 5 MB per pull request and is completed with care.")
    assert "per PR" in short
    assert ">5" in short
    assert "completed with care" in short


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Read [docs/a.md](docs/a.md) first.", "Read docs/a.md first."),
        ("Read [`a.md`](./docs/a.md) first.", "Read ./docs/a.md first."),
        ("Read [the guide](docs/a.md) first.", None),
        ("Read [__a__](__a__) and [b.md](b.md)s.", None),
        ("Read [docs/a.md](docs/other.md) first.", None),
    ],
)
def test_a_link_that_shows_its_target_is_its_target(text: str, short: str | None) -> None:
    done = rewritten(text, COMPRESSED, COUNTER)
    assert done.text == (short or text)
    assert all(span in done.text for span in done.protected)
    assert balanced(text) == text


markdown = st.lists(
    st.sampled_from(
        [
            "The file is not the one that you must read.",
            "- **Always** run `the tests` before a commit, unless 3 of them fail.",
            "| the a | is b |",
            "Do not simply read [a/b.md](a/b.md), because it is the user's `c/` directory.",
            "|---|---|",
            "```",
            "    the code",
            "# The heading",
            "> the quote of a day",
            "---",
            "",
            "1. First do the one, then the other.",
            "There are no files, only the folders \U000f0000 of the \ud800 day.",
            "a **b *c** the d* `e",
            "\x00the\r",
        ]
    ),
    max_size=14,
).map("\n".join)


@given(markdown | st.text(), st.sampled_from([BALANCED, COMPRESSED]))
@settings(max_examples=150, deadline=None)
def test_no_token_more_and_no_span_less(text: str, level: str) -> None:
    done = rewritten(text, level, COUNTER)
    assert done.after_tokens == COUNTER.count(done.text) <= done.before_tokens
    assert rewritten(text, level, COUNTER) == done
    at = 0
    for span in done.protected:
        at = done.text.index(span, at) + len(span)
    for word in ("not", "must", "unless", "before", "Always", "then", "only", "no"):
        pattern = re.compile(rf"\b{word}\b")
        assert len(pattern.findall(done.text)) >= len(pattern.findall(text))


@given(markdown | st.text())
def test_the_blocks_are_the_text(text: str) -> None:
    assert "\n".join(block.original for block in blocks_of(text)) == text


REPEATED = """# Notes

The session manager keeps state. Restart the session manager after a change.
A session manager that hangs is killed. Only one session manager runs.
The log of the session manager is read by the session manager itself.
The session manager and the other session manager share a session manager.
"""


def test_a_glossary_explains_its_signs_and_can_be_taken_back() -> None:
    text = REPEATED * 3
    done = rewritten(text, COMPRESSED, COUNTER)
    (entry,) = done.glossary
    assert entry == ("SM", "session manager")
    assert done.text.startswith("Short: SM=session manager\n\n# Notes\n")
    assert "session manager" not in done.text.split("\n", 1)[1]
    back = expanded(done.text, done.glossary)
    assert back.startswith("# Notes\n")
    assert back.count("session manager") == text.count("session manager")
    assert rewritten(text + "SM", COMPRESSED, COUNTER).glossary == ()


@given(st.lists(st.sampled_from(["build cache", "cache of builds", "BC", "a", "`x y`."])))
def test_signs_never_collide_with_words_of_the_text(words: list[str]) -> None:
    text = " ".join(words)
    glossary = glossary_for([text], text, COUNTER)
    assert expanded(with_signs(text, glossary), glossary) == text


@pytest.mark.parametrize("name", ["o200k_base", "deepseek_v3"])
def test_a_symbol_that_costs_more_than_its_words_is_never_written(name: str) -> None:
    encode = Tokenizer.from_pretrained(name).encode_ordinary

    class Vocabulary:
        def __init__(self) -> None:
            self.name = name

        def count(self, text: str) -> int:
            return len(encode(text))

    vocabulary = Vocabulary()
    write = with_symbols(vocabulary)
    for one in measured(vocabulary):
        text = f"x {one.symbol.phrase} {chr(FIRST_NUMBER)} y"
        assert (write(text) != text) == (one.gain > 0), one


def test_carriage_returns_stay_at_the_ends_of_lines() -> None:
    text = (
        "The first line of a paragraph that an editor has wrapped at about\r\n"
        "sixty columns, as the editors of the day do.\r\n"
        "\r\n"
        "| The name of it | The value |\r\n"
        "- The end of a line that is broken here, by two spaces at the end  \r\n"
        "the next line.\r\n"
    )
    short = balanced(text)
    assert short.count("\r\n") == short.count("\n") == 5
    assert "at end  \r\n" in short


def is_plain_markdown(text: str) -> bool:
    """Whether the parser sees the text as it is: no front matter, no bytes that it replaces."""
    return not text.startswith("---") and "\r" not in text and "\ud800" not in text


def shape(text: str) -> list[tuple[str, str, str]]:
    """What a parser of Markdown takes a text for: its blocks without their words."""
    parser = markdown_it.MarkdownIt("commonmark").enable("table")
    verbatim = ("fence", "code_block", "html_block")
    return [
        (one.type, one.tag, one.content if one.type in verbatim else one.info)
        for one in parser.parse(text)
        if one.type not in ("inline", "hr")
    ]


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
@given(text=markdown.filter(is_plain_markdown))
@settings(max_examples=80, deadline=None)
def test_markdown_stays_what_it_was(level: str, text: str) -> None:
    assert shape(rewritten(text, level, COUNTER).text) == shape(text)


@pytest.mark.parametrize(
    "unit", ["foo is ", "a, b, ", "x (y ", "file that saves x ", "You must ", "a thing the hook "]
)
def test_a_long_text_of_one_paragraph_after_another_ends(unit: str) -> None:
    paragraphs = [f"{unit * (9_000 // len(unit))}{n % 3}" for n in range(110)]
    text = "\n\n".join(paragraphs)
    assert len(text) > 950_000
    done = rewritten(text, COMPRESSED, COUNTER)
    assert done.text.count("\n\n") == len(paragraphs) - 1 + bool(done.glossary)


def test_a_title_in_stars_does_not_become_a_list() -> None:
    text = "**1. The Modules**\n\n**- The Other**\n\n**# The Third**\n"
    assert shape(compressed(text)) == shape(text)
