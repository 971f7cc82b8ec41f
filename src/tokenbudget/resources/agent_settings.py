"""What the agent's settings files say already: read only, one that cannot be understood is named.

Writing them is `resources.settings`.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.resources.kind import AGENT_FOLDER
from tokenbudget.resources.looking import facts_of, is_plainly_inside, text_at
from tokenbudget.resources.settings import edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.model.actions import SettingEdit
    from tokenbudget.resources.kind import Place

MOST_BYTES = 4_000_000


class Said(NamedTuple):
    """The settings that concern what is sent, of all files together."""

    denied: frozenset[str]
    """`permissions.deny`."""
    skill_overrides: Mapping[str, str]
    excluded_memory: tuple[str, ...]
    """`claudeMdExcludes`: absolute paths and patterns."""
    disabled_servers: frozenset[str]
    """`disabledMcpjsonServers`."""
    description_characters: int | None
    """`skillListingMaxDescChars`."""
    listing_share: float | None
    """`skillListingBudgetFraction`."""
    text: str
    """Of all files, to see whether something is mentioned."""
    local_text: str | None
    """Of the project's local settings, '' where there are none; None where they take no edit."""
    notes: tuple[str, ...]
    hooks: Mapping[str, object]
    """By file, what it starts by itself: `hooks`, and the `agent` that sessions are."""
    is_sandboxed: bool
    """Shell commands run in the client's sandbox, which `Read(...)` rules hold for as well."""
    plugins: Mapping[str, bool] = {}
    """`enabledPlugins`, by `name@marketplace`."""
    marketplaces: Mapping[str, str] = {}
    """`extraKnownMarketplaces`: the folders of those that are one, by name."""

    def takes(self, *edits: SettingEdit) -> bool:
        """Whether the project's local settings can be changed so."""
        if self.local_text is None:
            return False
        try:
            edited(self.local_text, edits)
        except (NotEditable, ValueError):
            return False
        return True


def said_by(place: Place) -> Said:
    """What the user's, the project's and the local settings say; later ones win."""
    texts: list[str] = []
    documents: dict[str, dict[str, object]] = {}
    notes: list[str] = []
    local_text = "" if _is_free(place) else None
    if local_text is None:
        notes.append(
            f"{place.name_of(place.local_settings)} is a link, read-only or another's, so it is not"
            " changed; what would be written there is advice"
        )
    for path, top in settings_files(place):
        text = text_at(path, (top,), MOST_BYTES)
        if text is None:
            if os.path.lexists(path):
                notes.append(f"{place.name_of(path)} cannot be read; what it says is not known")
                local_text = None if path == place.local_settings else local_text
            continue
        texts.append(text)
        if path == place.local_settings and local_text is not None:
            local_text = text
        try:
            found = json.loads(text.removeprefix("\ufeff") or "{}")
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            documents[path] = found
            continue
        notes.append(f"{place.name_of(path)} is no JSON object; correct that first")
        local_text = None if path == place.local_settings else local_text
    return _said(documents, "\n".join(texts), local_text, tuple(notes))


def settings_files(place: Place) -> list[tuple[str, str]]:
    """Every settings file as (path, folder that it must lie in), lowest first."""
    found = [
        (os.path.join(folder, "settings.json"), place.home or folder)
        for folder in reversed(place.claude_dirs)
    ]
    found = [(path, top if path.startswith(top) else os.path.dirname(path)) for path, top in found]
    own = os.path.join(place.project, AGENT_FOLDER)
    found.append((os.path.join(own, "settings.json"), place.project))
    found.append((place.local_settings, place.project))
    return found


def _is_free(place: Place) -> bool:
    """Whether a settings file of this person can be there: no link, nothing in its way."""
    path = place.local_settings
    if os.path.lexists(path):
        facts = facts_of(path)
        is_ours = facts is not None and facts.is_ours and facts.is_writable
        return is_ours and is_plainly_inside(path, place.project)
    folder = place.agent_folder
    if os.path.lexists(folder):
        return is_plainly_inside(folder, place.project) and os.path.isdir(folder)
    return os.path.isdir(place.project)


def _said(
    by_file: Mapping[str, dict[str, object]],
    text: str,
    local_text: str | None,
    notes: tuple[str, ...],
) -> Said:
    documents = [*by_file.values()]
    overrides: dict[str, str] = {}
    characters: int | None = None
    share: float | None = None
    for document in documents:
        given = document.get("skillOverrides")
        for name, value in given.items() if isinstance(given, dict) else ():
            overrides[str(name)] = str(value)
        wanted = document.get("skillListingMaxDescChars")
        if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted >= 0:
            characters = wanted
        fraction = document.get("skillListingBudgetFraction")
        if isinstance(fraction, int | float) and not isinstance(fraction, bool):
            share = float(fraction) if 0 < fraction <= 1 else share
    permissions = [_table(document.get("permissions")) for document in documents]
    return Said(
        frozenset(word for table in permissions for word in _words(table.get("deny"))),
        overrides,
        tuple(word for d in documents for word in _words(d.get("claudeMdExcludes"))),
        frozenset(word for d in documents for word in _words(d.get("disabledMcpjsonServers"))),
        characters,
        share,
        text,
        local_text,
        notes,
        {path: _started_by(document) for path, document in by_file.items()},
        any(_table(document.get("sandbox")).get("enabled") is True for document in documents),
        {name: on for d in documents for name, on in _switches(d.get("enabledPlugins"))},
        {name: path for d in documents for name, path in _folders(d)},
    )


def _switches(value: object) -> list[tuple[str, bool]]:
    return [(name, on) for name, on in _table(value).items() if isinstance(on, bool)]


def _folders(document: dict[str, object]) -> list[tuple[str, str]]:
    known = _table(document.get("extraKnownMarketplaces"))
    sources = [(name, _table(_table(value).get("source"))) for name, value in known.items()]
    paths = [(name, source.get("path")) for name, source in sources]
    return [(name, path) for name, path in paths if isinstance(path, str) and path]


def _started_by(document: dict[str, object]) -> dict[str, object]:
    return {name: document[name] for name in ("hooks", "agent") if name in document}


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
