"""What is done beside the hooks: in what order, how often, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.daemon.chores import (
    CONTROL,
    FIRST_CONTROL_SECONDS,
    LONGEST_JOB_SECONDS,
    MOST_CONTROL_SECONDS,
    MOST_JOBS,
    MOST_WISHES,
    REFRESH,
    REST_SECONDS,
    SETTINGS,
    SWEEP,
    SWEEP_SECONDS,
    WAITING_SECONDS,
    Chores,
    ControlTold,
    Job,
    Schedule,
)
from tokenbudget.gateway.daemon.worker import Worker


class FakeClock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def now_ms(self) -> int:
        return round(self.now * 1000)

    def monotonic_seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeWorker(Worker):
    """Notes its jobs; the test says when they are done."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.told: list[str] = []
        self.is_gone = False
        self.has_ended = False
        self.descriptor = -1
        self.sent = 0

    def send(self, job: Job) -> None:
        if self.is_gone:
            raise BrokenPipeError(32, "Broken pipe")
        self.jobs.append(job)
        self.sent += 1

    def heard(self) -> list[str]:
        told, self.told = self.told, []
        return told

    def end(self) -> None:
        self.has_ended = True


class Office:
    """Chores with workers that the test plays."""

    def __init__(self, *, has_controller: bool = False) -> None:
        self.clock = FakeClock()
        self.workers: list[FakeWorker] = []
        self.mark: object = 0
        self.log: list[str] = []
        self.chores = Chores(
            *(self._start, lambda: self.mark, self.clock, self.log.append),
            has_controller=has_controller,
        )

    def _start(self) -> FakeWorker:
        self.workers.append(FakeWorker())
        return self.workers[-1]

    @property
    def jobs(self) -> list[Job]:
        return [job for worker in self.workers for job in worker.jobs]

    @property
    def ended(self) -> list[bool]:
        """Of each worker, whether it was ended."""
        return [worker.has_ended for worker in self.workers]

    def after(self, seconds: float, *told: str) -> None:
        """So much later the worker has said this."""
        self.clock.now += seconds
        if self.workers:
            self.workers[-1].told += told
        self.chores.turn()


# ── when and in what order ────────────────────────────────────────────────────────────────────────


def test_a_session_is_refreshed_at_once_and_again_only_after_a_while() -> None:
    schedule = Schedule(0.0)
    schedule.note("a", "/srv")
    schedule.note("a", "/srv")
    assert schedule.next_job(0.0) == Job(REFRESH, "a", "/srv")
    assert schedule.next_job(0.0) is None
    schedule.note("a", "/srv")
    assert schedule.next_job(4.9) is None
    assert schedule.next_job(5.0) == Job(REFRESH, "a", "/srv")


def test_one_busy_session_does_not_hold_the_others_up() -> None:
    schedule = Schedule(0.0)
    schedule.note("a", "")
    assert schedule.next_job(0.0) == Job(REFRESH, "a", "")
    schedule.note("a", "")
    schedule.note("b", "")
    assert schedule.next_job(1.0) == Job(REFRESH, "b", "")


def test_settings_come_first_and_everything_now_and_then() -> None:
    schedule = Schedule(0.0)
    schedule.note("a", "")
    schedule.note_settings()
    assert schedule.next_job(SWEEP_SECONDS) == Job(SETTINGS)
    assert schedule.next_job(SWEEP_SECONDS) == Job(REFRESH, "a", "")
    assert schedule.next_job(SWEEP_SECONDS) == Job(SWEEP)
    assert schedule.next_job(9 * SWEEP_SECONDS) is None  # nothing has happened since


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=4), st.floats(0, 3)), max_size=300))
def test_no_session_is_refreshed_twice_in_five_seconds_and_the_last_wish_is_met(
    events: Sequence[tuple[str, float]],
) -> None:
    schedule, now = Schedule(0.0), 0.0
    done: dict[str, float] = {}
    wished: dict[str, float] = {}
    for session, later in events:
        now += later
        schedule.note(session, "")
        wished[session] = now
        while (job := schedule.next_job(now)) is not None:
            if job.kind == REFRESH:
                assert now - done.get(job.session, -9.0) >= 5.0
                done[job.session] = now
    now += 6.0
    while (job := schedule.next_job(now)) is not None:
        done[job.session] = now
    assert all(done[session] >= moment for session, moment in wished.items())


