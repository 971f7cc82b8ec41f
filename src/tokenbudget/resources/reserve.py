"""What a person's own setting keeps free of the window, released where a session needs the room.

`CLAUDE_CODE_AUTO_COMPACT_WINDOW` below `env` of some settings file makes the client compact as if
its window were as small as that. The project's local settings go before the others, and a running
client takes them up: with a window larger than any there, the session goes on up to its model's
own. Taking it back puts the person's word into force again.
"""

from __future__ import annotations

from tokenbudget.model.actions import NEVER_SENT, EditSettings, Item, Proposal, SettingEdit, Weight
from tokenbudget.resources.agent_settings import MOST_BYTES, said_by, settings_files
from tokenbudget.resources.history import KEYS, LEAST_TOKENS, RELEASED, VARIABLE, told_in
from tokenbudget.resources.kind import Kind
from tokenbudget.resources.looking import text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.kind import Hands, Place
    from tokenbudget.resources.weights import Weights

KIND = "reserve"
RELEASE = f"{KIND}/release"
_MOST_DIGITS = 9


def window_told(place: Place, lent: Collection[str]) -> int | None:
    """The window that settings tell the client to go by, in tokens; None where none does.

    `lent` are values that we have written to have a history compacted: they pass, and are none.
    """
    found: int | None = None
    for path, top in settings_files(place):
        value = told_in(text_at(path, (top,), MOST_BYTES) or "")
        if value is None or (path == place.local_settings and value in lent):
            continue
        is_number = value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
        found = max(LEAST_TOKENS, int(value)) if is_number and int(value) else None
    return found


class Reserve(Kind):
    """The room that a setting keeps from a session."""

    name = KIND

    def __init__(
        self,
        place: Place,
        evidence: Evidence,
        weights: Weights,
        hands: Hands,
        told_tokens: int | None = None,
        window_tokens: int | None = None,
    ) -> None:
        """As every kind, with the window that settings tell, and the model's own."""
        super().__init__(place, evidence, weights, hands)
        self._told_tokens = told_tokens
        self._window_tokens = window_tokens

    def inventory(self) -> Sequence[Item]:
        """The setting, where it keeps anything free."""
        self._said: Said = said_by(self.place)
        self.notes = self._said.notes
        if not self._room_tokens:
            return []
        return [Item(self.name, VARIABLE, "", 0, NEVER_SENT, None, None)]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Let the session use the whole of its window."""
        room = self._room_tokens
        if not items or not room:
            return []
        edit = SettingEdit(KEYS, RELEASED, is_member=False)
        can_be = self._said.takes(edit)
        return [
            Proposal(
                id=RELEASE,
                resource=self.name,
                title="let the session use the whole window before it is compacted",
                reason=f"{VARIABLE} is {self._told_tokens:,}: {room:,} tokens are kept free by it",
                freed=Weight(room, 0, "exact"),
                freed_bytes=0,
                effect="now",
                is_chosen=False,
                steps=(EditSettings(self.place.local_settings, (edit,)),) if can_be else (),
                command=f"set {VARIABLE} to a larger window",
            )
        ]

    @property
    def _room_tokens(self) -> int:
        if self._told_tokens is None or self._window_tokens is None:
            return 0
        return max(0, self._window_tokens - self._told_tokens)
