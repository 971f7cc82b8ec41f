"""The monitor's loop without a screen: a frame, a pause, a frame; and what its ticks do besides."""

from __future__ import annotations

import os

from tokenbudget.dashboard.tracker import write_tracker
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenbudget.app import Workbench
    from tokenbudget.app.live import Tick
    from tokenbudget.dashboard.view_model import Frame
    from tokenbudget.model.protocols import Clock


def frames(
    next_frame: Callable[[], Frame],
    clock: Clock,
    interval_seconds: float,
    warn: Callable[[str], None],
    most: int | None = None,
) -> Iterator[Frame]:
    """A frame at once and then one per interval; `most` of them, None is without end.

    Frames keep their beat: a slow one delays none but itself. What cannot be read at one tick is
    told, and tried again at the next.
    """
    due = clock.monotonic_seconds()
    made = 0
    while most is None or made < most:
        pause = due - clock.monotonic_seconds()
        if pause > 0:
            clock.sleep(pause)
        try:
            yield next_frame()
        except TokenBudgetError as reason:
            if most is not None and most == 1:
                raise
            warn(str(reason))
        made += 1
        behind = max(0.0, clock.monotonic_seconds() - due)
        due += interval_seconds * (1 + behind // interval_seconds)


def keep_tracker(bench: Workbench, tick: Tick) -> Frame:
    """Write the tracker into the project of the chosen session, where that is still there."""
    frame = tick.frame
    if frame.chosen is None or not os.path.isdir(frame.chosen.project):
        return frame
    reason = write_tracker(frame)
    return frame._replace(faults=(*frame.faults, reason)) if reason else frame


def tell_control(bench: Workbench, tick: Tick) -> Frame:
    """How the controller stands with the chosen session, where one has ever looked at it."""
    frame, facts = tick.frame, tick.facts
    if facts is None:
        return frame
    from tokenbudget.app.control_view import project_of, shown_decisions, standing_of
    from tokenbudget.app.controlling_lock import holder

    standing = standing_of(
        bench.ledger,
        bench.settings,
        facts.session,
        project_of(bench.settings, facts),
        frame.made_at_ms,
        title=facts.title,
        watcher=holder(bench.settings.data_dir),
        window_tokens=None if tick.window is None else tick.window.size.tokens,
    )
    if standing.last is None:
        return frame
    decisions = (*frame.decisions, *shown_decisions(standing))
    return frame._replace(control=standing, decisions=decisions)


class RoadmapKeeper:
    """A step that keeps the block of figures in a file; '' is the project's own ROADMAP.md.

    The file is made once; whoever removes it then does not get it back.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._made: set[str] = set()

    def __call__(self, bench: Workbench, tick: Tick) -> Frame:
        """Bring the block up to date; raises ProjectUnusable, Refused."""
        from tokenbudget.dashboard.roadmap import update_roadmap

        view = tick.frame.chosen
        if view is not None and (self._path or os.path.isdir(view.project)):
            path = self._path or os.path.join(view.project, "ROADMAP.md")
            update_roadmap(path, tick.frame, may_create=path not in self._made)
            self._made.add(path)
        return tick.frame
