"""A skill splits into a core and references that together are the skill, word by word."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.resources.skill_words import BODY, FILLER, MATTER, SKILL, words

from tokenbudget.resources import skill_splitting, skill_writing
from tokenbudget.resources.skill_links import links_in
from tokenbudget.resources.skill_splitting import NothingToSplit, Split, Unproven, split_of
from tokenbudget.resources.skill_writing import Written


def split(text: str = SKILL, taken: tuple[str, ...] = ()) -> Split:
    """What the text is split into; it must be."""
    found = split_of(text, taken, words)
    assert isinstance(found, Split), found
    return found


def lines_of(text: str) -> list[str]:
    """Its lines with words in them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_the_front_matter_stays_byte_for_byte() -> None:
    odd = "---\nname: ship\ndescription:   >-\n  Ship   it.\nextra: [a, b] # c\n---\n"
    assert split(odd + BODY).core.startswith(odd)


def test_rules_steps_and_when_to_use_stay() -> None:
    core = split().core
    for kept in ("You MUST run the tests first.", "NEVER force a push.", "- A release is due"):
        assert kept in core
    assert "1. **Tag it.** …\n2. **Push it.** …\n3. Wait.\n" in core


def test_long_words_move_and_the_core_says_where_they_stand() -> None:
    found = split()
    assert FILLER.strip() not in found.core
    assert len(found.references) > 1
    for one in found.references:
        assert f"- references/{one.name}: " in found.core
    assert found.core_tokens < 0.5 * found.before_tokens


def test_every_line_stands_in_the_core_or_in_exactly_one_reference() -> None:
    found = split()
    moved = [line for one in found.references for line in lines_of(one.text)]
    for line in lines_of(BODY):
        if "](" in line:
            continue  # its links may read differently; the next test looks at those
        assert (
            (line in lines_of(found.core)) or moved.count(line) == 1 or line.startswith(("#", "`"))
        )


def test_links_lead_to_the_same_place_from_where_they_stand_now() -> None:
    found = split()
    [background] = [one for one in found.references if "notes.md" in one.text]
    assert "[the notes](../docs/notes.md)" in background.text
    assert "[the rules](../SKILL.md#rules)" in background.text
    assert "[no link](docs/none.md)" in background.text, "code is no link"
    assert f"[why](references/{background.name}#background)" in found.core
    assert "[the steps](#steps)" in found.core, "its heading is still there"


def test_a_label_is_defined_wherever_it_is_used() -> None:
    for text in (split().core, *(one.text for one in split().references)):
        if "[a label][home]" in text:
            assert "[home]: https://example.org/home" in text


def test_what_a_section_announces_is_named_where_it_stood() -> None:
    """Who reads "3 checks:" sees all three; one that is only in a reference says so."""
    checks = "".join(f"### {name}\n\n```\n{FILLER * 2}\n```\n\n" for name in ("Style", "Types"))
    core = split(SKILL + f"\n## Rules to check\n\nAlways go by these:\n\n{checks}").core
    assert "### Style …\n\n### Types …\n" in core


def test_numbered_steps_show_no_gap() -> None:
    code = f"```\n{FILLER * 3}\n```\n\n"
    steps = f"## Step 1: Look\n\nYou MUST look.\n\n## Step 2: Build\n\n{code}## Step 3: Stop\n\n"
    core = split(SKILL + "\n" + steps + f"NEVER go on.\n\n## Samples\n\n{code}").core
    assert re.findall(r"^## (?:Step \d|Samples).*", core, re.MULTILINE) == [
        "## Step 1: Look",
        "## Step 2: Build …",
        "## Step 3: Stop",
    ]


def test_names_that_are_there_are_not_taken() -> None:
    first = {one.name for one in split().references}
    again = {one.name for one in split(taken=tuple(name.upper() for name in first)).references}
    assert not first & again


def test_a_second_run_has_nothing_to_do() -> None:
    again = split_of(split().core, (), words)
    assert isinstance(again, NothingToSplit)
    assert "split already" in again.why


