"""Selections: within the budget, every shown line as it is, every other line within reach."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile import PAYLOADS

from bench_select import printed
from tokenbudget.compression.selection import Selection, select, share_of


class Words:
    """Counts words and signs."""

    name = "words"

    def count(self, text: str) -> int:
        return len(re.findall(r"\w+|[^\w\s]|\n", text))


def function(name: str, lines: int) -> str:
    body = "\n".join(f"    step_{at}({at})" for at in range(lines))
    return f"def {name}():\n{body}\n"


SHOP = "\n\n".join(
    [
        function("load_prices", 12),
        function("apply_voucher", 12),
        function("send_mail", 12),
        "class Cart:\n    def total(self):\n        return 1\n\n    def add(self):\n        pass\n",
    ]
)
TASK = "apply_voucher takes a voucher twice"


def selected(files: dict[str, str] | None = None, budget: int = 120, task: str = TASK) -> Selection:
    return select(task, files or {"shop.py": SHOP}, budget, Words())


_TEXTS = st.text(alphabet=st.sampled_from("ab \n\t#:[~]-1{}()\"'\r\x00\ud800é"), max_size=300)
_PATHS = st.sampled_from(["a.py", "b.md", "c.json", "d.log", "e"])
_FILES = st.dictionaries(_PATHS, _TEXTS, min_size=1)


@settings(max_examples=150)
@given(_FILES, st.integers(1, 200), st.text(max_size=60))
def test_every_line_is_shown_as_it_is_or_within_reach(
    files: dict[str, str], budget: int, task: str
) -> None:
    selection = selected(files, budget, task or "x")
    read = printed(selection.text, files)
    assert read.is_verbatim
    for path, text in files.items():
        count = len(text.removesuffix("\n").split("\n"))
        assert read.reached[path] == set(range(1, count + 1))
    assert selection.tokens == Words().count(selection.text)
    assert selection.fits or not any(read.shown.values())


def test_what_the_task_needs_is_shown_and_the_rest_is_outlined() -> None:
    selection = selected(budget=150)
    lines = selection.text.splitlines()
    assert selection.fits
    assert lines[0] == "[~ shop.py, 51 lines]"
    assert "def apply_voucher():" in lines
    assert "def send_mail():" not in lines
    assert any(re.match(r"\[~ \d+-\d+ send_mail", line) for line in lines)


@pytest.mark.parametrize("share", [10, 25, 50, 90])
def test_more_budget_shows_more_and_never_too_much(share: int) -> None:
    files = {"shop.py": SHOP}
    smaller = selected(files, share_of(files, share, Words()))
    larger = selected(files, share_of(files, share + 10, Words()))
    assert smaller.tokens <= smaller.budget_tokens
    assert larger.tokens >= smaller.tokens


def test_a_budget_for_everything_shows_everything() -> None:
    selection = selected(budget=10_000)
    assert selection.text == f"[~ shop.py, 51 lines]\n{SHOP}"


def test_a_budget_for_nothing_still_gives_the_outline() -> None:
    selection = selected(budget=1)
    assert selection.text == "[~ shop.py, 51 lines]\n[~ 1-51]\n"
    assert not selection.fits


def test_files_share_one_budget() -> None:
    other = "\n".join(f"def other_{at}():\n    return {at}\n" for at in range(20))
    selection = selected({"other.py": other, "shop.py": SHOP}, 150)
    shown = printed(selection.text, {"other.py": other, "shop.py": SHOP}).shown
    assert "apply_voucher" in selection.text
    assert len(shown["shop.py"]) > len(shown.get("other.py", ()))


def test_a_file_with_our_markers_in_it_gets_another_opening() -> None:
    text = SHOP + "[~ 1-3 false]\n"
    selection = selected({"shop.py": text})
    assert selection.opening == "[~~"
    assert selection.text.startswith("[~~ shop.py")


def test_the_same_answer_every_time() -> None:
    assert len({selected().text for _ in range(5)}) == 1


@pytest.mark.parametrize("payload", list(PAYLOADS.values())[:60])
def test_hostile_names_stay_inside_their_marker(payload: str) -> None:
    files = {f"{payload}.md": f"# {payload}\n\ntext\n" + "filler\n\n" * 50}
    selection = selected(files, 30)
    for line in selection.text.split("\n")[:-1]:
        assert line.isprintable() or line in files[f"{payload}.md"].split("\n")


@pytest.mark.parametrize("budget", [300, 1000, 3000])
@pytest.mark.parametrize(
    "files",
    [
        {"a.log": "".join(f"12:00:{at} worker {at % 7} took {at * 37} ms\n" for at in range(2000))},
        {"a.json": "[\n" + '  {\n    "id": 1,\n    "name": "x"\n  },\n' * 700 + "]\n"},
        {"a.md": "".join(f"# Part {at}\n\nSome words.\n\n" for at in range(500))},
    ],
    ids=["log", "json", "markdown"],
)
def test_lines_that_are_all_alike_still_use_the_budget(files: dict[str, str], budget: int) -> None:
    selection = selected(files, budget, "worker 3 is slow, id of Some words")
    assert 0.85 * budget < selection.tokens <= budget
