import subprocess
import sys
from pathlib import Path

import pytest

import tokenbudget.alerts

HEAVY = (
    "apprise", "asyncio", "dataclasses", "decimal", "email", "enum", "http", "json", "keyring",
    "logging", "requests", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "urllib",
    "zoneinfo",
)  # fmt: skip
MODULES = sorted(
    path.stem for path in Path(tokenbudget.alerts.__path__[0]).glob("*.py") if path.stem[0] != "_"
)


@pytest.mark.parametrize("module", MODULES)
def test_this_module_costs_next_to_nothing(module: str) -> None:
    # What `typing`, `re`, `functools` and `threading` bring is in every command already.
    code = (
        "import sys, typing, re, functools, contextlib, threading; before = set(sys.modules);"
        f"import tokenbudget.alerts.{module};"
        f"print(*sorted((set(sys.modules) - before).intersection({HEAVY})))"
    )
    src = str(Path(tokenbudget.alerts.__path__[0]).parents[1])
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {src!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
