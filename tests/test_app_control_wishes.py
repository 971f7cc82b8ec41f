"""What a person wants of the controller: which setting has the last word, lever by lever."""

from __future__ import annotations

import pytest
from tests.config.conftest import Desk

from tokenbudget.app.control_wishes import CLEANUP, wishes_of
from tokenbudget.config.control import ControlSettings
from tokenbudget.model.control import (
    ADVICE_ONLY,
    HISTORY,
    LEVERS,
    MODEL,
    SERVERS,
    SKILLS,
    Mode,
    Wishes,
)
from tokenbudget.model.errors import BadConfig


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("wishes") / "home")


def modes(wishes: Wishes, level: str = "healthy") -> dict[Mode, set[str]]:
    found: dict[Mode, set[str]] = {}
    for lever in LEVERS:
        found.setdefault(wishes.mode_of(lever, level), set()).add(lever)
    return found


def test_without_a_word_every_lever_advises(desk: Desk) -> None:
    wishes = wishes_of(desk.strict())
    assert modes(wishes) == modes(wishes, "emergency") == {"advise": set(LEVERS)}
    assert wishes == Wishes(dict.fromkeys(LEVERS, "advise"))


def test_auto_optimize_makes_every_lever_act_that_can(desk: Desk) -> None:
    desk.write(desk.user, {"autoOptimize": True})
    assert modes(wishes_of(desk.strict())) == {
        "auto": set(LEVERS) - set(ADVICE_ONLY),
        "advise": set(ADVICE_ONLY),
    }


def test_a_repository_turns_nothing_on(desk: Desk) -> None:
    desk.write(desk.project, {"autoOptimize": True, "autoCleanup": True})
    wishes = wishes_of(desk.strict())
    assert modes(wishes, "emergency") == {"advise": set(LEVERS)}

    desk.write(desk.local, {"autoCleanup": True})
    assert wishes_of(desk.strict()).critical_modes == dict.fromkeys(CLEANUP, "auto")


def test_auto_cleanup_cleans_up_from_critical_on_alone(desk: Desk) -> None:
    desk.write(desk.ours, "tokenManagement.autoCleanup = true\n")
    wishes = wishes_of(desk.strict())
    for level in ("healthy", "warning"):
        assert modes(wishes, level) == {"advise": set(LEVERS)}
    for level in ("critical", "emergency"):
        assert modes(wishes, level)["auto"] == set(CLEANUP)
    assert wishes.mode_of(SKILLS, "emergency") == "advise"


@pytest.mark.parametrize("mode", ["advise", "off"])
def test_the_mode_of_the_controller_has_the_last_word(desk: Desk, mode: str) -> None:
    desk.write(
        desk.ours,
        f'control.mode = "{mode}"\n[tokenManagement]\nautoOptimize = true\nautoCleanup = true\n',
    )
    assert modes(wishes_of(desk.strict()), "emergency") == {mode: set(LEVERS)}


def test_a_lever_may_differ_from_the_rest(desk: Desk) -> None:
    desk.write(
        desk.ours,
        'tokenManagement.autoCleanup = true\n[control.levers]\nskills = "auto"\nhistory = "off"\n',
    )
    wishes = wishes_of(desk.strict())
    assert wishes.mode_of(SKILLS) == "auto"
    assert wishes.mode_of(HISTORY, "emergency") == "off"
    assert wishes.mode_of(SERVERS, "critical") == "auto"
    assert wishes.mode_of(MODEL) == "advise"


def test_off_ends_levers_that_are_on_by_themselves(desk: Desk) -> None:
    desk.write(desk.ours, '[control]\nmode = "off"\nlevers = {skills = "auto"}\n')
    assert modes(wishes_of(desk.strict()), "emergency") == {"off": set(LEVERS)}


def test_thresholds_times_pins_and_the_stop_come_along(desk: Desk) -> None:
    desk.write(
        desk.ours,
        '[tokenManagement]\nwarningThreshold = 0.4\n[hooks]\nstop_at = "96%"\n'
        '[control]\ninterval = "7s"\ncooldown = "2m"\nlease = "1h"\npins = ["skills/a*"]\n',
    )
    wishes = wishes_of(desk.strict())
    assert (wishes.warning_share, wishes.critical_share, wishes.emergency_share) == (0.4, 0.75, 0.9)
    assert (wishes.interval_ms, wishes.cooldown_ms, wishes.lease_ms) == (7_000, 120_000, 3_600_000)
    assert (wishes.pins, wishes.stop_share) == (("skills/a*",), 0.96)


def test_a_stop_in_tokens_or_money_is_no_share(desk: Desk) -> None:
    for stop in ("180000", "5usd"):
        desk.write(desk.ours, f'hooks.stop_at = "{stop}"\n')
        assert wishes_of(desk.strict()).stop_share is None


def test_built_in_values_are_those_of_the_model() -> None:
    plain, model = ControlSettings(), Wishes()
    assert plain.interval_seconds * 1000 == model.interval_ms
    assert plain.cooldown_seconds * 1000 == model.cooldown_ms
    assert plain.lease_seconds * 1000 == model.lease_ms


def test_nonsense_is_refused(desk: Desk) -> None:
    desk.write(desk.ours, "[tokenManagement]\nwarningThreshold = 0.8\n")
    with pytest.raises(BadConfig, match=r"warningThreshold .* is not below criticalThreshold"):
        wishes_of(desk.strict())
