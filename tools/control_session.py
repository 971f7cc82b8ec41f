"""Play one session twice with the real client, controlled and left alone, and record both.

    python tools/control_session.py        writes docs/control-session.json, in about two minutes

The sessions are those of tests/e2e/test_control_session.py: nothing leaves the machine. The file
has no dates and no paths of it; draw it with `make_control_picture.py`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from control_series import FORMAT, SERIES

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.e2e.ahead import project_sandbox
from tests.e2e.control_bed import USABLE_TOKENS, WINDOW_TOKENS
from tests.e2e.control_play import Played, play
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import NEWEST, reason_missing
from tests.e2e.matrix import OPUS

from tokenbudget.model.control import HISTORY

MODES = ("auto", "off")
NOTICE_REQUESTS = 2
"""So many may pass until a running client compacts because it was told to."""


def recorded(played: Played) -> dict[str, Any]:
    """A session as it goes into the file."""
    conversation = played.conversation
    begun = conversation[0].at_ms
    requests = [
        {
            "number": number,
            "at_ms": round(one.at_ms - begun),
            "used_tokens": one.used_tokens,
            "bytes": one.size_bytes,
        }
        for number, one in enumerate(conversation, 1)
    ]
    return {
        "requests": requests,
        "actions": _actions(played),
        "compactions": _compactions(played),
        "refusals": _refusals(played),
        "edits": played.were_edited,
    }


def _actions(played: Played) -> list[dict[str, Any]]:
    """What was done, with the number of the last request before it."""
    numbers = {one.response: number for number, one in enumerate(played.conversation, 1)}
    return [
        {
            "request": numbers[one.request_key],
            "lever": one.lever,
            "items": list(one.items),
            "level": one.level,
            "effect": one.effect,
            "predicted_tokens": one.predicted_tokens,
            "measured_tokens": one.measured_tokens,
            "outcome": one.outcome,
        }
        for one in played.record.receipts
        if one.action is not None
    ]


def _compactions(played: Played) -> list[dict[str, Any]]:
    """The last request before each, and whose it was."""
    ours = [each["request"] for each in _actions(played) if each["lever"] == HISTORY]
    found, number = [], 0
    for one in played.sent:
        if one.kind is RequestKind.MAIN:
            number += 1
        else:
            is_ours = any(0 <= number - each <= NOTICE_REQUESTS for each in ours)
            found.append({"after": number, "by": "controller" if is_ours else "client"})
    return found


def _refusals(played: Played) -> list[int]:
    """The last request before each one that was refused as too long."""
    found, number = [], 0
    for path in sorted((played.machine.sandbox.root / "api" / "records").glob("*.json")):
        record = json.loads(path.read_bytes())
        if record.get("kind") != RequestKind.MAIN:
            continue
        if "billed" in record:
            number += 1
        elif record.get("status") == 400:
            found.append(number)
    return found


def main(arguments: Sequence[str]) -> int:
    """Play, and write the file."""
    missing = reason_missing(NEWEST)
    if missing:
        raise SystemExit(f"{missing}: python tests/e2e/install_clients.py")
    runs = {}
    for mode in MODES:
        with tempfile.TemporaryDirectory(prefix="control-") as name:
            runs[mode] = recorded(play(NEWEST, OPUS, project_sandbox(Path(name) / "box"), mode))
    told = {"format": FORMAT, "release": NEWEST.version, "model": OPUS}
    sizes = {"window_tokens": WINDOW_TOKENS, "usable_tokens": USABLE_TOKENS}
    text = json.dumps({**told, **sizes, "runs": runs}, indent=1) + "\n"
    out = Path(arguments[0]) if arguments else SERIES
    out.write_text(text, encoding="utf-8")
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
