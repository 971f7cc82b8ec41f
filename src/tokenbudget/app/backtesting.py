"""Recorded sessions gone through again under every strategy: read, replayed, priced, added up.

Transcripts are shared out to processes; what comes back is added up in the order of their paths, so
that the answer does not depend on who was faster.
"""

from __future__ import annotations

import pickle
from typing import NamedTuple

from tokenbudget.analysis.backtest_cache import foretold
from tokenbudget.analysis.backtest_session import backtest_of, thread_results
from tokenbudget.analysis.backtest_timeline import timelines
from tokenbudget.analysis.calibrating import chooser
from tokenbudget.analysis.study_bill import Biller
from tokenbudget.analysis.study_build import NO_WORDS, Material, Rules
from tokenbudget.analysis.study_view import Words
from tokenbudget.app import Terminal
from tokenbudget.app.backtesting_choice import Asked, chosen, for_thread, with_compared
from tokenbudget.app.windows import fits_for
from tokenbudget.model import window
from tokenbudget.sources.claude_code.source import ClaudeCode
from tokenbudget.system import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from tokenbudget.analysis.backtest_cache import Foretold
    from tokenbudget.analysis.backtest_result import Backtest, SessionResult
    from tokenbudget.analysis.backtest_session import Subject
    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.app import Workbench
    from tokenbudget.ledger.studies import StudiedFile
    from tokenbudget.model.protocols import Strategy, StudySource, TokenCounter

COUNTING_SHARE = 0.2
"""Of the progress: what counting takes beside replaying."""
FEWEST_FILES_TO_SHARE = 4


class _Job(NamedTuple):
    number: int
    place: str
    """Where the bytes of the transcript are."""
    material: Material


class _Kit(NamedTuple):
    """What every process needs; made before they part."""

    rules: Rules
    source: StudySource
    counter: TokenCounter
    asked: Asked
    lengths: Mapping[str, int] = {}
    """Requests of the main thread of every session: what the controller knows of other ones."""


def backtest(bench: Workbench, terminal: Terminal, asked: Asked) -> Backtest:
    """Every asked strategy over the sessions of an open workbench (`Want.DETAIL`).

    Raises:
        BadRequest: a strategy is not known.
    """
    asked = asked._replace(strategies=with_compared(asked.strategies))
    meant = chosen(asked, bench.token_counter())
    files = [
        one
        for one in bench.ledger.studies.files(asked.session)
        if one.file.mtime_ns // 1_000_000 >= asked.since_ms
    ]
    kit = _kit(bench, files, asked, terminal)
    jobs, unread = _jobs(bench, files)
    kit = kit._replace(lengths=_lengths(jobs))
    jobs = _long_enough(jobs, kit.lengths, asked.min_requests)
    found: dict[int, list[list[SessionResult]]] = {}
    total = sum(job.material.studied.file.size_bytes for job in jobs) or 1
    done = 0
    for number, threads, problem in _results(kit, jobs, bench.settings.workers):
        found[number] = threads
        if problem:
            unread.append(problem)
        done += jobs[number].material.studied.file.size_bytes
        before = round(COUNTING_SHARE * total)
        terminal.progress(before + round((1 - COUNTING_SHARE) * done), total)
    threads = [thread for number in sorted(found) for thread in found[number]]
    return backtest_of(threads, meant, unread)


def foretold_requests(
    bench: Workbench, terminal: Terminal, rewritten: Container[str] = ()
) -> list[Foretold]:
    """Every request beside what the model of the cache says of it (`analysis.backtest_cache`)."""
    files = bench.ledger.studies.files()
    kit = _kit(bench, files, Asked(), terminal)
    jobs, _ = _jobs(bench, files)
    threads = [line for job in jobs for line in read_timelines(kit, job)]
    return foretold(threads, rewritten)


def _lengths(jobs: Sequence[_Job]) -> dict[str, int]:
    found: dict[str, int] = {}
    for job in jobs:
        file = job.material.studied.file
        if not file.is_subagent:
            count = len(job.material.requests)
            found[file.session] = max(found.get(file.session, 0), count)
    return found


