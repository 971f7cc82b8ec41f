"""Links: found outside of code, led from another folder, and had back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.skill_links import (
    anchors_of,
    circle_in,
    from_folder,
    links_in,
    restored,
    rewritten,
)


def test_links_of_every_form_are_found_and_none_in_code() -> None:
    text = (
        "[a](one.md#x) ![b](two.png) <img src='three.png'>\n[d]: four.md\n`[e](five.md)`\n"
        "```\n[f](six.md)\n```\n[g](https://h.example) [i](mailto:x) [j](/abs) [k](#here)"
    )
    targets = [link.target for link in links_in(text)]
    assert targets == ["one.md#x", "two.png", "three.png", "four.md", "#here"]


@given(st.text("[]()ab.#/ `\n<>", max_size=80))
def test_what_was_rewritten_can_be_had_back(text: str) -> None:
    new = {link.target: f"../{link.target}" for link in links_in(text)}
    changed, edits = rewritten(text, new)
    assert restored(changed, edits) == text


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("docs/a.md#b", "../docs/a.md#b"),
        ("references/a.md", "a.md"),
        ("./x/", "../x/"),
        ("../up.md?q#r", "../../up.md?q#r"),
        ("#here", "#here"),
    ],
)
def test_a_target_is_led_from_a_folder_below(target: str, read: str) -> None:
    assert from_folder(target, "references") == read


@pytest.mark.parametrize("here", ["/", "/tmp"])
def test_the_way_does_not_depend_on_where_we_stand(
    here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    assert from_folder("../../../a.md", "x/y") == "../../../../../a.md"
    assert from_folder("a/b/", "a") == "b/"
    assert from_folder("a.md", "") == "a.md"
    assert from_folder("../r/a.md", "r") == "../../r/a.md"


def test_anchors_are_numbered_as_renderers_do() -> None:
    assert anchors_of(["A b!", "`A` b", "C (d)"]) == ["a-b", "a-b-1", "c-d"]


def test_a_circle_is_found_however_long_the_way() -> None:
    chain = {str(n): [str(n + 1)] for n in range(3_000)}
    assert circle_in(chain) == ()
    assert circle_in({**chain, "3000": ["2998"], "x": ["x2"], "x2": []})[0] in ("2998", "2999")
