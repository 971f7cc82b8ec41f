import marshal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.model.events import (
    Attachment,
    Compaction,
    Content,
    Detail,
    LineCounts,
    Problem,
    SessionFact,
    Stretch,
    ToolCall,
    ToolResult,
    pack,
    unpack,
)
from tokenbudget.model.usage import Response

PROPERTY = settings(deadline=None, max_examples=100, database=None)
NUMBERS = st.integers(0, 2**63 - 1)
TEXTS = st.text(max_size=4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "int": NUMBERS,
    "int | None": st.none() | NUMBERS,
}


def events(kind: Any) -> st.SearchStrategy[list[Any]]:
    """Lists of one kind of event, each field by its annotation."""
    fields = [VALUES[str(getattr(a, "__forward_arg__", a))] for a in kind.__annotations__.values()]
    return st.lists(st.tuples(*fields).map(kind._make), max_size=2)


DETAILS = st.builds(
    Detail, *[events(kind) for kind in (ToolCall, ToolResult, Content, Attachment, Compaction)]
)
STRETCHES = st.builds(
    Stretch,
    start=NUMBERS,
    end=NUMBERS,
    size_bytes=NUMBERS,
    is_last=st.booleans(),
    fingerprint=st.tuples(NUMBERS, NUMBERS),
    cwd=st.text(),
    line_counts=st.builds(LineCounts, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    problems=events(Problem),
    sessions=events(SessionFact),
    responses=st.lists(
        st.builds(Response, TEXTS, NUMBERS, NUMBERS, NUMBERS, TEXTS, TEXTS).map(Response.packed),
        max_size=2,
    ),
    detail=st.none() | DETAILS,
)


def through_a_pipe(stretch: Stretch) -> Stretch:
    packed: Any = pack(stretch)
    return unpack(marshal.loads(marshal.dumps(packed)))


@PROPERTY
@given(STRETCHES)
def test_a_stretch_survives_the_way_through_a_pipe(stretch: Stretch) -> None:
    assert through_a_pipe(stretch) == stretch


@PROPERTY
@given(STRETCHES)
def test_what_arrives_has_its_names_again(stretch: Stretch) -> None:
    arrived = through_a_pipe(stretch)
    assert isinstance(arrived.line_counts, LineCounts)
    assert all(isinstance(problem, Problem) for problem in arrived.problems)
    assert all(isinstance(fact, SessionFact) for fact in arrived.sessions)
    if arrived.detail is not None:
        assert all(isinstance(call, ToolCall) for call in arrived.detail.tool_calls)
        assert all(isinstance(event, Compaction) for event in arrived.detail.compactions)
