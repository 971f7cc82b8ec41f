"""How the controller stands with a session, and what each of its looks came to, as text."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.budget import health
from tokenbudget.model.control_words import (
    OLD_MS,
    decision_words,
    deed,
    is_back,
    lever_name,
    next_words,
    percent,
    reason_words,
    receipt_words,
    short_reason,
    state_words,
    usable_words,
)
from tokenbudget.model.figures import counted, dollars, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.spans import shown_span
from tokenbudget.reports.table import Column, render
from tokenbudget.reports.undo_list import date

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.control import Decision, Receipt
    from tokenbudget.model.control_standing import LeverStanding, Standing
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

WIDEST = 100
LABEL = 10
SHORT_SESSION = 8
"""Of an id so many characters are shown: enough to name it by."""
DECISIONS_SHOWN = 5
NEVER = "No controller has looked at this session yet: tokens control, or the daemon (tokens serve)"
TURN_ON = "tokens config set autoOptimize true lets it act"


def session_words(standing: Standing) -> str:
    """`webshop · 5d0c1f5e · Round the cart`: what names it to a command stands before its title."""
    project = one_line(standing.project.rstrip("/").rpartition("/")[2])
    parts = (project, one_line(standing.session[:SHORT_SESSION]), one_line(standing.title))
    return " · ".join(part for part in parts if part)


def answer(standing: Standing) -> str:
    """The first line: the level, what was done last or why nothing is."""
    last = standing.last
    if last is None:
        return NEVER
    level = standing.level or last.level
    why = short_reason(last) if _is_old(standing, last) else reason_words(last)
    shown = f"{health.SYMBOLS.get(level, '?')} {one_line(level)}"
    return f"{shown} · {decision_words(last)}: {why}"


def _is_old(standing: Standing, decision: Decision) -> bool:
    """Whether its figures are not those of now any more."""
    is_of_another = standing.request_key not in ("", decision.request_key)
    return is_of_another or standing.looked_at_ms - decision.at_ms >= OLD_MS


def why_lines(standing: Standing, zone: Zone, style: Style) -> list[str]:
    """Why it does what it does, or nothing: the answer, the facts, the levers, the decisions."""
    width = min(style.width, WIDEST)
    style = style._replace(width=width)
    first, *more = wrapped(answer(standing), width, "  ")
    lines = [style.bold(first), *(style.bold(line) for line in more), style.faint("─" * width)]
    for label, text in _facts(standing, zone):
        lines += labelled(label, text, width)
    lines += ["", *lever_lines(standing.levers, style)]
    shown = standing.decisions[1 : DECISIONS_SHOWN + 1]
    if shown:
        lines += ["", style.bold("Before that, the latest first")]
        lines += [line for one in shown for line in _decision_lines(one, zone, width)]
    return lines


def block_lines(standing: Standing, style: Style) -> list[str]:
    """A session in a few lines, as the loop shows it when it begins."""
    width = min(style.width, WIDEST)
    level = standing.level
    mark = f"{health.SYMBOLS[level]} {level}" if level in health.SYMBOLS else "? no data"
    use = usable_words(standing.share, standing.used_tokens, standing.window_tokens)
    name, *more = wrapped(session_words(standing), width - text_width(mark) - 2)
    head = f"{mark}  {name}"
    has_room = not more and text_width(head) + 2 + text_width(use) <= width
    heads = [f"{head}  {use}"] if has_room else [head, *(f"  {rest}" for rest in more)]
    lines = [style.bold(line) for line in heads]
    lines += [] if has_room else labelled("window", use, width)
    last = standing.last
    if last is not None:
        lines += labelled("now", f"{decision_words(last)}: {reason_words(last)}", width)
        if next_words(last):
            lines += labelled("next", next_words(last), width)
    return lines


def head_lines(
    standings: Sequence[Standing], is_acting: bool, holder: str, style: Style
) -> list[str]:
    """The first line of the loop: what it does, and whether it acts or only looks."""
    sessions = counted(len(standings), "session")
    acting = {one.mode.partition(" ")[0] for one in standings} & {"auto"}
    if not is_acting:
        who = one_line(holder) or "nobody, for the record cannot be kept here"
        said = f"looking at {sessions}; nothing is done by this one: {who} acts"
    elif acting:
        said = f"controlling {sessions}; what helps is done, one thing at a time"
    else:
        said = f"looking at {sessions}; nothing is changed by itself ({TURN_ON})"
    return [style.bold(line) for line in wrapped(said[:1].upper() + said[1:], style.width)]


def change_lines(
    standing: Standing, decision: Decision, zone: Zone, style: Style, fault: str = ""
) -> list[str]:
    """One look that came to something else than the one before it: a line, wrapped if need be."""
    symbol = health.SYMBOLS.get(decision.level, "?")
    share = "" if standing.share is None else f" {percent(standing.share)}"
    head = f"{zone.local(decision.at_ms).strftime('%H:%M:%S')}  {symbol}{share}"
    said = f"{decision_words(decision)}: {reason_words(decision)}"
    following = next_words(decision)
    said = f"{said}; not done: {one_line(fault)}" if fault else said
    text = f"{head}  {session_words(standing)} · {said}"
    return wrapped(f"{text}; next: {following}" if following else text, style.width, " " * LABEL)


def settled_lines(receipt: Receipt, zone: Zone, style: Style) -> list[str]:
    """What an action came to, once that was seen."""
    at_ms = receipt.settled_at_ms or receipt.at_ms
    time = zone.local(at_ms).strftime("%H:%M:%S")
    text = f"{time}  measured, {deed(receipt.lever, receipt.items)}: {receipt_words(receipt)}"
    return wrapped(text, style.width, " " * LABEL)


def lever_lines(levers: Sequence[LeverStanding], style: Style) -> list[str]:
    """A table: how far each lever may go, and how far it is believed."""
    columns = [
        Column("Lever", is_text=True),
        Column("Mode", is_text=True, may_cut=False),
        Column("Trust"),
    ]
    has_measured = any(one.measured for one in levers)
    if has_measured:
        columns += [
            Column("Measured", drop_rank=3),
            Column("Foretold", drop_rank=2),
            Column("Freed", drop_rank=1),
            Column("Error"),
        ]
    rows = [[*_wished(one), *(_measured(one) if has_measured else [])] for one in levers]
    return render(columns, rows, None, style)


def _wished(one: LeverStanding) -> list[Cell]:
    is_same = one.mode == one.critical_mode
    mode = one.mode if is_same else f"{one.mode}; {one.critical_mode} from critical on"
    return [lever_name(one.lever), mode, f"{one.trust:.2f}"]


def _measured(one: LeverStanding) -> list[Cell]:
    if not one.measured:
        return ["", "", "", ""]
    error = "" if one.error_share is None else f"{one.error_share:.0%}"
    return [one.measured, one.predicted_tokens, one.measured_tokens, error]


def money(usd: float | None) -> str:
    """`$0.31`, `-$0.02` for what it cost; `?` where it is not known."""
    if usd is None:
        return "?"
    amount = Decimal(str(usd))
    return f"-{dollars(-amount)}" if amount < 0 else dollars(amount)


def labelled(label: str, text: str, width: int, room: int = LABEL) -> list[str]:
    """A label and a text beside it, in as many lines as that takes."""
    first, *rest = wrapped(text, width - room - 2)
    return [f"  {label:<{room}}{first}", *(" " * (room + 2) + line for line in rest)]


def _facts(standing: Standing, zone: Zone) -> list[tuple[str, str]]:
    last = standing.last
    found = [("session", f"{session_words(standing)}; {looked_words(standing)}")]
    if standing.used_tokens is not None and standing.usable_tokens:
        use = usable_words(standing.share, standing.used_tokens, standing.window_tokens)
        amounts = f"{standing.used_tokens:,} of {standing.usable_tokens:,} tokens"
        found.append(("window", f"{amounts}: {use}"))
    if last is not None:
        found.append(("since", _time(last.at_ms, standing, zone)))
    level = standing.level or ""
    following = "" if last is None else next_words(last, _is_old(standing, last), level)
    if following:
        found.append(("next", following))
    found += _last_action(standing, zone)
    found += [
        ("marked", f"{deed(one.lever, one.items)}, since {_time(one.at_ms, standing, zone)}")
        for one in standing.marks
    ]
    if standing.pins:
        found.append(("pinned", f"by you: {_ids(standing.pins)}"))
    if standing.reloaded:
        found.append(("pinned", f"loaded again, or taken back: {_ids(standing.reloaded)}"))
    hint = f" ({TURN_ON})" if standing.mode == "advise" else ""
    return [*found, ("mode", f"{standing.mode}{hint}")]


def looked_words(standing: Standing) -> str:
    """When it was looked at last, and whether anybody goes on looking."""
    ago = "never looked at"
    if standing.looked_at_ms:
        ago = f"looked at {shown_span(standing.at_ms - standing.looked_at_ms)} ago"
    watcher = one_line(standing.watcher)
    return f"{ago}; {watcher} goes on" if watcher else f"{ago}; nobody looks now: tokens control"


def _last_action(standing: Standing, zone: Zone) -> list[tuple[str, str]]:
    receipt = standing.receipt
    if receipt is None:
        return []
    when = _time(receipt.at_ms, standing, zone)
    text = f"{when} · {deed(receipt.lever, receipt.items)}: {receipt_words(receipt)}"
    if receipt.action is None or is_back(receipt, standing.undone):
        state = state_words(receipt, standing.undone)
        return [("done", text if text.endswith(f": {state}") else f"{text}; {state}")]
    return [("done", f"{text}; tokens control undo {receipt.action}")]


def _decision_lines(one: Decision, zone: Zone, width: int) -> list[str]:
    head = f"  {date(one.at_ms, zone)}  "
    text = f"{decision_words(one)}: {reason_words(one)}"
    first, *rest = wrapped(text, width - len(head))
    return [head + first, *(" " * len(head) + line for line in rest)]


def _time(at_ms: int, standing: Standing, zone: Zone) -> str:
    """`12:04, 3m ago`; with the day where that is another one."""
    local, today = zone.local(at_ms), zone.local(standing.at_ms)
    shown = local.strftime("%H:%M" if local.date() == today.date() else "%Y-%m-%d %H:%M")
    return f"{shown}, {shown_span(standing.at_ms - at_ms)} ago"


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(map(one_line, ids))
