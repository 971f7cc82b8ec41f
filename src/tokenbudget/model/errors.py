"""The few ways in which a command can end badly; each knows its exit code and its page entry.

    TokenBudgetError
    ├── BadRequest          what was typed cannot be meant
    ├── BadConfig           a settings file or variable holds an impossible value
    ├── SourceUnreadable    what was to be read is not there, or may not be read
    ├── LedgerUnusable      the ledger cannot be opened or written here
    ├── LedgerDamaged       the ledger's bytes are not a database any more
    ├── LedgerTooNew        a newer version of this program wrote the ledger
    ├── ProjectUnusable     a file or folder of a project cannot be read or written
    └── Refused             it could be done, and would not be safe

A message is one sentence: what, where, what to do. `docs/messages.md` has an entry per slug.
"""

from __future__ import annotations


class TokenBudgetError(Exception):
    """Root of everything that `cli` reports as one sentence."""

    exit_code = 1
    slug = "error"


class BadRequest(TokenBudgetError):
    """The command line cannot be carried out as typed."""

    exit_code = 2
    slug = "bad-request"


class BadConfig(TokenBudgetError):
    """A setting has an impossible value."""

    exit_code = 2
    slug = "bad-config"


class SourceUnreadable(TokenBudgetError):
    """A named transcript or folder cannot be read."""

    exit_code = 3
    slug = "source-unreadable"


class LedgerUnusable(TokenBudgetError):
    """The ledger cannot be opened or written: read-only home, full disk, no permission."""

    exit_code = 3
    slug = "ledger-unusable"


class LedgerDamaged(TokenBudgetError):
    """SQLite says that the file is malformed or no database."""

    exit_code = 3
    slug = "ledger-damaged"


class LedgerTooNew(TokenBudgetError):
    """The ledger's schema is newer than this program."""

    exit_code = 3
    slug = "ledger-too-new"


class ProjectUnusable(TokenBudgetError):
    """A project's folder, or our file in it, is gone, read-only or full."""

    exit_code = 3
    slug = "project-unusable"


class Refused(TokenBudgetError):
    """What was asked for is possible, but could harm what is not ours; nothing was changed."""

    exit_code = 4
    slug = "refused-unsafe"
