"""What is known of a lever is what was measured of that very release and model, nothing else."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.model.actions import Effect
from tokenbudget.model.control import ADVICE_ONLY, LEVERS
from tokenbudget.optimizer.lever_facts import (
    fact,
    facts,
    measured_model,
    measured_on,
    plain_name,
)
from tokenbudget.optimizer.lever_table import ALIKE, ROWS

NEWEST, OPUS, SONNET = "2.1.329", "claude-opus-5-5", "claude-sonnet-4-5"
RELEASES = sorted({row[2] for row in ROWS})
MODELS = sorted({row[3] for row in ROWS})
EFFECTS: tuple[str, ...] = get_args(Effect)


@pytest.mark.parametrize(
    "release",
    ["", "2.1.330", "2.1.328", "2.2.0", "3.0.0", "2.0.77", "1.0.0", "garbage", "2.1.329-beta.1"],
)
def test_a_release_that_nobody_measured_is_unknown(release: str) -> None:
    for lever in LEVERS:
        assert fact(release, SONNET, False, lever) is None


@pytest.mark.parametrize(
    "model", ["", "gpt-5", "claude-", "claude-opus-9", "claude-sonnet-4-50", "<synthetic>"]
)
def test_a_model_that_nobody_measured_is_unknown(model: str) -> None:
    for lever in LEVERS:
        assert facts(NEWEST, model, False, lever) == ()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("claude-sonnet-4-5", SONNET),
        ("claude-sonnet-4-5-20250929", SONNET),
        ("Claude-Sonnet-4-5", SONNET),
        ("claude-sonnet-4-5[1m]", SONNET),
        ("claude-sonnet-4-5@20250929", SONNET),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        ("anthropic/claude-opus-5-5", OPUS),
        (" claude-opus-5-5 ", OPUS),
        ("claude-opus-5", "claude-opus-5"),
        ("claude-sonnet-4-5-turbo", "claude-sonnet-4-5-turbo"),
    ],
)
def test_a_model_goes_by_its_own_name(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_only_what_the_table_calls_alike_stands_for_another() -> None:
    for release, model, like in ALIKE:
        assert measured_model(release, model) == like
        assert model not in MODELS
        assert like in MODELS
        assert release in RELEASES
        one = fact(release, model, False, "skills")
        assert one is not None
        assert one.model == like
    assert measured_model("9.9.9", SONNET) is None


def test_what_is_advice_only_has_no_fact() -> None:
    for lever in ADVICE_ONLY:
        assert not any(row[0] == lever for row in ROWS)


def test_every_other_lever_was_measured_with_every_release_and_model() -> None:
    measured = {(row[0], row[2], row[3]) for row in ROWS}
    for lever in set(LEVERS) - set(ADVICE_ONLY):
        for release in RELEASES:
            for model in MODELS:
                assert (lever, release, model) in measured, (lever, release, model)


def test_the_table_is_plain_and_whole() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", measured_on())
    keys = [row[:5] for row in ROWS]
    assert len(set(keys)) == len(keys)
    for row in ROWS:
        assert row[0] in LEVERS
        assert row[5] in EFFECTS
        assert row[9] in ("", "tools", "system", "messages")


def test_the_best_way_is_what_works_soonest() -> None:
    found = facts(NEWEST, SONNET, False, "mcp-servers")
    order = [EFFECTS.index(one.effect) for one in found]
    assert order == sorted(order)
    assert found[0] == fact(NEWEST, SONNET, False, "mcp-servers")
    named = fact(NEWEST, SONNET, False, "mcp-servers", "disabledMcpjsonServers")
    assert named is not None
    assert named.effect == "next start"
    assert fact(NEWEST, SONNET, False, "mcp-servers", "prayer") is None


def test_servers_leave_a_running_session_at_once_only_where_their_tools_stand_in_it() -> None:
    inline = fact(NEWEST, SONNET, False, "mcp-servers")
    assert inline is not None
    assert (inline.means, inline.effect, inline.rewrites) == ("permissions.deny", "now", "tools")
    assert inline.notice_bytes == 0
    deferred = fact(NEWEST, SONNET, True, "mcp-servers")
    assert deferred is not None
    assert deferred.effect == "next compaction"
    assert deferred.notice_bytes > deferred.freed_bytes > 0


@pytest.mark.parametrize("lever", ["memory-files", "scratch"])
@pytest.mark.parametrize("release", ["2.1.270", "2.0.76"])
def test_what_only_a_persons_compaction_takes_out_waits_for_the_next_start(
    release: str, lever: str
) -> None:
    measured = facts(release, SONNET, False, lever)
    assert measured[0].effect == "next compaction"
    by_itself = fact(release, SONNET, False, lever)
    assert by_itself is not None
    assert by_itself.effect == "next start"
    assert fact(NEWEST, SONNET, False, lever) == facts(NEWEST, SONNET, False, lever)[0]


def test_of_an_unknown_tool_search_only_what_holds_either_way_is_known() -> None:
    unknown = facts(NEWEST, SONNET, None, "mcp-servers")
    assert "permissions.deny" not in [one.means for one in unknown]
    for one in unknown:
        both = [fact(NEWEST, SONNET, search, one.lever, one.means) for search in (True, False)]
        assert {other.effect for other in both if other} == {one.effect}
        assert one.freed_bytes == min(other.freed_bytes for other in both if other)


def test_a_fact_says_by_what_it_is_known() -> None:
    one = fact(NEWEST, "claude-sonnet-4-5-20250929", True, "skills")
    assert one is not None
    assert one.row == "2.1.329 claude-sonnet-4-5 next compaction"
    assert one.freed_bytes == -one.compacted_bytes > 0


def test_what_shorter_answers_save_is_not_claimed() -> None:
    one = fact(NEWEST, OPUS, True, "terseness")
    assert one is not None
    assert not one.is_measured
    assert one.start_bytes > 0
    assert one.freed_bytes == 0


@given(
    release=st.sampled_from(RELEASES) | st.text(max_size=12),
    model=st.sampled_from(MODELS) | st.text(max_size=30),
    search=st.sampled_from((True, False, None)),
    lever=st.sampled_from(LEVERS) | st.text(max_size=8),
)
def test_nothing_is_told_of_another_release_or_lever(
    release: str, model: str, search: bool | None, lever: str
) -> None:
    for one in facts(release, model, search, lever):
        assert (one.client, one.lever) == (release, lever)
        assert one.has_tool_search in (None, search) or search is None
        assert one.model == measured_model(release, model)
        assert one.freed_bytes >= 0
        assert one.notice_bytes >= 0
