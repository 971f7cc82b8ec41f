import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.settings_said import (
    USER,
    ForeignHook,
    OwnPaths,
    Said,
    digest_of,
    host_of,
    own_paths,
    said_in,
)
from tokenbudget.resources.wiring import Marks, Seen

OURS = "/usr/bin/python3 -IS -c 'import hook_client' /opt/tb/gateway /home/me/tb"
LINE = "/usr/bin/python3 -IS -c 'import statusline' /opt/tb/gateway /home/me/tb"
MARKS = Marks(
    is_statusline=lambda text: "import statusline" in text,
    chained=lambda text: "",
    is_hook=lambda hook: (
        "hook_client" in str(hook.get("command")) or "/v1/hook" in str(hook.get("url"))
    ),
    plugin="tokenbudget@tokenbudget",
)
NAMES = (
    *("hooks", "Stop", "PreToolUse", "command", "type", "url", "headers", "timeout"),
    *("statusLine", "env", "ANTHROPIC_BASE_URL", "permissions", "deny", "matcher"),
    *("disableAllHooks", "enabledPlugins", "allowedHttpHookUrls", "source", "path"),
    *("strictPluginOnlyCustomization", "extraKnownMarketplaces", "tokenbudget"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=30,
)


def said(document: object) -> Said:
    """What a file with this content says."""
    text = document if isinstance(document, str) else json.dumps(document)
    return said_in(text, USER, "/home/me/.claude/settings.json", MARKS)


def hooks(event: str, *given: dict[str, Any], **group: Any) -> dict[str, Any]:
    """Settings with one group of hooks."""
    return {"hooks": {event: [{**group, "hooks": list(given)}]}}


def test_ours_and_another_tools_are_told_apart() -> None:
    mine = {"type": "command", "command": OURS}
    other = {"type": "command", "command": "guard", "timeout": 90}

    found = said(hooks("PreToolUse", mine, other, matcher="Bash"))

    assert [(hook.event, hook.is_ours) for hook in found.seen.hooks] == [
        ("PreToolUse", True),
        ("PreToolUse", False),
    ]
    assert found.own == (("hooks", OwnPaths("/usr/bin/python3", "/opt/tb/gateway", "/home/me/tb")),)
    assert found.foreign == (ForeignHook("PreToolUse", "Bash", "guard", 90.0),)
    assert not found.has_statusline
    assert found.mentions == ("hooks",)


def test_our_status_line_names_its_paths() -> None:
    found = said({"statusLine": {"type": "command", "command": LINE}})

    assert found.own[0] == ("statusline", own_paths(LINE))
    assert found.has_statusline


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is no JSON object"),
        ("[]", "is no JSON object"),
        ("[" * 100_000, "is no JSON object"),
        ('// mine\n{"a": 1}', "holds comments"),
        ('{"a": 1,}', ""),
    ],
)
def test_what_the_client_passes_over_has_a_fault(text: str, fault: str) -> None:
    found = said(text)

    assert fault in found.fault
    assert found.fault
    assert (found.events, found.disables_all) == ((), None)


def test_of_a_name_that_stands_twice_the_last_one_counts() -> None:
    mine = hooks("Stop", {"type": "command", "command": OURS})["hooks"]

    last, first = (
        said(f'{{"hooks": {one}, "hooks": {other}}}')
        for one, other in (("{}", json.dumps(mine)), (json.dumps(mine), "{}"))
    )
    assert (last.counts, first.counts) == (True, True)
    assert (last.parts, first.parts) == (("hooks",), ())
    assert "twice" in last.ambiguity


