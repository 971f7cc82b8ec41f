"""Whatever a person's settings file looks like, an installation leaves no trace in it.

`tools/install_check.py` says what that means, with a home of its own for each file. What is left
beside a person's edit is looked at in the text alone for most files, with the same functions.
"""

from __future__ import annotations

import functools
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.resources.settings_files import DOCUMENTS, MANNERS

from install_check import (
    FAST,
    MODES,
    SOME_PARTS,
    VERSIONS,
    Stage,
    document_of,
    edited_beside,
    is_edit_kept,
    is_identical,
    made_document,
    made_file,
    without_ours,
)
from settings_edits import Manner, is_same, pruned, written
from tokenbudget.app.installing_client import marks
from tokenbudget.config import json_text
from tokenbudget.gateway.hook_files import hook_command
from tokenbudget.gateway.statusline_files import statusline_command
from tokenbudget.resources.client_features import features_of
from tokenbudget.resources.settings import edited, taken_out
from tokenbudget.resources.wiring import Wanted, is_current, seen_in, wiring_edits
from tokenbudget.resources.wiring_hooks import events_wired, hook_groups
from tokenbudget.resources.wiring_sweep import swept

HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large]
ALL = settings(max_examples=200, deadline=None, suppress_health_check=HEALTH)
SOME = settings(max_examples=30, deadline=None, suppress_health_check=HEALTH)
DISTINCT_TEXTS = 32
PYTHON, HOME = "/opt/python", "/home/it's me/tokens"


@pytest.fixture(scope="module", autouse=True)
def each_text_is_parsed_once() -> Iterator[None]:
    """An installation parses the same few texts 150 times, which is half of what it takes."""
    real = json_text.scanned
    kept = functools.lru_cache(DISTINCT_TEXTS)(real)
    with pytest.MonkeyPatch.context() as patch:
        for module in [*sys.modules.values()]:
            if getattr(module, "scanned", None) is real:
                patch.setattr(module, "scanned", kept)
        yield


@st.composite
def settings_files(draw: st.DrawFn) -> bytes | None:
    """A settings file: what is in it by Hypothesis, beside hooks and a status line of others."""
    if draw(st.integers(0, 9)) == 0:
        return made_file(draw(st.integers(0, 99)))
    rng = random.Random(draw(st.integers(0, 999_999)))
    document = {**draw(DOCUMENTS), **made_document(rng)}
    if not isinstance(document.get("hooks", {}), dict):
        del document["hooks"]  # hooks of another kind are refused, which another test shows
    for event, groups in list(document.get("hooks", {}).items()):
        if not isinstance(groups, list):
            del document["hooks"][event]
    manner: Manner = draw(MANNERS)
    return written(document, manner, rng).encode()


def wanted_by(version: str) -> Wanted:
    """Status line and hooks, as this client takes them."""
    events = events_wired(features_of(version).events)
    return Wanted(
        statusline=statusline_command(PYTHON, HOME),
        chain=lambda other: statusline_command(PYTHON, HOME, other),
        hooks=hook_groups(events, hook_command(PYTHON, HOME), None),
    )


@ALL
@given(settings_files(), st.sampled_from(VERSIONS))
def test_what_is_wired_is_found_and_goes_by_its_journal_and_by_its_mark(
    content: bytes | None, version: str
) -> None:
    before = (content or b"").decode()
    wanted = wanted_by(version)
    edits = wiring_edits(before, wanted, marks())
    wired = edited(before, edits)
    assert is_current(seen_in(wired, marks()), wanted)
    first, by_mark = document_of(content), swept(wired, marks())
    assert is_same(document_of(taken_out(wired, before, edits).text.encode()), first)
    assert is_same(pruned(document_of(by_mark.encode())), pruned(first)), "empty lists may go"


@ALL
@given(settings_files(), st.sampled_from(VERSIONS), st.integers(0, 999_999))
def test_with_a_persons_edit_in_between_our_keys_alone_leave_a_text(
    content: bytes | None, version: str, seed: int
) -> None:
    rng, before, known = random.Random(seed), (content or b"").decode(), marks()
    edits = wiring_edits(before, wanted_by(version), known)
    first = document_of(content)
    theirs = edited_beside(document_of(edited(before, edits).encode()), first, rng)
    manner = Manner.random(rng)
    # Then by its mark: a hook that somebody put beside ours, which no single edit is any more.
    out = swept(taken_out(written(theirs, manner, rng), before, edits).text, known)
    now, wanted = document_of(out.encode()), without_ours(theirs, first)
    assert is_same(*((pruned(now), pruned(wanted)) if manner.has_comments else (now, wanted)))


@pytest.mark.slow
@ALL
@given(settings_files(), st.integers(0, 999_999))
def test_uninstalling_gives_every_byte_and_mode_back(content: bytes | None, seed: int) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as top:
        assert is_identical(Stage(Path(top)), content, random.Random(seed))


@pytest.mark.slow
@SOME
@given(settings_files(), st.integers(0, 999_999))
def test_with_a_persons_edit_in_between_our_keys_alone_leave(
    content: bytes | None, seed: int
) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as top:
        assert is_edit_kept(Stage(Path(top)), content, random.Random(seed))


@pytest.mark.parametrize("first", SOME_PARTS)
@pytest.mark.parametrize("then", SOME_PARTS)
def test_folders_that_an_installation_made_go_whatever_came_after_it(
    tmp_path: Path, first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    stage = Stage(tmp_path)
    for parts in (first, then):
        assert stage.install(parts=parts) == ""
    assert stage.uninstall() == ""
    assert stage.tree() == {}


@pytest.mark.parametrize("mode", MODES)
def test_a_file_keeps_its_mode_while_it_is_wired(tmp_path: Path, mode: int) -> None:
    stage = Stage(tmp_path)
    stage.put(b"{}", mode)
    stage.install()
    assert stage.path.stat().st_mode & 0o777 == mode
