"""Fixtures of the end-to-end tests: installed clients, and a sandbox for each test."""

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.ahead import project_sandbox
from tests.e2e.claude_client import Sandbox
from tests.e2e.install_clients import NEWEST, OLD, Release, install_all, reason_missing

_HOOKS = pytest.StashKey[dict[str, str]]()
_TRIMMED = pytest.StashKey[dict[str, str]]()
_GATEWAY = pytest.StashKey[dict[str, str]]()
_OUTCOMES = pytest.StashKey[dict[str, str]]()
SECTIONS = {
    "agent clients": _OUTCOMES,
    "hook events of the agent clients": _HOOKS,
    "requests with shortened results": _TRIMMED,
    "bytes of requests with MCP servers": _GATEWAY,
}
"""What is said below the results."""


@pytest.fixture(scope="session")
def install_outcomes(pytestconfig: pytest.Config) -> dict[str, str]:
    """Install the clients once; what came of it is also said below the test results."""
    outcomes = install_all()
    pytestconfig.stash[_OUTCOMES] = outcomes
    return outcomes


@pytest.fixture
def newest_client(install_outcomes: dict[str, str]) -> Release:
    """The newest client that the tests know, or a skipped test."""
    return _runnable(NEWEST)


@pytest.fixture
def old_client(install_outcomes: dict[str, str]) -> Release:
    """A client of the generation before the native program, or a skipped test."""
    return _runnable(OLD)


@pytest.fixture(scope="session")
def hook_account(pytestconfig: pytest.Config) -> dict[str, str]:
    """By client and model: which hook events did not fire, and why; said below the results."""
    return pytestconfig.stash.setdefault(_HOOKS, {})


@pytest.fixture(scope="session")
def trim_account(pytestconfig: pytest.Config) -> dict[str, str]:
    """By client: what was sent without and with shortened results; said below the results."""
    return pytestconfig.stash.setdefault(_TRIMMED, {})


@pytest.fixture(scope="session")
def gateway_account(pytestconfig: pytest.Config) -> dict[str, str]:
    """By client: bytes of a task direct, deferred and through the gateway; said below as well."""
    return pytestconfig.stash.setdefault(_GATEWAY, {})


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A home, a config folder and a small project that no other test shares."""
    return project_sandbox(tmp_path / "box")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which clients these results stand for."""
    for title, key in SECTIONS.items():
        lines = config.stash.get(key, None)
        if lines:
            terminalreporter.section(title)
            for name, line in lines.items():
                terminalreporter.line(f"{name}: {line}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it has to say."""
    handed = getattr(session.config, "workeroutput", None)
    if handed is not None:
        stash = session.config.stash
        handed["accounts"] = {title: stash.get(key, {}) for title, key in SECTIONS.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it from a worker that is done."""
    accounts = getattr(node, "workeroutput", {}).get("accounts", {})
    for title, lines in accounts.items():
        node.config.stash.setdefault(SECTIONS[title], {}).update(lines)


def _runnable(release: Release) -> Release:
    reason = reason_missing(release)
    if reason:
        pytest.skip(f"{reason}; the section 'agent clients' says why")
    return release
