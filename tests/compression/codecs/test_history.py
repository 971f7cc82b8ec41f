"""The commits that `git log` prints."""

from __future__ import annotations

import pytest
from tests.compression.accounting import HOSTILE, assert_accounted, assert_survives, drafted

from tokenbudget.compression.codecs.history import CODEC
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE


def commit(number: int, author: str, body: str = "") -> str:
    lines = [
        f"commit {number:040x}",
        f"Author: {author} <{author.lower()}@shop.example>",
        f"Date:   Sat Jan {number:02} 12:00:00 2026 +0100",
        "",
        f"    fix(cart): round the total of case {number}",
    ]
    return "\n".join([*lines, *([""] if not body else ["    ", f"    {body}", ""])])


LOG = "\n".join(
    commit(n, "Ada" if n < 6 else "Grace", "It was not what it said." if n % 2 else "")
    for n in range(1, 12)
)


def test_an_author_is_told_once() -> None:
    draft = drafted(CODEC, LOG)
    assert draft is not None
    assert draft.text.count("Author: ") == 2
    assert "[~ 9 Author lines as above]" in draft.text
    assert draft.text.count("It was not what it said.") == 6
    assert_accounted(LOG, draft)


def test_at_compressed_the_subjects_stay() -> None:
    draft = drafted(CODEC, LOG, COMPRESSED)
    assert draft is not None
    assert draft.text.count("    fix(cart): round the total") == 11
    assert "It was not" not in draft.text
    assert all(f"commit {n:040x}" in draft.text for n in range(1, 12))
    assert_accounted(LOG, draft)


def test_unchanged_lines_of_a_patch_are_no_messages() -> None:
    patch = ["diff --git a/x b/x", *(f"    return total({n})  # of the cart" for n in range(40))]
    text = "\n".join([LOG, *patch, "", commit(12, "Grace", "The second line of it.")])
    draft = drafted(CODEC, text, COMPRESSED)
    assert draft is not None
    assert "\n".join(patch) in draft.text
    assert "The second line of it." not in draft.text
    assert_accounted(text, draft)


def test_authors_by_turns_stay() -> None:
    text = "\n".join(commit(n, "Ada" if n % 2 else "Grace") for n in range(1, 12))
    assert drafted(CODEC, text) is None


def test_a_graph_and_committers_are_known() -> None:
    text = "\n".join(
        f"* commit {n:040x}\n| Author:     Ada <a@shop.example>\n"
        f"| Commit:     Ada <a@shop.example>\n| CommitDate: Sat Jan {n:02} 12:00:00 2026\n"
        "|\n|     - fix the total\n|"
        for n in range(1, 9)
    )
    draft = drafted(CODEC, text)
    assert draft is not None
    assert "[~ 14 Author lines as above]" in draft.text
    assert draft.text.count("|     - fix the total") == 8
    assert_accounted(text, draft)


def test_verbose_loses_nothing() -> None:
    assert drafted(CODEC, LOG, VERBOSE) is None


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str, level: str) -> None:
    assert_survives(CODEC, LOG + text, (level,))
    assert_survives(CODEC, text, LEVELS)
