"""Sends what is meant for Slack and Discord to a receiver on the loopback: for a real process.

Put on PYTHONPATH by tests that run the whole program; the receivers' addresses come in variables.
"""

import importlib.abc
import importlib.machinery
import os
import sys
from types import ModuleType

PLACES = {
    "apprise.plugins.slack": ("NotifySlack", "webhook_url", "TEST_SLACK"),
    "apprise.plugins.discord": ("NotifyDiscord", "notify_url", "TEST_DISCORD"),
}


class Redirected(importlib.abc.Loader):
    """Loads a module and changes one address in it."""

    def __init__(self, loader: importlib.abc.Loader, name: str) -> None:
        self._loader, self._name = loader, name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        owner, attribute, variable = PLACES[self._name]
        if variable in os.environ:  # noqa: TID251
            setattr(getattr(module, owner), attribute, os.environ[variable])  # noqa: TID251


class Finder(importlib.abc.MetaPathFinder):
    """Finds those modules where they are."""

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in PLACES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)  # type: ignore[arg-type]
        if spec is not None and spec.loader is not None:
            spec.loader = Redirected(spec.loader, name)
        return spec


sys.meta_path.insert(0, Finder())
