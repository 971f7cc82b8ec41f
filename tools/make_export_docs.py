"""Write the tables and columns of `tokens export` into docs/export.md, from where they are defined.

`python tools/make_export_docs.py`. What stands between the two marks is replaced.
"""

from __future__ import annotations

from pathlib import Path

from tokenbudget.reports.exporters.tables import COLUMNS

PAGE = Path(__file__).parents[1] / "docs" / "export.md"
BEGIN = "<!-- columns: written by tools/make_export_docs.py -->\n"
END = "<!-- columns end -->\n"
KINDS = {
    "text": "text",
    "word": "word",
    "time": "time",
    "day": "date",
    "whole": "integer",
    "flag": "flag",
    "money": "decimal",
}


def columns_text() -> str:
    """A table per table."""
    lines: list[str] = []
    for name, columns in COLUMNS.items():
        lines += [f"### `{name}`", "", "| Column | Holds | Meaning |", "|---|---|---|"]
        lines += [
            f"| `{column.name}` | {KINDS[column.kind]} | {column.meaning} |" for column in columns
        ]
        lines.append("")
    return "\n" + "\n".join(lines) + "\n"


def page_with_columns(page: str) -> str:
    """The page with the columns as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + columns_text() + END + after


def main() -> None:
    """Rewrite the page."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page_with_columns(page), encoding="utf-8")
    print(PAGE.name)


if __name__ == "__main__":
    main()
