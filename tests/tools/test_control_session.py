"""What is recorded of a session that was played: requests, actions, compactions and refusals."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.claude_client import Sandbox
from tests.e2e.control_bed import Sent
from tests.e2e.control_play import Played
from tests.e2e.control_watch import Record
from tests.e2e.conversation import RequestKind
from tests.e2e.installed import Machine

from control_session import recorded
from tokenbudget.model.control import DELEGATION, HISTORY, SKILLS, Receipt


def sent(number: int, used_tokens: int, kind: RequestKind = RequestKind.MAIN) -> Sent:
    return Sent(kind, f"msg_{number}", 500.0 + 90 * number, used_tokens * 4, used_tokens, 0, 0, 0)


def receipt(lever: str, request: int, action: int | None) -> Receipt:
    return Receipt(
        id=request,
        session="s1",
        at_ms=0,
        lever=lever,
        items=(f"{lever}/it",),
        level="critical",
        action=action,
        predicted_tokens=900,
        predicted_usd=None,
        effect="now",
        before_tokens=5_000,
        request_key=f"msg_{request}",
        measured_tokens=880,
        outcome="measured",
    )


def played(root: Path, told: list[Sent], receipts: list[Receipt], statuses: list[int]) -> Played:
    """A session of which the API answered or refused requests in this order."""
    records = root / "api" / "records"
    records.mkdir(parents=True)
    for number, status in enumerate(statuses):
        record = {"kind": RequestKind.MAIN, "status": status}
        answered = {**record, "billed": {}} if status == 200 else record
        (records / f"{number:04}.json").write_text(json.dumps(answered), encoding="utf-8")
    machine = Machine(Sandbox.create(root))
    record_of = Record([], receipts, None)
    return Played(machine, told, record_of, [True], {}, {}, {}, told[0], {}, "")


def test_a_controlled_session_is_told_by_the_numbers_of_its_requests(tmp_path: Path) -> None:
    summary = sent(9, 4_000, RequestKind.COMPACTION)
    told = [sent(1, 1_000), sent(2, 2_000), sent(3, 3_000), summary, sent(4, 500)]
    receipts = [receipt(SKILLS, 1, 7), receipt(DELEGATION, 2, None), receipt(HISTORY, 2, 8)]
    found = recorded(played(tmp_path, told, receipts, [200, 200, 200, 200]))
    assert [one["used_tokens"] for one in found["requests"]] == [1_000, 2_000, 3_000, 500]
    assert found["requests"][1] == {"number": 2, "at_ms": 90, "used_tokens": 2_000, "bytes": 8_000}
    done = [(one["request"], one["lever"], one["measured_tokens"]) for one in found["actions"]]
    assert done == [(1, SKILLS, 880), (2, HISTORY, 880)]
    assert found["compactions"] == [{"after": 3, "by": "controller"}]
    assert found["refusals"] == []


def test_a_session_left_alone_is_refused_and_compacted_by_its_client(tmp_path: Path) -> None:
    told = [sent(1, 1_000), sent(2, 2_000), sent(9, 2_100, RequestKind.COMPACTION), sent(3, 400)]
    found = recorded(played(tmp_path, told, [], [200, 200, 400, 200]))
    assert found["actions"] == []
    assert found["compactions"] == [{"after": 2, "by": "client"}]
    assert found["refusals"] == [2]
    assert found["edits"] == [True]
