"""What `tokens install` would do in one scope: looked at, and nothing changed."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.app.installing_client import (
    PLUGIN,
    features_wanted,
    http_hook_for,
    marks,
    plugin_place,
    python,
)
from tokenbudget.app.installing_cost import cost_of
from tokenbudget.app.installing_errand import COMPONENTS, IN_PLUGIN, PRIVATE_MODE, Row, said
from tokenbudget.app.installing_files import called, files_planned, our_files, ours_then
from tokenbudget.app.installing_notes import notes_on, passed_over
from tokenbudget.app.installing_rows import dropped_row, settings_rows
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.management import USER
from tokenbudget.gateway.hook_files import hook_command
from tokenbudget.gateway.statusline_files import statusline_command
from tokenbudget.model.errors import BadRequest, Refused, TokenBudgetError
from tokenbudget.resources import wiring
from tokenbudget.resources.settings import edited
from tokenbudget.resources.wiring import Wanted, alone, is_current, seen_in, wiring_edits
from tokenbudget.resources.wiring_hooks import events_wired, hook_groups
from tokenbudget.resources.wiring_sweep import swept
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.app.installing_cost import InstalledCost
    from tokenbudget.app.installing_errand import Errand
    from tokenbudget.app.installing_place import Target
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import EditText
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.client_features import ClientFeatures
    from tokenbudget.resources.wiring import Seen


class InstallPlan(NamedTuple):
    """What would be done in one scope."""

    target: Target
    errand: Errand
    features: ClientFeatures
    rows: tuple[Row, ...]
    events: tuple[str, ...]
    """Of our hooks, those that the clients in use know."""
    wanted: Wanted
    """What is to be written into the settings file."""
    dropped: tuple[str, ...]
    """Parts of ours there that would do what another one does."""
    mode: int | None
    """Of the settings file, where a secret goes into it."""
    has_leaving: bool
    """Whether files of ours go, for the plugin has them too."""
    texts: tuple[tuple[str, EditText], ...]
    """Files to write, by their component."""
    cost: InstalledCost
    notes: tuple[str, ...]
    passed_over: str
    """Why the client will take nothing of the settings file; '' where it will."""
    is_recall_asked: bool = False
    """Whether the client will ask a person before `tokens recall`."""

    @property
    def is_settings_due(self) -> bool:
        """Whether the settings file is to be written."""
        return bool(self.wanted.parts or self.dropped)

    @property
    def is_any(self) -> bool:
        """Whether anything is to be done."""
        return self.is_settings_due or self.has_leaving or bool(self.texts)

    @property
    def refused(self) -> tuple[Row, ...]:
        """What cannot be done."""
        return tuple(row for row in self.rows if row.change == "refused")


def plan_of(
    settings: Settings, ledger: Ledger, clock: Clock, target: Target, errand: Errand
) -> InstallPlan:
    """Look at what is there, and say what would become of it.

    Raises:
        BadRequest: what is asked for cannot be.
        Refused: it would put a secret where others read it.
    """
    _refuse_open_secret(target, errand)
    features = features_wanted(settings, ledger, clock, errand.client_version)
    if errand.is_http and not features.has_http_hooks:
        raise BadRequest(
            f"a client in use, {features.version}, has no hooks over HTTP; leave --http-hooks out"
        )
    asked = errand
    if errand.has_model is None:
        errand = errand._replace(has_model=features.has_cheap_haiku)
    wanted = _wanted(settings, features, errand)
    seen, wanted, refusals = _possible(target, wanted)
    doubles = _doubled(errand, seen)
    file_rows, texts = files_planned(target, errand, ledger)
    mode = PRIVATE_MODE if errand.is_http and wanted.hooks else None
    due = wanted
    if seen is not None and not doubles and is_current(seen, wanted):
        due = Wanted()
    leaving = _leaving_rows(ledger, target) if wanted.plugin else []
    rows = [*settings_rows(target, errand, seen, wanted, due, refusals), *file_rows, *leaving]
    rows += [dropped_row(target, part) for part in doubles]
    over = passed_over(target) if seen is not None else ""
    return InstallPlan(
        target,
        errand,
        features,
        tuple(sorted(rows, key=lambda row: COMPONENTS.index(row.component))),
        tuple(event for event, _ in wanted.hooks),
        due,
        doubles,
        mode if due.parts else None,
        bool(leaving),
        texts,
        cost_of(wanted, ours_then(target, errand, file_rows)),
        (*filter(None, (over,)), *notes_on(settings, target, features, asked, seen, wanted)),
        over,
        not (wanted.recall or (seen is not None and seen.has_recall)),
    )


def _leaving_rows(ledger: Ledger, target: Target) -> list[Row]:
    """Files of ours that the plugin stands in for; one that somebody has edited is theirs."""
    return [
        Row(one.component, "remove", one.path, called(one.name), "the plugin has it too")
        for one in our_files(ledger, target)
        if not one.is_edited
    ]


def _refuse_open_secret(target: Target, errand: Errand) -> None:
    if errand.is_http and target.scope != USER:
        raise Refused(
            "--http-hooks writes a secret, and a project's files are seen by others; use --scope"
            " user"
        )


def _wanted(settings: Settings, features: ClientFeatures, errand: Errand) -> Wanted:
    home, parts = settings.data_dir, errand.components
    events = events_wired(features.events) if wiring.HOOKS in parts else ()
    http = http_hook_for(settings) if errand.is_http else None
    has_plugin = wiring.PLUGIN in parts
    return Wanted(
        statusline=statusline_command(python(), home) if wiring.STATUSLINE in parts else "",
        chain=lambda other: statusline_command(python(), home, other),
        hooks=hook_groups(events, hook_command(python(), home), http),
        plugin=PLUGIN if has_plugin else "",
        plugin_folder=plugin_place() if has_plugin else "",
        recall=wiring.RECALL in parts,
    )


def _possible(target: Target, wanted: Wanted) -> tuple[Seen | None, Wanted, Mapping[str, str]]:
    """What is there, what of the wanted parts can be wired, and why the others cannot."""
    known = marks()
    try:
        text = target.text_at(target.settings_path) or ""
        seen = seen_in(text, known)
        bare = swept(text, known)
    except (ValueError, NotEditable) as wrong:
        sentence = f"{quoted(target.named_path)} cannot be changed safely: {wrong}"
        return None, Wanted(), dict.fromkeys(wanted.parts, sentence)
    except (TokenBudgetError, OSError) as wrong:
        return None, Wanted(), dict.fromkeys(wanted.parts, said(wrong))
    refusals = {}
    if is_read_only(target):
        sentence = f"{quoted(target.named_path)} is read-only; make it writable"
        if not is_current(seen, wanted):
            return seen, Wanted(), dict.fromkeys(wanted.parts, sentence)
    for part in wanted.parts:
        try:
            edited(bare, wiring_edits(bare, alone(wanted, (part,)), known))
        except (ValueError, NotEditable) as wrong:
            refusals[part] = f"{quoted(target.named_path)} cannot be changed safely: {wrong}"
    return seen, alone(wanted, [one for one in wanted.parts if one not in refusals]), refusals


def is_read_only(target: Target) -> bool:
    """Whether the settings file is there, and no one may write it."""
    found = target.read(target.settings_path)
    return found is not None and not found.mode & 0o222


def _doubled(errand: Errand, seen: Seen | None) -> tuple[str, ...]:
    """Parts of ours there that do what is wanted in another way."""
    if seen is None:
        return ()
    if wiring.PLUGIN in errand.components and wiring.HOOKS in seen.parts:
        return (wiring.HOOKS,)
    if wiring.PLUGIN in seen.parts and set(IN_PLUGIN) & set(errand.components):
        return (wiring.PLUGIN,)
    return ()
