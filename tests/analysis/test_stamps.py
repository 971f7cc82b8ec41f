import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.stamps import _MOST_KNOWN, Stamps

NOW_MS = 1_795_262_400_000
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Monrovia",  # 44 minutes and a half off, until 1972
)
moments = st.integers(1, 4 * 10**12) | st.integers(NOW_MS - 10**10, NOW_MS)


@pytest.mark.parametrize("name", ZONES)
@given(many=st.lists(moments | st.none() | st.just(0), max_size=20))
def test_it_says_what_the_zone_says(name: str, many: list[int | None]) -> None:
    zone = Zone(name, NOW_MS)

    told = Stamps(zone, unknown="-").stamps(many)

    assert told == [zone.stamp(at_ms) if at_ms else "-" for at_ms in many]


@pytest.mark.parametrize("at_ms", [-1, -62_135_596_800_000, 253_402_300_799_999, 10**15, 10**18])
def test_beyond_the_usual_years(at_ms: int) -> None:
    zone = Zone("Europe/Berlin", NOW_MS)

    assert Stamps(zone).stamps([at_ms]) == [zone.stamp(at_ms)]


@pytest.mark.parametrize("change", ["2026-03-29T01:00", "2026-10-25T01:00"])
def test_where_clocks_are_set(change: str) -> None:
    zone = Zone("Europe/Berlin", NOW_MS)
    middle = Zone("UTC", NOW_MS).moment_ms(change, is_end=False)
    many = [middle + step * 1000 for step in range(-7200, 7201, 7)]

    assert Stamps(zone).stamps(many) == [zone.stamp(at_ms) for at_ms in many]


def test_forgetting_changes_nothing() -> None:
    zone = Zone("UTC", NOW_MS)
    stamps = Stamps(zone)
    many = [day * 86_400_000 + 5 for day in range(1, _MOST_KNOWN + 10)]

    assert stamps.stamps(many) == stamps.stamps(many) == [zone.stamp(at_ms) for at_ms in many]
    assert len(stamps._days) <= _MOST_KNOWN
