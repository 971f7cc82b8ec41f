"""What is to be said beside the plan of `tokens install`: what it costs, hides, or cannot do."""

from __future__ import annotations

import contextlib

from tokenbudget.app.installing_client import PLUGIN, marks, plugin_place
from tokenbudget.app.installing_errand import COMMANDS
from tokenbudget.app.installing_place import target_of
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.management import LOCAL, PROJECT, USER
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.resources import wiring
from tokenbudget.resources.settings_said import said_in
from tokenbudget.resources.wiring import seen_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.app.installing_errand import Errand
    from tokenbudget.app.installing_place import Target
    from tokenbudget.config.settings import Settings
    from tokenbudget.resources.client_features import ClientFeatures
    from tokenbudget.resources.wiring import Seen, Wanted


def notes_on(
    settings: Settings,
    target: Target,
    features: ClientFeatures,
    errand: Errand,
    seen: Seen | None,
    wanted: Wanted,
) -> Iterator[str]:
    """What is to be said beside the plan; sentences without their full stop.

    Args:
        settings: Whose home and agent.
        target: The scope.
        features: What the clients in use take.
        errand: What was asked for, as it was asked.
        seen: What the settings file says; None where it cannot be read.
        wanted: What of it can be wired.
    """
    yield from _on_clients(features)
    yield from _on_settings(settings, target, seen, wanted)
    yield from _on_model(target, features, errand)
    if wiring.PLUGIN in errand.components:
        yield from _on_plugin(features)
    if {wiring.HOOKS, wiring.PLUGIN} & set(errand.components):
        yield from _on_trimming(settings)
    if errand.is_http:
        yield "hooks over HTTP ask the daemon, which is started, and stays until they go"


def _on_trimming(settings: Settings) -> Iterator[str]:
    """The one thing that changes what the agent is given, and that stays on this disk."""
    with contextlib.suppress(TokenBudgetError):  # a config.toml with a fault is told of elsewhere
        if settings.trim_settings().on:
            yield (
                "long results of tools are shortened before they enter the window; tokens recall"
                f" has the originals on this disk for {settings.spill_settings().keep_days} days;"
                " without it: tokens config set trim.on false"
            )


def _on_settings(
    settings: Settings, target: Target, seen: Seen | None, wanted: Wanted
) -> Iterator[str]:
    if seen is not None and seen.is_all_disabled:
        yield f"{target.named_path} says disableAllHooks: hooks and status line are not run"
    if target.project and wanted.statusline:
        yield from _on_hidden_line(settings, target)
    if target.scope == PROJECT:
        yield (
            "whoever works on this project gets this file, and it names paths of this machine;"
            " --scope local keeps it to yourself"
        )


def _on_clients(features: ClientFeatures) -> Iterator[str]:
    if not features.version:
        yield (
            "no client was found here; hooks are wired as the newest tested one,"
            f" {features.looked_at}, takes them"
        )
    elif not features.is_known and features.looked_at == features.version:
        yield f"a client in use beside {features.version} was not looked at yet"
    elif not features.is_known:
        yield (
            f"client {features.version} was not looked at yet; it is wired as"
            f" {features.looked_at} was"
        )


def _on_plugin(features: ClientFeatures) -> Iterator[str]:
    yield "its commands are typed /tokenbudget:tokens and /tokenbudget:sc:mode"
    if not features.loads_named_plugins:
        yield (
            f"{features.version} loads no plugin that settings name; run claude plugin"
            f" marketplace add '{plugin_place()}' and claude plugin install {PLUGIN}"
        )


def _on_model(target: Target, features: ClientFeatures, errand: Errand) -> Iterator[str]:
    """What a small model in the commands would cost."""
    if features.has_cheap_haiku:
        return
    client = features.version
    means = f"{client} means" if client == features.looked_at else f"{client} may mean"
    if wiring.PLUGIN in errand.components:
        yield (
            f"the plugin's commands name `model: haiku`; {means} haiku-4-5 by it, which costs"
            " more than it saves; --only commands,hooks,skill leaves it out"
        )
    elif COMMANDS not in errand.components or target.scope == LOCAL:
        return
    elif errand.has_model is None:
        yield (
            f"/tokens without `model: haiku`: {means} haiku-4-5 by it, which costs more than it"
            " saves (--model names it all the same)"
        )
    elif errand.has_model:
        yield f"{means} haiku-4-5 by `model: haiku`, which costs more than it saves"


def _on_hidden_line(settings: Settings, target: Target) -> Iterator[str]:
    """A status line of another tool that a project's hides: the client draws one alone."""
    user = target_of(settings, USER)
    with contextlib.suppress(TokenBudgetError, NotEditable, ValueError, OSError):
        there = seen_in(user.text_at(user.settings_path) or "", marks())
        if there.other_statusline:
            yield (
                f"in this project the status line of {user.named_path} is not drawn any more:"
                f" {there.other_statusline}"
            )


def passed_over(target: Target) -> str:
    """Why the client takes nothing of a settings file that we can read; '' where it does."""
    path = target.named_path
    said = said_in(target.text_at(target.settings_path) or "", target.scope, path, marks())
    if said.counts:
        return ""
    why = said.fault or f"says {', '.join(said.refused)} in a shape that is not taken"
    return (
        f"{path} {why}; Claude Code passes over the whole file, with what is wired there, until"
        " you correct it"
    )
