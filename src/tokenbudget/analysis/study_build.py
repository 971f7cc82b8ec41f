"""Study one transcript: follow its threads, charge their pieces, look for drains."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from tokenbudget.analysis.carrying import Carrying
from tokenbudget.analysis.carrying_accounts import NOBODY, Owner
from tokenbudget.analysis.study import FileStudy, ThreadStudy
from tokenbudget.analysis.study_bill import classes_of
from tokenbudget.analysis.study_calls import label_targets, uses_of
from tokenbudget.analysis.study_spends import spends_of
from tokenbudget.analysis.study_tools import agents_of, deferred_tools, tool_days, whole_files
from tokenbudget.analysis.study_view import Thread, Words, view_of
from tokenbudget.analysis.window_size import window_size
from tokenbudget.model.window import LineFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.drains.drain import Drain
    from tokenbudget.analysis.study import Sighting, Spend
    from tokenbudget.analysis.study_bill import Biller, Group
    from tokenbudget.analysis.thread_view import ThreadView
    from tokenbudget.ledger.studies import BilledRequest, StudiedFile
    from tokenbudget.ledger.thread_calls import CallRow
    from tokenbudget.ledger.windows import PieceRow, RequestRow
    from tokenbudget.metering.calibration import Fit

NO_WORDS = Words({}, LineFacts((), {}, {}, ""))


class Material(NamedTuple):
    """Everything that a study is made of."""

    studied: StudiedFile
    rows: Sequence[PieceRow]
    requests: Mapping[str, RequestRow]
    """That the pieces belong to, also those that another file owns."""
    billed: Sequence[BilledRequest]
    """That this file owns."""
    calls: Sequence[CallRow]
    words: Words
    own_compactions: frozenset[int] = frozenset()
    """Tokens before those that our controller brought about: not where the client's limit is."""


class Rules(NamedTuple):
    """How it is made."""

    biller: Biller
    fit_of: Callable[[str], Fit]
    windows: Mapping[str, int]
    """The person's own sizes of windows, by model."""
    drains: Sequence[Drain]
    on_fault: Callable[[str, Exception], None]
    """A detector failed: its id, and why."""


def study_file(material: Material, rules: Rules) -> tuple[FileStudy, ...]:
    """The studies of a transcript, one for each session whose requests it owns; no branch yet.

    Mostly that is one: clients that went on under a new id in the same file are long gone.
    """
    threads = threads_of(material, rules)
    bills = _bills(material, rules.biller, threads)
    found: dict[str, list[ThreadStudy]] = {}
    for thread, bill in zip(threads, bills, strict=True):
        for session, study in study_thread(thread, material, rules, bill).items():
            found.setdefault(session, []).append(study)
    file = material.studied.file
    return tuple(
        FileStudy(
            file_id=file.file_id,
            path=file.path,
            session=session,
            project=material.studied.project,
            branch="",
            is_subagent=file.is_subagent,
            threads=tuple(studies),
        )
        for session, studies in sorted(found.items())
    )


def threads_of(material: Material, rules: Rules) -> list[Thread]:
    """Every thread of the file, followed to its end; at least the main one."""
    by_thread: dict[str, list[PieceRow]] = {}
    for row in material.rows:
        by_thread.setdefault(row.thread, []).append(row)
    taken: set[str] = set()
    found: list[Thread] = []
    for name in sorted(by_thread) or [""]:
        thread = _thread(name, by_thread.get(name, []), material, rules, taken)
        taken.update(sent.request.key for sent in thread.carrying.sent)
        found.append(thread)
    return found


def _thread(
    name: str, rows: Sequence[PieceRow], material: Material, rules: Rules, taken: set[str]
) -> Thread:
    file = material.studied.file
    uses = uses_of(rows, material.words.texts, material.calls, file.file_id)
    here = Owner(file.file_id, frozenset(taken), label_targets(uses, rows))
    carrying = Carrying(material.requests, rules.fit_of, rules.biller, here, name, file.session)
    carrying.run(rows)
    carrying.finish()
    sent = [one.request for one in carrying.sent]
    model = sent[-1].model if sent else ""
    largest = max((request.prompt_tokens or 0 for request in sent), default=0)
    ours = material.own_compactions
    autos = [
        tokens
        for trigger, tokens in carrying.compactions
        if trigger == "auto" and tokens not in ours
    ]
    size = window_size(model, rules.windows, None, largest, autos)
    error = rules.fit_of(model).p90_text_error if model else 0.0
    is_subagent = file.is_subagent or bool(name)
    session = sent[0].session if sent else file.session
    return Thread(session, name, is_subagent, rows, uses, carrying, size.tokens or 0, error)


