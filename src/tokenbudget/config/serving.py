"""The table `[serve]` of config.toml: how the daemon runs, and what holds without it."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.values import SERVE, refuse_unknown, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_IDLE_SECONDS = 7 * 86_400
MOST_DIGITS = 6
FIRST_PORT, LAST_PORT = 1024, 65_535


class ServeSettings(NamedTuple):
    """How the daemon runs."""

    autostart: bool = True
    """A hook that finds no daemon starts one."""
    idle: str = "15m"
    port: int = 0
    """0 is the one that belongs to this user."""

    @property
    def idle_seconds(self) -> int:
        """Time without hooks after which the daemon ends."""
        return span_seconds(self.idle) or 0


def serve_settings(settings: Settings) -> ServeSettings:
    """What `[serve]` says.

    Raises:
        BadConfig: a key is unknown or its value impossible.
    """
    path, given = settings.config_path, settings.serve
    known = ServeSettings._fields
    refuse_unknown(SERVE, given, known, path)
    autostart, port = given.get("autostart", True), given.get("port", 0)
    if not isinstance(autostart, bool):
        raise BadConfig(f"serve.autostart in {path} must be true or false, not {shown(autostart)}")
    if not is_port(port):
        raise BadConfig(
            f"serve.port in {path} must be 0 or {FIRST_PORT} to {LAST_PORT}, not {shown(port)}"
        )
    idle = given.get("idle", "15m")
    if span_seconds(idle) is None:
        raise BadConfig(f'serve.idle in {path} must be a time such as "15m", not {shown(idle)}')
    return ServeSettings(autostart, idle, port)  # type: ignore[arg-type]


def is_port(given: object) -> bool:
    """Whether it is a port that anyone may take, or 0."""
    is_number = isinstance(given, int) and not isinstance(given, bool)
    return is_number and (given == 0 or FIRST_PORT <= given <= LAST_PORT)  # type: ignore[operator]


def span_seconds(given: object) -> int | None:
    """A span such as `90s`, `15m`, `8h` or `1d`, up to a week; None for anything else."""
    if not isinstance(given, str) or len(given) > MOST_DIGITS + 1 or given[-1:] not in SECONDS:
        return None
    digits = given[:-1]
    if not (digits.isascii() and digits.isdecimal()):
        return None
    seconds = int(digits) * SECONDS[given[-1]]
    return seconds if 1 <= seconds <= LONGEST_IDLE_SECONDS else None
