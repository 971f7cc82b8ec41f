"""Links of sections that move: each leads where it led, from wherever it stands now."""

from __future__ import annotations

import posixpath
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.oversized_text import Slimmed, slimmed
from tokenbudget.resources.skill_links import (
    anchors_of,
    definitions_in,
    labels_in,
    links_in,
    without_code,
)
from tokenbudget.resources.text_blocks import blocks_of

FOLDER = ".claude/context/memory"
LONG = "word " * 3_000
PLACES = ("CLAUDE.md", ".claude/CLAUDE.md", "packages/shop/CLAUDE.md")


def tokens_of(text: str) -> int:
    return len(text.split())


def moved(text: str, place: str = "CLAUDE.md") -> Slimmed:
    found = slimmed(text, place, FOLDER, (), tokens_of)
    assert found is not None
    return found


def two(first: str, second: str = "", top: str = "") -> str:
    """A file whose second section is the longer one, which alone has to move."""
    return (
        f"# T\n\n{top}\n\n## Stays\n\n{first}\n\n{LONG}\n\n## Moves\n\n{second}\n\n{LONG}{LONG}\n"
    )


@pytest.mark.parametrize(
    ("place", "target", "reads"),
    [
        ("CLAUDE.md", "docs/a.md#b", "../../../docs/a.md#b"),
        ("CLAUDE.md", "./a.png", "../../../a.png"),
        ("CLAUDE.md", "docs/", "../../../docs/"),
        ("CLAUDE.md", ".claude/context/x.md", "../x.md"),
        (".claude/CLAUDE.md", "rules/a.md", "../../rules/a.md"),
        ("packages/shop/CLAUDE.md", "../a.md", "../../../packages/a.md"),
        ("CLAUDE.md", "https://a.example/b.md", "https://a.example/b.md"),
        ("CLAUDE.md", "/etc/hosts", "/etc/hosts"),
        ("CLAUDE.md", "mailto:a@b.example", "mailto:a@b.example"),
    ],
)
def test_a_relative_link_is_led_from_the_new_folder(place: str, target: str, reads: str) -> None:
    found = moved(two(f"[a]({target})", f"[a]({target}) ![b]({target})\n\n[c]: {target}"), place)
    assert f"[a]({reads}) ![b]({reads})\n\n[c]: {reads}\n" in found.moved[0].text
    assert f"[a]({target})" in found.after


def test_code_is_left_as_it_is() -> None:
    code = "`[a](docs/a.md)`\n\n```md\n[a](docs/a.md)\n```\n\n~~~\n[c]: docs/a.md\n~~~"
    found = moved(two("", f"{code}\n\n[a](docs/a.md)"))
    assert code in found.moved[0].text
    assert "[a](../../../docs/a.md)" in found.moved[0].text


def test_a_heading_is_named_with_the_file_in_which_it_stands_now() -> None:
    cites = "[s](#stays) [m](#moves) [i](#inner) [n](#none)"
    found = moved(two(cites, f"### Inner\n\n{cites}"))
    name = found.moved[0].name
    assert f"[s](#stays) [m](#moves) [i]({FOLDER}/{name}#inner) [n](#none)" in found.after
    there = "../../../CLAUDE.md"
    assert f"[s]({there}#stays) [m](#moves) [i](#inner) [n]({there}#none)" in found.moved[0].text


def test_a_label_is_defined_wherever_it_is_used() -> None:
    found = moved(two("[one][a] [b]\n\n[c]: docs/c.md", "[a] [two][c]\n\n[b]: b.md", "[a]: a.md"))
    assert found.moved[0].text.endswith("\n\n[a]: ../../../a.md\n[c]: ../../../docs/c.md\n")
    assert found.after.endswith("\n\n[b]: b.md\n")
    assert found.after.count("[a]: a.md") == 1


def test_a_file_without_links_moves_word_for_word() -> None:
    text = two("no link", "none [here], nor [x] there")
    found = moved(text)
    assert found.moved[0].text in text


LINKS = st.lists(
    st.sampled_from(
        (
            "[a](docs/a.md)", "![b](<b.png>)", "[c][l]", "[l]: ../up.md#x", "[d](#b)", "[e](#a)",
            "[f](#in-c)", "<a href='g.md'>", "`[h](h.md)`", "```\n[i](i.md)\n```", "[j](k?q#z)",
            "### In C",
        )
    ),
    max_size=6,
)  # fmt: skip
SECTIONS = st.lists(st.tuples(st.sampled_from("ABC"), LINKS, st.booleans()), min_size=2, max_size=5)


@given(SECTIONS, st.sampled_from(PLACES), st.booleans())
def test_every_link_leads_where_it_led(
    sections: list[tuple[str, list[str], bool]], place: str, has_windows_ends: bool
) -> None:
    parts = [
        f"## {title}\n\n"
        + "".join(f"{one}\n\n" for one in links)
        + (LONG if is_long else "")
        + "\n\n"
        for title, links, is_long in sections
    ]
    text = "# T\n\n" + "".join(parts)
    text = text.replace("\n", "\r\n") if has_windows_ends else text
    found = slimmed(text, place, FOLDER, (), tokens_of)
    if found is None:
        return
    files = {place: found.after, **{f"{FOLDER}/{one.name}": one.text for one in found.moved}}
    before = Counter(leads(text, place))
    after = Counter(one for at, words in files.items() for one in leads(words, at))
    assert {one for one in after if "#" not in one} == {one for one in before if "#" not in one}
    code = [re.sub(r"\s", "", "".join(parts)).count(one) for one in ("`[h](h.md)`", "[i](i.md)")]
    whole = "".join(files.values())
    assert [whole.count(one) for one in ("`[h](h.md)`", "[i](i.md)")] == code
    anchors = {at: set(anchors_in(words)) for at, words in files.items()}
    old = set(anchors_in(text))
    for at, words in files.items():
        assert not set(labels_in(words)) & set(definitions_in(text)) - set(definitions_in(words))
        for link in links_in(words):
            to = posixpath.normpath(
                posixpath.join(posixpath.dirname(at), link.path or posixpath.basename(at))
            )
            if to in files and link.anchor in old and link.anchor.partition("-")[0] != "b":
                assert link.anchor in anchors[to] | numbered(old)


def numbered(anchors: set[str]) -> set[str]:
    """Anchors that are told apart by a number, which another file counts anew."""
    twice = {one.rpartition("-")[0] for one in anchors if re.search(r"-\d+$", one)}
    return twice | {one for one in anchors if re.search(r"-\d+$", one)}


def anchors_in(text: str) -> list[str]:
    return anchors_of([block.title for block in blocks_of(text) if block.level])


def leads(text: str, place: str) -> list[str]:
    """Where the links of a file lead, as the project knows it."""
    assert len(without_code(text)) == len(text)
    top = posixpath.dirname(place)
    return [
        posixpath.normpath(posixpath.join(top, one.path)) + (f"#{one.anchor}" if one.anchor else "")
        for one in links_in(text)
        if one.path and posixpath.basename(one.path) != "CLAUDE.md" and "claude-" not in one.path
    ]
