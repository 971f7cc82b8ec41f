"""Whether a model's requests take levers as those of a model do that was measured in full.

One session goes through the levers one after the other: each is pulled, the next request is looked
at, and the one after a compaction. That is a tenth of the work, and says when, not how much.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.e2e.conversing_client import Conversation, conversing
from tests.e2e.install_clients import Release
from tests.e2e.scripted_answers import JsonObject

from lever_laboratory import (
    CONNECT_SECONDS,
    WATCHER_SECONDS,
    Combination,
    Laboratory,
    Place,
    Served,
    first_difference,
    said_in,
)
from lever_rows import HARDLY, NEVER, NEXT_COMPACTION, NEXT_REQUEST
from levers import LEVERS, Lever

CANDIDATES = (
    *("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-5", "claude-haiku-4-5"),
    *("claude-opus-5", "claude-sonnet-5", "claude-fable-5", "claude-opus-4-6"),
    *("claude-sonnet-4-6", "claude-opus-4-1", "claude-opus-4-8", "claude-fable-5-2"),
    *("claude-opus-4-7", "claude-fable-5-1", "claude-mythos-5-2", "claude-sonnet-4"),
)
CHAINED = tuple(
    lever
    for lever in LEVERS
    if lever.row and lever.kind == "clutter" and "disabled" not in lever.name
)
"""Those that reach a session that runs."""
ATTEMPTS = 3
_REMARK = re.compile(
    r"\s*<system-reminder>(?:(?!</system-reminder>).)*?ha(?:ven|sn)'t been used recently"
    r".*?</system-reminder>",
    re.DOTALL,
)
HISTORY = next(lever for lever in LEVERS if lever.kind == "history")


class Link(NamedTuple):
    """What one lever did in a session in which others had been pulled before."""

    lever: str
    next_bytes: int
    compacted_bytes: int
    rewrites: str

    @property
    def effect(self) -> str:
        """When it worked, in the words of a row."""
        if self.next_bytes <= -HARDLY:
            return NEXT_REQUEST
        return NEXT_COMPACTION if self.compacted_bytes <= -HARDLY else NEVER

    @property
    def grown_bytes(self) -> int:
        """By how much requests grew once it had worked."""
        return self.next_bytes if self.effect == NEXT_REQUEST else self.compacted_bytes


class Talk:
    """A session in which one lever is pulled after the other, and what is sent of it."""

    def __init__(self, session: Conversation, served: Served, place: Place) -> None:
        self._session, self._served, self._place = session, served, place

    def sent_after(self, *words: str) -> JsonObject:
        """Say all this; the last request of the conversation."""
        for each in words:
            self._session.say(each)
        return self._served.bodies()[-1]

    def settle(self) -> None:
        """Have everything told that is in every request: servers are there only after a while."""
        self.sent_after("hello")
        time.sleep(CONNECT_SECONDS)
        self.sent_after("and hello")

    def links(
        self, levers: Sequence[Lever], expected: Mapping[str, str] | None = None
    ) -> list[Link]:
        """Pull levers one after the other.

        Where an effect is expected (by the lever's name) and not seen, it is looked for again: a
        busy machine may be late to notice that a file changed.
        """
        last = self.sent_after("/compact", "hello once more")
        turn_bytes = size_of(self.sent_after("hello again")) - size_of(last)
        last = self.sent_after("/compact", "hello once more")
        found = []
        for lever in levers:
            lever.pull(self._place.clutter)
            link = self._link(lever, last, turn_bytes)
            for _ in range(ATTEMPTS):
                if link.effect == (expected or {}).get(lever.name, link.effect):
                    break
                link = self._link(lever, last, turn_bytes)
            found.append(link)
            last = self._served.bodies()[-1]
        return found

    def _link(self, lever: Lever, last: JsonObject, turn_bytes: int) -> Link:
        time.sleep(WATCHER_SECONDS)
        now = self.sent_after("hello again")
        then = self.sent_after("/compact", "hello once more")
        return Link(
            lever.name,
            size_of(now) - size_of(last) - turn_bytes,
            size_of(then) - size_of(last),
            first_difference(last, now),
        )


def chain(
    laboratory: Laboratory, place: Place, about: Combination, levers: Sequence[Lever] = CHAINED
) -> list[Link]:
    """Pull levers one after the other in a session of their own."""
    variables = {**about.variables, **place.variables}
    with (
        laboratory.served({}) as served,
        conversing(served.client(place, about), about.option, variables=variables) as session,
    ):
        talk = Talk(session, served, place)
        talk.settle()
        return talk.links(levers)


def likeness(
    laboratory: Laboratory,
    release: Release,
    searches: Sequence[str],
    model: str,
    measured: Sequence[str],
) -> str:
    """The measured model that this one is like, whatever the tool search; '' where it is not."""
    own = _behaviour(laboratory, release, searches, model)
    for other in measured:
        if _behaviour(laboratory, release, searches, other) == own:
            return other
    return ""


_SEEN: dict[tuple[str, str], list[tuple[str, ...]]] = {}


def _behaviour(
    laboratory: Laboratory, release: Release, searches: Sequence[str], model: str
) -> list[tuple[str, ...]]:
    """When each lever works, what it rewrites, and whether the history's does."""
    key = (release.version, model)
    if key not in _SEEN:
        found: list[tuple[str, ...]] = []
        for search in searches:
            about = Combination(release, model, search)
            links = chain(laboratory, laboratory.place(), about)
            found += [(search, one.lever, one.effect, one.rewrites) for one in links]
            filled = laboratory.filled(laboratory.place(), about, HISTORY.pull)
            found.append((search, HISTORY.name, str(filled.compactions)))
        _SEEN[key] = found
    return _SEEN[key]


def size_of(body: JsonObject) -> int:
    """Bytes of what the model reads, without what the client remarks every so many turns."""
    return len(json.dumps(_unremarked(said_in(body))))


def _unremarked(value: Any) -> Any:
    if isinstance(value, str):
        return _REMARK.sub("", value)
    if isinstance(value, dict):
        return {key: _unremarked(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    return [_unremarked(one) for one in value if not _is_remark(one)]


def _is_remark(block: object) -> bool:
    """Whether a block says nothing else."""
    said = block.get("text") if isinstance(block, dict) else None
    return isinstance(said, str) and bool(_REMARK.fullmatch(said.strip()))
