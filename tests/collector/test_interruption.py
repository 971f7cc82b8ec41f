"""Real processes, killed at any moment and working side by side: the totals stay exact."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ledger.builders import END, Home, counts_of, growing, total_of

from sample_sessions import Truth, generate
from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.store import Ledger
from tokenbudget.system.clock import SystemClock

GROWING_SECONDS = 6.0


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("sample")
    return folder, generate(folder, end=END, megabytes=12)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_twelve_killed_commands_lose_nothing_and_count_nothing_twice(
    home: Home, sample: tuple[Path, Truth], workers: str
) -> None:
    rng = random.Random(int(workers))
    clock = SystemClock()
    killed, usual_seconds = 0, 0.0
    for step in growing(sample[0], home.config, rng, 13):
        verb = ("usage", "--json") if step % 3 else ("doctor", "--json")
        began = clock.monotonic_seconds()
        child = home.start(*verb, TOKENS_WORKERS=workers)
        try:
            child.wait(rng.uniform(0.1, 0.8) * usual_seconds if step else None)
            usual_seconds = usual_seconds or clock.monotonic_seconds() - began
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.communicate(timeout=20)
    assert killed > 1
    assert home.run("doctor").returncode == 0
    assert home.counts() == counts_of(sample[1])


KILLED_AT = """
import os, signal, sys
from tokenbudget.cli import main
from tokenbudget.collector import ingest
from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.writer import Writer

ingest.INLINE_DETAIL_BYTES = 1
ingest.COMMIT_SECONDS = ingest.POLITE_COMMIT_SECONDS = 0.0
place, left = sys.argv[1], int(sys.argv[2])

def deadly(real):
    def called(*given):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given)
    return called

owner = Ledger if place in ("roll_up", "end_rebuild") else Writer
setattr(owner, place, deadly(getattr(owner, place)))
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize(
    ("place", "passed", "verb"),
    [
        ("take", 0, ["usage"]),
        ("take", 9, ["usage"]),
        ("commit", 0, ["usage"]),
        ("commit", 7, ["usage"]),
        ("commit", 3, ["doctor"]),
        ("roll_up", 0, ["usage"]),
        ("take", 9, ["doctor", "--rebuild"]),
        ("end_rebuild", 0, ["doctor", "--rebuild"]),
        ("roll_up", 0, ["doctor", "--rebuild"]),
    ],
)
def test_a_kill_at_any_step_leaves_a_ledger_that_the_next_command_completes(
    home: Home, sample: tuple[Path, Truth], place: str, passed: int, verb: list[str]
) -> None:
    shutil.copytree(sample[0], home.config, dirs_exist_ok=True)
    if "--rebuild" in verb:
        home.refresh(Want.DETAIL)
    command = [sys.executable, "-c", KILLED_AT, place, str(passed), *verb]
    child = home.start(command=command)
    child.communicate(timeout=20)
    assert child.returncode == -signal.SIGKILL
    if "--rebuild" in verb:
        assert home.counts() == counts_of(sample[1])  # the old ledger, or the new one
    home.refresh()
    assert home.counts() == counts_of(sample[1])
    home.refresh(Want.DETAIL)
    assert home.counts() == counts_of(sample[1])


INGESTING = """
import contextlib, io, os, sys
from tokenbudget.cli import main

while not os.path.exists(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()):
        code = main(["usage", "--json"] if os.getpid() % 2 else ["doctor", "--json"])
    if code:
        sys.exit(code)
"""

QUERYING = """
import os, sys
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.ledger.store import Ledger

last = 0
while not os.path.exists(sys.argv[1]):
    with Ledger(sys.argv[2], (200_000,)) as ledger:
        by_hour = ledger.usage(UsageQuery(period="hour"))
        total = sum(sum(row[12:17]) for row in by_hour)
        ledger.sessions()
        ledger.file_report()
    if total < last:
        sys.exit(f"the total fell from {last} to {total}")
    last = total
"""


@pytest.mark.slow
def test_eight_processes_on_one_ledger_get_no_error_and_exact_totals(
    home: Home, sample: tuple[Path, Truth]
) -> None:
    home.data.mkdir()
    stop = home.root / "stop"
    scripts = [[INGESTING, str(stop)]] * 4 + [[QUERYING, str(stop), str(home.ledger_path)]] * 4
    children = [home.start(command=[sys.executable, "-c", *script]) for script in scripts]
    clock = SystemClock()
    steps = 60
    try:
        for _ in growing(sample[0], home.config, random.Random(3), steps):
            clock.sleep(GROWING_SECONDS / steps)
    finally:
        stop.touch()
        told = [child.communicate(timeout=60)[1] for child in children]
    assert told == [""] * 8
    assert [child.returncode for child in children] == [0] * 8
    home.refresh()
    assert home.counts() == counts_of(sample[1])


RACING = """
import os, sys
from tokenbudget.ledger.store import Ledger

while not os.path.exists(sys.argv[1]):
    pass
Ledger(sys.argv[2], (200_000,)).close()
"""


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_race_to_make_a_new_ledger_all_get_it(home: Home, attempt: int) -> None:
    go = home.root / "go"
    command = [sys.executable, "-c", RACING, str(go), str(home.ledger_path)]
    children = [home.start(command=command) for _ in range(5)]
    SystemClock().sleep(0.3)
    go.touch()
    assert [child.communicate(timeout=60)[1] for child in children] == [""] * 5
    with home.open() as ledger:
        assert ledger.file_states() == {}


def test_a_command_in_the_middle_of_a_rebuild_sees_the_old_ledger(
    home: Home, sample: tuple[Path, Truth]
) -> None:
    shutil.copytree(sample[0], home.config, dirs_exist_ok=True)
    home.refresh(Want.DETAIL)
    with home.open() as ledger:
        ledger.begin_rebuild([str(path) for path in home.files()])
        done = home.run("usage", "--json", "--by", "model")
        assert done.returncode == 0, done.stderr
        totals = json.loads(done.stdout)["totals"]
        ledger.abandon_rebuild()
    truth = total_of(sample[1].by_model)
    assert totals["output_tokens"] == truth.output_tokens
    assert home.counts() == counts_of(sample[1])


def test_a_second_writer_that_planned_before_the_first_wrote_changes_nothing(
    home: Home, sample: tuple[Path, Truth]
) -> None:
    """Without any lock: every piece of the second one is passed over, or adds nothing."""
    for step in growing(sample[0], home.config, random.Random(8), 4):
        with home.open() as one, home.open() as two:
            late = home.collector(two)
            late._lock = None
            look = late._look(home.tops, Want.DETAIL if step % 2 else Want.USAGE)
            home.collector(one).refresh(home.tops, Want.DETAIL)
            late._take_in(look[2].files, 0.0, {})
    home.refresh()
    assert home.counts() == counts_of(sample[1])
    assert home.rows("SELECT sum(rereads) FROM file") == [(0,)]
    lines = sum(path.read_bytes().count(b"\n") for path in home.files())
    assert home.rows("SELECT sum(lines) FROM file") == [(lines,)]


def test_threads_that_race_to_make_new_ledgers_all_get_them(tmp_path: Path) -> None:
    from threading import Barrier, Thread

    paths = [str(tmp_path / f"{number}" / "ledger.db") for number in range(15)]
    together = Barrier(4)
    failed: list[BaseException] = []

    def race() -> None:
        try:
            for path in paths:
                together.wait(20)
                Ledger(path, (200_000,)).close()
        except BaseException as exc:
            failed.append(exc)
            together.abort()

    threads = [Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
