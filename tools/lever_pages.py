"""What was measured of the levers, as a page for people and as the table that ships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lever_rows import NEVER, NEXT_COMPACTION, NEXT_REQUEST, NEXT_START, Row
from levers import Lever
from tokenbudget.model.control import LEVERS as CONTROLLED

HEAD = """\
# Levers

What each lever does to the requests of the real client, measured by `tools/lever_bytes.py` (which
wrote this page) in the cluttered project of `tests/e2e/cluttered_project.py`: 3 MCP servers of 30
tools, 20 skills, 8 agents, a CLAUDE.md with three sections twice and a copy of it in `.claude/`,
four backups among the rules. Claude Code {versions}, measured {days}.
Sizes are bytes of the JSON body, tokens are counted with the o200k vocabulary, not by the provider.

*Next start*: the first request of a session that begins afterwards. *Next request* and
*after /compact*: of a session that was running, compared with one in which nothing was changed;
what a lever adds there (a notice that something is gone) counts against it. A model or a release
that is not here is unknown to the product: it advises there, and does nothing by itself.
"""
WHY = """
## What the controller pulls

The product reads these rows (`optimizer/lever_table.py`). Bytes: below zero is freed, at the moment
at which the lever takes effect; of `reserve` it is the conversation that was not compacted, of
`terseness` what our words add. *Cache lost from*: from where on the next request is another one
than the provider's cache holds; what stands before it stays cached. A compaction rewrites the
conversation anyway. Rules against servers whose tools are deferred add a notice to the next
request, in 2.1.329 a longer one than what they free later.

2.1.270 and 2.0.76 read memory files and rules anew after a person's /compact, which is what these
rows show, and not after a compaction that the client begins by itself, as the controller has it do:
there these two levers are only advised.

"""
EFFECTS = {NEXT_REQUEST: "now", NEXT_COMPACTION: NEXT_COMPACTION, NEXT_START: NEXT_START}
SHORT = {"claude-opus-5-5": "opus-5-5", "claude-sonnet-4-5": "sonnet-4-5"}
SEARCH = {"true": "on", "false": "off", "": "none"}


def page(
    found: Sequence[Row],
    pulled: Sequence[Lever],
    reads: Sequence[Sequence[str]],
    alike: Sequence[tuple[str, str, str]],
) -> str:
    """docs/levers.md."""
    versions = ", ".join(dict.fromkeys(row.release for row in found))
    days = sorted({row.day for row in found})
    lines = [HEAD.format(versions=versions, days=" to ".join(dict.fromkeys((days[0], days[-1]))))]
    lines += [WHY.strip(), "", *_summary(found, pulled), ""]
    lines += _alike(alike)
    lines += ["## All of them", ""]
    lines += [
        "| lever | client | model | tool search | first request before | next start: bytes |"
        " tokens | next request: bytes | after /compact: bytes | takes effect |",
        "|---|---|---|---|--:|--:|--:|--:|--:|---|",
    ]
    lines += map(line, found)
    if reads:
        lines += ["", "## Reading a file", "", "| lever | model | `Read src/app.py` |"]
        lines += ["|---|---|---|"]
        lines += [f"| {_cell(name)} | {model} | {said} |" for name, model, said in reads]
    return "\n".join(lines) + "\n"


def line(row: Row) -> str:
    """A row of the long table."""
    cells = [
        _cell(row.lever),
        row.release,
        row.model,
        SEARCH[row.search],
        f"{row.before_bytes:,}",
        f"{row.start_bytes:+,}",
        f"{row.start_tokens:+,}",
        f"{row.next_bytes:+,}" + (f" ({row.changed} changed)" if row.changed else ""),
        f"{row.compacted_bytes:+,}",
        row.effect,
    ]
    return f"| {' | '.join(cells)} |"


def _summary(found: Sequence[Row], pulled: Sequence[Lever]) -> list[str]:
    """A line for each lever and release: what all its models and searches came to."""
    lines = [
        "| lever | how | client | takes effect | cache lost from | bytes, by model, tool search |",
        "|---|---|---|---|---|---|",
    ]
    in_order = sorted(pulled, key=lambda one: CONTROLLED.index(one.row[0]) if one.row else 0)
    for lever in in_order:
        for release in dict.fromkeys(row.release for row in found):
            rows = [row for row in found if (row.lever, row.release) == (lever.name, release)]
            if rows and lever.row:
                cells = [lever.row[0], f"`{lever.row[1]}`", release, *_told(rows)]
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def _told(rows: Sequence[Row]) -> tuple[str, str, str]:
    effects = _by_value([(row.effect, row) for row in rows])
    lost = _by_value([(row.rewrites or "nothing", row) for row in rows])
    sizes = _by_value([(f"{at_effect(row):+,}", row) for row in rows])
    return effects, lost, sizes


def _by_value(pairs: Sequence[tuple[str, Row]]) -> str:
    """The value, or each value with the models and searches that it holds for."""
    values = dict.fromkeys(value for value, _ in pairs)
    if len(values) == 1:
        return next(iter(values))
    everywhere = [row for _, row in pairs]
    return "; ".join(
        f"{value} ({_where([row for own, row in pairs if own == value], everywhere)})"
        for value in values
    )


def _where(rows: Sequence[Row], everywhere: Sequence[Row]) -> str:
    """For what a value holds: a tool search, a model, or single pairs of them."""
    searches, models = {row.search for row in rows}, {row.model for row in rows}
    if len(rows) == sum(row.search in searches for row in everywhere):
        return ", ".join(f"search {SEARCH[one]}" for one in sorted(searches, reverse=True))
    if len(rows) == sum(row.model in models for row in everywhere):
        return ", ".join(SHORT.get(one, one) for one in sorted(models))
    return ", ".join(f"{SHORT.get(row.model, row.model)} {SEARCH[row.search]}" for row in rows)


def at_effect(row: Row) -> int:
    """By how much requests grew once it had taken effect."""
    by_effect = {
        NEXT_REQUEST: row.next_bytes,
        NEXT_COMPACTION: row.compacted_bytes,
        NEXT_START: row.start_bytes,
    }
    return by_effect.get(row.effect, 0)


def _alike(alike: Sequence[tuple[str, str, str]]) -> list[str]:
    if not alike:
        return []
    lines = [
        "Sessions of these models were compared lever by lever with the two that were measured:",
        "everything took effect at the same moment, and they are taken for them.",
        "",
        "| client | model | stands for |",
        "|---|---|---|",
    ]
    return [*lines, *(f"| {' | '.join(one)} |" for one in alike), ""]


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("*", "\\*")


# ── the table that ships ─────────────────────────────────────────────────────────────────────────

TABLE = '''\
"""What levers did to the requests of real clients: `tools/lever_bytes.py` wrote this, no hand.

