"""Write the generated pages: docs/schema.md from the ledger's DDL, docs/commands.md from the help.

`--check` writes nothing and exits 1 if a page is out of date; the test suite does that.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from tokenbudget.cli import VERBS, help_text
from tokenbudget.cli import main as tokens
from tokenbudget.ledger.schema import (
    ALERT_TABLES,
    JOURNAL_TABLES,
    PIECE_TABLES,
    REPORT_TABLES,
    SCHEMA_VERSION,
    SESSION_INDEXES,
    TABLES,
)

DOCS = Path("docs")


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
    tables = TABLES + PIECE_TABLES + REPORT_TABLES + ALERT_TABLES + JOURNAL_TABLES
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


PAGES = {"schema.md": schema_page, "commands.md": commands_page}


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
