from typing import Any

import pytest
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

from tokenbudget.resources.client_features import LOOKED_AT
from tokenbudget.resources.effect import Daemon, Drawn, Facts, HookEvidence, LoosePath, OwnFile
from tokenbudget.resources.effect_troubles import troubles_of
from tokenbudget.resources.settings_said import LOCAL, MANAGED, PROJECT, digest_of
from tokenbudget.resources.wiring import Seen, WiredHook

OLD = (client("2.0.76"),)
LOCAL_PATH = "/w/.claude/settings.local.json"
MANAGED_PATH = "/etc/claude-code/managed-settings.json"
ALL_EVENTS = (
    *("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure"),
    *("PreCompact", "Stop", "SubagentStop", "SessionEnd"),
)


def kinds(given: Facts, blocking: bool | None = None) -> list[tuple[str, str]]:
    """(kind, part) of what is wrong; by default without what is merely left to be wired."""
    return [
        (one.kind, one.part)
        for one in troubles_of(given)
        if one.kind != "more-events" and blocking in (None, one.is_blocking)
    ]


def with_files(*files: Any, **fields: Any) -> Facts:
    """All is well, with these settings files beside the user's."""
    return all_is_well(files=(wired_file(), *files), **fields)


def test_where_all_is_well_nothing_is_wrong() -> None:
    assert kinds(all_is_well()) == []
    assert kinds(facts()) == []


def test_every_trouble_says_what_and_what_to_do() -> None:
    given = with_files(
        file(MANAGED, MANAGED_PATH, disables_all=True, is_managed_only=True),
        missing=frozenset((PATHS.folder,)),
    )

    for trouble in troubles_of(given):
        assert trouble.says
        assert trouble.do
        assert not trouble.says.endswith(".")


# ── files that do not count ───────────────────────────────────────────────────────────────────────


def test_a_file_that_cannot_be_read_blocks_where_ours_stands_in_it() -> None:
    ours_in_it = file(fault="is no JSON object", mentions=("hooks",))
    other = file(PROJECT, "/w/.claude/settings.json", fault="cannot be read (Permission denied)")

    assert kinds(facts(ours_in_it), True) == [("settings-unreadable", "hooks")]
    elsewhere = file(LOCAL, LOCAL_PATH, seen=Seen(hooks=ours()))
    assert kinds(facts(ours_in_it, elsewhere), True) == []
    assert kinds(facts(other), True) == []
    assert kinds(facts(other)) == [("settings-unreadable", "")]


def test_one_entry_of_a_wrong_shape_costs_the_whole_file() -> None:
    broken = wired_file(refused=("hooks.PreToolUse[0].matcher",))

    found = [one for one in troubles_of(facts(broken)) if one.is_blocking]
    assert [(one.kind, one.part) for one in found] == [
        ("settings-refused", "statusline"),
        ("settings-refused", "hooks"),
    ]
    assert "hooks.PreToolUse[0].matcher" in found[0].says


def test_what_stands_in_a_file_that_does_not_count_forbids_nothing() -> None:
    broken = file(LOCAL, LOCAL_PATH, disables_all=True, refused=("hooks",))

    assert kinds(with_files(broken), True) == []


# ── what forbids us ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("user", "local", "is_disabled"),
    [(True, None, True), (None, True, True), (True, False, False), (False, True, True)],
)
def test_the_last_word_on_disable_all_hooks_holds(
    user: bool | None, local: bool | None, is_disabled: bool
) -> None:
    given = all_is_well(
        files=(wired_file(disables_all=user), file(LOCAL, LOCAL_PATH, disables_all=local))
    )

    expected = [("all-hooks-disabled", "hooks"), ("all-hooks-disabled", "statusline")]
    assert kinds(given, True) == (expected if is_disabled else [])


def test_managed_hooks_only_counts_in_managed_settings_alone() -> None:
    assert kinds(with_files(file(MANAGED, MANAGED_PATH, is_managed_only=True))) == [
        ("managed-hooks-only", "hooks")
    ]
    assert kinds(with_files(file(LOCAL, LOCAL_PATH, is_managed_only=True))) == []


def test_surfaces_that_only_plugins_may_fill() -> None:
    locked = file(MANAGED, MANAGED_PATH, locked=frozenset(("hooks", "skills")))

    assert kinds(with_files(locked)) == [("plugins-only", "hooks"), ("plugins-only", "commands")]


@pytest.mark.parametrize("field", ["forbids_shell", "denies_shell"])
def test_commands_need_a_shell(field: str) -> None:
    forbidding = file(LOCAL, LOCAL_PATH, **{field: True})

    assert [part for _, part in kinds(with_files(forbidding), True)] == ["commands"]
    assert kinds(facts(forbidding)) == []


