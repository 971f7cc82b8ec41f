"""What a plan of `tokens install` tells of the settings file, and beside it."""

from __future__ import annotations

import json

from tokenbudget.app.installing_client import PLUGIN, plugin_place
from tokenbudget.app.installing_errand import Row
from tokenbudget.config.management import PROJECT
from tokenbudget.resources import wiring
from tokenbudget.resources.wiring import alone, is_current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenbudget.app.installing_errand import Change, Errand
    from tokenbudget.app.installing_place import Target
    from tokenbudget.resources.client_features import ClientFeatures
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
    return f"hooks: {', '.join(event for event, _ in wanted.hooks)}" if wanted.hooks else part


def _beside(part: str, seen: Seen) -> str:
    """What of others is there and stays."""
    if part == wiring.STATUSLINE and seen.other_statusline:
        return f"chained: its line comes below ours: {seen.other_statusline}"
    if part == wiring.HOOKS and seen.others:
        return others_words(len(seen.others))
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


def notes_on(
    target: Target, features: ClientFeatures, errand: Errand, seen: Seen | None
) -> Iterator[str]:
    """What is to be said beside the plan; sentences without their full stop."""
    if seen is not None and seen.is_all_disabled:
        yield f"{target.named_path} says disableAllHooks: hooks and status line are not run"
    if seen is not None and not _is_plain_json(target.text_at(target.settings_path) or ""):
        yield (
            f"{target.named_path} holds comments or spare commas, which stay; an agent that reads"
            " plain JSON alone passes the file over"
        )
    if target.scope == PROJECT:
        yield (
            "whoever works on this project gets this file, and it names paths of this machine;"
            " --scope local keeps it to yourself"
        )
    if not features.version:
        yield (
            "no client was found here; hooks are wired as the newest tested one,"
            f" {features.looked_at}, takes them"
        )
    elif not features.is_known:
        yield (
            f"client {features.version} was not looked at yet; it is wired as"
            f" {features.looked_at} was"
        )
    if wiring.PLUGIN in errand.components:
        yield "its commands are typed /tokenbudget:tokens and /tokenbudget:sc:mode"
        if not features.has_http_hooks:  # as old as those that take no plugin from settings
            yield (
                "an old client in use loads no plugin that settings name; run claude plugin"
                f" marketplace add '{plugin_place()}' and claude plugin install {PLUGIN}"
            )
    if errand.is_http:
        yield "hooks over HTTP ask the daemon, which is started, and stays until they go"


def _is_plain_json(text: str) -> bool:
    plain = text.removeprefix(wiring.BOM)
    try:
        return not plain.strip() or isinstance(json.loads(plain), dict)
    except (ValueError, RecursionError):
        return False
