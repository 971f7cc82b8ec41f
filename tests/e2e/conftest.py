"""Fixtures of the end-to-end tests: installed clients, and a sandbox for each test."""

from pathlib import Path

import pytest
from tests.e2e.claude_client import Sandbox
from tests.e2e.install_clients import NEWEST, OLD, Release, install_all, reason_missing

_OUTCOMES = pytest.StashKey[dict[str, str]]()


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


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A home, a config folder and a small project that no other test shares."""
    sandbox = Sandbox.create(tmp_path / "box")
    (sandbox.project / "notes.txt").write_text("Buy milk.\n" * 10, encoding="utf-8")
    return sandbox


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which clients these results stand for."""
    outcomes = config.stash.get(_OUTCOMES, None)
    if outcomes:
        terminalreporter.section("agent clients")
        for name, outcome in outcomes.items():
            terminalreporter.line(f"{name}: {outcome}")


def _runnable(release: Release) -> Release:
    reason = reason_missing(release)
    if reason:
        pytest.skip(f"{reason}; the section 'agent clients' says why")
    return release
