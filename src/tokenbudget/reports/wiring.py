"""What is wired into the agent, for a person and as JSON: the answer, a table, what to do."""

from __future__ import annotations

from tokenbudget.model.figures import cut, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.gateway_health import gateway_fields
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render
from tokenbudget.resources.effect import DAEMON
from tokenbudget.resources.effect_parts import ago

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.gateway_doctor import GatewayHealth
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell
    from tokenbudget.resources.effect import Part, Wiring

_SIGNS = {"effective": "●", "wired": "●", "unseen": "▸", "broken": "✖", "absent": "·"}
_WORDS = {
    "effective": "effective",
    "wired": "wired",
    "unseen": "not seen",
    "broken": "fails",
    "absent": "not wired",
}
MOST_CLIENTS = 5


def wiring_lines(wiring: Wiring, style: Style, is_whole: bool = False) -> list[str]:
    """What is wired, for a person; a part that has nothing to say is left out.

    `is_whole`: event by event, and what other tools do where nothing of ours is wired.
    """
    lines = [style.bold(line) for line in wrapped(_headline(wiring), style.width)]
    lines += [f"  → {wiring.do}"] if wiring.do else []
    is_wired = wiring.is_anything_wired
    lines += ["", *_part_lines(wiring, style)] if is_wired or wiring.daemon.is_running else []
    lines += _event_lines(wiring, style) if is_whole else []
    lines += _client_lines(wiring, style) if is_wired else []
    lines += _overlap_lines(wiring, style) if is_wired or is_whole else []
    return [*lines, *_to_do_lines(wiring, style)]


def _headline(wiring: Wiring) -> str:
    if not wiring.is_effective:
        sign = "✖"
    elif any(part.state == "unseen" for part in wiring.parts):
        sign = "▸"
    else:
        is_anything = wiring.is_anything_wired or wiring.gateway is not None
        sign = "●" if is_anything else "·"
    if sign != "✖" and wiring.gateway is not None and not wiring.gateway.is_sound:
        sign = "▲"
    return f"{sign} {one_line(wiring.answer)}"


def _part_lines(wiring: Wiring, style: Style) -> list[str]:
    columns = [
        Column("Part", is_text=True, may_cut=False),
        Column("Where", is_text=True, drop_rank=1),
        Column("State", is_text=True, may_cut=False),
        Column("Evidence", is_text=True, keeps_start=True),
    ]
    rows: list[list[Cell]] = [
        [
            f"{_SIGNS[part.state]} {part.name}",
            _where(part),
            _state(part),
            _evidence(part, wiring),
        ]
        for part in wiring.parts
    ]
    return render(columns, rows, None, style)


def _evidence(part: Part, wiring: Wiring) -> str:
    """How the state is known; of what does not work, where the reason stands below."""
    if part.state != "broken":
        return one_line(part.evidence)
    reasons = {(one.says, one.do) for one in wiring.troubles if one.part == part.name}
    numbers = [at for at, (key, _) in enumerate(_once(wiring), start=1) if key in reasons]
    return f"see {numbers[0]} below" if numbers else ""


def _where(part: Part) -> str:
    scopes = ", ".join(part.scopes)
    return f"{scopes}: {part.detail}" if scopes and part.detail else scopes or part.detail


def _state(part: Part) -> str:
    if part.name == DAEMON:
        return "running" if part.is_wired else "stopped"
    return _WORDS[part.state]


def _event_lines(wiring: Wiring, style: Style) -> list[str]:
    """Each event that is wired or was seen, with what is known of it."""
    if not wiring.events:
        return []
    columns = [
        Column("Event", is_text=True),
        Column("Wired", is_text=True),
        Column("Seen"),
        Column("Last", is_text=True),
        Column("Known to" if wiring.clients else "", is_text=True, drop_rank=1, keeps_start=True),
    ]
    rows: list[list[Cell]] = [
        [
            one_line(line.event),
            "yes" if line.is_wired else "no",
            line.seen or None,
            ago(wiring.at_ms, line.last_ms) if line.last_ms else "",
            ", ".join(line.clients),
        ]
        for line in wiring.events
    ]
    return ["", *render(columns, rows, None, style)]


