"""`tokens archive --timer`: printed as it is installed, installed only when it is asked for.

The programs of the system are small scripts in a folder of the test: nothing real is touched.
"""

import plistlib
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Home

from tokenbudget.system import timers

KEPT_LINES = "MAILTO=me\n0 5 * * 1 backup --all # mine\n"


class Machine:
    """A home on a machine with these programs."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = Home(tmp_path / "ho me")
        self.programs = tmp_path / "bin"
        self.programs.mkdir()
        self.log = tmp_path / "log"
        self.log.write_text("")
        self.table = tmp_path / "crontab"
        self.home.variables["PATH"] = str(self.programs)

    def has(self, name: str, script: str = "") -> None:
        """Put a program there that notes how it was called."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.log}"\n{script}\n')
        path.chmod(0o755)

    def has_cron(self) -> None:
        """A cron that keeps its table in a file."""
        self.has(
            "crontab",
            f'if [ "$1" = -l ]; then [ -f "{self.table}" ] || {{ echo "no crontab for me" >&2;'
            f' exit 1; }}; /bin/cat "{self.table}"; else /bin/cat > "{self.table}"; fi',
        )

    @property
    def calls(self) -> list[str]:
        """How the programs were called."""
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_systemd_is_printed_quoted_and_early_enough(machine: Machine) -> None:
    machine.home.claude.mkdir()
    (machine.home.claude / "settings.json").write_text('{"cleanupPeriodDays": 20}')

    done = machine.home.run("archive", "--timer", "systemd")

    assert done.code == 0, done.err
    assert (
        f'ExecStart="{sys.executable}" "-P" "-m" "tokenbudget" "archive" "15" "--yes"' in done.lines
    )
    assert f'Environment="TOKENS_HOME={machine.home.config.parent}"' in done.lines
    assert "Persistent=true" in done.lines
    assert (
        done.lines[-1] == "# The agent deletes transcripts after 20 days; this archives after 15."
    )
    assert machine.calls == []
    assert not (machine.home.path / ".config").exists()


def test_every_kind_is_one_that_its_system_understands(machine: Machine) -> None:
    table = machine.home.ask("archive", "9", "--timer", "launchd")
    told = plistlib.loads(table["rows"][0]["text"].encode())
    cron = machine.home.ask("archive", "9", "--timer", "cron")["rows"][0]["text"]

    assert told["ProgramArguments"] == [
        sys.executable,
        "-P",
        "-m",
        "tokenbudget",
        "archive",
        "9",
        "--yes",
    ]
    assert told["EnvironmentVariables"]["TOKENS_HOME"] == str(machine.home.config.parent)
    minute, hour, *rest, command = cron.split(" ", 5)
    assert (minute, hour, rest) == ("17", "3", ["*", "*", "*"])
    words = subprocess.run(
        ["/bin/sh", "-c", f"set -- {command.partition(' >/dev/null')[0]}; printf '%s\\n' \"$@\""],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert words[0] == "env"
    assert f"TOKENS_HOME={machine.home.config.parent}" in words
    assert words[-7:] == [sys.executable, "-P", "-m", "tokenbudget", "archive", "9", "--yes"]


def test_systemd_is_installed_journalled_and_removed(machine: Machine) -> None:
    machine.has("systemctl")
    folder = machine.home.path / ".config" / "systemd" / "user"

    done = machine.home.run("archive", "--install-timer", "--yes")

    assert done.code == 0, done.err
    assert sorted(path.name for path in folder.iterdir()) == [
        "tokenbudget-archive.service",
        "tokenbudget-archive.timer",
    ]
    assert machine.calls == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now tokenbudget-archive.timer",
    ]
    assert "--install-timer" in machine.home.run("undo", "--list").out

    removed = machine.home.run("archive", "--remove-timer")

    assert removed.code == 0
    assert list(folder.iterdir()) == []
    assert machine.calls[-1] == "systemctl --user disable --now tokenbudget-archive.timer"
    assert machine.home.run("archive", "--remove-timer").out == "There is no timer of ours.\n"


def test_undo_takes_the_files_of_a_timer_away(machine: Machine) -> None:
    machine.has("systemctl")
    machine.home.run("archive", "--install-timer", "--yes")

    done = machine.home.run("undo", "--yes")

    assert done.code == 0, done.err
    assert list((machine.home.path / ".config" / "systemd" / "user").iterdir()) == []
    assert machine.calls[-1] == "systemctl --user disable --now tokenbudget-archive.timer"


