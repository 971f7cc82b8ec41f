"""The words of a search: parts of identifiers, stems, Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.finding_concepts import ALIKE, FILE_KINDS, NEEDS
from tokenbudget.gateway.mcp.finding_query import MOST_STEPS, MOST_UNSAID, plan_of
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
        ("Insert clock.png under the title", "add picture document"),
        ("Run tools/a.py", "start process command"),
        ("读取 /data/a.xlsx", "read excel sheet"),
    ],
)
def test_what_is_done_with_a_file(task: str, step: str) -> None:
    assert step in [need.text for need in plan_of(task).unsaid]


def test_a_method_is_no_file() -> None:
    assert plan_of("Execute console.log('x')").said[0][0] == "Execute console.log('x')"


def test_one_step_is_the_whole() -> None:
    assert plan_of("order status").said == (("order status", 1.0),)


def test_the_tables_are_what_they_look_like() -> None:
    assert len(NEEDS) > 500
    for trigger, needs in NEEDS.items():
        assert trigger == trigger.strip().lower()
        assert trigger
        assert "\n" not in trigger
        assert needs
        for need in needs:
            assert words(need.text), trigger
            assert 0 < need.weight <= 1, trigger
    assert all(word not in others for word, others in ALIKE.items())
    assert all(kind.writing and kind.reading for kind in FILE_KINDS.values())


def test_every_trigger_can_be_said() -> None:
    for trigger in NEEDS:
        said = plan_of(f"please {trigger} now").unsaid
        assert {need.text for need in NEEDS[trigger]} & {need.text for need in said}, trigger
