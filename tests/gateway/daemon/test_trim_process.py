"""The process that shortens, as the daemon asks it: real processes, and ones that misbehave."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.daemons import until

from tokenbudget.gateway.daemon.trim_process import TrimProcess
from tokenbudget.gateway.hooks.payload import event_of
from tokenbudget.gateway.hooks.trim_question import NOTHING, Question, question_for
from tokenbudget.system.clock import SystemClock

SOURCE = str(Path(__file__).parents[3] / "src")
LOG = "\n".join(f"INFO worker {n % 7} took {n}" for n in range(120))
ITS_SIDE = """
import sys; sys.path.insert(0, {source!r})
import os, socket
from tokenbudget.gateway.daemon.trim_process import answer_all
from tokenbudget.gateway.hooks.trim_question import Trimmed
def shorten(question):
    {does}
answer_all(socket.socket(fileno=0), shorten)
"""


class Shop:
    """Processes of one test, ended with it."""

    def __init__(self) -> None:
        self.made: list[TrimProcess] = []
        self.said: list[str] = []

    def process(self, code: str) -> TrimProcess:
        command = [sys.executable, "-c", code]
        self.made.append(TrimProcess(command, {}, SystemClock(), self.said.append))
        return self.made[-1]

    def doing(self, does: str) -> TrimProcess:
        """One that decides so."""
        return self.process(ITS_SIDE.format(source=SOURCE, does=does))


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    for one in made.made:
        one.close()


@pytest.fixture
def question(tmp_path: Path) -> Question:
    response = {"stdout": LOG, "stderr": ""}
    payload = json.dumps(
        {"session_id": "s", "hook_event_name": "PostToolUse", "tool_name": "Bash",
         "tool_input": {"command": "make"}, "tool_response": response, "prompt_id": "p"}
    ).encode()  # fmt: skip
    asked = question_for(event_of(payload), payload, str(tmp_path))
    assert asked is not None
    return asked


def test_a_decision_comes_back(shop: Shop, question: Question) -> None:
    process = shop.doing("return Trimmed({'response': {'stdout': question.text[:4]}})")
    until(lambda: process.shorten(question).response == {"stdout": "INFO"})
    assert shop.said == []


def test_a_fault_comes_back_by_its_name_alone(shop: Shop, question: Question) -> None:
    process = shop.doing("raise KeyError('a secret of the session')")
    until(lambda: process.shorten(question).fault == "KeyError in __main__")
    assert process.shorten(question).response is None


def test_what_is_no_json_is_a_fault(shop: Shop, question: Question) -> None:
    process = shop.doing("return Trimmed({'response': {'stdout': float('nan')}})")
    until(lambda: process.shorten(question).fault.startswith("ValueError"))


def test_until_it_is_ready_results_go_on_as_they_are(shop: Shop, question: Question) -> None:
    process = shop.process("import sys; sys.stdin.read()")
    assert process.shorten(question) is NOTHING
    assert process.shorten(question) is NOTHING


def test_an_answer_that_comes_late_is_not_taken_for_the_next_one(
    shop: Shop, question: Question
) -> None:
    late = "import time; n = getattr(shorten, 'n', 0); shorten.n = n + 1;"
    process = shop.doing(
        f"{late} time.sleep(0.4 if n == 1 else 0); return Trimmed({{'saved_tokens': n}})"
    )
    until(lambda: process.shorten(question) is not NOTHING)
    with pytest.raises(TimeoutError):
        process.shorten(question)
    until(lambda: _saved(process, question) == 2)


def _saved(process: TrimProcess, question: Question) -> int:
    try:
        return process.shorten(question).saved_tokens
    except TimeoutError:
        return -1


def test_one_that_dies_is_named_once_and_the_results_go_on(shop: Shop, question: Question) -> None:
    process = shop.doing("os._exit(1)")
    with pytest.raises(ConnectionError):
        until(lambda: process.shorten(question) is not NOTHING)
    assert shop.said == ["shortening: it is gone"]
    assert process.shorten(question) is NOTHING  # and no other is started at once


@pytest.mark.parametrize("head", ["x" * 16, "0" * 8 + "99999999"])
def test_one_that_says_nonsense_is_ended(shop: Shop, question: Question, head: str) -> None:
    code = f"import socket; s = socket.socket(fileno=0); s.sendall({head.encode()!r}); s.recv(9)"
    process = shop.process(code)
    with pytest.raises((OSError, ValueError)):
        until(lambda: process.shorten(question) is not NOTHING)
    assert shop.said == ["shortening: it is gone"]


def test_one_that_cannot_be_started_is_named(question: Question) -> None:
    said: list[str] = []
    process = TrimProcess(["/nowhere/python"], {}, SystemClock(), said.append)
    process.wake()
    assert process.shorten(question) is NOTHING
    assert said == ["no process that shortens (No such file or directory)"]
    process.close()
