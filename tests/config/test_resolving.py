"""The story of a typo, in each of the files."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.conftest import Desk

from tokenbudget.config.management import ENVIRONMENT, USER, Layer
from tokenbudget.config.resolving import (
    MOST_TABLES,
    TABLES_NAME,
    GoodTable,
    good_tables,
    keep_tables,
)
from tokenbudget.model.errors import BadConfig


@pytest.fixture(params=["user", "project", "local"])
def path(desk: Desk, request: pytest.FixtureRequest) -> Path:
    """One of the agent's settings files."""
    found = getattr(desk, request.param)
    assert isinstance(found, Path)
    return found


def test_a_typo_keeps_the_last_good_values_and_says_so_once(desk: Desk, path: Path) -> None:
    desk.write(path, {"warningThreshold": 0.3, "autoOptimize": True})
    good = desk.run().management()
    desk.write(path, {"warningThreshold": "lots", "autoOptimize": False})
    settings = desk.run()

    assert settings.management() == settings.management() == good
    [sentence] = desk.said
    assert sentence.startswith(f"tokenManagement.warningThreshold in {path} must be a number")
    assert "not 'lots'; the values of 20" in sentence
    assert sentence.endswith(" are used until that is corrected")


def test_a_correction_is_taken_up(desk: Desk, path: Path) -> None:
    for share in (0.3, "lots", 0.2):
        desk.write(path, {"warningThreshold": share})
        desk.run().management()

    assert desk.run().management().warning_share == 0.2
    assert len(desk.said) == 1


def test_without_a_last_good_one_it_is_an_error(desk: Desk, path: Path) -> None:
    desk.write(path, {"warningThreshold": "lots"})

    with pytest.raises(BadConfig, match="must be a number") as refused:
        desk.run().management()
    assert str(path) in str(refused.value)
    assert desk.said == []


def test_a_file_that_is_no_json_never_stops_anybody(desk: Desk, path: Path) -> None:
    desk.write(path, "{torn")

    assert desk.run().management().warning_share == 0.5
    [sentence] = desk.said
    assert sentence.startswith(f"{path} is no JSON: ")
    assert sentence.endswith("; this run goes on without it")


def test_a_torn_file_keeps_what_it_said(desk: Desk, path: Path) -> None:
    desk.write(path, {"warningThreshold": 0.3})
    desk.run().management()
    desk.write(path, '{"tokenManagement": {"warningThr')

    assert desk.run().management().warning_share == 0.3
    assert "its values of 20" in desk.said[0]
    assert desk.run().management().warning_share == 0.3


def test_other_layers_go_on_changing_meanwhile(desk: Desk) -> None:
    desk.write(desk.project, {"warningThreshold": 0.3})
    desk.run().management()
    desk.write(desk.project, {"warningThreshold": None})
    desk.write(desk.user, {"compressionMode": "verbose"})
    found = desk.run().management()

    assert (found.warning_share, found.compression_mode) == (0.3, "verbose")


def test_disorder_between_files_goes_back_to_the_one_that_changed(desk: Desk) -> None:
    desk.write(desk.user, {"criticalThreshold": 0.6})
    desk.write(desk.project, {"warningThreshold": 0.3})
    desk.run().management()
    desk.write(desk.project, {"warningThreshold": 0.7})
    found = desk.run().management()

    assert (found.warning_share, found.critical_share) == (0.3, 0.6)
    assert "is not below" in desk.said[0]


def test_typos_in_two_files_are_both_bridged_and_told(desk: Desk) -> None:
    desk.write(desk.user, {"criticalThreshold": 0.6})
    desk.write(desk.ours, "tokenManagement.warningThreshold = 0.3\n")
    desk.run().management()
    desk.write(desk.user, {"criticalTreshold": 0.7})
    desk.write(desk.ours, "tokenManagement.warningThreshold = 'x'\n")
    found = desk.run().management()

    assert (found.warning_share, found.critical_share) == (0.3, 0.6)
    assert len(desk.said) == 2


def test_what_only_a_project_makes_whole_is_not_kept_as_good(desk: Desk) -> None:
    desk.write(desk.user, {"warningThreshold": 0.3})
    desk.run().management()
    desk.write(desk.user, {"warningThreshold": 0.8})
    desk.write(desk.project, {"warningThreshold": 0.4})

    assert desk.run().management().warning_share == 0.4
    desk.project.unlink()
    assert desk.run().management().warning_share == 0.3


def test_a_strict_run_bridges_and_keeps_nothing(desk: Desk, path: Path) -> None:
    desk.write(path, {"warningThreshold": 0.3})
    desk.strict().management()
    assert not desk.data.exists()

    desk.run().management()
    desk.write(path, {"warningThreshold": True})
    with pytest.raises(BadConfig):
        desk.strict().management()


def test_an_impossible_variable_has_no_last_good_one(desk: Desk) -> None:
    desk.write(desk.user, {"warningThreshold": 0.3})
    desk.run().management()

    with pytest.raises(BadConfig, match=r"\(from TOKENS_AUTO_CLEANUP\) must be true or false"):
        desk.run(TOKENS_AUTO_CLEANUP="maybe").management()


def test_of_the_agents_file_only_our_table_is_kept(desk: Desk) -> None:
    desk.write(desk.user, '{"env": {"KEY": "s3cret"}, "tokenManagement": {"autoCleanup": true}}')
    desk.run().management()

    kept = {name: (desk.data / name).read_text() for name in os.listdir(desk.data)}
    assert "autoCleanup" in "".join(kept.values())
    assert "s3cret" not in "".join(kept.values())


def test_where_nothing_can_be_kept_all_else_works(desk: Desk) -> None:
    desk.write(desk.data, "a file where the folder should be")
    desk.write(desk.user, {"warningThreshold": 0.3})

    assert desk.run().management().warning_share == 0.3
    assert desk.data.read_text() == "a file where the folder should be"


class TestKeptTables:
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
