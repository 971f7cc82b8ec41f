"""Whether a call goes through, asks the person first, or is refused. Pure.

What the person wrote holds first: `deny` before `ask` before `allow`, whatever is more specific, so
that a refusal cannot be lifted by accident. What no rule names asks when it can destroy.

Whether it can is told by the server's annotations and by the tool's name. An annotation is a hint,
and the server's own: it can make us stricter, and laxer only where the name is in doubt. (Of 1,315
real tools, one that restarts, resizes and destroys machines says `readOnlyHint`, and three that
remove say `destructiveHint: false`.) Nothing said is not "destructive", though the protocol's
default is: half of all tools that write say nothing.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from tokenbudget.gateway.mcp.directory import plain, wishes
from tokenbudget.gateway.mcp.values import Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Verdict = Literal["allow", "ask", "deny"]

_SURE = (
    "delete deletes drop remove removes purge destroy truncate wipe erase revoke uninstall unlink"
    " terminate rm rmdir del prune flushall flushdb"
)
SURE = frozenset(_SURE.split())
"""Words that mean one thing: no hint lifts them, and no other word of the name."""
_DOUBTFUL = "merge force transfer reset trash overwrite kill rollback ban evict clear"
DOUBTFUL = frozenset(_DOUBTFUL.split())
"""Words that mean it as a rule; `readOnlyHint` is believed, and a reading word before them."""
_READING = "get list search find read describe show count view fetch query check lookup browse"
READING = frozenset(_READING.split())
"""A name that begins with one of them only looks: `get_reset_token`, `list_merge_trains`."""
VERB_WORDS = 2
"""The verb stands among so many first words: `list_…`, `issues_list_…`."""
_FURTHER = frozenset({"and", "or", "then"})
"""What stands behind one of them is another verb: `find_and_merge`."""
_NOUNS = {"merge": frozenset({"request", "requests", "base", "commit", "conflicts", "train"})}


class Rules(NamedTuple):
    """What the person wrote: globs over `server.tool`, cases alike."""

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def verdict(self, tool: Tool) -> Verdict:
        """What becomes of a call of this tool."""
        for verdict, globs in (("deny", self.deny), ("ask", self.ask), ("allow", self.allow)):
            if _is_meant(tool, globs, is_lenient=verdict != "allow"):
                return verdict  # type: ignore[return-value]
        return "ask" if is_destructive(tool) else "allow"

    def denies_all_of(self, server: str) -> bool:
        """Whether a rule denies every tool of a server, so that nothing of it is to be seen."""
        return _is_meant(Tool(server, "", "", "", {}, None, {}), self.deny, is_lenient=True)


def is_destructive(tool: Tool) -> bool:
    """Whether it can destroy, as far as its name and its server say."""
    if tool.annotations.get("destructiveHint") is True:
        return True
    said = _destructive_words(tool.name)
    if tool.annotations.get("readOnlyHint") is True:
        said &= SURE
    return bool(said)


def _destructive_words(name: str) -> set[str]:
    words = plain(name).split("_")
    found = {word for word in words if word in SURE}
    is_reading = False
    for at, (word, after) in enumerate(zip(words, [*words[1:], ""], strict=True)):
        if word in _FURTHER:
            is_reading = False
        elif word in READING and at < VERB_WORDS and not found:
            is_reading = True
        elif word in DOUBTFUL and not is_reading and after not in _NOUNS.get(word, ()):
            found.add(word)
    return found


def _is_meant(tool: Tool, globs: Iterable[str], *, is_lenient: bool) -> bool:
    """Whether one of the globs names it.

    Leniently: also as permissions of the client, code and other tools spell it, or by the server's
    name alone. So a refusal is not lost for its spelling; what is to be allowed has to be named
    exactly, as two tools can have one spelling there.
    """
    names = _exact_names(tool) | (_other_names(tool) if is_lenient else set())
    for glob in globs:
        folded = glob.casefold()
        ways = {folded, folded.removesuffix(".*")} if is_lenient else {folded}
        if any(fnmatchcase(name, way) for name in names for way in ways):
            return True
    return False


def _exact_names(tool: Tool) -> set[str]:
    shown = f"{plain(tool.server)}.{plain(tool.name)}"
    return {f"{tool.server}.{tool.name}".casefold(), shown}


def _other_names(tool: Tool) -> set[str]:
    server, name = tool.server.casefold(), tool.name.casefold()
    own, short = plain(tool.server), plain(tool.name)
    spelled = {f"mcp__{server}__{name}", f"mcp__{own}__{short}", f"{server}/{name}"}
    return {*spelled, *wishes(tool), f"{own}_{short}", server, f"mcp__{server}", f"mcp__{own}"}