def _long_enough(jobs: Sequence[_Job], lengths: Mapping[str, int], least: int) -> list[_Job]:
    """The jobs of sessions that had enough requests, numbered anew."""
    kept = [job for job in jobs if lengths.get(job.material.studied.file.session, 0) >= least]
    return [job._replace(number=number) for number, job in enumerate(kept)]


def _kit(bench: Workbench, files: Sequence[StudiedFile], asked: Asked, terminal: Terminal) -> _Kit:
    def counting(done: int, size: int) -> None:
        terminal.progress(round(COUNTING_SHARE * done), max(size, 1))

    there = [one.file for one in files if not one.file.is_gone]
    fits = fits_for(bench, there, Terminal(terminal.warn, counting))
    rules = Rules(
        Biller(bench.book, bench.zone.spans()),
        chooser(fits),
        {"*": asked.window_tokens} if asked.window_tokens else bench.settings.windows,
        (),
        lambda _name, _fault: None,
    )
    source = ClaudeCode(bench.settings.home_dir)
    source.prepare()
    return _Kit(rules, source, bench.token_counter(), asked)


def _jobs(bench: Workbench, files: Sequence[StudiedFile]) -> tuple[list[_Job], list[str]]:
    """What is to be gone through, by path; and what cannot be read."""
    jobs: list[_Job] = []
    unread: list[str] = []
    for one in sorted(files, key=lambda one: one.file.path):
        try:
            place = bench.bodies.place_of(one.file.path)
        except OSError as exc:
            unread.append(f"{one.file.path} ({exc.strerror})")
            continue
        file_id, store = one.file.file_id, bench.ledger.studies
        material = Material(
            one,
            bench.ledger.windows.pieces(file_id),
            bench.ledger.windows.requests(file_id),
            (),
            store.calls(file_id),
            NO_WORDS,
        )
        jobs.append(_Job(len(jobs), place, material))
    return jobs, unread


def _results(
    kit: _Kit, jobs: Sequence[_Job], workers: int
) -> Iterator[tuple[int, list[list[SessionResult]], str]]:
    """(job, its threads' results, why it could not be read), as they come."""
    many = len(jobs) >= FEWEST_FILES_TO_SHARE and workers > 1 and process.can_fork()
    if not many:
        for job in jobs:
            yield (job.number, *_replayed(kit, job))
        return

    def work(share: Sequence[_Job]) -> Iterator[bytes]:
        for job in share:
            yield pickle.dumps((job.number, *_replayed(kit, job)))

    for frame in process.fan_out(work, _shares(jobs, workers)):
        yield pickle.loads(frame)  # noqa: S301 - our own child wrote it


def _shares(jobs: Sequence[_Job], workers: int) -> list[list[_Job]]:
    """The largest first, each to who has least."""
    shares: list[list[_Job]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for job in sorted(jobs, key=lambda job: (-job.material.studied.file.size_bytes, job.number)):
        least = loads.index(min(loads))
        shares[least].append(job)
        loads[least] += job.material.studied.file.size_bytes
    return [share for share in shares if share]


def _replayed(kit: _Kit, job: _Job) -> tuple[list[list[SessionResult]], str]:
    path = job.material.studied.file.path
    try:
        lines = read_timelines(kit, job)
    except OSError as exc:
        return [], f"{path} ({exc.strerror or type(exc).__name__})"

    def made(counter: TokenCounter, subject: Subject) -> Sequence[Strategy]:
        return for_thread(kit.asked, kit.rules, kit.lengths, counter, subject)

    rules, has_requests = kit.rules, bool(kit.asked.session)
    found = [
        thread_results(
            line, made, kit.counter, rules.biller, rules.windows, has_requests=has_requests
        )
        for line in lines
    ]
    return [results for results in found if results], ""


def read_timelines(kit: _Kit, job: _Job) -> list[Timeline]:
    """A transcript's threads with their words. Raises OSError."""
    texts = {
        (placed.offset, placed.position): placed.piece.text
        for placed in kit.source.window(job.place)
        if placed.piece.kind != window.END
    }
    words = Words(texts, kit.source.line_facts(job.place))
    return timelines(job.material._replace(words=words), kit.rules)
