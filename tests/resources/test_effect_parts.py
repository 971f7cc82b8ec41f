from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.resources.wired_facts import (
    NOW_MS,
    PATHS,
    all_is_well,
    client,
    evidence,
    facts,
    file,
    ours,
    wired_file,
)

from tokenbudget.resources.client_features import NEWEST_TESTED
from tokenbudget.resources.effect import (
    PARTS,
    Daemon,
    Drawn,
    Facts,
    GatewayWired,
    HookEvidence,
    Part,
)
from tokenbudget.resources.effect_parts import ago, judged, span
from tokenbudget.resources.settings_said import LOCAL, MANAGED, PROJECT, ForeignHook
from tokenbudget.resources.wiring import Seen


def part(given: Facts, name: str) -> Part:
    """One part of the answer."""
    return next(one for one in judged(given).parts if one.name == name)


def test_wired_and_effective() -> None:
    found = judged(all_is_well())

    assert found.answer == ("Wired and effective: statusline, hooks (3 events). Wired: commands.")
    assert found.is_effective
    assert tuple(one.name for one in found.parts) == PARTS
    assert part(all_is_well(), "statusline").evidence == "drawn 5 s ago by 2.1.329"
    assert part(all_is_well(), "hooks").evidence == "12 in 1 session, last 1 min ago"


def test_nothing_is_wired() -> None:
    found = judged(facts())

    assert found.answer == "Nothing of ours is wired into Claude Code yet."
    assert found.do == "tokens install --dry-run"
    assert found.is_effective
    assert not found.is_anything_wired


def test_a_rule_for_recall_is_told_and_is_no_wiring_by_itself() -> None:
    allowing = file(seen=Seen(has_recall=True))

    found = part(facts(allowing), "recall")
    assert (found.state, found.detail) == ("wired", "Bash(tokens recall:*)")
    assert found.scopes == (allowing.scope,)
    assert not judged(facts(allowing)).is_anything_wired
    assert part(facts(wired_file()), "recall").state == "absent"


HERE = GatewayWired(is_here=True, servers=2, elsewhere=0, is_sound=True)
NOTHING_ELSE = "Nothing else of ours is wired into Claude Code yet."


@pytest.mark.parametrize("has_hooks", [True, False])
@pytest.mark.parametrize("has_recall", [True, False])
@pytest.mark.parametrize(
    "gateway",
    [None, HERE, HERE._replace(is_sound=False), HERE._replace(is_here=False, elsewhere=3)],
)
def test_the_answer_is_true_of_all_that_is_wired(
    has_hooks: bool, has_recall: bool, gateway: GatewayWired | None
) -> None:
    wired = wired_file()
    seen = wired.seen if has_hooks else Seen()
    given = facts(file(seen=seen._replace(has_recall=has_recall)))._replace(gateway=gateway)
    said = judged(given).answer
    assert ("Nothing of ours" in said) == (not has_hooks and not has_recall and gateway is None)
    assert (NOTHING_ELSE in said) == (not has_hooks and "Nothing of ours" not in said)
    assert ("MCP gateway" in said) == (gateway is not None)
    assert ("not as it should be: MCP gateway" in said) == (
        gateway is not None and not gateway.is_sound
    )
    assert ("hooks" in said) == has_hooks
    if not has_hooks:
        assert ("the rule for recall" in said) == has_recall


def test_what_nobody_has_seen_yet_is_not_called_effective() -> None:
    found = judged(facts(wired_file()))

    assert found.answer == "Wired, not seen at work yet: statusline, hooks (3 events)."
    assert found.is_effective  # it is not known to fail


def test_what_was_seen_before_the_settings_changed_proves_nothing() -> None:
    changed = wired_file(changed_at_ms=NOW_MS - 1_000)

    for name in ("statusline", "hooks"):
        found = part(all_is_well(files=(changed,)), name)
        assert (found.state, found.evidence) == ("unseen", "not since its settings changed")
    ahead = wired_file(changed_at_ms=NOW_MS + 10**9)  # a clock that was set back
    assert part(all_is_well(files=(ahead,)), "hooks").state == "effective"


def test_what_cannot_work_is_said_first() -> None:
    found = judged(all_is_well(files=(wired_file(disables_all=True),)))

    assert found.answer.startswith(
        "Wired, but statusline and hooks do not work: disableAllHooks is set in"
        " ~/.claude/settings.json"
    )
    assert not found.is_effective
    assert part(all_is_well(files=(wired_file(disables_all=True),)), "hooks").state == "broken"


