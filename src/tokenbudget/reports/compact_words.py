"""The words for amounts, times and money that every report of a cleanup uses."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.analysis.compact_plan import DISK_ONLY
from tokenbudget.model.figures import counted, dollars, short_count
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.compact_plan import CompactPlan
    from tokenbudget.analysis.first_requests import Proof
    from tokenbudget.model.actions import Effect, Proposal, Weight

TITLES = {
    "mcp-servers": "MCP servers",
    "memory-files": "Memory files",
    "skills": "Skills",
    "agents": "Agents",
    "ignore-rules": "Ignore rules",
    "scratch": "Backups and scratch files",
    "sessions": "Old sessions",
}
WHEN: dict[Effect, str] = {
    "now": "at the next request",
    "next compaction": "after /compact",
    "next start": "in a new session",
    DISK_ONLY: "disk only",
}
_UNITS = ("B", "KB", "MB", "GB", "TB")


def freed_words(one: Proposal) -> str:
    """What a proposal frees, when, and of what."""
    size = f", {size_words(one.freed_bytes)}" if one.freed_bytes else ""
    if one.effect == DISK_ONLY:
        return f"never sent: disk only{size}"
    return f"{weight_words(one.freed)} {WHEN[one.effect]}{size}"


def weight_words(weight: Weight) -> str:
    """An amount with its doubt."""
    if weight.tokens is None:
        return "an unknown number of tokens"
    if weight.basis == "exact" and not weight.error_tokens:
        return f"{weight.tokens:,} tokens"
    return f"~{weight.tokens:,} ± {weight.error_tokens:,} tokens"


def weekly_words(plan: CompactPlan, one: Proposal) -> str:
    """What a proposal frees in a week; '' where nobody knows, or it is nothing."""
    return week_words(plan, one.freed.tokens) if one.freed.tokens else ""


def week_words(plan: CompactPlan, tokens: int) -> str:
    """What so many tokens in every request come to in a week; '' where nobody knows."""
    if plan.weekly_requests is None:
        return ""
    usd = weekly_usd(plan, tokens)
    money = f" ({dollars(usd)})" if usd is not None else ""
    return f"{short_count(round(tokens * plan.weekly_requests))} tokens a week{money}"


def weekly_usd(plan: CompactPlan, tokens: int) -> Decimal | None:
    """What these tokens cost in every request of a week, read from the cache; None is not known."""
    if plan.weekly_requests is None or plan.read_usd is None:
        return None
    return round(tokens * plan.weekly_requests) * plan.read_usd / 1_000_000


def size_words(size_bytes: int) -> str:
    """A size in the unit that fits it."""
    amount = float(size_bytes)
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError  # the last unit takes everything


def proof_words(proof: Proof) -> str:
    """Measured beside predicted, in one sentence."""
    said = f"measured: {proof.before_tokens:,} → {proof.after_tokens:,} tokens at the first request"
    predicted = ""
    if proof.predicted_tokens is not None:
        predicted = f" (freed {proof.freed_tokens:,}, predicted ~{proof.predicted_tokens:,})"
    few = f"{counted(proof.before_sessions, 'session')} before"
    spread = (
        f", which differ by {proof.before_spread_tokens:,}" if proof.before_sessions > 1 else ""
    )
    return f"{said}{predicted}, {one_line(proof.model)}, beside {few}{spread}."
