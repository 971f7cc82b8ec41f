"""What the gateway kept out of the window: from its audit, its catalogues and the ledger.

Measured is what was written down: the tokens of every result that a server gave, and of every
answer that went to the agent instead. Modelled is what would have been sent without the gateway:
the definitions (or with deferral the names) of each server times the requests of the sessions that
it stood in.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import NamedTuple

from tokenbudget.app.gateway_weights import definition_of, kept_catalogue, weight_of
from tokenbudget.config.files import read_regular
from tokenbudget.gateway.mcp.audit import audit_files
from tokenbudget.gateway.mcp.front_tools import instructions, static_tools
from tokenbudget.gateway.mcp.taken import FOLDER
from tokenbudget.ledger.queries import UsageQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tokenbudget.app.gateway_weights import ServerWeight
    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.values import Catalogue
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.protocols import TokenCounter

MOST_BYTES = 64_000_000
BYTES_PER_TOKEN = 4
"""Where only bytes were written down: answers of a search, code, results too large to count."""
OWN_PREFIX = "mcp__tokenbudget__"
_FINDING = ("find", "describe", "find_skills", "load_skill")


class ServerStats(NamedTuple):
    """One server, over all sessions that the audit knows."""

    name: str
    sessions: int
    requests: int
    """Of these sessions, as far as the ledger has them."""
    calls: int
    weight: ServerWeight | None
    schema_tokens: int | None
    """Modelled: what its definitions would have come to without deferral."""
    name_tokens: int | None
    """Modelled: its names with deferral, and the definitions of the tools that were called, each
    once a session: the least that it would have been."""
    raw_tokens: int
    """Measured: what its tools gave back."""
    answer_tokens: int
    """Measured: its share of what went to the agent instead, by what each server gave."""
    unused_tools: tuple[str, ...]
    dropped_messages: int = 0
    """Notifications beyond what anyone reads, which were dropped."""

    @property
    def kept_out_tokens(self) -> int:
        """Of its results."""
        return self.raw_tokens - self.answer_tokens


class GatewayStats(NamedTuple):
    """Everything together."""

    since: str
    """The day of the first row that is kept; '' where there is none."""
    sessions: int
    unseen_sessions: int
    """Of these, those that the ledger has no requests of (or that have no name)."""
    requests: int
    servers: tuple[ServerStats, ...]
    static_tokens: int
    """What the gateway's own definitions add to each request."""
    asked_tokens: int
    """Modelled from bytes: answers of find and describe, and the code that the agent wrote."""
    runs: int
    refused: int
    unused_servers: tuple[str, ...]

    @property
    def own_tokens(self) -> int:
        """What the gateway itself has cost."""
        return self.static_tokens * self.requests + self.asked_tokens

    def avoided(self, *, is_deferred: bool) -> int | None:
        """Net: schemas and results kept out, less what the gateway cost.

        None where the tools of a server that was there are not known.
        """
        given = [one.name_tokens if is_deferred else one.schema_tokens for one in self.servers]
        if any(one is None for one in given):
            return None
        results = sum(one.kept_out_tokens for one in self.servers)
        return sum(one or 0 for one in given) + results - self.own_tokens


def stats_of(settings: Settings, ledger: Ledger, counter: TokenCounter) -> GatewayStats:
    """Read what is kept, and add it up."""
    rows = list(audit_rows(os.path.join(settings.data_dir, FOLDER)))
    requests = _requests_by_session(ledger)
    names = {str(name) for row in rows for name in _servers_of(row)}
    names |= {str(row["server"]) for row in rows if row.get("event") == "call" and "server" in row}
    kept = {name: kept_catalogue(settings.data_dir, name) for name in sorted(names)}
    catalogues = {name: one.catalogue for name, one in kept.items() if one is not None}
    return counted_up(rows, requests, catalogues, counter)


def counted_up(
    rows: Sequence[Mapping[str, object]],
    requests: Mapping[str, int],
    catalogues: Mapping[str, Catalogue],
    counter: TokenCounter,
) -> GatewayStats:
    """The same of values: rows of the audit, requests by session, catalogues by server."""
    stood = _stood_in(rows)
    sessions = {session for found in stood.values() for session in found}
    calls = [row for row in rows if row.get("event") == "call" and "server" in row]
    share = _shares(rows, calls)
    names = sorted({*stood, *(str(row["server"]) for row in calls)})
    dropped = _dropped(rows)
    servers = tuple(
        _server(
            name,
            stood.get(name, set()),
            [row for row in calls if row["server"] == name],
            requests,
            catalogues.get(name),
            share.get(name, 0),
            counter,
        )._replace(dropped_messages=dropped[name])
        for name in names
    )
    asked = sum(
        _number(row, "answer_bytes") + _number(row, "asked_bytes")
        for row in rows
        if row.get("event") in _FINDING
    )
    asked += sum(_number(row, "code_bytes") for row in rows if row.get("event") == "run")
    return GatewayStats(
        since=min(
            (str(row["at"])[:10] for row in rows if isinstance(row.get("at"), str)), default=""
        ),
        sessions=len(sessions),
        unseen_sessions=sum(requests.get(session, 0) == 0 for session in sessions),
        requests=sum(requests.get(session, 0) for session in sessions),
        servers=servers,
        static_tokens=static_tokens(counter, names),
        asked_tokens=asked // BYTES_PER_TOKEN,
        runs=sum(row.get("event") == "run" for row in rows),
        refused=sum(row.get("outcome") == "refused" for row in calls),
        unused_servers=tuple(one.name for one in servers if not one.calls),
    )