# ── clients ───────────────────────────────────────────────────────────────────────────────────────


def test_an_event_that_an_old_client_does_not_know_costs_it_every_hook() -> None:
    new = wired_file(seen=Seen(hooks=ours("Stop", "PostCompact")))
    given = facts(new, clients=(client("2.1.329"), client("2.0.76", is_installed=False)))

    [trouble] = [one for one in troubles_of(given) if one.is_blocking]
    assert trouble.kind == "unknown-event"
    assert trouble.says == (
        "2.0.76 ignores every hook of ~/.claude/settings.json, for it does not take PostCompact"
    )
    assert trouble.do == "tokens install"


def test_so_does_another_tools_event() -> None:
    hooks = (*ours("Stop"), WiredHook("FileChanged", "", "x", False))
    given = facts(wired_file(seen=Seen(hooks=hooks)), clients=(client("2.0.76"),))

    [trouble] = [one for one in troubles_of(given) if one.is_blocking]
    assert "FileChanged" in trouble.says
    assert trouble.do == "take that out of ~/.claude/settings.json"


def test_and_a_hook_over_http() -> None:
    given = facts(
        wired_file(ports=(4711,), hook_types=frozenset(("command", "http"))),
        clients=(client("2.0.76"),),
        daemon=Daemon(is_running=True, port=4711),
    )

    [trouble] = [one for one in troubles_of(given) if one.kind == "unknown-event"]
    assert trouble.do == "tokens install"


def test_also_another_tools() -> None:
    other = wired_file(hook_types=frozenset(("command", "http")))

    [trouble] = [
        one
        for one in troubles_of(facts(other, clients=(client("2.0.76"),)))
        if one.kind == "unknown-event"
    ]
    assert "for it does not take type http" in trouble.says
    assert trouble.do == "take that out of ~/.claude/settings.json"
    assert kinds(facts(other, clients=(client("2.1.270"),))) == []


def test_a_hook_of_a_wrong_shape_costs_an_old_client_every_hook() -> None:
    wrong = wired_file(refused_by_old=("hooks.Stop[1]",))

    [trouble] = [one for one in troubles_of(facts(wrong, clients=OLD)) if one.is_blocking]
    assert trouble.kind == "unknown-event"
    assert "hooks.Stop[1]" in trouble.says
    assert kinds(facts(wrong)) == []


def test_of_a_client_that_was_not_tested_that_is_only_likely() -> None:
    new = wired_file(seen=Seen(hooks=ours("Stop", "PostCompact")))
    given = facts(new, clients=(client("2.1.100"),))

    [trouble] = [one for one in troubles_of(given) if one.kind == "unknown-event"]
    assert not trouble.is_blocking
    assert "probably" in trouble.says
    assert kinds(given._replace(hooks=evidence(version="2.1.100"))) == []


@pytest.mark.parametrize("version", [LOOKED_AT[-1].version, "2.1.400"])
def test_newer_clients_pass_over_what_they_do_not_know(version: str) -> None:
    new = wired_file(seen=Seen(hooks=ours("Stop", "NotInvented")))

    assert kinds(facts(new, clients=(client(version),))) == []


def test_events_left_out_for_a_client_that_is_gone_are_told() -> None:
    wired = wired_file(seen=Seen(hooks=ours(*ALL_EVENTS)))

    [trouble] = troubles_of(facts(wired))
    assert (trouble.kind, trouble.is_blocking) == ("more-events", False)
    assert "PostCompact" in trouble.says
    assert troubles_of(facts(wired, clients=(client(), client("2.0.76")))) == ()


def test_an_old_client_loads_no_plugin_that_settings_name() -> None:
    named = file(seen=Seen(is_plugin_enabled=True, has_marketplace=True))
    old = facts(named, clients=(client("2.0.76"),))

    assert kinds(old, True) == [("plugin-not-loaded", "plugin")]
    assert kinds(facts(named, clients=(client(), client("2.0.76"))), True) == []
    assert kinds(old._replace(hooks=evidence(version="2.0.76"))) == []
    assert kinds(facts(named)) == []


# ── places ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gone", [PATHS.python, PATHS.folder])
def test_a_path_that_is_gone_is_mended_by_installing_anew(gone: str) -> None:
    found = [one for one in troubles_of(all_is_well(missing=frozenset((gone,)))) if one.is_blocking]

    assert [(one.kind, one.part) for one in found] == [
        ("paths-gone", "statusline"),
        ("paths-gone", "hooks"),
    ]
    assert all(gone in one.says and one.do == "tokens install" for one in found)


