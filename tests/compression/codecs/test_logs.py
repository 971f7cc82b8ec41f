"""Logs: one line of each template, and what differs in the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE, assert_accounted, assert_survives, drafted

from tokenbudget.compression.codecs.logs import CODEC
from tokenbudget.compression.passage import (
    BALANCED,
    COMPRESSED,
    LEVELS,
    VERBOSE,
    Origin,
)


def stamped(second: int, text: str) -> str:
    return f"2026-01-31 12:{second // 60:02}:{second % 60:02},{second:03} {text}"


def served(count: int) -> list[str]:
    return [
        stamped(n, f"INFO worker-{n % 4} served /api/items/{n * 7} with 200 in {n * 3 % 90} ms")
        for n in range(count)
    ]


def test_one_line_is_shown_and_of_the_others_what_differs() -> None:
    lines = served(40)
    draft = drafted(CODEC, "\n".join(lines))
    assert draft is not None
    shown = draft.text.split("\n")
    assert shown[:4] == lines[:4]
    assert shown[4] == "[~ 33 similar, with]"
    assert shown[5] == "04,004 0 28 12"
    assert shown[-3:] == lines[-3:]
    assert_accounted("\n".join(lines), draft)


def test_at_compressed_what_differs_goes_too() -> None:
    text = "\n".join(served(40))
    draft = drafted(CODEC, text, COMPRESSED)
    assert draft is not None
    assert "[~ 33 similar]\n" in draft.text
    assert_accounted(text, draft)


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_trouble_stays_whole_between_what_is_gathered(level: str) -> None:
    lines = served(60)
    lines[20] = stamped(20, "ERROR worker-1 gave up on /api/items/7: refused after 3 tries")
    lines[40] = stamped(40, "WARN pool 2 of 3 exhausted")
    draft = drafted(CODEC, "\n".join(lines), level)
    assert draft is not None
    assert lines[20] in draft.text.split("\n")
    assert lines[40] in draft.text.split("\n")


def test_of_the_same_error_many_times_the_numbers_are_kept_at_any_level() -> None:
    lines = [stamped(n, f"ERROR upstream {n} refused after {n * 2} tries") for n in range(50)]
    draft = drafted(CODEC, "\n".join(lines), COMPRESSED)
    assert draft is not None
    assert draft.text.split("\n")[:6] == lines[:6]
    assert "[~ 41 similar, with]" in draft.text
    assert "46,046 46 92" in draft.text
    assert_accounted("\n".join(lines), draft)


@pytest.mark.parametrize(
    "form",
    [
        "Jan 31 12:00:{n:02} host sshd[{m}]: accepted connection number {n}",
        "[   {n}.123456] usb 1-{n}: new device number {m}",
        "INFO: handled request {n} of {m} for customer",
        '10.0.0.{n} - - [31/Jan/2026:12:00:{n:02} +0000] "GET /a/{m} HTTP/1.1" 200 {m}',
        "1769860800{n:03} job {m} done on this machine",
        "Processing file number {n} of the {m} that were found",
    ],
)
def test_many_forms_of_log_are_known(form: str) -> None:
    text = "\n".join(form.format(n=n, m=1000 + n * 3) for n in range(10, 60))
    for level in (BALANCED, COMPRESSED):
        draft = drafted(CODEC, text, level)
        assert draft is not None
        assert_accounted(text, draft)


def test_of_a_log_without_templates_the_middle_goes_but_for_trouble() -> None:
    names = [f"{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(400)]
    lines = [
        stamped(n, f"INFO {name * 3} made {name} of {name * 2}") for n, name in enumerate(names)
    ]
    lines[200] = stamped(200, "ERROR could not reach the store")
    text = "\n".join(lines)
    draft = drafted(CODEC, text, COMPRESSED)
    assert draft is not None
    assert len(draft.text) < 0.25 * len(text)
    assert "\n".join(lines[198:203]) in draft.text
    assert_accounted(text, draft)


def test_tables_of_constants_in_a_file_are_no_log() -> None:
    text = "\n".join(f"    ({n}, 0x{n:04x}, 'name{n}')," for n in range(90))
    assert drafted(CODEC, text, origin=Origin("Read", path="src/table.py")) is None


def test_source_code_is_no_log() -> None:
    code = "\n".join(f"def f{chr(97 + n)}(x):\n    return x + {chr(97 + n)}" for n in range(20))
    assert drafted(CODEC, code) is None


def test_verbose_leaves_a_log_alone() -> None:
    assert drafted(CODEC, "\n".join(served(40)), VERBOSE) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


_WORD = st.one_of(st.sampled_from(["INFO", "job", "ERROR", "done", "in"]), st.integers(0, 9999))


@given(st.lists(st.lists(_WORD, max_size=6), min_size=12, max_size=80))
def test_every_line_of_any_log_is_accounted_for(rows: list[list[object]]) -> None:
    lines = [stamped(n, " ".join(map(str, row))) for n, row in enumerate(rows)]
    assert_survives(CODEC, "\n".join(lines), LEVELS)
