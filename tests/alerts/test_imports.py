import pytest
from tests.light_modules import brought_by, modules_of

HEAVY = (
    "apprise", "asyncio", "dataclasses", "decimal", "email", "enum", "http", "json", "keyring",
    "logging", "requests", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "urllib",
    "zoneinfo",
)  # fmt: skip


@pytest.mark.parametrize("module", modules_of("tokenbudget.alerts"))
def test_this_module_costs_next_to_nothing(module: str) -> None:
    # What `typing`, `re`, `functools` and `threading` bring is in every command already.
    assert brought_by(module, HEAVY, "typing, re, functools, contextlib, threading") == []
