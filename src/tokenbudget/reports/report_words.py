"""What a report says in words and single figures, the same in all four formats."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.drains.ranking import total_of
from tokenbudget.analysis.periods import Zone
from tokenbudget.model.figures import counted, dollars, short_count
from tokenbudget.reports.optimize_words import token_words, usd_words
from tokenbudget.reports.profile_words import money
from tokenbudget.reports.table import Marked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.efficiency import Part
    from tokenbudget.analysis.findings import Finding, Price
    from tokenbudget.analysis.report_data import ReportData

MINUS = "\N{MINUS SIGN}"
SHORT_ID = 8
LONGEST_PSEUDONYM = 18
PICO_PER_USD = 10**12
OUT_OF_PROPORTION = 9.5
"""From here on a change is told as a factor."""
NO_WORDS = "\N{EN DASH}"
"""Stands where there is nothing to tell."""

SECTIONS = (
    ("timeline", "Timeline", "Timeline"),
    ("where", "Where it went", "Where it went"),
    ("drains", "What to change", "What to change"),
    ("costs", "What it cost", "Cost"),
    ("efficiency", "Efficiency", "Efficiency"),
    ("patterns", "Usage patterns", "Patterns"),
    ("sessions", "Sessions", "Sessions"),
    ("alerts", "Alerts", "Alerts"),
    ("actions", "Changes and what they saved", "Changes"),
    ("method", "How these figures are known", "Method"),
)
"""Ids, headings, and what a list of them says, in the order in which a report tells them."""

KINDS = ("Input", "Cache write", "Cache read", "Output")
"""Of tokens, as charts tell them apart; both lives of a cache write are one."""

NOTHING_USED = "Nothing was used."
ICICLE_WORDS = (
    "Each box is as wide as its share of the bill: parts of the window on top, below them the"
    " tools and kinds of text in them, then files and commands."
)
CONSUMER_WORDS = (
    "Added: tokens that it brought into windows. Sent: how often each of them was sent, with every"
    " request until it left. Billed: what all of that came to. A file is read by a tool, so that"
    " these tables overlap."
)

CONFIDENCE_WORDS = {
    "high": "high confidence",
    "medium": "medium confidence",
    "low": "low confidence",
}


class Figure(NamedTuple):
    """One of the four figures at the top."""

    label: str
    value: str
    note: str


def zone_of(data: ReportData) -> Zone:
    """The zone of its times."""
    return Zone(data.zone_name, data.made_at_ms)


def figures(data: ReportData) -> tuple[Figure, ...]:
    """Cost, tokens, efficiency, and what could be saved."""
    return (_cost(data), _tokens(data), _efficiency(data), _savings(data))


def _cost(data: ReportData) -> Figure:
    totals = data.profile.totals
    note = change_words(data)
    if totals.unpriced_tokens:
        note = f"{short_count(totals.unpriced_tokens)} tokens have no price; {note}"
    return Figure("Cost", money(totals), note)


def change_words(data: ReportData) -> str:
    """How the money (without any, the tokens) moved against the period before."""
    change = change_of(data)
    days = len(data.days)
    before = f"the {days} days before" if days > 1 else "the period before"
    if change is None:
        return "nothing before it to compare with"
    if change >= OUT_OF_PROPORTION:
        return f"{change + 1:,.0f} times {before}"
    return f"{signed_percent(change)} on {before}"


def change_of(data: ReportData) -> float | None:
    """Against the period before, as a share; None: there is none."""
    now, before = data.profile.totals, data.previous
    if before is None:
        return None
    if before.cost_pico_usd:
        return now.cost_pico_usd / before.cost_pico_usd - 1
    return now.total_tokens / before.total_tokens - 1 if before.total_tokens else None


def _tokens(data: ReportData) -> Figure:
    totals = data.profile.totals
    prompt = totals.prompt_tokens
    note = f"in {counted(data.profile.requests, 'request')}"
    if prompt:
        note += f"; {percent(totals.cache_read_tokens / prompt)} of what was sent came from cache"
    return Figure("Tokens", short_count(totals.total_tokens), note)


def _efficiency(data: ReportData) -> Figure:
    score = data.efficiency
    if score.score is None:
        return Figure("Efficiency", NO_WORDS, "too little was used to tell")
    parts = [f"of 100, \N{PLUS-MINUS SIGN}{score.error}"]
    if score.change is not None:
        parts.append(f"{signed(score.change)} on your own past weeks")
    return Figure("Efficiency", f"{score.score} {score.grade}", "; ".join(parts))


def _savings(data: ReportData) -> Figure:
    open_ones = open_findings(data)
    if not open_ones:
        return Figure("Could be saved", "$0.00", "no drain worth a change was found")
    total = total_of(open_ones)
    value = f"~{short_count(total.tokens)}" if total.usd is None else f"~{dollars(total.usd)}"
    note = f"a week, {counted(len(open_ones), 'finding')}, ~{short_count(total.tokens)} tokens"
    return Figure("Could be saved", value, note)


def open_findings(data: ReportData) -> tuple[Finding, ...]:
    """Those whose fix is not in effect."""
    return tuple(
        one for one in data.findings if one.applied is None or one.applied.is_undone
    )  # fmt: skip


def price_words(price: Price) -> str:
    """~$2.57 ± 0.20 a week, as `tokens optimize` tells it; without a price the tokens."""
    words = tokens_words(price) if price.usd is None else f"~{usd_words(price)}"
    return f"{words} a week"


def tokens_words(price: Price) -> str:
    """~1.2M ± 90K tokens."""
    return f"~{token_words(price)}"


def finding_words(one: Finding) -> str:
    """How often, where, how much, and how sure."""
    times = f"{one.times:,} times" if one.times != 1 else "once"
    where = f" in {counted(one.sessions, 'session')}" if one.sessions else ""
    project = f", {last_part(one.project)}" if one.project else ""
    tokens = f"; {tokens_words(one.weekly)} a week" if one.weekly.tokens else ""
    return f"{times}{where}{project}{tokens}; {CONFIDENCE_WORDS[one.confidence]}"


def applied_words(one: Finding) -> str:
    """What came of its fix; '' where it was not applied."""
    done = one.applied
    if done is None:
        return ""
    if done.is_undone:
        return f"applied as action {done.action} and taken back"
    if done.saved is None:
        return f"applied as action {done.action}; a week of use will tell what it saves"
    return f"applied as action {done.action}; saves {price_words(done.saved)}, measured"


def capital(text: str) -> str:
    """A sentence's first word with its capital; what is no plain word stays as it is."""
    first = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def points_words(part: Part) -> str:
    """21.3 of 30."""
    return f"{part.points:.1f} of {part.most_points:g}"


