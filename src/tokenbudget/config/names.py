"""The names of settings: variables that set them, and what may stand in config.toml.

Every command needs these; the meanings stand apart, in `catalogue`, for those that show them.
"""

from __future__ import annotations

MANAGEMENT = "tokenManagement"
ALERTS = "alerts"
MONITOR = "monitor"

VARIABLES = {
    "home": "TOKENS_HOME",
    "config": "TOKENS_CONFIG",
    "claude_dirs": "CLAUDE_CONFIG_DIR",
    "timezone": "TOKENS_TZ",
    "workers": "TOKENS_WORKERS",
    "backfill": "TOKENS_BACKFILL",
    "autocompact_reserve_tokens": "TOKENS_AUTOCOMPACT_RESERVE",
    "tokenManagement.autoOptimize": "TOKENS_AUTO_OPTIMIZE",
    "tokenManagement.warningThreshold": "TOKENS_WARNING_THRESHOLD",
    "tokenManagement.criticalThreshold": "TOKENS_CRITICAL_THRESHOLD",
    "tokenManagement.emergencyThreshold": "TOKENS_EMERGENCY_THRESHOLD",
    "tokenManagement.autoCleanup": "TOKENS_AUTO_CLEANUP",
    "tokenManagement.compressionMode": "TOKENS_COMPRESSION_MODE",
}
"""The environment variable of a setting, where it has one."""

KNOWN_IN_FILE = frozenset(
    {
        "alerts",
        "allocation",
        "autocompact_reserve_tokens",
        "backfill",
        "claude_dirs",
        "monitor",
        "prices",
        "timezone",
        "tokenManagement",
        "windows",
        "workers",
    }
)
"""What may stand at the top of config.toml."""