def _client_lines(wiring: Wiring, style: Style) -> list[str]:
    if not wiring.clients:
        return []
    shown = wiring.clients[:MOST_CLIENTS]
    lines = ["", style.bold("Clients in use")]
    for client in shown:
        where = " (installed)" if client.is_installed else ""
        lines += _hung("  ", f"{one_line(client.says)}{where}", style)
    more = len(wiring.clients) - len(shown)
    return [*lines, f"  and {more} older ones"] if more else lines


def _overlap_lines(wiring: Wiring, style: Style) -> list[str]:
    """A list and no table: what another tool does is a sentence, and is not to be cut."""
    if not wiring.overlaps:
        return []
    lines = ["", style.bold("Beside us")]
    for one in wiring.overlaps:
        where = f"{one_line(one.where)} ({one.scope})"
        said = f"{one_line(one.tool)}, {where}: {one_line(one.says)}"
        lines += _hung("  ", said, style, more="  ")
    return lines


def _to_do_lines(wiring: Wiring, style: Style) -> list[str]:
    if not wiring.troubles:
        return []
    lines = ["", style.bold("To do")]
    for number, ((_, do), says) in enumerate(_once(wiring), start=1):
        lines += _hung(f"  {number}  ", one_line(says), style)
        # A command is to be copied: it stands on a line of its own, and is not cut in two.
        lines.append(cut(f"     → {one_line(do)}", max(style.width, 20)))
    return lines


def _hung(start: str, text: str, style: Style, more: str = "") -> list[str]:
    """The text behind its start, the later lines below its beginning, or `more` to the right."""
    lines = wrapped(text, max(style.width - len(start), 20), more)
    return [start + lines[0], *(" " * len(start) + line for line in lines[1:])]


def _once(wiring: Wiring) -> Sequence[tuple[tuple[str, str], str]]:
    """What each trouble says and what to do, with the sentence; of several parts it is one."""
    parts: dict[tuple[str, str], list[str]] = {}
    for one in wiring.troubles:
        parts.setdefault((one.says, one.do), []).append(one.part)
    return [
        (key, f"{', '.join(filter(None, names))}: {key[0]}" if any(names) else _begun(key[0]))
        for key, names in parts.items()
    ]


def _begun(sentence: str) -> str:
    """A sentence as it begins a line; a path stays as it is."""
    is_word = sentence[:1].islower() and sentence.partition(" ")[0].isalpha()
    return sentence[:1].upper() + sentence[1:] if is_word else sentence


def wiring_fields(wiring: Wiring) -> dict[str, object]:
    """The same as plain JSON values."""
    daemon = wiring.daemon
    return {
        "answer": wiring.answer,
        "is_effective": wiring.is_effective,
        "at_ms": wiring.at_ms,
        "parts": [{**part._asdict(), "scopes": list(part.scopes)} for part in wiring.parts],
        "clients": [client._asdict() for client in wiring.clients],
        "events": [{**line._asdict(), "clients": list(line.clients)} for line in wiring.events],
        "troubles": [trouble._asdict() for trouble in wiring.troubles],
        "overlaps": [overlap._asdict() for overlap in wiring.overlaps],
        "daemon": daemon._asdict(),
        "newest_tested_client": wiring.newest_tested,
    }


def wiring_document(
    wiring: Wiring, gateway: GatewayHealth | None = None, gateway_fault: str = ""
) -> str:
    """The wiring and the gateway alone, as a `tokenbudget/doctor/1` that holds nothing else."""
    fields = {"wiring": wiring_fields(wiring), "gateway": gateway_fields(gateway, gateway_fault)}
    return document("doctor", 1, fields)
