"""Links of a text of which some sections move into files of their own: each leads where it led.

Pure. A relative path is given the way from the section's new folder; `#heading` names the file in
which that heading stands now; a label is defined in each text that uses it. What stands in code is
left as it is.
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from tokenbudget.resources.skill_links import (
    anchors_of,
    definitions_in,
    from_folder,
    labels_in,
    links_in,
    rewritten,
)
from tokenbudget.resources.text_blocks import blocks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

REST = -1
"""The home of what stays."""


class Leaving(NamedTuple):
    """A section that moves; its heading stays behind as well."""

    start: int
    end: int
    name: str
    """Of its new file."""


class MovedLinks:
    """The links of one text, of which some sections move."""

    def __init__(self, text: str, place: str, folder: str, leaving: Sequence[Leaving]) -> None:
        """Read the text's links and headings.

        Args:
            text: The file's.
            place: Where the file is, as the project knows it, such as `docs/CLAUDE.md`.
            folder: Where the sections go, likewise.
            leaving: The sections, in order.
        """
        self._top, self._folder = posixpath.dirname(place), folder
        self._back = from_folder(place, folder)
        self._leaving = leaving
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self._definitions = definitions_in(text)
        self._homes, self._left_behind = self._headings(text)

    def own(self, text: str, home: int = REST) -> str:
        """Words of the text as they read in their home: the number of a section, or `REST`."""
        return rewritten(text, {one.target: self._led(one.target, home) for one in links_in(text)})[
            0
        ]

    def defined(self, text: str, home: int = REST) -> str:
        """A whole text with the lines that say where its labels lead, where another has them."""
        used, own = set(labels_in(text)), definitions_in(text)
        missing = [line for label, line in self._definitions.items() if label in used - set(own)]
        if not missing:
            return text
        line_end = self._line_end
        gap = (
            "" if text.endswith(line_end * 2) else line_end if text.endswith("\n") else line_end * 2
        )
        return text + gap + "".join(self.own(line, home) + line_end for line in missing)

    def _headings(self, text: str) -> tuple[dict[str, int], set[str]]:
        """By anchor the section that a heading moves with, and those that stay behind as well."""
        headings = [block for block in blocks_of(text) if block.level]
        homes: dict[str, int] = {}
        behind: set[str] = set()
        for block, anchor in zip(
            headings, anchors_of([one.title for one in headings]), strict=True
        ):
            for number, one in enumerate(self._leaving):
                if one.start <= block.start < one.end:
                    homes[anchor] = number
                    behind |= {anchor} if block.start == one.start else set()
        return homes, behind

    def _led(self, target: str, home: int) -> str:
        if not target.startswith("#"):
            told = posixpath.join(self._top, target)
            return target if home == REST else from_folder(told, self._folder)
        anchor = target[1:].lower()
        there = self._homes.get(anchor, REST)
        if there == home or (home == REST and anchor in self._left_behind):
            return target
        if there == REST:
            return self._back + target
        name = self._leaving[there].name
        if home != REST:
            return name + target
        return from_folder(posixpath.join(self._folder, name), self._top) + target
