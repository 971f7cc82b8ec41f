"""Data and overlong lines: both ends stay, what is between is told."""

from __future__ import annotations

import base64

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compression.codecs.facts import drafted, surely, true_draft

from tokenbudget.compression.codecs.blob import CODEC
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE

PROPERTY = settings(deadline=None, max_examples=60, database=None)

DATA = base64.encodebytes(bytes(range(256)) * 20).decode()


def test_of_data_on_many_lines_the_first_and_the_last_stay() -> None:
    text = f"-----BEGIN THING-----\n{DATA}-----END THING-----\n"
    draft = surely(true_draft(CODEC, text, BALANCED))
    lines = text.split("\n")
    (removed,) = draft.removed
    start, end = removed.ranges[0]
    assert draft.text.split("\n") == [*lines[:start], f"[~ {removed.count} lines]", *lines[end:]]
    assert start == 3


def test_a_dump_of_bytes_is_data() -> None:
    row = "000000{:02x}: 7f45 4c46 0201 0100 0000 0000 0000 0000  .ELF............"
    text = "\n".join(row.format(n) for n in range(64))
    draft = surely(true_draft(CODEC, text, BALANCED))
    assert draft.removed[0].count == 61


def test_a_minified_line_keeps_its_ends() -> None:
    text = "/*! lib 1.2.3 */\n" + "function a(b){return b+1};" * 400 + "\n//# end"
    draft = surely(true_draft(CODEC, text, BALANCED))
    assert draft.text.startswith("/*! lib 1.2.3 */\nfunction a(b)")
    assert draft.text.endswith("};\n//# end")
    assert " chars]" in draft.text


def test_verbose_and_ordinary_code_are_left_alone() -> None:
    code = "".join(f"def f{n}(x):\n    return x * {n}\n" for n in range(200))
    assert drafted(CODEC, code, COMPRESSED) is None
    assert drafted(CODEC, DATA * 3, VERBOSE) is None


@PROPERTY
@given(
    lines=st.lists(
        st.text(alphabet="aZ09+/= \t\r\ud800[~]", max_size=90)
        | st.sampled_from((*DATA.split("\n"), "f" * 2_000 + "1", "x y " * 500)),
        max_size=40,
    ),
    level=st.sampled_from(LEVELS),
)
def test_whatever_the_lines_are_the_account_is_true(lines: list[str], level: str) -> None:
    true_draft(CODEC, "\n".join(lines), level)
