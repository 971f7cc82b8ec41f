import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.last_good import (
    MOST_TABLES,
    TABLES_NAME,
    TEXT_NAME,
    GoodTable,
    day_of,
    good_tables,
    good_text,
    keep_tables,
    keep_text,
)
from tokenbudget.config.management import ENVIRONMENT, USER, Layer


class TestText:
    def test_comes_back_as_it_was(self, tmp_path: Path) -> None:
        home = str(tmp_path / "new")
        keep_text(home, "/a b\n/ö.toml", b"# x\r\nworkers = 1", 7)

        assert good_text(home, "/a b\n/ö.toml") == (7, b"# x\r\nworkers = 1")
        assert os.stat(tmp_path / "new" / TEXT_NAME).st_mode & 0o777 == 0o600
        assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o700

    def test_of_another_file_is_none(self, tmp_path: Path) -> None:
        keep_text(str(tmp_path), "/a.toml", b"workers = 1", 7)

        assert good_text(str(tmp_path), "/b.toml") is None

    def test_none_is_kept(self, tmp_path: Path) -> None:
        assert good_text(str(tmp_path), "/a.toml") is None

    def test_nothing_is_said_where_nothing_can_be_kept(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        keep_text(str(tmp_path / "file"), "/a.toml", b"", 7)

        assert (tmp_path / "file").read_text() == ""

    @given(st.binary(max_size=90))
    def test_any_bytes_are_a_text_or_none(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        folder = tmp_path_factory.mktemp("kept")
        (folder / TEXT_NAME).write_bytes(data)

        assert good_text(str(folder), "/a.toml") is None


class TestTables:
    def kept(self, folder: Path, *layers: Layer, at_ms: int = 5) -> dict[str, GoodTable]:
        """What is kept after a run with these layers."""
        keep_tables(str(folder), good_tables(str(folder)), layers, at_ms)
        return good_tables(str(folder))

    def test_come_back_by_file(self, tmp_path: Path) -> None:
        found = self.kept(tmp_path, Layer(USER, "/u", {"a": 1}), Layer(ENVIRONMENT, "", {"b": 1}))

        assert found == {"/u": (5, {"a": 1})}
        assert os.stat(tmp_path / TABLES_NAME).st_mode & 0o777 == 0o600

    def test_are_written_when_they_change_and_not_else(self, tmp_path: Path) -> None:
        self.kept(tmp_path, Layer(USER, "/u", {"a": 1}))
        before = os.stat(tmp_path / TABLES_NAME)
        again = self.kept(tmp_path, Layer(USER, "/u", {"a": 1}), at_ms=9)

        assert again["/u"].at_ms == 5
        assert os.stat(tmp_path / TABLES_NAME) == before
        assert self.kept(tmp_path, Layer(USER, "/u", {"a": 2}), at_ms=9)["/u"] == (9, {"a": 2})

    def test_nothing_is_written_where_nobody_says_anything(self, tmp_path: Path) -> None:
        self.kept(tmp_path, Layer(USER, "/u"))

        assert list(tmp_path.iterdir()) == []

    def test_a_table_that_was_taken_away_is_forgotten(self, tmp_path: Path) -> None:
        self.kept(tmp_path, Layer(USER, "/u", {"a": 1}))

        assert self.kept(tmp_path, Layer(USER, "/u")) == {}

    def test_a_layer_with_a_fault_keeps_what_it_had(self, tmp_path: Path) -> None:
        self.kept(tmp_path, Layer(USER, "/u", {"a": 1}))
        found = self.kept(tmp_path, Layer(USER, "/u", {"a": 2}, fault="torn"), at_ms=9)

        assert found == {"/u": (5, {"a": 1})}

    def test_the_oldest_projects_are_dropped(self, tmp_path: Path) -> None:
        for number in range(MOST_TABLES + 5):
            self.kept(tmp_path, Layer(USER, f"/{number}", {"a": 1}), at_ms=number)
        found = good_tables(str(tmp_path))

        assert len(found) == MOST_TABLES
        assert "/4" not in found
        assert "/5" in found

    @given(
        st.binary(max_size=60)
        | st.sampled_from(
            [
                b"null",
                b"[1]",
                b'{"format": "tokenbudget/management-last-good/1"}',
                b'{"format": "tokenbudget/management-last-good/1", "files": []}',
                b'{"format": "tokenbudget/management-last-good/1", "files": {"/u": 1}}',
                b'{"format": "tokenbudget/management-last-good/1", "files": {"/u": {"at_ms": 1,'
                b' "table": 5}}}',
                b'{"format": "tokenbudget/management-last-good/2", "files": {"/u": {"at_ms": 1,'
                b' "table": {}}}}',
            ]
        )
    )
    def test_whatever_stands_there_is_tables_or_none(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        folder = tmp_path_factory.mktemp("kept")
        (folder / TABLES_NAME).write_bytes(data)

        assert good_tables(str(folder)) == {}


@pytest.mark.parametrize("at_ms", [0, 1, 1_795_176_000_000, 253_402_214_400_000])
def test_a_day_is_shown(at_ms: int) -> None:
    assert len(day_of(at_ms)) == len("2026-11-20 12:00")
