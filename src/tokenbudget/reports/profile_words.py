"""What the profile's text, tree and page share: shares, amounts, headings."""

from __future__ import annotations

from tokenbudget.model.figures import counted, dollars, short_count
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Profile

KIND_TITLES = {
    "component": "Components",
    "tool": "Tools",
    "file": "Files",
    "directory": "Folders",
    "command": "Commands",
    "mcp_server": "MCP servers",
    "mcp_tool": "MCP tools",
    "skill": "Skills",
    "subagent": "Subagents",
    "memory_file": "Memory files",
    "prompt": "Prompts",
}
MINUS = "\N{MINUS SIGN}"


def share(amount: Amount, whole: Amount) -> float:
    """Of the money; of the tokens, where nothing has a price."""
    if whole.cost_pico_usd:
        return amount.cost_pico_usd / whole.cost_pico_usd
    return amount.total_tokens / whole.total_tokens if whole.total_tokens else 0.0


def percent(part: float) -> str:
    """A share without digits; what is not nothing is not 0 %."""
    return "<1%" if 0 < part < 0.005 else f"{part:.0%}"


def signed(change: float | None) -> str:
    """A change as a share with its sign; '' for none."""
    if change is None:
        return ""
    if abs(change) < 0.005:
        return "0%"
    return f"{'+' if change > 0 else MINUS}{abs(change):.0%}"


def money(amount: Amount) -> str:
    """What it cost as far as that is known: whole, in part (`$1.20?`), not at all (`?`)."""
    if not amount.unpriced_tokens:
        return dollars(amount.cost_usd)
    return f"{dollars(amount.cost_usd)}?" if amount.cost_pico_usd else "?"


def tokens(amount: Amount) -> str:
    """Everything that was sent and received, in three digits."""
    return short_count(amount.total_tokens)


def missing_notes(profile: Profile) -> list[str]:
    """What makes figures too small, a sentence each."""
    notes = list(profile.notes)
    if profile.totals.unpriced_tokens:
        count = short_count(profile.totals.unpriced_tokens)
        priced = f"{count} tokens have no price and are not in the cost; see docs/prices.md."
        notes.insert(0, priced)
    return notes


def per_call(total_ms: int, calls: int) -> str:
    """The mean time of a call; '' where none was timed."""
    if not calls:
        return ""
    seconds = total_ms / calls / 1000
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def rate(count: int, calls: int) -> str:
    """A share of calls; '' for none."""
    return percent(count / calls) if count and calls else ""


def period_words(profile: Profile, zone: Zone) -> str:
    """The period as whole local days, or of what."""
    since, until = profile.since_ms, profile.until_ms
    if since is None and until is None:
        return _session_words(profile) if profile.session else "all time"
    first = "the beginning" if since is None else zone.local(since).strftime("%Y-%m-%d")
    last = "today" if until is None else zone.local(until - 1).strftime("%Y-%m-%d")
    return f"{first} to {last}"


def _session_words(profile: Profile) -> str:
    titles = [row.title for row in profile.sessions if row.session == profile.session]
    return one_line(f"{profile.session[:8]} {(titles or [''])[0]}").strip()


def state_words(profile: Profile, zone: Zone) -> str:
    """How much it is about."""
    return " · ".join(
        (
            money(profile.totals),
            f"{short_count(profile.totals.total_tokens)} tokens",
            counted(profile.requests, "request"),
            *([] if profile.session else [counted(len(profile.sessions), "session")]),
            period_words(profile, zone),
        )
    )
