"""A project whose tools say much: a log, sources, orders, a test run that fails."""

import json
import sys
from pathlib import Path

from tests.e2e import orders_mcp_server
from tests.e2e.installed import Machine

ORDERS = 150
LOG = "".join(
    f"2026-11-20 12:{second // 60:02}:{second % 60:02} INFO worker {second % 8}"
    f" fetched a page of the catalogue in {second % 90} ms\n"
    for second in range(500)
)
FAULT = "2026-11-20 12:59:59 ERROR worker 3 lost its connection: reset by peer\n"
CART = "".join(
    f"def price_{number}(cents: int) -> int:\n"
    f'    """What item {number} costs, with its tax."""\n'
    f"    return cents * {100 + number} // 100\n\n\n"
    for number in range(60)
)
TEST_RUN = (
    "============================= test session starts ==============================\n"
    "platform linux -- Python 3.11.9, pytest-8.3.3, pluggy-1.5.0\n"
    "collected 251 items\n\n"
    + "".join(
        f"tests/test_cart.py::test_price_{number} PASSED{' ' * 30}[{number * 2 // 5:>3}%]\n"
        for number in range(250)
    )
    + "tests/test_cart.py::test_rounding FAILED                                  [100%]\n\n"
    "=================================== FAILURES ===================================\n"
    "________________________________ test_rounding _________________________________\n\n"
    "    def test_rounding() -> None:\n"
    ">       assert price_7(199) == 213\n"
    "E       assert 212 == 213\n"
    "E        +  where 212 = price_7(199)\n\n"
    "tests/test_cart.py:41: AssertionError\n"
    "=========================== short test summary info ============================\n"
    "FAILED tests/test_cart.py::test_rounding - assert 212 == 213\n"
    "======================== 1 failed, 250 passed in 3.21s =========================\n"
)
FAILURE = (
    "test_rounding",
    "assert price_7(199) == 213",
    "E       assert 212 == 213",
    "tests/test_cart.py:41: AssertionError",
    "1 failed, 250 passed in 3.21s",
)
"""What nobody can do without."""


def furnish(machine: Machine) -> None:
    """Put it all into the sandbox of a machine, with programs that print it."""
    project = machine.sandbox.project
    (project / "src").mkdir()
    (project / "src" / "cart.py").write_text(CART)
    (project / "worker.log").write_text(LOG[: len(LOG) // 2 + 1].rpartition("\n")[0] + "\n" + FAULT)
    with (project / "worker.log").open("a") as log:
        log.write(LOG[len(LOG) // 2 :].partition("\n")[2])
    _program(machine, "pytest", TEST_RUN, 1)
    _program(machine, "orders", orders_mcp_server.orders(ORDERS) + "\n", 0)


def mcp_options(machine: Machine) -> list[str]:
    """What has a client start the shop's server."""
    server = {"command": sys.executable, "args": [str(Path(orders_mcp_server.__file__))]}
    path = machine.sandbox.root / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"shop": server}}), encoding="utf-8")
    return [f"--mcp-config={path}", "--strict-mcp-config"]


def _program(machine: Machine, name: str, printed: str, code: int) -> None:
    text = machine.sandbox.root / f"{name}.txt"
    text.write_text(printed, encoding="utf-8")
    path = machine.program.parent / name
    path.write_text(f"#!/bin/sh\ncat '{text}'\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
