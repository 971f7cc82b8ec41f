"""One search over all tools: by words, by what a name is about, by the server that was named."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from tokenbudget.gateway.mcp.finding_concepts import ALIKE
from tokenbudget.gateway.mcp.finding_words import stem, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.finding_index import Index

ALIKE_WEIGHT = 0.4
"""Of a word that means nearly the same as one that was said."""
INSTEAD = 0.6
"""Of a word that means the same as one that no tool has, in a step that we name."""
COMPOUND, PART = 0.8, 0.7
"""Of two words that stand together as one, and of each of them alone where some tool has that one:
`cash flow` is `cashflow` first, and only then any flow."""
NAME_SHARE = 0.3
"""How much of a score depends on how much of the tool's name was meant."""
NAMED_SERVER = 1.3
"""How much more a tool counts whose server was named."""
OTHER_DEED = 0.7
"""How much less a tool counts that does something else than a step's first word asks for."""
UNASKED = 0.5
"""How much less a tool that destroys something counts where nobody speaks of destroying."""
LEAST_SHARE = 0.3
"""A tool with less than this of the best score of a search has nothing to do with it."""
LEAST_TO_SHARE = 0.6
"""A tool with less than this does not speak for its siblings."""
SURPLUS = 1.15
"""The best score is what the query is worth where a tool's words are few; taken so much higher."""

_DEEDS = tuple(
    frozenset(map(stem, verbs.split()))
    for verbs in (
        "get read list search find fetch show retrieve query view lookup describe count check",
        "create add make insert upload post send write generate draft publish invite submit save",
        "update edit modify set move rename transition assign replace resolve merge approve change",
        "delete remove kill terminate drop reset clear close cancel revoke destroy purge uninstall"
        " unprotect erase stop",
    )
)
"""Verbs that look, that make, that change and that destroy."""
_DESTROYS = _DEEDS[-1]
_GENERIC = frozenset({"server", "api", "tool", "servic", "client", "app"})


class Ranked(NamedTuple):
    """What one search found."""

    shares: Mapping[int, float]
    """Of each tool that has to do with it: its share of the best score."""
    quality: float
    """How much of the query the best tool answers."""


class Search:
    """Searches the tools of an index."""

    def __init__(self, index: Index, servers: Sequence[str]) -> None:
        """`servers`: the name of each tool's server."""
        self._index = index
        self._deeds = [[not deed.isdisjoint(name) for deed in _DEEDS] for name in index.names]
        own = {server: frozenset(words(server)) - _GENERIC for server in dict.fromkeys(servers)}
        self._server_terms = [own[server] for server in servers]

    def said(self, text: str) -> Ranked:
        """A step that a person named; a word that no tool has is somebody's name."""
        query = query_of(text)
        more = [other for word in query for other in ALIKE.get(word, ())]
        alike = {other: ALIKE_WEIGHT for other in more if other not in query}
        return self._ranked(query | alike, unknown=0.0)

    def unsaid(self, text: str) -> Ranked:
        """A step that we name; a word that no tool has is a tool that is not there.

        So only for such words others are taken that mean the same: what the tools themselves
        call it finds them better than what is merely like it.
        """
        query = query_of(text)
        missing = [word for word in words(text) if not self._index.rarity(word)]
        more = [other for word in missing for other in ALIKE.get(word, ())]
        alike = {other: INSTEAD for other in more if other not in query}
        return self._ranked(query | alike, unknown=self._index.unknown)

    def _ranked(self, query: Mapping[str, float], unknown: float) -> Ranked:
        rarities = {term: self._index.rarity(term) for term in query}
        said = [term for term, weight in query.items() if weight == 1]
        pairs = [pair for pair in pairwise(said) if rarities.get("".join(pair))]
        parts = {part for pair in pairs for part in pair}
        whole = sum(rarities[term] or unknown for term in said if term not in parts)
        whole += COMPOUND * sum(rarities["".join(pair)] for pair in pairs)
        less = {term: rarity * PART for term, rarity in rarities.items() if term in parts}
        scores = self._scores(query, rarities | less)
        if not scores or not whole:
            return Ranked({}, 0.0)
        best = max(scores.values())
        shares = self._with_siblings({number: score / best for number, score in scores.items()})
        kept = {number: share for number, share in shares.items() if share >= LEAST_SHARE}
        return Ranked(kept, min(1.0, SURPLUS * best / whole))

    def _with_siblings(self, shares: dict[int, float]) -> dict[int, float]:
        """The shares, and of a good tool's those that belong to it."""
        for number, share in tuple(shares.items()):
            if share >= LEAST_TO_SHARE:
                for other, much in self._index.siblings(number):
                    if share * much > shares.get(other, 0.0):
                        shares[other] = share * much
        return shares

    def _scores(
        self, query: Mapping[str, float], rarities: Mapping[str, float]
    ) -> dict[int, float]:
        """BM25, and less of it for a tool that is about other things too, or that destroys them."""
        scores = self._index.scores({term: query[term] * rarities[term] for term in query})
        meant = frozenset(term for term, weight in query.items() if weight == 1)
        deed = next((at for at, verbs in enumerate(_DEEDS) if next(iter(query), "") in verbs), None)
        may_destroy = not _DESTROYS.isdisjoint(query)
        for number in scores:
            name = self._index.names[number]
            if name:
                share = sum(query.get(term, 0.0) for term in name) / len(name)
                scores[number] *= 1 - NAME_SHARE + NAME_SHARE * share
            if not meant.isdisjoint(self._server_terms[number]):
                scores[number] *= NAMED_SERVER
            done = self._deeds[number]
            if done[-1] and not may_destroy:
                scores[number] *= UNASKED
            elif deed is not None and any(done) and not done[deed]:
                scores[number] *= OTHER_DEED
        return scores


def query_of(text: str) -> dict[str, float]:
    """The words of a text, and at less weight two as one: `cash flow` is `cashflow` elsewhere."""
    several = words(text)
    said = dict.fromkeys(several, 1.0)
    for one, following in pairwise(several):
        said.setdefault(one + following, COMPOUND)
    return said
