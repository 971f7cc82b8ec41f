"""What the markers of a shortened text claim, counted again in the original.

One function for each kind of `docs/compression.md`; each answers '' or what is wrong.
"""

from __future__ import annotations

import re

from tokenbudget.analysis.fidelity_atoms import ANSI, bare
from tokenbudget.analysis.fidelity_cells import folded, items, rows
from tokenbudget.analysis.fidelity_similar import differs, like, similar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.analysis.fidelity_marks import Sight

_PASSED = re.compile(
    r"(?i)(?<![a-z])(?:pass(?:ed|es|ing)?|ok)(?![a-z])|[✓✔√✅●]|^\s*\.+\s*(?:\[\s*\d+%\])?$"
    r"|^\S+\.(?:py|js|ts|jsx|tsx|go|rs)\s+\.+\s*(?:\[\s*\d+%\])?$"
)
_NOT_PASSED = re.compile(
    r"(?<![A-Za-z])(?:FAIL(?:ED|URE|S)?|ERROR(?:S|ED)?|XFAIL|panicked)(?![A-Za-z])"
    r"|[✗✘✕❌\N{MULTIPLICATION SIGN}]"
    r"|^\s*not ok\b|\.\.\. (?:FAILED|ERROR|FAIL)\b"
)
_FRAME = re.compile(
    r"^\s*(?:File \"|at\s+\S|\d+:\s+\S|#\d+\s|from \S+:\d+|goroutine |\S+\.go:\d+"
    r"|\S+\(\S*:\d+\)|\S+:\d+:in )"
)
_PADDING = re.compile(r"[\s:\-=─━═—]+")
_CHECKSUM = re.compile(
    r"[0-9a-fA-F]{40}|[A-Za-z0-9+/]{27}|https?://|\bresolved\b|\bresolution\b"
    r"|^\s*\"?(?:wheels|files|hashes)\"?\s*[=:]\s*\[\s*$|^\s*\],?\s*$"
)


def _lines(sight: Sight) -> str:
    return differs(sight, len(sight.hidden()))


def _blank(sight: Sight) -> str:
    written = [line for line in sight.hidden() if bare(line)]
    return f"not blank: {written[0]}" if written else _lines(sight)


def _repeated(sight: Sight) -> str:
    """The block before stands there so many more times, whole, and nothing else does."""
    hidden, times = [bare(line) for line in sight.hidden()], sight.claimed.count
    if not times or not hidden or len(hidden) % times:
        return f"{times} times do not divide {len(hidden)} lines"
    size = len(hidden) // times
    block = hidden[:size]
    if any(hidden[i : i + size] != block for i in range(0, len(hidden), size)):
        return "the lines are not the same block again and again"
    start = sight.claimed.ranges[0][0]
    above = [bare(line) for line in sight.lines[max(0, start - size) : start]]
    if block != above and block != [bare(line) for line in sight.shown[-size:]]:
        return f"not the line before: {block[0]}"
    return ""


def _passed(sight: Sight) -> str:
    """Every line says that a test passed, and none that one did not."""
    hidden = [bare(line) for line in sight.hidden()]
    failed = [line for line in hidden if _NOT_PASSED.search(line)]
    if failed:
        return f"a failure among the passed: {failed[0]}"
    others = [line for line in hidden if line.strip() and not _PASSED.search(line)]
    if others:
        return f"does not say that it passed: {others[0]}"
    return differs(sight, len([line for line in hidden if line.strip()]))


def _steps(sight: Sight) -> str:
    """Steps of a build, or tests that began: none of them tells of a failure."""
    failed = [line for line in map(bare, sight.hidden()) if _NOT_PASSED.search(line)]
    return f"a failure among them: {failed[0]}" if failed else _lines(sight)


def _codes(sight: Sight) -> str:
    return differs(sight, sum(len(ANSI.findall(line)) for line in sight.hidden()))


def _rewrites(sight: Sight) -> str:
    """How often a line was written over: the last writing is what is shown."""
    found = 0
    for line in sight.hidden():
        writings = [one for one in ANSI.sub("", line).rstrip("\r").split("\r") if one]
        found += max(0, len(writings) - 1)
    return differs(sight, found)


def _frames(sight: Sight) -> str:
    return differs(sight, sum(1 for line in sight.hidden() if _FRAME.match(bare(line))))


def _frame_lines(sight: Sight) -> str:
    """Lines of a stack trace: places and calls, with the source that some tools show below."""
    frames = sum(1 for line in sight.hidden() if _FRAME.match(bare(line)))
    if not frames:
        return f"no frame among them: {sight.hidden()[0]}"
    return _lines(sight) if "lines" in sight.words else _frames(sight)