def test_one_part_that_fails_leaves_the_others() -> None:
    own = (("statusline", PATHS), ("hooks", PATHS._replace(home="/elsewhere")))
    found = judged(all_is_well(files=(wired_file(own=own),)))

    assert "hooks do not work" in found.answer
    assert "Wired and effective: statusline." in found.answer


def test_a_file_of_ours_that_is_no_json_fails_the_check() -> None:
    found = judged(facts(file(fault="is no JSON object", mentions=("hooks",))))

    assert not found.is_effective
    assert "~/.claude/settings.json is no JSON object" in found.answer


def test_a_project_file_of_others_does_not() -> None:
    other = file(PROJECT, "/w/.claude/settings.json", fault="is no JSON object")

    assert judged(facts(other)).is_effective
    assert judged(all_is_well(files=(wired_file(), other))).is_effective


def test_the_plugin_is_judged_by_the_same_hooks() -> None:
    plugin = file(seen=Seen(is_plugin_enabled=True))

    assert part(facts(plugin), "plugin").state == "unseen"
    assert part(facts(plugin, hooks=evidence()), "plugin").state == "effective"
    assert part(facts(plugin, hooks=evidence()), "hooks").state == "absent"


def test_a_running_daemon() -> None:
    daemon = Daemon(
        is_running=True, pid=42, started_at_ms=NOW_MS - 7_200_000, answered=9312, port=4711
    )

    found = part(all_is_well(daemon=daemon), "daemon")
    assert (found.state, found.detail) == ("effective", "port 4711")
    assert found.evidence == "process 42, up 2 h, 9,312 hooks"
    assert part(facts(), "daemon").state == "absent"


def test_another_tools_line_behind_ours_is_named() -> None:
    chained = wired_file(seen=Seen("our line", "npx ccusage statusline", ours()))

    assert part(all_is_well(files=(chained,)), "statusline").detail == "then ccusage"


# ── clients ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("version", "seen", "says"),
    [
        ("2.1.329", 12, "2.1.329 was tested: hooks seen 12 times"),
        ("2.1.329", 0, "2.1.329 was tested: hooks not seen yet"),
        (
            "2.1.400",
            12,
            f"2.1.400 is newer than any we have tested ({NEWEST_TESTED}): hooks seen 12 times, so"
            " they work",
        ),
        (
            "2.1.400",
            0,
            f"2.1.400 is newer than any we have tested ({NEWEST_TESTED}): hooks not seen yet",
        ),
        ("2.1.300", 1, "2.1.300 was not tested; it is taken for 2.1.270: hooks seen 1 time, so"),
        ("2.1.100", 0, "2.1.100 was not tested; only what 2.0.76 takes is wired: hooks not"),
    ],
)
def test_how_well_a_client_is_known(version: str, seen: int, says: str) -> None:
    hooks = evidence(seen, version) if seen else HookEvidence()
    [line] = judged(facts(wired_file(), clients=(client(version),), hooks=hooks)).clients

    assert line.says.startswith(says)
    assert line.is_newer == (version == "2.1.400")


def test_hooks_seen_in_another_client_prove_nothing_for_this_one() -> None:
    [line] = judged(all_is_well(hooks=evidence(version="2.1.270"))).clients

    assert line.says == "2.1.329 was tested: hooks not seen yet"


# ── events ────────────────────────────────────────────────────────────────────────────────────────


def test_each_event_is_told_with_who_knows_it() -> None:
    both = wired_file(seen=Seen(hooks=ours("PostCompact", "SessionStart")))
    hooks = HookEvidence(1, {"PostCompact": (2, NOW_MS), "Odd": (1, NOW_MS)})
    lines = judged(facts(both, hooks=hooks, clients=(client(), client("2.0.76")))).events

    assert [(one.event, one.is_wired, one.clients, one.seen) for one in lines] == [
        ("SessionStart", True, ("2.1.329", "2.0.76"), 0),
        ("PostCompact", True, ("2.1.329",), 2),
        ("Odd", False, (), 1),
    ]


# ── others ────────────────────────────────────────────────────────────────────────────────────────


def overlaps(**fields: Any) -> list[tuple[str, str, str]]:
    """(tool, where, what it means) of what stands beside us in the user's file."""
    found = judged(facts(file(**fields))).overlaps
    return [(one.tool, one.where, one.says) for one in found]


