import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.catalogue import SETTINGS
from tokenbudget.config.settings import (
    Settings,
    environment_for_child,
    settings_from,
    terminal_wishes,
)
from tokenbudget.config.values import KNOWN_IN_FILE, VARIABLES
from tokenbudget.model.errors import BadConfig


class Place:
    """A home folder with room for a config.toml."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.file = home / ".config" / "tokenbudget" / "config.toml"

    def write(self, text: str | bytes) -> None:
        """Set what config.toml says."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def settings(self, **variables: str) -> Settings:
        """The settings under these variables."""
        return settings_from({"HOME": str(self.home), **variables})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty home."""
    return Place(tmp_path)


class TestBuiltIn:
    def test_folders_follow_the_conventions_of_the_system(self, place: Place) -> None:
        found = place.settings()

        assert found.data_dir == str(place.home / ".local/share/tokenbudget")
        assert found.config_path == str(place.file)
        assert found.claude_dirs == (
            str(place.home / ".claude"),
            str(place.home / ".config/claude"),
        )

    def test_everything_else_is_quiet(self, place: Place) -> None:
        found = place.settings()

        assert (found.timezone, found.backfill, dict(found.prices)) == (None, "detached", {})
        assert 1 <= found.workers <= 4

    def test_nothing_is_written(self, place: Place) -> None:
        place.settings()

        assert list(place.home.iterdir()) == []


class TestPrecedence:
    @pytest.mark.parametrize(
        ("name", "variable", "in_file", "in_environment"),
        [
            ("timezone", "TOKENS_TZ", '"Europe/Berlin"', "Asia/Tokyo"),
            ("workers", "TOKENS_WORKERS", "3", "2"),
            ("backfill", "TOKENS_BACKFILL", '"inline"', "off"),
            ("autocompact_reserve_tokens", "TOKENS_AUTOCOMPACT_RESERVE", "20000", "30000"),
            ("claude_dirs", "CLAUDE_CONFIG_DIR", '["/in/file"]', "/in/environment"),
        ],
    )
    def test_default_then_file_then_environment(
        self, place: Place, name: str, variable: str, in_file: str, in_environment: str
    ) -> None:
        assert name not in place.settings().origins

        place.write(f"{name} = {in_file}\n")
        from_file = place.settings()
        assert from_file.origins[name] == str(place.file)
        assert in_file.strip('"[]') in str(getattr(from_file, name))

        from_environment = place.settings(**{variable: in_environment})
        assert from_environment.origins[name] == variable
        assert in_environment in str(getattr(from_environment, name))
        assert in_file.strip('"[]') not in str(getattr(from_environment, name))

    @pytest.mark.parametrize("variable", sorted(VARIABLES.values()))
    def test_an_empty_variable_says_nothing(self, place: Place, variable: str) -> None:
        assert place.settings(**{variable: ""}) == place.settings()

    @pytest.mark.parametrize(
        ("variables", "data", "config", "origins"),
        [
            ({"TOKENS_HOME": "/t"}, "/t", "/t/config.toml", ("TOKENS_HOME", "TOKENS_HOME")),
            (
                {"TOKENS_HOME": "/t", "TOKENS_CONFIG": "/c.toml"},
                "/t",
                "/c.toml",
                ("TOKENS_HOME", "TOKENS_CONFIG"),
            ),
            (
                {"XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c"},
                "/d/tokenbudget",
                "/c/tokenbudget/config.toml",
                ("XDG_DATA_HOME", "XDG_CONFIG_HOME"),
            ),
        ],
    )
    def test_places_and_their_origins(
        self,
        place: Place,
        variables: dict[str, str],
        data: str,
        config: str,
        origins: tuple[str, str],
    ) -> None:
        found = place.settings(**variables)

        assert (found.data_dir, found.config_path) == (data, config)
        assert (found.origins["home"], found.origins["config"]) == origins


class TestFolders:
    def test_named_ones_come_first_and_each_once(self, place: Place) -> None:
        found = place.settings(CLAUDE_CONFIG_DIR=f"/b, /a ,/b,,{place.home}/.claude")

        assert found.claude_dirs == (
            "/b",
            "/a",
            str(place.home / ".claude"),
            str(place.home / ".config/claude"),
        )

    def test_a_list_in_the_file(self, place: Place) -> None:
        place.write('claude_dirs = ["/a,with comma", "/b"]\n')

        assert place.settings().claude_dirs[:2] == ("/a,with comma", "/b")

    def test_a_tilde_means_home(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(place.home))

        assert place.settings(CLAUDE_CONFIG_DIR="~/x").claude_dirs[0] == str(place.home / "x")


class TestWindows:
    def test_nothing_is_said_of_them_at_first(self, place: Place) -> None:
        found = place.settings()

        assert (dict(found.windows), found.autocompact_reserve_tokens) == ({}, None)
        assert (dict(found.allocation), dict(found.token_management)) == ({}, {})

    def test_sizes_are_numbers_also_written_as_text(self, place: Place) -> None:
        place.write('[windows]\n"claude-*" = 500_000\nm = "64_000"\n')

        assert place.settings().windows == {"claude-*": 500_000, "m": 64_000}

    def test_a_size_of_nothing_is_no_size(self, place: Place) -> None:
        place.write("windows.m = 0\n")

        assert place.settings().windows == {}

    def test_a_reserve_of_nothing_is_one(self, place: Place) -> None:
        assert place.settings(TOKENS_AUTOCOMPACT_RESERVE="0").autocompact_reserve_tokens == 0

    def test_the_tables_are_handed_on_as_they_are(self, place: Place) -> None:
        place.write("allocation.context = 1\ntokenManagement.warningThreshold = 60\n")
        found = place.settings()

        assert found.allocation == {"context": 1}
        assert found.token_management == {"warningThreshold": 60}
        assert found.origins["tokenManagement"] == found.origins["allocation"] == str(place.file)

    def test_an_impossible_reserve_names_its_variable(self, place: Place) -> None:
        with pytest.raises(BadConfig, match=r"from TOKENS_AUTOCOMPACT_RESERVE.*'much'"):
            place.settings(TOKENS_AUTOCOMPACT_RESERVE="much")


class TestRefusal:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "colour = 1",
                "has the unknown setting 'colour'; known are alerts, allocation, autocompact_",
            ),
            ("worker = 1", "unknown setting 'worker' (did you mean 'workers'?)"),
            (f"windows.m = 0x{'f' * 9000}", "must be a number of tokens"),
            (f'backfill = "{"x" * 10_000}"', "must be one of"),
            (r'backfill = "\u001b[2J\u202e"', r"not '\x1b[2J\u202e'"),
            ("alerts = 1", "must be a table; write [alerts]"),
            ("monitor = []", "must be a table; write [monitor]"),
            ("workers =", "is not TOML"),
            ("workers = 1\nworkers = 2", "is not TOML"),
            (b"\xff\xfe", "is not TOML"),
            ("a = " + "[" * 10_000, "is not TOML"),
            ("workers = -1", "must be a number from 0 to 64, not -1"),
            ("workers = 65", "must be a number from 0 to 64"),
            ("workers = 2.5", "must be a number from 0 to 64"),
            ("workers = true", "must be a number from 0 to 64"),
            ("workers = []", "must be a number from 0 to 64"),
            ('backfill = "later"', "must be one of detached, inline, off, not 'later'"),
            ("backfill = false", "must be one of"),
            ("backfill = []", "must be one of"),
            ("timezone = 1", "must be an IANA name"),
            ("claude_dirs = 1", "must be a list of folders"),
            ("claude_dirs = [1]", "must be a list of folders"),
            ("prices = 1", "must be tables"),
            ("prices = {m = 1}", "must be tables"),
            ("windows = 1", "must be a table; write [windows]"),
            ("windows.m = -1", 'windows."m"'),
            ("windows.m = 1.5", "must be a number of tokens, not 1.5"),
            ("windows.m = true", "must be a number of tokens, not True"),
            ("windows.m = []", "must be a number of tokens"),
            ('windows.m = "large"', "must be a number of tokens, not 'large'"),
            ("windows.m = 1_000_000_001", "must be a number of tokens"),
            ("autocompact_reserve_tokens = -1", "must be a number of tokens, not -1"),
            ("autocompact_reserve_tokens = nan", "must be a number of tokens, not nan"),
            ("allocation = 1", "must be a table; write [allocation]"),
            ("tokenManagement = []", "must be a table; write [tokenManagement]"),
        ],
    )
    def test_an_impossible_file_is_named(self, place: Place, text: str | bytes, said: str) -> None:
        place.write(text)

        with pytest.raises(BadConfig) as refused:
            place.settings()
        assert said in str(refused.value)
        assert str(place.file) in str(refused.value)
        assert "\n" not in str(refused.value).rstrip()
        assert len(str(refused.value)) < 700

    @pytest.mark.parametrize(
        ("variable", "value"), [("TOKENS_WORKERS", "many"), ("TOKENS_BACKFILL", "never")]
    )
    def test_an_impossible_variable_is_named(self, place: Place, variable: str, value: str) -> None:
        with pytest.raises(BadConfig, match=rf"from {variable}.*'{value}'"):
            place.settings(**{variable: value})

    def test_a_file_that_cannot_be_read_is_named(self, place: Place) -> None:
        place.file.mkdir(parents=True)

        with pytest.raises(BadConfig, match="make it readable or remove it") as refused:
            place.settings()
        assert str(place.file) in str(refused.value)

    @given(st.binary(max_size=60))
    def test_any_bytes_are_settings_or_a_refusal(self, text: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "config.toml")
            path.write_bytes(text)
            try:
                settings_from({"HOME": folder, "TOKENS_CONFIG": str(path)})
            except BadConfig as exc:
                refusal = str(exc)
            else:
                refusal = str(path)
            assert str(path) in refusal


class TestChild:
    def test_a_helper_has_the_same_settings(self, place: Place) -> None:
        found = place.settings(TOKENS_HOME="/t", CLAUDE_CONFIG_DIR="/a,/b")
        again = settings_from(environment_for_child(found))

        assert (again.home_dir, again.data_dir, again.config_path, again.claude_dirs) == (
            found.home_dir,
            found.data_dir,
            found.config_path,
            found.claude_dirs,
        )

    def test_nothing_else_of_the_environment_goes_along(self, place: Place) -> None:
        environment = environment_for_child(place.settings(SECRET="x"))

        assert set(environment) == {
            "HOME",
            "TOKENS_HOME",
            "TOKENS_CONFIG",
            "TOKENS_WORKERS",
        }

    def test_a_helper_resolves_the_same_values(self, place: Place) -> None:
        told = {
            "TOKENS_WARNING_THRESHOLD": "0.4",
            "TOKENS_AUTO_OPTIMIZE": "yes",
            "TOKENS_TZ": "Asia/Tokyo",
            "TOKENS_AUTOCOMPACT_RESERVE": "30000",
            "TZ": "Europe/Paris",
        }
        found = place.settings(**told)
        again = settings_from(environment_for_child(found), found.working_dir)

        assert again.management() == found.management()
        assert again.management().warning_share == 0.4
        assert (again.timezone, again.autocompact_reserve_tokens) == ("Asia/Tokyo", 30_000)
        assert again.alert_settings() == found.alert_settings()

    def test_a_folder_with_a_comma_in_the_file_is_left_to_the_file(self, place: Place) -> None:
        place.write('claude_dirs = ["/a,b"]')
        found = place.settings()
        again = settings_from(environment_for_child(found))

        assert again.claude_dirs == found.claude_dirs
        assert "/a,b" in again.claude_dirs


class TestTerminal:
    @pytest.mark.parametrize(
        ("variables", "is_plain"),
        [
            ({}, False),
            ({"NO_COLOR": "1"}, True),
            ({"NO_COLOR": "0"}, True),
            ({"NO_COLOR": ""}, False),
            ({"TERM": "dumb"}, True),
            ({"TERM": "xterm"}, False),
        ],
    )
    def test_plain_text(self, variables: dict[str, str], is_plain: bool) -> None:
        assert terminal_wishes(variables).is_plain is is_plain

    @pytest.mark.parametrize(
        ("columns", "width"),
        [("120", 120), ("", 0), ("wide", 0), ("-1", 0), ("²", 0), ("9" * 99, 0)],
    )
    def test_columns(self, columns: str, width: int) -> None:
        assert terminal_wishes({"COLUMNS": columns}).columns == width


def test_every_setting_says_what_it_is_for() -> None:
    assert all(setting.meaning for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    assert set(VARIABLES) <= {setting.name for setting in SETTINGS}
    tops = {setting.name.partition(".")[0] for setting in SETTINGS}
    assert tops - {"home", "config"} == KNOWN_IN_FILE
