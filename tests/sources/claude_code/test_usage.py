import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.counting.transcripts import LATER, NOON, Json, agent_progress, answer, counts, split
from tests.sources.claude_code.reading import ANSWERS, PROPERTY, line_of

from tokenbudget.model.usage import UNKNOWN, UNKNOWN_TIME, Response
from tokenbudget.sources.claude_code.usage import ResponseTable, epoch_ms

NOON_MS = 1_795_176_000_000


def table_of(*lines: Json) -> ResponseTable:
    """What these lines tell; a line's offset is its number."""
    table = ResponseTable("by-place")
    for offset, fields in enumerate(lines):
        line = line_of(fields)
        if line.type == "progress":
            table.add_progress(line, offset)
        else:
            table.add_assistant(line, offset)
    return table


def only(*lines: Json) -> Response:
    (found,) = table_of(*lines).found.values()
    return found


def token_fields(found: Response) -> tuple[int, ...]:
    return found.packed()[8:13]


# ── times ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "stamp",
    [
        NOON,
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00",
        "2026-11-20 12:00:00.000",
        "2026-11-20T17:30:00+05:30",
        "20261120T120000Z",
    ],
)
def test_one_moment_written_in_many_ways(stamp: str) -> None:
    assert epoch_ms(stamp) == NOON_MS


@pytest.mark.parametrize(
    "stamp",
    [
        None,
        "",
        "soon",
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999-23:59",
        "1795176000",
    ],
)
def test_what_is_no_usable_time_is_unknown(stamp: str | None) -> None:
    assert epoch_ms(stamp) == UNKNOWN_TIME


@PROPERTY
@given(st.text(max_size=30) | st.datetimes().map(str) | st.datetimes().map(lambda t: f"{t}-23:59"))
def test_any_text_is_a_time_or_unknown(stamp: str) -> None:
    assert 0 <= epoch_ms(stamp) < 253_402_300_800_000


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ids", "key"),
    [
        (("m", "r", "u"), "m"),
        ((None, "r", "u"), "r"),
        ((None, None, "u"), "u"),
        (("", "", "u"), "u"),
    ],
)
def test_the_key_is_the_first_id_that_there_is(ids: tuple[str | None, ...], key: str) -> None:
    line = answer(counts(1), key=ids[0], requestId=ids[1], uuid=ids[2])
    assert only(line).key == key


def test_a_line_without_any_id_tells_of_no_response() -> None:
    assert table_of(answer(counts(1), key=None, requestId=None)).found == {}


def test_a_line_without_a_message_tells_of_no_response() -> None:
    assert table_of({"type": "assistant", "uuid": "u"}).found == {}


@pytest.mark.parametrize(
    ("message_id", "inner", "outer", "key"),
    [("m", "r", "R", "m"), (None, "r", "R", "r"), (None, None, "R", "R")],
)
def test_the_key_of_progress_is_found_in_the_same_order(
    message_id: str | None, inner: str | None, outer: str | None, key: str
) -> None:
    line = agent_progress(counts(1), requestId=inner)
    line["data"]["message"]["message"]["id"] = message_id
    assert only({**line, "requestId": outer}).key == key


# ── one response from many lines ──────────────────────────────────────────────────────────────────


def test_a_response_tells_where_it_began() -> None:
    found = only(answer(counts(1), isSidechain=True), answer(counts(2), at=LATER))
    assert (found.started_at_ms, found.session, found.is_sidechain) == (NOON_MS + 300_000, "s1", 0)
    assert found.offset == 1  # the main thread's line owns it, although it is later


def test_the_first_of_equally_early_lines_owns() -> None:
    assert only(answer(counts(1)), answer(counts(2)), answer(counts(3))).offset == 0


def test_everything_that_a_line_may_add_is_taken() -> None:
    usage = counts(
        1,
        9,
        server_tool_use={"web_search_requests": 2},
        output_tokens_details={"thinking_tokens": 5},
        speed="fast",
        service_tier="batch",
    )
    found = only(answer(None, stop=None), answer(usage, attributionSkill="pdf", costUSD=0.25))
    assert (found.web_search_requests, found.thinking_tokens) == (2, 5)
    assert (found.speed, found.service_tier, found.has_stop_reason) == (1, 1, 1)
    assert (found.skill, found.reported_usd) == ("pdf", "0.25")