def test_another_tools_status_line() -> None:
    alone = overlaps(seen=Seen(other_statusline="npx ccstatusline@latest"))
    chained = overlaps(seen=Seen(statusline="ours", other_statusline="npx ccstatusline@latest"))

    assert alone == [
        ("ccstatusline", "status line", "drawn alone; tokens install puts ours above it")
    ]
    assert chained == [("ccstatusline", "status line", "drawn below ours, from the same input")]


def test_hooks_that_rewrite_are_warned_of_and_slow_ones_too() -> None:
    rtk = ForeignHook("PreToolUse", "Bash", "rtk hook", None)
    slow = ForeignHook("PostToolUse", "", "/opt/guard.sh", 600)
    quiet = ForeignHook("Stop", "", "afplay ping.aiff", 600)

    assert overlaps(foreign=(rtk, slow, quiet)) == [
        (
            "rtk",
            "PreToolUse",
            "rewrites Bash commands before they run; where two change the same call, the last one"
            " wins",
        ),
        (
            "guard.sh",
            "PostToolUse",
            "where two change the same call, the last one wins; trim.deny leaves a tool's results"
            " to it; it may hold a tool call up for 600 s",
        ),
        ("afplay", "Stop", "runs beside ours"),
    ]


def test_plugins_of_known_tools_and_a_proxy() -> None:
    found = overlaps(plugins=("claude-hud@x", "mine@y"), base_url="http://127.0.0.1:8787")

    assert found == [
        ("claude-hud", "plugin", "draws a status line"),
        (
            "a proxy",
            "ANTHROPIC_BASE_URL",
            "all requests go to http://127.0.0.1:8787, which may change them",
        ),
    ]


def test_what_a_secret_holding_command_shows_is_its_program() -> None:
    found = judged(
        facts(file(foreign=(ForeignHook("Stop", "", "KEY=s3cret notify --key s3cret", None),)))
    )

    assert "s3cret" not in repr(found)
    assert found.overlaps[0].tool == "notify"


# ── time ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [
        (0, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_600_000, "1 h"),
        (86_400_000, "1 day"),
        (5 * 86_400_000, "5 days"),
        (-5, "0 s"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit(length_ms: int, text: str) -> None:
    assert span(length_ms) == text


def test_a_moment_ahead_of_our_clock_is_now() -> None:
    assert ago(NOW_MS, NOW_MS + 10**9) == "just now"
    assert ago(NOW_MS, NOW_MS - 90_000) == "1 min ago"


FLAGS = st.fixed_dictionaries(
    {
        "disables_all": st.sampled_from([None, True, False]),
        "is_managed_only": st.booleans(),
        "forbids_shell": st.booleans(),
        "fault": st.sampled_from(["", "is no JSON object"]),
        "ports": st.sampled_from([(), (4711,)]),
        "mentions": st.sampled_from([(), ("hooks",), ("plugin",)]),
    }
)


@given(st.lists(FLAGS, max_size=3), st.booleans(), st.booleans())
def test_the_answer_and_the_check_agree(
    given_files: list[dict[str, Any]], is_seen: bool, is_gone: bool
) -> None:
    scopes = (PROJECT, LOCAL, MANAGED)
    files = [
        file(scope, f"/w/{scope}", seen=Seen(hooks=ours()), **fields)
        for scope, fields in zip(scopes, given_files, strict=False)
    ]
    found = judged(
        all_is_well(
            files=(wired_file(), *files),
            hooks=evidence() if is_seen else HookEvidence(),
            drawn=Drawn(NOW_MS, "") if is_seen else None,
            missing=frozenset((PATHS.python,)) if is_gone else frozenset(),
        )
    )

    is_broken = any(one.state == "broken" for one in found.parts)
    assert found.is_effective != is_broken
    assert ("not work" in found.answer) == is_broken
    assert ("Wired and effective" in found.answer) == any(
        one.state == "effective" and one.name != "daemon" for one in found.parts
    )


def test_one_cause_that_stops_two_parts_is_counted_once() -> None:
    bad = wired_file(fault="is no JSON")
    assert "more below" not in judged(facts(bad)).answer
    two = wired_file(disables_all=True)
    answer = judged(facts(two, missing=frozenset((PATHS.python,)))).answer
    assert "(and 1 more below)" in answer
