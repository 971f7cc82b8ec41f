"""`tokens control why` and `history`: what the controller came to, and what it did."""

from __future__ import annotations

from tokenbudget.analysis.periods import Zone
from tokenbudget.app import open_workbench
from tokenbudget.app.control_view import known_session, project_of, standing_of, undone_of
from tokenbudget.app.controlling_lock import holder
from tokenbudget.app.undoing import journal_ledger
from tokenbudget.app.watched import session_to_watch
from tokenbudget.app.windows import window_of
from tokenbudget.cli.options import settings, show, style
from tokenbudget.cli.terminal import terminal
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.control import why_lines
from tokenbudget.reports.control_history import history_lines
from tokenbudget.reports.control_json import history_document, standing_document
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.ledger.store import Ledger

AMBIGUOUS = 2


def why(options: Namespace) -> int:
    """Why the controller does what it does in a session, or nothing."""
    told = terminal()
    with open_workbench(settings(), told, zone_name=options.tz) as bench:
        facts = session_to_watch(bench, options.session, is_everywhere=False)
        if facts is None:
            raise BadRequest("there is no session yet; it appears here once an agent works")
        if not options.session:
            facts = known_session(bench.ledger, facts)
        window = window_of(bench, facts.session, "", told)
        standing = standing_of(
            bench.ledger,
            bench.settings,
            facts.session,
            project_of(bench.settings, facts),
            bench.clock.now_ms(),
            title=facts.title,
            watcher=holder(bench.settings.data_dir),
            window_tokens=window.size.tokens,
        )
        zone = bench.zone
    if options.json:
        show([standing_document([standing], zone)])
    else:
        show(why_lines(standing, zone, style(options.no_color)))
    return 0


def history(options: Namespace) -> int:
    """What it did, each with what was foretold and what was measured."""
    found, clock = settings(), SystemClock()
    zone = Zone(options.tz or found.timezone, clock.now_ms())
    with journal_ledger(found, clock, is_only_read=True) as ledger:
        session = _session(ledger, options.session)
        receipts = ledger.control.receipts(session, limit=options.limit)
        undone = undone_of(ledger, receipts)
    if options.json:
        show([history_document(receipts, zone, undone)])
    else:
        show(history_lines(receipts, zone, style(options.no_color), undone))
    return 0


def _session(ledger: Ledger, wanted: str) -> str:
    """The whole id of the session that is meant; '' for all. Raises BadRequest."""
    if not wanted:
        return ""
    found = ledger.sessions_beginning(wanted, AMBIGUOUS)
    exact = [row for row in found if row.session == wanted] or found
    if len(exact) != 1:
        what = "no session begins" if not exact else "several sessions begin"
        raise BadRequest(f"{what} with '{wanted}'; tokens sessions lists them")
    return exact[0].session
