"""What a person wants of the controller, joined from the settings that speak of it.

Which levers may act: `[control]` has the last word; where it says nothing, `autoOptimize` makes all
of them act, and `autoCleanup` those of a hard clean-up from critical on. Either counts only by the
person's own word: a project's `settings.json` comes with the repository.
"""

from __future__ import annotations

from tokenbudget.app.alert_decisions import is_own_word
from tokenbudget.config.hooking import stop_at
from tokenbudget.model.control import (
    ADVICE_ONLY,
    HISTORY,
    LEVERS,
    RESERVE,
    SCRATCH,
    SERVERS,
    Wishes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.control import ControlSettings
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.control import Mode

CLEANUP = (SERVERS, HISTORY, SCRATCH, RESERVE)
"""The levers of a hard clean-up, which `autoCleanup` allows."""


def wishes_of(settings: Settings) -> Wishes:
    """What the settings that hold in `settings.working_dir` come to.

    Raises:
        BadConfig: they cannot be meant.
    """
    control, management = settings.control_settings(), settings.management()
    optimizes = management.auto_optimize and is_own_word(settings, "autoOptimize")
    cleans_up = management.auto_cleanup and is_own_word(settings, "autoCleanup")
    return Wishes(
        modes=modes_of(control, optimizes=optimizes),
        critical_modes=critical_modes_of(control) if cleans_up else {},
        warning_share=management.warning_share,
        critical_share=management.critical_share,
        emergency_share=management.emergency_share,
        interval_ms=control.interval_seconds * 1000,
        cooldown_ms=control.cooldown_seconds * 1000,
        lease_ms=control.lease_seconds * 1000,
        pins=control.pins,
        stop_share=stop_at(settings.hook_settings().stop_at, settings.config_path).share,
    )


def modes_of(control: ControlSettings, *, optimizes: bool) -> dict[str, Mode]:
    """Every lever with its mode; what only a person can follow is at most advised."""
    whole: Mode = control.mode or ("auto" if optimizes else "advise")
    found: dict[str, Mode] = {}
    for lever in LEVERS:
        wanted = whole if whole == "off" else control.levers.get(lever, whole)
        found[lever] = "advise" if wanted == "auto" and lever in ADVICE_ONLY else wanted
    return found


def critical_modes_of(control: ControlSettings) -> dict[str, Mode]:
    """What `autoCleanup` adds; nothing where the person has said more exactly what they want."""
    if control.mode:
        return {}
    return {lever: "auto" for lever in CLEANUP if lever not in control.levers}
