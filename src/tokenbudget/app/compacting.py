"""`tokens compact` put together: look, weigh, propose; then do it, and look again."""

from __future__ import annotations

import os
from typing import NamedTuple, Protocol

from tokenbudget.analysis.compact_plan import (
    CompactPlan,
    KindWeight,
    chosen_ids,
    kind_weights,
)
from tokenbudget.analysis.window_pieces import MEMORY_FILES
from tokenbudget.app.compacting_place import spellings
from tokenbudget.app.compacting_proof import last_action
from tokenbudget.app.compacting_talk import talk_of
from tokenbudget.app.watched import budget_of
from tokenbudget.app.windows import fits_for, window_of
from tokenbudget.metering.calibration import fit_of
from tokenbudget.model.protocols import Resource
from tokenbudget.resources.agents import Agents
from tokenbudget.resources.evidence import PERIOD_DAYS, evidence_of
from tokenbudget.resources.ignore_rules import IgnoreRules
from tokenbudget.resources.kind import Place
from tokenbudget.resources.looking import text_at
from tokenbudget.resources.mcp_servers import McpServers
from tokenbudget.resources.memory_files import MemoryFiles
from tokenbudget.resources.scratch import Scratch
from tokenbudget.resources.skills import Skills
from tokenbudget.resources.weights import LEAST_ERROR, weights_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from tokenbudget.analysis.compact_plan import Wish
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.windows import WindowFile
    from tokenbudget.metering.calibration import Fit
    from tokenbudget.model.actions import Item, Proposal
    from tokenbudget.model.protocols import TokenCounter
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.kind import Hands
    from tokenbudget.resources.weights import Weights


class Finder(Resource, Protocol):
    """A resource that says what it did not look at."""

    notes: tuple[str, ...]


KINDS: tuple[Callable[[Place, Evidence, Weights, Hands], Finder], ...] = (
    McpServers,
    MemoryFiles,
    Skills,
    Agents,
    IgnoreRules,
    Scratch,
)
"""Every kind of thing that is looked for, in the order in which it is."""
MOST_SESSIONS = 40
MOST_BYTES = 48_000_000
"""Of the project's last sessions, so many are counted to see what they were offered (a second)."""
DAY_MS = 86_400_000
SAME_SIZE = 0.05
"""Around the text of a memory file the client writes where it comes from."""
ENOUGH_TOKENS = 500
"""A ratio of less text than this says nothing."""
FOLDED_FIRST = 30
"""Of notes that nobody can do anything about, more are not told."""


class Scene(NamedTuple):
    """What a plan is made of, taken from the ledger."""

    project: str
    facts: SessionRow | None
    window: SessionWindow | None
    evidence: Evidence
    fit: Fit
    model: str
    """The one that the project works with; '' is not known."""


class Look(NamedTuple):
    """What was found in a project, and what could be done about it."""

    items: tuple[Item, ...]
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...]

    @property
    def kinds(self) -> dict[str, KindWeight]:
        """What stands there, by kind."""
        return kind_weights(self.items)

    @property
    def sent_tokens(self) -> int:
        """What all of it weighs in every request; a file of two kinds weighs once."""
        known = {(item.path, item.name): item.weight.tokens or 0 for item in self.items}
        return sum(known.values())


def scene_of(bench: Workbench, project: str, facts: SessionRow | None, terminal: Terminal) -> Scene:
    """The window, the evidence and the way of counting of a project."""
    now_ms = bench.clock.now_ms()
    fits = fits_for(bench, _recent_files(bench, project, now_ms), terminal)
    window = None if facts is None else window_of(bench, facts.session, "", terminal)
    # A path that is not UTF-8 is none in the ledger, and nothing was begun at its likeness.
    known_as = os.path.realpath(project).encode("utf-8", "replace").decode()
    evidence = evidence_of(bench.ledger, known_as, now_ms)
    firsts = bench.ledger.work.first_requests(spellings(project))
    model = window.model if window and window.model else firsts[-1].model if firsts else ""
    return Scene(project, facts, window, evidence, fit_of(model, fits), model)


