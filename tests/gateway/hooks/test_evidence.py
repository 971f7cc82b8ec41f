"""What doctor is told of the hooks that fired."""

from __future__ import annotations

import os
from pathlib import Path

from tests.gateway.hooks.hook_desk import NOW_MS, SESSION, HookDesk

from tokenbudget.gateway.hooks.evidence import seen
from tokenbudget.gateway.hooks.handler import answer


def test_a_session_shows_its_client_and_which_events_came(desk: HookDesk) -> None:
    desk.prompts()
    desk.responds(20_000)
    desk.answers("Stop")
    desk.compacts(20_000)
    desk.answers("Stop")
    (one,) = seen(str(desk.home), 0)

    assert (one.session, one.version, one.model) == (SESSION, "2.1.329", desk.model)
    assert one.events == {
        "UserPromptSubmit": (1, NOW_MS + 1_000),
        "Stop": (2, NOW_MS + 3_000),
    }
    assert (one.compactions, one.faults, one.last_fault) == (1, 0, "")
    assert one.last_ms == NOW_MS + 3_000


def test_the_latest_is_first_and_what_is_older_is_left_out(tmp_path: Path) -> None:
    for at, name in enumerate(("a", "b", "c")):
        payload = f'{{"session_id":"{name}","hook_event_name":"Stop"}}'.encode()
        answer(payload, str(tmp_path), NOW_MS + at)
    assert [one.session for one in seen(str(tmp_path), NOW_MS + 1)] == ["c", "b"]


def test_damaged_files_and_what_is_none_of_ours_are_passed_by(desk: HookDesk) -> None:
    desk.answers("Stop")
    folder = desk.state_file.parent
    (folder / "damaged.json").write_bytes(b'{"format":"tokenbudget/hook-session/1","sess')
    (folder / "copy.json").write_bytes(desk.state_file.read_bytes())  # says it is another session
    (folder / "list.json").write_text("[]")
    (folder / "note.txt").write_text("x")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    assert [one.session for one in seen(str(desk.home), 0)] == [SESSION]


def test_where_no_hook_ever_fired_there_is_nothing(tmp_path: Path) -> None:
    assert seen(str(tmp_path / "none"), 0) == ()