def static_tokens(counter: TokenCounter, servers: Sequence[str]) -> int:
    """What the gateway's own tools add to each request, as they are sent."""
    tools = [
        {
            "name": f"{OWN_PREFIX}{tool['name']}",
            "description": tool.get("description", ""),
            "input_schema": tool.get("inputSchema", {}),
        }
        for tool in static_tools(has_skills=False)
    ]
    text = json.dumps(tools, ensure_ascii=False, separators=(",", ":"))
    return counter.count(text) + counter.count(instructions(servers))


def _server(
    name: str,
    sessions: set[str],
    calls: Sequence[Mapping[str, object]],
    requests: Mapping[str, int],
    catalogue: Catalogue | None,
    answer_tokens: int,
    counter: TokenCounter,
) -> ServerStats:
    sent = sum(requests.get(session, 0) for session in sessions)
    weight = weight_of(catalogue, counter) if catalogue else None
    used = {str(row.get("tool")) for row in calls}
    return ServerStats(
        name=name,
        sessions=len(sessions),
        requests=sent,
        calls=len(calls),
        weight=weight,
        schema_tokens=weight.schema_tokens * sent if weight else None,
        name_tokens=weight.name_tokens * sent + _loaded(catalogue, calls, counter)
        if weight and catalogue
        else None,
        raw_tokens=sum(map(_result_tokens, calls)),
        answer_tokens=answer_tokens,
        unused_tools=tuple(
            tool.name for tool in (catalogue.tools if catalogue else ()) if tool.name not in used
        ),
    )


def _loaded(
    catalogue: Catalogue, calls: Sequence[Mapping[str, object]], counter: TokenCounter
) -> int:
    """The definitions that a client that defers would have loaded, each once a session."""
    loaded = Counter(tool for tool, _ in {(row.get("tool"), row.get("session")) for row in calls})
    return sum(
        counter.count(json.dumps(definition_of(tool), separators=(",", ":"))) * loaded[tool.name]
        for tool in catalogue.tools
        if loaded[tool.name]
    )


def _shares(
    rows: Sequence[Mapping[str, object]], calls: Sequence[Mapping[str, object]]
) -> dict[str, int]:
    """What went to the agent of each server's results: direct ones as they are, of runs by share.

    A run may mix what several servers gave; its answer is shared out by how much each gave in all.
    """
    direct: Counter[str] = Counter()
    for row in rows:
        if row.get("event") == "answer":
            direct[str(row.get("server"))] += _number(row, "answer_tokens")
    given: Counter[str] = Counter()
    for row in calls:
        if row.get("via") == "code":
            given[str(row["server"])] += _result_tokens(row)
    told = sum(_number(row, "answer_tokens") for row in rows if row.get("event") == "run")
    total = sum(given.values())
    shares = {name: told * count // total for name, count in given.items()} if total else {}
    if shares and sum(shares.values()) < told:  # what rounding left goes to the largest
        shares[max(given, key=lambda name: given[name])] += told - sum(shares.values())
    return {name: direct[name] + shares.get(name, 0) for name in {*direct, *shares}}


def _dropped(rows: Sequence[Mapping[str, object]]) -> Counter[str]:
    """By server, how many of its notifications were dropped."""
    found: Counter[str] = Counter()
    for row in rows:
        if row.get("event") == "flood":
            found[str(row.get("server"))] += _number(row, "dropped")
    return found


def _stood_in(rows: Iterable[Mapping[str, object]]) -> dict[str, set[str]]:
    """The sessions in which each server stood behind the gateway.

    One without a name (an older client tells none) counts as a session of its own.
    """
    found: dict[str, set[str]] = {}
    for number, row in enumerate(rows):
        told = row.get("session")
        session = told if isinstance(told, str) else ""
        for name in _servers_of(row):
            found.setdefault(str(name), set()).add(session or f"?{number}")
        if session and row.get("event") == "call" and "server" in row:
            found.setdefault(str(row["server"]), set()).add(session)
    return found


def _servers_of(row: Mapping[str, object]) -> Iterable[object]:
    servers = row.get("servers") if row.get("event") == "start" else None
    return servers if isinstance(servers, dict) else ()


def _result_tokens(row: Mapping[str, object]) -> int:
    counted = row.get("result_tokens")
    if isinstance(counted, int) and not isinstance(counted, bool):
        return max(0, counted)
    return _number(row, "result_bytes") // BYTES_PER_TOKEN


def _number(row: Mapping[str, object], key: str) -> int:
    found = row.get(key)
    return max(0, found) if isinstance(found, int) and not isinstance(found, bool) else 0


def _requests_by_session(ledger: Ledger) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in ledger.usage(UsageQuery(by_session=True)):
        found[row.session or ""] += row.requests
    return dict(found)


def audit_rows(folder: str) -> Iterator[dict[str, object]]:
    """The rows of the audit that can be read, the oldest first."""
    for path in audit_files(folder):
        try:
            data = read_regular(path, MOST_BYTES) or b""
        except OSError:
            continue
        for line in data.splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                yield row
