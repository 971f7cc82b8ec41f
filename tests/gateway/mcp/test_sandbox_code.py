"""What code says before it runs: its value, its calls, its lines."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.sandbox_code import VALUE, read

GATHER = "import asyncio\n"


def awaited(code: str) -> list[str]:
    """The calls in code that are awaited later, as they stand in what is fed."""
    reading = read(code)
    raw = reading.fed.encode()
    return [raw[at:].decode().partition(")")[0] + ")" for at in sorted(reading.awaited)]


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        ("f(1)", []),
        ("x = f(1)\nx['a']", []),
        ("await f(1)", ["f(1)"]),
        ("x = await f(g(1))", ["f(g(1)"]),
        (GATHER + "await asyncio.gather(f(1), f(2))", ["f(1)", "f(2)"]),
        (GATHER + "await asyncio.gather(*[f(i) for i in g(0)])", ["f(i)"]),
        (GATHER + "await asyncio.gather(*(f(i) for i in g(0)))", ["f(i)"]),
        (GATHER + "a, b = f(1), f(2)\nawait asyncio.gather(a, b)", ["f(1)", "f(2)"]),
        (GATHER + "t = [f(i) for i in r]\nawait asyncio.gather(*t)", ["f(i)"]),
        (GATHER + "t = []\nt.append(f(1))\nawait asyncio.gather(*t)", ["f(1)"]),
        (GATHER + "t = {}\nt['a'] = f(1)\nawait asyncio.gather(*t.values())",
         ["f(1)", "t.values()"]),
        ("t = [f(i) for i in r]\nfor x in t:\n    print(await x)", ["f(i)"]),
        ("t = [f(i) for i in r]\n[await x for x in t]", ["f(i)"]),
        ("t = u = f(1)\nawait u", ["f(1)"]),
        ("t = f(1) if x else f(2)\nawait t", ["f(1)", "f(2)"]),
        ("def go(): return f(1)\nawait go()", ["f(1)", "go()"]),
        ("def go(): return f(1)\ngo()['a']", []),
        ("async def go(): return f(1)\nawait go()", ["go()"]),
        ("t = []\nt.append(f(1))\nt[0]['a']", []),
        (GATHER + "rows = f(0)\nawait asyncio.gather(*[g(r['id']) for r in rows])", ["g(r['id'])"]),
        (GATHER + "asyncio.run(one(1))", ["one(1)"]),
        (GATHER + "async def one(i):\n    x = f(i)\n    return x\nawait asyncio.gather(one(1))",
         ["one(1)"]),
    ],
)  # fmt: skip
def test_which_calls_are_awaited_later(code: str, calls: list[str]) -> None:
    assert awaited(code) == calls


@pytest.mark.parametrize(
    ("code", "fed"),
    [
        ("1", f"{VALUE}=(\n1\n)"),
        ("x = 1", "x = 1"),
        ("x = 1; x  # c", f"x = 1; {VALUE}=(\nx\n)  # c"),
        ("return (1,\n 2)", f"{VALUE}=(\n (1,\n 2)\n);return"),
        ("if a: return 1\n2", f"if a: {VALUE}=(\n 1\n);return\n{VALUE}=(\n2\n)"),
        ("def f():\n    return 1", "def f():\n    return 1"),
        ("return", "return"),
        ("'é'; 'ü'", f"'é'; {VALUE}=(\n'ü'\n)"),
        ("x\r\ny\r", f"x\n{VALUE}=(\ny\n)\n"),
        ("for i in r:\n    return i", f"for i in r:\n    {VALUE}=(\n i\n);return"),
        ("next(x for x in y)", f"{VALUE}=(\nnext(iter(x for x in y))\n)"),
        ("a = next((x for x in y), 1)", "a = next(iter(x for x in y), 1)"),
        ("next((next(x for x in f(z)) for y in z), 1)",
         f"{VALUE}=(\nnext(iter(next(iter(x for x in f(z))) for y in z), 1)\n)"),
        ("asyncio.gather(f(1), return_exceptions=True)",
         f"{VALUE}=(\n_tb_gather(f(1), return_exceptions=True)\n)"),
        ("x = (", "x = ("),
        ("", ""),
    ],
)  # fmt: skip
def test_where_the_value_is(code: str, fed: str) -> None:
    reading = read(code)
    assert reading.fed == fed
    assert reading.has_value == (VALUE in fed)


def test_the_names_that_code_gives_values_to() -> None:
    code = "import json\na, (b, *c) = 1, (2, 3)\nfor d in a:\n    e = 1\nwith f() as g: pass\n"
    code += "def h():\n    i = 1\nclass J:\n    k = 1\nif (m := 1): n: int = 2\np += 1\nq['x'] = 1"
    assert read(code).assigned == ("a", "b", "c", "d", "e", "g", "h", "J", "m", "n", "p")


def test_code_that_cannot_be_read_goes_on_as_it_is() -> None:
    for code in ("x = (", "\x00", "-" * 50_000 + "1", "(" * 300, "a" + ".a" * 30_000):
        reading = read(code)
        assert (reading.fed, reading.is_read, reading.has_value) == (code, False, False)


STATEMENTS = st.sampled_from(
    [
        "x = f(1)", "y = 'é'", "return [\n  1]", "if x: return 'ü'", "def g():\n    return 1",
        "z = (\n  f(2)\n)", "f(3); f(4)", "'''a\nb'''", "# c", "", "for i in x:\n    f(i)",
        "await f(5)", "while x:\n    return await f(6)",
        "q = next(await f(7) for x in y)", "next((x for x in [await f(8)]), None)",
    ]
)  # fmt: skip


def letters(text: str) -> str:
    """Without the signs that putting values into place adds."""
    return "".join(one for one in text if one not in "(); ")


@given(st.lists(STATEMENTS, max_size=8))
def test_what_is_fed_keeps_lines_and_places(statements: list[str]) -> None:
    """What is fed is Python, each line knows its own, and awaited calls are where it says."""
    code = "\n".join(statements)
    reading = read(code)
    ast.parse(reading.fed)
    assert len(reading.lines) == reading.fed.count("\n") + 1
    original = code.split("\n")
    for number, text in enumerate(reading.fed.split("\n"), 1):
        bare = text.replace(f"{VALUE}=(", "").replace(");return", "").replace("iter", "")
        assert letters(bare) in letters(original[reading.line(number) - 1])
    raw = reading.fed.encode()
    assert all(raw[at:].startswith(b"f(") for at in reading.awaited)
    assert len(reading.awaited) == code.count("await f(")


@given(st.text(max_size=200))
def test_any_text_can_be_read(code: str) -> None:
    reading = read(code)
    assert len(reading.lines) == reading.fed.count("\n") + 1
    assert reading.line(10**6) >= 1
    reading.source(1)
