"""Links of Markdown: where they stand, where they lead, and how they read from another folder."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import NamedTuple
from urllib.parse import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_INLINE = re.compile(
    r"(?<!\\)\]\([ \t]*<?([^()<>\s]{1,500}(?:\([^()\s]{0,100}\)[^()<>\s]{0,200})?)"
)
_DEFINED = re.compile(r"^ {0,3}\[([^\]\n]{1,200})\]:[ \t]*<?(\S{1,500}?)>?(?=\s|$)", re.MULTILINE)
_HTML = re.compile(
    r"<(?:a|img)\s[^<>]{0,300}?(?:href|src)=[\"']([^\"'\n]{1,500})[\"']", re.IGNORECASE
)
_LABEL = re.compile(r"\]\[([^\]\n]{0,200})\]|\[([^\]\n]{1,200})\](?![\[(:])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|/|~|\$|\{")

_NO_NAME = "\0"
"""No folder is called so."""

LONGEST_LINE = 20_000
"""What is longer is a blob; no link is looked for in it."""


class Link(NamedTuple):
    """Where the target of a link stands in a text."""

    start: int
    end: int
    target: str

    @property
    def path(self) -> str:
        """Without what stands after `#` or `?`, decoded."""
        return unquote(re.split(r"[#?]", self.target, maxsplit=1)[0])

    @property
    def anchor(self) -> str:
        """After the `#`."""
        return unquote(self.target.partition("#")[2])


def links_in(text: str) -> list[Link]:
    """The links that lead to a file or a heading of this machine; none from code."""
    bare = without_code(text)
    found = [
        Link(one.start(group), one.end(group), one[group])
        for pattern, group in ((_INLINE, 1), (_DEFINED, 2), (_HTML, 1))
        for one in pattern.finditer(bare)
    ]
    local = [one for one in found if not _SCHEME.match(one.target)]
    return sorted({one.start: one for one in local}.values())


def without_code(text: str) -> str:
    """The text with spaces where code stands: every place stays where it was."""

    def blanked(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    lines = text.split("\n")
    fence = ""
    for at, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            lines[at] = " " * len(line)
            continue
        mark = re.match(r"[ \t]*(`{3,}|~{3,})", line)
        if fence:
            is_end = mark and mark[1].startswith(fence) and not line.strip().strip(fence[0])
            lines[at] = " " * len(line)
            fence = "" if is_end else fence
        elif mark:
            fence, lines[at] = mark[1], " " * len(line)
    return re.sub(r"(?<!`)(`+)(?!`)[^`\n]{1,2000}(?<!`)\1(?!`)", blanked, "\n".join(lines))


def rewritten(text: str, new: Mapping[str, str]) -> tuple[str, list[tuple[int, int, str]]]:
    """The text with other targets, and (start, end, old) of each in it, to have it back."""
    parts: list[str] = []
    edits: list[tuple[int, int, str]] = []
    at = size = 0
    for link in links_in(text):
        target = new.get(link.target, link.target)
        if target == link.target or link.start < at:
            continue
        parts += [text[at : link.start], target]
        size += link.start - at
        edits.append((size, size + len(target), link.target))
        size += len(target)
        at = link.end
    return "".join((*parts, text[at:])), edits


def restored(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """What `rewritten` was given."""
    for start, end, old in sorted(edits, reverse=True):
        text = text[:start] + old + text[end:]
    return text


def definitions_in(text: str) -> dict[str, str]:
    """The lines that say where `[label]` leads, by label."""
    bare = without_code(text)
    lines: dict[str, str] = {}
    for one in _DEFINED.finditer(bare):
        end = text.find("\n", one.start())
        line = text[one.start() : len(text) if end < 0 else end].rstrip("\r")
        lines.setdefault(one[1].lower(), line)
    return lines


def labels_in(text: str) -> Counter[str]:
    """The labels that a text uses, and how often."""
    bare = without_code(text)
    return Counter((one[1] or one[2] or "").lower() for one in _LABEL.finditer(bare))


def anchor_of(title: str) -> str:
    """The anchor that a heading gets, as the usual renderers make it."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain))


def anchors_of(titles: Sequence[str]) -> list[str]:
    """The anchors of a file's headings: the second of a name gets a number."""
    seen: dict[str, int] = {}
    found = []
    for title in titles:
        anchor = anchor_of(title)
        number = seen.get(anchor, -1) + 1
        seen[anchor] = number
        found.append(f"{anchor}-{number}" if number else anchor)
    return found


def from_folder(target: str, folder: str) -> str:
    """How a target reads from another folder, both seen from the same one."""
    path, mark, rest = _split(target)
    if not path:
        return target
    # far enough below a root that no `..` reaches it, whatever folder this process stands in
    root = "/" + f"{_NO_NAME}/" * (path.count("..") + folder.count(".."))
    told = posixpath.relpath(posixpath.join(root, path), posixpath.join(root, folder))
    return told + ("/" if path.endswith("/") else "") + mark + rest


def _split(target: str) -> tuple[str, str, str]:
    found = re.search(r"[#?]", target)
    if not found:
        return target, "", ""
    return target[: found.start()], found[0], target[found.end() :]


def circle_in(leads: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Files that lead to each other in a circle, the first that is found; () for none."""
    done: set[str] = set()
    for start in sorted(leads):
        way: list[str] = []
        pending = [(start, iter(sorted(leads[start])))] if start not in done else []
        way = [start] if pending else []
        while pending:
            _, more = pending[-1]
            below = next(more, None)
            if below is None:
                done.add(way.pop())
                pending.pop()
            elif below in way:
                return (*way[way.index(below) :], below)
            elif below in leads and below not in done:
                pending.append((below, iter(sorted(leads[below]))))
                way.append(below)
    return ()