def test_what_the_client_fills_in_never_moves() -> None:
    block = "```bash\n" + "echo $ARGUMENTS and more\n" * 20 + "```\n"
    assert block in split(SKILL + "\n## Examples of it\n\n" + block).core


def test_orders_in_a_tag_never_move() -> None:
    gate = f"<HARD-GATE>\n{FILLER}\n\n{FILLER}\n</HARD-GATE>\n"
    assert gate in split(SKILL + "\n## Last\n\n" + gate).core


def test_ends_of_lines_and_a_mark_at_the_beginning_stay() -> None:
    text = "\ufeff" + SKILL.replace("\n", "\r\n")
    found = split(text)
    for one in (found.core, *(reference.text for reference in found.references)):
        assert not re.search(r"(?<!\r)\n", one)
    assert found.core.startswith("\ufeff---\r\n")


def test_sections_that_cite_each_other_share_a_file() -> None:
    """Whoever reads one is not sent to another one and back."""
    body = "# T\n\nWords.\n\n" + "".join(
        f"## Background {name}\n\n{FILLER * 3}\n\nSee [that](#background-{to}).\n\n"
        for name, to in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    )
    found = split(MATTER + body)
    leads = {
        one.name: {link.path for link in links_in(one.text) if link.path}
        for one in found.references
    }
    assert len(leads) >= 2
    for name, others in leads.items():
        assert all(name not in leads[other] for other in others)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (MATTER + "# T\n\nShort.\n", "in one go"),
        (MATTER + FILLER * 9, "no headings"),
        (
            MATTER + "# T\n\n" + "You MUST do this, and nothing else, ever.\n\n" * 200,
            "rules and steps",
        ),
        (MATTER + "# T\n\n" + "a\n\n" * 40_000, "no skill is like that"),
    ],
)
def test_what_cannot_be_split_says_why(text: str, why: str) -> None:
    found = split_of(text, (), words)
    assert isinstance(found, NothingToSplit)
    assert why in found.why


PIECES = st.sampled_from(
    "# T|## A|## B|### C|- x must y. And more words follow here, long enough to be cut away now, "
    "and on.|1. do this: it has **bold** words. Then more words come, and many of them indeed do."
    "|```|````|```py|  ```|~~~|\\|a\\|b\\||\\|---\\|---\\||> q|>q|<X>|</X>|<!--|-->|[a]: b.md"
    "|see [t](#a) and [u](../x.md#b) or [a]||  |\ta|    code|* * *|---|===|text. More text.\r"
    "|MUST do|words:|[^1]: foot|$ARGUMENTS|![i](img.png)|[a][a]|`x|\x0b|\u2028|[r](references/q.md)"
    "|\x00|\ud800|- a|  - b|* c".replace("\\|", "\x1f").split("|")
).map(lambda piece: piece.replace("\x1f", "|"))


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=5, max_size=60), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_of_any_markdown_no_line_is_lost(pieces: list[str], end: str, has_end: bool) -> None:
    """`split_of` proves it or raises: the texts that would be written are the original again."""
    text = MATTER + end.join(pieces) + (end if has_end else "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(skill_splitting, "LEAST_TOKENS", 20)
        patch.setattr(skill_splitting, "LEAST_CORE_TOKENS", 10)
        patch.setattr(skill_splitting, "LARGEST_SHARE_LEFT", 9)
        found = split_of(text, ("a.md",), words)
    if isinstance(found, Split):
        whole = found.core + "".join(one.text for one in found.references)
        for line in lines_of("\n".join(pieces)):
            assert "](" in line or "]:" in line or line in whole


def test_a_lost_line_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof is no formality: a writer that drops a part is refused."""
    honest = skill_writing.written

    def forgetful(*arguments: Any, **named: Any) -> Written:
        made = honest(*arguments, **named)
        first = made.files[0]
        lost = first.text.replace("explains", "explain", 1)
        return made._replace(files=(first._replace(text=lost), *made.files[1:]))

    monkeypatch.setattr(skill_splitting, "written", forgetful)
    with pytest.raises(Unproven):
        split_of(SKILL, (), words)
