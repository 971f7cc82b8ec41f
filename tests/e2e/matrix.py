"""Which clients and models a test goes through: behaviour differs by both."""

import pytest
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release, reason_missing

OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-4-5"
MATRIX = tuple((release, model) for release in (NEWEST, MIDDLE, OLD) for model in (OPUS, SONNET))
EVERY = pytest.mark.parametrize(
    ("release", "model"), MATRIX, ids=[f"{each.version}-{model}" for each, model in MATRIX]
)


def runnable(release: Release) -> Release:
    """The release, or a skipped test."""
    reason = reason_missing(release)
    if reason:
        pytest.skip(f"{reason}; the section 'agent clients' says why")
    return release
