"""`tokens archive` and `tokens recover` with a fault at every point where they change the disk.

Each call that writes, syncs, renames or removes is counted; each is made to fail, and each is where
the process ends. Whatever was left, the same commands then bring everything to where it belongs.
(The room below has the same for its single steps: tests/archive/test_faults.py.)
"""

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.archive.faults import MEMORY, every_death, every_failure
from tests.cli.archive_sessions import ASIDE, OLD, Shelf
from tests.cli.conftest import Home

from tokenbudget.archive.staging import STAGING

Files = dict[str, tuple[bytes, int]]


class Case:
    """A home that is made anew for each point: an archive-to-be, or an archive to recover from."""

    def __init__(self, top: Path, *words: str, is_archived: bool) -> None:
        self.words = words
        self.place, self.template = top / "now", top / "template"
        shelf = self._shelf()
        shelf.session(OLD, 40, shelf.project("shop"), has_subagents=True)
        shelf.session(ASIDE, 45, shelf.project("shop"))
        self.files, self.totals = shelf.files(), shelf.totals()
        if is_archived:
            assert shelf.home.run("archive", "--yes").code == 0
            shelf.home.run("archive", "empty-trash", "--older-than", "0", "--yes")
        self.place.rename(self.template)
        self.fresh()

    def _shelf(self) -> Shelf:
        self.place.mkdir(exist_ok=True)
        return Shelf(Home(self.place / "home"), self.place / "work")

    def fresh(self) -> None:
        """The same again, byte for byte, with its times."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.template, self.place, symlinks=True)

    def run(self) -> None:
        """What is interrupted: it ends with an exit code in every case."""
        code = self._shelf().home.run(*self.words, "--yes").code
        assert code in (0, 1, 3, 4)

    def check(self, at: int) -> None:
        """Everything is somewhere: the same again, undisturbed, and all of it is back in place."""
        shelf = self._shelf()
        again = shelf.home.run(*self.words, "--yes")
        assert again.code == 0, f"point {at}: {again.out} {again.err}"
        assert shelf.home.run("archive", "verify").code == 0
        assert shelf.home.run("recover", "--all", "--yes").code == 0
        # A staging folder of a killed process is removed by a recovery an hour later.
        files = {name: told for name, told in shelf.files().items() if STAGING not in name}
        assert files == self.files, f"point {at}"
        assert shelf.totals() == self.totals
        self.fresh()


@pytest.fixture(params=["archive", "recover"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """In memory where there is such a place: a hundred points of a few syncs each."""
    words = {"archive": ["archive"], "recover": ["recover", "--all"]}[request.param]
    with tempfile.TemporaryDirectory(dir=MEMORY) as top:
        yield Case(Path(top), *words, is_archived=request.param == "recover")


def _at_every_point(
    case: Case, over: Callable[[Callable[[], None], Callable[[int], None]], int]
) -> None:
    points = over(case.run, case.check)
    print(f"{' '.join(case.words)}: {points} points")
    assert points > 40


@pytest.mark.slow
def test_the_process_ends_at_any_point(case: Case) -> None:
    _at_every_point(case, every_death)


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_any_call_fails(case: Case, code: int) -> None:
    _at_every_point(case, lambda run, check: every_failure(run, check, code))