def told_parts(data: ReportData) -> tuple[Part, ...]:
    """What the score is made of; nothing where there is none of it to tell."""
    parts = data.efficiency.parts
    return parts if any(part.most_points for part in parts) else ()


def unattributed_words(data: ReportData) -> str:
    """How much of it has no name."""
    profile = data.profile
    share = profile.unattributed.total_tokens / max(1, profile.totals.total_tokens)
    return f"Of all tokens {percent(share)} cannot be put down to anything visible."


def cost_cell(amount: Amount) -> str | Decimal | Marked:
    """Money for a table, as far as it is known."""
    if not amount.unpriced_tokens:
        return amount.cost_usd
    return Marked(amount.cost_usd) if amount.cost_pico_usd else "?"


def by_kind(values: tuple[int, ...]) -> tuple[int, ...]:
    """Five kinds of tokens as the four of `KINDS`."""
    plain, short, long, read, written = values[:5]
    return (plain, short + long, read, written)


def stamp(at_ms: int, zone: Zone) -> str:
    """2026-11-20 18:05; a dash for what has no time."""
    return zone.local(at_ms).strftime("%Y-%m-%d %H:%M") if at_ms else NO_WORDS


def made_words(data: ReportData) -> str:
    """When and by what it was made."""
    zone = "" if data.zone_name == "local" else f" {data.zone_name}"
    return f"Made {stamp(data.made_at_ms, zone_of(data))}{zone} by tokenbudget {data.version}"


def percent(share: float) -> str:
    """Of something that the words around it name; under one percent with a digit more."""
    if 0 < abs(share) < 0.0005:
        return "<0.1%"
    return f"{share:.1%}" if abs(share) < 0.01 and share else f"{share:.0%}"


def signed_percent(change: float) -> str:
    """+12%, or with a true minus sign; what is out of proportion is told as a factor."""
    if change >= OUT_OF_PROPORTION:
        return f"\N{MULTIPLICATION SIGN}{change + 1:,.0f}"
    return f"{MINUS if change < 0 else '+'}{abs(change):.0%}"


def signed(number: int) -> str:
    """+4, or with a true minus sign."""
    return f"{MINUS if number < 0 else '+'}{abs(number)}"


def short_id(session: str) -> str:
    """As much of a session's id as tells it apart and can be typed; a pseudonym stays whole."""
    return session[:SHORT_ID] if len(session) > LONGEST_PSEUDONYM else session


def last_part(path: str) -> str:
    """What a person calls a project; of a path without a last part, all of it."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    return parts[-1] if parts else path


def duration(milliseconds: int) -> str:
    """8 s, 4 min, 2.1 h."""
    seconds = milliseconds / 1000
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"
