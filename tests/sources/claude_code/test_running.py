"""Which sessions an agent says it works with; the files are as Claude Code 2.1.329 writes them."""

import json
from pathlib import Path

import pytest

from tokenbudget.sources.claude_code.running import RunningSession, running_sessions

HERE = "linux:3d1219c7:pid:[4026531836]"
TOLD = {
    "pid": 2528,
    "sessionId": "99220897-e1ab-4253-953c-a47c4be1b35d",
    "cwd": "/srv/shop",
    "procStart": "3179224",
    "version": "2.1.329",
    "kind": "interactive",
    "pidDomain": HERE,
    "status": "idle",
}


def write(folder: Path, name: str = "2528.json", **changes: object) -> Path:
    path = folder / "sessions" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**TOLD, **changes}))
    return path


def runs(pid: int, start: str) -> bool:
    return False


def ended(pid: int, start: str) -> bool:
    assert (pid, start) == (2528, "3179224")
    return True


def test_a_running_agents_session(tmp_path: Path) -> None:
    path = write(tmp_path)

    found = running_sessions([str(tmp_path)], runs, HERE)

    assert found == [RunningSession(str(TOLD["sessionId"]), 2528, True, str(path))]


def test_a_killed_agent_leaves_its_file_and_works_with_nothing(tmp_path: Path) -> None:
    write(tmp_path)

    assert running_sessions([str(tmp_path)], ended, HERE) == []


@pytest.mark.parametrize("domain", ["linux:other:pid:[4026531836]", "linux:3d1219c7:pid:[1]"])
def test_a_process_of_another_machine_or_container_is_not_asked_for(
    tmp_path: Path, domain: str
) -> None:
    write(tmp_path, pidDomain=domain)

    [found] = running_sessions([str(tmp_path)], ended, HERE)

    assert not found.is_certain


def test_an_older_client_tells_no_domain(tmp_path: Path) -> None:
    path = write(tmp_path)
    told = {name: value for name, value in TOLD.items() if name != "pidDomain"}
    path.write_text(json.dumps(told))

    assert running_sessions([str(tmp_path)], ended, HERE) == []
    assert running_sessions([str(tmp_path)], runs, HERE)[0].is_certain


def test_other_files_and_damaged_ones_say_nothing(tmp_path: Path) -> None:
    write(tmp_path, "2528.abc.key")
    (tmp_path / "sessions" / "archive").mkdir()
    for number, text in enumerate(["", "{", "[]", '{"pid": "x", "sessionId": 3}', '"s"']):
        (tmp_path / "sessions" / f"{number}.json").write_text(text)
    (tmp_path / "sessions" / "9.json").mkdir()

    assert running_sessions([str(tmp_path), str(tmp_path / "none")], runs, HERE) == []