def test_a_command_whose_program_is_gone() -> None:
    own = OwnFile("commands", "user", "/x/tokens.md", "/tokens", missing="/old/tokens")

    assert kinds(all_is_well(own_files=(own,)), True) == [("paths-gone", "commands")]


def test_a_plugin_whose_folder_is_gone() -> None:
    given = facts(
        file(seen=Seen(is_plugin_enabled=True)), marketplace="/gone", is_marketplace_there=False
    )

    assert kinds(given, True) == [("paths-gone", "plugin")]


def test_wired_for_another_home() -> None:
    other = wired_file(own=(("hooks", PATHS._replace(home="/elsewhere")),))

    [trouble] = [one for one in troubles_of(all_is_well(files=(other,))) if one.is_blocking]
    assert trouble.kind == "other-home"
    assert "TOKENS_HOME=/elsewhere" in trouble.do


def test_a_status_line_in_a_higher_scope_is_drawn_instead() -> None:
    other = file(PROJECT, "/w/x", has_statusline=True, seen=Seen(other_statusline="ccusage"))

    assert kinds(with_files(other), True) == [("statusline-overridden", "statusline")]
    ours_too = file(PROJECT, "/w/x", has_statusline=True, seen=Seen(statusline="ours"))
    assert kinds(with_files(ours_too), True) == []


# ── HTTP ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"daemon": Daemon()}, "no-daemon"),
        ({"daemon": Daemon(is_running=True, port=1)}, "other-port"),
        ({"daemon": Daemon(is_running=True)}, "other-port"),
        ({"knows_secret": False}, "other-secret"),
    ],
)
def test_hooks_over_http_need_the_daemon_that_they_ask(fields: dict[str, Any], kind: str) -> None:
    daemon = Daemon(is_running=True, port=4711)
    given = all_is_well(files=(wired_file(ports=(4711,)),), **{"daemon": daemon, **fields})

    assert kinds(given, True) == [(kind, "hooks")]


def test_a_daemon_that_the_next_session_starts_is_no_failure() -> None:
    by_http = ours("Stop", target="http://127.0.0.1:4711/v1/hook")
    both = wired_file(seen=Seen(hooks=(*ours("SessionStart"), *by_http)), ports=(4711,))
    alone = wired_file(seen=Seen(hooks=by_http), ports=(4711,))

    assert kinds(facts(both, is_autostarting=True), True) == []
    assert kinds(facts(both, is_autostarting=True)) == [("no-daemon", "hooks")]
    assert kinds(facts(both), True) == [("no-daemon", "hooks")]
    assert kinds(facts(alone, is_autostarting=True), True) == [("no-daemon", "hooks")]


@pytest.mark.parametrize(
    ("allowed", "is_fine"),
    [
        (None, True),
        (("*",), True),
        (("http://127.0.0.1:*",), True),
        ((), False),
        (("https://hooks.example/*", "http://[1]27.0.0.1:*"), False),
    ],
)
def test_addresses_that_hooks_may_ask(allowed: tuple[str, ...] | None, is_fine: bool) -> None:
    given = all_is_well(
        files=(wired_file(ports=(4711,)), file(LOCAL, LOCAL_PATH, http_urls=allowed)),
        daemon=Daemon(is_running=True, port=4711),
    )

    assert kinds(given, True) == ([] if is_fine else [("url-not-allowed", "hooks")])


def test_a_session_start_over_http_is_never_asked() -> None:
    hooks = (
        *ours("SessionStart", "Stop", target="http://127.0.0.1:4711/v1/hook"),
        *ours("SessionEnd"),
    )
    wired = wired_file(seen=Seen(statusline="x", hooks=hooks), ports=(4711,))
    given = all_is_well(files=(wired,), daemon=Daemon(is_running=True, port=4711))

    assert kinds(given) == [("never-by-http", "hooks")]


# ── what was heard ────────────────────────────────────────────────────────────────────────────────


def test_sessions_that_nothing_was_heard_of() -> None:
    begun = (NOW_MS - 3_600_000, NOW_MS - 60_000)

    assert kinds(facts(wired_file(), session_starts=begun), True) == [("silent", "hooks")]
    before = (NOW_MS - 10 * 86_400_000,)
    assert kinds(facts(wired_file(), session_starts=before)) == []
    assert kinds(facts(wired_file(), session_starts=begun, hooks=evidence())) == []
    first_hook = evidence(ago_ms=3_600_500)  # half a second before the first line
    assert kinds(facts(wired_file(), session_starts=begun, hooks=first_hook)) == []
    assert kinds(facts(session_starts=begun)) == []


def test_a_plugin_may_miss_its_first_session() -> None:
    plugin = file(seen=Seen(is_plugin_enabled=True))
    first, second = NOW_MS - 3_600_000, NOW_MS - 60_000

    assert kinds(facts(plugin, session_starts=(first,))) == []
    assert kinds(facts(plugin, session_starts=(first, second)), True) == [("silent", "plugin")]


