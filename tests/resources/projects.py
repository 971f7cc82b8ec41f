"""A project with an agent's folder beside it, and hands, evidence and weights of the tests' own."""

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenbudget.model.actions import EditSettings, EditText, Outcome, Proposal, Step, TrashFile
from tokenbudget.model.protocols import Resource
from tokenbudget.resources.evidence import DAY_MS, Evidence, FileUse, Use
from tokenbudget.resources.kind import Place
from tokenbudget.resources.weights import Weights

NOW_MS = 1_795_000_000_000
"""A day in November 2026."""


class StillClock:
    """A clock that stands; what is measured takes no time."""

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic_seconds(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here waits ({seconds} s)")


class WordCounter:
    """A token for every word."""

    name = "words"

    def count(self, text: str) -> int:
        return len(text.split())


class NoHands:
    """Planning must not act."""

    def apply(self, step: Step) -> Outcome:
        raise AssertionError(f"planned, and applied {step}")

    def verify(self, step: Step, outcome: Outcome) -> str:
        raise AssertionError(f"planned, and verified {step} {outcome}")

    def revert(self, step: Step, outcome: Outcome) -> Outcome:
        raise AssertionError(f"planned, and reverted {step} {outcome}")


class Project:
    """A home with an agent's folder, and a project below it."""

    def __init__(self, top: Path) -> None:
        top = Path(os.path.realpath(top))
        self.home = top / "home"
        self.claude = self.home / ".claude"
        self.path = self.home / "shop"
        self.claude.mkdir(parents=True)
        self.path.mkdir()
        self.place = Place(
            str(self.path),
            (str(self.claude),),
            str(self.home),
            StillClock(),
        )

    def write(self, name: str, text: str | bytes = "x\n", days: float = 60) -> Path:
        """A file of the project, changed so many days ago."""
        return put(self.path / name, text, days)

    def write_for_user(self, name: str, text: str = "x\n", days: float = 60) -> Path:
        """A file of the agent's own folder."""
        return put(self.claude / name, text, days)

    def skill(self, name: str, about: str = "", matter: str = "", days: float = 60) -> Path:
        """A skill of the project."""
        said = about or f"Helps with {name} in many words that every request carries."
        text = f"---\nname: {name}\ndescription: {said}\n{matter}---\n\nHow to {name}.\n"
        return self.write(f".claude/skills/{name}/SKILL.md", text, days)

    def agent(self, name: str, days: float = 60) -> Path:
        """A custom agent of the project."""
        text = f"---\nname: {name}\ndescription: Acts as {name}.\ntools: Read\n---\n\nYou are.\n"
        return self.write(f".claude/agents/{name}.md", text, days)

    def git_index(self, *names: str) -> None:
        """A repository that tracks these files."""
        self.write(".git/index", git_index(names))


def put(path: Path, text: str | bytes, days: float = 60) -> Path:
    """A file that was changed so many days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    at_seconds = NOW_MS / 1000 - days * DAY_MS / 1000
    os.utime(path, (at_seconds, at_seconds))
    return path


def git_index(names: Sequence[str], version: int = 2) -> bytes:
    """The index of a repository with these files, as git writes it."""
    data = b"DIRC" + version.to_bytes(4, "big") + len(names).to_bytes(4, "big")
    for name in sorted(names):
        raw = os.fsencode(name)
        entry = bytes(60) + min(len(raw), 0xFFF).to_bytes(2, "big") + raw
        data += entry + bytes(8 - len(entry) % 8)
    return data + hashlib.sha1(data, usedforsecurity=False).digest()


def evidence(
    sessions: int = 20,
    *,
    skills: Mapping[str, int] | None = None,
    agents: Mapping[str, int] | None = None,
    servers: Mapping[str, int] | None = None,
    offered: Mapping[str, int] | None = None,
    reads: Mapping[str, int] | None = None,
    edits: Sequence[str] = (),
) -> Evidence:
    """What so many sessions of the last days used; numbers are calls, or bytes that were read."""

    def uses(calls: Mapping[str, int] | None) -> dict[str, Use]:
        return {name: Use(count, 1, NOW_MS - DAY_MS) for name, count in (calls or {}).items()}

    starts = tuple(NOW_MS - DAY_MS - number for number in range(sessions))
    return Evidence(
        since_ms=NOW_MS - 30 * DAY_MS,
        until_ms=NOW_MS,
        session_starts_ms=tuple(sorted(starts)),
        requests=sessions * 10,
        first_ms=NOW_MS - 28 * DAY_MS,
        counted_sessions=sessions,
        offered=dict(offered or {}),
        servers=uses(servers),
        skills=uses(skills),
        agents=uses(agents),
        reads=tuple(FileUse(path, 1, size) for path, size in (reads or {}).items()),
        edits=tuple(FileUse(path, 1, 0) for path in edits),
    )


def weights() -> Weights:
    """A token for every word, ± 10 %."""
    return Weights(WordCounter(), 1.0, 0.1)


def planned(kind: Resource) -> dict[str, Proposal]:
    """What a kind proposes, by id; ids are unique."""
    found = kind.plan(kind.inventory())
    by_id = {proposal.id: proposal for proposal in found}
    assert len(by_id) == len(found)
    return by_id


def chosen(proposals: Mapping[str, Proposal]) -> set[str]:
    """The ids of what is done unless somebody objects."""
    return {name for name, proposal in proposals.items() if proposal.is_chosen}


def paths_of(proposals: Mapping[str, Proposal]) -> set[str]:
    """Every path that a plan would touch."""
    return {
        step.path
        for one in proposals.values()
        for step in one.steps
        if isinstance(step, TrashFile | EditSettings | EditText)
    }


def snapshot(top: Path, *, with_times: bool = True) -> dict[str, tuple[object, ...]]:
    """Everything below a folder: kind, mode, content or target, and when it was changed."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, names in os.walk(top):
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            facts = os.lstat(path)
            times = (facts.st_mtime_ns,) if with_times else ()
            content: object = None
            if stat.S_ISREG(facts.st_mode):
                content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            elif stat.S_ISLNK(facts.st_mode):
                content = os.readlink(path)
            found[os.path.relpath(path, top)] = (facts.st_mode, content, *times)
    return found
