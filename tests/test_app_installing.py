"""Whatever a person's settings file looks like, an installation leaves no trace in it.

`tools/install_check.py` says what that means, with a home of its own for each file.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.resources.settings_files import DOCUMENTS, MANNERS

from install_check import FAST, MODES, Stage, is_edit_kept, is_identical, made_document, made_file
from settings_edits import Manner, written

SLOW = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


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


@pytest.mark.slow
@SLOW
@given(settings_files(), st.integers(0, 999_999))
def test_uninstalling_gives_every_byte_and_mode_back(content: bytes | None, seed: int) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as top:
        assert is_identical(Stage(Path(top)), content, random.Random(seed))


@pytest.mark.slow
@SLOW
@given(settings_files(), st.integers(0, 999_999))
def test_with_a_persons_edit_in_between_our_keys_alone_leave(
    content: bytes | None, seed: int
) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as top:
        assert is_edit_kept(Stage(Path(top)), content, random.Random(seed))


@pytest.mark.parametrize("mode", MODES)
def test_a_file_keeps_its_mode_while_it_is_wired(tmp_path: Path, mode: int) -> None:
    stage = Stage(tmp_path)
    stage.put(b"{}", mode)
    stage.install()
    assert stage.path.stat().st_mode & 0o777 == mode