def test_faults_of_our_own_are_told_and_block_nothing() -> None:
    hooks = HookEvidence(1, {"Stop": (3, NOW_MS)}, {"2.1.329": 3}, 2, "KeyError")

    [trouble] = [one for one in troubles_of(all_is_well(hooks=hooks)) if one.kind == "hook-faults"]
    assert not trouble.is_blocking
    assert "2 times" in trouble.says


# ── twice ─────────────────────────────────────────────────────────────────────────────────────────


def test_hooks_and_the_plugin_answer_twice() -> None:
    both = wired_file(seen=Seen(statusline="x", hooks=ours(), is_plugin_enabled=True))

    plugged = file(LOCAL, LOCAL_PATH, seen=Seen(is_plugin_enabled=True))

    for files, do in (
        ((both,), "tokens install"),
        ((wired_file(), plugged), "tokens uninstall --scope local"),
    ):
        [trouble] = [o for o in troubles_of(all_is_well(files=files)) if o.kind == "wired-twice"]
        assert (trouble.part, trouble.do, trouble.is_blocking) == ("hooks", do, False)


def test_two_scopes_answer_twice_unless_they_say_the_same() -> None:
    same = file(LOCAL, LOCAL_PATH, seen=Seen(hooks=ours()))
    other = file(LOCAL, LOCAL_PATH, seen=Seen(hooks=ours(target="of another place")))

    assert kinds(with_files(same)) == []
    assert kinds(with_files(other)) == [("several-scopes", "hooks")]
    [trouble] = [o for o in troubles_of(with_files(other)) if o.kind == "several-scopes"]
    assert trouble.do == "tokens uninstall --scope local"


# ── where to mend it ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "do"),
    [
        ({}, "tokens install"),
        ({"scope": LOCAL}, "tokens install --scope local"),
        ({"scope": PROJECT}, "tokens install --scope project"),
        ({"scope": MANAGED}, "ask whoever manages this machine"),
        ({"ports": (4711,)}, "tokens install --http-hooks"),
    ],
)
def test_what_is_gone_is_wired_anew_where_it_stands(fields: dict[str, Any], do: str) -> None:
    found = troubles_of(facts(wired_file(**fields), missing=frozenset((PATHS.python,))))

    assert {one.do for one in found if one.kind == "paths-gone"} == {do}


def test_a_command_of_a_project_is_written_anew_there() -> None:
    own = OwnFile("commands", PROJECT, "/w/.claude/commands/tokens.md", "/tokens", "/gone/tokens")

    [trouble] = troubles_of(facts(own_files=(own,)))
    assert (trouble.kind, trouble.do) == ("paths-gone", "tokens install --scope project")


def test_a_name_that_stands_twice_is_told_and_stops_nothing() -> None:
    given = all_is_well(files=(wired_file(ambiguity="'hooks' stands there twice"),))

    assert kinds(given) == [("settings-ambiguous", "")]
    assert kinds(given, blocking=True) == []


# ── what is not safe ──────────────────────────────────────────────────────────────────────────────


def test_a_project_that_sends_requests_elsewhere_is_told() -> None:
    found = troubles_of(facts(file(PROJECT, "/w/x", base_url="https://evil.example")))

    assert [(one.kind, one.is_blocking) for one in found] == [("base-url", False)]
    assert "https://evil.example" in found[0].says
    assert troubles_of(facts(file(base_url="http://127.0.0.1:1"))) == ()


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o644, True), (0o640, True)])
def test_a_secret_that_others_may_read(mode: int, is_told: bool) -> None:
    digests = frozenset((digest_of("Bearer x"),))

    found = kinds(facts(file(secret_digests=digests, mode=mode)))
    assert found == ([("secret-readable", "hooks")] if is_told else [])


def test_folders_that_are_open_to_others() -> None:
    loose = LoosePath("/home/me/tb/run", 0o755, 0o700, "holds the socket")

    [trouble] = troubles_of(facts(loose=(loose,)))
    assert (trouble.kind, trouble.do) == ("open-to-others", "chmod 700 /home/me/tb/run")


def test_what_blocks_comes_first() -> None:
    given = with_files(
        file(PROJECT, "/w/x", base_url="https://evil.example"),
        missing=frozenset((PATHS.python,)),
        drawn=Drawn(NOW_MS, ""),
    )

    blocking = [one.is_blocking for one in troubles_of(given)]
    assert blocking == sorted(blocking, reverse=True)
    assert set(blocking) == {True, False}  # else the order would say nothing
    assert False in blocking
