"""The settings that hooks need, compiled into one small file: `app.hook_settings` writes it.

Missing or damaged, what is built in holds: a hook never reads config.toml, which takes longer than
all that it does.
"""

from tokenbudget.gateway.hooks.small_files import content_of
from tokenbudget.gateway.statusline_values import Table, number, parsed, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "tokenbudget/hook-settings/1"
FILE = "/hooks/settings.json"
MOST_BYTES = 1 << 16

THRESHOLDS = (0.5, 0.7, 0.8, 0.9)
LEVEL_SHARES = (0.5, 0.75, 0.9)
GUARD_TOKENS = 2_000
TRIM_TOKENS = 200
MOST_TOOLS = 64
MODES = ("verbose", "balanced", "compressed")


class HookWishes:
    """How hooks are to behave."""

    __slots__ = ("guard_tokens", "is_guarding", "is_telling", "is_trimming", "is_wrapping",
                 "level_shares", "mode", "stop_at_share", "stop_at_tokens", "stop_at_usd",
                 "thresholds", "trim_allow", "trim_deny", "trim_min_tokens",
                 "windows")  # fmt: skip

    def __init__(self, told: Table) -> None:
        self.thresholds = _shares(told.get("thresholds"), THRESHOLDS)
        self.level_shares = _shares(told.get("level_shares"), LEVEL_SHARES) or LEVEL_SHARES
        self.is_telling = told.get("is_telling") is not False
        self.is_guarding = told.get("is_guarding") is not False
        guard_tokens = number(told, "guard_tokens")
        self.guard_tokens = GUARD_TOKENS if guard_tokens is None else int(guard_tokens)
        self.stop_at_share = number(told, "stop_at_share") or None
        self.stop_at_tokens = number(told, "stop_at_tokens") or None
        self.stop_at_usd = number(told, "stop_at_usd") or None
        mode = told.get("mode")
        self.mode = str(mode) if mode in MODES else "balanced"
        self.is_trimming = told.get("is_trimming") is not False
        self.is_wrapping = told.get("is_wrapping") is not False
        min_tokens = number(told, "trim_min_tokens")
        self.trim_min_tokens = TRIM_TOKENS if min_tokens is None else int(min_tokens)
        self.trim_allow = _tools(told.get("trim_allow"), ("*",))
        self.trim_deny = _tools(told.get("trim_deny"), ())
        self.windows: Mapping[str, object] = table(told, "windows")
        """The person's own window sizes, by model."""


def wishes_in(home: str) -> HookWishes:
    """What the file says, each value that cannot be replaced by what is built in."""
    told = parsed(content_of(home + FILE, MOST_BYTES))
    return HookWishes(told if told.get("format") == FORMAT else {})


def _tools(given: object, built_in: "tuple[str, ...]") -> "tuple[str, ...]":
    """Names of tools; what is no list of them is as if it were not there."""
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        return built_in
    return tuple(given[:MOST_TOOLS])


def _shares(given: object, built_in: "tuple[float, ...]") -> "tuple[float, ...]":
    if not isinstance(given, list) or len(given) > 16:
        return built_in
    shares = [one for one in given if _is_share(one)]
    return tuple(sorted(map(float, shares))) if len(shares) == len(given) else built_in


def _is_share(one: object) -> bool:
    return isinstance(one, float | int) and not isinstance(one, bool) and 0 < one <= 1
