"""A controller that is killed at any instruction leaves no half-applied action, and is followed.

Each statement of SQL and each call that changes the disk is a point; at each one a child process is
killed (SIGKILL). A second controller then goes on from what is written. Whatever the point was, the
files are as before the action or as after it, everything that was lent is given back in the end,
and the ledger's record agrees with the journal's.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.archive.faults import MEMORY, Faults
from tests.controlling import COMPACTION, DECK, LENT, SESSION, SKILL, Scene

from tokenbudget.app.controlling import Controller, Turn, waits
from tokenbudget.app.controlling_closing import CAUSE
from tokenbudget.app.undoing import latest
from tokenbudget.model.control import ACT, RESTORE, WAIT
from tokenbudget.resources.history import KEYS
from tokenbudget.system.clock import SystemClock


class Stories:
    """A scene for each point: prepared, then turned once by whoever is killed."""

    def __init__(self, prepare: Callable[[Scene], None]) -> None:
        self._prepare = prepare

    @contextlib.contextmanager
    def scene(self) -> Iterator[Scene]:
        top = tempfile.mkdtemp(dir=MEMORY)
        try:
            scene = Scene(Path(top))
            scene.ledger().close()
            self._prepare(scene)
            yield scene
        finally:
            shutil.rmtree(top, ignore_errors=True)


Run = Callable[[Scene, Controller], object]


def turned(scene: Scene, controller: Controller) -> object:
    return controller.turn(SESSION)


def cleared_up(scene: Scene, controller: Controller) -> object:
    return controller.clear_up(str(scene.project))


def killed_at(scene: Scene, point: int, run: Run = turned) -> bool:
    """Run in a child that is killed at its so-manieth point; whether it came so far."""

    def strike() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:  # pragma: no cover - the child never comes back
        status = 1
        try:
            faults = Faults(point, strike)

            def statement(text: str) -> None:
                faults.calls += 1
                if faults.calls == faults.at:
                    strike()

            with scene.ledger() as ledger, faults.installed():
                ledger._connection.set_trace_callback(statement)
                run(scene, scene.controller(ledger))
            status = 0
        finally:
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the child failed at point {point}: {code}"
    return code != 0


def every_point(
    stories: Stories, check: Callable[[Scene], None], run: Run = turned, stride: int = 1
) -> int:
    """Kill at every point; the number of them."""
    point = 1
    while True:
        with stories.scene() as scene:
            was_killed = killed_at(scene, point, run)
            check(scene)
        if not was_killed:
            return point - 1
        point += stride


# ── what holds after every kill ───────────────────────────────────────────────────────────────────


def record_agrees(scene: Scene) -> None:
    """Every action of ours has one receipt, and one that is open has an action that stands."""
    with scene.ledger() as ledger:
        ledger.check()
        receipts = {one.id: one for one in ledger.control.receipts()}
        for action in ledger.journal.actions(-1):
            if not action.cause.startswith(f"{CAUSE} (receipt "):
                continue
            receipt = receipts[int(action.cause.split()[-1].rstrip(")"))]
            assert receipt.action == action.id
            states = {one.outcome.state for one in action.steps}
            if receipt.outcome == "failed":
                assert not states & {"done", "planned", "conflict"}, "nothing of it is left"
            else:
                assert states <= {"done", "unchanged"} or states <= {"undone", "unchanged"}
        assert all(one.action is not None for one, _ in ledger.control.open_receipts())


def whole(scene: Scene) -> None:
    shown = {name: text for name, text in scene.files().items() if not name.endswith(".tmp")}
    assert shown in files_before_and_after(), "half of an action"


def acted_then_given_back(scene: Scene) -> None:
    """The next controller finds it out; at the end of the session nothing of ours is left."""
    next_turn = scene.turn()
    assert next_turn.decision.kind in (ACT, WAIT)
    whole(scene)
    record_agrees(scene)
    with scene.ledger() as ledger:
        begun = [one for one in ledger.journal.actions(-1) if "receipt" in one.cause]
        assert len(begun) <= 1, "nothing is ever done twice on one request"
    scene.changes["is_over"] = True
    assert not waits(a_few_turns_later(scene).state)
    assert scene.local().get("env", {}).get(KEYS[1]) in (None, "")
    record_agrees(scene)
    with scene.ledger() as ledger:
        assert ledger.control.open_receipts() == []


def a_few_turns_later(scene: Scene) -> Turn:
    for _ in range(2):
        scene.clock.sleep(70)
        scene.turn()
    scene.clock.sleep(70)
    return scene.turn()


def given_back(scene: Scene) -> None:
    assert not waits(a_few_turns_later(scene).state)
    assert scene.local().get("env", {}).get(KEYS[1]) == ""
    record_agrees(scene)


def put_back(scene: Scene) -> None:
    assert DECK in a_few_turns_later(scene).state.pinned
    assert scene.local() == {"model": "opus"}
    assert scene.path("a.bak").read_text() == "old"
    record_agrees(scene)


# ── the stories ───────────────────────────────────────────────────────────────────────────────────


def about_to_compact(scene: Scene) -> None:
    scene.held = (COMPACTION,)
    scene.more_steps = ("a.bak", "b.bak")


def about_to_give_back(scene: Scene) -> None:
    scene.turn()
    scene.next_request(60_000, compactions=1)


def about_to_put_a_skill_back(scene: Scene) -> None:
    scene.held = (SKILL,)
    scene.more_steps = ("a.bak",)
    scene.turn()
    scene.next_request(120_000, changes={"reloaded": (DECK,)}, held=())


@functools.cache
def files_before_and_after() -> tuple[dict[str, str], dict[str, str]]:
    with Stories(about_to_compact).scene() as scene:
        before = scene.files()
        scene.turn()
        return before, scene.files()


def about_to_clear_up(scene: Scene) -> None:
    """The loan made the settings file, so that nothing of it may be left."""
    scene.path(".claude/settings.local.json").unlink()
    about_to_give_back(scene)
    scene.turn()
    scene.clock.sleep(30)


def nothing_is_left(scene: Scene) -> None:
    with scene.ledger() as ledger:
        assert scene.controller(ledger).clear_up(str(scene.project)) == ""
        assert not scene.path(".claude/settings.local.json").exists()
        assert latest(ledger, str(scene.project)) is None
    record_agrees(scene)


STORIES: dict[str, tuple[Callable[[Scene], None], Run, Callable[[Scene], None], int]] = {
    "acting": (about_to_compact, turned, acted_then_given_back, 60),
    "giving back": (about_to_give_back, turned, given_back, 40),
    "putting back": (about_to_put_a_skill_back, turned, put_back, 50),
    "clearing up": (about_to_clear_up, cleared_up, nothing_is_left, 50),
}


@pytest.mark.parametrize("story", list(STORIES))
def test_the_story_goes_through_where_nobody_is_killed(story: str) -> None:
    prepare, run, check, _ = STORIES[story]
    with Stories(prepare).scene() as scene:
        with scene.ledger() as ledger:
            done = run(scene, scene.controller(ledger))
        assert done == "" or (isinstance(done, Turn) and done.decision.kind in (ACT, RESTORE))
        check(scene)


@pytest.mark.slow
@pytest.mark.parametrize("story", list(STORIES))
def test_a_kill_at_any_point_leaves_it_whole(story: str) -> None:
    prepare, run, check, least = STORIES[story]
    points = every_point(Stories(prepare), check, run)
    print(f"{story}: killed at {points} points")
    assert points >= least


@pytest.mark.parametrize("story", list(STORIES))
def test_a_kill_at_a_few_points_leaves_it_whole(story: str) -> None:
    prepare, run, check, least = STORIES[story]
    assert every_point(Stories(prepare), check, run, stride=9) >= least


@pytest.mark.slow
def test_a_loop_that_is_killed_again_and_again_is_always_followed() -> None:
    """Real signals at moments that nobody chose: thirty controllers, each killed at some moment."""
    chance = random.Random(10)
    with Stories(about_to_compact).scene() as scene:
        for _ in range(30):
            child = os.fork()
            if child == 0:  # pragma: no cover - the child never comes back
                with contextlib.suppress(BaseException):
                    while True:
                        scene.turn()
                os._exit(1)
            SystemClock().sleep(chance.uniform(0.0, 0.06))
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            if not is_midway(scene):
                whole(scene)
        acted_then_given_back(scene)


def is_midway(scene: Scene) -> bool:
    """Whether the journal says that something was begun and is to be looked at."""
    with scene.ledger() as ledger:
        return any(receipt.action is None for receipt, _ in ledger.control.open_receipts())


def test_what_was_begun_is_followed_though_the_cool_down_holds() -> None:
    """Killed between the action and its noting: the receipt learns of it, nothing is done twice."""
    with Stories(about_to_compact).scene() as scene:
        point = 1
        while scene.local().get("env", {}).get(KEYS[1]) != LENT or not is_midway(scene):
            shutil.rmtree(scene.top)
            scene.__init__(scene.top)  # type: ignore[misc]
            about_to_compact(scene)
            scene.ledger().close()
            assert killed_at(scene, point)
            point += 1
        scene.clock.sleep(5)
        scene.turn()
        record_agrees(scene)
        assert not is_midway(scene)
