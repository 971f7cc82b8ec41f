"""Which skill a task calls for: shared words, spelled-out names, past use."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.skill_matching import (
    MOST_TRIGGERS,
    Candidate,
    matched,
    rarity_of,
    triggers,
)

SKILLS = (
    Candidate("pdf-filling", "Fill in forms of PDF files, read their fields."),
    Candidate("conventional-commit", "Messages of commits; every time a commit is created."),
    Candidate("review:code-review", "Review a pull request for correctness."),
    Candidate("run", "Start the program and look at it."),
    Candidate("release-notes", "Write the notes of a release."),
)
TEXTS = st.text(max_size=200)


def best(task: str | Sequence[str], **uses: int) -> str:
    counts = {name.replace("_", "-"): count for name, count in uses.items()}
    return matched(task, SKILLS, counts)[0].name


def test_the_words_of_the_line_find_it() -> None:
    assert best("please fill the form fields of this document") == "pdf-filling"
    shared = matched("Filling in the form, its fields", SKILLS)[0].words
    assert shared[:2] == ("fields", "filling")


def test_a_name_that_is_spelled_out_says_most() -> None:
    assert best("a code review, then look at the start of the program") == "review:code-review"
    assert best("do a conventional commit of the fields of the forms") == "conventional-commit"


def test_a_common_word_as_a_name_does_not_win_over_a_description() -> None:
    assert best("run the script that fills the fields of the forms of PDF files") == "pdf-filling"


def test_past_use_decides_among_those_that_nothing_speaks_for() -> None:
    found = matched("go ahead", SKILLS, {"release-notes": 3})
    assert found[0].name == "release-notes"
    assert found[0].words == ()
    assert best("fill the form fields", release_notes=3) == "pdf-filling"


def test_of_several_texts_each_is_a_search_of_its_own() -> None:
    said = ["write the notes of the release", "tests pass", "now the commit"]
    assert best(said) == "conventional-commit"
    assert best([*said[:2], "all green"]) == "release-notes"


def test_a_further_ranker_adds_its_judgement() -> None:
    class Liking:
        name = "liking"

        def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
            assert task == "go ahead"
            return [float(piece.startswith("run:")) * 7 for piece in pieces]

    assert matched("go ahead", SKILLS, {}, Liking())[0].name == "run"


def test_no_candidates_and_no_words_are_no_fault() -> None:
    assert matched("anything", ()) == []
    assert [one.name for one in matched("", SKILLS)] == sorted(one.name for one in SKILLS)
    assert matched([], SKILLS)[0].score == 0


@given(st.lists(TEXTS, max_size=4), st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_any_texts_rank_every_candidate_once(
    texts: list[str], lines: list[tuple[str, str]]
) -> None:
    candidates = [Candidate(name, about) for name, about in lines]
    found = matched(texts, candidates, {name: 2 for name, _ in lines})
    assert sorted(one.name for one in found) == sorted(one.name for one in candidates)
    assert found == sorted(found, key=lambda one: (-one.score, one.name))


class TestTriggers:
    def test_phrases_in_quotation_marks_come_first(self) -> None:
        about = 'Use when somebody says "fill the form", "read a PDF", or mentions invoices.'
        found = triggers(about, rarity_of([about, "Use when somebody says more."]))
        assert found[:2] == ("fill the form", "read a PDF")
        assert "invoices" in found
        assert "somebody" not in found
        assert len(found) <= MOST_TRIGGERS

    def test_an_apostrophe_is_no_quotation_mark(self) -> None:
        assert "t it" not in " ".join(triggers("Don't do what isn't asked", {}))

    @given(TEXTS)
    def test_any_text_has_few(self, about: str) -> None:
        assert len(triggers(about, rarity_of([about]))) <= MOST_TRIGGERS
