"""Which memory files the client reads into every request, and which only beside certain files.

Measured with Claude Code 2.1.329: the user's CLAUDE.md and rules; CLAUDE.md, .claude/CLAUDE.md,
.claude/rules/**/*.md and CLAUDE.local.md of the project and of every folder above it; what they
import with `@path` outside of code, four steps deep. A rule with `paths:` comes with the files that
it names. Front matter and HTML comments are not sent. An import that leads out of the project (or,
from the user's own files, out of the agent's folder) is not loaded unasked, and is not read here.
"""

from __future__ import annotations

import fnmatch
import os
import re
from typing import Literal, NamedTuple, TypeAlias

from tokenbudget.resources.clutter_names import named
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.kind import AGENT_FOLDER, shown
from tokenbudget.resources.looking import is_inside, real, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.kind import Place

MEMORY_NAME, LOCAL_NAME, RULES = "CLAUDE.md", "CLAUDE.local.md", "rules"
DEEPEST_IMPORT = 4
MOST_FILES = 300
MOST_CHARACTERS = 8_000_000
"""Of all memory files together: no window holds a tenth of it."""
_MOST_PARENTS = 64
_MOST_RULE_ENTRIES = 2_000
_MOST_COMMENTS = 5_000
_IMPORT = re.compile(r"(?:^|(?<=\s))@((?:[^\s\\]|\\ ){1,1024})")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE = re.compile(r"(`+)(?!`)[^`]*(?<!`)\1(?!`)")
_TEXT_ENDINGS = (".md", ".markdown", ".txt", ".mdx")

Scope: TypeAlias = Literal["user", "parent", "project", "local"]


class MemoryFile(NamedTuple):
    """A file that the client reads as memory."""

    path: str
    """As the client comes to it; a link is not resolved."""
    scope: Scope
    text: str
    sent: str
    """What of it is sent."""
    is_conditional: bool
    """A rule for certain paths, which is not in every request."""
    imported_by: str
    """The file that imports it; '' for none."""
    has_imports: bool
    leftover_of: str
    """The file beside it that it is a copy of by its name; '' for none."""


class Loaded(NamedTuple):
    """The memory files in the order in which the client reads them."""

    files: tuple[MemoryFile, ...]
    notes: tuple[str, ...]


def loaded(place: Place, said: Said) -> Loaded:
    """What the client loads for a session in the project."""
    return _Loading(place, said).run()


def imports_of(text: str) -> list[str]:
    """The paths that a text imports, as they are written; none from code or comments."""
    found: list[str] = []
    fence = ""
    for line in without_comments(text).splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            continue
        if mark:
            fence = mark[1]
            continue
        found += [path.replace("\\ ", " ") for path in _IMPORT.findall(_CODE.sub(" ", line))]
    return found


def sent_of(text: str) -> str:
    """What the client sends of a memory file's text."""
    body = text[front_matter(text).body_at :]
    return without_comments(body).strip().removeprefix("\ufeff")


def without_comments(text: str) -> str:
    """The text without HTML comments that begin and end a line; in one pass, however many."""
    kept: list[str] = []
    at = 0
    begin = text.find("<!--")
    end = -1
    left = _MOST_COMMENTS
    while begin >= 0 and left:
        left -= 1
        if end < begin + 4:
            end = text.find("-->", begin + 4)
        if end < 0:
            break
        line = text.rfind("\n", at, begin) + 1 or at
        stop = text.find("\n", end + 3) + 1 or len(text)
        is_alone = not text[line:begin].strip() and not text[end + 3 : stop].strip()
        if is_alone:
            kept.append(text[at:line])
            at = stop
        begin = text.find("<!--", max(at, begin + 4))
    return "".join(kept) + text[at:]


