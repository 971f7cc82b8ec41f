"""What `tokens compact` proposes, did and measured, as text."""

from __future__ import annotations

from tokenbudget.analysis.compact_plan import DISK_ONLY, total, totals_by_effect
from tokenbudget.budget import health
from tokenbudget.model.figures import bar, counted, cut, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.compact_items import kind_lines, kinds_of
from tokenbudget.reports.compact_words import (
    TITLES,
    WHEN,
    proof_words,
    size_words,
    week_words,
    weight_words,
)
from tokenbudget.reports.window import WIDTH, headed, heading, note_lines, percent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.compact_plan import (
        CompactPlan,
        KindWeight,
        PastAction,
        Receipt,
        Talk,
    )
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.figures import Style

BAR_CELLS, FEWEST_CELLS = 24, 8
_LABEL = 23
"""Columns before an amount of the totals."""
NOTHING = "Nothing to do: no backup, duplicate or unused part was found in {}."


def plan_lines(plan: CompactPlan, style: Style, zone: Zone, *, is_whole: bool = False) -> list[str]:
    """Where the window stands, what could be done, and what it comes to.

    What is proposed of many things in the same words is folded, unless `is_whole`.
    """
    if not plan.proposals:
        lines = [NOTHING.format(one_line(plan.project))]
        return [*lines, *_talk_lines(plan, style, zone), *_past_lines(plan.past)]
    width = min(style.width, WIDTH)
    lines = [
        style.bold(headed("Compact", _heading(plan), width)),
        style.faint("━" * width),
        *_window_lines(plan, width),
        *_talk_lines(plan, style, zone),
    ]
    for kind in kinds_of(plan.proposals):
        lines += ["", *kind_lines(plan, kind, width, style, is_whole=is_whole)]
    lines += ["", *_total_lines(plan, width, style)]
    lines += _past_lines(plan.past)
    for note in plan.notes:
        lines += wrapped(f"! {one_line(note)}", width, "  ")
    return [line.rstrip() for line in lines]


def _heading(plan: CompactPlan) -> str:
    if plan.facts is None or plan.window is None:
        return one_line(plan.project)
    return heading(plan.facts, plan.window)


def _window_lines(plan: CompactPlan, width: int) -> list[str]:
    window = plan.window
    if window is None:
        return ["Window    no session was begun here yet"]
    used, size = window.total_tokens, window.size.tokens
    if used is None or not size:
        return ["Window    ? unknown until the next request"]
    level = f"   {health.EMOJI[plan.level]} {plan.level}" if plan.level else ""
    text = f"Window    {used:,} of {size:,} tokens ({percent(used, size)})"
    cells = min(BAR_CELLS, width - text_width(text + level) - 2)  # the level is never cut for it
    drawn = f"  {bar(used / size, cells)}" if cells >= FEWEST_CELLS else ""
    lines = [cut(f"{text}{drawn}{level}", width, keeps_start=True)]
    return lines + note_lines(window, width)


def _talk_lines(plan: CompactPlan, style: Style, zone: Zone) -> list[str]:
    talk = plan.talk
    if talk is None:
        return []
    width = min(style.width, WIDTH)
    lines = ["", "For the running conversation, type this in the agent:"]
    lines += [f"  {style.bold(one_line(talk.command))}"]  # whole: it is there to be copied
    words = f"It frees {weight_words(talk.freed)} of this window, once. {_cache(talk, zone)}"
    return lines + [f"  {line}" for line in wrapped(words, width - 2)]


def _cache(talk: Talk, zone: Zone) -> str:
    cache = talk.cache
    if cache.is_warm is None:
        return "Whether the cache is warm is not known."
    if not cache.is_warm:
        return "The cache is cold: /compact, as any next request, pays once for the whole window."
    until = ""
    if cache.cold_at_ms is not None:
        until = f" until {zone.local(cache.cold_at_ms):%H:%M:%S}"
    return f"The cache is warm{until}: so long, /compact reads the conversation at cache price."


