from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.dashboard.frames import HOSTILE, NOON_MS, frame, frames, hostile, nobody, session_view

from tokenbudget.dashboard.roadmap import (
    BEGIN,
    COPY_SUFFIX,
    END,
    block_bytes,
    block_place,
    update_roadmap,
    with_block,
)
from tokenbudget.dashboard.view_model import AlertLine, Frame
from tokenbudget.model.errors import ProjectUnusable, Refused
from tokenbudget.system import edited_file
from tokenbudget.system.atomic import write_atomic_at

BLOCK = BEGIN + b"\nold\n" + END
OTHER = frame("critical")

contents = st.lists(
    st.sampled_from(
        [
            b"# Roadmap", b"- item", b"```", b"~~~~ x", b"  ```sh", b"- ```", b"> ~~~", b"", b" ",
            b"\n", b"\r\n", b"\r", b"\xff\xfe", b"\xef\xbb\xbf", "ü漢".encode(), b"<!--", b"-->",
            b"| a |", b"\x0b", b"\x85",
        ]
    )
    | st.binary(max_size=6),
    max_size=12,
).map(b"".join)  # fmt: skip
"""What a file may hold outside the block: text, code, other encodings, any line ends."""


class TestBlock:
    def test_holds_the_figures(self) -> None:
        assert block_bytes(frame()).decode().splitlines() == [
            "<!-- tokenbudget:begin -->",
            "",
            "| Token budget | |",
            "|---|---|",
            "| Session | webshop · Round the cart · opus-5-5 |",
            "| Context window | 116,400 of 200,000 tokens (58%) |",
            "| Health | ▲ warning |",
            "| Burn rate | 1,640/min · 2.90K per request |",
            r"| Next | critical in \~51m (38m-1h 10m) |",
            r"| Cost | \$1.86 this session · \$3.10/h |",
            "| Cache | hit 96%, cold from 2026-11-20 13:02 +01:00 |",
            "| 5-hour limit | 38% used, resets 2026-11-20 15:40 +01:00 |",
            "| 7-day limit | unknown |",
            "| Alerts | context window at 58% |",
            "| Last change | 2026-11-20 13:00 +01:00 |",
            "",
            "<!-- tokenbudget:end -->",
        ]

    def test_says_what_is_not_known(self) -> None:
        told = block_bytes(frame(None, alerts=(), limits=())).decode()
        assert "| Context window | window unknown |" in told
        assert "| Health | ? no data |" in told
        assert "| Alerts | none |" in told

    def test_without_a_session(self) -> None:
        assert b"| Session | none is live |" in block_bytes(nobody())

    def test_names_only_what_fires_and_only_the_first(self) -> None:
        alerts = [
            AlertLine("r", "info", f"alert {number}", status, 0)
            for number, status in enumerate(["pending", *["firing, acked"] * 5])
        ]
        told = block_bytes(frame(alerts=tuple(alerts)))
        assert b"| Alerts | alert 1, alert 2, alert 3 |" in told

    @pytest.mark.parametrize("text", [HOSTILE, "tokenbudget:end", "<!-- tokenbudget:end -->"])
    def test_a_hostile_title_cannot_leave_it(self, text: str) -> None:
        made = with_block(b"", hostile(text))
        assert block_place(made) == (0, len(made) - 1)
        assert made.count(b"<") == made.count(b">") == 2
        assert with_block(made, frame()) == with_block(b"", frame())

    @settings(deadline=None, max_examples=200)
    @given(frames)
    def test_any_frame_gives_one_table(self, any_frame: Frame) -> None:
        lines = block_bytes(any_frame).decode().split("\n")
        assert [line.encode() for line in (lines[0], lines[-1])] == [BEGIN, END]
        assert all(re.fullmatch(r"\|[^|]*\|[^|]*\|", line) for line in lines[2:-2])
        assert len("\n".join(lines).splitlines()) == len(lines)


