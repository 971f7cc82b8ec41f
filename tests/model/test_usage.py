from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.model.usage import UNKNOWN, Response, owns

PROPERTY = settings(deadline=None, max_examples=300, database=None)
COUNTS = st.integers(UNKNOWN, 20)
FLAGS = st.integers(0, 1)
EARLIER = st.integers(0, 20)


def responses(attempts: int) -> st.SearchStrategy[Response]:
    """Copies of one response that all tell of as many earlier attempts, by the same models."""
    earlier = st.tuples(EARLIER, EARLIER, EARLIER, EARLIER, EARLIER)
    return st.builds(
        Response,
        key=st.just("msg_1"),
        is_sidechain=FLAGS,
        started_at_ms=st.integers(0, 3),
        offset=st.integers(0, 3),
        session=st.sampled_from(["s1", "s2"]),
        model=st.just("last") if attempts else st.sampled_from(["a", "b"]),
        speed=FLAGS,
        service_tier=FLAGS,
        input_tokens=COUNTS,
        output_tokens=COUNTS,
        cache_write_tokens=COUNTS,
        cache_write_1h_tokens=COUNTS,
        cache_read_tokens=COUNTS,
        web_search_requests=EARLIER,
        thinking_tokens=COUNTS,
        has_stop_reason=FLAGS,
        has_cache_split=FLAGS,
        iterations=st.tuples(*[earlier.map(lambda five: ("first", *five))] * attempts),
        skill=st.sampled_from(["", "a", "b"]),
        reported_usd=st.sampled_from(["", "0.5", "1.0"]),
    )


def copies(attempts: int, count: int) -> st.SearchStrategy[list[tuple[str, Response]]]:
    """(path, copy) from as many files."""
    places = st.permutations([f"/p/{n}" for n in range(count)])
    return st.tuples(places, st.lists(responses(attempts), min_size=count, max_size=count)).map(
        lambda pair: list(zip(*pair, strict=True))
    )


ANY_COPIES = st.integers(0, 2).flatmap(lambda attempts: copies(attempts, 3))


def merged(found: list[tuple[str, Response]]) -> tuple[object, ...]:
    """All copies, joined one after the other, and the path that owns the result."""
    path, kept = found[0][0], Response(*found[0][1].packed())
    for other_path, other in found[1:]:
        rank = (kept.is_sidechain, kept.started_at_ms, path)
        other_owns = owns(other.is_sidechain, other.started_at_ms, other_path, rank)
        kept.absorb(other, other_owns)
        path = other_path if other_owns else path
    return (*kept.packed(), path)


def response(**fields: object) -> Response:
    return Response("msg_1", 0, 1, 0, "s1", "model", **fields)  # type: ignore[arg-type]


# ── laws ──────────────────────────────────────────────────────────────────────────────────────────


@PROPERTY
@given(ANY_COPIES, st.permutations(range(3)))
def test_the_order_of_the_copies_does_not_matter(
    found: list[tuple[str, Response]], order: list[int]
) -> None:
    assert merged([found[i] for i in order]) == merged(found)


@PROPERTY
@given(ANY_COPIES)
def test_a_copy_taken_twice_changes_nothing(found: list[tuple[str, Response]]) -> None:
    for copy in found:
        assert merged([*found, copy]) == merged(found)


@PROPERTY
@given(ANY_COPIES)
def test_copies_may_be_joined_in_groups(found: list[tuple[str, Response]]) -> None:
    *fields, path = merged(found[:2])
    pair = (str(path), Response(*fields))  # type: ignore[arg-type]
    assert merged([pair, found[2]]) == merged(found)


@PROPERTY
@given(responses(0), responses(0))
def test_every_count_is_the_maximum(one: Response, two: Response) -> None:
    expected = [max(a, b) for a, b in zip(one.packed()[8:15], two.packed()[8:15], strict=True)]
    one.absorb(two, other_owns=False)
    assert list(one.packed()[8:15]) == expected


@PROPERTY
@given(responses(0), responses(2), st.booleans())
def test_the_finer_split_wins_and_no_total_shrinks(
    coarse: Response, fine: Response, other_owns: bool
) -> None:
    before = [totals(coarse), totals(fine)]
    coarse.absorb(fine, other_owns)
    assert len(coarse.iterations) == 2
    assert totals(coarse) == [max(pair) for pair in zip(*before, strict=True)]
    assert coarse.model == "last"


def totals(found: Response) -> list[int]:
    """Each count over all attempts; an unknown one is nothing."""
    attempts = [attempt[1:] for attempt in found.iterations] + [found.packed()[8:13]]
    return [sum(max(0, n) for n in column) for column in zip(*attempts, strict=True)]


@PROPERTY
@given(responses(1))
def test_packing_is_the_constructor_reversed(found: Response) -> None:
    assert Response(*found.packed()).packed() == found.packed()


# ── stories ───────────────────────────────────────────────────────────────────────────────────────


def test_a_known_count_is_preferred_to_an_unknown_one() -> None:
    kept = response()
    assert kept.input_tokens == UNKNOWN
    kept.absorb(response(input_tokens=0), other_owns=False)
    assert kept.input_tokens == 0


def test_the_owner_keeps_place_time_and_model() -> None:
    kept = response()
    other = Response("msg_1", 1, 7, 9, "s2", "other")
    kept.absorb(other, other_owns=False)
    assert kept.packed()[1:6] == (0, 1, 0, "s1", "model")
    kept.absorb(other, other_owns=True)
    assert kept.packed()[1:6] == (1, 7, 9, "s2", "other")


def test_a_coarse_owner_gives_its_place_but_not_its_model() -> None:
    kept = response(input_tokens=5, iterations=(("first", 1, 0, 0, 0, 0),))
    kept.absorb(Response("msg_1", 0, 0, 3, "s0", "asked", input_tokens=1), other_owns=True)
    assert (kept.session, kept.model, kept.input_tokens) == ("s0", "model", 5)


def test_a_finer_copy_gives_its_model_without_owning() -> None:
    kept = response(input_tokens=1)
    finer = Response("msg_1", 0, 9, 9, "s9", "last", iterations=(("first", 1, 0, 0, 0, 0),))
    finer.input_tokens = 5
    kept.absorb(finer, other_owns=False)
    assert (kept.session, kept.model, kept.input_tokens) == ("s1", "last", 5)


def test_the_main_thread_comes_before_time_and_time_before_path() -> None:
    kept = (0, 100, "/p/b")
    assert owns(0, 99, "/p/c", kept)
    assert owns(0, 100, "/p/a", kept)
    assert not owns(1, 1, "/p/a", kept)
    assert not owns(0, 100, "/p/b", kept)
    assert not owns(0, 101, "/p/a", kept)
    assert owns(0, 999, "/p/z", (1, 1, "/p/a"))


def test_an_unknown_time_comes_last() -> None:
    assert not owns(0, 0, "/p/a", (0, 100, "/p/b"))
    assert owns(0, 100, "/p/b", (0, 0, "/p/a"))
