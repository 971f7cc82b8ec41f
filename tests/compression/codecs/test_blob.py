"""Data and overlong lines: both ends stay, what is between is told."""

from __future__ import annotations

import base64
import hashlib

import pytest
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


@pytest.mark.parametrize(
    "form",
    [
        "test_the_total_of_a_cart_with_many_items_and_two_coupons_in_case_{}",
        "shouldReturnTheTotalOfACartWithManyItemsAndTwoCouponsInTheCase{}OfIt",
        "/srv/data/customers/projects/internal/components/dashboard/widgets{}",
    ],
)
def test_names_and_paths_are_no_data_however_long(form: str) -> None:
    assert drafted(CODEC, "\n".join(form.format(n) for n in range(40)), COMPRESSED) is None


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_digests_name_what_is_asked_for_next(name: str) -> None:
    digests = [hashlib.new(name, b"%d" % n).hexdigest() for n in range(40)]
    assert drafted(CODEC, "\n".join(digests), COMPRESSED) is None


def test_encoded_data_with_many_zeros_is_data() -> None:
    data = base64.b64encode(bytes(48) + bytes(range(256)) * 3 + bytes(900)).decode()
    lines = [data[at : at + 76] for at in range(0, len(data), 76)]
    draft = surely(true_draft(CODEC, "\n".join(lines), BALANCED))
    assert draft.removed[0].count == len(lines) - 4  # the last line is short, and no data