class TestPlace:
    @settings(deadline=None, max_examples=300)
    @given(contents, contents, frames)
    def test_everything_outside_the_markers_stays(
        self, before: bytes, after: bytes, any_frame: Frame
    ) -> None:
        before = before + b"\n" if before else before
        after = b"\n" + after if after else after
        try:
            made = with_block(before + BLOCK + after, any_frame)
        except Refused:
            assume(False)
        assert made.startswith(before + BEGIN)
        assert made.endswith(END + after)
        assert made.count(BEGIN) == made.count(END) == 1

    @settings(deadline=None, max_examples=300)
    @given(contents, frames)
    def test_a_new_block_is_added_after_everything(self, content: bytes, any_frame: Frame) -> None:
        try:
            made = with_block(content, any_frame)
        except Refused:
            assume(False)
        assert made.startswith(content)
        gap, begin, _ = made[len(content) :].partition(BEGIN)
        assert begin == BEGIN
        assert gap.strip(b"\r\n") == b""
        assert made.rstrip(b"\r\n").endswith(END)

    @settings(deadline=None, max_examples=300)
    @given(contents, frames, frames)
    def test_once_more_changes_nothing(self, content: bytes, one: Frame, other: Frame) -> None:
        try:
            made = with_block(content, one)
        except Refused:
            assume(False)
        assert with_block(made, one) == made
        assert with_block(with_block(made, other), one) == made

    def test_where_only_the_time_differs_nothing_changes(self) -> None:
        made = with_block(b"# Plan\n", frame())
        assert with_block(made, frame(made_at_ms=NOON_MS + 3_600_000)) == made
        later = with_block(made, OTHER._replace(made_at_ms=NOON_MS + 3_600_000))
        assert b"| Last change | 2026-11-20 14:00 +01:00 |" in later

    @pytest.mark.parametrize(
        ("content", "gap"),
        [
            (b"", b""),
            (b"# Plan", b"\n\n"),
            (b"# Plan\n", b"\n"),
            (b"# Plan\n\n", b""),
            (b"# Plan\r\n", b"\r\n"),
            (b"a\r\nb", b"\r\n\r\n"),
            (b"a\r", b"\n\n"),
            (b"\xef\xbb\xbf", b"\n\n"),
            (b"\xff\x80 latin\n", b"\n"),
        ],
    )
    def test_a_blank_line_stands_before_a_new_block(self, content: bytes, gap: bytes) -> None:
        assert with_block(content, frame()).startswith(content + gap + BEGIN)

    @pytest.mark.parametrize("end_of_line", [b"\n", b"\r\n"])
    def test_line_ends_are_those_of_the_file(self, end_of_line: bytes) -> None:
        made = with_block(b"# Plan" + end_of_line, frame())
        assert made.count(b"\n") == made.count(end_of_line)
        assert with_block(made, OTHER).count(b"\n") == made.count(b"\n")

    def test_a_byte_order_mark_may_stand_before_the_block(self) -> None:
        made = with_block(b"\xef\xbb\xbf" + BLOCK, frame())
        assert made == b"\xef\xbb\xbf" + block_bytes(frame())

    def test_code_that_is_closed_does_not_matter(self) -> None:
        code = b"```sh\n# ~~~\n````\n\n- ~~~\n  x\n  ~~~\n\n``` a`b ```\n"
        assert with_block(code + BLOCK + b"\n", frame()).startswith(code + BEGIN)
        assert with_block(code, frame()).startswith(code)