def test_no_usage_leaves_every_count_unknown() -> None:
    assert token_fields(only(answer(None))) == (UNKNOWN,) * 5
    assert token_fields(only(answer({}))) == (UNKNOWN,) * 5
    assert token_fields(only(answer(counts()))) == (0,) * 5


def test_usage_that_names_any_count_is_known() -> None:
    for name, value in counts(1, 1, 1, 1).items():
        assert sum(token_fields(only(answer({name: value})))) == 1
    assert token_fields(only(answer({"cache_creation": split(1, 2)}))) == (0, 0, 3, 2, 0)


def test_a_model_that_is_not_named_is_unknown() -> None:
    line = answer(counts(1))
    del line["message"]["model"]
    assert only(line).model == "unknown"


def test_a_line_without_a_session_takes_that_of_its_place() -> None:
    assert only(answer(counts(1), session="")).session == "by-place"


def test_synthetic_lines_are_counted_apart() -> None:
    table = table_of(
        answer(counts(9), model="<synthetic>"),
        answer(counts(9), isApiErrorMessage=True),
        agent_progress(counts(9), isApiErrorMessage=True),
    )
    assert (table.found, table.synthetic_lines) == ({}, 3)


# ── several attempts ──────────────────────────────────────────────────────────────────────────────


TRIED = [
    counts(1, 2, 3, 4, model="first", cache_creation=split(1, 2)),
    counts(5, 6, 7, 8, model="last"),
]


def test_the_last_attempt_stands_in_the_fields_and_the_others_before_it() -> None:
    found = only(answer({**counts(5, 6, 7, 8), "iterations": TRIED}, model="asked"))
    assert found.iterations == (("first", 1, 2, 3, 2, 4),)
    assert (found.model, *token_fields(found)) == ("last", 5, 6, 7, 0, 8)


def test_an_attempt_without_a_model_is_the_message_s() -> None:
    tried = [counts(1), counts(2)]
    found = only(answer({**counts(2), "iterations": tried}, model="asked"))
    assert (found.model, found.iterations[0][0]) == ("asked", "asked")


def test_an_attempt_that_reports_nothing_counts_as_zero() -> None:
    found = only(answer({**counts(2), "iterations": [{}, {}]}))
    assert (found.iterations[0][1:], token_fields(found)) == ((0,) * 5, (0,) * 5)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_a_line_that_knows_of_one_attempt_changes_nothing(order: tuple[int, ...]) -> None:
    lines = [
        answer(counts(5, 1, 7, 8), model="first", stop=None),
        answer({**counts(5, 6, 7, 8), "iterations": TRIED}, model="asked", at=LATER),
        answer(None, model="first", at=LATER),
    ]
    found = only(*[lines[i] for i in order])
    assert found.iterations == (("first", 1, 2, 3, 2, 4),)
    assert (found.model, *token_fields(found)) == ("last", 5, 6, 7, 0, 8)
    assert found.started_at_ms == NOON_MS


def test_a_line_with_a_larger_total_gives_the_rest_to_the_last_attempt() -> None:
    found = only(
        answer({**counts(5, 6, 7, 8), "iterations": TRIED}),
        answer(counts(6, 100, 10, 12)),
    )
    assert token_fields(found) == (5, 98, 7, 0, 8)


# ── order ─────────────────────────────────────────────────────────────────────────────────────────


@PROPERTY
@given(st.lists(ANSWERS, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(lines: list[Json], chance: random.Random) -> None:
    for number, line in enumerate(lines):  # equal times are decided by order, so let there be none
        line["timestamp"] = f"2026-11-20T12:00:0{chance.choice('123')}.00{number}Z"
    expected = _without_offsets(table_of(*lines))
    for order in itertools.islice(itertools.permutations(lines), 1, 8):
        assert _without_offsets(table_of(*order)) == expected


def _without_offsets(table: ResponseTable) -> dict[str, tuple[object, ...]]:
    packed = {key: response.packed() for key, response in table.found.items()}
    return {key: (*fields[:3], *fields[4:]) for key, fields in packed.items()}
