"""Ranking: what a task points at comes before what it does not."""

from collections.abc import Sequence
from textwrap import dedent

import pytest

from tokenbudget.compression.ranking import likelihoods
from tokenbudget.compression.ranking_task import read_task
from tokenbudget.compression.ranking_words import LexicalRanker, Lexicon, stem, terms
from tokenbudget.compression.sections import structure_of

SHOP = dedent(
    '''\
    """A shop."""

    import os


    def load_prices(path):
        """Read the prices."""
        with open(path) as file:
            return [line.split() for line in file]


    def apply_voucher(cart, code):
        value = lookup(code)
        cart.total -= value
        return cart


    def lookup(code):
        return TABLE[code]


    def send_mail(address):
        connection = connect(address)
        connection.quit()
    '''
)


def likeliest(task: str, text: str = SHOP, path: str = "shop.py") -> str:
    """The first line of the block that the task points at most."""
    structure = structure_of(path, text)
    scores = likelihoods(task, [structure])[0]
    best = max(range(len(scores)), key=scores.__getitem__)
    return structure.lines[structure.blocks[best].first].strip()


def unit_of(task: str) -> str:
    structure = structure_of("shop.py", SHOP)
    scores = likelihoods(task, [structure])[0]
    best = max(range(len(scores)), key=scores.__getitem__)
    index = structure.unit_section(structure.blocks[best].section)
    return structure.sections[index].name


def test_identifiers_are_whole_and_in_parts() -> None:
    assert terms("applyVoucher HTTPServer2 x") == [
        "applyvoucher", "apply", "voucher", "httpserver2", "http", "server",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [("merging", "merged", "merge", "merges"), ("query", "queries")])
def test_forms_of_a_word_are_one(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


def test_a_rare_word_says_more_than_a_common_one() -> None:
    lexicon = Lexicon([["a", "x"], ["a", "y"], ["a", "z"]])
    scores = lexicon.scores({"a": 1.0, "y": 1.0})
    assert scores[1] > scores[0] == scores[2]


def test_the_lexical_ranker_gives_one_figure_for_each_piece() -> None:
    scores = LexicalRanker().relevance("voucher is ignored", ["apply voucher", "send mail", ""])
    assert scores[0] > scores[1] == scores[2] == 0


def test_a_function_is_found_by_words_of_the_issue() -> None:
    assert unit_of("Vouchers are applied twice to a cart") == "apply_voucher"


def test_a_function_is_found_by_a_traceback() -> None:
    task = (
        'It fails:\n  File "/srv/shop.py", line 19, in lookup\n    return TABLE[code]\nKeyError: 1'
    )
    assert likeliest(task) == "return TABLE[code]"


def test_a_quoted_line_is_found() -> None:
    assert likeliest("Why is there\n```\nconnection.quit()\n```\n?") == "connection.quit()"


def test_a_link_with_a_line_number_is_followed() -> None:
    task = "See https://example.org/repo/blob/1be7/shop.py#L9 please"
    assert read_task(task).frames[0].line == 9
    structure = structure_of("shop.py", SHOP)
    with_link = likelihoods(task, [structure])[0]
    without = likelihoods(task.replace("#L9", ""), [structure])[0]
    grown = [after / before for after, before in zip(with_link, without, strict=True)]
    best = structure.blocks[max(range(len(grown)), key=grown.__getitem__)]
    assert best.first <= 8 < best.end


@pytest.mark.parametrize(
    ("trace", "name", "line"),
    [
        ('  File "a/shop.py", line 3, in total', "total", 3),
        ("File ~/a/shop.py:265, in Plot.total(self)", "total", 265),
        ("/lib/shop.py:617: in total", "total", 617),
        ("    at total (/srv/shop.js:12:5)", "total", 12),
        ("shop.go:14 +0x1d", "", 14),
        (r"C:\\a\\shop.py:7: error", "", 7),
    ],
)
def test_tracebacks_of_many_kinds_are_read(trace: str, name: str, line: int) -> None:
    frames = read_task(f"Title\n{trace}\n").frames
    assert any((one.name, one.line) == (name, line) for one in frames)


def test_the_templates_comments_say_nothing() -> None:
    assert "voucher" not in read_task("Title\n<!-- tell us about the voucher -->\n").weights


class Judge:
    """A ranker that knows one word."""

    name = "judge"

    def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
        return [float("connect(" in piece) for piece in pieces]


def test_a_further_ranker_is_heard() -> None:
    structure = structure_of("shop.py", SHOP)
    alone = likelihoods("nothing that is known", [structure])[0]
    judged = likelihoods("nothing that is known", [structure], Judge())[0]
    grown = [
        structure.sections[structure.unit_section(block.section)].name
        for block, before, after in zip(structure.blocks, alone, judged, strict=True)
        if after > before
    ]
    assert set(grown) == {"send_mail"}
