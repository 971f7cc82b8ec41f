"""The listing of skills as a session was sent it: the one place that tells of the client's own.

Measured with Claude Code 2.1.270 and 2.1.329: `skillOverrides: {NAME: "name-only"}` takes the
descriptions of the client's own skills out too, of all of them 5,400 and 6,200 bytes of every
request. Switched off whole, one of them (`workflow-authoring`) makes requests 17,000 bytes larger,
for another tool then brings its manual along; so they keep their names.
"""

from __future__ import annotations

import re

from tokenbudget.resources.definitions import Definition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

CLIENT = "client:"
"""Before the name of such a skill in place of a path: it lies in no file."""
MOST_LISTED = 1_000
_LINE = re.compile(r"^- ([\w][\w:.@/-]{0,199})(?: \([a-z0-9-]+\))?(?:: (.*))?$")


def listed_in(content: str) -> Iterator[tuple[str, str]]:
    """(name, description) of each line of a listing; a description may have lines of its own."""
    name, about = "", ""
    for line in content.split("\n"):
        found = _LINE.match(line)
        if found is None:
            about += f"\n{line}"
            continue
        if name:
            yield name, about.rstrip("\n")
        name, about = found[1], found[2] or ""
    if name:
        yield name, about.rstrip("\n")


def clients_own(content: str, known: Collection[str]) -> list[Definition]:
    """The client's own skills: those of a listing that no file and no plugin here defines."""
    found: dict[str, Definition] = {}
    for name, about in listed_in(content):
        if name not in known and ":" not in name and len(found) < MOST_LISTED:
            line = f"- {name}: {about}\n" if about else f"- {name}\n"
            found[name] = Definition(
                name, f"{CLIENT}{name}", line, True, True, 0, 0, "", about=about
            )
    return list(found.values())
