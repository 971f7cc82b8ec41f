"""What the journal has of the gateway's servers: taken, given back one by one, and still so."""

from __future__ import annotations

from hashlib import sha256

from tokenbudget.app.gateway_place import NAME
from tokenbudget.app.gateway_record import INSTALL, gives, names_taken, path_of
from tokenbudget.app.undoing import LEFT
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.gateway.mcp.taken import read_record
from tokenbudget.model.actions import ClientServer, EditSettings, GatewayRecord, RestoreText
from tokenbudget.model.errors import Refused, TokenBudgetError
from tokenbudget.resources.settings import taken_out
from tokenbudget.resources.whole_texts import without_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord, StepRecord
    from tokenbudget.system.kept import Kept


def live_actions(ledger: Ledger, project: str) -> list[ActionRecord]:
    """Those that took servers here, or gave some back, since none was behind; the latest first."""
    found: list[ActionRecord] = []
    for action in ledger.journal.actions(-1, project):
        if action.project != project:
            continue
        given = gives(action)
        if given is not None and given.change == "all" and _is_given(action):
            break
        is_ours = action.cause == INSTALL or given is not None
        if is_ours and action.undoes is None and action.undone_at_ms is None:
            found += [action] if _is_in_place(action) else []
    return found


def refuse_under_others(data_dir: str, ledger: Ledger, action: ActionRecord) -> None:
    """With what brought the gateway it goes; servers that were taken later would be lost with it.

    Raises:
        Refused: such servers are behind it.
    """
    if action.cause != INSTALL:
        return
    live = [one for one in live_actions(ledger, action.project) if one.cause == INSTALL]
    if not any(one.id == action.id for one in live) or not _brought_gateway(action, live):
        return
    record = read_record(path_of(data_dir, action.project))
    behind = {one.name for one in record.servers} if record else set()
    later = [one for one in live if one.id > action.id and behind & taken_by([one])]
    if later:
        raise Refused(
            f"servers that were taken later are behind the gateway that action {action.id} brought;"
            f" first tokens undo {later[0].id}, or give single ones back: tokens gateway uninstall"
            " SERVER"
        )


def _brought_gateway(action: ActionRecord, live: Sequence[ActionRecord]) -> bool:
    """Whether our entry came with it: then it goes with it, too."""
    for step in (one.step for one in action.steps):
        if isinstance(step, ClientServer) and (step.server, step.change) == (NAME, "add"):
            return True
        keys = [edit.keys for edit in step.edits] if isinstance(step, EditSettings) else []
        if ("mcpServers", NAME) in keys:  # each writes it, and the first of them is what did
            return all(one.id >= action.id for one in live)
    return False


def _is_in_place(action: ActionRecord) -> bool:
    return any(one.outcome.state in LEFT for one in action.steps)


def _is_given(action: ActionRecord) -> bool:
    """Whether it came to its end: the record knows of it."""
    steps = (one for one in action.steps if isinstance(one.step, GatewayRecord))
    return any(one.outcome.state == "done" for one in steps)


def text_before_us(
    actions: Sequence[ActionRecord], path: str, now: str | None, kept: Kept
) -> tuple[str | None, int] | None:
    """A file as it would be had these actions not been: (its text, folders made for it).

    The text is None where we made the file; all is None where no installation is known to have
    changed it (the journal was lost), or it cannot be told what it would be.
    """
    steps = [one for action in actions for one in reversed(action.steps) if _is_of(one, path)]
    if not steps or not isinstance(steps[-1].step, EditSettings):
        return None
    folders = 0
    try:
        for one in steps:
            now = _text_without(one, now, kept)
            made = one.outcome.result.get("folders")
            folders = made if isinstance(made, int) else folders
    except (TokenBudgetError, ValueError, NotEditable):
        return None
    return now, folders


def taken_by(actions: Sequence[ActionRecord]) -> set[str]:
    """The servers that these actions took from the client, as far as they say it."""
    steps = (one.step for action in actions if action.cause == INSTALL for one in action.steps)
    return {name for step in steps for name in names_taken(step)}


def may_have_written(actions: Sequence[ActionRecord], path: str) -> bool:
    """Whether words of ours may stand in a file: these wrote it, or the journal was lost."""
    has_installed = any(action.cause == INSTALL for action in actions)
    return not has_installed or any(_is_of(one, path) for a in actions for one in a.steps)


def _is_of(one: StepRecord, path: str) -> bool:
    is_edit = isinstance(one.step, EditSettings | RestoreText)
    return is_edit and one.outcome.state in LEFT and one.step.path == path  # type: ignore[union-attr]


def _text_without(one: StepRecord, now: str | None, kept: Kept) -> str | None:
    """The text without one step: every byte of before where nobody has written since."""
    step, result = one.step, one.outcome.result
    if isinstance(step, RestoreText):
        old, new = _held(step.old, kept), _held(step.new, kept)
        return old if now == new else without_ours(now or "", new or "", old or "").text
    assert isinstance(step, EditSettings)
    before, after = result.get("before"), result.get("after")
    if not isinstance(after, str):
        return now  # it was never made
    old = _held(before if isinstance(before, str) else None, kept)
    if sha256((now or "").encode()).hexdigest() == after:
        return old
    text = taken_out(now or "", old or "", step.edits).text
    return None if old is None and not text else text


def _held(name: str | None, kept: Kept) -> str | None:
    return None if name is None else kept.get(name).decode()
