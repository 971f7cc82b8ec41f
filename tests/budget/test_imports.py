import subprocess
import sys
from pathlib import Path

import pytest

import tokenbudget.budget

HEAVY = (
    "asyncio", "dataclasses", "decimal", "enum", "json", "msgspec", "random", "sqlite3",
    "statistics",
)  # fmt: skip
MODULES = sorted(
    path.stem for path in Path(tokenbudget.budget.__path__[0]).glob("*.py") if path.stem[0] != "_"
)


@pytest.mark.parametrize("module", MODULES)
def test_a_status_line_can_afford_this_module(module: str) -> None:
    # `typing` itself imports `enum`, through `re`, before Python 3.13: what it brings is not ours.
    code = (
        "import sys, typing; before = set(sys.modules);"
        f"import tokenbudget.budget.{module};"
        f"print(*sorted((set(sys.modules) - before).intersection({HEAVY})))"
    )
    src = str(Path(tokenbudget.budget.__path__[0]).parents[1])
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {src!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
