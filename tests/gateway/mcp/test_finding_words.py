"""The words of a search: parts of identifiers, stems, Chinese."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp import finding_query
from tokenbudget.gateway.mcp.finding_concepts import (
    ALIKE,
    FILE_KINDS,
    NEEDS,
    by_trigger,
    joined,
    singular,
    spoken,
)
from tokenbudget.gateway.mcp.finding_query import MOST_STEPS, MOST_UNSAID, VOTE, plan_of
from tokenbudget.gateway.mcp.finding_words import LONGEST_WORD, stem, words


def test_identifiers_fall_into_parts() -> None:
    assert words("getAccountByID get_account_by_id") == ["get", "account", "id"] * 2
    assert words("HTTPServer2") == ["httpserver2", "http", "server", "2"]


def test_what_says_nothing_is_left_out() -> None:
    assert words("Please use this to make the x") == []
    assert words("f" * (LONGEST_WORD + 1)) == []


@pytest.mark.parametrize(
    "alike",
    [
        ("search", "searches", "searching", "searched"),
        ("recommend", "recommends", "recommendation", "recommendations"),
        ("calculate", "calculates", "calculating", "calculation"),
        ("city", "cities"),
        ("trend", "trending", "trends"),
    ],
)
def test_forms_of_a_word_are_one(alike: tuple[str, ...]) -> None:
    assert len({stem(word) for word in alike}) == 1


@pytest.mark.parametrize(("one", "other"), [("station", "state"), ("location", "locale")])
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_chinese_is_pairs_and_meanings() -> None:
    assert words("搜索新闻") == ["搜索", "索新", "新闻", "search", "new"]


@given(st.text())
def test_any_text_has_words(text: str) -> None:
    assert all(word and word == word.lower() for word in words(text) if word.isascii())


@given(st.text(max_size=300))
def test_any_task_is_a_bounded_plan(text: str) -> None:
    plan = plan_of(text)
    assert 1 <= len(plan.said) <= MOST_STEPS + 1
    assert len(plan.unsaid) <= MOST_UNSAID


def test_a_task_falls_into_steps_without_its_folders() -> None:
    plan = plan_of(
        "Read the sales in /data/x/sales.xlsx, plot them and save it in /data/figs/a.png"
    )
    assert [text for text, _ in plan.said] == [
        "Read the sales in xlsx file",
        "plot them",
        "save it in png file",
        "Read the sales in xlsx file , plot them and save it in png file",
    ]


@pytest.mark.parametrize(
    ("task", "step"),
    [
        ("Save it in /data/a.docx", "create word document"),
        ("Summarize /data/a.docx", "get word document text"),
        ("Convert the list in /data/a.bib into a document", "read file"),
        ("Convert /data/a.md to /data/b.pdf", "convert to pdf"),
        ("Add a row to sales.xlsx", "write excel sheet"),
        ("The figures are in /data/sales.xlsx", "read excel sheet"),
        ("Keep the notes in /data/a.mmd", "write file"),
        ("Swap two words in /data/a.env", "edit file"),
        ("Append a remark to pitch.pptx", "open presentation"),
        ("Insert clock.png under the title", "add picture document"),
        ("Run tools/a.py", "start process command"),
        ("读取 /data/a.xlsx", "read excel sheet"),
    ],
)
def test_what_is_done_with_a_file(task: str, step: str) -> None:
    assert step in [need.text for need in plan_of(task).unsaid]


def test_a_method_is_no_file() -> None:
    assert plan_of("Execute console.log('x')").said[0][0] == "Execute console.log('x')"


class Looks:
    """A pattern that is asked for nothing but the characters it is given to look at."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def finditer(self, text: str) -> list[re.Match[str]]:
        self.texts.append(text)
        return []

    def split(self, text: str) -> list[str]:
        self.texts.append(text)
        return [text]


def test_a_step_full_of_files_is_looked_through_once_for_its_verbs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once for each file it took a second: the square of the text."""
    verbs = [Looks() for _ in finding_query._VERBS]
    monkeypatch.setattr(finding_query, "_VERBS", verbs)
    task = "a.py " * 700
    plan_of(task)
    assert [sum(map(len, one.texts)) <= len(task) for one in verbs] == [True] * 4


@pytest.mark.parametrize("blanks", [" " * 3_000, "\t " * 1_500, "\n \t" * 1_000, "\n" * 3_000])
def test_blanks_without_end_are_few(monkeypatch: pytest.MonkeyPatch, blanks: str) -> None:
    """From each of them `_STEP` would look to the last one."""
    steps = Looks()
    monkeypatch.setattr(finding_query, "_STEP", steps)
    plan_of(f"order{blanks}status")
    assert len("".join(steps.texts)) <= len("order status") + 2


@given(st.lists(st.sampled_from(["save", "then", "a.py", "and", ".", " ", "\n", "\t", "\r\n"])))
def test_a_task_is_the_same_however_many_blanks_are_in_it(parts: list[str]) -> None:
    text = "".join(parts)
    more = re.sub(r"[^\S\n]", lambda blank: blank[0] * 3, text)
    assert plan_of(more) == plan_of(text)


def test_one_step_is_the_whole() -> None:
    assert plan_of("order status").said == (("order status", 1.0),)


def test_the_tables_are_what_they_look_like() -> None:
    assert len(NEEDS) > 500
    for trigger, needs in NEEDS.items():
        assert trigger == joined(spoken(trigger))
        assert trigger
        assert needs
        for need in needs:
            assert words(need.text), trigger
            assert need.text == " ".join(need.text.split()), "a line end in the table is a blank"
            assert 0 < need.weight <= 1, trigger
    assert all(word not in others for word, others in ALIKE.items())
    assert all(kind.writing and kind.reading for kind in FILE_KINDS.values())


def test_every_trigger_can_be_said() -> None:
    for trigger in NEEDS:
        said = plan_of(f"please {trigger} now").unsaid
        assert {need.text for need in NEEDS[trigger]} & {need.text for need in said}, trigger


@pytest.mark.parametrize(
    ("said", "one"),
    [
        ("charts", "chart"), ("cities", "city"), ("boxes", "box"), ("branches", "branch"),
        ("movies", "movie"), ("series", "series"), ("news", "news"), ("this", "this"),
        ("class", "class"), ("status", "status"), ("ids", "ids"), ("recordings", "recording"),
        ("天气", "天气"),
    ],
)  # fmt: skip
def test_both_numbers_of_a_noun_call_for_the_same(said: str, one: str) -> None:
    assert singular(said) == one


def test_a_step_that_several_words_call_for_weighs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    table = by_trigger("storm, picnic => forecast 0.8\nhike => forecast 0.6")
    monkeypatch.setattr(finding_query, "NEEDS", table)
    weight = {text: plan_of(text).unsaid[0].weight for text in ("a hike", "hikes, hikes")}
    assert weight == {"a hike": 0.6, "hikes, hikes": 0.6}
    several = plan_of("a picnic on a hike in a storm").unsaid
    assert [need.text for need in several] == ["forecast"]
    assert several[0].weight == pytest.approx(0.8 + VOTE * (0.8 + 0.6))
    assert several[0].weight > 1
