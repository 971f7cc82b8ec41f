"""What a plan of `tokens install` tells of the settings file, and beside it."""

from __future__ import annotations

from tokenbudget.app.installing_client import PLUGIN
from tokenbudget.app.installing_errand import Row
from tokenbudget.resources import wiring
from tokenbudget.resources.wiring import alone, is_current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenbudget.app.installing_errand import Change, Errand
    from tokenbudget.app.installing_place import Target
    from tokenbudget.resources.wiring import Seen, Wanted


def settings_rows(
    target: Target,
    errand: Errand,
    seen: Seen | None,
    wanted: Wanted,
    due: Wanted,
    refusals: Mapping[str, str],
) -> Iterator[Row]:
    """What becomes of each part that is wanted in the settings file.

    Args:
        target: The scope.
        errand: What was asked for.
        seen: What the file says; None where it cannot be read.
        wanted: What of it can be wired.
        due: What is to be written of that.
        refusals: Why the others cannot be, by part.
    """
    for part in errand.components:
        if part in refusals:
            yield Row(part, "refused", target.named_path, _key(part, wanted), refusals[part])
        elif seen is not None and part in wiring.SETTINGS_PARTS:
            if part not in wanted.parts:  # no client in use knows any event of ours
                yield Row(part, "skip", target.named_path, part, "no client in use takes them")
                continue
            is_there = not due.parts or is_current(seen, alone(wanted, (part,)))
            change: Change = "there" if is_there else "replace" if part in seen.parts else "add"
            yield Row(part, change, target.named_path, _key(part, wanted), _beside(part, seen))


def _key(part: str, wanted: Wanted) -> str:
    if part == wiring.STATUSLINE:
        return wiring.STATUSLINE_KEY
    if part == wiring.PLUGIN:
        return f"{wiring.MARKETPLACES_KEY}, {wiring.ENABLED_KEY}: {PLUGIN}"
    if part == wiring.RECALL:
        return f"{wiring.PERMISSIONS_KEY}.{wiring.ALLOW_KEY}: {wiring.RECALL_RULE}"
    return f"hooks: {', '.join(event for event, _ in wanted.hooks)}" if wanted.hooks else part


def _beside(part: str, seen: Seen) -> str:
    """What of others is there and stays."""
    if part == wiring.STATUSLINE and seen.other_statusline:
        return f"chained: its line comes below ours: {seen.other_statusline}"
    if part == wiring.HOOKS and seen.others:
        return others_words(len(seen.others))
    if part == wiring.RECALL:
        return "the agent reads what tokens kept unasked, also what other sessions did"
    return ""


def others_words(count: int) -> str:
    """How many hooks of others stay; '' for none."""
    if count == 1:
        return "a hook of another tool stays as it is"
    return f"{count} hooks of other tools stay as they are" if count else ""


def dropped_row(target: Target, part: str) -> Row:
    """A part of ours that goes, for another does the same."""
    other = "the plugin" if part == wiring.HOOKS else "hooks, commands and skill"
    note = f"{other} would do the same a second time"
    return Row(part, "remove", target.named_path, part, note)
