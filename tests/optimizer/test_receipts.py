"""What actions did, seen from the first request after they took effect."""

from __future__ import annotations

import pytest
from tests.optimizer.desk import COLD, Desk, history, memory, server, skill

from tokenbudget.model.control import RESERVE, SCRATCH, TRIMMING, Held, Receipt
from tokenbudget.optimizer.receipts import is_poor_pass, part_of, settled


def settled_now(desk: Desk) -> list[Receipt]:
    """What the last look settled, as the state has it."""
    return [one.receipt for one in desk.state.pulled if not one.is_open]


def pulled(desk: Desk, used: int, **more: object) -> Receipt:
    return desk.done(desk.request(used, **more))


def test_a_server_is_measured_by_its_component_whatever_grew_besides() -> None:
    desk = Desk(server(tokens=20_000))
    pulled(desk, 92_000, composition={"mcp_tools": 25_000, "messages": 60_000}, cache=COLD)
    assert settled_now(desk) == []
    desk.request(99_000, composition={"mcp_tools": 5_500, "messages": 86_000})
    (receipt,) = settled_now(desk)
    assert (receipt.outcome, receipt.measured_tokens) == ("measured", 19_500)
    assert receipt.error_share == pytest.approx(0.025)


def test_a_request_that_began_before_the_client_heard_of_it_settles_nothing() -> None:
    desk = Desk(server())
    pulled(desk, 92_000, composition={"mcp_tools": 25_000}, cache=COLD)
    for heard_ms in (-1_000, 1_999):
        began_ms = desk.state.pulled[0].since_ms + heard_ms
        desk.request(93_000, request_at_ms=began_ms, composition={"mcp_tools": 25_000})
        assert settled_now(desk) == []
    desk.request(93_000, composition={"mcp_tools": 5_000})
    assert [one.measured_tokens for one in settled_now(desk)] == [20_000]


def test_where_the_component_is_not_known_the_outcome_is_unmeasured() -> None:
    desk = Desk(server())
    pulled(desk, 92_000, composition={}, cache=COLD)
    desk.request(73_000, composition={"mcp_tools": 5_000})
    (receipt,) = settled_now(desk)
    assert (receipt.outcome, receipt.measured_tokens) == ("unmeasured", None)


def test_what_only_slows_growth_cannot_be_measured() -> None:
    desk = Desk(Held("trimming/more", TRIMMING, "trim more", "", 3_000))
    desk.request(55_000)
    pulled(desk, 56_000)
    desk.request(57_000)
    assert [one.outcome for one in settled_now(desk)] == ["unmeasured"]


def test_what_slows_growth_is_settled_by_whichever_request_comes_next() -> None:
    desk = Desk(Held("trimming/more", TRIMMING, "trim more", "", 3_000))
    desk.request(55_000)
    pulled(desk, 56_000)
    desk.request(57_000, request_at_ms=desk.now_ms - 1_000)
    assert [one.outcome for one in settled_now(desk)] == ["unmeasured"]


def test_a_part_that_grew_was_not_freed() -> None:
    desk = Desk(server())
    pulled(desk, 92_000, composition={"mcp_tools": 25_000}, cache=COLD)
    desk.request(95_000, composition={"mcp_tools": 30_000})
    assert [one.measured_tokens for one in settled_now(desk)] == [0]


def test_what_takes_effect_at_a_compaction_is_seen_by_the_first_request_after_it() -> None:
    desk = Desk(skill())
    desk.request(55_000)
    pulled(desk, 56_000, composition={"skills": 3_000, "agents": 1_000})
    desk.request(57_000, composition={"skills": 3_000, "agents": 1_000})
    desk.look(compactions=1)
    assert settled_now(desk) == []
    desk.request(20_000, composition={"skills": 0, "agents": 1_000})
    assert [one.measured_tokens for one in settled_now(desk)] == [3_000]


def test_history_is_measured_by_what_the_boundary_took_from_the_window() -> None:
    desk = Desk(history())
    pulled(desk, 92_000)
    desk.request(94_000)  # one more before it, on its way already
    desk.look(compactions=1)
    desk.request(35_000)
    assert [one.measured_tokens for one in settled_now(desk)] == [59_000]


def test_a_boundary_and_a_larger_request_in_one_look_are_told_apart_by_the_next() -> None:
    desk = Desk(history())
    pulled(desk, 92_000)
    desk.request(94_000, compactions=1)  # larger: it was made before the boundary
    assert settled_now(desk) == []
    desk.request(35_000)
    assert [one.measured_tokens for one in settled_now(desk)] == [59_000]


