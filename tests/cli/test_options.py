"""What the options mean that many verbs have."""

from __future__ import annotations

import pytest
from tests.cli.conftest import Home

ACTING = (
    "archive",
    "compact",
    "gateway install",
    "gateway uninstall",
    "install",
    "optimize --apply x",
    "recover s1",
    "skills --apply",
    "skills extract CLAUDE.md",
    "skills split SKILL.md",
    "undo",
    "uninstall",
)
"""Everything that asks before it acts."""


@pytest.mark.parametrize("typed", ACTING)
def test_nothing_is_both_shown_only_and_done_unasked(home: Home, typed: str) -> None:
    done = home.run(*typed.split(), "--dry-run", "--yes")

    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "--dry-run and --yes do not go together; leave one of them out" in done.err


@pytest.mark.parametrize("verb", ["export", "report"])
def test_json_is_a_format_and_not_beside_another_one(home: Home, verb: str) -> None:
    done = home.run(verb, "csv" if verb == "export" else "html", "--json")

    assert done.code == 2
    assert "are two formats; choose one" in done.err
    assert home.run(verb, "json", "--json").json == home.run(verb, "--json").json
