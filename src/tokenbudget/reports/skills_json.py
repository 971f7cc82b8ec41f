"""`tokens skills --json`: `tokenbudget/skills/1`, `…/skills-match/1`, `…/skills-apply/1`."""

from __future__ import annotations

from tokenbudget.reports.json import document
from tokenbudget.reports.skills import ordered, sent_tokens, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.actions import ActionRecord, Proposal, Weight
    from tokenbudget.resources.skill_entry import Entry
    from tokenbudget.resources.skill_matching import Match
    from tokenbudget.resources.skill_states import SkillsFound


def inventory_document(found: SkillsFound, entries: Sequence[Entry] | None, zone: Zone) -> str:
    """What was found; `entries` are those that were asked for, else all."""
    listing, states = found.inventory.listing, found.states
    rows = ordered(found) if entries is None else list(entries)
    return document(
        "skills",
        1,
        {
            "project": found.project,
            "client_version": found.evidence.client_version or None,
            "sessions": found.evidence.sessions,
            "rows": [_row(one, found, zone) for one in rows],
            "plugins": [_plugin(found, key) for key in (p.key for p in found.inventory.plugins)],
            "overlaps": [one._asdict() for one in found.inventory.overlaps],
            "listing": {
                "characters": listing.characters,
                "most_characters": listing.most_characters,
                "is_full": listing.is_full,
            },
            "totals": {
                "listed": len(told(found)),
                "line_tokens": sent_tokens(found),
                "changes": len(states.chosen),
                **_weight("freed", states.freed),
                "freed_bytes": states.freed_bytes,
            },
            "notes": list(found.notes),
        },
    )


def _row(one: Entry, found: SkillsFound, zone: Zone) -> dict[str, object]:
    wanted = found.states.wanted.get(one.definition.path) or found.states.wanted.get(one.plugin)
    is_wanted = wanted is not None and one.state == "on"
    last_ms = one.used.last_ms
    return {
        "name": one.name,
        "kind": one.definition.kind,
        "scope": one.scope,
        "plugin": one.plugin or None,
        "path": one.definition.path if one.scope != "client" else None,
        "tier": one.tiered.tier,
        "tier_reason": one.tiered.reason,
        "state": one.state,
        "wanted_state": wanted.state if wanted is not None and is_wanted else one.state,
        "is_chosen": bool(wanted is not None and is_wanted and wanted.proposal.is_chosen),
        "wanted_reason": wanted.proposal.reason if wanted is not None and is_wanted else None,
        "proposal": wanted.proposal.id if wanted is not None and is_wanted else None,
        **_weight("line", one.line),
        **_weight("body", one.body),
        "files": len(one.attached.paths),
        "file_bytes": one.attached.size_bytes,
        **_weight("file", one.attached_weight),
        "triggers": list(one.triggers),
        "uses": one.used.ever,
        "uses_here": one.used.here,
        "uses_elsewhere": one.used.elsewhere,
        "last_used_at": zone.stamp(last_ms, "seconds") if last_ms else None,
        "mentioned_in": one.mention or None,
        "hidden_by": one.hidden_by or None,
        "faults": list(one.faults),
    }


def _weight(name: str, weight: Weight) -> dict[str, object]:
    return {f"{name}_tokens": weight.tokens, f"{name}_tokens_error": weight.error_tokens}


def _plugin(found: SkillsFound, key: str) -> dict[str, object]:
    plugin = next(one for one in found.inventory.plugins if one.key == key)
    wanted = found.states.wanted.get(key)
    return {
        "plugin": key,
        "is_on": plugin.is_on,
        "path": plugin.folder or None,
        "definitions": len(plugin.definitions),
        "servers": list(plugin.servers),
        "unseen": list(plugin.unseen),
        "proposal": None if wanted is None else wanted.proposal.id,
        "is_chosen": wanted is not None and wanted.proposal.is_chosen,
        **_weight("freed", wanted.proposal.freed if wanted else _nothing()),
    }


def _nothing() -> Weight:
    from tokenbudget.model.actions import NEVER_SENT

    return NEVER_SENT


def match_document(matches: Sequence[Match], task: str, abouts: dict[str, str], most: int) -> str:
    """The skills for a task, the best first."""
    rows = [
        {
            "skill": one.name,
            "score": round(one.score, 4),
            "words": list(one.words),
            "about": abouts.get(one.name, ""),
        }
        for one in matches[:most]
        if one.words
    ]
    return document("skills-match", 1, {"task": task, "rows": rows, "candidates": len(matches)})


def apply_document(
    proposals: Sequence[Proposal],
    texts: Sequence[Sequence[str]],
    freed: Weight,
    action: ActionRecord | None,
) -> str:
    """What would be changed, and what was done."""
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "reason": one.reason,
            "changes": list(changes),
            **_weight("freed", one.freed),
        }
        for one, changes in zip(proposals, texts, strict=True)
    ]
    states = [step.outcome.state for step in action.steps] if action is not None else []
    fields = {
        "is_done": bool(states) and all(state in ("done", "unchanged") for state in states),
        "action": None if action is None else action.id,
        "rows": rows,
        "totals": _weight("freed", freed),
    }
    return document("skills-apply", 1, fields)