def test_what_other_levers_freed_at_a_boundary_is_not_the_historys() -> None:
    desk = Desk(skill(tokens=3_000), history())
    desk.request(55_000, composition={"skills": 3_000})
    pulled(desk, 56_000)
    pulled(desk, 92_000)
    desk.look(compactions=1)
    desk.request(30_000, composition={"skills": 0})
    freed = {one.lever: one.measured_tokens for one in settled_now(desk)}
    assert freed == {"skills": 3_000, "history": 59_000}


def test_levers_that_share_a_component_share_its_fall_as_they_were_predicted() -> None:
    scratch = Held("scratch/old", SCRATCH, "move old away", "", 6_000)
    desk = Desk(memory(tokens=3_000), scratch, history())
    desk.request(55_000, composition={"memory_files": 10_000})
    pulled(desk, 56_000)
    pulled(desk, 57_000)
    pulled(desk, 92_000)
    desk.look(compactions=1)
    desk.request(30_000, composition={"memory_files": 400})
    freed = {one.lever: one.measured_tokens for one in settled_now(desk)}
    assert freed == {"scratch": 6_400, "memory-files": 3_200, "history": 52_400}


def test_the_reserve_is_measured_by_the_room_that_it_gave() -> None:
    desk = Desk(Held("reserve/all", RESERVE, "release it", "", 33_000))
    pulled(desk, 95_000)
    desk.request(96_000, usable_tokens=130_000)
    assert [one.measured_tokens for one in settled_now(desk)] == [30_000]


def test_a_session_that_ends_first_ends_the_receipt() -> None:
    desk = Desk(skill())
    desk.request(55_000)
    pulled(desk, 56_000)
    desk.look(is_over=True)
    assert [one.outcome for one in settled_now(desk)] == ["ended"]


def test_a_session_that_ends_with_the_request_that_shows_it_is_still_measured() -> None:
    desk = Desk(history())
    pulled(desk, 92_000)
    desk.look(compactions=1)
    desk.request(30_000, is_over=True)
    assert [one.outcome for one in settled_now(desk)] == ["measured"]


def test_measured_money_differs_from_the_predicted_by_the_tokens_that_were_read_or_not() -> None:
    desk = Desk(history(tokens=40_000))
    receipt = pulled(desk, 92_000, expected_requests=50.0)
    desk.look(compactions=1)
    desk.request(42_000, expected_requests=50.0)
    (found,) = settled_now(desk)
    assert receipt.predicted_usd is not None
    assert found.measured_tokens == 50_000
    assert found.measured_usd == pytest.approx(receipt.predicted_usd + 10_000 * 0.1 * 50 * 3e-6)


def test_money_that_was_not_predicted_is_not_measured() -> None:
    desk = Desk(history())
    pulled(desk, 92_000, expected_requests=None)
    desk.request(42_000, compactions=1, expected_requests=50.0)
    assert [one.measured_usd for one in settled_now(desk)] == [None]


@pytest.mark.parametrize("unfit", [{"session": "another"}, {"used_tokens": None}, {"requests": 0}])
def test_a_look_that_is_no_ground_settles_nothing(unfit: dict[str, object]) -> None:
    desk = Desk(history())
    pulled(desk, 92_000)
    desk.look(compactions=1)
    seen = desk.seen._replace(request_key="r", requests=9, used_tokens=9_000)
    assert settled(desk.state, seen, 0) != []
    assert settled(desk.state, seen._replace(**unfit), 0) == []  # type: ignore[arg-type]


def test_the_same_look_settles_the_same_receipts_for_the_record_and_for_the_tick() -> None:
    desk = Desk(history())
    pulled(desk, 92_000)
    desk.look(compactions=1)
    before = desk.state
    desk.request(30_000)
    assert settled(before, desk.seen, desk.now_ms) == settled_now(desk)
    assert settled(desk.state, desk.seen, desk.now_ms) == []


def test_a_pass_is_poor_that_frees_less_than_a_tenth_of_what_was_used() -> None:
    def freed(tokens: int, lever: str = "history", level: str = "critical") -> Receipt:
        return Receipt(1, "s", 0, lever, (), level, 1, 9, None, "now", 80_000,
                       measured_tokens=tokens, outcome="measured")  # fmt: skip

    assert is_poor_pass([freed(7_999)]) is True
    assert is_poor_pass([freed(8_000)]) is False
    assert is_poor_pass([freed(4_000), freed(4_000, "mcp-servers")]) is False
    assert is_poor_pass([freed(10, "skills")]) is None
    assert is_poor_pass([freed(10, level="warning")]) is None
    assert is_poor_pass([]) is None


def test_a_levers_part_is_the_sum_of_what_is_known_of_it() -> None:
    assert part_of("skills", {"skills": 5, "agents": 7, "messages": 9}, 1) == 12
    assert part_of("skills", {"messages": 9}, 1) is None
    assert part_of("reserve", {}, 100) == 100
    assert part_of("trimming", {"messages": 9}, 1) is None
