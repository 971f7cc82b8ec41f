"""What is done beside the hooks: in what order, how often, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.daemon.chores import (
    LONGEST_JOB_SECONDS,
    MOST_JOBS,
    MOST_WISHES,
    REFRESH,
    REST_SECONDS,
    SETTINGS,
    SWEEP,
    SWEEP_SECONDS,
    Chores,
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

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.workers: list[FakeWorker] = []
        self.mark: object = 0
        self.log: list[str] = []
        self.chores = Chores(self._start, lambda: self.mark, self.clock, self.log.append)

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
