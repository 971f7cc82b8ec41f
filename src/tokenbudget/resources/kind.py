"""What every kind of resource is made of: where it looks, what it knows, and whose hands act."""

from __future__ import annotations

import hashlib
import os
import re
from typing import NamedTuple, Protocol

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.actions import Outcome, Step
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.weights import Weights

AGENT_FOLDER = ".claude"
_LONGEST_NAME = 60
_LONGEST_SHOWN = 200
_NOT_TYPABLE = re.compile(r"[^A-Za-z0-9._/-]+")


class Place(NamedTuple):
    """The project, and the folders around it that the agent reads as well."""

    project: str
    """Its folder, by its real path."""
    claude_dirs: tuple[str, ...]
    home: str
    clock: Clock

    @property
    def agent_folder(self) -> str:
        """The project's `.claude`."""
        return os.path.join(self.project, AGENT_FOLDER)

    @property
    def local_settings(self) -> str:
        """The settings of this person in this project: what the product may write."""
        return os.path.join(self.agent_folder, "settings.local.json")

    def name_of(self, path: str) -> str:
        """A path as a person calls it: inside the project, or below `~`."""
        for top, start in ((self.project, ""), (self.home, "~/")):
            if top and path.startswith(top.rstrip("/") + "/"):
                return start + path[len(top.rstrip("/")) + 1 :]
        return path


class Hands(Protocol):
    """Does what is proposed, and takes it back: `resources.steps.Workshop`, or a test's own."""

    def apply(self, step: Step) -> Outcome:
        """Do one step."""

    def verify(self, step: Step, outcome: Outcome) -> str:
        """'' or what is wrong."""

    def revert(self, step: Step, outcome: Outcome) -> Outcome:
        """Take one step back."""


class Kind:
    """A kind of resource but for what it finds and proposes, which is its own."""

    name: str = ""

    def __init__(self, place: Place, evidence: Evidence, weights: Weights, hands: Hands) -> None:
        self.place = place
        self.evidence = evidence
        self.weights = weights
        self.notes: tuple[str, ...] = ()
        """After `inventory`: what was not looked at, a sentence each."""
        self._hands = hands

    def apply(self, step: Step) -> Outcome:
        """Do one step; an outcome in every case."""
        return self._hands.apply(step)

    def verify(self, step: Step, outcome: Outcome) -> str:
        """Look whether it is as the step wants it; '' or what is wrong."""
        return self._hands.verify(step, outcome)

    def revert(self, step: Step, outcome: Outcome) -> Outcome:
        """Take one step back."""
        return self._hands.revert(step, outcome)


def typable(kind: str, name: str) -> str:
    """An id that can be typed; two names never share one."""
    plain = _NOT_TYPABLE.sub("-", name).strip("-/")
    if not plain or plain != name or len(plain) > _LONGEST_NAME or ".." in plain:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
        plain = f"{plain.replace('..', '-')[:_LONGEST_NAME].strip('-/')}-{digest}".strip("-")
    return f"{kind}/{plain}"


def shown(text: str) -> str:
    """Words that somebody else chose, as a title or a reason may hold them."""
    return one_line(text[:_LONGEST_SHOWN])


def counted(count: int, noun: str) -> str:
    """`1 file`, `3 files`."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"
