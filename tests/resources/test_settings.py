"""Settings files: edited with every other byte as it was, and our edits taken out again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.archive.sessions import FakeClock
from tests.resources.settings_files import DOCUMENTS, MANNERS

from settings_edits import (
    Manner,
    a_persons_edit,
    edits_for,
    is_same,
    model_edited,
    model_undone,
    pruned,
    written,
)
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.json_text import scanned
from tokenbudget.model.actions import EditSettings, Json, Outcome, SettingEdit
from tokenbudget.resources.settings import edited, is_made, shown, taken_out
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

MANY = hypothesis_settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
DENY = ("permissions", "deny")
SEEDS = st.integers(0, 1 << 30)


def member(value: Any, *keys: str) -> SettingEdit:
    return SettingEdit(keys or DENY, value, True)


def key(value: Any, *keys: str) -> SettingEdit:
    return SettingEdit(keys, value, False)


def read(text: str) -> Any:
    return scanned(text.removeprefix("\ufeff")).value


def workshop(root: Path) -> Workshop:
    clock, data = FakeClock(), str(root / "data")
    (root / "home").mkdir(exist_ok=True)
    return Workshop(Trash(data, clock), Kept(data), [str(root / "home")], clock)


# ── any file ─────────────────────────────────────────────────────────────────────────────────────


@MANY
@given(DOCUMENTS, MANNERS, SEEDS)
def test_an_edit_says_what_it_should_and_leaves_every_other_byte(
    document: Any, manner: Manner, seed: int
) -> None:
    rng = random.Random(seed)
    text = written(document, manner, rng)
    assert is_same(read(text), document), "the scanner reads what was written"
    edits = edits_for(document, rng)
    after = edited(text, edits)
    assert is_same(read(after), model_edited(document, edits))
    assert is_made(after, edits)
    assert edited(after, edits) == after
    if not any(is_a_change_of_a_value(document, one) for one in edits):
        assert is_subsequence("".join(text.split()), after), "nothing was taken away"
    assert after.startswith("\ufeff") == manner.has_mark
    assert after.endswith("\n") == text.endswith("\n")
    if manner.line_break == "\r\n" and "\r\n" in text:
        assert after.count("\n") - after.count("\r\n") <= text.count("\n") - text.count("\r\n")


def is_a_change_of_a_value(document: Any, edit: SettingEdit) -> bool:
    node = document
    for one in edit.keys:
        if not isinstance(node, dict) or one not in node:
            return False
        node = node[one]
    return not edit.is_member


def is_subsequence(part: str, whole: str) -> bool:
    letters = iter(whole)
    return all(letter in letters for letter in part)


@MANY
@given(DOCUMENTS, MANNERS, SEEDS)
def test_apply_and_undo_is_the_identity(
    tmp_path: Path, document: Any, manner: Manner, seed: int
) -> None:
    rng = random.Random(seed)
    shop, path = workshop(tmp_path), tmp_path / "home" / "settings.json"
    before = written(document, manner, rng).encode()
    path.write_bytes(before)
    path.chmod(0o640)
    step = EditSettings(str(path), edits_for(document, rng))
    outcome = shop.apply(step)
    assert outcome.state in ("done", "unchanged")
    assert shop.verify(step, outcome) == ""
    if outcome.state == "done":
        assert path.read_bytes() != before
        assert shop.foresee(step, outcome).state == "undone"
        assert shop.revert(step, outcome).state == "undone"
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o640


@MANY
@given(DOCUMENTS, MANNERS, MANNERS, SEEDS)
def test_apply_and_a_persons_edit_and_undo_keeps_the_edit(
    tmp_path: Path, document: Any, manner: Manner, later_manner: Manner, seed: int
) -> None:
    rng = random.Random(seed)
    shop, path = workshop(tmp_path), tmp_path / "home" / "settings.json"
    before = written(document, manner, rng)
    path.write_bytes(before.encode())
    step = EditSettings(str(path), edits_for(document, rng))
    outcome = shop.apply(step)
    if outcome.state != "done":
        return
    theirs, marks = a_persons_edit(model_edited(document, step.edits), rng)
    path.write_bytes(written(theirs, later_manner, rng).encode())
    found = shop.revert(step, outcome)
    now = read(path.read_bytes().decode())
    wanted = model_undone(theirs, document, step.edits)
    if later_manner.has_comments:
        now, wanted = pruned(now), pruned(wanted)
    assert is_same(now, wanted), found
    assert all(mark in json.dumps(now) for mark in marks)
    again = path.read_bytes()
    assert shop.revert(step, outcome).state == found.state
    assert path.read_bytes() == again, "a second undo changes nothing"


@MANY
@given(DOCUMENTS, MANNERS, SEEDS)
def test_our_edits_leave_without_the_kept_bytes_as_well(
    document: Any, manner: Manner, seed: int
) -> None:
    """Only one letter was added by a person: nothing else of the file differs after the undo."""
    rng = random.Random(seed)
    before = written(document, manner, rng)
    edits = edits_for(document, rng)
    after = edited(before, edits) + " "
    out = taken_out(after, before, edits)
    assert out.conflicts == ()
    assert is_same(read(out.text), document)
    assert is_subsequence("".join(comments_of(before)), out.text)


def comments_of(text: str) -> list[str]:
    return [word for word in ("// first", "// the last word", "/* it, and } */") if word in text][
        :1
    ]


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('{}[]",:/*\\ \n\r\tan1-.eu\ufeffé'), max_size=30), SEEDS)
def test_any_text_is_changed_or_refused(text: str, seed: int) -> None:
    edit = random.Random(seed).choice([member("x"), key(1, "a"), key(1, "a", "n")])
    try:
        after = edited(text, [edit])
    except (ValueError, NotEditable):
        return
    assert is_made(after, [edit])


# ── by example ───────────────────────────────────────────────────────────────────────────────────

FILE = """\
{
  // what I never want read
  "permissions": {
    "deny": [
      "Read(./secret)", // ever
      "Bash(rm:*)"  // nor this
    ],
    "allow": []  // all else
  },
  "env": {"A": "1"}, /* kept */
}
"""


def test_a_member_comes_last_and_comments_stay_with_what_they_speak_of() -> None:
    assert edited(FILE, [member("Read(./dist/**)")]) == FILE.replace(
        '"Bash(rm:*)"  // nor this\n', '"Bash(rm:*)",  // nor this\n      "Read(./dist/**)"\n'
    )
    assert edited(FILE, [member("x", "permissions", "allow")]) == FILE.replace(
        '"allow": []', '"allow": [\n      "x"\n    ]'
    )
    assert edited(FILE, [key(True, "new", "deep")]) == FILE.replace(
        "/* kept */\n", '/* kept */\n  "new": {\n    "deep": true\n  },\n'
    )


@pytest.mark.parametrize(
    ("text", "edits", "after"),
    [
        ("", [member("x")], '{\n  "permissions": {\n    "deny": [\n      "x"\n    ]\n  }\n}\n'),
        ("{}", [key({"a": [1]}, "k")], '{\n  "k": {\n    "a": [\n      1\n    ]\n  }\n}'),
        ('{"a":1}', [member("é", "l")], '{"a":1,"l": ["é"]}'),
        ('{"l":["a"]}', [member("b", "l")], '{"l":["a", "b"]}'),
        ('{"l":["a","b"]}', [member("c", "l")], '{"l":["a","b","c"]}'),
        ('{"l":["b",1,true]}', [member(True, "l"), member(1, "l")], '{"l":["b",1,true]}'),
        ('{"l":[1]}', [member(True, "l"), member(1.0, "l")], '{"l":[1, true, 1.0]}'),
        ('{"l":[] // no\n}', [member("b", "l")], '{"l":["b"] // no\n}'),
        ('{"l":[ // no\n]}', [member("b", "l")], '{"l":[ // no\n"b"\n]}'),
        ('{"k": 0.50}', [key(0.5, "k")], '{"k": 0.50}'),
        ('{"k": 1}', [key(None, "k")], '{"k": null}'),
        ('{"k": 1}', [key("\ud800", "k")], '{"k": "\\ud800"}'),
    ],
)
def test_any_way_to_write_it(text: str, edits: list[SettingEdit], after: str) -> None:
    assert edited(text, edits) == after


@pytest.mark.parametrize(
    ("text", "edit", "why"),
    [
        ("[]", member("x"), "no object"),
        ("{", member("x"), "line 1"),
        ("{} {}", member("x"), "follows the end"),
        ('{"a": 01}', member("x"), "line 1"),
        ('{"a": NaN}', member("x"), "a value is expected"),
        ('{"a": "\t"}', member("x"), "a value is expected"),
        ("{/* }", member("x"), "line 1"),
        ('{"a":' * 300, member("x"), "nested too deeply"),
        ('{"permissions": 5}', member("x"), "permissions is no object"),
        ('{"permissions": {"deny": {}}}', member("x"), "is no list"),
        ('{"permissions": {"deny": "x"}}', member("x"), "is no list"),
        ('{"permissions": {}, "permissions": {}}', member("x"), "stands there twice"),
        ('{"permissions": {"deny": [], "deny": []}}', member("x"), "stands there twice"),
        ('{"k": {"a": 1}}', key(1, "k"), "of another kind"),
        ('{"k": [1]}', key({}, "k"), "of another kind"),
        ('{"k": 1}', key([], "k"), "of another kind"),
        ('{"k": [{"a": 1}]}', key(1, "k", "a"), "k is no object"),
        ("{}", key(1), "no setting"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, edit: SettingEdit, why: str) -> None:
    with pytest.raises((ValueError, NotEditable), match=why):
        edited(text, [edit])


def out(now: str, before: str, *edits: SettingEdit) -> tuple[str, tuple[str, ...]]:
    return taken_out(now, before, edits)[:2]


def test_a_hooks_secret_is_shown_to_nobody() -> None:
    headers: Json = {"Authorization": "Bearer 0123abcd"}
    hook: Json = {"headers": headers, "url": "http://127.0.0.1:1/v1/hook"}
    assert "0123" not in shown(hook)
    assert '"Bearer …"' in shown(hook)
    assert shown("Bearer of bad news") == '"Bearer … bad news"'


def test_our_member_leaves_wherever_it_stands() -> None:
    before, ours = '{"l": ["a"]}', member("x", "l")
    assert out('{"l": ["x", "a", "b"], "z": 1}', before, ours) == ('{"l": ["a", "b"], "z": 1}', ())
    assert out('{"l": ["x"]}', before, ours) == ('{"l": []}', ())
    assert out('{"l": ["x", "a", "x"]}', before, ours) == ('{"l": ["x", "a"]}', ()), "one is theirs"
    for gone in ('{"l": ["a"]}', '{"l": {}}', "{}", ""):
        assert out(gone, before, ours) == (gone, ())


def test_containers_that_we_made_go_when_they_are_empty() -> None:
    ours = member("x")
    assert out('{"a": 1, "permissions": {"deny": ["x"]}}', '{"a": 1}', ours) == ('{"a": 1}', ())
    theirs = '{"permissions": {"deny": ["x"], "allow": []}}'
    assert out(theirs, "{}", ours) == ('{"permissions": {"allow": []}}', ())
    assert out('{"permissions": {"deny": ["x"]}}', '{"permissions": {}}', ours) == (
        '{"permissions": {}}',
        (),
    )
    noted = '{"permissions": {"deny": [ /* mine */ "x"]}}'
    assert out(noted, "{}", ours) == ('{"permissions": {"deny": [ /* mine */]}}', ())


def test_what_was_so_before_is_not_ours() -> None:
    before = '{"l": ["x"], "k": 1}'
    assert out(before + " ", before, member("x", "l"), key(1, "k")) == (before + " ", ())


def test_an_old_value_comes_back_as_it_was_written() -> None:
    assert out('{"k": 5, "z": 1}', '{"k": 0.50}', key(5, "k")) == ('{"k": 0.50, "z": 1}', ())
    assert out('{"z": 1, "k": 5}', "{}", key(5, "k")) == ('{"z": 1}', ())


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ('{"k": 6}', '{"k": 1}', "k was 1, we set it to 5, and it is 6 now; it is left so"),
        ("{}", '{"k": 1}', "k was 1, we set it to 5, and it is not set now; it is left so"),
        ('{"k": 5.0}', "{}", "k was not set, we set it to 5, and it is 5.0 now; it is left so"),
    ],
)
def test_a_value_that_was_changed_since_is_a_conflict_with_both_values(
    now: str, before: str, said: str
) -> None:
    assert out(now, before, key(5, "k")) == (now, (said,))


def test_a_conflict_keeps_no_other_edit_from_being_taken_out() -> None:
    now = '{"k": 6, "l": ["x"]}'
    text, conflicts = out(now, '{"k": 1}', member("x", "l"), key(5, "k"))
    assert (text, len(conflicts)) == ('{"k": 6}', 1)


def test_what_was_left_is_tried_again_and_nothing_else() -> None:
    """Somebody writes the same rule as we had, which was taken out before: it is theirs."""
    edits = (member("x", "l"), key(5, "k"))
    first = taken_out('{"k": 6, "l": ["x"]}', '{"k": 1, "l": []}', edits)
    assert first.left == (1,)
    assert taken_out('{"k": 5, "l": ["x"]}', '{"k": 1, "l": []}', edits, first.left) == (
        '{"k": 1, "l": ["x"]}',
        (),
        (),
    )


def test_one_key_set_twice_goes_back_to_the_first_value() -> None:
    assert out('{"k": 3} ', '{"k": 1}', key(2, "k"), key(3, "k")) == ('{"k": 1} ', ())


def test_what_is_no_json_any_more_is_a_conflict() -> None:
    text, conflicts = out('{"l": ["x"', "{}", member("x", "l"))
    assert text == '{"l": ["x"'
    assert "l cannot be taken out" in conflicts[0]


def test_hostile_words_are_shown_plainly() -> None:
    evil = '{"k": "\\u001b[2J\\u202e\\u0007' + "x" * 500 + '"}'
    _, (said,) = out(evil, '{"k": 1}', key(5, "k"))
    assert said.isprintable()
    assert len(said) < 300


def test_an_edit_of_many_members_takes_no_long_time() -> None:
    rules = [member(f"Read(./folder-{n}/**)") for n in range(100)]
    text = edited("", rules)
    assert taken_out(text + " ", "", rules).text == ""


def test_done_again_it_is_unchanged(tmp_path: Path) -> None:
    shop, path = workshop(tmp_path), tmp_path / "home" / ".claude" / "settings.json"
    step = EditSettings(str(path), (member("x"),))
    assert shop.apply(step).state == "done"
    assert shop.apply(step) == Outcome("unchanged", f"'{path}' says so already")