class TestDamage:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (BEGIN + b"\n", "line 1 has a marker too many, or without"),
            (b"x\n" + END + b"\n", "line 2 has a marker too many, or without"),
            (END + b"\n" + BEGIN, "line 2 has a marker too many, or without"),
            (BLOCK + b"\n" + BLOCK, "marker too many"),
            (BEGIN + b"\n" + BLOCK, "marker too many"),
            (BLOCK + b"\n" + END, "marker too many"),
            (b"see " + BEGIN + b"\n" + END, "line 1 has a marker that does not stand alone"),
            (b"    " + BLOCK, "does not stand alone"),
            (b"`tokenbudget:begin` is where it begins\n", "does not stand alone"),
            (BEGIN[:-4] + b"\nx\n" + END, "does not stand alone"),
            (b"```\n" + BLOCK + b"\n```\n", "line 2 has a marker inside a code block"),
            (b"- ~~~~\n~~~\n" + BLOCK, "inside a code block"),
            (BEGIN + b"\n```\n" + END, "line 3 has a marker inside a code block"),
            (b"text\n```sh\nls\n", "still open"),
            (b"~~~\n```\n", "still open"),
            ("# Plan\n".encode("utf-16"), "no UTF-8"),
            (b"a\0b", "no UTF-8"),
        ],
    )
    def test_is_refused_and_nothing_changes(
        self, content: bytes, said: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "ROADMAP.md"
        path.write_bytes(content)
        with pytest.raises(Refused, match=re.escape(said)) as told:
            update_roadmap(str(path), frame())
        assert f"'{path}' is left as it is: " in str(told.value)
        assert path.read_bytes() == content
        assert os.listdir(tmp_path) == ["ROADMAP.md"]


class TestFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        made = tmp_path / "ROADMAP.md"
        made.write_bytes(b"# Plan\n")
        return made

    @pytest.mark.parametrize("mode", [0o644, 0o600, 0o664, 0o640])
    def test_keeps_its_mode_whatever_the_umask(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        before = os.umask(0o077)
        try:
            assert update_roadmap(str(path), frame())
        finally:
            os.umask(before)
        copy = path.with_name(path.name + COPY_SUFFIX)
        assert {stat.S_IMODE(made.stat().st_mode) for made in (path, copy)} == {mode}

    def test_is_copied_before_its_first_change_and_then_no_more(self, path: Path) -> None:
        for told in (frame(), OTHER, frame()):
            assert update_roadmap(str(path), told)
        copy = path.with_name(path.name + COPY_SUFFIX)
        assert sorted(os.listdir(path.parent)) == [path.name, copy.name]
        assert copy.read_bytes() == b"# Plan\n"
        assert path.read_bytes() == with_block(b"# Plan\n", frame())

    def test_no_copy_is_ever_overwritten(self, path: Path) -> None:
        update_roadmap(str(path), frame())
        path.write_bytes(b"# Another plan\n")
        update_roadmap(str(path), frame())
        copies = [path.with_name(f"{path.name}{COPY_SUFFIX}{more}") for more in ("", "-2")]
        assert [copy.read_bytes() for copy in copies] == [b"# Plan\n", b"# Another plan\n"]

    def test_is_not_written_where_nothing_changed(self, path: Path) -> None:
        update_roadmap(str(path), frame())
        before = path.stat()
        assert not update_roadmap(str(path), frame(made_at_ms=NOON_MS + 30_000))
        assert path.stat() == before

    def test_that_is_missing_is_made_only_on_request(self, tmp_path: Path) -> None:
        path = tmp_path / "ROADMAP.md"
        with pytest.raises(ProjectUnusable, match="is not there"):
            update_roadmap(str(path), frame())
        assert os.listdir(tmp_path) == []
        assert update_roadmap(str(path), frame(), may_create=True)
        assert path.read_bytes() == with_block(b"", frame())
        assert os.listdir(tmp_path) == ["ROADMAP.md"]

    def test_what_somebody_saves_meanwhile_is_kept(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        update_roadmap(str(path), frame())
        theirs = path.read_bytes().replace(b"# Plan", b"# Better plan")
        real, calls = write_atomic_at, []

        def slow(*arguments: object) -> None:
            calls.append(arguments)
            if len(calls) == 1:
                path.write_bytes(theirs)
            real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(edited_file, "write_atomic_at", slow)
        assert update_roadmap(str(path), OTHER)
        assert len(calls) == 2
        assert path.read_bytes() == with_block(theirs, OTHER)

    def test_that_is_written_all_the_time_is_left_alone(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        update_roadmap(str(path), frame())
        real = write_atomic_at

        def contested(*arguments: object) -> None:
            path.write_bytes(path.read_bytes() + b"x\n")
            real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(edited_file, "write_atomic_at", contested)
        with pytest.raises(ProjectUnusable, match="being written by others"):
            update_roadmap(str(path), OTHER)
        assert path.read_bytes().endswith(b"x\nx\nx\n")
        assert len(os.listdir(path.parent)) == 2

    def test_one_that_appears_meanwhile_is_not_overwritten(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "ROADMAP.md"
        real = write_atomic_at

        def late(*arguments: object) -> None:
            if not path.exists():
                path.write_bytes(b"theirs\n")
            real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(edited_file, "write_atomic_at", late)
        assert update_roadmap(str(path), frame(), may_create=True)
        assert path.read_bytes() == with_block(b"theirs\n", frame())

    @pytest.mark.parametrize("target", ["other.md", "nowhere", "/etc/hostname", "."])
    def test_a_link_is_not_followed(self, path: Path, target: str) -> None:
        (path.parent / "other.md").write_text("theirs")
        path.unlink()
        path.symlink_to(target)
        with pytest.raises(Refused, match="is a link"):
            update_roadmap(str(path), frame(), may_create=True)
        assert (path.parent / "other.md").read_text() == "theirs"
        assert len(os.listdir(path.parent)) == 2

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "fifo"])
    def test_what_is_no_file(self, path: Path, make: object) -> None:
        path.unlink()
        make(path)  # type: ignore[operator]
        with pytest.raises(Refused, match="no regular file"):
            update_roadmap(str(path), frame())

    def test_another_users_file(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
        with pytest.raises(Refused, match="belongs to another user"):
            update_roadmap(str(path), frame())

    def test_what_is_too_large(self, path: Path) -> None:
        os.truncate(path, edited_file.MOST_BYTES + 1)
        with pytest.raises(Refused, match="is larger than 4,000,000 bytes"):
            update_roadmap(str(path), frame())

    @pytest.mark.parametrize("step", ["fsync", "replace", "urandom"])
    def test_a_full_disk_leaves_the_old_one(
        self, path: Path, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, step, failing)
        with pytest.raises(ProjectUnusable, match="No space left on device"):
            update_roadmap(str(path), frame())
        monkeypatch.undo()
        assert path.read_bytes() == b"# Plan\n"
        left = {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent)}
        assert set(left.values()) == {b"# Plan\n"}

    def test_in_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        for bad in (tmp_path / "no/ROADMAP.md", tmp_path / "\0/ROADMAP.md"):
            with pytest.raises(ProjectUnusable, match="cannot change"):
                update_roadmap(str(bad), frame(), may_create=True)

    def test_a_bare_name_is_one_here(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(path.parent)
        assert update_roadmap("ROADMAP.md", frame(chosen=session_view(title="here")))
        assert b"here" in path.read_bytes()
