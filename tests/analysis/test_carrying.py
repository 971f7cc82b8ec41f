"""Every billed token finds what carried it: as a slow, plain reckoning has it, and none is lost."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.window_builders import (
    MODEL,
    NOON_MS,
    Story,
    any_stories,
    plain_fit,
    plausible_stories,
    request_row,
)

from tokenbudget.analysis.amounts import NOTHING, Amount, amount_of
from tokenbudget.analysis.carrying import Carrying
from tokenbudget.analysis.carrying_accounts import (
    ADDED,
    COST,
    INPUT,
    NOBODY,
    OUTPUT,
    PIECES,
    PREFIX_CONSUMER,
    READ,
    UNPRICED,
    WRITE_1H,
    WRITE_5M,
    Consumer,
    Owner,
)
from tokenbudget.analysis.study import PICO_USD, PREFIX, UNATTRIBUTED, Spend
from tokenbudget.analysis.study_bill import Biller, Group, classes_of
from tokenbudget.analysis.study_spends import exact_shares, spends_of
from tokenbudget.analysis.window_pieces import Held
from tokenbudget.analysis.window_replay import Replay
from tokenbudget.ledger.queries import ZoneSpan
from tokenbudget.ledger.studies import BilledRequest
from tokenbudget.ledger.windows import RequestRow
from tokenbudget.metering.calibration import Fit
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window

ANY = settings(max_examples=80, deadline=None)
FOREVER_MS = 1 << 60
UTC = [ZoneSpan(0, FOREVER_MS, 0)]
BOOK = PriceBook.bundled(
    {
        "claude-opus*": {
            "input": 4,
            "output": 20,
            "cache_write_5m": 5,
            "cache_write_1h": 8,
            "cache_read": "0.4",
        },
        "claude-sonnet*": {"input": 2, "output": 10},
    }
)
"""The second model's cache has no price."""
HERE = Owner(1, frozenset(), {})


def carried(story: Story, owner: Owner = HERE, fit: Fit | None = None) -> Carrying:
    """Follow a story to its end and charge its requests."""
    counted = fit or plain_fit()
    carrying = Carrying(story.requests, lambda model: counted, Biller(BOOK, UTC), owner)
    carrying.run(story.rows)
    return carrying.finish()


def share(carrying: Carrying, kind: str, place: int, name: str = "") -> float:
    """What all consumers of a kind of piece took of one class of tokens."""
    return sum(
        row[place]
        for consumers in carrying.shares.values()
        for who, row in consumers.items()
        if who.kind == kind and who.name == name
    )


def begun(**fields: object) -> Story:
    """A prompt of 100 tokens in a request of 1,000, and its answer of 50."""
    story = Story()
    story.put(window.PROMPT, 100)
    story.turn("a", 1_000, 50, **fields)
    return story