def _again(sight: Sight) -> str:
    """Every line, or each of its ranges as a whole, stands there before."""
    first = sight.claimed.ranges[0][0]
    lines = [bare(line) for line in sight.lines]
    for start, end in sight.claimed.ranges:
        above = lines[: first if end - start > 1 else start]
        if not _holds(above, lines[start:end]):
            return f"does not stand above: {lines[start]}"
    return _lines(sight)


def _holds(lines: Sequence[str], block: Sequence[str]) -> bool:
    size = len(block)
    return any(line == block[0] and lines[at : at + size] == block for at, line in enumerate(lines))


def _context(sight: Sight) -> str:
    """Unchanged lines of a difference; where it says so, each range begins or ends a hunk."""
    changed = [line for line in sight.hidden() if line[:1] in ("+", "-", "@")]
    if changed:
        return f"is no context: {changed[0]}"
    lines = [bare(line) for line in sight.lines]
    for start, end in sight.claimed.ranges if "edges" in sight.words else ():
        begins = start > 0 and lines[start - 1].startswith("@@ -")
        after = lines[end] if end < len(lines) else ""
        if not begins and after[:1] in ("+", "-", " ", "\\"):
            return f"not at the edge of a hunk: {lines[start]}"
    return _lines(sight)


def _each(pattern: str) -> Callable[[Sight], str]:
    """Every line of the ranges looks like this."""
    fits = re.compile(pattern).match

    def recount(sight: Sight) -> str:
        others = [line for line in sight.hidden() if not fits(bare(line))]
        return f"is another kind of line: {others[0]}" if others else _lines(sight)

    return recount


def _checksums(sight: Sight) -> str:
    """Each line holds a check sum or the place where something is downloaded."""
    others = [line for line in sight.hidden() if not _CHECKSUM.search(line)]
    return f"no checksum: {others[0]}" if others else _lines(sight)


def _table(sight: Sight) -> str:
    """The lines follow as they are, but for what pads their cells and how long their rules are."""
    for line, row in zip(sight.hidden(), sight.below, strict=False):
        if _PADDING.sub("", line) != _PADDING.sub("", row):
            return f"is set as another line: {row}"
    return differs(sight, len(sight.below)) or _lines(sight)


def _files(sight: Sight) -> str:
    return differs(sight, sum(1 for line in sight.hidden() if bare(line)))


def _seen(sight: Sight) -> str:
    """Its lines stand in an earlier text, one after the other."""
    block = [_unnumbered(line) for line in sight.hidden()]
    wanted = "\n" + "\n".join(block) + "\n"
    for lines in sight.earlier:
        if wanted in "\n" + "\n".join(_unnumbered(line) for line in lines) + "\n":
            return differs(sight, len(block))
    return f"its lines stand in no earlier text: {block[0] if block else ''}"


_NUMBERED = re.compile(r"^ {0,9}\d{1,9}(?:→|\t)")


def _unnumbered(line: str) -> str:
    return _NUMBERED.sub("", line)


def _nothing(sight: Sight) -> str:
    return differs(sight, 0)


RECOUNTS: dict[str, Callable[[Sight], str]] = {
    "lines": _lines,
    "blank": _blank,
    "repeated": _repeated,
    "similar": similar,
    "like": like,
    "passed": _passed,
    "steps": _steps,
    "started": _steps,
    "codes": _codes,
    "rewrites": _rewrites,
    "frames": _frame_lines,
    "again": _again,
    "checksums": _checksums,
    "headers": _each(r"diff --git |index [0-9a-f]+\.\."),
    "context": _context,
    "messages": _each(r"$|    "),
    "files": _files,
    "folded": folded,
    "table": _table,
    "rows": rows,
    "items": items,
    "seen": _seen,
    "unchanged": _seen,
    "layout": _nothing,
    "markup": _nothing,
}

NOUNS = {
    "lines": "line lines more",
    "blank": "blank line lines",
    "repeated": "line lines above more time times",
    "similar": "similar line lines with",
    "like": "like this",
    "passed": "passed line lines test tests",
    "steps": "build line lines",
    "started": "started line lines",
    "codes": "terminal codes",
    "rewrites": "overwritten",
    "frames": "frame frames line lines",
    "again": "line lines author as above",
    "headers": "header headers line lines",
    "context": "context line lines at hunk edges",
    "messages": "message line lines",
    "checksums": "checksum line lines",
    "files": "file files",
    "folded": "char chars characters",
    "table": "table line lines numbers right heads centred",
    "rows": "row rows keyed tab",
    "items": "item items",
    "seen": "line lines seen",
    "unchanged": "line lines unchanged since then",
}
"""The words of ours that a kind's marker is made of; a number beside the count must be a line's."""