def test_wishes_cannot_pile_up() -> None:
    schedule = Schedule(0.0)
    for at in range(10 * MOST_WISHES):
        schedule.note(str(at), "")
    count = 0
    while schedule.next_job(0.0) is not None:
        count += 1
    assert count == MOST_WISHES


# ── who does it ───────────────────────────────────────────────────────────────────────────────────


def test_one_worker_does_one_job_at_a_time() -> None:
    office = Office()
    office.chores.turn()
    assert not office.workers  # without work there is none
    office.chores.note("a", "/x")
    office.chores.note("b", "")
    office.after(0)
    office.after(1)
    assert office.jobs == [Job(REFRESH, "a", "/x")]
    assert office.chores.is_busy
    office.after(1, "")
    assert office.jobs == [Job(REFRESH, "a", "/x"), Job(REFRESH, "b", "")]
    office.after(1, "")
    assert (office.chores.refreshed, office.chores.faults, office.chores.is_busy) == (2, 0, False)
    assert len(office.workers) == 1


def test_a_fault_is_counted_logged_and_followed_by_a_pause() -> None:
    office = Office()
    office.chores.note("a", "")
    office.after(0)
    office.chores.note("b", "")
    office.after(1, "LedgerUnusable")
    assert office.log == ["refresh failed: LedgerUnusable"]
    office.after(1)
    assert len(office.jobs) == 1
    office.after(30)
    assert office.jobs[1] == Job(REFRESH, "b", "")


def test_a_worker_that_is_killed_is_replaced() -> None:
    office = Office()
    office.chores.note("a", "")
    office.after(0)
    office.workers[0].is_gone = True
    office.after(1)
    assert office.ended == [True]
    office.chores.note("b", "")
    office.after(60)
    assert [worker.jobs[0].session for worker in office.workers] == ["a", "b"]
    assert office.chores.faults == 1


def test_a_worker_that_hangs_is_ended() -> None:
    office = Office()
    office.chores.note("a", "")
    office.after(0)
    office.after(LONGEST_JOB_SECONDS)
    assert office.ended == [False]
    office.after(1)
    assert office.ended == [True]
    assert not office.chores.is_busy


def test_a_worker_without_work_is_sent_home_and_one_that_did_much_is_replaced() -> None:
    office = Office()
    office.chores.note("a", "")
    office.after(0)
    office.after(1, "")
    office.after(REST_SECONDS)
    assert office.ended == [False]
    office.after(1)
    assert office.ended == [True]
    office.chores.note("a", "")
    office.after(0)
    office.workers[1].sent = MOST_JOBS
    office.after(0, "")
    assert office.ended == [True, True]


def test_no_worker_to_be_had_is_a_fault_and_no_end() -> None:
    def fail() -> Worker:
        raise OSError(11, "Resource temporarily unavailable")

    clock, log = FakeClock(), list[str]()
    chores = Chores(fail, lambda: 0, clock, log.append)
    chores.note("a", "")
    chores.turn()
    assert chores.faults == 1
    assert log == ["work failed: no worker (Resource temporarily unavailable)"]


def test_changed_settings_are_noticed() -> None:
    office = Office()
    office.mark = 1
    office.after(1)
    assert office.jobs == []
    office.after(1)
    assert office.jobs == [Job(SETTINGS)]


def test_closing_ends_the_worker() -> None:
    office = Office()
    office.chores.close()
    office.chores.note("a", "")
    office.after(0)
    office.chores.close()
    assert office.ended == [True]


# ── the controller's turns ────────────────────────────────────────────────────────────────────────


def controlled(seconds: float = 0.0, told: str = "5,") -> Office:
    """An office whose controller has looked for the first time, and said this."""
    office = Office(has_controller=True)
    office.after(FIRST_CONTROL_SECONDS)
    assert office.jobs == [Job(CONTROL)]
    office.after(seconds, f"\t{told}")
    return office


def count(office: Office) -> int:
    return office.jobs.count(Job(CONTROL))


def test_the_controller_looks_soon_after_the_beginning_for_what_was_left() -> None:
    office = Office(has_controller=True)
    office.chores.turn()
    assert office.jobs == []
    office.after(FIRST_CONTROL_SECONDS)
    assert office.jobs == [Job(CONTROL)]


def test_the_controller_says_when_it_looks_next() -> None:
    office = controlled(told="5,")
    office.after(4.9)
    assert count(office) == 1
    office.after(0.1)
    assert count(office) == 2


