"""What transcripts themselves say was offered in every session and never used.

For projects whose files are not looked at: sessions of another machine, a folder that is gone, a
connector that no file names. The price is that of `project_drains`: written into the cache once in
each thread, at the price of a five-minute write, and read from it by all further requests; what a
lost cache wrote again is charged by the drains of the cache. So findings can be added up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal

from tokenbudget.analysis.drains.project_drains import MCP_SERVER, SKILL
from tokenbudget.analysis.drains.ranking import ENOUGH_SESSIONS
from tokenbudget.analysis.study import PICO_USD, Sighting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from tokenbudget.analysis.drains.ranking import Days
    from tokenbudget.analysis.study import FileStudy, Spend, ThreadStudy

    CachePrices = Callable[[str, int], tuple[Decimal, Decimal] | None]
    """Of a model on a day: reading and writing (five minutes), in USD per million tokens."""

ALL_SKILLS = "every skill"
SKILL_TOOL = "Skill"
WEIGHT_ERROR = 0.15
"""Of the tokens: a listing is counted, and not measured by itself."""
PIECE_ERROR_TOKENS = 20
"""Of each piece, whatever its length: the calibration of a model adds a constant to every piece,
and that is not known to so few tokens; one name came to 25, 42 and 59 under three models."""
PICO_PER_MICRO = PICO_USD // 1_000_000

_Key = tuple[str, str, str]
"""(project, drain, subject)."""


def offered_in(
    files: Sequence[FileStudy], days: Days, prices: CachePrices, looked: Collection[str] = ()
) -> list[FileStudy]:
    """The studies with nothing in sight but what five sessions were offered in vain.

    A server that no project called, of those that were offered it, is one matter of all of them:
    the project of these studies is then ''.

    Args:
        files: All that are meant; what was called in any of them was called.
        days: The period: what was used on one of its days was used.
        prices: Of the cache.
        looked: Projects whose own files tell it better.
    """
    offers = [
        (file, thread, _offered_by(file.project, thread, days))
        for file in files
        if file.project not in looked
        for thread in file.threads
    ]
    scopes = _scopes((key for _, _, them in offers for key in them), _used(files, days))
    sessions: defaultdict[_Key, set[str]] = defaultdict(set)
    for file, _, them in offers:
        for key in them:
            if key in scopes:
                sessions[scopes[key]].add(file.session)
    found = []
    for file, thread, them in offers:
        seen: defaultdict[str, list[Sighting]] = defaultdict(list)
        for key, spends in them.items():
            if key in scopes and len(sessions[scopes[key]]) >= ENOUGH_SESSIONS:
                seen[scopes[key][0]].append(_sighting(key, thread, spends, prices))
        for project, sightings in seen.items():
            alone = thread._replace(sightings=tuple(sightings))
            found.append(file._replace(project=project, threads=(alone,)))
    return found


def _scopes(offered: Iterable[_Key], used: set[_Key]) -> dict[_Key, _Key]:
    """Of what was never used, whose matter it is: of its project, or of all ('')."""
    unused = [key for key in dict.fromkeys(offered) if key not in used]
    somewhere = {key[1:] for key in used}
    projects: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for key in unused:
        projects[key[1:]] += 1
    scopes = {}
    for key in unused:
        is_of_all = key[1] == MCP_SERVER.id and projects[key[1:]] > 1 and key[1:] not in somewhere
        scopes[key] = ("", *key[1:]) if is_of_all else key
    return scopes


def _offered_by(project: str, thread: ThreadStudy, days: Days) -> dict[_Key, list[Spend]]:
    found: defaultdict[_Key, list[Spend]] = defaultdict(list)
    for spend in thread.spends:
        if spend.component == "mcp_tools" and spend.target and days.has(spend.day):
            found[project, MCP_SERVER.id, as_in_tools(spend.target)].append(spend)
        elif spend.kind == "skill_listing" and days.has(spend.day):
            found[project, SKILL.id, ALL_SKILLS].append(spend)
    return found


def _used(files: Iterable[FileStudy], days: Days) -> set[_Key]:
    """What was called or loaded at least once."""
    found: set[_Key] = set()
    for file in files:
        for thread in file.threads:
            for tool in thread.tools:
                if tool.server and days.has(tool.day):
                    found.add((file.project, MCP_SERVER.id, as_in_tools(tool.server)))
                elif tool.name == SKILL_TOOL and days.has(tool.day):
                    found.add((file.project, SKILL.id, ALL_SKILLS))
            if any(one.kind == "skill_body" and days.has(one.day) for one in thread.spends):
                found.add((file.project, SKILL.id, ALL_SKILLS))
    return found


def as_in_tools(server: str) -> str:
    """A server's name as its tools have it: `claude.ai Linear` is `claude_ai_Linear` there."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", server)


def _sighting(
    key: _Key, thread: ThreadStudy, spends: Sequence[Spend], prices: CachePrices
) -> Sighting:
    added = sum(one.added_tokens for one in spends)
    sent = sum(sum(one[8:12]) for one in spends)
    pieces = sum(one.pieces for one in spends)
    doubt = max(WEIGHT_ERROR, min(1.0, PIECE_ERROR_TOKENS * pieces / max(1, added)))
    cost = round(sum(_pico(one, prices) for one in spends))
    return Sighting(
        drain=key[1],
        subject=key[2],
        day=min(one.day for one in spends),
        at_ms=thread.first_ms,
        line=0,
        times=1,
        window_tokens=added,
        sent_tokens=sent,
        error_tokens=round(sent * doubt),
        cost_pico_usd=cost,
        error_pico_usd=round(cost * doubt),
        detail=f"{added:,} tokens of names and descriptions, sent {sent:,} tokens in all",
    )


def _pico(spend: Spend, prices: CachePrices) -> Decimal:
    known = prices(spend.model, spend.day)
    if known is None:
        return Decimal(0)
    read, write = known
    sent = sum(spend[8:12])
    written = min(spend.added_tokens, sent)
    return ((sent - written) * read + written * write) * PICO_PER_MICRO