@pytest.mark.parametrize("text", ["", " \n", "{}", "\ufeff{}"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert said(text) == Said(USER, "/home/me/.claude/settings.json")


def test_a_broken_file_that_holds_ours_is_told_so() -> None:
    assert said("{" + json.dumps(OURS)).mentions
    assert said('{"enabledPlugins": {"tokenbudget@tokenbudget": true}').mentions
    assert said("{").mentions == ()


WRONG = [
    ({"hooks": []}, "hooks"),
    ({"model": 3}, "model"),
    ({"disableAllHooks": "yes"}, "disableAllHooks"),
    ({"permissions": "x"}, "permissions"),
    ({"enabledPlugins": ["x"]}, "enabledPlugins"),
    ({"statusLine": "x"}, "statusLine"),
    ({"statusLine": {}}, "statusLine"),
    ({"statusLine": {"command": "x"}}, "statusLine"),
    ({"statusLine": {"type": "command"}}, "statusLine"),
    ({"allowedHttpHookUrls": "x"}, "allowedHttpHookUrls"),
    ({"hooks": {"PermissionRequest": None}}, "hooks.PermissionRequest"),
]
WRONG_HOOKS: list[tuple[object, str]] = [
    ({"hooks": []}, ""),
    ([{}], "[0]"),
    (["x"], "[0]"),
    ([{"matcher": {"a": 1}, "hooks": []}], "[0].matcher"),
    ([{"hooks": [{"type": "nonsense"}]}], "[0].hooks[0]"),
    ([{"hooks": [{"command": "x"}]}], "[0].hooks[0]"),
    ([{"hooks": [{"type": "command"}]}], "[0].hooks[0]"),
    ([{"hooks": ["x"]}], "[0].hooks[0]"),
    ([{"hooks": [{"type": ["command"], "command": "x"}]}], "[0].hooks[0]"),
]


@pytest.mark.parametrize(("given", "way"), WRONG)
def test_a_type_that_no_client_takes_is_found(given: dict[str, Any], way: str) -> None:
    found = said(given)

    assert found.refused == (way,)
    assert not found.counts


@pytest.mark.parametrize(("groups", "way"), WRONG_HOOKS)
def test_a_hook_that_decides_about_safety_costs_the_file(groups: object, way: str) -> None:
    found = said({"hooks": {"PreToolUse": groups}})

    assert found.refused == (f"hooks.PreToolUse{way}",)
    assert not found.counts


@pytest.mark.parametrize(("groups", "way"), WRONG_HOOKS)
def test_another_costs_it_in_an_old_client_alone(groups: object, way: str) -> None:
    found = said({"hooks": {"Stop": groups}})

    assert (found.refused, found.refused_by_old) == ((), (f"hooks.Stop{way}",))
    assert found.counts


def test_every_kind_of_hook_is_taken() -> None:
    kinds = [
        {"type": "command", "command": "x"},
        {"type": "http", "url": "http://127.0.0.1:1/"},
        {"type": "prompt", "prompt": "x"},
        {"type": "agent", "prompt": "x"},
        {"type": "mcp_tool", "server": "x", "tool": "y"},
    ]

    for event in ("PreToolUse", "Stop"):
        assert said(hooks(event, *kinds, matcher="*")).counts
        assert said(hooks(event, *kinds, matcher="*")).refused_by_old == ()
    assert said(hooks("Stop", *kinds)).hook_types == {
        "command",
        "http",
        "prompt",
        "agent",
        "mcp_tool",
    }


def test_what_forbids_us_is_read() -> None:
    found = said(
        {
            "disableAllHooks": False,
            "allowManagedHooksOnly": True,
            "strictPluginOnlyCustomization": ["hooks", 3],
            "disableSkillShellExecution": True,
            "permissions": {"deny": ["Bash", 1]},
            "allowedHttpHookUrls": ["http://127.0.0.1:*"],
        }
    )

    assert found.disables_all is False
    assert found.is_managed_only
    assert found.locked == {"hooks"}
    assert found.forbids_shell
    assert found.denies_shell
    assert found.http_urls == ("http://127.0.0.1:*",)
    assert said({"strictPluginOnlyCustomization": True}).locked >= {"hooks", "skills"}
    assert not said({"permissions": {"deny": ["Bash(rm:*)"]}}).denies_shell


def test_a_secret_is_compared_and_not_kept() -> None:
    url = "http://127.0.0.1:4711/v1/hook"
    hook = {"type": "http", "url": url, "headers": {"Authorization": "Bearer s3cret"}}

    found = said(hooks("Stop", hook))

    assert found.secret_digests == {digest_of("Bearer s3cret")}
    assert found.ports == (4711,)
    assert "s3cret" not in repr(found._replace(seen=Seen()))
    assert found.mentions == ("hooks",)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (
            "https://me:s3cret@proxy.example:8080/s3cret?k=s3cret#s3cret",
            "https://proxy.example:8080",
        ),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("me:s3cret@proxy.example/s3cret", "proxy.example"),
        ("", ""),
    ],
)
def test_of_an_address_only_the_host_is_kept(address: str, host: str) -> None:
    assert host_of(address) == host
    assert said({"env": {"ANTHROPIC_BASE_URL": address}}).base_url == host


@pytest.mark.parametrize(
    "command", ["", "'", "tokens hook", "a b c d e f", "python -IS x.py a b c"]
)
def test_another_command_names_no_paths(command: str) -> None:
    assert own_paths(command) is None


@given(JSON)
def test_nothing_in_a_file_is_believed(document: object) -> None:
    found = said(json.dumps(document))

    if not isinstance(document, dict):
        assert found.fault
    assert all(isinstance(hook.target, str) for hook in found.foreign)


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert said(text).scope == USER
