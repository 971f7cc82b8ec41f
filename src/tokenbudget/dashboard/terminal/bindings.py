"""The keys as Textual binds them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tokenbudget.dashboard.terminal.keys import APP_KEYS


def bindings() -> list[BindingType]:
    """Those that hold on every screen; a list adds its own while it has the focus."""
    found: list[BindingType] = [
        Binding(key.keys, key.action, key.word, show=False) for key in APP_KEYS if key.action
    ]
    found += [Binding(str(n), f"advice({n})", show=False) for n in range(1, 10)]
    found.append(Binding("down,up", "enter_list", show=False))
    # Before any list or line that is typed in gets it.
    return [*found, Binding("ctrl+c", "quit", show=False, priority=True)]
