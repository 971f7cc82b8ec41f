"""A JSON file gets other content of which the journal holds no word, and has its own again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.resources.shop import Shop

from tokenbudget.model.actions import Outcome, RestoreText
from tokenbudget.model.errors import Refused
from tokenbudget.resources.whole_texts import without_ours
from tokenbudget.system.kept import Kept

OLD = '{\n  "a": {"x": 1},\n\n  "b" : ["p"],  "other": true\n}\n'
NEW = '{\n  "a": {"x": 1, "y": {"deep": "s3cret"}},\n  "b": ["p", "q"],\n  "other": true\n}\n'
PLANNED, DONE = Outcome("planned", ""), Outcome("done", "")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def step_of(shop: Shop, old: str | None, new: str | None) -> RestoreText:
    kept = Kept(str(shop.data))
    names = [None if text is None else kept.put(text.encode()) for text in (old, new)]
    return RestoreText(str(shop.path("x.json")), names[0], names[1])


def test_every_byte_comes_back(shop: Shop) -> None:
    shop.write("x.json", OLD)
    step = step_of(shop, OLD, NEW)
    assert shop.workshop.look(step, PLANNED).state == "unchanged"
    assert shop.workshop.apply(step).state == "done"
    assert shop.path("x.json").read_text() == NEW
    assert shop.workshop.verify(step, DONE) == ""
    assert shop.workshop.look(step, PLANNED).state == "done"
    assert shop.workshop.apply(step).state == "unchanged"
    assert shop.workshop.foresee(step, DONE).state == "undone"
    assert shop.path("x.json").read_text() == NEW
    assert shop.workshop.revert(step, DONE).state == "undone"
    assert shop.workshop.revert(step, DONE).state == "undone"
    assert shop.path("x.json").read_text() == OLD


@pytest.mark.parametrize(("old", "new"), [(None, NEW), (OLD, None)])
def test_a_file_that_is_made_or_goes(shop: Shop, old: str | None, new: str | None) -> None:
    if old is not None:
        shop.write("x.json", old)
    step = step_of(shop, old, new)
    assert shop.workshop.apply(step).state == "done"
    assert shop.path("x.json").exists() == (new is not None)
    assert shop.workshop.verify(step, DONE) == ""
    assert shop.workshop.revert(step, DONE).state == "undone"
    assert shop.path("x.json").exists() == (old is not None)


def test_what_was_written_since_it_was_looked_at_is_left_alone(shop: Shop) -> None:
    shop.write("x.json", '{"theirs": 1}')
    done = shop.workshop.apply(step_of(shop, OLD, NEW))
    assert (done.state, "written since" in done.message) == ("failed", True)
    assert shop.path("x.json").read_text() == '{"theirs": 1}'


def test_what_a_person_wrote_since_stays_and_ours_goes(shop: Shop) -> None:
    shop.write("x.json", OLD)
    step = step_of(shop, OLD, NEW)
    shop.workshop.apply(step)
    theirs = json.loads(NEW)
    theirs["a"]["mine"], theirs["new"] = 2, [3]
    theirs["b"].append("r")
    shop.write("x.json", json.dumps(theirs))
    done = shop.workshop.revert(step, DONE)
    assert (done.state, "only this change" in done.message) == ("undone", True)
    wanted = {"a": {"x": 1, "mine": 2}, "b": ["p", "r"], "other": True, "new": [3]}
    assert json.loads(shop.path("x.json").read_text()) == wanted


def test_what_a_person_wrote_anew_is_a_conflict_without_a_word_of_it(shop: Shop) -> None:
    shop.write("x.json", OLD)
    step = step_of(shop, OLD, NEW)
    shop.workshop.apply(step)
    theirs = json.loads(NEW)
    theirs["a"]["y"] = {"theirs": "h1dden"}
    shop.write("x.json", json.dumps(theirs))
    done = shop.workshop.revert(step, DONE)
    assert (done.state, "a.y was written anew" in done.message) == ("conflict", True)
    assert "h1dden" not in done.message + str(done.result)
    wanted = {**theirs, "b": ["p"]}
    assert json.loads(shop.path("x.json").read_text()) == wanted


def test_damage_is_left_alone(shop: Shop) -> None:
    shop.write("x.json", OLD)
    step = step_of(shop, OLD, NEW)
    shop.workshop.apply(step)
    shop.write("x.json", "{")
    assert shop.workshop.revert(step, DONE).state == "failed"
    assert shop.path("x.json").read_text() == "{"
    with pytest.raises(Refused):
        without_ours("[]", NEW, OLD)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ä"]),
    lambda inner: (
        st.lists(st.sampled_from("pqrs"), max_size=3, unique=True)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


def sorted_lists(value: Any) -> Any:
    """The same, lists without an order: a member that comes back stands at the end."""
    if isinstance(value, dict):
        return {key: sorted_lists(one) for key, one in value.items()}
    return sorted(value, key=repr) if isinstance(value, list) else value


@given(OBJECTS, OBJECTS, st.sampled_from([None, 1, 4]))
def test_beside_a_new_word_of_theirs_all_of_ours_goes(
    before: dict[str, Any], ours: dict[str, Any], indent: int | None
) -> None:
    texts = [json.dumps(one, indent=indent) for one in ({**ours, "theirs": [1]}, ours, before)]
    found = without_ours(*texts)
    assert found.conflicts == ()
    assert sorted_lists(json.loads(found.text)) == sorted_lists({**before, "theirs": [1]})


@given(OBJECTS, OBJECTS, OBJECTS)
def test_of_any_edit_the_result_is_json_and_nothing_of_theirs_is_lost(
    before: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    now = {**ours, **{f"their-{key}": value for key, value in theirs.items()}}
    found = json.loads(without_ours(*map(json.dumps, (now, ours, before))).text)
    assert {key: found[key] for key in now if key.startswith("their-")} == {
        key: value for key, value in now.items() if key.startswith("their-")
    }
