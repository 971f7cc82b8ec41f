"""What belongs to a session, and what must be left alone."""

import json
import os
from pathlib import Path

import pytest

from tokenbudget.sources.claude_code.session_files import (
    FoundSession,
    sessions_below,
    sessions_in,
    sessions_named_in,
)

ORPHAN = "0b4e6f5a-1d2c-4b3a-9f8e-7d6c5b4a3f2e"


@pytest.fixture
def slug(tmp_path: Path) -> Path:
    folder = tmp_path / "projects" / "-srv-shop"
    folder.mkdir(parents=True)
    return folder


def write(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def only(slug: Path) -> FoundSession:
    [found] = sessions_in(str(slug))
    return found


def names(found: FoundSession) -> list[str]:
    return [file.name for file in found.files]


def test_a_session_is_its_transcript_and_all_that_lies_in_its_folder(slug: Path) -> None:
    write(slug / "s1.jsonl", {"sessionId": "s1"})
    write(slug / "s1" / "subagents" / "agent-a.jsonl", {})
    write(slug / "s1" / "subagents" / "agent-a.meta.json", {})
    write(slug / "s1" / "subagents" / "workflows" / "w1" / "agent-b.jsonl", {})
    write(slug / "s1" / "tool-results" / "x.txt", {})
    write(slug / "s1" / "anything.bin", {})

    found = only(slug)

    assert names(found) == [
        "s1/anything.bin",
        "s1/subagents/agent-a.jsonl",
        "s1/subagents/agent-a.meta.json",
        "s1/subagents/workflows/w1/agent-b.jsonl",
        "s1/tool-results/x.txt",
        "s1.jsonl",
    ]
    assert found.root == str(slug)
    assert found.fault == found.lock == ""
    assert found.size_bytes == sum(p.stat().st_size for p in slug.rglob("*") if p.is_file())


def test_an_old_subagent_belongs_to_the_session_that_its_lines_name(slug: Path) -> None:
    write(slug / "s1.jsonl", {"sessionId": "s1"})
    write(slug / "s2.jsonl", {"sessionId": "s2"})
    write(slug / "agent-01.jsonl", {"sessionId": "s2"}, {"sessionId": "s2"})
    write(slug / "agent-02.jsonl", {"sessionId": "s1"}, {"sessionId": "s2"})
    write(slug / "agent-03.jsonl", {"other": 1})

    found = {one.session: names(one) for one in sessions_in(str(slug))}

    assert found == {"s1": ["s1.jsonl"], "s2": ["agent-01.jsonl", "s2.jsonl"]}


def test_an_old_subagent_may_have_outlived_its_transcript(slug: Path) -> None:
    write(slug / "agent-01.jsonl", {"sessionId": ORPHAN})

    found = only(slug)

    assert (found.session, names(found)) == (ORPHAN, ["agent-01.jsonl"])


def test_a_session_that_a_tools_result_quotes_is_not_meant(slug: Path) -> None:
    quoted = {"sessionId": "s1", "toolUseResult": {"sessionId": "s9", "text": '"sessionId":"s8"'}}

    assert sessions_named_in(str(write(slug / "agent-1.jsonl", quoted))) == {"s1"}


def test_lines_that_are_no_json_name_nothing(slug: Path) -> None:
    path = slug / "agent-1.jsonl"
    path.write_bytes(b'\xff\xfe{"sessionId":"a"\n[1]\n{"sessionId": 5}\n{"sessionId":"b"}\n')

    assert sessions_named_in(str(path)) == {"b"}
    assert sessions_named_in(str(slug / "none")) == set()


def test_only_a_folder_with_a_transcript_or_a_sessions_id_is_one(slug: Path) -> None:
    write(slug / "memory" / "MEMORY.md", {})
    write(slug / ORPHAN / "subagents" / "agent-1.jsonl", {})
    (slug / "empty").mkdir()

    assert names(only(slug)) == [f"{ORPHAN}/subagents/agent-1.jsonl"]


@pytest.mark.parametrize("where", ["s1.jsonl", "s1", "s1/subagents", "s1/subagents/a.jsonl"])
def test_a_link_anywhere_leaves_the_session_alone(slug: Path, tmp_path: Path, where: str) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "secret").write_text("x")
    if where != "s1.jsonl":
        write(slug / "s1.jsonl", {})
    link = slug / where
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)

    found = only(slug)

    assert found.fault == f"{where} is a link"
    assert not any("secret" in name for name in names(found))


def test_a_second_name_a_pipe_and_an_odd_name(slug: Path, tmp_path: Path) -> None:
    os.link(write(slug / "hard.jsonl", {}), tmp_path / "second")
    write(slug / "pipe.jsonl", {})
    (slug / "pipe").mkdir()
    os.mkfifo(slug / "pipe" / "p")
    write(slug / "with space.jsonl", {})

    faults = {one.session: one.fault for one in sessions_in(str(slug))}

    assert faults == {
        "hard": "hard.jsonl has a second name (a hard link)",
        "pipe": "pipe/p is no regular file",
        "with space": "its name is none that an archive can have",
    }


def test_hostile_names_move_no_cursor(slug: Path) -> None:
    write(slug / "s1.jsonl", {})
    (slug / "s1").mkdir()
    (slug / "s1" / "\x1b[2Jx").symlink_to("/")

    assert only(slug).fault == "s1/[2Jx is a link"


def test_names_that_are_no_utf8_are_kept_as_they_are(slug: Path) -> None:
    write(slug / "s1.jsonl", {})
    (slug / "s1").mkdir()
    try:
        Path(os.fsdecode(os.fsencode(slug) + b"/s1/\xff\xfe.txt")).write_text("x")
    except OSError:
        pytest.skip("this file system takes no such names")

    assert names(only(slug))[0].encode("utf-8", "surrogateescape") == b"s1/\xff\xfe.txt"


LOCKS = ["s1.lock", "s1.jsonl.lock", "s1/lock", "s1/subagents/a.jsonl.lock"]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_seen(slug: Path, lock: str) -> None:
    write(slug / "s1.jsonl", {})
    write(slug / "s1" / "subagents" / "a.jsonl", {})
    write(slug / lock, {})

    assert only(slug).lock == str(slug / lock)


def test_a_file_that_only_ends_so_is_no_lock(slug: Path) -> None:
    write(slug / "s1.jsonl", {})
    write(slug / "s1" / "tool-results" / "yarn.lock", {})

    assert only(slug).lock == ""


def test_all_folders_below_several_tops_once_each(slug: Path, tmp_path: Path) -> None:
    write(slug / "s1.jsonl", {})
    other = tmp_path / "other" / "projects"
    write(other / "-srv-site" / "s2.jsonl", {})
    (other / "linked").symlink_to(slug)
    write(other / "a-file.jsonl", {})

    found = sessions_below([str(slug.parent), str(other), str(slug.parent), str(tmp_path / "no")])

    assert [one.session for one in found.sessions] == ["s1", "s2"]
    assert found.unreadable == [(str(other / "linked"), "it is a link")]
