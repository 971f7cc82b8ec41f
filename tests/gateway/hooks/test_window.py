"""The size of the window without the ledger: as `analysis.window_size` decides with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.window_size import window_size
from tokenbudget.gateway.hooks.window import (
    LARGE_TOKENS,
    LOCAL,
    SNAPSHOT_FORMAT,
    VARIABLE,
    is_lowered,
    snapshot_of,
    window_tokens,
)
from tokenbudget.gateway.statusline_files import FORMAT, Snapshot, write_snapshot
from tokenbudget.resources import history

MODELS = ("claude-opus-5-5", "claude-sonnet-4-5", "claude-haiku-5-5-20260801",
          "claude-sonnet-4-5[1m]", "us.claude-opus-4-1", "gpt-5", "")  # fmt: skip
OWN = st.dictionaries(
    st.sampled_from(["claude-opus-5-5", "claude-*", "Claude-Sonnet-*", "gpt-5"]),
    st.integers(2, 2_000_000),
)


@given(
    st.sampled_from(MODELS),
    OWN,
    st.integers(0, 1_200_000),
    st.lists(st.integers(1, 1_200_000), max_size=3),
)
def test_it_is_what_the_analysis_says(
    model: str, own: dict[str, int], largest: int, compacted: list[int]
) -> None:
    expected = window_size(model, own, None, largest, compacted).tokens
    assert window_tokens(model, own, {}, largest, compacted) == expected


@given(st.sampled_from(MODELS[:-1]), OWN, st.integers(1_000, 2_000_000))
def test_what_the_collector_found_goes_before_what_is_published(
    model: str, own: dict[str, int], found: int
) -> None:
    snapshot: dict[str, object] = {"window_tokens": found, "model": model}
    expected = window_size(model, own, None, 0, (), told_tokens=found).tokens
    assert window_tokens(model, own, snapshot, 0, []) == expected


@pytest.mark.parametrize(
    "snapshot",
    [
        {"window_tokens": 200_000, "model": "claude-opus-5-5"},  # before the switch
        {"window_tokens": "200000", "model": "claude-sonnet-5-5"},
        {"window_tokens": 5, "model": "claude-sonnet-5-5"},
        {"window_tokens": True},
        {"window_tokens": None},
    ],
)
def test_a_snapshot_of_another_model_or_of_no_sense_says_nothing(
    snapshot: dict[str, object],
) -> None:
    assert window_tokens("claude-sonnet-5-5", {}, snapshot, 0, []) == 1_000_000


@pytest.mark.parametrize(
    ("model", "version", "tokens"),
    [
        ("claude-opus-5-5", (2, 1, 329), 1_000_000),
        ("claude-opus-5-5", (), 1_000_000),
        ("claude-opus-5-5", (2, 1, 270), 200_000),  # these do not know it
        ("us.claude-opus-5-5", (2, 0, 76), 200_000),
        ("claude-opus-5-5[1m]", (2, 1, 270), 1_000_000),
        ("claude-opus-5", (2, 1, 270), 1_000_000),
        ("claude-opus-5", (2, 0, 76), 200_000),
        ("claude-sonnet-4-6", (2, 1, 329), 200_000),
        ("claude-sonnet-4-6", (), 200_000),
        ("claude-sonnet-4-6[1m]", (2, 1, 329), 1_000_000),
    ],
)
def test_the_window_is_the_one_that_the_client_gives(
    model: str, version: tuple[int, ...], tokens: int
) -> None:
    assert window_tokens(model, {}, {}, 0, [], version) == tokens
    assert window_tokens(model, {}, {}, 200_001, [], version) == 1_000_000
    assert window_tokens(model, {model: 150_000}, {}, 0, [], version) == 150_000


def test_a_guess_of_the_collector_is_none_where_the_client_is_known_to_give_less() -> None:
    snapshot: dict[str, object] = {"window_tokens": 1_000_000, "model": "claude-opus-5-5"}
    sizes = [
        window_tokens("claude-opus-5-5", {}, {**snapshot, **more}, 0, [], version)
        for version in ((2, 1, 270), (2, 1, 329))
        for more in ({}, {"window_tokens": 500_000})
    ]
    assert sizes == [200_000, 500_000, 1_000_000, 500_000]


def test_a_window_that_was_overfull_is_a_larger_one() -> None:
    snapshot: dict[str, object] = {"window_tokens": 200_000, "model": "claude-sonnet-4-5"}
    assert window_tokens("claude-sonnet-4-5", {}, snapshot, 200_001, []) == 1_000_000


def test_the_snapshot_is_the_one_that_the_collector_writes(tmp_path: Path) -> None:
    assert SNAPSHOT_FORMAT == FORMAT
    write_snapshot(str(tmp_path), Snapshot("s-1", 1, 2, 3, model="m", window_tokens=500_000))
    found = snapshot_of(str(tmp_path), "s-1")
    assert (found["window_tokens"], found["model"]) == (500_000, "m")
    assert snapshot_of(str(tmp_path), "s-2") == {}
    (tmp_path / "statusline/s-2.json").write_text(json.dumps({**found, "format": FORMAT}))
    assert snapshot_of(str(tmp_path), "s-2") == {}  # it says that it is another session's


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({VARIABLE: "164000"}, True),
        ({VARIABLE: history.EMPTY}, False),
        ({VARIABLE: history.RELEASED}, False),
        ({VARIABLE: "9" * 10}, False),
        ({VARIABLE: "-1"}, False),
        ({VARIABLE: "\u0661"}, False),
        ({VARIABLE: 164_000}, False),
        ({"A": VARIABLE}, False),
        ("no table", False),
    ],
)
def test_a_window_is_lowered_where_the_projects_own_settings_tell_one(
    tmp_path: Path, env: object, expected: bool
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".claude").mkdir()
    below = tmp_path / "src" / "shop"
    below.mkdir(parents=True)
    assert not is_lowered(str(below))
    Path(f"{tmp_path}{LOCAL}").write_text(json.dumps({"env": env}))
    assert is_lowered(str(below)) is expected
    assert is_lowered(f"{tmp_path}/") is expected
    assert not is_lowered("src/shop")


def test_a_settings_file_that_is_no_json_tells_no_window(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    Path(f"{tmp_path}{LOCAL}").write_text(f'{{"env": {{"{VARIABLE}": "164000"')
    assert not is_lowered(str(tmp_path))


def test_the_variable_is_the_one_that_a_history_is_lent_by() -> None:
    assert (VARIABLE, int(history.RELEASED)) == (history.VARIABLE, LARGE_TOKENS)
