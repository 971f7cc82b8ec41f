"""What is kept comes back byte for byte, or is clearly said to be gone; never something else."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.archive.faults import CHANGING, Faults
from tests.archive.sessions import FakeClock

from tokenbudget.archive.spill import Spill
from tokenbudget.archive.spill_file import HEADER_BYTES
from tokenbudget.archive.spill_removed import MOST_LINES, gone, note_removed, read_removed
from tokenbudget.compression.handles import DIGITS, handle_of, handle_of_digest
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.atomic import STRAY_SECONDS

DAY_MS = 86_400_000
LOG = b"".join(b"line %d of a log\r\n" % number for number in range(5000))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def spill(tmp_path: Path, clock: FakeClock) -> Spill:
    return Spill(tmp_path / "data" / "spill", clock)


def file_of(spill: Spill, handle: str) -> Path:
    return spill.folder / f"{handle}.zst"


def test_the_handle_is_the_one_that_the_shortened_text_was_given(spill: Spill) -> None:
    assert spill.keep(LOG) == handle_of(LOG)
    assert spill.content(handle_of(LOG)) == LOG


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=3000), st.text(max_size=200))
def test_any_bytes_come_back(spill: Spill, content: bytes, label: str) -> None:
    handle = spill.keep(content, label)
    assert spill.content(handle) == content
    assert b"".join(spill.chunks(handle)) == content
    assert spill.size_of(handle) == len(content)


def test_a_stream_gets_the_handle_of_the_whole(spill: Spill) -> None:
    kept = spill.keep_stream(iter([LOG[:7], b"", LOG[7:]]), "Bash tail")
    assert kept.handle == handle_of(LOG)
    assert kept.size_bytes == len(LOG)
    assert spill.content(kept.handle) == LOG


def test_the_same_bytes_are_kept_once_and_count_as_used_again(
    spill: Spill, clock: FakeClock
) -> None:
    first = spill.keep(LOG)
    clock.ms += DAY_MS
    assert spill.keep(LOG) == first
    (only,) = spill.listing()
    assert only.used_at_ms == clock.ms


def test_nobody_else_may_read_it(spill: Spill) -> None:
    handle = spill.keep(b"AWS_SECRET=abc")
    assert stat.S_IMODE(os.stat(spill.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(file_of(spill, handle)).st_mode) == 0o600


def test_it_can_be_unpacked_without_us(spill: Spill, tmp_path: Path) -> None:
    import zstandard

    packed = file_of(spill, spill.keep(LOG)).read_bytes()
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
        assert reader.read() == LOG


def test_the_listing_is_safe_to_show_and_the_latest_comes_first(
    spill: Spill, clock: FakeClock
) -> None:
    spill.keep(b"old", "Bash \x1b]0;owned\x07 cat" + "x" * 500)
    clock.ms += 1
    spill.keep(b"new", "Read a.py")
    new, old = spill.listing()
    assert (new.label, new.size_bytes) == ("Read a.py", 3)
    assert "\x1b" not in old.label
    assert len(old.label) == 80


def test_an_empty_spill_lists_and_prunes_nothing(spill: Spill) -> None:
    assert spill.listing() == []
    assert spill.prune(DAY_MS).originals == 0
    assert not spill.folder.exists()


class TestGone:
    def test_what_was_never_kept(self, spill: Spill) -> None:
        with pytest.raises(SourceUnreadable, match="no original 123456789012 is kept"):
            spill.content("123456789012")

    @pytest.mark.parametrize("handle", ["", "../../etc/passwd", "12345", "١٢٣٤٥٦٧٨٩٠١٢", "1" * 40])
    def test_what_is_no_handle(self, spill: Spill, handle: str) -> None:
        spill.keep(LOG)
        with pytest.raises(SourceUnreadable, match="no handle"):
            spill.content(handle)

    def test_what_was_removed_is_said_with_its_day(self, spill: Spill, clock: FakeClock) -> None:
        handle = spill.keep(LOG)
        stored = file_of(spill, handle).stat().st_size
        clock.ms += DAY_MS
        assert spill.prune(clock.ms) == (1, stored)
        with pytest.raises(SourceUnreadable, match=rf"{handle} was removed on 20\d\d-"):
            spill.content(handle)

    def test_what_was_removed_and_is_kept_again_is_there(
        self, spill: Spill, clock: FakeClock
    ) -> None:
        handle = spill.keep(LOG)
        spill.prune(clock.ms + 1)
        assert spill.keep(LOG) == handle
        assert spill.content(handle) == LOG

    @pytest.mark.parametrize("cut", [0, 5, HEADER_BYTES, HEADER_BYTES + 9, -5])
    def test_what_is_damaged_is_never_given_out(self, spill: Spill, cut: int) -> None:
        handle = spill.keep(LOG)
        file = file_of(spill, handle)
        file.write_bytes(file.read_bytes()[:cut])
        with pytest.raises(SourceUnreadable, match="damaged"):
            next(spill.chunks(handle))

    def test_another_content_with_a_right_checksum_is_damage_too(self, spill: Spill) -> None:
        one, other = spill.keep(LOG), spill.keep(LOG[:-1] + b"!")
        header, body = file_of(spill, one).read_bytes(), file_of(spill, other).read_bytes()
        file_of(spill, one).write_bytes(header[: HEADER_BYTES + 8] + body[HEADER_BYTES + 8 :])
        with pytest.raises(SourceUnreadable, match="damaged"):
            spill.content(one)

    def test_a_damaged_one_is_whole_when_it_is_kept_again(self, spill: Spill) -> None:
        handle = spill.keep(LOG)
        file = file_of(spill, handle)
        file.write_bytes(file.read_bytes()[:-20])
        assert spill.keep(LOG) == handle
        assert spill.content(handle) == LOG


class TestCollisions:
    @pytest.fixture(autouse=True)
    def _one_handle_for_all(self, monkeypatch: pytest.MonkeyPatch) -> None:

        def alike(digest: bytes, digits: int) -> str:
            if digits < 18:
                return ("0" * digits + "7" * DIGITS)[-digits:]
            return handle_of_digest(digest, digits)

        monkeypatch.setattr("tokenbudget.archive.spill_folder.handle_of_digest", alike)

    def test_two_contents_are_told_apart_by_length(self, spill: Spill) -> None:
        first, second, third = (spill.keep(content) for content in (b"one", b"two", b"three"))
        assert [len(handle) for handle in (first, second, third)] == [12, 15, 18]
        assert spill.keep(b"one") == first
        assert [spill.content(handle) for handle in (first, second, third)] == [
            b"one",
            b"two",
            b"three",
        ]

    def test_a_number_that_was_given_out_never_leads_to_another_content(
        self, spill: Spill, clock: FakeClock
    ) -> None:
        first = spill.keep(b"one")
        spill.prune(clock.ms + 1)
        assert spill.keep(b"two") != first
        with pytest.raises(SourceUnreadable, match="removed"):
            spill.content(first)

    def test_nor_does_that_of_a_file_whose_header_is_gone(self, spill: Spill) -> None:
        first = spill.keep(b"one")
        file_of(spill, first).write_bytes(b"x")
        assert spill.keep(b"two") != first


class TestPruning:
    def test_only_what_was_not_used_for_long_goes(self, spill: Spill, clock: FakeClock) -> None:
        old, used = spill.keep(b"old"), spill.keep(b"used")
        clock.ms += 10 * DAY_MS
        spill.content(used)
        new = spill.keep(b"new")
        spill.prune(clock.ms - 5 * DAY_MS)
        assert {one.handle for one in spill.listing()} == {used, new}
        with pytest.raises(SourceUnreadable, match="removed"):
            spill.content(old)

    def test_what_does_not_fit_goes_the_oldest_first(self, spill: Spill, clock: FakeClock) -> None:
        handles = []
        for number in range(4):
            handles.append(spill.keep(os.urandom(1000) + bytes([number])))
            clock.ms += 1
        size = file_of(spill, handles[0]).stat().st_size
        spill.prune(0, most_bytes=2 * size + 100)
        assert [one.handle for one in spill.listing()] == [handles[3], handles[2]]

    def test_what_a_killed_writer_left_goes_and_a_stream_on_its_way_stays(
        self, spill: Spill, clock: FakeClock
    ) -> None:
        spill.keep(LOG)
        old, new = (spill.folder / f".{digit * 16}.tmp" for digit in "ab")
        for stray, age_seconds in ((old, STRAY_SECONDS + 1), (new, 5)):
            stray.write_bytes(b"half")
            at_ns = (clock.ms - age_seconds * 1000) * 1_000_000
            os.utime(stray, ns=(at_ns, at_ns))
        spill.prune(0)
        assert not old.exists()
        assert new.exists()

    def test_what_lies_there_and_is_not_ours_stays(self, spill: Spill, clock: FakeClock) -> None:
        spill.keep(LOG)
        other = spill.folder / "notes.txt"
        other.write_text("mine")
        spill.prune(clock.ms + DAY_MS)
        assert other.read_text() == "mine"

    def test_of_the_removed_the_latest_are_remembered(self, spill: Spill) -> None:
        spill.keep(LOG)
        folder = os.open(spill.folder, os.O_RDONLY)
        try:
            many = [(f"{number:012}", "ab" * 32) for number in range(MOST_LINES + 5)]
            note_removed(folder, many, 17)
            removed = read_removed(folder)
        finally:
            os.close(folder)
        assert gone(removed, f"{4:012}") is None
        assert gone(removed, f"{5:012}") == ("ab" * 8, 17)

    def test_a_list_of_the_removed_that_is_damaged_says_nothing(self) -> None:
        assert gone(b"\n123456789012 \xff\n", "123456789012") is None
        assert gone(b"\n123456789012 \xff x\n", "123456789012") is None


class TestTheDisk:
    def test_a_link_in_its_place_is_refused(self, tmp_path: Path, spill: Spill) -> None:
        spill.folder.parent.mkdir()
        (tmp_path / "elsewhere").mkdir()
        spill.folder.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(Refused, match="link"):
            spill.keep(LOG)
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_link_in_the_place_of_an_original_is_not_followed(
        self, tmp_path: Path, spill: Spill
    ) -> None:
        handle = spill.keep(LOG)
        file = file_of(spill, handle)
        file.rename(tmp_path / "moved")
        file.symlink_to(tmp_path / "moved")
        with pytest.raises(Refused, match="link"):
            spill.content(handle)

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path, clock: FakeClock) -> None:
        (tmp_path / "file").write_text("stands where a folder should be")
        spill = Spill(tmp_path / "file" / "spill", clock)
        with pytest.raises(ProjectUnusable, match="cannot write"):
            spill.keep(LOG)

    def test_a_stream_that_breaks_leaves_nothing(self, spill: Spill) -> None:
        def broken() -> Iterator[bytes]:
            yield LOG
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            spill.keep_stream(broken())
        assert list(spill.folder.iterdir()) == []

    @pytest.mark.parametrize("at", range(1, 12))
    def test_wherever_the_disk_fails_it_is_there_or_not_there(
        self, tmp_path: Path, clock: FakeClock, at: int
    ) -> None:
        def strike() -> None:
            raise OSError(28, "No space left on device")

        spill = Spill(tmp_path / "spill", clock)
        spill.keep(b"before")
        with Faults(at, strike).installed(), contextlib.suppress(ProjectUnusable):
            spill.keep(LOG)
        assert spill.content(handle_of(b"before")) == b"before"
        assert spill.keep(LOG) == handle_of(LOG)
        assert spill.content(handle_of(LOG)) == LOG
        assert not [file for file in spill.folder.iterdir() if file.name.endswith(".tmp")]

    @pytest.mark.parametrize("at", range(1, 12))
    def test_wherever_a_writer_is_killed_nothing_wrong_is_given_out(
        self, tmp_path: Path, clock: FakeClock, at: int
    ) -> None:
        spill = Spill(tmp_path / "spill", clock)
        spill.keep(b"before")
        child = os.fork()
        if child == 0:
            with Faults(at, lambda: os._exit(9)).installed():
                spill.keep(LOG)
            os._exit(0)
        os.waitpid(child, 0)
        with contextlib.suppress(SourceUnreadable):
            assert spill.content(handle_of(LOG)) == LOG
        assert spill.keep(LOG) == handle_of(LOG)
        clock.ms += 2 * STRAY_SECONDS * 1000
        for stray in spill.folder.glob(".*.tmp"):
            os.utime(stray, (0, 0))
        spill.prune(0)
        assert list(spill.folder.glob(".*.tmp")) == []
        assert {one.size_bytes for one in spill.listing()} == {len(LOG), len(b"before")}

    def test_the_faults_above_really_strike(self, spill: Spill) -> None:
        """The last point of the test before this lies behind what keeping does."""
        spill.keep(b"before")
        counted = Faults(0, lambda: None)
        with counted.installed():
            spill.keep(LOG)
        assert "link" in CHANGING
        assert 5 < counted.calls < 12

    def test_many_at_once_keep_the_same_and_other_contents(self, spill: Spill) -> None:
        contents = [bytes([number]) * 1000 for number in range(4)] * 4
        handles: list[str] = []
        threads = [
            threading.Thread(target=lambda content=content: handles.append(spill.keep(content)))
            for content in contents
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(handles) == sorted(handle_of(content) for content in contents)
        assert len(spill.listing()) == 4


def test_a_hook_that_keeps_nothing_loads_no_compressor() -> None:
    import sys

    code = "import sys, tokenbudget.archive.spill; print('zstandard' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout == "False\n"