class _Loading:
    def __init__(self, place: Place, said: Said) -> None:
        self.place = place
        self.excluded = said.excluded_memory
        self.files: list[MemoryFile] = []
        self.notes: list[str] = []
        self._seen: set[str] = set()
        self._room = MOST_CHARACTERS

    def run(self) -> Loaded:
        for folder in self.place.claude_dirs:
            tops = (folder, self.place.home or folder)
            self._take(os.path.join(folder, MEMORY_NAME), "user", tops, folder)
            for path in self._rules(os.path.join(folder, RULES)):
                self._take(path, "user", tops, folder)
        for parent in _parents(self.place.project):
            self._take_folder(parent, "parent")
        self._take_folder(self.place.project, "project")
        return Loaded(tuple(self.files), tuple(dict.fromkeys(self.notes)))

    def _take_folder(self, folder: str, scope: Scope) -> None:
        tops = (folder,)
        agent = os.path.join(folder, AGENT_FOLDER)
        self._take(os.path.join(folder, MEMORY_NAME), scope, tops, folder)
        self._take(os.path.join(agent, MEMORY_NAME), scope, tops, folder)
        for path in self._rules(os.path.join(agent, RULES)):
            self._take(path, scope, tops, folder)
        local: Scope = "local" if scope == "project" else scope
        self._take(os.path.join(folder, LOCAL_NAME), local, tops, folder)

    def _rules(self, top: str) -> Iterator[str]:
        """Every `.md` below a folder of rules; links to folders are not followed."""
        left = _MOST_RULE_ENTRIES
        for folder, below, names in os.walk(top):
            below.sort()
            for name in sorted(names):
                left -= 1
                if left < 0:
                    self.notes.append(f"not every rule in {self.place.name_of(top)} was read")
                    return
                if name.endswith(".md"):
                    yield os.path.join(folder, name)

    def _take(
        self,
        path: str,
        scope: Scope,
        tops: Sequence[str],
        import_top: str,
        importer: str = "",
        depth: int = 0,
    ) -> None:
        place = real(path)
        if not place or place in self._seen or is_excluded(path, self.excluded):
            return
        if len(self.files) >= MOST_FILES or self._room <= 0:
            self.notes.append("there are more memory files than can be looked at")
            return
        text = text_at(path, tops)
        if text is None:
            if os.path.lexists(path):
                why = "it leads elsewhere, is too large, or is no text"
                self.notes.append(f"{shown(self.place.name_of(path))} was not read: {why}")
            return
        self._seen.add(place)
        self._room -= len(text)
        matter = front_matter(text)
        sent = sent_of(text)
        wanted = imports_of(sent)
        is_rule = f"/{RULES}/" in path
        is_conditional = is_rule and not importer and bool(matter.items("paths"))
        self.files.append(
            MemoryFile(
                path, scope, text, sent, is_conditional, importer, bool(wanted), _original(path)
            )
        )
        if not is_conditional and depth < DEEPEST_IMPORT:
            self._take_imports(path, wanted, scope, import_top, depth)

    def _take_imports(
        self, path: str, wanted: Sequence[str], scope: Scope, top: str, depth: int
    ) -> None:
        for written in wanted:
            target = self._target(path, written)
            if not target:
                continue
            is_text = scope != "user" or target.endswith(_TEXT_ENDINGS)
            if is_inside(real(target), [real(top)]) and is_text:
                self._take(target, scope, (top,), top, path, depth + 1)
            elif os.path.lexists(target):
                self.notes.append(
                    f"{shown(self.place.name_of(path))} imports {shown(written)}, which lies"
                    " elsewhere: it was not read, and is not counted"
                )

    def _target(self, path: str, written: str) -> str:
        written = written.partition("#")[0]
        if written.startswith("~/"):
            return os.path.normpath(os.path.join(self.place.home, written[2:]))
        if not written or "\0" in written:
            return ""
        return os.path.normpath(os.path.join(os.path.dirname(path), written))


def is_excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether `claudeMdExcludes` names a file: by its absolute path, or by a pattern."""
    return any(
        path == pattern or (len(pattern) <= 512 and _matches(path, pattern)) for pattern in patterns
    )


def _matches(path: str, pattern: str) -> bool:
    if not any(sign in pattern for sign in "*?["):
        return False
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(
        path, pattern.replace("**/", "*/")
    )


def _parents(project: str) -> list[str]:
    """The folders above the project, the root first."""
    found: list[str] = []
    folder = os.path.dirname(project)
    while len(found) < _MOST_PARENTS:
        found.append(folder)
        if os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    return found[::-1]


def _original(path: str) -> str:
    """The file beside it that this is a leftover of, by its name."""
    folder, name = os.path.split(path)
    try:
        beside = os.listdir(folder)
    except OSError:
        return ""
    found = named(name, frozenset(beside))
    if found is None or found.leftover != "backup" or found.original not in beside:
        # `testing-2026-03-01.bak.md` is a copy of `testing.md`, beside which it lies.
        return ""
    return os.path.join(folder, found.original)
