"""The conversation itself: the client's own compaction, moved to a moment that is chosen.

A variable in the project's local settings makes a running client compact before its next request
(`CLAUDE_CODE_AUTO_COMPACT_WINDOW` below `env`; docs/levers.md has what was measured of which
release). It is lent, not set: once the history is a summary it is given back.

What is written lies just below where the session stands, and not as low as it could be. So other
sessions of the project, which read the same file, are left alone while they are smaller, and where
the loan is never taken back (a machine that is switched off), no session is compacted earlier than
this one was.

Taking the variable away while it holds a number changes nothing in a running client. So it is given
back in two steps, each an action of its own: first it is made empty, which the client takes for the
usual window, and later it is taken away.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from tokenbudget.model.actions import (
    NEVER_SENT,
    UNKNOWN_WEIGHT,
    EditSettings,
    Item,
    Proposal,
    SettingEdit,
    Weight,
)
from tokenbudget.resources.agent_settings import MOST_BYTES, said_by
from tokenbudget.resources.kind import Kind
from tokenbudget.resources.looking import text_at
from tokenbudget.resources.mcp_servers import MOST_STATE_BYTES, state_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.kind import Hands, Place
    from tokenbudget.resources.weights import Weights

KIND = "history"
COMPACT, GIVE_BACK, CLEAR_UP = f"{KIND}/compact", f"{KIND}/give-back", f"{KIND}/clear-up"
VARIABLE = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
KEYS = ("env", VARIABLE)
EMPTY = ""
"""What the client takes for the usual window."""
RELEASED = "1000000"
"""What it takes for the whole of its model's window (`resources.reserve`); no loan is as large."""
LEAST_TOKENS = 100_000
"""A smaller window is not taken."""
KEPT_FREE_TOKENS = 33_000
"""The client compacts so far below the window that it is told."""
SLACK_TOKENS, SLACK_SHARE = 3_000, 0.02
"""The trigger lies so far below what the last request reported: the client counts by its own way
what came since."""
STEP_TOKENS = 1_000
_OTHERS = (VARIABLE, "CLAUDE_AUTOCOMPACT_PCT_OVERRIDE", "DISABLE_AUTO_COMPACT", "DISABLE_COMPACT")
"""Where a person has set one of these, compaction is theirs."""


_SWITCHED_OFF = re.compile(r'"autoCompactEnabled"\s*:\s*false')


class Conversation(NamedTuple):
    """The window of the session whose history is too long; tokens are the provider's."""

    used_tokens: int
    """The last request and its answer."""
    window_tokens: int | None
    tokens: int
    """Of them, what belongs to the conversation."""
    freed: Weight
    """What a compaction frees of them, the summary counted."""
    command: str
    """What the person would type, with what is to be kept."""
    other_sessions: tuple[int, ...] = ()
    """What is in the windows of other sessions that run in the same project."""


class Loan(NamedTuple):
    """A window that a client is to be told, so that this session compacts now."""

    window_tokens: int
    trigger_tokens: int
    """From here on a session compacts."""


def loan_for(used_tokens: int, window_tokens: int | None) -> Loan | None:
    """The window to tell; None where the session is too small for any."""
    slack = max(SLACK_TOKENS, round(SLACK_SHARE * used_tokens))
    wanted = (used_tokens - slack + KEPT_FREE_TOKENS) // STEP_TOKENS * STEP_TOKENS
    if window_tokens is not None:
        wanted = min(wanted, window_tokens - STEP_TOKENS)
    if wanted < LEAST_TOKENS:
        return None
    return Loan(wanted, wanted - KEPT_FREE_TOKENS)