def test_what_systemd_does_not_take_is_not_left_behind(machine: Machine) -> None:
    machine.has("systemctl", "echo 'Failed to connect to bus' >&2; exit 1")

    done = machine.home.run("archive", "--install-timer", "--yes")

    assert done.code == 3
    assert "systemctl refused (Failed to connect to bus)" in done.err
    assert list((machine.home.path / ".config" / "systemd" / "user").iterdir()) == []


def test_cron_keeps_every_other_line(machine: Machine) -> None:
    machine.has_cron()
    machine.table.write_text(KEPT_LINES)

    for days in ("9", "12"):  # the second takes the place of the first
        assert machine.home.run("archive", days, "--install-timer", "cron", "--yes").code == 0
    installed = machine.table.read_text()
    assert machine.home.run("archive", "--remove-timer").out == "Removed: crontab.\n"

    assert installed.startswith(KEPT_LINES)
    assert installed.count("# tokenbudget archive") == 1
    assert " archive 12 --yes" in installed
    assert machine.table.read_text() == KEPT_LINES


def test_launchd_is_loaded_anew_and_removed(machine: Machine) -> None:
    machine.has("launchctl", '[ "$1" = bootstrap ] || exit 3')
    agent = machine.home.path / "Library" / "LaunchAgents" / "tokenbudget.archive.plist"

    assert machine.home.run("archive", "--install-timer", "launchd", "--yes").code == 0
    assert plistlib.loads(agent.read_bytes())["Label"] == "tokenbudget.archive"
    assert [call.split()[1] for call in machine.calls] == ["bootout", "bootstrap"]
    assert machine.home.run("archive", "--remove-timer").code == 0
    assert not agent.exists()


def test_a_first_crontab(machine: Machine) -> None:
    machine.has_cron()

    assert machine.home.run("archive", "--install-timer", "cron", "--yes").code == 0
    assert machine.table.read_text().count("\n") == 1


def test_a_crontab_that_cannot_be_read_is_not_written(machine: Machine) -> None:
    machine.has("crontab", 'if [ "$1" = -l ]; then echo "you may not" >&2; exit 1; fi; exit 0')

    done = machine.home.run("archive", "--install-timer", "cron", "--yes")

    assert done.code == 3
    assert "cannot be read, so it is not written either" in done.err
    assert all(call == "crontab -l" for call in machine.calls)


def test_nothing_is_installed_without_being_asked(machine: Machine) -> None:
    machine.has("systemctl")

    refused = machine.home.spawn("archive", "--install-timer")
    dry = machine.home.run("archive", "--install-timer", "--dry-run")

    assert (refused.code, dry.code) == (4, 0)
    assert machine.calls == []


def test_a_system_without_any_timer(machine: Machine) -> None:
    done = machine.home.run("archive", "--install-timer", "cron", "--yes")

    assert done.code == 3
    assert machine.home.run("archive", "--install-timer", "systemd", "--yes").code == 3
    assert (
        "there is no systemctl here"
        in machine.home.run("archive", "--install-timer", "systemd", "--yes").err
    )


def test_a_percent_sign_in_a_path_does_not_end_the_cron_line(machine: Machine) -> None:
    machine.home.variables["TOKENS_HOME"] = str(machine.home.path / "50%")

    text = machine.home.ask("archive", "--timer", "cron")["rows"][0]["text"]

    assert "50\\%" in text
    assert "50%%" in machine.home.ask("archive", "--timer", "systemd")["rows"][0]["text"]


def test_a_dollar_sign_is_doubled_where_systemd_replaces_variables(machine: Machine) -> None:
    data = machine.home.path / "a$b%c"

    done = machine.home.run("archive", "--timer", "systemd", TOKENS_HOME=str(data))

    assert f'Environment="TOKENS_HOME={machine.home.path}/a$b%%c"' in done.lines
    job = timers.Job(("/usr/bin/a$b", "x"), {})
    [service, _] = timers.units("systemd", job, timers.Places("/h", "/h/.config", ""))
    assert 'ExecStart="/usr/bin/a$$b" "x"' in service.text