class TestOneRequest:
    def test_what_was_read_is_charged_to_the_beginning_of_the_window(self) -> None:
        carrying = carried(begun(cache_read_tokens=950))

        rows = carrying.shares[Group("s1", NOON_MS // 86_400_000, MODEL)]
        assert rows[PREFIX_CONSUMER][READ] == pytest.approx(900)
        assert share(carrying, window.PROMPT, READ) == pytest.approx(50)
        assert share(carrying, window.PROMPT, INPUT) == pytest.approx(50)
        assert share(carrying, window.TEXT, OUTPUT) == pytest.approx(50)

    def test_an_hour_is_written_before_five_minutes_and_these_before_plain_input(self) -> None:
        story = Story()
        for name in "abcd":
            story.put(window.REMINDER, 100, name)
        story.turn(
            "a", 400, cache_read_tokens=100, cache_write_1h_tokens=100, cache_write_5m_tokens=100
        )

        carrying = carried(story)

        for name, place in zip("abcd", (READ, WRITE_1H, WRITE_5M, INPUT), strict=True):
            assert share(carrying, window.REMINDER, place, name) == pytest.approx(100)

    def test_a_prefix_stands_before_what_came_earlier(self) -> None:
        story = Story()
        story.put(window.PROMPT, 100)
        story.put(window.SYSTEM_TOOL, 100, "Read")
        story.turn("a", 200, cache_read_tokens=100)

        carrying = carried(story)

        assert share(carrying, window.SYSTEM_TOOL, READ, "Read") == pytest.approx(100)
        assert share(carrying, window.PROMPT, INPUT) == pytest.approx(100)

    def test_money_is_that_of_each_class(self) -> None:
        carrying = carried(begun(cache_read_tokens=950))

        assert share(carrying, window.PROMPT, COST) == pytest.approx(50 * 0.4e-6 + 50 * 4e-6)
        assert share(carrying, window.TEXT, COST) == pytest.approx(50 * 20e-6)
        (prompt,) = (a for a in carrying.accounts if a.consumer.kind == window.PROMPT)
        assert prompt.sent_usd == pytest.approx(50 * 0.4e-6 + 50 * 4e-6)

    def test_a_class_without_a_price_is_unpriced(self) -> None:
        carrying = carried(begun(model="claude-sonnet-9", cache_read_tokens=950))

        assert share(carrying, window.PROMPT, UNPRICED) == pytest.approx(50)
        assert share(carrying, window.PROMPT, COST) == pytest.approx(50 * 2e-6)

    def test_a_copy_of_another_files_request_is_seen_and_not_charged(self) -> None:
        carrying = carried(begun(file_id=2))

        assert carrying.shares == {}
        assert [sent.is_owned for sent in carrying.sent] == [False]
        assert [account.sent_tokens for account in carrying.accounts] == [0, 0]

    def test_what_another_thread_was_charged_for_is_not_charged_again(self) -> None:
        assert carried(begun(), Owner(1, frozenset("a"), {})).shares == {}

    def test_an_answer_that_nobody_knows_is_nobodys(self) -> None:
        story = Story()
        story.put(window.PROMPT, 100)
        story.request("a", 100, 40)
        story.put(window.TEXT, 0, link="a")

        assert share(carried(story), "", OUTPUT) == pytest.approx(0)  # an empty text takes it all

        story.rows.pop()
        assert carried(story).shares == {}  # no replay reaches it: see `study_build`


class TestFollowing:
    def test_a_piece_is_charged_again_with_every_request(self) -> None:
        story = begun()
        story.turn("b", 1_050, 50, cache_read_tokens=1_000)
        story.turn("c", 1_100, 50, cache_read_tokens=1_050)

        carrying = carried(story)

        (prompt,) = (a for a in carrying.accounts if a.consumer.kind == window.PROMPT)
        assert (prompt.entered, prompt.left) == (0, None)
        assert prompt.sent_tokens == pytest.approx(300)
        assert share(carrying, window.PROMPT, READ) == pytest.approx(200)
        assert share(carrying, window.PROMPT, PIECES) == 1
        assert share(carrying, window.PROMPT, ADDED) == pytest.approx(100)

    def test_an_answer_enters_with_the_request_after_it(self) -> None:
        story = begun()
        story.turn("b", 1_050, 50)

        first, last = (a for a in carried(story).accounts if a.consumer.kind == window.TEXT)

        assert (first.entered, last.entered, last.sent_tokens) == (1, 2, 0)
        assert first.sent_tokens == pytest.approx(50)

    def test_a_session_that_goes_on_from_a_copy_is_added_what_the_copy_holds(self) -> None:
        story = begun(file_id=2)
        story.turn("b", 1_050, 50, cache_read_tokens=1_000, file_id=2)
        story.turn("c", 1_100, 50, cache_read_tokens=1_050)
        story.turn("d", 1_150, 50, cache_read_tokens=1_100)

        carrying = carried(story)

        assert share(carrying, window.PROMPT, PIECES) == 1
        assert share(carrying, window.PROMPT, ADDED) == pytest.approx(100)
        assert share(carrying, window.PROMPT, READ) == pytest.approx(200)  # by "c" and "d"
        assert share(carrying, window.TEXT, ADDED) == pytest.approx(150)

    def test_what_a_copy_held_no_more_is_not_added(self) -> None:
        story = begun(file_id=2)
        story.put(window.COMPACTED, name="auto")
        story.put(window.SUMMARY, 40)
        story.turn("b", 940)

        carrying = carried(story)

        assert share(carrying, window.PROMPT, PIECES) == 0
        assert share(carrying, window.SUMMARY, ADDED) == pytest.approx(40)

    def test_what_was_compacted_away_is_charged_no_more(self) -> None:
        story = begun()
        story.put(window.COMPACTED, name="auto")
        story.put(window.SUMMARY, 40)
        story.turn("b", 940)

        carrying = carried(story)

        prompt, summary, *_ = carrying.accounts
        assert prompt.left == 1
        assert prompt.sent_tokens == pytest.approx(100)
        assert summary.sent_tokens == pytest.approx(40)
        assert carrying.compacted_before == [1]

    def test_an_answer_that_was_left_behind_keeps_its_output(self) -> None:
        story = begun()
        story.put(window.REWOUND, link="0")
        story.put(window.PROMPT, 10)
        story.turn("b", 1_010)

        carrying = carried(story)

        assert share(carrying, window.TEXT, OUTPUT) == pytest.approx(60)

    def test_tools_told_again_are_the_same_pieces(self) -> None:
        story = Story()
        story.put(window.SYSTEM_TOOL, 100, "Read")
        story.put(window.PROMPT, 100)
        story.turn("a", 200, 10)
        story.put(window.RESHAPED)
        story.put(window.SYSTEM_TOOL, 100, "Read")
        story.turn("b", 210, 10, cache_read_tokens=200)

        carrying = carried(story)

        (tool,) = (a for a in carrying.accounts if a.consumer.kind == window.SYSTEM_TOOL)
        assert (tool.entered, tool.left) == (0, None)
        assert tool.sent_tokens == pytest.approx(200)
        assert share(carrying, window.SYSTEM_TOOL, PIECES, "Read") == 1
        assert share(carrying, window.SYSTEM_TOOL, READ, "Read") == pytest.approx(100)

    def test_an_equal_result_of_another_call_is_another_piece(self) -> None:
        story = begun()
        story.put(window.TOOL_RESULT, 5, "Bash", link="t1")
        story.turn("b", 1_055, 10)
        story.put(window.CLEARED, link="t1")
        story.put(window.TOOL_RESULT, 5, "Bash", link="t2")
        story.turn("c", 1_065, 10)

        first, second = (
            a for a in carried(story).accounts if a.consumer.kind == window.TOOL_RESULT
        )

        assert (first.link, first.entered, first.left) == ("t1", 1, 2)
        assert (second.link, second.entered, second.left) == ("t2", 2, None)

    def test_what_appears_unseen_later_is_nobodys(self) -> None:
        story = begun()
        story.put(window.TOOL_RESULT, 100, "Bash")
        story.turn("b", 1_050 + 100 + 5_000, 10, cache_read_tokens=1_050)
        story.turn("c", 6_160, 10, cache_read_tokens=6_150)

        rows = carried(story).shares[Group("s1", NOON_MS // 86_400_000, MODEL)]

        assert rows[PREFIX_CONSUMER][READ] == pytest.approx(1_800)
        assert rows[NOBODY][INPUT] == pytest.approx(5_000)
        assert rows[NOBODY][READ] == pytest.approx(5_000)

    def test_the_prefix_follows_a_model_that_counts_otherwise(self) -> None:
        story = begun()
        story.turn("b", 2_100, 10, model="claude-sonnet-4-5")

        shares = carried(story).shares
        rows = shares[Group("s1", NOON_MS // 86_400_000, "claude-sonnet-4-5")]

        assert rows[PREFIX_CONSUMER][INPUT] == pytest.approx(1_800)
        assert NOBODY not in rows

    def test_days_are_apart(self) -> None:
        story = begun()
        story.turn("b", 1_050, 50, started_at_ms=NOON_MS + 86_400_000)

        shares = carried(story).shares

        assert [group.day for group in shares] == [NOON_MS // 86_400_000 + n for n in (0, 1)]

    def test_the_target_that_is_known_better_wins(self) -> None:
        story = begun()
        story.call("a", 10)

        carrying = carried(story, Owner(1, frozenset(), {(200, 0): "npm test"}))

        (call,) = (a for a in carrying.accounts if a.consumer.kind == window.TOOL_USE)
        assert call.consumer.target == "npm test"

    def test_a_search_goes_to_the_tool_that_asked(self) -> None:
        story = begun()
        story.call("a", 10, "WebSearch")
        carrying = carried(story)

        carrying.charge_search(story.requests["a"], 0.01)
        carrying.charge_search(request_row("unseen", 5), 0.02)

        before = 50 * 10 / 60 * 20e-6
        assert share(carrying, window.TOOL_USE, COST, "WebSearch") == pytest.approx(before + 0.01)
        rows = carrying.shares[Group("s1", NOON_MS // 86_400_000, MODEL)]
        assert rows[NOBODY][COST] == pytest.approx(0.02)


# ── against a plain reckoning ────────────────────────────────────────────────────────────────────


class Plain(Replay):
    """Charges every piece with every request, one by one: requests times pieces."""

    def __init__(self, story: Story) -> None:
        super().__init__(story.requests, lambda model: plain_fit())
        self.biller = Biller(BOOK, UTC)
        self.shares: dict[tuple[Group, Consumer], list[float]] = defaultdict(lambda: [0.0] * 5)
        self.prefix: float | None = None
        self.late = 0.0

    def _rescale(self, prompt_tokens: int, pieces: list[Held]) -> None:
        before = self.hidden_tokens
        super()._rescale(prompt_tokens, pieces)
        if before > 0 and self.prefix is not None:
            self.prefix *= self.hidden_tokens / before
            self.late *= self.hidden_tokens / before

    def _sent(
        self,
        request: RequestRow,
        fresh: list[Held],
        older: Mapping[str, float],
        unexplained: float,
        band: float,
    ) -> None:
        if not request.prompt_tokens:
            return
        hidden = self.hidden_tokens
        self.prefix = hidden if self.prefix is None else min(self.prefix, hidden)
        late = hidden - self.prefix
        old = min(late, self.late)
        front = [piece for piece in self.held if piece.kind in window.PREFIX]
        rest = [piece for piece in self.held if piece.kind not in window.PREFIX]
        row = [(PREFIX_CONSUMER, self.prefix), *map(_who, front), (NOBODY, old)]
        row += [*map(_who, rest), (NOBODY, late - old)]
        self._cut(request, row)
        self.late = late

    def _cut(self, request: RequestRow, row: Sequence[tuple[Consumer, float]]) -> None:
        group = self.biller.tag(request).group
        factor = sum(tokens for _, tokens in row) / (request.prompt_tokens or 1)
        begin = 0.0
        for place in (READ, WRITE_1H, WRITE_5M, INPUT):
            end = begin + classes_of(request)[place] * factor
            start = 0.0
            for who, tokens in row:
                part = min(end, start + tokens) - max(begin, start)
                if part > 0:
                    self.shares[group, who][place] += part
                start += tokens
            begin = end


def _who(piece: Held) -> tuple[Consumer, float]:
    target = piece.target or window.mcp_server(piece.name)
    return Consumer(piece.group, piece.kind, piece.name, target), piece.tokens


@ANY
@given(plausible_stories() | any_stories())
def test_ranges_come_to_what_every_piece_of_every_request_comes_to(story: Story) -> None:
    plain = Plain(story)
    plain.run(story.rows)
    found = carried(story)

    told = {
        (group, who): row[:4]
        for group, consumers in found.shares.items()
        for who, row in consumers.items()
    }
    scale = max((sum(row) for row in plain.shares.values()), default=1.0)
    for key in {*plain.shares, *told}:
        expected = plain.shares[key][:4] if key in plain.shares else [0.0] * 4
        assert told.get(key, [0.0] * 4) == pytest.approx(
            expected, rel=1e-6, abs=1e-9 * scale + 1e-6
        )


@ANY
@given(plausible_stories() | any_stories())
def test_it_follows_the_window_as_a_replay_does(story: Story) -> None:
    replay, carrying = story.replay(), carried(story)

    assert [(p.offset, p.tokens) for p in carrying.held] == [
        (p.offset, p.tokens) for p in replay.held
    ]
    assert carrying.hidden_tokens == replay.hidden_tokens
    assert carrying.compactions == replay.compactions
    assert [sent.request.key for sent in carrying.sent] == [m.request.key for m in replay.moments]
    assert [sent.cause for sent in carrying.sent] == [m.cause for m in replay.moments]


@ANY
@given(plausible_stories() | any_stories())
def test_spends_add_up_to_the_bill(story: Story) -> None:
    carrying = carried(story)
    reached = [sent.request for sent in carrying.sent]
    bills = Biller(BOOK, UTC).amounts(BilledRequest(row, 0, ()) for row in reached)

    spends = spends_of(carrying.shares, bills).get("s1", ())

    for group, bill in bills.items():
        own = [s for s in spends if (s.day, s.model) == (group.day, group.model)]
        assert amount_of(own) == bill
    assert all(value >= 0 for spend in spends for value in spend[6:])


@ANY
@given(plausible_stories() | any_stories())
def test_accounts_and_shares_tell_the_same_tokens(story: Story) -> None:
    carrying = carried(story)

    sent = sum(account.sent_tokens for account in carrying.accounts)
    charged = sum(
        sum(row[:4])
        for consumers in carrying.shares.values()
        for who, row in consumers.items()
        if who not in (NOBODY, PREFIX_CONSUMER)
    )
    assert sent == pytest.approx(charged)
    assert [account.number for account in carrying.accounts] == list(range(len(carrying.accounts)))
    assert all(a.left is None or a.left >= a.entered for a in carrying.accounts)


def lines_run(turns: int) -> int:
    """How many lines of `carrying` a talk of so many turns runs."""
    story = Story()
    tokens = 0
    for number in range(turns):
        story.put(window.REMINDER, 7, str(number % 5))
        tokens += 7
        story.turn(f"k{number}", tokens, 3, cache_read_tokens=max(0, tokens - 10))
        tokens += 3
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace if Path(frame.f_code.co_filename).name.startswith("carrying") else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        carrying = carried(story)
    finally:
        sys.settrace(before)
    assert sum(account.sent_tokens for account in carrying.accounts) > 4 * turns**2
    return count


def test_twice_the_turns_take_twice_the_work() -> None:
    """Charged one by one it would be four times."""
    assert lines_run(400) < 2.3 * lines_run(200)


# ── rounding ─────────────────────────────────────────────────────────────────────────────────────


@ANY
@given(st.lists(st.floats(0, 1e12, allow_nan=False), max_size=30), st.integers(0, 10**22))
def test_money_is_shared_to_the_last_pico(parts: list[float], total: int) -> None:
    shares = exact_shares(parts, total)

    assert len(shares) == len(parts)
    assert sum(shares) == (total if parts else 0)
    assert all(part >= 0 for part in shares)


def test_a_bill_without_any_share_is_nobodys() -> None:
    group = Group("s1", 3, MODEL)
    bill = Amount(1, 2, 3, 4, 5, 6 * PICO_USD, 0)

    (spend,) = spends_of({}, {group: bill})["s1"]

    assert spend == Spend(3, MODEL, UNATTRIBUTED, "", "", "", 0, 0, 1, 2, 3, 4, 5, 6 * PICO_USD, 0)


def test_a_share_without_a_bill_is_not_told() -> None:
    shares = {Group("s1", 3, MODEL): {NOBODY: [1.0] * 9}}

    assert spends_of(shares, {}) == {}


def test_the_prefix_is_named() -> None:
    assert (PREFIX_CONSUMER.component, NOBODY.component) == (PREFIX, UNATTRIBUTED)


class TestBills:
    def test_attempts_and_searches_are_billed_with_their_request(self) -> None:
        request = request_row("a", 100, 10)
        attempt = request_row("a", 50, 5, model="claude-sonnet-9")

        bills = Biller(BOOK, UTC).amounts([BilledRequest(request, 0, (attempt,))])

        assert {group.model: bill.total_tokens for group, bill in bills.items()} == {
            MODEL: 110,
            "claude-sonnet-9": 55,
        }

    def test_a_request_without_usage_is_billed_nothing(self) -> None:
        request = request_row("a", None, 0)

        (bill,) = Biller(BOOK, UTC).amounts([BilledRequest(request, 0, ())]).values()

        assert bill == NOTHING

    def test_what_has_no_time_has_day_0(self) -> None:
        biller = Biller(BOOK, [ZoneSpan(0, 1, 0), ZoneSpan(1, FOREVER_MS, 3_600_000)])

        assert biller.day(0) == 0
        assert biller.day(86_400_000 - 3_600_000) == 1
        assert biller.day(86_400_000 - 3_600_001) == 0
