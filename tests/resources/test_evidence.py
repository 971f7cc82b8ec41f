"""Plain values about what was used."""

from tests.resources.projects import NOW_MS, evidence

from tokenbudget.resources.evidence import DAY_MS, Evidence, is_below, server_key
from tokenbudget.resources.unused import unused


def test_a_servers_name_is_told_as_its_tools_spell_it() -> None:
    assert server_key("we.ird name") == "we_ird_name"
    assert server_key("my__server") == "my"  # more the name of a tool does not say
    assert server_key("plain-one_2") == "plain-one_2"


def test_a_folder_with_a_longer_name_is_not_below() -> None:
    assert is_below("/srv/shop/a", "/srv/shop")
    assert is_below("/srv/shop", "/srv/shop")
    assert not is_below("/srv/shopping/a", "/srv/shop")


def test_requests_per_week_never_come_from_less_than_a_week() -> None:
    young = Evidence(NOW_MS - 30 * DAY_MS, NOW_MS, (NOW_MS - DAY_MS,), 50, first_ms=NOW_MS - DAY_MS)
    assert young.requests_per_week == 50
    assert young._replace(first_ms=NOW_MS - 14 * DAY_MS).requests_per_week == 25
    assert Evidence(0, NOW_MS).requests_per_week == 0


def test_only_sessions_after_a_change_speak_about_what_was_changed() -> None:
    seen = evidence(20)
    changed_ms = seen.session_starts_ms[0] + 1 - 20 * DAY_MS

    sure = unused(seen, None, changed_ms)
    assert sure is not None
    assert sure.is_sure
    assert "20 sessions" in sure.reason

    few = unused(evidence(3), None, changed_ms)
    assert few is not None
    assert not few.is_sure
    assert "only 3 sessions" in few.reason


def test_what_is_new_or_used_is_not_unused() -> None:
    used = evidence(20, skills={"a": 1}).skills["a"]
    assert unused(evidence(20), used, 0) is None
    assert unused(evidence(20), None, NOW_MS - 3 * DAY_MS) is None
