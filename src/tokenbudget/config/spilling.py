"""The table `[spill]` of config.toml: how long the originals of what was shortened are kept."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.values import SPILL, refuse_unknown, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings

MOST_DAYS, MOST_MEGABYTES = 3650, 1_000_000


class SpillSettings(NamedTuple):
    """What is kept."""

    keep_days: int = 30
    """Days since an original was last kept or asked for: as long as the client keeps its sessions,
    which can be resumed so long."""
    most_mb: int = 1000
    """Megabytes on the disk, compressed; the oldest go first."""


_MOST = {"keep_days": MOST_DAYS, "most_mb": MOST_MEGABYTES}


def spill_settings(settings: Settings) -> SpillSettings:
    """What `[spill]` says.

    Raises:
        BadConfig: a key is unknown, or a value cannot be.
    """
    path, known = settings.config_path, SpillSettings._fields
    refuse_unknown(SPILL, settings.spill, known, path)
    for key, given in settings.spill.items():
        is_count = isinstance(given, int) and not isinstance(given, bool)
        if not is_count or not 1 <= given <= _MOST[key]:  # type: ignore[operator]
            raise BadConfig(
                f"{SPILL}.{key} in {path} must be a number from 1 to {_MOST[key]:,},"
                f" not {shown(given)}"
            )
    return SpillSettings(**settings.spill)  # type: ignore[arg-type]
