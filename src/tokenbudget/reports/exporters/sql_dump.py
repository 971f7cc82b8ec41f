r"""A dump that SQLite and PostgreSQL load as it is: `sqlite3 FILE < dump`, `psql -f dump`.

What both understand and nothing else: standard strings with doubled quotes, no backslash escapes,
`TEXT`, `BIGINT` and `INTEGER`, one transaction. Names of tables and columns are our own. Loading it
again replaces the tables of the last time. NUL and lone surrogates, which no database takes as
text, are written as `\u{0}` (`model.spelled.storable`); every other text is loaded as it was.
"""

from __future__ import annotations

from tokenbudget.model.spelled import storable
from tokenbudget.reports.exporters.tables import UNKNOWN_MARK, RowFormat, Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.reports.exporters.tables import Table

PREFIX = "token_"
"""So that no table of anybody else is meant."""

INDEXED = {
    "requests": ("request", "session", "started_at"),
    "tool_calls": ("request", "session"),
    "sessions": ("session",),
    "daily": ("day",),
}
"""By what rows are joined and chosen; the indexes go with their table."""
ROWS_OF_STATEMENT = 200
LETTERS_OF_STATEMENT = 250_000
"""SQLite may be built to take statements of a million bytes and no more."""
_TYPES = {"whole": "BIGINT", "flag": "INTEGER"}
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def sql_literal(text: str) -> str:
    """A text as a string of standard SQL.

    Where a line would end in a carriage return the string is cut in two, because SQLite's shell
    takes those away.
    """
    quoted = storable(text).replace("'", "''").replace("\r\n", "\r'||'\n")
    return f"('{quoted}')" if "\r'||'\n" in quoted else f"'{quoted}'"


SPELLING = Spelling(sql_literal, unknown=UNKNOWN_MARK)


def sql_chunks(tables: Sequence[Table], comment: str) -> Iterator[str]:
    """The dump, a batch of rows at a time; `comment` is one line of our own words."""
    yield f"-- {comment}\nBEGIN;\n"
    for table in tables:
        name = _checked(PREFIX + table.name)
        columns = [(_checked(column.name), column.kind) for column in table.columns]
        yield f"\nDROP TABLE IF EXISTS {name};\nCREATE TABLE {name} (\n"
        yield ",\n".join(f"  {one} {_TYPES.get(kind, 'TEXT')}" for one, kind in columns) + "\n);\n"
        begun = f"INSERT INTO {name} ({', '.join(one for one, _ in columns)}) VALUES\n"
        rows = RowFormat(table.columns, begin="(", end=")", quote="'", null="NULL")
        for batch in table.batches(SPELLING):
            for statement in _statements(rows.lines(batch)):
                yield begun + ",\n".join(statement) + ";\n"
        for column in INDEXED.get(table.name, ()):
            yield f"CREATE INDEX {name}_by_{_checked(column)} ON {name} ({column});\n"
    yield "\nCOMMIT;\n"


def _statements(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """The rows of one statement at a time."""
    first = letters = 0
    for number, line in enumerate(lines):
        letters += len(line)
        is_full = letters > LETTERS_OF_STATEMENT or number - first == ROWS_OF_STATEMENT
        if is_full and number > first:
            yield lines[first:number]
            first, letters = number, len(line)
    if lines:
        yield lines[first:]


def _checked(name: str) -> str:
    if not name or not _NAME_LETTERS.issuperset(name):
        raise ValueError(f"{name!r} is no name of ours")
    return name
