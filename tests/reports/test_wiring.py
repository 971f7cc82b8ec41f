import json

import pytest
from tests.resources.wired_facts import (
    NOW_MS,
    PATHS,
    all_is_well,
    client,
    facts,
    file,
    wired_file,
)

from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.wiring import wiring_document, wiring_lines
from tokenbudget.resources.effect import Daemon, Facts, LoosePath, OwnFile
from tokenbudget.resources.effect_parts import judged
from tokenbudget.resources.settings_said import PROJECT, ForeignHook

HOSTILE = "\x1b]0;owned\x07\u202e\u2066" + "漢" * 200 + "\n[red]"


def shown(given: Facts, width: int = 80, is_whole: bool = True) -> str:
    """What a person reads."""
    return "\n".join(wiring_lines(judged(given), Style(width, is_styled=False), is_whole))


def hostile() -> Facts:
    """Everything that somebody else wrote, at its worst."""
    other = file(
        PROJECT,
        "/w/" + HOSTILE,
        fault=HOSTILE,
        base_url=HOSTILE,
    )
    beside = ForeignHook(HOSTILE, HOSTILE, HOSTILE, 1e9)
    return all_is_well(
        files=(wired_file(foreign=(beside,), plugins=("rtk@" + HOSTILE,)), other),
        clients=(client("2.1." + HOSTILE), client()),
        loose=(LoosePath("/h/" + HOSTILE, 0o777, 0o700, HOSTILE),),
        daemon=Daemon(is_running=True, pid=1, trouble=HOSTILE),
        own_files=(OwnFile("commands", "user", "/x", HOSTILE, missing=HOSTILE),),
    )


def test_the_answer_is_the_first_line() -> None:
    lines = shown(all_is_well()).split("\n")

    assert lines[0] == "● Wired and effective: statusline, hooks (3 events). Wired: commands."
    assert lines[1] == ""


def test_the_screen_of_a_wiring_that_works() -> None:
    assert (
        shown(all_is_well(), is_whole=False).partition("\n\nTo do\n")[0]
        == """\
● Wired and effective: statusline, hooks (3 events). Wired: commands.

Part          Where           State      Evidence
────────────────────────────────────────────────────────────────────────────
● statusline  user            effective  drawn 5 s ago by 2.1.329
● hooks       user: 3 events  effective  12 in 1 session, last 1 min ago
● commands    user: 1 file    wired      type /tokens to see
· skill                       not wired
· plugin                      not wired
· recall                      not wired  the agent asks before tokens recall
· daemon                      stopped    hooks answer by themselves

Clients in use
  2.1.329 was tested: hooks seen 12 times (installed)"""
    )


def test_nothing_wired_says_what_to_type() -> None:
    assert shown(facts(), is_whole=False) == (
        "· Nothing of ours is wired into Claude Code yet.\n  → tokens install --dry-run"
    )


def test_a_trouble_of_several_parts_is_told_once() -> None:
    text = shown(all_is_well(files=(wired_file(disables_all=True),)))

    assert text.startswith("✖ Wired, but statusline and hooks do not work: disableAllHooks")
    assert text.count("hooks, statusline: disableAllHooks is set") == 1
    assert "see 1 below" in text
    assert "→ take disableAllHooks out of ~/.claude/settings.json" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_and_shows_no_control_characters(width: int) -> None:
    text = shown(hostile(), width)

    assert max(map(text_width, text.split("\n"))) <= width
    assert not set(text) & set("\x1b\x07\u202e\u2066")


def test_json_holds_everything_and_is_ascii() -> None:
    text = wiring_document(judged(hostile()))

    assert text.isascii()
    wiring = json.loads(text)["wiring"]
    assert json.loads(text)["format"] == "tokenbudget/doctor/1"
    assert wiring["is_effective"] is False
    assert {part["name"]: part["state"] for part in wiring["parts"]}["commands"] == "broken"
    assert wiring["at_ms"] == NOW_MS
    assert {"answer", "clients", "events", "troubles", "overlaps", "daemon"} <= set(wiring)


def test_what_another_tool_does_is_not_cut() -> None:
    rtk = ForeignHook("PreToolUse", "Bash", "rtk hook", 300)
    text = " ".join(shown(facts(file(foreign=(rtk,)))).split())

    assert "rtk, PreToolUse (user): rewrites Bash commands before they run" in text
    assert "it may hold a tool call up for 300 s" in text


def test_a_missing_path_can_be_copied_from_what_is_shown() -> None:
    text = shown(all_is_well(missing=frozenset((PATHS.folder,))))

    assert f"names {PATHS.folder}, which is" in " ".join(text.split())
    assert "\n     → tokens install\n" in text + "\n"
