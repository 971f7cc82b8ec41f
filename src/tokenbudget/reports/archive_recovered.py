"""What `tokens recover` gives back: as text and as JSON."""

from __future__ import annotations

from typing import Protocol

from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.archive_words import place, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
SHOWN = 20


class Return(Protocol):
    """A session that is given back."""

    @property
    def session(self) -> str:
        """Its id."""

    @property
    def raw_bytes(self) -> int:
        """What its files hold."""

    @property
    def to(self) -> str:
        """Where they go."""

    @property
    def is_at_home(self) -> bool:
        """Whether that is where they were."""

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of files that are not there."""

    @property
    def cwd(self) -> str:
        """Where the session was begun; '' unknown."""

    @property
    def archive(self) -> str:
        """The archive file that it comes from."""


class Returned(Protocol):
    """What became of one."""

    @property
    def wanted(self) -> Return:
        """Which one."""

    @property
    def placed(self) -> tuple[str, ...]:
        """Names of files that were put there."""

    @property
    def were_there(self) -> tuple[str, ...]:
        """Names of files that were there, byte for byte."""

    @property
    def fault(self) -> str:
        """Why it was not given back; '' where it was."""


def plan_lines(wanted: Sequence[Return], home: str) -> list[str]:
    """A line for each session."""
    lines = [
        f"{one_line(one.session)}  {size(one.raw_bytes)}, {counted(len(one.waiting), 'file')}"
        f" to {place(one.to, home)}"
        for one in wanted[:SHOWN]
    ]
    if len(wanted) > SHOWN:
        lines.append(f"… and {len(wanted) - SHOWN:,} more; --json lists all")
    return lines


def recovered_lines(done: Sequence[Returned], home: str) -> list[str]:
    """What came back, and how to go on with it."""
    back = [one for one in done if not one.fault]
    if not back:
        return ["Nothing was recovered."]
    if len(back) > 1:
        total = sum(one.wanted.raw_bytes for one in back)
        lines = [f"Recovered {counted(len(back), 'session')}, {size(total)}."]
        if len(back) < len(done):
            lines.append(f"{counted(len(done) - len(back), 'session')} did not come back.")
        return [*lines, "To go on with one: claude --resume ID in its directory."]
    [one] = back
    wanted = one.wanted
    if not one.placed:
        told = "It is in place already, byte for byte"
    else:
        told = f"Recovered {counted(len(one.placed), 'file')}, {size(wanted.raw_bytes)}"
    lines = [f"{told}: {place(wanted.to, home)}/{one_line(wanted.session)}.jsonl"]
    return [*lines, *_how_to_go_on(wanted)]


def _how_to_go_on(wanted: Return) -> list[str]:
    if not wanted.is_at_home:
        return ["The agent does not look there; this is a copy to read."]
    resume = f"claude --resume {wanted.session}"
    if not wanted.cwd:
        return [f"To go on with it, in its directory: {one_line(resume)}"]
    import shlex  # 3 ms, for one line

    return [f"To go on with it: cd {one_line(shlex.quote(wanted.cwd))} && {one_line(resume)}"]


def recover_document(
    wanted: Sequence[Return],
    done: Sequence[Returned],
    refused: Sequence[tuple[str, str, int]],
    *,
    is_dry_run: bool,
) -> str:
    """The same as one JSON object."""
    from tokenbudget.reports.json import document

    outcomes = {(one.wanted.session, one.wanted.to): one for one in done}
    rows = []
    for one in wanted:
        outcome = outcomes.get((one.session, one.to))
        state = "planned" if outcome is None else "failed" if outcome.fault else "recovered"
        rows.append(
            {
                "session": one.session,
                "archive_file": one.archive,
                "to": one.to,
                "cwd": one.cwd,
                "raw_bytes": one.raw_bytes,
                "state": state,
                "message": "" if outcome is None else outcome.fault,
                "placed": [] if outcome is None else list(outcome.placed),
                "were_there": [] if outcome is None else list(outcome.were_there),
            }
        )
    rows += [
        {"session": session, "state": "refused", "message": why} for session, why, _ in refused
    ]
    back = [one for one in done if not one.fault]
    totals = {
        "sessions": len(wanted),
        "recovered_sessions": len(back),
        "recovered_bytes": sum(one.wanted.raw_bytes for one in back),
    }
    fields = {"is_dry_run": is_dry_run, "rows": rows, "totals": totals}
    return document("recover", FORMAT, fields)
