import json
import os
import stat
from collections.abc import Iterator

import pytest
from tests.config.conftest import Desk, FakeClock

from tokenbudget.config import editing
from tokenbudget.config.editing import LOCK_NAME, Change, carry_out
from tokenbudget.config.judging import refuse_senseless
from tokenbudget.config.typed import edit_of
from tokenbudget.model.errors import BadConfig, BadRequest, LedgerUnusable
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock


class Editor:
    """Edits as the verb makes them."""

    def __init__(self, desk: Desk, clock: FakeClock | SystemClock) -> None:
        self.desk = desk
        self.clock = clock
        self.told: list[Change] = []
        self.others: Iterator[int] = iter(())

    def change(
        self, name: str, value: str | None, scope: str = "ours", is_dry_run: bool = False
    ) -> Change:
        """Carry an edit out."""
        edit = edit_of(name, value, scope)
        settings = self.desk.strict()

        def judge(path: str, new: bytes) -> None:
            refuse_senseless(settings, scope, path, new, lambda _: None)

        return carry_out(settings, edit, self.clock, judge, None if is_dry_run else self.keep)

    def keep(self, change: Change) -> str:
        """What is told before each writing; then somebody else may write, at the worst moment."""
        self.told.append(change)
        for number in self.others:
            self.desk.write(self.desk.user, {"warningThreshold": number / 100})
            break
        return f"kept {len(self.told)}"


def others_write(editor: Editor, times: int) -> None:
    """So many times somebody changes the user's file at the worst moment."""
    editor.others = iter(range(1, times + 1))


@pytest.fixture
def editor(desk: Desk, clock: FakeClock) -> Editor:
    return Editor(desk, clock)


@pytest.mark.parametrize("scope", ["ours", "user", "project", "local"])
class TestScopes:
    def test_each_writes_its_file(self, editor: Editor, desk: Desk, scope: str) -> None:
        change = editor.change("warningThreshold", "0.3", scope)

        path = getattr(desk, scope)
        assert change.path == str(path)
        assert (change.backup, change.was_there) == ("kept 1", False)
        found = desk.strict().management()
        assert (found.warning_share, found.origins["warningThreshold"]) == (0.3, str(path))
        assert stat.S_IMODE(path.stat().st_mode) == (0o644 if scope == "project" else 0o600)

    def test_what_the_file_said_is_told_before_it_is_written(
        self, editor: Editor, desk: Desk, scope: str
    ) -> None:
        for value in ("0.3", "0.2"):
            editor.change("warningThreshold", value, scope)
        first, second = editor.told

        path = getattr(desk, scope)
        assert (first.was_there, first.before) == (False, "")
        assert (second.was_there, second.before) == (True, first.after)
        assert second.after == path.read_text()
        assert [entry.name for entry in path.parent.iterdir() if ".bak" in entry.name] == []

    def test_what_cannot_be_kept_is_not_changed(
        self, editor: Editor, desk: Desk, scope: str
    ) -> None:
        editor.change("warningThreshold", "0.3", scope)
        before = getattr(desk, scope).read_bytes()

        def fails(change: Change) -> str:
            raise LedgerUnusable("no room left")

        editor.keep = fails  # type: ignore[method-assign]
        with pytest.raises(LedgerUnusable):
            editor.change("warningThreshold", "0.2", scope)
        assert getattr(desk, scope).read_bytes() == before

    def test_unset_takes_it_back(self, editor: Editor, desk: Desk, scope: str) -> None:
        editor.change("autoCleanup", "on", scope)
        assert desk.strict().management().auto_cleanup
        editor.change("autoCleanup", None, scope)

        assert desk.strict().management().origins["autoCleanup"] == "default"
        assert not editor.change("autoCleanup", None, scope).is_any

    def test_a_dry_run_writes_nothing(self, editor: Editor, desk: Desk, scope: str) -> None:
        change = editor.change("warningThreshold", "30", scope, is_dry_run=True)

        assert "30" in change.after
        assert not getattr(desk, scope).exists()
        assert not desk.data.exists()

    @pytest.mark.parametrize("name", ["warningThreshold", "tokenManagement.criticalThreshold"])
    def test_nothing_senseless_is_written(
        self, editor: Editor, desk: Desk, scope: str, name: str
    ) -> None:
        editor.change("warningThreshold", "0.3", scope)
        before = getattr(desk, scope).read_bytes()

        for value in ("0.95", "101", "0"):
            with pytest.raises(BadConfig):
                editor.change(name, value, scope)
        with pytest.raises(BadConfig, match="one of verbose"):
            editor.change("compressionMode", "tiny", scope)
        assert getattr(desk, scope).read_bytes() == before

    def test_a_file_that_does_not_parse_is_left_alone(
        self, editor: Editor, desk: Desk, scope: str
    ) -> None:
        settings = desk.strict()
        desk.write(getattr(desk, scope), "{torn")

        with pytest.raises(BadConfig, match=r"is not (TOML|JSON): .*; correct that first"):
            carry_out(
                settings,
                edit_of("autoCleanup", "true", scope),
                editor.clock,
                lambda path, new: None,
            )
        assert getattr(desk, scope).read_text() == "{torn"