def _recent_files(bench: Workbench, project: str, now_ms: int) -> list[WindowFile]:
    """The main threads of the last sessions: only counted ones say what was offered in them."""
    since_ms = now_ms - PERIOD_DAYS * DAY_MS
    names = bench.ledger.work.recent_sessions(spellings(project), since_ms, MOST_SESSIONS)
    found: list[WindowFile] = []
    room = MOST_BYTES
    for name in names:
        for file in bench.ledger.windows.files_of_session(name):
            if not file.is_subagent and not file.is_gone and file.size_bytes <= room:
                found.append(file)
                room -= file.size_bytes
    return found


def resources_for(bench: Workbench, scene: Scene, hands: Hands) -> list[Finder]:
    """Every kind of resource, ready to look at the project."""
    place, weights = place_and_weights(bench, scene)
    return [kind(place, scene.evidence, weights, hands) for kind in KINDS]


def place_and_weights(bench: Workbench, scene: Scene) -> tuple[Place, Weights]:
    """Where a project's resources lie, and what they weigh there."""
    settings = bench.settings
    place = Place(
        os.path.realpath(scene.project), settings.claude_dirs, settings.home_dir, bench.clock
    )
    fit, counter = scene.fit, bench.token_counter()
    ratio = ratio_shown(scene.window, counter) or fit.average_ratio
    error_share = max(fit.p90_text_error, LEAST_ERROR)
    return place, weights_of(scene.window, counter, ratio, error_share)


def ratio_shown(window: SessionWindow | None, counter: TokenCounter) -> float | None:
    """Tokens in the window for one of the counter's, where a memory file in it is still the same.

    What a window shows was fitted to what the API reported, so this is the model's own count of
    such text; None where there is no such file.
    """
    told = counted = 0
    for part in () if window is None else window.components:
        if part.key != MEMORY_FILES:
            continue
        for item in part.items:
            text = text_at(item.name, (os.path.dirname(item.name),))
            size_bytes = 0 if text is None else len(text.encode())
            if text and abs(size_bytes - item.size_bytes) <= SAME_SIZE * size_bytes:
                told += item.tokens
                counted += counter.count(text)
    return told / counted if counted >= ENOUGH_TOKENS else None


def looked(resources: Sequence[Finder], more: Sequence[Proposal] = ()) -> Look:
    """What the resources find and propose now; `more` is proposed besides."""
    items: list[Item] = []
    proposals: list[Proposal] = []
    notes: list[str] = []
    for resource in resources:
        found = resource.inventory()
        items += found
        proposals += resource.plan(found)
        notes += resource.notes
    return Look(tuple(items), (*proposals, *more), tuple(dict.fromkeys(notes))[:FOLDED_FIRST])


def plan_of(bench: Workbench, scene: Scene, look: Look, wish: Wish) -> CompactPlan:
    """The plan as it is shown.

    Raises:
        BadRequest: the wish names what is not there.
    """
    now_ms = bench.clock.now_ms()
    facts, window = scene.facts, scene.window
    talk = None
    if facts is not None and window is not None:
        talk = talk_of(bench, facts, window, scene.project, now_ms)
    return CompactPlan(
        project=scene.project,
        facts=facts,
        window=window,
        level=None if window is None else budget_of(bench, window, now_ms).level,
        proposals=look.proposals,
        chosen=chosen_ids(look.proposals, wish),
        kinds=look.kinds,
        sent_tokens=look.sent_tokens,
        talk=talk,
        weekly_requests=scene.evidence.requests_per_week or None,
        model=scene.model,
        read_usd=_read_usd(bench, scene.model, now_ms),
        past=last_action(bench.ledger, scene.project),
        notes=look.notes,
    )


def _read_usd(bench: Workbench, model: str, now_ms: int) -> Decimal | None:
    rate = bench.book.rate(model, now_ms, speed="standard", service_tier="standard", bucket=0)
    return None if rate is None else rate.cache_read
