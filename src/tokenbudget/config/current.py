"""The settings of this process, going on with the last good config.toml where it has a typo.

That text is kept in the data folder, 0600, and written only when it changed. Where the folder
cannot be written nothing is kept, silently.
"""

from __future__ import annotations

import os

from tokenbudget.config.settings import (
    PLACE_VARIABLES,
    Settings,
    config_text,
    places_from,
    settings_of,
    working_dir,
)
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXT_NAME = "config.last-good.toml"
TEXT_FORMAT = "tokenbudget/config-last-good/1"


class ToldOnce:
    """Passes every sentence on, the first time."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[str] = set()

    def __call__(self, sentence: str) -> None:
        """Tell it, unless it was told."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)


def current_settings(
    tell: Callable[[str], None], refuse_impossible: Callable[[Settings], None]
) -> Settings:
    """The settings of this process; raises as `lasting_settings`."""
    return lasting_settings(os.environ, working_dir(), tell, refuse_impossible)


def bare_settings() -> Settings:
    """The settings of this process as if config.toml said nothing: enough to correct it.

    Raises:
        BadConfig: a variable is impossible.
    """
    return settings_of(os.environ, working_dir(), None)


def lasting_settings(
    environment: Mapping[str, str],
    working_dir: str,
    tell: Callable[[str], None],
    refuse_impossible: Callable[[Settings], None],
) -> Settings:
    """The settings under these variables; a text of config.toml that is good is kept.

    A text that was found good is not examined again. `refuse_impossible` raises BadConfig for what
    only rooms above this one can judge, such as prices.

    Raises:
        BadConfig: a variable is impossible; or the file is, and no last good text stands in.
    """
    places = places_from(environment)
    on_fault = ToldOnce(tell)
    try:
        text = config_text(places.config_path)
        found = settings_of(environment, working_dir, text)
        _examine(environment, text, refuse_impossible)
    except BadConfig as fault:
        good = good_text(places.data_dir, places.config_path)
        if good is None:
            raise
        from tokenbudget.config.files import day_of

        at_ms, text = good
        try:
            found = settings_of(environment, working_dir, text)
        except BadConfig:
            raise fault from None
        on_fault(f"{fault}; the values of {day_of(at_ms)} are used until that is corrected")
        found = found._replace(file_fault=str(fault))
    return found._replace(on_fault=on_fault)


def _examine(
    environment: Mapping[str, str],
    text: bytes | None,
    refuse_impossible: Callable[[Settings], None],
) -> None:
    """Judge a text that is new, apart from any variable, and keep it."""
    if text is None:
        return
    places = places_from(environment)
    good = good_text(places.data_dir, places.config_path)
    if good is not None and good[1] == text:
        return
    only_places = {name: environment[name] for name in PLACE_VARIABLES if name in environment}
    refuse_impossible(settings_of(only_places, "", text))
    from tokenbudget.system.clock import SystemClock

    keep_text(places.data_dir, places.config_path, text, SystemClock().now_ms())


def good_text(data_dir: str, path: str) -> tuple[int, bytes] | None:
    """When this config.toml was last good, and its text then.

    None where none is kept, or it is of another path.
    """
    from tokenbudget.config.files import kept_bytes, moment_ms

    data = kept_bytes(os.path.join(data_dir, TEXT_NAME))
    if data is None:
        return None
    head, _, text = data.partition(b"\n")
    parts = head.decode("ascii", "replace").split(" ", 3)
    if len(parts) != 4 or parts[:2] != ["#", TEXT_FORMAT] or parts[3] != ascii(path):
        return None
    return moment_ms(parts[2]), text


def keep_text(data_dir: str, path: str, text: bytes, now_ms: int) -> None:
    """Keep a text that is good."""
    from tokenbudget.config.files import keep_bytes

    head = f"# {TEXT_FORMAT} {now_ms} {path!a}\n".encode()
    keep_bytes(data_dir, TEXT_NAME, head + text)
