import json

from hypothesis import given
from hypothesis import strategies as st
from tests.reports.conftest import sums, table

from tokenbudget.reports.json import document, sums_fields, usage_fields

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
anything = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]))


@given(st.dictionaries(st.text(min_size=1), values, max_size=4))
def test_a_document_reads_back_as_it_was(fields: dict[str, object]) -> None:
    fields.pop("format", None)

    found = json.loads(document("usage", 1, fields))
    assert found == {"format": "tokenbudget/usage/1", **fields}
    assert next(iter(found)) == "format"


@given(anything)
def test_a_document_is_printable_ascii(text: str) -> None:
    made = document("usage", 1, {"a": text, "rows": [{text: text}]})

    assert made.isascii()
    assert made.replace("\n", "").isprintable()
    assert json.loads(made)["a"] == text


def test_a_list_has_an_item_a_line() -> None:
    made = document("usage", 1, {"rows": [{"a": 1}, {"a": 2}], "totals": {"a": 3}})

    assert made.split("\n") == [
        "{",
        ' "format": "tokenbudget/usage/1",',
        ' "rows": [',
        '  {"a": 1},',
        '  {"a": 2}',
        " ],",
        ' "totals": {"a": 3}',
        "}",
    ]


def test_money_is_an_exact_decimal_string() -> None:
    assert sums_fields(sums(cost="0.10000000000000000000000000010"))["cost_usd"] == (
        "0.1000000000000000000000000001"
    )


def test_a_label_is_named_after_its_grouping() -> None:
    fields = usage_fields(table("model", {"claude-opus-5-5": sums()}, "mystery-1"))

    rows = fields["rows"]
    assert isinstance(rows, list)
    assert rows[0] == {"model": "claude-opus-5-5", **sums_fields(sums())}
    assert fields["by"] == ["model"]
    assert fields["unpriced_models"] == ["mystery-1"]
