"""Work on several cases of a test at once: a client waits more than it works.

A test that has a case for each client and model plays them in pairs, and then looks at one after
the other; what went wrong while one was played comes out where its case is looked at.
"""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.e2e.claude_client import Sandbox
from tests.e2e.install_clients import Release, reason_missing

AT_ONCE = 2

Case = tuple[Release, str]
Played = TypeVar("Played")


def project_sandbox(root: Path) -> Sandbox:
    """A home, a config folder and a small project that no other test shares."""
    sandbox = Sandbox.create(root)
    (sandbox.project / "notes.txt").write_text("Buy milk.\n" * 10, encoding="utf-8")
    return sandbox


@contextlib.contextmanager
def played_ahead(
    request: pytest.FixtureRequest,
    factory: pytest.TempPathFactory,
    test: str,
    play: Callable[[Release, str, Sandbox], Played],
) -> Iterator[Callable[[Release, str], Played]]:
    """Begin every selected case of a test; gives back how to await one.

    A case goes by its parameters `release` and `model`, '' where a test has no such.
    """
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    params: list[Any] = [item.callspec.params for item in items if item.originalname == test]
    cases: list[Case] = [(one["release"], one.get("model", "")) for one in params]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played: dict[Case, Future[Played]] = {}
        for release, model in cases:
            if not reason_missing(release):
                root = factory.mktemp("ahead") / "box"
                played[release, model] = pool.submit(_play, play, release, model, root)
        try:
            yield lambda release, model: played[release, model].result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _play(
    play: Callable[[Release, str, Sandbox], Played], release: Release, model: str, root: Path
) -> Played:
    return play(release, model, project_sandbox(root))
