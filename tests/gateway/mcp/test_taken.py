"""What install recorded, as the gateway reads it at its start."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tokenbudget.gateway.mcp.taken import (
    Record,
    TakenServer,
    is_gateway,
    read_record,
    record_path,
    record_text,
    taken_for,
    user_path,
)


def write(data: Path, record: Record) -> Path:
    place = record_path(str(data), record.project) if record.project else user_path(str(data))
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record_text(record))
    return path


def server(name: str, text: str = "", mode: str = "", origin: str = "project") -> TakenServer:
    return TakenServer(name, origin, mode, text)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record("/p", (server("a", '{"x":  1}', "direct"), server("b")))
    assert read_record(str(write(tmp_path, record))) == record


def test_the_projects_own_server_wins_and_folders_below_are_in_it(tmp_path: Path) -> None:
    project = tmp_path / "p"
    (project / "in" / "side").mkdir(parents=True)
    kept, mine = '{"command": "own"}', '{"command": "mine"}'
    write(tmp_path, Record(str(project), (server("a", kept),)))
    both = (server("a", mine, "compact", "user"), server("u", mine, "direct", "user"))
    write(tmp_path, Record("", both))
    taken = taken_for(str(tmp_path), str(project / "in" / "side"))
    assert taken is not None
    assert taken.project == str(project)
    assert taken.document == {"mcpServers": {"a": {"command": "own"}, "u": {"command": "mine"}}}
    assert taken.modes == {"u": "direct"}
    elsewhere = taken_for(str(tmp_path), "/")
    assert elsewhere is not None
    assert elsewhere.project == ""


def test_the_shared_file_is_read_when_the_gateway_starts(tmp_path: Path) -> None:
    write(tmp_path, Record(str(tmp_path), (server("a"), server("b"))))
    shared = tmp_path / ".mcp.json"
    shared.write_text('\ufeff{"mcpServers": {"a": {"command": "${X}"}, "new": {"command": "n"}}}')
    taken = taken_for(str(tmp_path), str(tmp_path))
    assert taken is not None
    assert taken.document == {"mcpServers": {"a": {"command": "${X}"}}}  # `new` was never taken
    assert taken.lost == {"b": ".mcp.json does not name it any more"}
    for hostile in ("{", "[]", '{"mcpServers": {"a": 1}}', "[" * 10_000):
        shared.write_text(hostile)
        taken = taken_for(str(tmp_path), str(tmp_path))
        assert taken is not None
        assert taken.document == {"mcpServers": {}}
        assert list(taken.lost) == ["a", "b"]
    assert "cannot be read" in taken.lost["a"]
    shared.unlink()
    os.mkfifo(shared)
    assert taken_for(str(tmp_path), str(tmp_path)) is not None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": "other"}', '{"format": "tokenbudget/gateway-taken/1"}'],
)
def test_what_is_no_record_is_none(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, Record(str(tmp_path), ()))
    path.write_text(text)
    assert taken_for(str(tmp_path), str(tmp_path)) is None


def test_a_record_of_another_place_under_this_name_is_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path, Record(str(tmp_path), (server("a", "{}"),)))
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "project": "/elsewhere"}))
    assert taken_for(str(tmp_path), str(tmp_path)) is None


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ({"command": "tokens", "args": ["gateway"]}, True),
        ({"command": "/usr/bin/python3", "args": ["-P", "-m", "tokenbudget", "gateway"]}, True),
        ({"command": "sh", "args": ["-c", "exec tokens gateway"]}, True),
        ({"command": "uvx", "args": ["tokenbudget", "gateway", "--http"]}, True),
        ({"command": "npx", "args": ["some-gateway"]}, False),
        ({"command": "tokens"}, False),
        ({"command": ["tokens"], "args": "gateway"}, False),
        ("tokens gateway", False),
    ],
)
def test_a_gateway_never_stands_behind_a_gateway(
    tmp_path: Path, definition: object, found: bool
) -> None:
    assert is_gateway(definition) is found
    write(tmp_path, Record(str(tmp_path), (server("x", json.dumps(definition)),)))
    taken = taken_for(str(tmp_path), str(tmp_path))
    assert taken is not None
    is_served = taken.document != {"mcpServers": {}}
    assert is_served is (isinstance(definition, dict) and not found)