class History(Kind):
    """The history of one running session."""

    name = KIND

    def __init__(
        self,
        place: Place,
        evidence: Evidence,
        weights: Weights,
        hands: Hands,
        conversation: Conversation | None = None,
    ) -> None:
        """As every kind; without a conversation there is nothing to compact."""
        super().__init__(place, evidence, weights, hands)
        self._conversation = conversation

    def inventory(self) -> Sequence[Item]:
        """The conversation, with what it weighs."""
        self._said: Said = said_by(self.place)
        self.notes = self._said.notes
        talk = self._conversation
        if talk is None or talk.tokens <= 0:
            return []
        weight = Weight(talk.tokens, talk.freed.error_tokens, "calibrated")
        return [Item(self.name, "conversation", "", 0, weight, None, None)]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Have the client compact before its next request, or say what the person would type."""
        talk = self._conversation
        if talk is None or not items or not talk.freed.tokens:
            return []
        loan = loan_for(talk.used_tokens, talk.window_tokens)
        hindrance = self._hindrance(talk, loan)
        left = max(0, talk.tokens - talk.freed.tokens)
        reason = f"{talk.tokens:,} tokens of conversation, of which a summary leaves about {left:,}"
        steps: tuple[EditSettings, ...] = ()
        if loan is not None and not hindrance:
            edit = SettingEdit(KEYS, str(loan.window_tokens), is_member=False)
            steps = (EditSettings(self.place.local_settings, (edit,)),)
        return [
            Proposal(
                id=COMPACT,
                resource=self.name,
                title="have Claude Code compact the conversation before its next request",
                reason=f"{reason}; {hindrance}" if hindrance else reason,
                freed=talk.freed,
                freed_bytes=0,
                effect="now",
                is_chosen=False,
                steps=steps,
                command=talk.command,
            )
        ]

    def _hindrance(self, talk: Conversation, loan: Loan | None) -> str:
        """Why only a person can do it, as a clause; '' where nothing is in the way."""
        if loan is None:
            return "too little for the client's own setting, which begins at 100,000 tokens"
        if any(other >= loan.trigger_tokens for other in talk.other_sessions):
            return "another session of this project is as full, and would be compacted with it"
        local = self._said.local_text
        if local is None:
            return "the project's settings.local.json takes no edit"
        others = self._said.text.removesuffix(local)
        if any(name in others for name in _OTHERS) or _own_word(local):
            return "a setting says already when to compact, and it stays"
        if _SWITCHED_OFF.search(self._said.text) or _is_switched_off(self.place):
            return "Claude Code's own compaction is switched off, and stays so"
        edit = SettingEdit(KEYS, str(loan.window_tokens), is_member=False)
        return "" if self._said.takes(edit) else "the project's settings.local.json takes no edit"


def restoring(place: Place, lent: Collection[str]) -> Proposal | None:
    """The next step of giving back; None where nothing of ours is there.

    Args:
        place: The project.
        lent: The values that we have written there; any other one is the person's, and stays.
    """
    value = told_in(text_at(place.local_settings, (place.project,), MOST_BYTES) or "")
    if value == EMPTY:
        edit = SettingEdit(KEYS, None, is_member=False, is_gone=True)
        return _restore(place, CLEAR_UP, "take the emptied setting of compaction away", edit)
    if value is not None and value in lent:
        edit = SettingEdit(KEYS, EMPTY, is_member=False)
        return _restore(place, GIVE_BACK, "let Claude Code compact when it usually does", edit)
    return None


def lent_values(actions: Sequence[ActionRecord], path: str) -> frozenset[str]:
    """The windows that these actions have written into the settings file at `path`."""
    edits = (
        edit
        for action in actions
        for record in action.steps
        if isinstance(record.step, EditSettings) and record.step.path == path
        for edit in record.step.edits
    )
    values = (str(edit.value) for edit in edits if edit.keys == KEYS and edit.value)
    return frozenset(values) - {RELEASED}


def _restore(place: Place, id_: str, title: str, edit: SettingEdit) -> Proposal:
    return Proposal(
        id=id_,
        resource=KIND,
        title=title,
        reason="it was lent, so that one session compacts",
        freed=UNKNOWN_WEIGHT if id_ == GIVE_BACK else NEVER_SENT,
        freed_bytes=0,
        effect="now",
        is_chosen=True,
        steps=(EditSettings(place.local_settings, (edit,)),),
    )


def _is_switched_off(place: Place) -> bool:
    """Whether the person has switched automatic compaction off in the client itself."""
    texts = (
        text_at(path, (top,), MOST_STATE_BYTES)
        for path, top in state_files(place.claude_dirs, place.home)
    )
    text = next((one for one in texts if one is not None), "")
    return _SWITCHED_OFF.search(text) is not None


def _own_word(local: str) -> bool:
    """Whether the local settings speak of compaction already; our own empty word is none."""
    if any(name in local for name in _OTHERS[1:]):
        return True
    return VARIABLE in local and told_in(local) != EMPTY


def told_in(text: str) -> str | None:
    """What a settings file says of it; None where it says nothing, or cannot be understood."""
    try:
        found = json.loads(text.removeprefix("\ufeff") or "{}")
    except (ValueError, RecursionError):
        return None
    env = found.get("env") if isinstance(found, dict) else None
    value = env.get(VARIABLE) if isinstance(env, dict) else None
    return value if isinstance(value, str) else None
