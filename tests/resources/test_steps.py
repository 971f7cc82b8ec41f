"""One step: done, looked at, taken back; whatever stands in the way, nothing of theirs is lost."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.resources.shop import CLAUDE, RULE, SETTINGS, Shop

from tokenbudget.model.actions import (
    ArchiveSession,
    EditSettings,
    EditText,
    Outcome,
    SettingEdit,
    Step,
    TrashFile,
)
from tokenbudget.resources.file_edits import LOCK_NAME
from tokenbudget.resources.steps import SessionHands, Workshop
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.kept import Kept
from tokenbudget.system.locks import FileLock

KINDS = range(5)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


# ── every kind ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_done_seen_and_taken_back(shop: Shop, kind: int) -> None:
    step, before = shop.every_step()[kind], shop.files()
    outcome = shop.done(step)
    assert shop.files() != before
    assert shop.workshop.foresee(step, outcome).state == "undone"
    assert shop.files() != before, "foreseeing changes nothing"
    for _ in range(3):
        assert shop.workshop.revert(step, outcome).state == "undone"
        assert shop.files() == before
    assert shop.workshop.verify(step, outcome) != ""


@pytest.mark.parametrize("kind", KINDS)
def test_done_and_undone_many_times_it_is_the_same(shop: Shop, kind: int) -> None:
    before = shop.files()
    for _ in range(3):
        step = shop.every_step()[kind]
        outcome = shop.done(step)
        assert shop.workshop.revert(step, outcome).state == "undone"
        assert shop.files() == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_begun_is_looked_at(shop: Shop, kind: int) -> None:
    """A process that ended before, or after, it had done what it had prepared."""
    step = shop.every_step()[kind]
    prepared = shop.workshop.prepare(step)
    assert prepared.state == "planned"
    assert shop.workshop.look(step, prepared).state == "unchanged"
    assert shop.workshop.look(step, Outcome("planned", "")).state == "unchanged"
    shop.done(step)
    seen = shop.workshop.look(step, prepared)
    assert seen.state == "done"
    assert shop.workshop.revert(step, seen).state == "undone"


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_can_be_written_down(shop: Shop, kind: int) -> None:
    result = shop.done(shop.every_step()[kind]).result
    assert json.loads(json.dumps(dict(result))) == result


@pytest.mark.parametrize("kind", KINDS)
def test_outside_of_the_roots_nothing_is_done(shop: Shop, kind: int) -> None:
    outside = shop.top / "outside" / "x"
    outside.write_text("{}")
    facts = outside.stat()
    step = shop.every_step()[kind]
    if isinstance(step, TrashFile):
        step = TrashFile(str(outside), facts.st_size, facts.st_mtime_ns)
    elif isinstance(step, EditText):
        step = EditText(str(outside), "{}", "ours")
    else:
        step = EditSettings(str(outside), (RULE,))
    outcome = shop.workshop.apply(step)
    assert outcome.state == "failed"
    assert "outside" in outcome.message
    assert outside.read_text() == "{}"
    forged = Outcome("done", "", {"trash": "x", "before": None, "after": "x"})
    assert shop.workshop.revert(step, forged).state == "failed"
    assert outside.read_text() == "{}"


@pytest.mark.parametrize("kind", [1, 2, 4])
def test_a_link_that_was_put_in_the_way_is_not_followed(shop: Shop, kind: int) -> None:
    step = shop.every_step()[kind]
    folder = Path(step.path).parent  # type: ignore[union-attr]
    assert folder != shop.project, "which is a root, where links may lead"
    folder.mkdir(exist_ok=True)
    folder.rename(shop.top / "outside" / "moved")
    folder.symlink_to(shop.top / "outside" / "moved")
    before = sorted((shop.top / "outside").rglob("*"))
    assert shop.workshop.apply(step).state == "failed"
    assert sorted((shop.top / "outside").rglob("*")) == before


def test_the_clients_own_file_is_never_touched(shop: Shop) -> None:
    shop.write(".claude.json", "{}")
    steps: list[Step] = [
        shop.take_away(".claude.json"),
        shop.settings(name=".claude.json"),
        shop.text("ours", name=".claude.json"),
    ]
    for step in steps:
        assert "only its client" in shop.workshop.apply(step).message
    assert shop.read(".claude.json") == "{}"


# ── a file that is taken away ────────────────────────────────────────────────────────────────────


def test_a_file_that_was_written_since_it_was_looked_at_stays(shop: Shop) -> None:
    step = shop.take_away()
    shop.write("notes.bak", "new notes, longer\n")
    outcome = shop.workshop.apply(step)
    assert (outcome.state, "written since" in outcome.message) == ("failed", True)
    assert shop.read("notes.bak") == "new notes, longer\n"


def test_a_file_that_is_gone_already_is_no_fault(shop: Shop) -> None:
    step = shop.take_away()
    shop.path("notes.bak").unlink()
    assert shop.workshop.apply(step).state == "unchanged"
    assert shop.workshop.look(step, Outcome("planned", "")).state == "unchanged"


def test_another_file_in_its_place_is_a_conflict_and_both_are_kept(shop: Shop) -> None:
    step = shop.take_away()
    outcome = shop.done(step)
    shop.write("notes.bak", "theirs\n")
    for found in (shop.workshop.foresee(step, outcome), shop.workshop.revert(step, outcome)):
        assert found.state == "conflict"
        assert found.result == outcome.result
    assert shop.read("notes.bak") == "theirs\n"
    shop.path("notes.bak").unlink()
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert shop.read("notes.bak") == "old notes\n"


def test_a_trash_that_was_emptied_is_told(shop: Shop) -> None:
    step = shop.take_away()
    outcome = shop.done(step)
    shop.clock.sleep(10)
    shop.trash.empty(0)
    found = shop.workshop.revert(step, outcome)
    assert (found.state, "does not hold" in found.message) == ("failed", True)
    assert shop.workshop.verify(step, outcome) != ""


def test_a_folder_that_is_gone_is_made_again(shop: Shop) -> None:
    shop.write("old/deep/a.bak", "x")
    step = shop.take_away("old/deep/a.bak")
    outcome = shop.done(step)
    shop.path("old/deep").rmdir()
    shop.path("old").rmdir()
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert shop.read("old/deep/a.bak") == "x"


def test_a_file_with_a_second_name_stays(shop: Shop) -> None:
    os.link(shop.path("notes.bak"), shop.top / "outside" / "twin")
    outcome = shop.workshop.apply(shop.take_away())
    assert (outcome.state, "second name" in outcome.message) == ("failed", True)


# ── settings ─────────────────────────────────────────────────────────────────────────────────────


def test_a_persons_edit_stays_and_ours_leaves(shop: Shop) -> None:
    step = shop.settings()
    outcome = shop.done(step)
    name = ".claude/settings.json"
    shop.write(name, (shop.read(name) or "").replace('"opus"', '"sonnet"'))
    foreseen = shop.workshop.foresee(step, outcome)
    assert foreseen.result["difference"] == [
        '-permissions.deny: "Read(./dist/**)"',
        '-env.FLAG: "1"',
    ]
    found = shop.workshop.revert(step, outcome)
    assert (found.state, "only this change" in found.message) == ("undone", True)
    assert shop.read(name) == SETTINGS.replace('"opus"', '"sonnet"')


def test_a_changed_value_is_a_conflict_until_it_is_settled(shop: Shop) -> None:
    step = shop.settings()
    outcome = shop.done(step)
    name = ".claude/settings.json"
    shop.write(name, (shop.read(name) or "").replace('"FLAG": "1"', '"FLAG": "2"'))
    found = shop.workshop.revert(step, outcome)
    assert found.state == "conflict"
    assert 'env.FLAG was not set, we set it to "1", and it is "2" now' in found.message
    text = shop.read(name) or ""
    assert '"FLAG": "2"' in text
    assert "dist" not in text
    assert shop.workshop.revert(step, found).state == "conflict", "and again"
    shop.write(name, text.replace('"FLAG": "2"', '"FLAG": "1"'))
    assert shop.workshop.revert(step, found).state == "undone"
    assert "FLAG" not in (shop.read(name) or "")


def test_a_second_try_takes_nothing_of_theirs(shop: Shop) -> None:
    """The process ended between taking back and noting it; somebody has the same rule twice."""
    step = shop.settings()
    outcome = shop.done(step)
    name = ".claude/settings.json"
    rule = json.dumps(RULE.value)
    shop.write(name, (shop.read(name) or "").replace('"a",', f'"a", {rule},'))
    prepared = shop.workshop.prepare_revert(step, outcome)
    for _ in range(2):
        found = shop.workshop.revert(step, prepared)
        assert (found.state, "only this change" in found.message) == ("undone", True)
        assert (shop.read(name) or "").count(rule) == 1


def test_what_is_written_again_after_a_conflict_is_theirs(shop: Shop) -> None:
    step = shop.settings()
    outcome = shop.done(step)
    name = ".claude/settings.json"
    shop.write(name, (shop.read(name) or "").replace('"FLAG": "1"', '"FLAG": "2"'))
    found = shop.workshop.revert(step, shop.workshop.prepare_revert(step, outcome))
    assert found.state == "conflict"
    rule = json.dumps(RULE.value)
    text = (shop.read(name) or "").replace('["a"]', f'["b", {rule}]')
    shop.write(name, text.replace('"FLAG": "2"', '"FLAG": "1"'))
    again = shop.workshop.revert(step, shop.workshop.prepare_revert(step, found))
    assert again.state == "undone"
    assert rule in (shop.read(name) or "")
    assert "FLAG" not in (shop.read(name) or "")


def test_a_file_that_we_made_stays_where_a_person_wrote_into_it(shop: Shop) -> None:
    name = ".claude/settings.local.json"
    step = shop.settings(RULE, name=name)
    outcome = shop.done(step)
    assert shop.path(name).stat().st_mode & 0o777 == 0o600
    shop.write(name, (shop.read(name) or "").replace("{\n", '{\n  "mine": 1,\n', 1))
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert shop.read(name) == '{\n  "mine": 1\n}\n'


def test_a_file_that_we_made_and_a_person_reformatted_goes_to_the_trash(shop: Shop) -> None:
    name = ".claude/settings.local.json"
    step = shop.settings(RULE, name=name)
    outcome = shop.done(step)
    shop.write(name, json.dumps(json.loads(shop.read(name) or "")))
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert shop.read(name) is None
    assert [found.path for found in shop.trash.listing().discarded] == [str(shop.path(name))]


def test_a_file_that_a_person_removed_stays_removed(shop: Shop) -> None:
    step = shop.settings()
    outcome = shop.done(step)
    shop.path(".claude/settings.json").unlink()
    found = shop.workshop.revert(step, outcome)
    assert (found.state, "not there any more" in found.message) == ("undone", True)
    assert shop.read(".claude/settings.json") is None


@pytest.mark.parametrize("text", ["{", "[]", '{"permissions": {"deny": 5}}', "\udce9"])
def test_what_cannot_be_edited_safely_is_left(shop: Shop, text: str) -> None:
    path = shop.path(".claude/settings.json")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = path.read_bytes()
    assert shop.workshop.apply(shop.settings()).state == "failed"
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["{", "\udce9"])
def test_what_was_broken_since_is_a_conflict(shop: Shop, text: str) -> None:
    step = shop.settings()
    outcome = shop.done(step)
    path = shop.path(".claude/settings.json")
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = shop.workshop.revert(step, outcome)
    assert found.state == "conflict"
    assert path.read_bytes() == text.encode("utf-8", "surrogateescape")
    path.write_text('{"permissions": {"deny": ["Read(./dist/**)"]}, "env": {"FLAG": "1"}}')
    assert shop.workshop.revert(step, found).state == "undone", "it was mended"
    assert path.read_text() == '{"permissions": {"deny": []}}'


def test_a_kept_copy_that_is_lost_changes_nothing(shop: Shop) -> None:
    step = shop.settings()
    outcome = shop.done(step)
    after = shop.files()
    for copy in (shop.data / "kept").iterdir():
        copy.write_bytes(b"damaged")
    found = shop.workshop.revert(step, outcome)
    assert (found.state, "missing or damaged" in found.message) == ("failed", True)
    assert shop.files() == after


def test_an_outcome_without_a_result_changes_nothing(shop: Shop) -> None:
    step, before = shop.settings(), shop.files()
    assert shop.workshop.revert(step, Outcome("done", "")).state == "failed"
    assert shop.files() == before


def test_what_was_begun_and_then_edited_by_a_person_is_known_by_what_it_says(shop: Shop) -> None:
    step = shop.settings()
    prepared = shop.workshop.prepare(step)
    name = ".claude/settings.json"
    shop.write(name, SETTINGS.replace("opus", "sonnet"))
    assert shop.workshop.look(step, prepared).state == "unchanged"
    shop.done(step)
    assert shop.workshop.look(step, prepared).state == "done"


def test_one_of_us_at_a_time_writes(shop: Shop) -> None:
    with FileLock(str(shop.data / LOCK_NAME)) as lock:
        shop.data.mkdir(exist_ok=True)
        assert lock.try_acquire()
        outcome = shop.workshop.apply(shop.settings())
        assert (outcome.state, "too long" in outcome.message) == ("failed", True)
    assert shop.workshop.apply(shop.settings()).state == "done"


def test_many_writers_lose_no_edit(shop: Shop) -> None:
    """Workshops of their own, as processes have them; each waits for its turn."""
    name = ".claude/settings.json"

    def write(number: int) -> None:
        hands = Workshop(
            shop.trash, Kept(str(shop.data)), [str(shop.project)], SystemClock(), cause="t"
        )
        edit = SettingEdit(("permissions", "deny"), f"rule {number}", True)
        outcome = hands.apply(shop.settings(edit))
        while "too long" in outcome.message:  # a busy machine; nothing was changed then
            outcome = hands.apply(shop.settings(edit))
        outcomes.append(outcome[:2])

    outcomes: list[tuple[str, str]] = []
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [("done", "")] * 8
    assert all(f"rule {number}" in (shop.read(name) or "") for number in range(8))


# ── texts ────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_that_was_edited_since_it_was_looked_at_stays(shop: Shop) -> None:
    step = shop.text()
    shop.write("CLAUDE.md", CLAUDE + "theirs\n")
    assert shop.workshop.apply(step).state == "failed"
    assert shop.read("CLAUDE.md") == CLAUDE + "theirs\n"


def test_a_text_that_is_there_already_is_not_made(shop: Shop) -> None:
    outcome = shop.workshop.apply(EditText(str(shop.path("CLAUDE.md")), None, "ours"))
    assert outcome.state == "failed"
    assert shop.read("CLAUDE.md") == CLAUDE


def test_a_text_that_says_so_already_is_unchanged(shop: Shop) -> None:
    step = shop.text()
    shop.write("CLAUDE.md", step.after)
    assert shop.workshop.apply(step).state == "unchanged"


def test_of_a_text_our_lines_leave_and_theirs_stay(shop: Shop) -> None:
    step = shop.text()
    outcome = shop.done(step)
    shop.write("CLAUDE.md", "theirs\n" + step.after)
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert shop.read("CLAUDE.md") == "theirs\n" + CLAUDE


def test_of_a_text_whose_very_lines_were_edited_theirs_stay(shop: Shop) -> None:
    step = shop.text(CLAUDE.replace("one", "ours"))
    outcome = shop.done(step)
    shop.write("CLAUDE.md", CLAUDE.replace("one", "theirs"))
    found = shop.workshop.revert(step, outcome)
    assert (found.state, "line 3" in found.message) == ("conflict", True)
    assert shop.read("CLAUDE.md") == CLAUDE.replace("one", "theirs")


def test_line_ends_and_marks_stay(shop: Shop) -> None:
    before = b"\xef\xbb\xbfone\r\ntwo\r\n\x0c"
    path = shop.path("CLAUDE.md")
    path.write_bytes(before)
    step = EditText(str(path), before.decode(), before.decode() + "ours\r\n")
    outcome = shop.done(step)
    assert path.read_bytes() == before + b"ours\r\n"
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert path.read_bytes() == before


def test_what_is_no_text_is_refused(shop: Shop) -> None:
    step = EditText(str(shop.path("new.md")), None, "\ud800")
    assert shop.workshop.apply(step).state == "failed"
    assert shop.read("new.md") is None


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────

SESSION = ArchiveSession("s1", "/archive", 9, (("s1.jsonl", "/s1.jsonl"),))


def hands(did: list[str], fault: Callable[[], None] = lambda: None) -> SessionHands:
    def noted(what: str, outcome: Outcome) -> Callable[..., Outcome]:
        def call(*_: object) -> Outcome:
            fault()
            did.append(what)
            return outcome

        return call

    return SessionHands(
        apply=noted("apply", Outcome("done", "", {"archive_file": "a"})),
        verify=lambda step, outcome: "not so",
        look=noted("look", Outcome("done", "")),
        foresee=noted("foresee", Outcome("undone", "")),
        revert=noted("revert", Outcome("undone", "", {"more": 1})),
    )


def test_sessions_go_through_other_hands(shop: Shop) -> None:
    did: list[str] = []
    workshop = Workshop(
        shop.trash, Kept(str(shop.data)), [], shop.clock, archive=hands(did), cause="t"
    )
    outcome = workshop.apply(SESSION)
    assert outcome == Outcome("done", "", {"archive_file": "a"})
    assert workshop.verify(SESSION, outcome) == "not so"
    assert workshop.foresee(SESSION, outcome).state == "undone"
    assert workshop.revert(SESSION, outcome).result == {"archive_file": "a", "more": 1}
    assert workshop.look(SESSION, Outcome("planned", "")).state == "done"
    assert did == ["apply", "foresee", "revert", "look"]


def test_without_those_hands_sessions_fail(shop: Shop) -> None:
    outcome = shop.workshop.apply(SESSION)
    assert (outcome.state, "cannot be handled here" in outcome.message) == ("failed", True)
    assert shop.workshop.look(SESSION, Outcome("planned", "")).state == "planned"
    assert shop.workshop.revert(SESSION, outcome).state == "failed"
    assert shop.workshop.verify(SESSION, outcome) != ""


def test_what_other_hands_raise_is_an_outcome(shop: Shop) -> None:
    def breaks() -> None:
        raise OSError(28, "No space left on device")

    workshop = Workshop(
        shop.trash, Kept(str(shop.data)), [], shop.clock, archive=hands([], breaks), cause="t"
    )
    assert workshop.apply(SESSION) == Outcome("failed", "No space left on device")


def test_folders_that_were_made_for_a_file_leave_with_it(shop: Shop) -> None:
    step = EditText(str(shop.path("one/two/three.md")), None, "x\n")
    outcome = shop.done(step)
    shop.write("one/theirs.md", "y\n")
    assert shop.workshop.revert(step, outcome).state == "undone"
    assert not shop.path("one/two").exists()
    assert shop.read("one/theirs.md") == "y\n"


def test_what_is_foreseen_of_settings_tells_nothing_but_our_own_edits(shop: Shop) -> None:
    text = '{"env": {"KEY": "s3cret", "FLAG": "0"}, "permissions": {"deny": []}}'
    shop.write(".claude/settings.json", text)
    step = shop.settings()
    outcome = shop.done(step)
    found = shop.workshop.foresee(step, outcome).result["difference"]
    assert found == [
        '-permissions.deny: "Read(./dist/**)"',
        '-env.FLAG: "1"',
        '+env.FLAG: "0"',
    ]


# ── modes ────────────────────────────────────────────────────────────────────────────────────────


def private(shop: Shop) -> EditSettings:
    path = shop.path(".claude/settings.json")
    path.chmod(0o644)
    return EditSettings(str(path), (SettingEdit(("secret",), "x", False),), 0o600)


def mode_of(path: str) -> int:
    return os.stat(path).st_mode & 0o777


def test_a_file_that_gets_a_secret_is_private_until_it_is_taken_out(shop: Shop) -> None:
    step = private(shop)
    outcome = shop.done(step)
    assert mode_of(step.path) == 0o600
    for _ in range(2):
        assert shop.workshop.revert(step, outcome).state == "undone"
        assert (mode_of(step.path), shop.read(".claude/settings.json")) == (0o644, SETTINGS)


def test_so_it_is_where_somebody_has_edited_since(shop: Shop) -> None:
    step = private(shop)
    outcome = shop.done(step)
    theirs = (shop.read(".claude/settings.json") or "").replace("{\n", '{\n  "theirs": 1,\n', 1)
    Path(step.path).write_text(theirs)
    shop.workshop.revert(step, outcome)
    assert mode_of(step.path) == 0o644
    assert "secret" not in (shop.read(".claude/settings.json") or "")


def test_a_mode_that_somebody_has_set_since_stays(shop: Shop) -> None:
    step = private(shop)
    outcome = shop.done(step)
    os.chmod(step.path, 0o640)
    shop.workshop.revert(step, outcome)
    assert mode_of(step.path) == 0o640


def test_a_new_file_with_a_secret_is_private_from_the_first_moment(shop: Shop) -> None:
    path = str(shop.path("new/settings.json"))
    step = EditSettings(path, (SettingEdit(("secret",), "x", False),), 0o600)
    outcome = shop.done(step)
    assert mode_of(path) == 0o600
    shop.workshop.revert(step, outcome)
    assert not os.path.exists(os.path.dirname(path))
