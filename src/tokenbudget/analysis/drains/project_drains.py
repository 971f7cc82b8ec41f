"""Drains that stand in a project's files and settings: every request carries them.

What they are is found by the resources that could take them out (`app.compacting`); here a
proposal becomes an amount per week.

The rule of their price: the first request of each session writes the tokens into the cache, at the
price of a five-minute write (the lowest there is), and each further request of the project's main
threads reads them from it. What is not known to be sent has no price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.findings import Price

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.actions import Proposal

MCP_SERVER = Drain(
    id="mcp-server",
    title="MCP servers that nobody calls",
    rule=(
        "A server whose tools stood in the window of at least 5 sessions of the period and"
        " were called in none of them. With fewer sessions it is shown with low confidence, or,"
        " where the project's files are not there to be looked at, not at all."
    ),
    alternative="the same sessions without the server's names, instructions and schemas",
    tip=(
        "Add a server to the projects that need it (.mcp.json there), not to your user settings:"
        " what every project has, every request carries."
    ),
    fix="switch the MCP server {subject} off where it is not needed",
    detect=None,
)
SKILL = Drain(
    id="skill",
    title="Skills and agents that are never used",
    rule=(
        "A skill, command or agent definition that is older than 14 days, has a line in every"
        " request, and was not used in the sessions of the period (at least 5 of them). Where"
        " the project's files are not there to be looked at: the whole listing, if none of it was"
        " used."
    ),
    alternative="the same sessions without its line in the listing",
    tip=(
        "Keep skills where they are used: in the project's .claude/skills, with a description of"
        " one sentence."
    ),
    fix="take {subject} out of the listing in this project; it can still be typed",
    detect=None,
)
MEMORY_FILE = Drain(
    id="memory-file",
    title="Memory files that are too long",
    rule="A memory file (CLAUDE.md and what it imports) of more than 5,000 tokens.",
    alternative="its long sections in files that are read when they are needed",
    tip=(
        "A memory file is paid for in every request: keep rules that always hold, and name the"
        " file where the rest stands."
    ),
    fix="move the long sections of {subject} into files that it names",
    detect=None,
)
DUPLICATE_INSTRUCTION = Drain(
    id="duplicate-instruction",
    title="Instructions that are sent twice",
    rule=(
        "A memory file, or a block of at least 40 tokens in one, that says word for word what"
        " another loaded one says."
    ),
    alternative="the same instruction, sent once",
    tip="Import a shared file with @path instead of copying it.",
    fix="remove the second copy from {subject}",
    detect=None,
)
PROJECT_DRAINS = (MCP_SERVER, SKILL, MEMORY_FILE, DUPLICATE_INSTRUCTION)


class Pace(NamedTuple):
    """How a project is used, and what its model's cache costs."""

    requests_per_week: float
    sessions_per_week: float
    sessions: int
    days: int
    read_usd: Decimal | None
    """Per million tokens; None: not known."""
    write_usd: Decimal | None


def drain_of_proposal(one: Proposal) -> str:
    """The id of the drain that a proposal is the fix of; '' where it is none of these."""
    if one.resource == "mcp-servers":
        return MCP_SERVER.id
    if one.resource in ("skills", "agents"):
        return SKILL.id
    if one.resource == "memory-files":
        is_long = one.id.startswith("memory-files/long/")
        return MEMORY_FILE.id if is_long else DUPLICATE_INSTRUCTION.id
    return ""


def weekly_price(one: Proposal, pace: Pace) -> Price | None:
    """What it comes to in a week, by the rule above; None where its weight is not known."""
    tokens = one.freed.tokens
    if tokens is None:
        return None
    error = one.freed.error_tokens
    return Price(
        round(tokens * pace.requests_per_week),
        round(error * pace.requests_per_week),
        _usd(tokens, pace),
        _usd(error, pace),
    )


def _usd(tokens: int, pace: Pace) -> Decimal | None:
    if pace.read_usd is None or pace.write_usd is None:
        return None
    further = max(0.0, pace.requests_per_week - pace.sessions_per_week)
    per_token = (
        Decimal(str(further)) * pace.read_usd
        + Decimal(str(pace.sessions_per_week)) * pace.write_usd
    )
    return tokens * per_token / 1_000_000
