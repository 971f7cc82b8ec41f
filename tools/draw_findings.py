"""Draw findings of `tokens optimize` at random, for a person to judge whether they are true.

    python tools/draw_findings.py [--from PATH ...] [-n 30] [--seed 6] [--context K]

All findings of all projects and all time, small ones too, are sorted by id; the seed alone says
which are drawn. Each is printed as Markdown with its evidence; `--context K` adds the lines of the
transcript around each piece of evidence, K before it and K behind, cut short.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from tokenbudget.app import open_workbench
from tokenbudget.app.optimizing import findings_of
from tokenbudget.app.studies import studied
from tokenbudget.cli.options import settings
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want
from tokenbudget.model.markdown import cell
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.findings import Evidence, Finding, Price

SINCE_MS = 946_684_800_000
"""The year 2000: everything."""
LONGEST = 160
"""Characters of anything that is quoted out of a transcript."""


def main(arguments: Sequence[str]) -> int:
    """Draw and print; returns the exit code."""
    made = argparse.ArgumentParser(description="Draws findings at random, to be judged by hand.")
    made.add_argument("--from", dest="from_paths", action="append", default=[], metavar="PATH")
    made.add_argument("-n", "--number", type=int, default=30)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--context", type=int, default=0, metavar="K")
    options = made.parse_args(arguments)
    told, paths = terminal(), options.from_paths
    with open_workbench(settings(), told, Want.DETAIL, from_paths=paths) as bench:
        known = studied(bench, told)
        found = findings_of(bench, known, told, since_ms=SINCE_MS, looks_at_projects=not paths)
    rows = sorted(found.rows, key=lambda one: one.id)
    drawn = random.Random(options.seed).sample(rows, max(0, min(options.number, len(rows))))
    print(f"{len(drawn)} of {len(rows)} findings in {found.sessions} sessions, seed {options.seed}")
    for number, finding in enumerate(drawn, 1):
        print("\n".join(shown(number, finding, options.context)))
    return 0


def shown(number: int, finding: Finding, context: int) -> Iterator[str]:
    """A finding as Markdown."""
    yield f"\n## {number}. {finding.id}\n"
    yield f"{finding.drain}: {cell(finding.title)}"
    yield f"({finding.times} times in {finding.sessions} sessions, {finding.confidence} confidence)"
    yield f"\n- per week {price(finding.weekly)}"
    if finding.spent is not None:
        yield f"- in the whole period {price(finding.spent)}"
    for evidence in finding.evidence:
        yield f"- {cell(evidence.session)} {cell(evidence.path)}:{evidence.line}"
        yield f"  {cell(evidence.detail)}"
        if context > 0:
            yield from (f"      {line}" for line in lines_around(evidence, context))


def price(one: Price) -> str:
    """An amount with its error."""
    money = "" if one.usd is None else f", ${one.usd:.6f} ± {one.error_usd or 0:.6f}"
    return f"{one.tokens:,} ± {one.error_tokens:,} tokens{money}"


def lines_around(evidence: Evidence, context: int) -> Iterator[str]:
    """The lines of the transcript around a piece of evidence; none where they are not to be had."""
    if not (evidence.line and os.path.isfile(evidence.path)):
        return
    first = max(0, evidence.line - 1 - context)
    with Path(evidence.path).open(encoding="utf-8", errors="replace") as transcript:
        lines = itertools.islice(transcript, first, evidence.line + context)
        for number, line in enumerate(lines, first + 1):
            yield from (f"{number}: {part}" for part in parts_of(line))


def parts_of(line: str) -> Iterator[str]:
    """What a line of a transcript holds: who, what tool, with what, and how it begins and ends."""
    try:
        entry: Any = json.loads(line)
        message = entry.get("message") or {}
        content = message.get("content", "")
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        who = one_line(str(message.get("role") or entry.get("type")))
        told = [(block.get("type"), block) for block in blocks]
    except (ValueError, AttributeError, RecursionError):
        yield "(not readable)"
        return
    for kind, block in told:
        value = block.get("input") or block.get("content") or block.get(str(kind)) or ""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        name = " ".join(str(word) for word in (who, kind, block.get("name", "")))
        yield one_line(f"{name[:LONGEST]} {short(text)}".rstrip())


def short(text: str) -> str:
    """The beginning and the end."""
    text = one_line(text)
    return text if len(text) <= LONGEST else f"{text[:100]} … {text[-50:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
