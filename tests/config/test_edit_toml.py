import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.edit_toml import NotEditable, literal, same, with_value, without

FILE = """\
# mine
workers = 2  # as many as I like
claude_dirs = [
    "/a",  # the first
    "/b",
]

# what fills it
[tokenManagement]
warningThreshold = 0.4# near
# a note
criticalThreshold = 60

# loud
[alerts]
bell = true
"""

FOLDERS = FILE[FILE.index("claude_dirs") : FILE.index("\n# what")]


class TestSet:
    @pytest.mark.parametrize(
        ("path", "value", "old", "new"),
        [
            (["workers"], 3, "workers = 2  # as", "workers = 3  # as"),
            (["tokenManagement", "warningThreshold"], 0.5, "= 0.4# near", "= 0.5# near"),
            (["tokenManagement", "criticalThreshold"], 0.7, "Threshold = 60", "Threshold = 0.7"),
            (["alerts", "bell"], False, "bell = true", "bell = false"),
            (["alerts", "repeat"], "1h", "bell = true\n", 'bell = true\nrepeat = "1h"\n'),
            (["claude_dirs"], ["/c"], FOLDERS, 'claude_dirs = ["/c"]\n'),
            (["timezone"], "UTC", "]\n\n# what", ']\ntimezone = "UTC"\n\n# what'),
            (
                ["tokenManagement", "autoCleanup"],
                True,
                "= 60\n\n# loud",
                "= 60\nautoCleanup = true\n\n# loud",
            ),
            (["monitor", "theme"], "dark", "= true\n", '= true\n\n[monitor]\ntheme = "dark"\n'),
            (["windows", "a.b*"], 5, "= true\n", '= true\n\n[windows]\n"a.b*" = 5\n'),
            (
                ["prices", "m.1", "input"],
                1.5,
                "= true\n",
                '= true\n\n[prices."m.1"]\ninput = 1.5\n',
            ),
        ],
    )
    def test_changes_one_line_and_keeps_the_rest(
        self, path: list[str], value: object, old: str, new: str
    ) -> None:
        assert FILE.count(old) == 1
        assert with_value(FILE, path, value) == FILE.replace(old, new)

    def test_an_empty_file(self) -> None:
        assert with_value("", ["workers"], 1) == "workers = 1\n"
        assert with_value("", ["a", "b"], 1) == "[a]\nb = 1\n"
        assert with_value("# note\n", ["workers"], 1) == "# note\nworkers = 1\n"

    def test_a_file_that_ends_without_a_line_break(self) -> None:
        assert with_value("a = 1", ["b"], 2) == "a = 1\nb = 2\n"
        assert with_value("a = 1", ["a"], 2) == "a = 2"
        assert with_value("[t]\na = 1", ["t", "b"], 2) == "[t]\na = 1\nb = 2\n"

    def test_line_breaks_stay_what_they_are(self) -> None:
        assert with_value("a = 1\r\n[t]\r\n", ["a"], 2) == "a = 2\r\n[t]\r\n"
        assert with_value("[t]\r\nx = 1\r\n", ["t", "b"], 2) == "[t]\r\nx = 1\r\nb = 2\r\n"

    @pytest.mark.parametrize(
        ("text", "changed"),
        [
            ("t.k = 1\n", "t.k = 2\n"),
            ('"t" . "k" = 1\n', '"t" . "k" = 2\n'),
            ("t.other = 1\n", "t.other = 1\nt.k = 2\n"),
            ("[ t ]\nk = 1\n", "[ t ]\nk = 2\n"),
            ('s = """\n[t]\nk = 1\n"""\n[t]\nk = 1\n', 's = """\n[t]\nk = 1\n"""\n[t]\nk = 2\n'),
            ('k = "[t] # no"\n[t]\nk = "a # b" # c\n', 'k = "[t] # no"\n[t]\nk = 2 # c\n'),
            ("[[x]]\nk = 1\n[t]\nk = 1\n", "[[x]]\nk = 1\n[t]\nk = 2\n"),
            ("[t.u]\nk = 1\n", "[t.u]\nk = 1\n\n[t]\nk = 2\n"),
            ("[t]\n[t.u]\nk = 1\n", "[t]\nk = 2\n[t.u]\nk = 1\n"),
        ],
    )
    def test_any_way_to_write_a_table(self, text: str, changed: str) -> None:
        assert with_value(text, ["t", "k"], 2) == changed

    @pytest.mark.parametrize("text", ["t = {k = 1}\n", "t = 1\n", "t = [{k = 1}]\n"])
    def test_what_cannot_be_done_by_lines_is_told(self, text: str) -> None:
        with pytest.raises(NotEditable, match=r"^write this into it by hand: t\.k = 2$"):
            with_value(text, ["t", "k"], 2)

    def test_what_is_no_toml_is_refused(self) -> None:
        with pytest.raises(ValueError, match="Invalid value"):
            with_value("a =", ["a"], 1)


class TestUnset:
    @pytest.mark.parametrize(
        ("path", "gone"),
        [
            (["workers"], "workers = 2  # as many as I like\n"),
            (["claude_dirs"], FOLDERS),
            (["tokenManagement", "criticalThreshold"], "criticalThreshold = 60\n"),
            (["alerts", "bell"], "bell = true\n"),
        ],
    )
    def test_takes_its_lines_and_no_other(self, path: list[str], gone: str) -> None:
        assert without(FILE, path) == FILE.replace(gone, "")

    def test_what_is_not_there_changes_nothing(self) -> None:
        for path in (["timezone"], ["alerts", "x"], ["none", "x"], ["workers", "x"]):
            assert without(FILE, path) == FILE

    def test_dotted_keys(self) -> None:
        assert without("t.k = 1\na = 2\n", ["t", "k"]) == "a = 2\n"

    def test_what_cannot_be_done_by_lines_is_told(self) -> None:
        with pytest.raises(NotEditable, match=r"take t\.k out of it by hand"):
            without("t = {k = 1}\n", ["t", "k"])


VALUES = (
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3)
)
NAMES = st.sampled_from(["k", "workers", "a.b", "ü", "with space", '"', "x-y_Z9", ""])
PATHS = st.lists(NAMES, min_size=1, max_size=3)


@given(VALUES)
def test_a_literal_says_its_value(value: object) -> None:
    assert same(tomllib.loads(f"x = {literal(value)}"), {"x": value})


@given(st.sampled_from(["", FILE, FILE.replace("\n", "\r\n"), "k = 1"]), PATHS, VALUES)
def test_set_then_unset_says_what_was_wanted(text: str, path: list[str], value: object) -> None:
    before = tomllib.loads(text)
    try:
        changed = with_value(text, path, value)
    except NotEditable:
        assert before.keys() & {path[0]}  # only something that is there already can be in the way
        return
    found: Any = tomllib.loads(changed)
    for name in path:
        found = found[name]
    assert same(found, value)
    rest = tomllib.loads(without(changed, path))
    assert {name: rest.get(name) for name in before if name != path[0]} == {
        name: before[name] for name in before if name != path[0]
    }


@given(st.text(max_size=60), PATHS)
def test_any_text_is_changed_or_refused(text: str, path: list[str]) -> None:
    try:
        changed = with_value(text, path, 1)
    except (NotEditable, ValueError):
        changed = text
    try:
        is_toml = bool(tomllib.loads(changed) or True)
    except ValueError:
        is_toml = False
    assert is_toml or changed == text


def test_kinds_are_told_apart() -> None:
    assert not same(1, True)
    assert not same(1, 1.0)
    assert not same([1], [True])
    assert not same(float("nan"), float("nan"))
    assert same({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]})
