"""Find what lies about in a project, and tell for each file why it should perhaps stay."""

from __future__ import annotations

import os
import re
from typing import Literal, NamedTuple, TypeAlias

from tokenbudget.config.files import read_regular
from tokenbudget.resources.clutter_names import named
from tokenbudget.resources.evidence import DAY_MS
from tokenbudget.resources.kind import AGENT_FOLDER
from tokenbudget.resources.looking import facts_of, is_inside, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from tokenbudget.resources.clutter_names import Named
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.git_index import Tracked
    from tokenbudget.resources.kind import Place
    from tokenbudget.resources.looking import FileFacts, Folder

Group: TypeAlias = Literal["backups", "swap-files", "temporary-files", "stale-context"]
Hold: TypeAlias = Literal["", "tracked", "young", "alone", "unsaved", "in-use"]

STALE_DAYS = 30
"""Of a context file that nothing mentions: as long as a session is kept unarchived by default."""
YOUNG_DAYS = 1
CONTEXT = ".claude/context"
_GROUPS: dict[str, Group] = {
    "backup": "backups",
    "swap": "swap-files",
    "temporary": "temporary-files",
}
_WHOLE_FOLDER = re.compile(r"\.claude/context/?(?=[\s`'\"*)\],;:]|\.\s|\.?$)", re.MULTILINE)
_NAME = re.compile(r"[\w.+@~-]+")
_MOST_TEXTS = 400
_MOST_TEXT_BYTES, _MOST_CHARACTERS = 200_000, 4_000_000
_MOST_STALE = 5_000
_TEXT_ENDINGS = (".md", ".json", ".sh", ".py", ".js")
_VIM_MARK, _PID_AT, _PID_END = b"b0", 24, 28
"""Where a vim swap file says which process has it open."""
_LATEST_PID = 1 << 22


class Leftover(NamedTuple):
    """A file that lies about."""

    group: Group
    hold: Hold
    """Why it is not chosen; '' where it is."""
    facts: FileFacts


class Mentions(NamedTuple):
    """What the agent is told or has used in the project: a file in it is not stale."""

    text: str
    names: frozenset[str]
    """The words of the text that a plain file name can be: looked up, not searched for."""
    used_paths: frozenset[str]

    def has_name(self, name: str) -> bool:
        """Whether a file of this name is mentioned, wherever it is."""
        return name in self.names if _NAME.fullmatch(name) else name in self.text


def mentions_of(texts: Iterable[str], evidence: Evidence) -> Mentions:
    """The texts together, as far as they can be searched in no time, and the paths of tools."""
    used = frozenset(use.path for use in (*evidence.reads, *evidence.edits))
    text = "\n".join(texts)
    words = frozenset(_NAME.findall(text))
    return Mentions(text, words | {word.rstrip(".-") for word in words}, used)


def agents_texts(place: Place, folders: Sequence[Folder]) -> Iterator[str]:
    """The agent's own texts in the project, which may mention a context file."""
    context = os.path.join(place.project, CONTEXT)
    left, room = _MOST_TEXTS, _MOST_CHARACTERS
    for folder in folders:
        is_agents = is_inside(folder.path, (os.path.join(place.project, AGENT_FOLDER),))
        if not is_agents or is_inside(folder.path, (context,)):
            continue
        for name in folder.files:
            if left > 0 and room > 0 and name.endswith(_TEXT_ENDINGS):
                path = os.path.join(folder.path, name)
                text = text_at(path, (place.project,), _MOST_TEXT_BYTES) or ""
                left, room = left - 1, room - len(text)
                yield text


def leftovers(
    place: Place,
    folders: Sequence[Folder],
    tracked: Tracked,
    mentions: Mentions,
    taken: Collection[str],
) -> Iterator[Leftover]:
    """Everything that lies about in these folders, but for the `taken` paths."""
    now_ms = place.clock.now_ms()
    context = os.path.join(place.project, CONTEXT)
    stale_left = _MOST_STALE
    is_all_mentioned = _WHOLE_FOLDER.search(mentions.text) is not None
    for folder in folders:
        is_context = is_inside(folder.path, (context,)) and not is_all_mentioned
        if is_context and folder.path != context:
            relative = os.path.relpath(folder.path, place.project)
            is_context = relative not in mentions.text
        for name in folder.files:
            path = os.path.join(folder.path, name)
            what = named(name, folder.names)
            if path in taken or (what is None and not is_context):
                continue
            facts = facts_of(path)
            if facts is None:
                continue
            age_days = (now_ms - facts.mtime_ns / 1_000_000) / DAY_MS
            if what is not None:
                hold = _hold(facts, age_days, what, folder.names, tracked)
                yield Leftover(_GROUPS[what.leftover], hold, facts)
            elif stale_left and age_days >= STALE_DAYS and _is_stale(path, mentions):
                stale_left -= 1
                yield Leftover("stale-context", "tracked" if tracked.has(path) else "", facts)


def _hold(
    facts: FileFacts, age_days: float, what: Named, names: Collection[str], tracked: Tracked
) -> Hold:
    if age_days < YOUNG_DAYS:
        return "young"
    if what.original and what.original not in names:
        return "alone"
    if what.leftover == "swap":
        if _is_in_use(facts.path):
            return "in-use"
        beside = facts_of(os.path.join(os.path.dirname(facts.path), what.original))
        if beside is None or beside.mtime_ns < facts.mtime_ns:
            return "unsaved"
    return "tracked" if tracked.has(facts.path) else ""


def _is_stale(path: str, mentions: Mentions) -> bool:
    """Whether nothing mentions an old context file, and the agent did not use it of late."""
    name = os.path.basename(path)
    is_ours = name.startswith(".git")
    return not is_ours and path not in mentions.used_paths and not mentions.has_name(name)


def _is_in_use(path: str) -> bool:
    """Whether the process that a vim swap file names is running, or may be."""
    try:
        data = read_regular(path, 64_000_000) or b""
    except OSError:
        return True
    pid = int.from_bytes(data[_PID_AT:_PID_END], "little")
    if not data.startswith(_VIM_MARK) or not 0 < pid < _LATEST_PID:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True