def _bills(
    material: Material, biller: Biller, threads: Sequence[Thread]
) -> list[dict[Group, Amount]]:
    """What each thread was billed; what no replay reached is the first one's, and nobody's."""
    owners = {
        sent.request.key: place
        for place, thread in enumerate(threads)
        for sent in thread.carrying.sent
        if sent.is_owned
    }
    lists: list[list[BilledRequest]] = [[] for _ in threads]
    for billed in material.billed:
        place = owners.get(billed.request.key)
        lists[place or 0].append(billed)
        carrying = threads[place or 0].carrying
        lost = billed.attempts if place is not None else (billed.request, *billed.attempts)
        for request in lost:
            carrying.charge(biller.tag(request), NOBODY, tuple(enumerate(classes_of(request))))
        if billed.web_search_requests:
            usd = biller.search_usd(biller.tag(billed.request)) * billed.web_search_requests
            carrying.charge_search(billed.request, usd)
    return [biller.amounts(some) for some in lists]


def study_thread(
    thread: Thread, material: Material, rules: Rules, bill: Mapping[Group, Amount]
) -> dict[str, ThreadStudy]:
    """One thread by session; empty for a thread that was billed nothing in this file."""
    spends = spends_of(thread.carrying.shares, bill)
    if not spends:
        return {}
    view = view_of(thread, material.words, rules.biller)
    sightings = sightings_of(view, rules)
    sessions = [sent.request.session for sent in thread.carrying.sent]
    found: dict[str, ThreadStudy] = {}
    for session, some in spends.items():
        numbers = {number for number, name in enumerate(sessions) if name == session}
        seen = sightings
        if len(spends) > 1:
            seen = [one for one in sightings if _turn_before(view, one.line) in numbers]
        found[session] = _study(thread, view, rules, numbers, some, seen, material.words.facts)
    return found


def sightings_of(view: ThreadView, rules: Rules) -> list[Sighting]:
    """What every detector sees, in their order; one that fails sees nothing."""
    claimed: set[int] = set()
    found: list[Sighting] = []
    for drain in rules.drains:
        if drain.detect is None:
            continue
        before = set(claimed)
        try:
            found += list(drain.detect(view, claimed))
        except Exception as exc:  # noqa: BLE001 - it must not cost the other detectors' findings
            claimed.intersection_update(before)
            rules.on_fault(drain.id, exc)
    return found


def _turn_before(view: ThreadView, line: int) -> int:
    """The request whose answer begins at a line, or the last one before it."""
    return max(0, bisect_right(view.turns, line, key=lambda turn: turn.line) - 1)


def _study(
    thread: Thread,
    view: ThreadView,
    rules: Rules,
    numbers: set[int],
    spends: Sequence[Spend],
    sightings: Sequence[Sighting],
    facts: LineFacts,
) -> ThreadStudy:
    """The requests with these numbers, all of one session."""
    turns = [view.turns[number] for number in sorted(numbers)]
    owned = [turn for turn in turns if turn.is_owned and turn.prompt_tokens]
    moments = [turn.at_ms for turn in owned if turn.at_ms]
    sizes = [turn.prompt_tokens + turn.output_tokens for turn in owned]
    calls = [call for call in view.calls if call.turn in numbers]
    whole = whole_files(view, calls)
    last = len(view.turns) - 1
    return ThreadStudy(
        thread=thread.name,
        requests=len(owned),
        first_ms=min(moments, default=0),
        last_ms=max(moments, default=0),
        peak_tokens=max(sizes, default=0),
        last_window_tokens=sizes[-1] if sizes else 0,
        last_model=owned[-1].model if owned else "",
        compactions=sum(min(number, last) in numbers for number, _, _ in view.compactions),
        spends=tuple(spends),
        tools=tool_days(view, calls, rules.biller.day),
        sightings=tuple(sightings),
        whole_file_tokens=whole.tokens,
        whole_file_sent_tokens=whole.sent_tokens,
        unsized_range_reads=whole.unsized_range_reads,
        deferred_tools=deferred_tools(view),
        agent_type=facts.agent_type if thread.name or thread.is_subagent else "",
        agents=agents_of(thread.uses, facts),
    )
