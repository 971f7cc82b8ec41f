"""Sections and blocks: every line once, whatever the text; names where a language has them."""

import sys
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.sections import structure_of
from tokenbudget.compression.sections_indented import indented_structure
from tokenbudget.compression.sections_python import python_structure
from tokenbudget.compression.structure import (
    CLASS,
    CODE,
    COMMENT,
    DOC,
    FUNCTION,
    HEAD,
    HEADING,
    IMPORT,
    KEY,
    Structure,
    lines_of,
)

_ENDINGS = ("py", "ts", "go", "rb", "md", "json", "yaml", "log", "sh")
PATHS = (*(f"a.{ending}" for ending in _ENDINGS), "Makefile", "")

PYTHON = dedent(
    '''\
    """What it is for."""

    import os
    from sys import path


    class Cart:
        """Lines to pay."""

        limit = 10

        @property
        def total(self):
            """The sum.

            Without discounts.
            """
            # each line once
            if self.lines:
                return sum(self.lines)
            return 0

        def add(self, line):
            self.lines.append(line)


    def main():
        def inner():
            pass
        return Cart()
    '''
)


def names(structure: Structure) -> list[tuple[str, str, int, int]]:
    return [(one.kind, one.name, one.first + 1, one.end) for one in structure.sections[1:]]


def covers_every_line_once(structure: Structure) -> bool:
    ends = [0, *(block.end for block in structure.blocks)]
    starts = [*(block.first for block in structure.blocks), len(structure.lines)]
    return ends == starts and all(block.first < block.end for block in structure.blocks)


@pytest.mark.parametrize("path", PATHS)
@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=400))
def test_blocks_cover_the_lines_of_any_text(path: str, text: str) -> None:
    structure = structure_of(path, text)
    assert structure.lines == lines_of(text)
    assert covers_every_line_once(structure)


_PIECES = st.sampled_from(
    ["def f():", "class A:", "    x = 1", "        return {", "}", "", "# no", '"""', "func g() {",
     "\tif x {", "\t}", "- a: 1", "  b:",
     '{"k": [', "]}", "# Title", "```", "text", "@dec", "else:"]
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@given(st.lists(_PIECES, max_size=25))
def test_sections_lie_inside_their_parents(path: str, pieces: list[str]) -> None:
    structure = structure_of(path, "\n".join(pieces))
    assert covers_every_line_once(structure)
    for number, one in enumerate(structure.sections[1:], 1):
        around = structure.sections[one.parent]
        assert one.parent < number
        assert around.first <= one.first < one.end <= around.end


def test_python_has_classes_methods_and_functions() -> None:
    assert names(structure_of("cart.py", PYTHON)) == [
        (CLASS, "Cart", 7, 24),
        (FUNCTION, "total", 12, 21),
        (FUNCTION, "add", 23, 24),
        (FUNCTION, "main", 27, 30),
        (FUNCTION, "inner", 28, 29),
    ]


def test_python_blocks_are_statements_of_a_kind() -> None:
    structure = structure_of("cart.py", PYTHON)
    kinds = {block.first + 1: block.kind for block in structure.blocks}
    assert kinds[1] == DOC
    assert kinds[3] == kinds[4] == IMPORT
    assert kinds[7] == kinds[12] == HEAD  # line 12: the decorator belongs to its function
    assert kinds[8] == kinds[14] == DOC
    assert kinds[18] == COMMENT or kinds[14] == DOC
    assert kinds[19] == kinds[20] == kinds[21] == CODE


def test_a_nested_function_belongs_to_the_unit_around_it() -> None:
    structure = structure_of("cart.py", PYTHON)
    units = [(structure.sections[one.section].name, one.first + 1) for one in structure.units]
    assert ("main", 27) in units
    assert not any(name == "inner" for name, _ in units)


def test_carriage_returns_do_not_move_python_lines() -> None:
    text = "x = 1\r\ny = '''a\rb'''\r\ndef f():\r\n    return 1\r\n"
    assert names(structure_of("a.py", text)) == [(FUNCTION, "f", 3, 4)]


def test_python_that_does_not_parse_is_read_by_indentation() -> None:
    text = "def old():\n    print 'two'\n    return 1\n\nclass A:\n    x = 1\n"
    assert python_structure("a.py", lines_of(text)) is None
    assert names(structure_of("a.py", text)) == [(FUNCTION, "old", 1, 3), (CLASS, "A", 5, 6)]


TYPESCRIPT = dedent(
    """\
    import { x } from "y";

    export class Cart {
      total(): number {
        return 1;
      }
    }

    export const add = (a: number) => {
      return a;
    };

    function main() {
      return 2;
    }
    """
)
TYPESCRIPT_NAMES = [
    (CLASS, "Cart", 3, 7),
    (FUNCTION, "total", 4, 6),
    (FUNCTION, "add", 9, 11),
    (FUNCTION, "main", 13, 15),
]


def test_other_languages_have_sections_by_indentation() -> None:
    structure = indented_structure("cart.ts", lines_of(TYPESCRIPT))
    assert names(structure) == TYPESCRIPT_NAMES
    assert structure.blocks[0].kind == IMPORT


def test_other_languages_have_sections_by_their_grammar() -> None:
    assert names(structure_of("cart.ts", TYPESCRIPT)) == TYPESCRIPT_NAMES


def test_without_the_grammars_indentation_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ast_grep_py", None)
    assert names(structure_of("cart.ts", TYPESCRIPT)) == TYPESCRIPT_NAMES


def test_go_methods_are_named_without_their_receiver() -> None:
    text = "package a\n\nfunc (c *Cart) Total() int {\n\treturn 1\n}\n"
    assert names(indented_structure("a.go", lines_of(text))) == [(FUNCTION, "Total", 3, 5)]


def test_markdown_is_cut_at_headings_but_not_inside_code() -> None:
    text = "# One\n\ntext\n\n```\n# no heading\n```\n\n## Two\n\nmore\n\nThree\n=====\n\nend\n"
    assert names(structure_of("a.md", text)) == [
        (HEADING, "One", 1, 12),
        (HEADING, "Two", 9, 12),
        (HEADING, "Three", 13, 16),
    ]


def test_keys_of_json_and_yaml_are_sections() -> None:
    assert (KEY, "scripts", 3, 6) in names(
        structure_of(
            "p.json", '{\n  "name": "a",\n  "scripts": {\n    "a": 1,\n    "b": 2\n  }\n}\n'
        )
    )
    assert names(structure_of("a.yml", "jobs:\n  test:\n    runs-on: x\n    steps:\n")) == [
        (KEY, "jobs", 1, 4),
        (KEY, "test", 2, 4),
    ]


def test_a_log_is_cut_by_lines_and_a_stack_stays_together() -> None:
    text = "2026-01-01 00:00:01 INFO a\n2026-01-01 00:00:02 ERROR b\n  at x\n  at y\nlast\n"
    blocks = [(one.first, one.end) for one in structure_of("", text).blocks]
    assert blocks == [(0, 1), (1, 4), (4, 5)]


@pytest.mark.parametrize("path", PATHS)
def test_deep_nesting_and_long_lines_are_survived(path: str) -> None:
    nested = "(" * 5000 + "\n" + "\n".join(" " * at + "if x:" for at in range(300))
    long = "x" * 200_000 + "{\n" + "(" * 50_000 + "{\n"
    assert covers_every_line_once(structure_of(path, nested))
    assert covers_every_line_once(structure_of(path, long))
