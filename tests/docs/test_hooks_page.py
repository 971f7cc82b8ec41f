"""docs/hooks.md quotes what hooks really say, and what that costs."""

import re
from pathlib import Path

import pytest

from tokenbudget.config.catalogue import SETTINGS
from tokenbudget.gateway.hooks import words
from tokenbudget.gateway.hooks.hook_settings import FORMAT as SETTINGS_FORMAT
from tokenbudget.gateway.hooks.session_state import FORMAT as SESSION_FORMAT
from tokenbudget.metering.tokenizer import BytePairCounter

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
LARGEST = [("npm test output", 56_000)]
SENTENCES = {
    "a session begins": words.session_begins(None, 200_000, (0.5, 0.7, 0.8, 0.9), ""),
    "from 50 %": words.crossing(101_000, 200_000, LARGEST),
    "from 80 %": words.crossing(810_000, 1_000_000, LARGEST),
    "from 157K of 200K": words.crossing(162_000, 200_000, LARGEST),
    "from 90 %": words.crossing(181_000, 200_000, LARGEST),
    "another level": words.level_changed(152_000, 200_000, 2),
    "a file read again unchanged": words.read_again("src/cart.py", 8_200),
    "a command with a huge output": words.huge_output(120_000),
    "a test or a build goes on in the background": words.output_goes_to(
        "/home/me/.local/share/tokenbudget/run/wrapped/5d0c1f5e.toolu_1"
    ),
    "a test or a build was killed": words.output_until_then(812, "483920112345"),
    "after a compaction": " ".join(
        [
            words.compacted(162_000, 24_000),
            words.kept(["src/cart.py"], ["npm test", "Exit code 1"]),
        ]
    ),
}


@pytest.mark.parametrize("when", SENTENCES)
def test_the_page_quotes_what_is_said(when: str) -> None:
    assert f"| {when} | `{SENTENCES[when]}` |" in PAGE


@pytest.mark.parametrize("when", SENTENCES)
def test_a_sentence_costs_no_more_than_the_page_says(when: str) -> None:
    most = 120 if when == "after a compaction" else 40

    assert BytePairCounter().count(SENTENCES[when]) <= most


def test_every_setting_of_hooks_stands_there() -> None:
    names = {setting.name for setting in SETTINGS if setting.name.startswith("hooks.")}

    assert names == set(re.findall(r"^\| `(hooks\.\w+)` \|", PAGE, re.MULTILINE))


@pytest.mark.parametrize("name", [SETTINGS_FORMAT, SESSION_FORMAT])
def test_formats_are_named_as_they_are(name: str) -> None:
    assert f'`"format": "{name}"`' in PAGE