The columns are those of `lever_facts.Fact`; docs/levers.md shows them to people.
"""
# ruff: noqa: E501

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Row: TypeAlias = tuple[str, str, str, str, bool | None, str, int, int, int, str, bool]

MEASURED_ON = "{day}"
"""The last day of the measurements."""

ALIKE: tuple[tuple[str, str, str], ...] = ({alike})
"""(release, model, the measured model that it behaves like)"""

# fmt: off
ROWS: tuple[Row, ...] = (
{rows}
)
'''


def table(
    found: Iterable[Row], pulled: Sequence[Lever], alike: Sequence[tuple[str, str, str]]
) -> str:
    """optimizer/lever_table.py."""
    names = {lever.name: lever.row for lever in pulled}
    rows = [row for row in found if names.get(row.lever)]
    lines = sorted(_shipped(row, names[row.lever] or ("", "")) for row in rows)
    likes = "".join(f"\n    {_literal(one)}," for one in alike)
    return TABLE.format(
        day=max(row.day for row in rows),
        alike=f"{likes}\n" if likes else "",
        rows="\n".join(f"    {one}," for one in lines),
    )


def _shipped(row: Row, name: tuple[str, str]) -> str:
    search = {"true": True, "false": False}.get(row.search)
    effect = EFFECTS.get(row.effect, "disk only")
    sizes = (row.start_bytes, row.next_bytes, row.compacted_bytes)
    frees = name[0] != "terseness"  # what shorter answers save nobody can measure without a model
    lost = row.rewrites if row.effect != NEVER else ""
    return _literal((*name, row.release, row.model, search, effect, *sizes, lost, frees))


def _literal(values: tuple[object, ...]) -> str:
    """A tuple as Python spells it, in this project's quotes."""
    parts = (f'"{one}"' if isinstance(one, str) else repr(one) for one in values)
    return f"({', '.join(parts)})"
