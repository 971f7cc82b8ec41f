"""Reading a file in a test, and merging what was read as the ledger does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from tests.counting.transcripts import Json, agent_progress, answer, counts, encoded, prompt, split

from tokenbudget.model.events import ReadPlan, Stretch
from tokenbudget.model.usage import Response, owns
from tokenbudget.sources.claude_code.decoder import Line, decode_line
from tokenbudget.sources.claude_code.reader import read_stretches

if TYPE_CHECKING:
    from tokenbudget.model.usage import Packed

PROPERTY = settings(
    deadline=None,
    max_examples=250,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def stretches(path: Path, start: int = 0, with_detail: bool = True) -> list[Stretch]:
    """All stretches of a file from a position on."""
    return list(read_stretches(ReadPlan(str(path), path.stem, start, with_detail)))


def read(path: Path, data: bytes, with_detail: bool = True) -> Stretch:
    """The one stretch of a file with this content."""
    path.write_bytes(data)
    (found,) = stretches(path, with_detail=with_detail)
    return found


def merged(found: Iterable[Stretch], path: Path) -> dict[str, Packed]:
    """The responses of all stretches of one file, joined by the rule."""
    kept: dict[str, Response] = {}
    for stretch in found:
        for packed in stretch.responses:
            known = kept.setdefault(packed[0], Response(*packed))
            rank = (known.is_sidechain, known.started_at_ms, str(path))
            known.absorb(Response(*packed), owns(packed[1], packed[2], str(path), rank))
    return {key: response.packed() for key, response in kept.items()}


def line_of(fields: Json) -> Line:
    """A decoded line."""
    return decode_line(json.dumps(fields).encode())


# ── generated transcripts ─────────────────────────────────────────────────────────────────────────

COUNTS = st.integers(0, 9)
STAMPS = st.sampled_from(
    [
        "2026-11-20T12:00:00.000Z",
        "2026-11-20T12:00:01.000Z",
        "2026-11-19T23:59:59.999Z",
        "2026-11-20T12:00:00Z",
        "2026-11-20T17:29:00.000+05:30",
        "2026-11-20T11:00:00.000-09:00",
        "0000-00-00T00:00:00.000Z",
        "soon",
    ]
)
USAGES: st.SearchStrategy[Json | None] = st.one_of(
    st.none(),
    st.just({}),
    st.builds(counts, COUNTS, COUNTS, COUNTS, COUNTS),
    st.builds(
        lambda write, five, hour: counts(write=write, cache_creation=split(five, hour)),
        COUNTS,
        COUNTS,
        COUNTS,
    ),
    st.builds(lambda n: counts(n, n, speed="fast", service_tier="batch"), COUNTS),
)
TWO_ATTEMPTS = st.builds(
    lambda a, b, c: {
        **counts(b, c),
        "iterations": [counts(a, b, c, model="first-model"), counts(b, c, a, model="last-model")],
    },
    COUNTS,
    COUNTS,
    COUNTS,
)
_PLACES: Json = {
    "at": STAMPS,
    "session": st.sampled_from(["s1", "s2"]),
    "isSidechain": st.booleans(),
    "stop": st.sampled_from([None, "end_turn"]),
    "attributionSkill": st.sampled_from([None, "a", "b"]),
}
ANSWERS = st.one_of(
    st.builds(
        answer,
        USAGES,
        st.sampled_from(["msg_1", "msg_2", None]),
        st.sampled_from(["one-model", "other-model", "<synthetic>"]),
        **_PLACES,
    ),
    st.builds(answer, TWO_ATTEMPTS, st.just("msg_two"), **_PLACES),
)
LINES = st.one_of(
    ANSWERS,
    st.builds(lambda n, at: agent_progress(counts(n, n), at=at), COUNTS, STAMPS),
    st.builds(prompt, st.sampled_from(["?", "word " * 600, '"type":"assistant"'])),
)
DAMAGE = st.sampled_from(
    [
        b"\n",
        b"  \r\n",
        b"null\n",
        b"[{}]\n",
        b'"x"\n',
        b"{\n",
        b'{"type":"assistant","message":{"id":"msg_1","usage":{"input_tokens":NaN}}}\n',
        b'{"type":"assistant","uuid":"\\ud800","message":{"model":"\xff"}}\r\n',
        b'{"a":' + b"[" * 3000 + b"\n",
        b"\xef\xbb\xbf{}\n",
    ]
)
TRANSCRIPTS = st.lists(st.one_of(LINES.map(encoded), DAMAGE), max_size=8).map(b"".join)
