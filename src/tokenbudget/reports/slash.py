"""What a slash command answers: the verbs' results in a few lines, for a window where words cost.

Whatever a verb says is fitted into `MOST_LINES` lines and `MOST_TOKENS` tokens, the answer first;
the last line says what that cost.
"""

from __future__ import annotations

import re

from tokenbudget.analysis.compact_plan import total
from tokenbudget.analysis.profile_tree import spenders_of
from tokenbudget.model.figures import counted, cut
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.archive_words import age, size
from tokenbudget.reports.compact_words import freed_words, size_words, weight_words
from tokenbudget.reports.optimize import price_words, title_words, verdict
from tokenbudget.reports.profile import consumer_name
from tokenbudget.reports.profile_words import percent, share, state_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.compact_plan import CompactPlan
    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Consumer, Profile
    from tokenbudget.model.protocols import TokenCounter
    from tokenbudget.reports.archive import PlanView

MOST_LINES = 12
MOST_TOKENS = 220
"""By a public vocabulary: of 250, so that a model whose own takes an eighth more stays below."""
LINE_WIDTH = 200
NAME_WIDTH = 44
SPENDERS, CONSUMERS, FINDINGS, SESSIONS, PROPOSALS = 6, 3, 5, 4, 5
_KINDS = (("Files", "file"), ("Commands", "command"), ("MCP servers", "mcp_server"))
_GAP = re.compile(r"\s{2,}")
_TAG = re.compile(r"<(?=[/!?A-Za-z])")
"""How a tag begins: clients wrap their own words in such, and a name may mimic them."""
_RULE = re.compile(r"[\s─━═=_-]*")
_NEXT_WIDTH = 90


