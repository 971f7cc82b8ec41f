"""The commands and the skill, as `tokens install` writes them: never over a file of somebody."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.app.installing_client import program
from tokenbudget.app.installing_errand import COMMANDS, SKILL, Row, said
from tokenbudget.app.installing_journal import written_by_us
from tokenbudget.config.management import LOCAL
from tokenbudget.gateway import command_files
from tokenbudget.model.actions import EditText
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tokenbudget.app.installing_errand import Errand
    from tokenbudget.app.installing_place import Target
    from tokenbudget.ledger.store import Ledger


def rendered_for(errand: Errand) -> Mapping[str, Mapping[str, str]]:
    """The files of each component, by their path below the agent's folder."""
    found: dict[str, Mapping[str, str]] = {}
    if COMMANDS in errand.components:
        found[COMMANDS] = command_files.rendered(program(), errand.has_model is not False)
    if SKILL in errand.components:
        found[SKILL] = command_files.rendered_skill(program())
    return found


def files_planned(
    target: Target, errand: Errand, ledger: Ledger
) -> tuple[list[Row], tuple[tuple[str, EditText], ...]]:
    """What becomes of each file, and those that are to be written, by their component."""
    rows: list[Row] = []
    texts: list[tuple[str, EditText]] = []
    ours = written_by_us(ledger, target)
    for component, files in rendered_for(errand).items():
        if target.scope == LOCAL:
            note = "there is no local place for it; use --scope user or project"
            rows.append(Row(component, "skip", target.folder, component, note))
            continue
        for name, text in files.items():
            path = target.path_of(name)
            row, edit = _file_row(target, component, name, path, text, ours.get(path, frozenset()))
            rows.append(row)
            texts += [(component, edit)] if edit else []
    return rows, tuple(texts)


def _file_row(
    target: Target, component: str, name: str, path: str, text: str, ours: frozenset[str]
) -> tuple[Row, EditText | None]:
    what = called(name)
    try:
        there = target.text_at(path)
    except (TokenBudgetError, OSError) as wrong:
        return Row(component, "refused", path, what, said(wrong)), None
    if there is None:
        return Row(component, "add", path, what), EditText(path, None, text)
    if there == text:
        return Row(component, "there", path, what), None
    if there in ours or command_files.is_our_file(name, there):
        return Row(component, "replace", path, what), EditText(path, there, text)
    return Row(component, "skip", path, what, "a file that is not ours is there; it stays"), None


def ours_then(target: Target, errand: Errand, rows: Collection[Row]) -> Mapping[str, str]:
    """The files of ours that will be there, by their path below the agent's folder."""
    paths = {row.path for row in rows if row.change in ("add", "replace", "there")}
    files = (one for group in rendered_for(errand).values() for one in group.items())
    return {name: text for name, text in files if target.path_of(name) in paths}


class OurFile(NamedTuple):
    """A command or skill that we wrote."""

    component: str
    name: str
    path: str
    is_edited: bool
    """Whether somebody has written into it since."""
    is_lost: bool = False
    """Whether that cannot be told from ours any more: the journal knows nothing of it."""


def our_files(ledger: Ledger, target: Target) -> Iterator[OurFile]:
    """What of ours lies in this scope: as the journal has it, or known by its mark."""
    if target.scope == LOCAL:
        return
    journalled = written_by_us(ledger, target)
    for name in (*command_files.COMMANDS, command_files.SKILL):
        path = target.path_of(name)
        try:
            text = target.text_at(path)
        except (TokenBudgetError, OSError):
            continue  # a link or another's file is none of ours
        if text is None:
            continue
        is_ours = text in journalled.get(path, ()) or command_files.is_our_file(name, text)
        is_known = path in journalled
        if is_ours or is_known or command_files.has_our_mark(text):
            component = SKILL if name == command_files.SKILL else COMMANDS
            yield OurFile(component, name, path, not is_ours, not (is_ours or is_known))


def called(name: str) -> str:
    """How a person types what a file defines."""
    kind, _, rest = name.partition("/")
    if kind == "skills":
        return f"skill {rest.partition('/')[0]}"
    return "/" + rest.removesuffix(".md").replace("/", ":")
