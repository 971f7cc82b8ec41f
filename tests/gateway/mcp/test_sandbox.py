"""Code of the agent: what a model would expect to work works, and what does not is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.gateway.mcp.sandboxes import LIMITS, Room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.gateway.mcp.sandbox_values import Outcome


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = Room(tmp_path_factory.mktemp("sandbox"))
    yield room
    room.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    own = Room(tmp_path)
    yield own
    own.close()


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("files_read('a')", "text of a"),
        ("await files_read(path='a')", "text of a"),
        ("x = files_read('a', 5)\nx.upper()", "TEXT OF A"),
        ("x = await files_echo(a=1)\nx['a'] + 1", "2"),
        ("[files_read(p)[-1] for p in 'ab']", '["a","b"]'),
        ("import asyncio\nawait asyncio.gather(files_read('a'), files_echo(b=1))",
         '["text of a",{"b":1}]'),
        ("import asyncio\nasyncio.run(asyncio.gather(files_read('a')))", '["text of a"]'),
        ("import asyncio\nts = []\nfor p in 'ab':\n    ts.append(files_read(p))\n"
         "[r[-1] for r in await asyncio.gather(*ts)]", '["a","b"]'),
        ("a = files_read('a')\nb = files_read('b')\n(await a) + (await b)", "text of atext of b"),
        ("import asyncio\nasync def one(p):\n    text = files_read(p)\n    return text[-1]\n"
         "await asyncio.gather(*[one(p) for p in 'ab'])", '["a","b"]'),
        ("import asyncio\nasync def one(p):\n    return (await files_read(p))[-1]\n"
         "await asyncio.gather(*map(one, 'ab'))", '["a","b"]'),
        ("import asyncio\ndef go(p): return files_read(p)\n"
         "await asyncio.gather(*[go(p) for p in 'ab'])", '["text of a","text of b"]'),
        ("def text(p):\n    return files_read(p)\ntext('a')[0]", "t"),
        ("read = files_read\nread('z')", "text of z"),
        ("d = {p: files_read(p) for p in 'ab'}\nfor k, v in d.items():\n    d[k] = await v\nd",
         '{"a":"text of a","b":"text of b"}'),
        ("(lambda p: files_read(p)[-1])('q')", "q"),
        ("eval(\"files_read('e')\")", "text of e"),
        ("mcp__files__read('a')", "text of a"),
        ("files_echo(**{'resource-group': 1})", '{"resource-group":1}'),
        ("files_echo(self=1, name='x', args=[2], kwargs={})",
         '{"self":1,"name":"x","args":[2],"kwargs":{}}'),
        ("if True:\n    return {'r': 1}\n2", '{"r":1}'),
        ("for i in range(3):\n    if i == 1: return i", "1"),
        ("x = 5; x  # the value", "5"),
        ("'é' + files_read('ü')", "étext of ü"),
        ("import datetime\n{'d': datetime.date(2026, 1, 2), 's': {1}, 't': (1, 2), 'b': b'x'}",
         '{"d":"2026-01-02","s":[1],"t":[1,2],"b":"x"}'),
        ("import json\njson.dumps([1])", "[1]"),
        ("next(x for x in [1, 2] if x > 1)", "2"),
        ("next((files_read(p) for p in 'ab'), None)", "text of a"),
        ("next((x for x in []), 'none')", "none"),
        ("import asyncio\nrs = await asyncio.gather(files_fail(), files_read('a'), "
         "return_exceptions=True)\n[r if isinstance(r, str) else str(r) for r in rs]",
         '["files_fail: ENOENT: no such file","text of a"]'),
        ("import asyncio\nasync def main():\n    return await files_read('m')\n"
         "if __name__ == '__main__':\n    return asyncio.run(main())", "text of m"),
        ("print('x')", ""),
        ("x = 1", ""),
        ("", ""),
        ("# nothing", ""),
    ],
)  # fmt: skip
def test_what_a_model_would_write_works(shared: Room, code: str, value: str) -> None:
    assert shared.value(code) == value


def test_calls_side_by_side_are_at_most_so_many(room: Room) -> None:
    room.behind.slowness_seconds = 0.02
    code = "import asyncio\nlen(await asyncio.gather(*[files_read(str(i)) for i in range(40)]))"
    assert room.value(code) == "40"
    assert 2 <= room.behind.most_running <= LIMITS.concurrent_calls


def test_variables_and_functions_live_on(room: Room) -> None:
    room.value("rows = [{'id': i} for i in range(3)]\ndef first():\n    return files_read('f')")
    assert room.value("len(rows)") == "3"
    assert room.value("last * 2") == "6"
    assert room.value("first()") == "text of f"
    assert room.run("rows").kept == ("rows", "last")


def test_an_expression_without_value_leaves_last_alone(room: Room) -> None:
    room.value("41")
    room.value("print('said')")
    assert room.value("last + 1") == "42"


def test_a_return_that_is_not_reached_gives_no_value(room: Room) -> None:
    assert room.value("if files_read('a') == 'b':\n    return 1") == ""
    assert room.value("5") == "5"
    assert room.value("if 0: return 1") == ""
    assert room.value("last") == "5"


def test_a_variable_with_the_name_of_a_builtin_lives_for_its_run(room: Room) -> None:
    assert room.value("type = 'bug'\nlist = [1, {2}]\nstr = len = 5\n[type, list]") == (
        '["bug",[1,[2]]]'
    )
    assert room.value("list(str(len('ab')))") == '["2"]'


def test_what_is_too_large_to_keep_leaves_the_session_as_it_was(room: Room) -> None:
    room.value("x = 5")
    outcome = room.run("x = 6\nbig = ['b' * 1_000_000 + str(i) for i in range(60)]\nlen(big)")
    assert (outcome.value, outcome.error) == ("60", "")
    assert outcome.notes == ("Let go, now None: big (at most 24 MB are kept).",)
    assert room.value("x") == "6"


def test_what_is_printed_comes_before_an_error_and_apart_from_the_value(shared: Room) -> None:
    outcome = shared.run("print('one')\nprint('two')\n1/0")
    assert outcome.printed == "one\ntwo\n"
    assert outcome.error.startswith("ZeroDivisionError: division by zero (line 3: 1/0)")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("rows = []\n\nrows[\n  3]", "IndexError: list index out of range (line 3: rows["),
        ("if 1:\n  return (\n    {}['k'])", "(line 3: {}['k']))"),
        ("x = 1 +", "SyntaxError: Expected an expression (line 1: x = 1 +)"),
        ("files_reed('a')", "no function or tool files_reed; near: files_read"),
        ("files.read('a')", "near: files_"),
        ("f = files_reed", "near: files_read"),
        ("files_read()", "TypeError: missing path: files_read(path: str, limit?: int)"),
        ("files_read('a', 1, 2)", "3 positional arguments, but 2 parameters: files_read("),
        ("files_read('a', path='b')", "path given twice"),
        ("files_read(file='a')", "no parameter file: files_read(path: str, limit?: int)"),
        ("files_fail()", "RuntimeError: files_fail: ENOENT: no such file (line 1: files_fail())"),
        ("files_breakdown()", "RuntimeError: the server files ended during the call"),
        ("files_ended()", "RuntimeError: files_ended: the call was ended"),
        ("files_fault()", "files_fault: the gateway failed: ZeroDivisionError: a fault?"),
        ("files_delete('a')", "PermissionError: files_delete is denied by a rule"),
        ("list(map(files_read, 'ab'))", "call tools in a loop or a comprehension"),
        ("sorted('ab', key=files_read)", "call tools in a loop or a comprehension"),
        ("async def f(): return 1\nf()['a']", "await every call whose result you use"),
        ("def g():\n    yield 1", "build a list and return it"),
        ("x = [1]\ndel x", "assign None, or use pop()"),
        ("class A(ValueError): pass", "use plain classes or dicts"),
        ("class A:\n    @property\n    def x(self): return 1", "use plain methods"),
        ("from math import *", "name what you import"),
        ("import statistics", "sum(x)/len(x)"),
        ("from collections import OrderedDict", "cannot import name 'OrderedDict'"),
        ("import yaml", "there are: json re datetime"),
        ("import files", "tools are not imported; call files_"),
        ("import asyncio\nasyncio.wait_for(1, 2)", "asyncio has gather and run"),
        ("import asyncio\nasyncio.Semaphore(5)", "calls are limited to some at a time"),
        ("import json\njson.loads(files_echo(a=1))", "a call gives the value itself"),
        ("files_echo(a=1)['content']", "a call gives the value itself"),
        ("import json\njson.dumps({1}, default=list)", "leave default= out"),
        ("raise ValueError('x' * 5_000)", "ValueError: xxx"),
    ],
)
def test_what_does_not_work_is_told_with_what_to_write(shared: Room, code: str, said: str) -> None:
    outcome = shared.run(code)
    assert said in outcome.error
    assert len(outcome.error) < 900
    assert "\n" not in outcome.error
    assert "monty" not in outcome.error


def test_an_error_of_a_tool_can_be_caught_in_code(shared: Room) -> None:
    code = "try:\n    files_fail()\nexcept RuntimeError as e:\n    said = str(e)\nsaid"
    assert shared.value(code) == "files_fail: ENOENT: no such file"
    code = "try:\n    files_delete('a')\nexcept PermissionError as e:\n    said = str(e)\nsaid"
    assert shared.value(code) == "files_delete is denied by a rule"


def test_a_wrong_call_does_not_reach_the_server(room: Room) -> None:
    room.run("files_read(nonsense=1)")
    room.run("files_read(path={1: float('nan')})")
    assert room.behind.calls == []


def test_calls_that_were_never_awaited_are_told(shared: Room) -> None:
    outcome = shared.run("ts = [files_read('a')]\nimport asyncio\n"
                         "if 0: await asyncio.gather(*ts)\n1")  # fmt: skip
    assert outcome.value == "1"
    assert outcome.notes == ("1 call was made but never awaited.",)


def test_runs_wait_for_each_other(room: Room) -> None:
    async def both() -> list[Outcome]:
        one = room.sandbox.run("x = files_read('a')\ny = 1", room.functions)
        two = room.sandbox.run("y + 1", room.functions)
        return list(await asyncio.gather(one, two))

    assert [one.error for one in room.do(both())] == ["", ""]


def test_a_large_value_is_cut_and_whole_in_last(tmp_path: Path) -> None:
    room = Room(tmp_path, LIMITS._replace(output_chars=100))
    outcome = room.run("print('p' * 500)\n'v' * 1_000")
    assert (outcome.value, outcome.value_chars) == ("v" * 100, 1_000)
    assert outcome.printed == "p" * 100
    assert outcome.notes == (
        "Printed 501 characters, the rest is dropped.",
        "The value has 1000 characters as text; it is whole in `last`.",
    )
    assert room.value("len(last)") == "1000"
    room.close()


def test_the_oldest_variables_are_let_go_when_there_is_too_much(tmp_path: Path) -> None:
    room = Room(tmp_path, LIMITS._replace(kept_mb=1))
    room.value("old = 'o' * 700_000\nsmall = 1")
    outcome = room.run("new = 'n' * 700_000\n1")
    assert outcome.notes == ("Let go, now None: old (at most 1 MB are kept).",)
    assert room.value("[old, len(new), small]") == "[null,700000,1]"
    failed = room.run("len(old)")
    assert failed.notes == ("old had been let go and is None.",)
    room.close()


def test_a_killed_worker_leaves_the_next_run_working(room: Room) -> None:
    room.value("x = 5")
    os.kill(room.worker(), signal.SIGKILL)
    outcome = room.run("x + 1")
    assert (outcome.value, outcome.error, outcome.notes) == ("6", "", ())


def test_a_worker_killed_during_a_run_ends_that_run_only(room: Room) -> None:
    room.value("x = 5")

    async def killed() -> Outcome:
        run = asyncio.ensure_future(room.sandbox.run("x = 6\nfiles_hang()", room.functions))
        await room.behind.hanging.acquire()
        os.kill(room.worker(), signal.SIGKILL)
        room.behind.go.set()
        return await run

    outcome = room.do(killed())
    assert outcome.error == "the sandbox crashed"
    assert outcome.notes == ("Variables are as they were before this run.",)
    assert room.value("x") == "5"


def test_cancelling_a_run_cancels_its_calls(room: Room) -> None:
    room.value("x = 5")

    async def cancelled() -> Outcome:
        code = "import asyncio\nx = 6\nawait asyncio.gather(files_hang(), files_hang())"
        run = asyncio.ensure_future(room.sandbox.run(code, room.functions))
        await room.behind.hanging.acquire()
        await room.behind.hanging.acquire()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert (room.behind.running, room.behind.cancelled) == (0, 2)
        return await room.sandbox.run("x", room.functions)

    assert room.do(cancelled()).value == "5"


def test_an_error_in_one_of_several_calls_ends_the_others(room: Room) -> None:
    outcome = room.run("import asyncio\nawait asyncio.gather(files_hang(), files_fail())")
    assert outcome.error.startswith("RuntimeError: files_fail: ENOENT")
    assert (room.behind.running, room.behind.cancelled) == (0, 1)
    assert room.value("1") == "1"


def test_a_run_that_waits_too_long_is_ended(room: Room) -> None:
    room.value("x = 5")
    room.sandbox._limits = LIMITS._replace(whole_seconds=0.3)
    outcome = room.run("x = 6\nfiles_hang()")
    room.sandbox._limits = LIMITS
    assert outcome.error == "the run took longer than 0.3 s"
    assert outcome.notes == ("Variables are as they were before this run.",)
    assert room.behind.running == 0
    assert room.value("x") == "5"


def test_the_time_that_a_person_is_asked_does_not_count(room: Room) -> None:
    """The call takes longer than a run may; almost all of it is a question."""
    room.value("1")
    room.behind.slowness_seconds = 0.3
    room.behind.asked_seconds = 5.0
    room.sandbox._limits = LIMITS._replace(whole_seconds=0.2)

    async def asked() -> Outcome:
        run = asyncio.ensure_future(room.sandbox.run("files_read('a')", room.functions))
        await asyncio.sleep(0.01)
        room.behind.asked_seconds += 5.0
        return await run

    assert room.do(asked()).value == "text of a"


def test_a_state_that_cannot_be_read_back_is_told(room: Room) -> None:
    room.value("x = 5")
    room.do(room.sandbox.close())
    kept = room.sandbox._kept
    assert kept is not None
    room.sandbox._kept = kept._replace(state=kept.state[: len(kept.state) // 2])
    outcome = room.run("y = 1\ny")
    assert (outcome.value, outcome.error) == ("1", "")
    assert outcome.notes == ("The variables of earlier runs are lost.",)


def test_functions_keep_their_calls_after_a_restart(room: Room) -> None:
    room.value("import asyncio\ndef go(p): return files_read(p)\n"
               "def now(p): return files_read(p)[-1]\n"
               "await asyncio.gather(*[go('a')])")  # fmt: skip
    os.kill(room.worker(), signal.SIGKILL)
    assert room.value("now('a')") == "a"
    assert room.value("import asyncio\nawait asyncio.gather(go('a'))") == '["text of a"]'


def test_without_the_extra_one_sentence_says_so(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydantic_monty", None)
    outcome = room.run("1")
    assert outcome.error == "running code needs: pip install 'tokenbudget[mcp]'"
    assert room.sandbox.strength() == ()


def test_the_worker_has_nothing(room: Room) -> None:
    """Linux tells what the process really has; elsewhere the strength alone is looked at."""
    strength = room.sandbox.strength()
    assert strength[:2] == ("process", "limits")
    room.value("1")
    proc = Path(f"/proc/{room.worker()}")
    if not proc.exists():
        return
    assert (proc / "environ").read_bytes() == b""
    assert os.listdir((proc / "cwd").resolve()) == []
    limits = (proc / "limits").read_text()
    assert "Max core file size        0" in limits
    assert "Max file size             0" in limits
    targets = {os.readlink(one) for one in (proc / "fd").iterdir()}
    assert all(one.startswith(("pipe:", "socket:", "/dev/null", "anon_inode:")) for one in targets)
    status = (proc / "status").read_text()
    assert ("NoNewPrivs:\t1" in status) == ("privileges" in strength)
    if "network" in strength:
        assert (proc / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def test_a_prepared_sandbox_has_its_worker_before_the_first_run(room: Room) -> None:
    room.do(room.sandbox.prepare())
    worker = room.worker()
    assert room.value("1") == "1"
    assert room.worker() == worker


def test_a_killed_sandbox_works_again(room: Room) -> None:
    room.value("x = 5")
    room.sandbox.kill()
    assert room.value("x") == "5"


@pytest.mark.parametrize(
    "code", ["files_hang()", "await files_hang()", "files_read('a')\nwhile True: pass"]
)
def test_closing_ends_a_run_at_once(room: Room, code: str) -> None:
    room.value("1")
    worker = room.worker()
    room.sandbox._limits = LIMITS._replace(whole_seconds=600.0)

    async def closed() -> list[Outcome]:
        first = asyncio.ensure_future(room.sandbox.run(code, room.functions))
        second = asyncio.ensure_future(room.sandbox.run("2", room.functions))
        while not room.behind.calls:  # noqa: ASYNC110 - the call comes from another process
            await asyncio.sleep(0.001)
        await room.sandbox.close()
        return [await first, await second]

    outcomes = room.do(closed())
    assert all(one.error for one in outcomes[:1])
    assert room.behind.running == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_no_process_is_left(room: Room) -> None:
    room.value("1")
    worker = room.worker()
    room.do(room.sandbox.close())
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_session_does_not_grow_with_its_runs(room: Room) -> None:
    room.value("x = 1")
    first = room.sandbox._kept
    for _ in range(100):
        room.value("x = x + 1\nx")
    last = room.sandbox._kept
    assert first is not None
    assert last is not None
    assert len(last.state) - len(first.state) < 100 * 400
    assert len(json.dumps(room.sandbox._stores.names)) < 100
