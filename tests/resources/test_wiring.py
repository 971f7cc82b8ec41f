"""What of ours stands in a settings file, the edits that put it there, and what is left without."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from install_check import document_of, made_file, without_ours
from settings_edits import is_same, pruned
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.gateway.hook_files import hook_command, is_our_hook_command, is_our_http_hook
from tokenbudget.gateway.statusline_files import (
    chained_command,
    is_our_statusline,
    statusline_command,
)
from tokenbudget.resources.settings import edited
from tokenbudget.resources.wiring import (
    HOOKS,
    PLUGIN,
    STATUSLINE,
    Marks,
    Wanted,
    is_current,
    part_of,
    seen_in,
    wiring_edits,
)
from tokenbudget.resources.wiring_hooks import EVENTS, events_wired, hook_groups
from tokenbudget.resources.wiring_sweep import swept

OURS = statusline_command("/usr/bin/python3", "/home/a b/tokens")
HOOK = hook_command("/usr/bin/python3", "/home/a b/tokens")
MARKS = Marks(
    is_our_statusline,
    chained_command,
    lambda hook: is_our_hook_command(hook.get("command")) or is_our_http_hook(hook),
    "tokenbudget@tokenbudget",
)
ALL = Wanted(
    statusline=OURS,
    chain=lambda other: statusline_command("/usr/bin/python3", "/home/a b/tokens", other),
    hooks=hook_groups(("SessionStart", "PreToolUse", "Stop"), HOOK, None),
    plugin="tokenbudget@tokenbudget",
    plugin_folder="/pkg/plugin",
)
THEIRS = {"type": "command", "command": "theirs", "timeout": 60}


def wired(text: str, wanted: Wanted = ALL) -> str:
    return edited(text, wiring_edits(text, wanted, MARKS))


def test_an_empty_file_gets_all_of_it() -> None:
    document = json.loads(wired(""))
    assert document["statusLine"] == {"type": "command", "command": OURS, "refreshInterval": 5}
    (group,) = document["hooks"]["PreToolUse"]
    assert group["matcher"] == "Read|Bash"
    assert group["hooks"] == [{"type": "command", "command": HOOK, "timeout": 5}]
    assert "matcher" not in document["hooks"]["Stop"][0]
    assert document["enabledPlugins"] == {"tokenbudget@tokenbudget": True}
    source: Any = document["extraKnownMarketplaces"]["tokenbudget"]["source"]
    assert source == {"source": "directory", "path": "/pkg/plugin"}
    seen = seen_in(wired(""), MARKS)
    assert seen.parts == (STATUSLINE, HOOKS, PLUGIN)
    assert is_current(seen, ALL)


def test_what_others_have_stays_and_their_status_line_is_chained() -> None:
    before: dict[str, Any] = {
        "statusLine": {"type": "command", "command": "their 'line'", "padding": 0},
        "hooks": {"Stop": [{"hooks": [THEIRS]}], "Notification": [{"hooks": [THEIRS]}]},
    }
    document = json.loads(wired(json.dumps(before)))
    line = document["statusLine"]
    assert (line["padding"], chained_command(line["command"])) == (0, "their 'line'")
    assert document["hooks"]["Stop"][0] == {"hooks": [THEIRS]}
    assert document["hooks"]["Notification"] == before["hooks"]["Notification"]
    seen = seen_in(json.dumps(document), MARKS)
    assert (seen.other_statusline, len(seen.others), len(seen.ours)) == ("their 'line'", 2, 3)


@given(st.integers(0, 10_000))
def test_without_a_journal_what_has_our_mark_goes_and_nothing_else(seed: int) -> None:
    """As far as it can be known: a list that was empty before goes with what we put into it."""
    content = made_file(seed) or b""
    text = content.decode()
    before = document_of(content)
    bare = swept(wired(text), MARKS)
    assert seen_in(bare, MARKS).parts == ()
    assert is_same(pruned(document_of(bare.encode())), pruned(before))
    assert bare.startswith("\ufeff") == text.startswith("\ufeff")


@given(st.integers(0, 10_000), st.sampled_from([(STATUSLINE,), (HOOKS,), (PLUGIN,)]))
def test_one_part_can_go_alone(seed: int, parts: tuple[str, ...]) -> None:
    now = wired((made_file(seed) or b"").decode())
    left = seen_in(swept(now, MARKS, parts), MARKS).parts
    assert left == tuple(part for part in (STATUSLINE, HOOKS, PLUGIN) if part not in parts)


def test_what_is_not_ours_is_not_touched_by_sweeping() -> None:
    text = '{ "hooks":{"Stop":[ ] , "X": [{"hooks":[]}]},\t"statusLine": {"command":"x"}} // end'
    assert swept(text, MARKS) == text


def test_our_hook_goes_from_a_group_that_somebody_added_to() -> None:
    ours = {"type": "command", "command": HOOK, "timeout": 30}
    text = json.dumps({"hooks": {"Stop": [{"matcher": "m", "hooks": [THEIRS, ours, THEIRS]}]}})
    wanted = {"hooks": {"Stop": [{"matcher": "m", "hooks": [THEIRS, THEIRS]}]}}
    assert json.loads(swept(text, MARKS)) == wanted


# ── up to date or not ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"statusline": statusline_command("/other/python", "/home/a b/tokens"), "chain": None},
        {"hooks": hook_groups(("SessionStart", "Stop"), HOOK, None)},
        {"hooks": hook_groups(("SessionStart", "PreToolUse", "Stop"), HOOK + "x", None)},
        {"plugin_folder": "/elsewhere"},
    ],
    ids=["python", "events", "command", "folder"],
)
def test_what_is_wired_otherwise_is_not_current(change: dict[str, Any]) -> None:
    now = seen_in(wired(""), MARKS)
    assert is_current(now, ALL._replace(**change)) == ("plugin_folder" in change)


def test_how_long_the_agent_waits_for_a_hook_is_the_persons_to_say() -> None:
    text = wired("").replace('"timeout": 5', '"timeout": 9')
    assert is_current(seen_in(text, MARKS), ALL)


def test_another_secret_is_not_current() -> None:
    def http(secret: str) -> Wanted:
        hook: dict[str, object] = {
            "type": "http",
            "url": "http://127.0.0.1:27100/v1/hook",
            "headers": {"Authorization": f"Bearer {secret}"},
        }
        return Wanted(hooks=hook_groups(("SessionStart", "PreCompact", "Stop"), HOOK, hook))

    text = wired("", http("one"))
    document = json.loads(text)
    assert document["hooks"]["SessionStart"][0]["hooks"][0]["type"] == "command"
    assert document["hooks"]["PreCompact"][0]["hooks"][0]["type"] == "command"
    assert document["hooks"]["Stop"][0]["hooks"][0]["type"] == "http"
    assert is_current(seen_in(text, MARKS), http("one"))
    assert not is_current(seen_in(text, MARKS), http("two"))
    assert swept(text, MARKS) == "{}\n"


# ── what cannot be edited ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        '{"hooks": {}, "hooks": {}}',
        '{"statusLine": {"command": "a", "type": "command", "command": "b"}}',
        '{"hooks": {"Stop": [], "Stop": []}}',
        '{"statusLine": "x"}',
        '{"statusLine": null}',
        '{"statusLine": {"type": "static", "command": "x"}}',
        '{"statusLine": {"type": "command"}}',
        '{"hooks": []}',
        '{"hooks": {"Stop": {}}}',
        '{"enabledPlugins": ["x"]}',
        "[]",
        "{",
        "null",
        '{"a": NaN}',
        "{" * 3000,
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises((NotEditable, ValueError)):
        wired(text)


def test_a_name_that_stands_twice_elsewhere_is_nobodys_business() -> None:
    text = '{"env": {"A": "1", "A": "2"}}'
    assert swept(wired(text), MARKS) == text


@given(st.text(max_size=60))
def test_any_text_is_seen_or_refused(text: str) -> None:
    try:
        seen = seen_in(text, MARKS)
    except (NotEditable, ValueError):
        return
    assert seen.parts == ()


HOSTILE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", HOOK, OURS, "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["hooks", "command", "type", "Stop"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hooks": HOSTILE,
            "statusLine": HOSTILE,
            "enabledPlugins": HOSTILE,
            "extraKnownMarketplaces": HOSTILE,
            "disableAllHooks": HOSTILE,
        },
    )
)
def test_values_of_any_kind_on_our_way_do_no_harm(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    bare = swept(text, MARKS)
    assert seen_in(bare, MARKS).parts == ()
    if not seen_in(text, MARKS).parts:
        assert bare == text
    try:
        now = wired(bare)
    except (NotEditable, ValueError):
        return
    assert seen_in(now, MARKS).parts == (STATUSLINE, HOOKS, PLUGIN)


# ── events ───────────────────────────────────────────────────────────────────────────────────────


def test_only_events_that_the_clients_know_are_wired() -> None:
    assert events_wired({"Stop", "SessionStart", "Elicitation"}) == ("SessionStart", "Stop")
    assert events_wired(()) == ()


def test_of_the_model_switch_one_event_is_enough() -> None:
    assert events_wired(EVENTS)[-1] == "PreModelSwitch"
    assert events_wired({"PostModelSwitch"}) == ("PostModelSwitch",)


def test_each_edit_belongs_to_its_part() -> None:
    parts = [part_of(edit) for edit in wiring_edits("", ALL, MARKS)]
    assert parts == [STATUSLINE, HOOKS, HOOKS, HOOKS, PLUGIN, PLUGIN]


def test_the_model_that_the_tool_compares_with_takes_ours_out() -> None:
    """`tools/install_check.py` says a second time what should be left."""
    rng = random.Random(1)
    before = {"hooks": {"Stop": []}, "a": rng.random()}
    now = json.loads(wired(json.dumps(before), ALL._replace(plugin="")))
    assert without_ours(now, before) == before
