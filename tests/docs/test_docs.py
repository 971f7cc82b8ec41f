"""The pages say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import make_docs
from tokenbudget.cli import VERBS
from tokenbudget.config.catalogue import SETTINGS
from tokenbudget.model import errors

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(make_docs.PAGES))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make_docs.PAGES[name]()


def test_every_error_has_its_entry_on_the_messages_page() -> None:
    page = (ROOT / "docs/messages.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (\d) \|", page, re.MULTILINE))
    raised = {kind.slug: str(kind.exit_code) for kind in errors.TokenBudgetError.__subclasses__()}
    assert told == raised


def test_the_readme_names_every_verb() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [v.name for v in VERBS if not v.is_hidden and f"tokens {v.name}" not in readme]
    assert missing in ([], ["overview"])


def test_every_setting_stands_in_the_config_page() -> None:
    page = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    assert [s.name for s in SETTINGS if f"`{s.name}`" not in page] == []


def test_no_page_is_unfinished() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        assert not re.search(r"PLACEHOLDER|TODO|TBD", page.read_text(encoding="utf-8")), page.name


def test_no_page_names_a_place_that_is_not_there() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
