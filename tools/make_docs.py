"""Write the generated pages: schema.md from the DDL, commands.md from the help, drains.md.

The last section of drains.md is written by hand, and stays.

`--check` writes nothing and exits 1 if a page is out of date; the test suite does that.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from tokenbudget.analysis.drains.catalogue import DRAINS
from tokenbudget.cli import VERBS, help_text
from tokenbudget.cli import main as tokens
from tokenbudget.ledger.deed_tables import ALERT_TABLES, CONTROL_TABLES, FIX_TABLES, JOURNAL_TABLES
from tokenbudget.ledger.schema import (
    PIECE_TABLES,
    REPORT_TABLES,
    SCHEMA_VERSION,
    SESSION_INDEXES,
    STUDY_TABLES,
    TABLES,
)

DOCS = Path("docs")
DOCS_ROOT = Path(__file__).parent.parent / "docs"
JUDGED = "## Judged by hand"


def schema_page() -> str:
    """The tables with their comments."""
    lines = [
        "# The ledger's schema",
        "",
        "Generated from `src/tokenbudget/ledger/schema.py` by `make docs`. The ledger is one",
        "SQLite file, `ledger.db`, in the data folder (`tokens config` says where); any SQLite",
        f"tool can read it. Schema version {SCHEMA_VERSION} (`PRAGMA user_version`). Its rows hold",
        "sizes, hashes, positions, paths and titles, never the words of a conversation; a step of",
        "the journal holds what it changed in a settings or memory file, so that it can be undone.",
        "",
    ]
    tables = TABLES + PIECE_TABLES + REPORT_TABLES + ALERT_TABLES
    tables += JOURNAL_TABLES + FIX_TABLES + STUDY_TABLES + CONTROL_TABLES
    for statement in tables.strip().split("\n\n"):
        name = statement.split("CREATE TABLE ", 1)[1].split(" ", 1)[0]
        lines += [f"## {name}", "", "```sql", statement.strip(), "```", ""]
    lines += ["## Further indexes", "", "```sql", SESSION_INDEXES.strip(), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def commands_page() -> str:
    """The help of every verb."""
    lines = ["# Commands", "", "Generated from the program's own help by `make docs`.", ""]
    lines += ["```text", help_text(), "```", ""]
    for verb in VERBS:
        if not verb.is_hidden:
            lines += [f"## tokens {verb.name}", "", "```text", help_of(verb.name), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def help_of(verb: str) -> str:
    """What `tokens VERB --help` prints."""
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught), contextlib.suppress(SystemExit):
        tokens([verb, "--help"])
    return caught.getvalue().rstrip()


def drains_page() -> str:
    """Every drain with its rule and what to do, then the section that is written by hand."""
    lines = [
        "# Token drains",
        "",
        "What `tokens optimize` looks for. Generated from `src/tokenbudget/analysis/drains/` by",
        "`make docs`, up to the last section. [optimize.md](optimize.md) says how findings are",
        "made of sightings, priced and measured.",
        "",
        "The order is that of charging: what one drain has charged of a window is charged by none",
        "after it, so findings can be added up. A finding of less than a cent a week is folded;",
        "without a price, one below the tokens a week that stand beside its drain. `tokens",
        "optimize --all` shows them.",
        "",
        "| drain | what | without a price, folded below |",
        "|---|---|---|",
        *(f"| [`{d.id}`](#{d.id}) | {d.title} | {d.least_tokens_per_week:,} |" for d in DRAINS),
        "",
    ]
    for drain in DRAINS:
        lines += [f"## {drain.id}", "", f"{drain.title}.", ""]
        lines += [f"- **Rule.** {_sentence(drain.rule)}"]
        lines += [f"- **Instead.** {_sentence(drain.alternative)}"]
        lines += [f"- **Tip.** {drain.tip}"]
        lines += [f"- **Fix.** {_sentence(drain.fix).replace('{subject}', '…')}", ""]
    return "\n".join(lines) + "\n" + _judged_by_hand()


def _sentence(text: str) -> str:
    """With a capital and a full stop."""
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith((".", ")")) else f"{begun}."


def _judged_by_hand() -> str:
    """The section of docs/drains.md that nobody generates, as it stands there."""
    path = DOCS_ROOT / "drains.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    _, heading, rest = text.partition(JUDGED)
    return heading + rest if heading else f"{JUDGED}\n"


PAGES = {"schema.md": schema_page, "commands.md": commands_page, "drains.md": drains_page}


def main(arguments: list[str]) -> int:
    """Write or check every page; returns the exit code."""
    outdated = []
    for name, page in PAGES.items():
        path = DOCS / name
        text = page()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        outdated.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if outdated:
        print("out of date:" if "--check" in arguments else "written:", *outdated)
    return 1 if outdated and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
