"""Write OPTIMIZATION-RECOMMENDATIONS.md, with what a person wrote into it before."""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple

from tokenbudget.model.errors import ProjectUnusable
from tokenbudget.reports.optimize_file import page_of
from tokenbudget.reports.optimize_old import NOTHING_OLD, old_of
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.system.rooted import Found

NAME = "OPTIMIZATION-RECOMMENDATIONS.md"


class Written(NamedTuple):
    """Where it was written."""

    path: str
    beside: str
    """A copy of the older file, where it could not be told whose each line was; '' else."""


def write_recommendations(found: Findings, path: str, made_on: str, home: str) -> Written:
    """Write the file, or leave the one that is there as it is.

    Args:
        found: The findings.
        path: Absolute; its folder is there. No link is followed at its end.
        made_on: The day, as it is told in the file.
        home: To shorten paths.

    Raises:
        ProjectUnusable: it cannot be written.
        Refused: a link, another's or a read-only file is in its place, or somebody writes it now.
        SourceUnreadable: what is there may not be read.
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise ProjectUnusable(f"cannot write {quoted(path)}: there is no folder {quoted(folder)}")
    rooted = Rooted([folder])
    before = rooted.read(path)
    text, is_text = _text_of(before)
    old = NOTHING_OLD if before is None else old_of(text)
    beside = ""
    if before is not None and before.content.strip() and not (old.is_sound and is_text):
        beside = _keep_beside(rooted, path, before)
    after = page_of(found, old, made_on, home)
    if "\r\n" in text:
        after = after.replace("\n", "\r\n")
    rooted.replace(path, before, after.encode("utf-8", "replace"), None)
    return Written(path, beside)


def _text_of(before: Found | None) -> tuple[str, bool]:
    if before is None:
        return "", True
    try:
        return before.content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return before.content.decode("utf-8", "replace"), False


def _keep_beside(rooted: Rooted, path: str, before: Found) -> str:
    """A copy under a name of its own content: run again, it is the same one."""
    digest = hashlib.sha256(before.content).hexdigest()[:8]
    stem, ending = os.path.splitext(path)
    beside = f"{stem}.old-{digest}{ending}"
    rooted.replace(beside, rooted.read(beside), before.content, None)
    return beside
