"""The MCP gateway in `tokens doctor`: a line for each place, and a field of its JSON."""

from __future__ import annotations

from tokenbudget.model.figures import counted, wrapped
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.app.gateway_doctor import GatewayHealth, GatewayPlace
    from tokenbudget.model.figures import Style


def health_lines(health: GatewayHealth, style: Style) -> list[str]:
    """One line for what is behind it here, and one for each trouble, elsewhere too."""
    if not health.places:
        return []
    here = [place for place in health.places if place.is_here]
    others = [place for place in health.places if not place.is_here]
    count = counted(sum(len(place.rows) for place in here), "MCP server")
    said = [f"{count} behind it"] if here else []
    if others:
        servers = counted(sum(len(place.rows) for place in others), "server")
        said.append(f"{servers} in {counted(len(others), 'other project')}")
    head = f"Gateway: {', '.join(said)}{', as it should be' if health.is_sound else ''}."
    lines = wrapped(head, style.width, "  ")
    for one in dict.fromkeys(_troubles(health.places)):
        lines += wrapped(f"! {one_line(one)}", style.width, "  ")
    return lines


def _troubles(places: Sequence[GatewayPlace]) -> Iterator[str]:
    for place in places:
        where = "" if place.is_here else f"{place.project}: "
        yield from (f"{where}{one}" for one in place.troubles)
        yield from (f"{where}{row.name}: {row.trouble}" for row in place.rows if row.trouble)


def gateway_fields(health: GatewayHealth | None, fault: str = "") -> dict[str, object]:
    """The field `gateway` of `tokenbudget/doctor/1`; `fault` says why nothing can be told of it."""
    places = health.places if health else ()
    return {
        "is_installed": None if fault else bool(places),
        "is_sound": not fault and (health is None or health.is_sound),
        "fault": fault,
        "places": [_place(place) for place in places],
    }


def _place(place: GatewayPlace) -> dict[str, object]:
    return {
        "scope": place.scope,
        "project": place.project or None,
        "is_here": place.is_here,
        "entries": list(place.entries),
        "program": place.program or None,
        "is_program_there": place.is_program_there,
        "does_start": place.does_start,
        "is_configuration_there": place.is_configuration_there,
        "is_sound": place.is_sound,
        "servers": [
            {
                "server": row.name,
                "from": row.origin,
                "mode": row.mode,
                "tools": row.tools,
                "trouble": row.trouble,
            }
            for row in place.rows
        ],
        "troubles": list(place.troubles),
    }
