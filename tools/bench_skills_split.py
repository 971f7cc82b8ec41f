"""What splitting long skills saves, and whether every line is still there.

    python tools/bench_skills_split.py SKILLS EXPECTED.json [MEMORY]

SKILLS is a folder of real skills, EXPECTED.json names them with their tokens (`skills`, each with
`path`, `body_tokens`) and a fixed set of twenty (`set_of_20`). Prints Markdown tables. Tokens are
those of a public vocabulary (o200k_base). Counted is content: the lines of the listing
(`name: description`), and the texts that the agent reads; not what a client wraps around them.
MEMORY is a folder of memory files: how many of their sections `tokens skills extract` would choose
where nothing is known of their use, and what a request has less of then.
"""

from __future__ import annotations

import json
import sys
from itertools import combinations
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.memory_extracting import extracted, sections_of
from tokenbudget.resources.skill_judging import is_loud
from tokenbudget.resources.skill_parts import ITEM, PROSE, QUOTE, lines_with_ends, parts_of
from tokenbudget.resources.skill_splitting import NothingToSplit, Split, split_of

LIMIT_TOKENS = 4_900
"""87.75 % less than 40,000."""
ALSO = ("references each", "lines lost", "orders in capitals, of them moved")
SMALLEST = (600, 1_000, 2_000)


class Row(NamedTuple):
    """A skill, whole and split."""

    path: str
    listing: int
    body: int
    core: int
    references: tuple[int, ...]
    lost: int
    """Lines of the original that stand nowhere; links are not compared."""
    orders: tuple[int, int]
    """Paragraphs and items with an order in capitals; those of them that are not in the core."""

    @property
    def share(self) -> float:
        """Listing and core of listing and body."""
        return (self.listing + self.core) / (self.listing + self.body)

    @property
    def with_one(self) -> float:
        """The core and a mean reference."""
        return self.core + (mean(self.references) if self.references else 0)

    @property
    def with_all(self) -> int:
        """The core and all references."""
        return self.core + sum(self.references)


def row_of(folder: Path, path: str, counter: BytePairCounter) -> Row:
    """One skill, split if it can be."""
    text = (folder / path).read_bytes().decode()
    matter = front_matter(text)
    body = text[matter.body_at :]
    listing = counter.count(f"{matter.words('name')}: {matter.words('description')}")
    found = split_of(text, (), counter.count)
    if isinstance(found, NothingToSplit):
        size = counter.count(body)
        return Row(path, listing, size, size, (), 0, (0, 0))
    references = tuple(one.tokens for one in found.references)
    lost = lost_lines(body, found)
    orders = orders_in(body, found)
    return Row(path, listing, found.before_tokens, found.core_tokens, references, lost, orders)


def orders_in(body: str, found: Split) -> tuple[int, int]:
    """How many orders in capitals there are, and how many of them an agent would have to fetch."""
    parts = parts_of(lines_with_ends(body))
    loud = [part.text for part in parts if part.kind in (PROSE, ITEM, QUOTE) and is_loud(part.text)]
    return len(loud), sum(text.strip() not in found.core for text in loud)


def lost_lines(body: str, found: Split) -> int:
    """Lines that stand neither in the core nor in a reference (a look apart from the proof)."""
    whole = {line.strip() for line in found.core.splitlines()}
    for one in found.references:
        whole |= {line.strip() for line in one.text.splitlines()}
    lines = {line.strip() for line in body.splitlines() if "](" not in line}
    return len(lines - whole - {""})


def shares(name: str, rows: list[Row]) -> str:
    """A line of the first table."""
    split = [row for row in rows if row.references]
    found = sorted(row.share for row in rows)
    within = sum(one <= 0.35 for one in found)
    files = mean(len(row.references) for row in split)
    return (
        f"| {name} | {len(rows)} | {len(split)} | {median(found):.1%} | {found[-1]:.1%} |"
        f" {within} | {files:.1f} | {sum(row.lost for row in rows)} |"
        f" {sum(row.orders[0] for row in rows)}, {sum(row.orders[1] for row in rows)} |"
    )


def tasks(rows: list[Row]) -> list[str]:
    """The lines of the second table: every pair of the rows as a task that uses two skills."""
    listing = sum(row.listing for row in rows)
    pairs = [*combinations(rows, 2)]
    ways: dict[str, list[float]] = {
        "all skills inlined": [sum(row.body for row in rows) for _ in pairs],
        "the client's own: listing, two bodies": [listing + a.body + b.body for a, b in pairs],
        "split: listing, two cores": [listing + a.core + b.core for a, b in pairs],
        "… and one reference of each (mean one)": [
            listing + a.with_one + b.with_one for a, b in pairs
        ],
        "… and the largest reference of each": [
            listing + a.core + b.core + max(a.references, default=0) + max(b.references, default=0)
            for a, b in pairs
        ],
        "… and all references of both": [listing + a.with_all + b.with_all for a, b in pairs],
    }
    whole = sum(row.body for row in rows)
    return [
        f"| {name} | {mean(found):,.0f} | {max(found):,.0f} | {1 - mean(found) / whole:.1%} |"
        f" {sum(one <= LIMIT_TOKENS for one in found)} of {len(pairs)} |"
        for name, found in ways.items()
    ]


def memory_lines(folder: Path, counter: BytePairCounter) -> list[str]:
    """The lines of the third table."""
    files = chosen = 0
    before, saved, shares_saved = 0, 0, []
    for path in sorted(folder.glob("*.md")):
        text = path.read_bytes().decode()
        tokens = counter.count(text)
        found = [one for one in sections_of(text, counter.count, ()) if one.is_recommended]
        done = extracted(text, found, (), ".claude/skills", counter.count)
        less = sum(one.saved_tokens for one in done.extracts)
        files += bool(found)
        chosen += len(found)
        before += tokens
        saved += less
        if found:
            shares_saved.append(less / tokens)
    return [
        "| memory files | with such sections | sections | tokens | less a request | median share |",
        "|--:|--:|--:|--:|--:|--:|",
        f"| {len([*folder.glob('*.md')])} | {files} | {chosen} | {before:,} | {saved:,} |"
        f" {median(shares_saved):.1%} |",
    ]


def main() -> int:
    """Print the tables."""
    folder, expected = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    counter = BytePairCounter()
    fixed = set(expected["set_of_20"]["skills"])
    paths = [one["path"] for one in expected["skills"] if one["body_tokens"] >= SMALLEST[0]]
    rows = [row_of(folder, path, counter) for path in paths]
    twenty = [row for row in rows if row.path in fixed]
    columns = ("skills", "count", "split", "median of listing + core", "largest", "≤ 35 %")
    print("| " + " | ".join((*columns, *ALSO)) + " |\n|---" + "|--:" * 8 + "|")
    print(shares("the fixed 20", twenty))
    for least in reversed(SMALLEST):
        print(shares(f"body of {least:,} tokens and more", [r for r in rows if r.body >= least]))
    print("\n| a task that uses two of the 20 (190 pairs) | mean | largest | saved | ≤ 4,900 |")
    print("|---|--:|--:|--:|--:|")
    print("\n".join(tasks(twenty)))
    if len(sys.argv) > 3:
        print("\n" + "\n".join(memory_lines(Path(sys.argv[3]), counter)))
    return 1 if any(row.lost for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