class TestCare:
    def test_the_agents_file_keeps_every_other_byte_and_its_mode(
        self, editor: Editor, desk: Desk
    ) -> None:
        text = '{"model":"opus",\t"hooks": {"x": [1.50, "\\u00e9"]},\n "tokenManagement" : {} }'
        desk.write(desk.user, text)
        desk.user.chmod(0o640)
        editor.change("autoOptimize", "yes", "user")

        assert desk.user.read_text() == text.replace("{} }", '{\n  "autoOptimize": true\n } }')
        assert stat.S_IMODE(desk.user.stat().st_mode) == 0o640

    def test_a_byte_order_mark_stays(self, editor: Editor, desk: Desk) -> None:
        desk.write(desk.user, b"\xef\xbb\xbf{}\r\n")
        editor.change("autoOptimize", "yes", "user")

        assert desk.user.read_bytes().startswith(b"\xef\xbb\xbf{\r\n")
        assert desk.strict().management().auto_optimize

    def test_a_link_is_followed_and_stays_a_link(self, editor: Editor, desk: Desk) -> None:
        kept = desk.home / "dotfiles" / "claude.json"
        desk.write(kept, "{}")
        desk.user.parent.mkdir()
        desk.user.symlink_to(kept)
        change = editor.change("autoOptimize", "yes", "user")

        assert desk.user.is_symlink()
        assert change.path == str(kept)
        assert json.loads(kept.read_text()) == {"tokenManagement": {"autoOptimize": True}}

    def test_a_link_to_the_clients_own_state_is_refused(self, editor: Editor, desk: Desk) -> None:
        desk.write(desk.home / ".claude.json", "{}")
        desk.user.parent.mkdir()
        desk.user.symlink_to(desk.home / ".claude.json")

        with pytest.raises(BadConfig, match="only its client may write"):
            editor.change("autoOptimize", "yes", "user")
        assert (desk.home / ".claude.json").read_text() == "{}"

    def test_a_projects_link_may_not_lead_out_of_it(self, editor: Editor, desk: Desk) -> None:
        victim = desk.home / "private.json"
        desk.write(victim, "{}")
        desk.project.parent.mkdir()
        desk.project.symlink_to(victim)

        with pytest.raises(BadConfig, match="leads out of the project"):
            editor.change("autoOptimize", "yes", "project")
        assert victim.read_text() == "{}"

    @pytest.mark.parametrize("make", ["fifo", "folder", "loop"])
    def test_what_is_no_file_is_refused(self, editor: Editor, desk: Desk, make: str) -> None:
        desk.user.parent.mkdir()
        if make == "fifo":
            os.mkfifo(desk.user)
        elif make == "folder":
            desk.user.mkdir()
        else:
            desk.user.symlink_to(desk.user)

        with pytest.raises(BadConfig, match=r"cannot (read|change)"):
            editor.change("autoOptimize", "yes", "user")

    def test_a_fault_of_another_file_does_not_stand_in_the_way(
        self, editor: Editor, desk: Desk
    ) -> None:
        desk.write(desk.user, {"warningThreshold": "x"})
        editor.change("compressionMode", "verbose", "project")

        assert "verbose" in desk.project.read_text()

    def test_a_fault_of_the_file_itself_can_be_mended(self, editor: Editor, desk: Desk) -> None:
        desk.write(desk.user, {"warningThreshold": "x"})
        editor.change("warningThreshold", "0.3", "user")
        assert desk.strict().management().warning_share == 0.3

        desk.write(desk.user, {"warningTreshold": 0.3})
        editor.change("tokenManagement.warningTreshold", None, "user")
        assert desk.strict().management().warning_share == 0.5

    def test_what_holds_only_in_this_project_is_refused_for_all(
        self, editor: Editor, desk: Desk
    ) -> None:
        desk.write(desk.project, {"warningThreshold": 0.3})

        with pytest.raises(BadConfig, match="is not below"):
            editor.change("criticalThreshold", "0.4", "user")

    def test_somebody_who_holds_the_lock_is_waited_for_and_then_named(
        self, editor: Editor, desk: Desk, clock: FakeClock
    ) -> None:
        desk.data.mkdir()
        with FileLock(str(desk.data / LOCK_NAME)) as lock:
            assert lock.try_acquire()
            with pytest.raises(BadConfig, match=r"config\.lock for too long"):
                editor.change("autoOptimize", "yes")

        assert 2.9 < clock.slept < 3.2
        assert editor.change("autoOptimize", "yes").is_any

    def test_what_somebody_else_writes_meanwhile_is_kept_as_well(
        self, editor: Editor, desk: Desk
    ) -> None:
        desk.write(desk.user, {})
        others_write(editor, times=3)
        change = editor.change("autoOptimize", "yes", "user")

        assert json.loads(desk.user.read_text())["tokenManagement"] == {
            "warningThreshold": 0.03,
            "autoOptimize": True,
        }
        assert change.backup == "kept 4"
        assert editor.told[-1].before == change.before
        assert '"warningThreshold": 0.03' in change.before

    def test_a_file_that_never_stays_is_not_overwritten(
        self, editor: Editor, desk: Desk, clock: FakeClock
    ) -> None:
        desk.write(desk.user, {})
        others_write(editor, times=40)
        with pytest.raises(BadConfig, match="changed by somebody else all the time"):
            editor.change("autoOptimize", "yes", "user")

        assert "autoOptimize" not in desk.user.read_text()
        assert sorted(desk.user.parent.iterdir()) == [desk.user]
        assert clock.slept == pytest.approx(1)

    def test_what_was_lost_to_somebody_else_is_written_again(
        self, editor: Editor, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = write_atomic_at
        late = [{"autoCleanup": True}]

        def then_another(*arguments: object) -> None:
            original(*arguments)  # type: ignore[arg-type]
            if late:
                desk.write(desk.user, late.pop())

        monkeypatch.setattr(editing, "write_atomic_at", then_another)
        editor.change("autoOptimize", "yes", "user")

        wanted = {"autoCleanup": True, "autoOptimize": True}
        assert json.loads(desk.user.read_text())["tokenManagement"] == wanted

    def test_a_file_that_was_just_emptied_is_given_time(self, desk: Desk) -> None:
        class Filling(FakeClock):
            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                desk.write(desk.user, {"autoCleanup": True})

        desk.write(desk.user, "")
        Editor(desk, Filling()).change("autoOptimize", "yes", "user")

        assert json.loads(desk.user.read_text()) == {
            "model": "opus",
            "tokenManagement": {"autoCleanup": True, "autoOptimize": True},
        }

    def test_a_read_only_file_is_left_alone(self, editor: Editor, desk: Desk) -> None:
        desk.write(desk.user, {})
        desk.user.chmod(0o444)
        with pytest.raises(BadConfig, match="is read-only; make it writable"):
            editor.change("autoOptimize", "yes", "user")

        assert sorted(desk.user.parent.iterdir()) == [desk.user]

    def test_a_folder_that_cannot_be_written_is_named(self, editor: Editor, desk: Desk) -> None:
        desk.write(desk.user.parent, "a file")

        with pytest.raises(BadConfig, match=r"cannot change .*nothing was lost"):
            editor.change("autoOptimize", "yes", "user")

    def test_outside_of_a_project_there_is_no_projects_file(self, desk: Desk) -> None:
        settings = desk.strict()._replace(working_dir=str(desk.home))
        edit = edit_of("autoOptimize", "yes", "project")

        with pytest.raises(BadRequest, match="there is no project in"):
            carry_out(settings, edit, FakeClock(), lambda path, new: None)

    def test_comments_of_ours_stay(self, editor: Editor, desk: Desk) -> None:
        desk.write(desk.ours, "# mine\nworkers = 1  # few\n")
        editor.change("workers", "2")
        editor.change("alerts.quiet_hours", "22:00-07:00")

        assert desk.ours.read_text() == (
            '# mine\nworkers = 2  # few\n\n[alerts]\nquiet_hours = "22:00-07:00"\n'
        )


class TestNames:
    @pytest.mark.parametrize(
        ("name", "text", "path", "value"),
        [
            ("warningThreshold", "60%", ("tokenManagement", "warningThreshold"), 0.6),
            ("warningThreshold", "60", ("tokenManagement", "warningThreshold"), 60),
            ("bell", "off", ("alerts", "bell"), False),
            ("alerts.rate_per_hour", "3", ("alerts", "rate_per_hour"), 3),
            ("monitor.interval", "5s", ("monitor", "interval"), "5s"),
            ("claude_dirs", "/a, /b", ("claude_dirs",), ["/a", "/b"]),
            ("workers", "auto", ("workers",), "auto"),
            ("workers", "3", ("workers",), 3),
            ("timezone", "UTC", ("timezone",), "UTC"),
            ("windows.claude-opus-4.6*", "200_000", ("windows", "claude-opus-4.6*"), 200_000),
            ("prices.m-4.6.input", "1.5", ("prices", "m-4.6", "input"), 1.5),
            ("allocation.context", "0.2", ("allocation", "context"), 0.2),
        ],
    )
    def test_are_dotted_or_short(
        self, name: str, text: str, path: tuple[str, ...], value: object
    ) -> None:
        assert edit_of(name, text, "ours") == (path, value, "ours")

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("warningTreshold", "1", r"did you mean 'warningThreshold'\?"),
            ("home", "/x", "stands in no file; set the variable TOKENS_HOME"),
            ("alerts", "x", "is a table; name one of its settings, such as alerts"),
            ("windows", "5", "is a table; name what is in it, such as windows.my-model"),
            ("prices.m", "5", "such as prices.my-model.input"),
            ("bell", "loud", "is true or false, not 'loud'"),
            ("warningThreshold", "half", "is a number, not 'half'"),
            ("warningThreshold", "nan", "is a number"),
            ("warningThreshold", "1e400", "is a number"),
            ("warningThreshold", "9" * 99, "is a number"),
            ("warningThreshold", "²", "is a number"),
            ("warningThreshold", "250%", "is at most 100%, not '250%'"),
            ("warningThreshold", "1.", "is a number"),
            ("timezone", "\x1b[2J", "control characters"),
            ("timezone", "x" * 10_000, "too long"),
            ("x" * 10_000, "1", "there is no setting"),
        ],
    )
    def test_that_cannot_be_meant_are_one_sentence(self, name: str, text: str, said: str) -> None:
        with pytest.raises(BadRequest, match=said) as refused:
            edit_of(name, text, "ours")
        assert len(str(refused.value)) < 300

    def test_only_token_management_stands_in_the_agents_files(self) -> None:
        with pytest.raises(BadRequest, match="leave --scope user out"):
            edit_of("workers", "1", "user")


def test_editors_at_once_lose_nothing(desk: Desk) -> None:
    pids = []
    for name, value in (("autoOptimize", "yes"), ("autoCleanup", "yes"), ("warningThreshold", "9")):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for _ in range(5):
                    Editor(desk, SystemClock()).change(name, value, "user")
                    Editor(desk, SystemClock()).change(name, None, "user")
                Editor(desk, SystemClock()).change(name, value, "user")
                status = 0
            finally:
                os._exit(status)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0, 0]

    assert json.loads(desk.user.read_text())["tokenManagement"] == {
        "autoOptimize": True,
        "autoCleanup": True,
        "warningThreshold": 9,
    }
