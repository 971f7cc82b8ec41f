"""Sessions in which every text that a client can write is an attack: one per payload."""

from typing import Any

from tests.cli.conftest import OPUS, Home, response
from tests.hostile import PAYLOADS


def write_hostile_sessions(home: Home) -> None:
    """A session per payload: its id, folder, branch, version, title, model, tools and answers."""
    for number, payload in enumerate(dict.fromkeys(PAYLOADS.values())):
        home.write_session(f"s{number}", *_lines(number, payload), slug=f"-w-{number % 7}")


def _lines(number: int, bad: str) -> list[dict[str, Any]]:
    common = {
        "sessionId": f"{bad}{number}",
        "cwd": f"/srv/{bad}" if number % 2 else f"/srv/shop/{number}/{bad}",
        "gitBranch": bad,
        "version": bad,
    }
    call = {
        "type": "tool_use",
        "id": f"{bad}{number}",
        "name": f"mcp__{bad}__run" if number % 2 else bad,
        "input": {"file_path": bad},
    }
    own = {"type": "tool_use", "id": f"toolu_{number}", "name": "Read", "input": {"file_path": bad}}
    lines = [
        {
            "type": "user",
            "uuid": f"u{number}",
            "timestamp": "2026-11-20T08:00:00Z",
            "message": {"role": "user", "content": bad},
            **common,
        },
        response(2 * number, model=bad or OPUS, content=[call, own], stop_reason=None, **common),
        response(2 * number + 1, model=OPUS, usage={"input_tokens": number}, **common),
        {"type": "custom-title", "customTitle": bad, "sessionId": common["sessionId"]},
    ]
    lines[2]["message"]["id"] = f"{bad}{number}"
    for line in lines:
        line["uuid"] = f"{line.get('uuid', 'title')}-{number}"
    return lines