def test_a_turn_that_takes_long_is_followed_by_the_whole_pause() -> None:
    office = controlled(seconds=20.0, told="5,")
    office.after(4.9)
    assert count(office) == 1
    office.after(0.2)
    assert count(office) == 2


def test_a_controller_with_nothing_to_do_looks_again_when_a_hook_comes() -> None:
    office = controlled(told="-,")
    office.after(3_000)
    assert count(office) == 1
    office.chores.note("a", "")
    office.after(0)
    assert office.jobs[1:] == [Job(CONTROL)]
    office.after(1, "\t-,")
    assert office.jobs[2:] == [Job(REFRESH, "a", "")]


def test_hooks_that_come_all_the_time_do_not_call_it_all_the_time() -> None:
    office = controlled(told="-,")
    for _ in range(50):  # ten seconds
        office.chores.note("a", "")
        told = ["\t-," if office.jobs[-1].kind == CONTROL else ""] if office.chores.is_busy else []
        office.after(0.2, *told)
    assert 2 <= count(office) <= 4
    assert office.jobs.count(Job(REFRESH, "a", "")) >= 2, "the figures have their turn, too"


def test_changed_settings_call_it() -> None:
    office = controlled(told="-,")
    office.mark = 1
    office.after(10)
    office.after(1, "")
    assert office.jobs[1:] == [Job(SETTINGS), Job(CONTROL)]


def test_after_a_fault_it_looks_again_and_the_daemon_still_waits() -> None:
    office = controlled(told="5,waits")
    office.after(5)
    office.after(1, "LedgerUnusable")
    assert office.chores.patience_seconds == WAITING_SECONDS
    office.after(29)
    assert count(office) == 2
    office.after(2)
    assert count(office) == 3


def test_a_worker_that_dies_in_its_turn_is_followed_by_another() -> None:
    office = controlled()
    office.after(5)
    office.workers[0].is_gone = True
    office.after(1)
    office.after(31)
    assert [worker.jobs for worker in office.workers[1:]] == [[Job(CONTROL)]]


def test_a_controller_that_always_fails_keeps_no_other_work_from_being_done() -> None:
    office = controlled()
    for _ in range(120):
        office.chores.note("a", "")
        is_controlling = office.jobs[-1].kind == CONTROL
        told = ["BadConfig" if is_controlling else ""] if office.chores.is_busy else []
        office.after(1, *told)
    assert 3 <= count(office) <= 6
    assert office.jobs.count(Job(REFRESH, "a", "")) >= 120 / 5 - 4


def test_a_controller_that_ends_its_worker_each_time_lets_others_have_their_turn() -> None:
    office = controlled()
    for _ in range(300):
        office.chores.note("a", "")
        is_controlling = office.jobs[-1].kind == CONTROL
        if office.chores.is_busy and is_controlling:
            office.workers[-1].is_gone = True
        office.after(1, *([""] if office.chores.is_busy and not is_controlling else []))
    assert office.jobs.count(Job(REFRESH, "a", "")) >= 300 / 31 - 2


def test_the_daemon_stays_longer_while_something_is_out() -> None:
    office = controlled(told="60,waits")
    assert office.chores.patience_seconds == WAITING_SECONDS
    office.after(60)
    office.after(1, "\t-,")
    assert office.chores.patience_seconds == 0


def test_without_a_controller_nobody_is_asked_for_one() -> None:
    office = Office()
    office.chores.note("a", "")
    office.after(FIRST_CONTROL_SECONDS)
    office.after(60, "")
    assert count(office) == 0


@given(st.none() | st.floats(1, MOST_CONTROL_SECONDS), st.booleans())
def test_what_the_worker_says_is_understood(seconds: float | None, is_waiting: bool) -> None:
    found = ControlTold.of(ControlTold(seconds, is_waiting).text())
    assert found.is_waiting == is_waiting
    if seconds is None:
        assert found.again_seconds is None
    else:
        assert found.again_seconds is not None
        assert abs(found.again_seconds - seconds) <= 1e-5 * seconds


@given(st.text(max_size=20))
def test_whatever_it_says_it_is_asked_neither_at_once_nor_never(text: str) -> None:
    found = ControlTold.of(text).again_seconds
    assert found is None or 1 <= found <= MOST_CONTROL_SECONDS
