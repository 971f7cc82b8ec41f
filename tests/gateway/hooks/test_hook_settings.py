"""The compiled settings: whatever is not there or cannot be, what is built in holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.hooks.hook_settings import FILE, FORMAT, HookWishes, wishes_in

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
)


def values(wishes: HookWishes) -> dict[str, object]:
    return {name: getattr(wishes, name) for name in HookWishes.__slots__}


BUILT_IN = values(HookWishes({}))


def test_what_is_built_in() -> None:
    assert BUILT_IN == {
        "thresholds": (0.5, 0.7, 0.8, 0.9), "level_shares": (0.5, 0.75, 0.9), "is_telling": True,
        "is_guarding": True, "guard_tokens": 2_000, "stop_at_share": None, "stop_at_tokens": None,
        "stop_at_usd": None, "mode": "balanced", "windows": {}, "is_trimming": True,
        "is_wrapping": True, "trim_min_tokens": 200, "trim_allow": ("*",), "trim_deny": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"format":"other","is_telling":false}', b"x" * 70_000]
)
def test_a_file_that_is_none_of_ours_says_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / FILE[1:]).write_bytes(data)
    assert values(wishes_in(str(tmp_path))) == BUILT_IN


def test_so_does_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert values(wishes_in(str(tmp_path))) == BUILT_IN


def test_what_the_file_says_holds(tmp_path: Path) -> None:
    told = {
        "thresholds": [0.6], "is_telling": False, "is_guarding": False, "guard_tokens": 0,
        "stop_at_share": 0.95, "mode": "compressed", "windows": {"x": 5},
    }  # fmt: skip
    (tmp_path / "hooks").mkdir()
    (tmp_path / FILE[1:]).write_text(json.dumps({"format": FORMAT, **told}))
    assert values(wishes_in(str(tmp_path))) == {**BUILT_IN, **told, "thresholds": (0.6,)}


def test_no_thresholds_are_none_and_no_fault() -> None:
    assert HookWishes({"thresholds": []}).thresholds == ()


@pytest.mark.parametrize("given", [[0], [1.5], [True], ["0.5"], [float("nan")], 5, [0.1] * 99])
def test_thresholds_that_cannot_be_are_those_that_are_built_in(given: object) -> None:
    assert HookWishes({"thresholds": given}).thresholds == (0.5, 0.7, 0.8, 0.9)


@given(st.dictionaries(st.sampled_from(HookWishes.__slots__), ANYTHING))
def test_any_values_give_wishes_that_can_be_followed(told: dict[str, object]) -> None:
    wishes = HookWishes(told)
    assert all(0 < one <= 1 for one in wishes.thresholds + wishes.level_shares)
    assert wishes.guard_tokens >= 0
    assert wishes.mode in ("verbose", "balanced", "compressed")
    for stop in (wishes.stop_at_share, wishes.stop_at_tokens, wishes.stop_at_usd):
        assert stop is None or stop > 0
