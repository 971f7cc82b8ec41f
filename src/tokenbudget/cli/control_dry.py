"""`tokens control --dry-run`: one look at one session with all that it rests on."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.app.control_view import known_session, project_of, standing_of_turn
from tokenbudget.app.controlling import Controller, Turn
from tokenbudget.app.controlling_lock import holder
from tokenbudget.app.watched import session_to_watch
from tokenbudget.budget.health import HEALTHY
from tokenbudget.cli.options import settings, show, style
from tokenbudget.cli.terminal import terminal
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.optimizer.controller import considered
from tokenbudget.optimizer.deciding import Judged
from tokenbudget.optimizer.policy import GRACE_REQUESTS
from tokenbudget.reports.control import block_lines
from tokenbudget.reports.control_dry import dry_lines
from tokenbudget.reports.control_json import dry_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.optimizer.state import State

GRACE = "grace"


def run(options: Namespace) -> int:
    """One look at one session with everything it rests on; nothing is changed."""
    with open_workbench(
        settings(), terminal(), zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        is_everywhere = bool(options.from_paths)
        facts = session_to_watch(bench, options.session, is_everywhere=is_everywhere)
        if facts is None:
            raise BadRequest("there is no session yet; name one of a folder with --from PATH")
        if not options.session and not is_everywhere:
            facts = known_session(bench.ledger, facts)
        project = project_of(bench.settings, facts)
        turn = Controller(bench).turn(facts.session, project, is_dry=True)
        watcher = "" if options.from_paths else holder(bench.settings.data_dir)
        now_ms, zone = bench.clock.now_ms(), bench.zone
    seen = turn.signals
    level, judged = weighed(turn)
    standing = standing_of_turn(turn, now_ms, watcher)
    if options.json:
        show([dry_document(standing, seen, level, judged, zone)])
        return 0
    look = style(options.no_color)
    if seen is None:
        show([*block_lines(standing, look), "Nothing was changed (--dry-run)."])
    else:
        show(dry_lines(_as_seen(turn), seen, turn.wishes, level, judged, turn.decision, look))
    return 0


def weighed(turn: Turn) -> tuple[str, list[Judged]]:
    """The level acted on and its levers in order; of a level in its grace what it would weigh."""
    seen, at_ms = turn.signals, turn.decision.at_ms
    if seen is None:
        return HEALTHY, []
    try:
        level, judged = considered(turn.before, seen, turn.wishes, turn.trust, at_ms)
    except BadConfig:  # the decision says it
        return HEALTHY, []
    if turn.decision.code != GRACE:
        return level, judged
    return level, considered(_as_held(turn.state), seen, turn.wishes, turn.trust, at_ms)[1]


def _as_held(state: State) -> State:
    """The state as if what is met had been met for as many requests as any grace takes."""
    longest = max(GRACE_REQUESTS.values())
    warning, critical, emergency = (None if n is None else n - longest for n in state.met)
    return state._replace(met=(warning, critical, emergency))


def _as_seen(turn: Turn) -> State:
    """The state that the decision rests on, with what the look itself showed."""
    after = turn.state
    return turn.before._replace(health=after.health, met=after.met, requests=after.requests)
