"""What being installed costs in tokens: in every request, and now and then."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from tokenbudget.resources.front_matter import front_matter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.resources.wiring import Wanted

MOST_TOLD_TOKENS = 40
"""Of a session's first words, and of each crossing of a threshold: `gateway.hooks` keeps to it."""


class InstalledCost(NamedTuple):
    """Predicted tokens; the bundled vocabulary is not the model's own, so they are about."""

    listing_tokens: int
    """In every request: the lines by which the model knows of skill and commands."""
    listing_characters: int
    start_tokens: int
    """At most, once a session."""
    crossing_tokens: int
    """At most, each time that a threshold is crossed."""

    @property
    def first_request_tokens(self) -> int:
        """In a session's first request, at most."""
        return self.listing_tokens + self.start_tokens


def cost_of(wanted: Wanted, files: Mapping[str, str]) -> InstalledCost:
    """What being wired so costs, with these files of ours there."""
    if wanted.plugin:
        from tokenbudget.gateway.command_files import rendered, rendered_skill

        files = {**rendered("tokens", True), **rendered_skill("tokens")}
    lines = "".join(_line(name, text) for name, text in files.items())
    told = MOST_TOLD_TOKENS if wanted.hooks or wanted.plugin else 0
    return InstalledCost(_counted(lines), len(lines), told, told)


def _line(name: str, text: str) -> str:
    """How a request tells of a command or skill; '' for what only a person may call."""
    matter = front_matter(text)
    if matter.is_on("disable-model-invocation"):
        return ""
    kind, _, rest = name.partition("/")
    called = os.path.dirname(rest) if kind == "skills" else rest.removesuffix(".md")
    return f"- {called.replace('/', ':')}: {matter.words('description')}\n"


@functools.cache
def _counted(text: str) -> int:
    if not text:
        return 0
    from tokenbudget.metering.tokenizer import BytePairCounter

    return BytePairCounter().count(text)