def fitted(lines: Sequence[str], next_words: str, counter: TokenCounter) -> list[str]:
    """The lines that there is room for, and the closing one with what all of it costs."""
    wanted = [cut(_plain(line), LINE_WIDTH, keeps_start=True) for line in lines]
    wanted = [line for line in wanted if not _RULE.fullmatch(line)]
    next_words = cut(_plain(next_words), _NEXT_WIDTH, keeps_start=True)
    kept = wanted[: MOST_LINES - 1]
    while True:
        left = len(wanted) - len(kept)
        more = f"{counted(left, 'more line')} in a terminal" if left else ""
        closing = " · ".join(part for part in (more, next_words) if part)
        cost = counter.count("\n".join([*kept, f"{closing} · ~100 tokens\n"]))
        if cost <= MOST_TOKENS:
            return [*kept, f"{closing} · ~{cost} tokens".removeprefix(" · ")]
        if len(kept) > 1:
            kept = kept[:-1]
        else:  # one line in a script that takes many tokens for a sign
            kept = [cut(line, len(line) * 2 // 3, keeps_start=True) for line in kept]
            next_words = cut(next_words, len(next_words) * 2 // 3, keeps_start=True)


def _plain(line: str) -> str:
    """One line of words, and no tag in it."""
    return _TAG.sub("< ", _GAP.sub("  ", one_line(line).strip()))


# ── looks ────────────────────────────────────────────────────────────────────────────────────────


def profile_brief(profile: Profile, efficiency: Efficiency, zone: Zone) -> list[str]:
    """Who spends, what it came to, how well, and the largest of three kinds."""
    known = [(name, share(amount, profile.totals)) for name, amount in spenders_of(profile)]
    some = [f"{one_line(name)} {percent(part)}" for name, part in known[:SPENDERS]]
    lines = [f"Who spends: {', '.join(some) or 'nobody yet'}", state_words(profile, zone)]
    lines.append(f"Efficiency {efficiency.sentence}")
    for title, kind in _KINDS:
        rows = profile.consumers.get(kind, ())[:CONSUMERS]
        if rows:
            lines.append(f"{title}: {', '.join(_consumer(kind, row, profile) for row in rows)}")
    return lines


def _consumer(kind: str, row: Consumer, profile: Profile) -> str:
    name = cut(consumer_name(kind, row, profile), NAME_WIDTH)
    return f"{name} {percent(share(row.amount, profile.totals))}"


def findings_brief(found: Findings) -> list[str]:
    """How much goes down the drain, and the dearest findings."""
    lines = [verdict(found)]
    for number, one in enumerate(found.rows[:FINDINGS], 1):
        done = " · applied" if one.applied is not None and not one.applied.is_undone else ""
        apply = " · --apply does it" if one.fix.kind == "apply" and not done else ""
        price, title = price_words(one), title_words(one, 2 * NAME_WIDTH)
        lines.append(f"{number} {title}: {price} · {one_line(one.id)}{apply}{done}")
    if len(found.rows) > FINDINGS:
        lines.append(f"and {counted(len(found.rows) - FINDINGS, 'smaller finding')}")
    return lines


def best_to_apply(found: Findings) -> str:
    """The id of the dearest finding that a fix of ours would mend; '' where there is none."""
    fitting = [one for one in found.rows if one.fix.kind == "apply" and one.applied is None]
    return fitting[0].id if fitting else ""


# ── plans ────────────────────────────────────────────────────────────────────────────────────────


def archive_brief(view: PlanView) -> list[str]:
    """How many sessions would go, what that saves, and the largest of them."""
    raw = sum(row.raw_bytes for row in view.rows)
    expected = sum(row.expected_bytes for row in view.rows)
    lines = [
        f"{counted(len(view.rows), 'session')} older than {counted(view.older_than_days, 'day')}"
        f" would be archived: {size(raw)} become about {size(expected)}. Nothing was changed."
    ]
    for row in sorted(view.rows, key=lambda row: -row.raw_bytes)[:SESSIONS]:
        title = cut(one_line(row.title), NAME_WIDTH)
        quoted = title.replace('"', "'")
        named = f'{one_line(row.session[:8])} "{quoted}"' if title else one_line(row.session[:8])
        lines.append(f"{named}: {size(row.raw_bytes)}, {age(row.last_ms, view.now_ms)}")
    left = len(view.rows) - SESSIONS
    return [*lines, f"and {left:,} more"] if left > 0 else lines


def compact_brief(plan: CompactPlan) -> list[str]:
    """How full the window is, what could be freed of it, and the largest pieces."""
    lines = [f"{_window(plan)}{_freed(plan)}"]
    if plan.talk is not None:
        lines.append(f"For this conversation type: {one_line(plan.talk.command)}")
        lines.append(f"It frees {weight_words(plan.talk.freed)}, once.")
    order = sorted(
        plan.proposals,
        key=lambda one: (one.id not in plan.chosen, -(one.freed.tokens or 0), -one.freed_bytes),
    )
    for one in order[:PROPOSALS]:
        mark = "x" if one.id in plan.chosen else ">" if not one.steps else " "
        title = cut(one_line(one.title), 2 * NAME_WIDTH)
        lines.append(f"[{mark}] {title}: {freed_words(one)}")
    if len(order) > PROPOSALS:
        lines.append(f"and {len(order) - PROPOSALS:,} more")
    return lines


def _window(plan: CompactPlan) -> str:
    window = plan.window
    if window is None or window.total_tokens is None or not window.size.tokens:
        return ""
    part = percent(window.total_tokens / window.size.tokens)
    return f"Window {part} of {window.size.tokens:,}. "


def _freed(plan: CompactPlan) -> str:
    if not plan.proposals:
        return "Nothing to clean up: no backup, duplicate or unused part was found."
    if not plan.meant:
        return "Nothing is chosen of what was found."
    sums = total(plan.meant)
    disk = f" and {size_words(sums.freed_bytes)} of disk" if sums.freed_bytes else ""
    chosen = counted(len(plan.meant), "item")
    if not sums.weight.tokens:
        return f"{chosen} chosen, which free {size_words(sums.freed_bytes)} of disk, no tokens."
    return f"{chosen} chosen, which free {weight_words(sums.weight)} of every request{disk}."
