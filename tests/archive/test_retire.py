"""The originals go last: only at rest, only if the archive holds exactly their bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.archive.conftest import Place
from tests.archive.sessions import FILES, NOW_MS, OTHERS_FILES, SESSION, tree

from tokenbudget.archive import retire as module
from tokenbudget.archive.manifest import ArchiveRecord
from tokenbudget.archive.pack import Bundle, Member, pack
from tokenbudget.archive.recover import recover
from tokenbudget.archive.retention import Rules, prune
from tokenbudget.archive.retire import retire, retiring
from tokenbudget.archive.verify import Problem, problem_of
from tokenbudget.model.errors import Refused, SourceUnreadable


def never(path: str) -> bool:
    return False


def test_the_originals_go_to_the_trash_and_the_archive_gives_them_back(place: Place) -> None:
    before = tree(place.source)
    pack(place.folder, [place.bundle], NOW_MS)
    moved = retire(place.folder, place.bundle, place.trash, never)
    assert tree(place.source) == {}
    assert [found.path for found in moved] == [str(place.source / name) for name in FILES]
    recover(place.folder, SESSION, str(place.source))
    assert tree(place.source) == before


def test_again_does_nothing_more(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    retire(place.folder, place.bundle, place.trash, never)
    assert retire(place.folder, place.bundle, place.trash, never) == ()
    assert len(place.trash.listing().discarded) == len(FILES)


def test_a_session_in_use_stays_with_all_its_files(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    subagent = place.bundle.members[0].path
    with pytest.raises(Refused, match="in use"):
        retire(place.folder, place.bundle, place.trash, lambda path: path == subagent)
    assert set(tree(place.source)) == set(FILES)


@pytest.mark.parametrize("number", [0, 2])
def test_one_that_was_written_since_stays_with_all_its_files(place: Place, number: int) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    with open(place.bundle.members[number].path, "ab") as handle:
        handle.write(b"later\n")
    with pytest.raises(Refused, match="written since"):
        retire(place.folder, place.bundle, place.trash, never)
    assert set(tree(place.source)) == set(FILES)


def test_a_writers_last_words_bring_the_file_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that was frozen with the file open goes on just as it is moved."""
    pack(place.folder, [place.bundle], NOW_MS)
    first = place.bundle.members[0]
    real = os.rename
    with open(first.path, "ab", buffering=0) as writer:

        def late(name: str, to: str, **named: int) -> None:
            real(name, to, **named)
            writer.write(b"last words\n")

        monkeypatch.setattr(os, "rename", late)
        with pytest.raises(Refused, match="at the last moment"):
            retire(place.folder, place.bundle, place.trash, never)
    assert Path(first.path).read_bytes() == FILES[first.name] + b"last words\n"
    assert set(tree(place.source)) == set(FILES)


FROZEN = """
import os, signal, sys
with open(sys.argv[1], "ab", buffering=0) as transcript:
    transcript.write(b"before\\n")
    os.kill(os.getpid(), signal.SIGSTOP)
    transcript.write(b"after\\n")
"""


def test_a_frozen_agent_that_nobody_saw_loses_no_line(place: Place) -> None:
    """Stopped before the archive is made, awake after all is done: its words are in the trash."""
    member = place.bundle.members[-1]
    agent = subprocess.Popen([sys.executable, "-IS", "-c", FROZEN, member.path])
    os.waitid(os.P_PID, agent.pid, os.WSTOPPED)
    pack(place.folder, [place.bundle], NOW_MS)
    retire(place.folder, place.bundle, place.trash, never)
    agent.send_signal(signal.SIGCONT)
    assert agent.wait() == 0
    (identity,) = place.trash.listing().written_since
    assert place.trash.empty(-1).files == len(FILES) - 1
    place.trash.give_back(identity)
    assert Path(member.path).read_bytes() == FILES[member.name] + b"before\nafter\n"


def test_a_damaged_archive_keeps_the_originals(place: Place) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    os.truncate(os.path.join(place.folder, record.file), 40)
    with pytest.raises(Refused, match="damaged"):
        retire(place.folder, place.bundle, place.trash, never)
    assert set(tree(place.source)) == set(FILES)


def test_an_archive_that_is_marked_for_deletion_keeps_the_originals(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    prune(place.folder, Rules(keep_days=0), NOW_MS + 1)
    with pytest.raises(Refused, match="marked"):
        retire(place.folder, place.bundle, place.trash, never)
    pack(place.folder, [place.bundle], NOW_MS + 2)
    assert len(retire(place.folder, place.bundle, place.trash, never)) == len(FILES)


def test_other_files_than_those_archived_are_not_touched(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    other = Bundle(SESSION, (*place.bundle.members, Member("x", "/nowhere/x")))
    for bundle in (other, Bundle("unknown", place.bundle.members)):
        with pytest.raises(SourceUnreadable, match="not archived with these files"):
            retire(place.folder, bundle, place.trash, never)
    assert set(tree(place.source)) == set(FILES)


def test_one_of_a_group_is_retired_and_the_other_stays(place: Place) -> None:
    one, other = place.group
    pack(place.folder, [one, other], NOW_MS)
    retire(place.folder, other, place.trash, never)
    assert set(tree(place.source)) == set(FILES)
    mixed = Bundle(SESSION, (*one.members, *other.members))
    with pytest.raises(SourceUnreadable, match="not archived with these files"):
        retire(place.folder, mixed, place.trash, never)


def test_an_archive_is_checked_once_for_all_its_sessions_unless_it_changes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[str] = []

    def counted(folder: int, record: ArchiveRecord) -> Problem | None:
        checks.append(record.file)
        return problem_of(folder, record)

    monkeypatch.setattr(module, "problem_of", counted)
    one, other = place.group
    record = pack(place.folder, [one, other], NOW_MS)
    with retiring(place.folder, place.trash, never) as retire_one:
        retire_one(one)
        retire_one(other)
        assert len(checks) == 1
        os.truncate(os.path.join(place.folder, record.file), 40)
        with pytest.raises(Refused, match="damaged"):
            retire_one(other)
    assert tree(place.source) == {}
    assert len(place.trash.listing().discarded) == len(FILES) + len(OTHERS_FILES)
