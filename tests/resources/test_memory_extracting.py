"""Rarely needed sections of a memory file become skills, and every word stays."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.resources.skill_words import words

from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.memory_extracting import (
    Extracted,
    Section,
    extracted,
    paths_in,
    sections_of,
)

LONG = "Stories live in `libs/ui/stories` and are built by a task of their own. " * 20
MEMORY = f"""# Shop

Short words about the shop.

## Storybook

{LONG}
See [the guide](docs/stories.md).

## Code style

{LONG}

## Payments

{LONG.replace("libs/ui/stories", "src/pay")}
NEVER log a card number.

## Maps

{LONG.replace("libs/ui/stories", "src/maps")}
"""


def sections(text: str = MEMORY, touched: tuple[tuple[str, str], ...] = ()) -> list[Section]:
    """What could go."""
    return sections_of(text, words, touched)


def moved(text: str = MEMORY) -> Extracted:
    """All of it as skills."""
    return extracted(text, sections(text), (), ".claude/skills", words)


def test_what_always_holds_stays() -> None:
    assert [one.title for one in sections()] == ["Storybook", "Maps"]


def test_every_word_stands_in_the_file_or_in_exactly_one_skill() -> None:
    done = moved()
    after = done.after
    for one in reversed(done.extracts):
        body = one.skill[front_matter(one.skill).body_at :].removeprefix("\n")
        own = body.replace("../../../docs/", "docs/")
        assert own == MEMORY[one.section.start : one.section.end]
        assert own not in after
        after = after.replace(one.pointer + "\n", own.rstrip("\n") + "\n", 1)
    assert re.sub(r"\n+", "\n", after) == re.sub(r"\n+", "\n", MEMORY)


def test_a_skill_says_what_it_is_for_in_the_sections_own_words() -> None:
    skill = moved().extracts[0].skill
    matter = front_matter(skill)
    assert matter.words("name") == "storybook"
    assert matter.words("description") == (
        "Storybook: Stories live in `libs/ui/stories` and are built by a task of their own."
        " Use for work on: Storybook (libs/ui/stories)."
    )


def test_links_are_led_from_the_skills_folder() -> None:
    assert "[the guide](../../../docs/stories.md)" in moved().extracts[0].skill


def test_what_sessions_touch_often_is_not_recommended() -> None:
    touched = tuple((f"s{n}", "/p/libs/ui/stories/a.ts") for n in range(5))
    rest = tuple((f"t{n}", "/p/src/app.ts") for n in range(5))
    storybook, maps = sections(touched=touched + rest)
    assert (storybook.sessions, storybook.is_recommended) == (5, False)
    assert (maps.sessions, maps.is_recommended) == (0, True)


def test_of_a_pattern_the_folders_before_it_count() -> None:
    words = "`src/maps/**/*.ts` `./lib/` `*.md` `/etc/hosts` `a b` `https://x.example/y` `main.go`"
    assert paths_in(words) == ("src/maps", "lib", "etc/hosts", "main.go")


def test_few_sessions_are_no_evidence() -> None:
    assert [one.sessions for one in sections(touched=(("s", "/p/src/maps/a.ts"),))] == [None, None]


def test_what_stays_in_every_request_is_counted_against_it() -> None:
    one = moved().extracts[0]
    assert one.saved_tokens == one.section.tokens - one.cost_tokens
    assert one.cost_tokens > words(one.pointer) + words(
        front_matter(one.skill).words("description")
    )


@pytest.mark.parametrize(
    "tie", ["See [it](#storybook).", "See [x][label].\n\n[label]: a.md", "@docs/more.md"]
)
def test_a_section_that_links_tie_to_the_rest_stays(tie: str) -> None:
    text = MEMORY.replace("Short words", f"{tie}\n\nShort words")
    if "label" in tie:
        text = text.replace("See [the guide](docs/stories.md).", "[label]: a.md\n")
    if tie.startswith("@"):
        text = MEMORY.replace("See [the guide]", f"{tie}\n\nSee [the guide]")
    assert "Storybook" not in [one.title for one in sections(text)]


def test_hostile_headings_make_harmless_names_and_front_matter() -> None:
    title = 'a\'b: "c" # ../../x\x1b[31m\u202e {y}'
    text = MEMORY.replace("## Storybook", f"## {title}")
    one = moved(text).extracts[0]
    assert re.fullmatch(r"[a-z0-9-]+", one.name)
    matter = front_matter(one.skill)
    assert matter.words("description").startswith('a\'b: "c" # ../../x[31m {y}: Stories live')
    assert matter.words("name") == one.name


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(("# t", "## a", "### b", LONG, "```", "x", "", "[l](a.md)", "\r"))))
def test_of_any_text_nothing_is_lost(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    done = moved(text)
    for piece in pieces:
        if piece not in ("[l](a.md)", "\r", "x"):
            whole = done.after + "".join(one.skill for one in done.extracts)
            assert whole.count(piece) >= text.count(piece)
