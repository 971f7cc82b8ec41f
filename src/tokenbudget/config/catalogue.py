"""Every setting by name: its variable, what holds without it, what it is for.

The table is the documentation: `tokens config` prints it, and a test compares docs/config.md.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.values import VARIABLES


class Setting(NamedTuple):
    """One setting: its name in config.toml, and what it is for."""

    name: str
    meaning: str
    built_in: str
    """What holds where nobody says anything, in words."""

    @property
    def variable(self) -> str:
        """Its environment variable; '' where it has none."""
        return VARIABLES.get(self.name, "")

    @property
    def table(self) -> str:
        """The table of config.toml that it stands in; '' for one of its own."""
        return self.name.rpartition(".")[0]


SETTINGS = (
    Setting(
        "home", "folder of the product's own data (ledger, locks)", "~/.local/share/tokenbudget"
    ),
    Setting("config", "path of config.toml", "~/.config/tokenbudget/config.toml"),
    Setting(
        "claude_dirs",
        "further folders of Claude Code, separated by commas",
        "~/.claude, ~/.config/claude",
    ),
    Setting("timezone", "IANA name of the zone whose days are shown", "local"),
    Setting("workers", "processes that read transcripts; 0 reads in the command itself", "auto"),
    Setting("backfill", "detail after a large first read: detached, inline or off", "detached"),
    Setting("prices", "your own prices, by model: see docs/prices.md", "bundled"),
    Setting(
        "windows", "your own window sizes in tokens, by model; `*` ends a beginning", "published"
    ),
    Setting(
        "autocompact_reserve_tokens",
        "tokens that the client keeps free before it compacts by itself",
        "by client",
    ),
    Setting("allocation", "your own shares of the window: see docs/window.md", "standard"),
    Setting(
        "tokenManagement.autoOptimize",
        "carry out reversible recommendations without asking",
        "false",
    ),
    Setting(
        "tokenManagement.warningThreshold",
        "share of the window at which the level becomes warning",
        "0.5",
    ),
    Setting(
        "tokenManagement.criticalThreshold",
        "share of the window at which the level becomes critical",
        "0.75",
    ),
    Setting(
        "tokenManagement.emergencyThreshold",
        "share of the window at which the level becomes emergency",
        "0.9",
    ),
    Setting(
        "tokenManagement.autoCleanup",
        "from critical on, the controller cleans up by itself, even without autoOptimize",
        "false",
    ),
    Setting(
        "tokenManagement.compressionMode",
        "how tersely the agent writes and results are handed on: verbose, balanced, compressed",
        "balanced",
    ),
    Setting(
        "alerts.quiet_hours", "daily span without notices, such as 22:00-07:00", "no such span"
    ),
    Setting("alerts.repeat", "how often an alert that goes on is told again", "4h"),
    Setting("alerts.rate_per_hour", "most notices in an hour; the rest is counted", "6"),
    Setting("alerts.passing_level", "level from which a notice passes quiet hours", "critical"),
    Setting("alerts.desktop", "notices on the desktop", "false"),
    Setting("alerts.bell", "the terminal's bell", "true"),
    Setting("monitor.interval", "time between two looks of `tokens monitor`", "30s"),
    Setting("monitor.theme", "colours of `tokens monitor`", "auto"),
    Setting(
        "hooks.thresholds",
        "shares of the window at which the agent is told, once each",
        "0.5, 0.7, 0.8, 0.9",
    ),
    Setting("hooks.tell", "hooks tell the agent how its window stands", "true"),
    Setting(
        "hooks.guard", "hooks deny, once, a call that fetches again what is in the window", "true"
    ),
    Setting("hooks.guard_tokens", "what a read has to be worth for that, in tokens", "2000"),
    Setting(
        "hooks.stop_at",
        "where the turn is stopped: a share, tokens or money, such as 95%, 180000 or 5usd",
        "nowhere",
    ),
    Setting("trim.on", "results of tools are shortened before they go into the window", "true"),
    Setting("trim.min_tokens", "what is shorter goes on as it is", "200"),
    Setting("trim.allow", "tools whose results may be shortened; `*` ends a beginning", "*"),
    Setting("trim.deny", "tools whose results never are", "none"),
    Setting(
        "trim.wrap",
        "tests, builds and listings run so that a failure's output is shortened",
        "true",
    ),
    Setting("gateway.find_limit", "tools that one search of the agent names", "10"),
    Setting("gateway.call_seconds", "seconds that a server may be silent in one call", "600"),
    Setting(
        "gateway.idle_seconds", "seconds without a call after which a server is stopped", "600"
    ),
    Setting("gateway.run_seconds", "seconds that one piece of the agent's code may run", "120"),
    Setting("gateway.memory_mb", "megabytes that this code may hold", "256"),
    Setting("gateway.answer_tokens", "what is longer is shortened, with a handle", "2000"),
    Setting("gateway.skills", "skills are found and loaded through the gateway too", "false"),
    Setting(
        "gateway.allow", "calls that go through unasked, as server.tool; `*` is anything", "none"
    ),
    Setting("gateway.ask", "calls for which you are asked, beside those that destroy", "none"),
    Setting("gateway.deny", "calls that are refused, whatever else is said", "none"),
    Setting(
        "gateway.modes", "servers whose tools are offered as compact or direct, not as code", "none"
    ),
    Setting(
        "control.mode",
        "what the controller does by itself: off, advise or auto",
        "by autoOptimize and autoCleanup",
    ),
    Setting("control.levers", "levers whose mode is another one, by name", "none"),
    Setting("control.interval", "time between two looks of the controller", "5s"),
    Setting("control.cooldown", "time between two actions of one lever", "5m"),
    Setting("control.lease", "time after which what was lent is put back", "24h"),
    Setting("control.pins", "ids that the controller never touches; `*` ends a beginning", "none"),
    Setting("serve.autostart", "a hook that finds no daemon starts one", "true"),
    Setting("serve.idle", "time without hooks after which the daemon ends", "15m"),
    Setting("serve.port", "port of 127.0.0.1 for hooks over HTTP; 0 is one by user", "0"),
    Setting(
        "spill.keep_days", "days that the original of a shortened result can be recalled", "30"
    ),
    Setting("spill.most_mb", "megabytes of originals on the disk; the oldest go first", "1000"),
)