def _total_lines(plan: CompactPlan, width: int, style: Style) -> list[str]:
    meant = plan.meant
    can = sum(1 for one in plan.proposals if one.steps)
    lines = [f"Chosen: {len(meant)} of {can}, which free"]
    by_effect = totals_by_effect(meant)
    sent = 0
    for effect, words in WHEN.items():
        sums = by_effect.get(effect)
        if sums is None or effect == DISK_ONLY:
            continue
        sent += sums.weight.tokens or 0
        unknown = f", and {sums.unknown} of unknown weight" if sums.unknown else ""
        lines.append(f"  {words:<21}{weight_words(sums.weight)}{unknown}")
    whole = total(meant)
    if len([effect for effect in by_effect if effect != DISK_ONLY]) > 1:
        lines.append(f"  {'all in a new session':<21}{weight_words(whole.weight)}")
    if sent and plan.weekly_requests is not None:
        pace = f"{plan.weekly_requests:,.0f} requests a week here"
        price = f", at {one_line(plan.model)}'s price for cache reads" if plan.read_usd else ""
        week = wrapped(f"{week_words(plan, sent)}: {pace}{price}", max(20, width - _LABEL))
        lines += [f"  {'every week' if n == 0 else '':<21}{line}" for n, line in enumerate(week)]
    lines.append(f"  {'disk':<21}{size_words(whole.freed_bytes)}")
    first, *rest = [cut(line, width, keeps_start=True) for line in lines]
    return [style.bold(first), *rest, *_key_lines(plan, width)]


def _key_lines(plan: CompactPlan, width: int) -> list[str]:
    """How to choose otherwise, and what the marks mean."""
    said = []
    others = [one for one in plan.proposals if one.steps and one.id not in plan.chosen]
    if others:
        said.append(f"[ ] is not chosen: --include {one_line(others[0].id)} takes it in")
    if plan.meant:
        said.append(f"--exclude {one_line(plan.meant[0].id)} leaves one out")
    if any(not one.steps for one in plan.proposals):
        said.append("> is for you to do")
    return wrapped("; ".join(said), width) if said else []


def _past_lines(past: PastAction | None) -> list[str]:
    if past is None:
        return []
    if past.proof is None:
        return [
            f"Action {past.id} is not measured yet: no session of a model that was used before has"
            " begun since."
        ]
    return [f"Action {past.id}, {proof_words(past.proof)}"]


def measure_lines(past: PastAction | None) -> list[str]:
    """What `--measure` prints."""
    return _past_lines(past) or ["tokens compact has not changed anything here yet."]


# ── what was done ────────────────────────────────────────────────────────────────────────────────


def receipt_lines(receipt: Receipt, style: Style) -> list[str]:
    """What was done, what stands there now, what is wrong, and how to take it back."""
    width = min(style.width, WIDTH)
    steps = receipt.action.steps
    done = sum(one.outcome.state == "done" for one in steps)
    same = sum(one.outcome.state == "unchanged" for one in steps)
    tail = f", {same:,} stood so already" if same else ""
    lines = [f"Done: {done:,} of {counted(len(steps), 'step')}{tail}."]
    for kind in sorted(set(receipt.before) | set(receipt.after)):
        lines += _change_line(kind, receipt.before.get(kind), receipt.after.get(kind))
    before, after = receipt.sent_tokens
    lines.append(
        f"  {'together':<27}~{before:,} → ~{after:,} tokens in every request, weighed anew"
    )
    for fault in receipt.faults:
        lines += wrapped(f"! {one_line(fault)}", width, "  ")
    if not receipt.faults:
        lines.append("Checked: every file is as it should be, and the settings can be read.")
    if done:
        lines.append(f"Take it back: tokens undo {receipt.action.id}")
        lines.append("Not measured yet: start a session, then tokens compact --measure")
    first, *rest = [cut(line, width, keeps_start=True) for line in lines]
    return [style.bold(first), *rest]


def _change_line(kind: str, before: KindWeight | None, after: KindWeight | None) -> list[str]:
    was, now = before or after, after
    if was is None or before == after:
        return []
    items = now.items if now else 0
    sent = f"~{was.tokens:,} → ~{now.tokens if now else 0:,} tokens, " if was.tokens else ""
    size = f"{size_words(was.size_bytes)} → {size_words(now.size_bytes if now else 0)}"
    title = TITLES.get(kind, one_line(kind))
    return [f"  {title:<27}{sent}{was.items:,} → {items:,} found, {size}"]
