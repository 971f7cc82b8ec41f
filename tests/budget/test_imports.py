import pytest
from tests.light_modules import brought_by, modules_of

HEAVY = (
    "asyncio", "dataclasses", "decimal", "enum", "json", "msgspec", "random", "sqlite3",
    "statistics",
)  # fmt: skip


@pytest.mark.parametrize("module", modules_of("tokenbudget.budget"))
def test_a_status_line_can_afford_this_module(module: str) -> None:
    # `typing` itself imports `enum`, through `re`, before Python 3.13: what it brings is not ours.
    assert brought_by(module, HEAVY, "typing") == []
