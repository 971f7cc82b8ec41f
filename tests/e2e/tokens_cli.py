"""Run `tokens` as a person would, in a sandbox, and read what it prints."""

import json
import subprocess
import sys

from tests.e2e.billing import Bill
from tests.e2e.claude_client import Sandbox
from tests.e2e.scripted_answers import JsonObject

USAGE_FORMAT = "tokenbudget/usage/1"
USAGE_TIMEOUT_SECONDS = 60
_FIELDS = tuple(Bill.__slots__)
_TOKEN_FIELDS = tuple(name for name in _FIELDS if name != "requests")


def usage_by_model(sandbox: Sandbox, *options: str) -> dict[str, Bill]:
    """What `tokens usage --by model` counts in a sandbox, per model.

    Also checks what holds for every such table: its format, that the parts of a row add up to its
    `total_tokens`, and that the rows add up to `totals`.
    """
    table = _usage(sandbox, "--by", "model", *options)
    assert table["format"] == USAGE_FORMAT
    for row in [*table["rows"], table["totals"]]:
        assert row["total_tokens"] == sum(row[name] for name in _TOKEN_FIELDS)
    by_model = {row["model"]: _bill_of(row) for row in table["rows"]}
    assert len(by_model) == len(table["rows"])
    assert sum(by_model.values(), Bill()) == _bill_of(table["totals"])
    return by_model


def _usage(sandbox: Sandbox, *options: str) -> JsonObject:
    return tokens_json(sandbox, "usage", *options)


def tokens_json(sandbox: Sandbox, *words: str) -> JsonObject:
    """What a command line of `tokens` prints with `--json`, in a sandbox."""
    tokens = [sys.executable, "-m", "tokenbudget"]
    own_data = {"TOKENS_HOME": str(sandbox.root / "tokens")}
    done = subprocess.run(
        [*tokens, *words, "--json"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=USAGE_TIMEOUT_SECONDS,
        cwd=sandbox.project,
        env={**sandbox.environment(), **own_data},
    )
    assert done.returncode == 0, f"tokens {words[0]} exited with {done.returncode}: {done.stderr}"
    table: JsonObject = json.loads(done.stdout)
    return table


def _bill_of(row: JsonObject) -> Bill:
    return Bill(**{name: row[name] for name in _FIELDS})
