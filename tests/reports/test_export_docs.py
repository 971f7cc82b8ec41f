from make_export_docs import PAGE, page_with_columns
from tokenbudget.cli.export import ENDINGS
from tokenbudget.reports.exporters.tables import COLUMNS


def test_the_page_lists_every_column_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page_with_columns(page) == page, "run: python tools/make_export_docs.py"
    for name, columns in COLUMNS.items():
        assert f"### `{name}`" in page
        for column in columns:
            assert f"| `{column.name}` |" in page


def test_the_page_names_every_format() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for name, ending in ENDINGS.items():
        assert f"| `{name}`" in page
        assert f"`token-export.{ending}`" in page
