"""Rules that keep generated and vendored files from being read.

`permissions.deny` with `Read(./folder/**)` is what Claude Code enforces, at once, and in this
person's own settings for the project; what such a rule means is told in `made_folders`.
`.claudeignore` it does not read (measured with 2.1.329); other tools do. Neither frees anything of
a request as it is: what reading there came to in a week stands beside each rule. What shell
commands read is not seen.

A rule is chosen only where nothing was read: whoever read there may need it again. In the client's
sandbox the rules hold for every shell command (its settings schema: `denyRead` is "merged with
paths from Read(...) deny permission rules"), so a build would fail: then none is chosen.
"""

from __future__ import annotations

import os
import re

from tokenbudget.model.actions import (
    NEVER_SENT,
    EditSettings,
    EditText,
    Item,
    Proposal,
    SettingEdit,
)
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.evidence import FEWEST_SESSIONS, FileUse, is_below
from tokenbudget.resources.git_index import tracked_in
from tokenbudget.resources.kind import Kind, counted, shown, typable
from tokenbudget.resources.looking import Walk, facts_of, is_plainly_inside, text_at
from tokenbudget.resources.made_folders import bundles, made_folders
from tokenbudget.resources.memory_loading import loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.actions import Weight
    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.git_index import Tracked
    from tokenbudget.resources.made_folders import Made

IGNORE_FILE = ".claudeignore"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.@+/-]+(?: [A-Za-z0-9_.@+/-]+)*")
"""A path that stands for itself in a rule."""
_NAMES_SHOWN = 3


class IgnoreRules(Kind):
    """Generated and vendored folders that are read although nobody wrote them to be."""

    name = "ignore-rules"
    _folders: tuple[Made, ...] = ()
    _bundles: tuple[Made, ...] = ()

    def inventory(self) -> Sequence[Item]:
        """The folders and bundles that programs made, with how often they were read."""
        self._said: Said = said_by(self.place)
        self._tracked: Tracked = tracked_in(self.place.project)
        memory = loaded(self.place, self._said).files
        self._memory = "\n".join(file.text for file in memory)
        walk = Walk(self.place.project, self.place.clock)
        folders = list(walk.folders())
        made = made_folders(self.place, walk, folders)
        self._folders = tuple(one for one in made if _PLAIN_PATH.fullmatch(one.name))
        found = bundles(self.place, folders, made)
        self._bundles = tuple(one for one in found if _PLAIN_PATH.fullmatch(one.name))
        self.notes = (*self._said.notes, "what shell commands read is not in the figures")
        if walk.cut:
            self.notes = (*self.notes, f"{walk.cut}: not every folder was looked at")
        return [self._item(one) for one in (*self._folders, *self._bundles)]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """A rule for each folder, one for all bundles, and `.claudeignore` for other tools."""
        wanted = {item.path for item in items}
        found = [one for one in (*self._folders, *self._bundles) if one.paths[0] in wanted]
        found = [one for one in found if self._may_be_hidden(one)]
        open_ones = [one for one in found if not self._is_denied(one)]
        proposals = [self._rule(one) for one in open_ones if one.is_folder]
        files = [one for one in open_ones if not one.is_folder]
        if files:
            proposals.append(self._bundle_rules(files))
        ignoring = self._ignore_file(found)
        return proposals if ignoring is None else [*proposals, ignoring]

    def _item(self, made: Made) -> Item:
        calls = self._use([made]).calls if self.evidence.sessions else None
        return Item(self.name, shown(made.name), made.paths[0], 0, NEVER_SENT, None, calls)

    def _may_be_hidden(self, made: Made) -> bool:
        """Neither a memory file names it, nor did the agent edit in it of late."""
        name = os.path.basename(made.name)
        names = (f"{made.name}/", f"`{made.name}`", f"`{name}`", f" {name}/", f"`{name}/")
        if any(words in self._memory for words in names):
            return False
        if made.is_anywhere:
            return not any(f"/{name}/" in use.path for use in self.evidence.edits)
        return not self.evidence.edited_below(made.paths[0])

    def _is_denied(self, made: Made) -> bool:
        names = {made.name, os.path.basename(made.name)} if made.is_anywhere else {made.name}
        starts, ends = ("./", "/", "", "**/"), ("", "/", "/**")
        same = {f"Read({s}{name}{e})" for name in names for s in starts for e in ends}
        return not self._said.denied.isdisjoint(same)

    def _use(self, made: Sequence[Made]) -> FileUse:
        uses = [use for one in made for use in self._reads(one)]
        return FileUse("", sum(u.calls for u in uses), sum(u.result_bytes for u in uses))

    def _reads(self, made: Made) -> list[FileUse]:
        """One pass over what was read: folders of one name may be thousands."""
        reads = self.evidence.reads
        if not made.is_anywhere:
            return [use for use in reads if is_below(use.path, made.paths[0])]
        part, project = f"/{made.name}/", self.place.project
        return [use for use in reads if part in use.path and is_below(use.path, project)]

    # ── proposing ──────────────────────────────────────────────────────────────────────────────

    def _rule(self, made: Made) -> Proposal:
        where = " wherever it is" if made.is_anywhere and len(made.paths) > 1 else ""
        is_tracked = any(map(self._tracked.has_below, made.paths))
        identity = typable(self.name, made.name)
        return self._denying(identity, f"deny reading in {made.name}{where}", [made], is_tracked)

    def _bundle_rules(self, files: Sequence[Made]) -> Proposal:
        names = ", ".join(one.name for one in files[:_NAMES_SHOWN])
        more = f" and {len(files) - _NAMES_SHOWN} more" if len(files) > _NAMES_SHOWN else ""
        title = f"deny reading {counted(len(files), 'minified file')}: {names}{more}"
        is_tracked = any(self._tracked.has(one.paths[0]) for one in files)
        return self._denying(f"{self.name}/minified", title, files, is_tracked)

    def _denying(
        self, identity: str, title: str, made: Sequence[Made], is_tracked: bool
    ) -> Proposal:
        use = self._use(made)
        rules = [one.rule for one in made]
        is_sure = self.evidence.sessions >= FEWEST_SESSIONS
        is_boxed = self._said.is_sandboxed
        edits = tuple(SettingEdit(("permissions", "deny"), rule, is_member=True) for rule in rules)
        can_be = self._said.takes(*edits)
        weekly = self._weekly(use)
        return Proposal(
            id=identity,
            resource=self.name,
            title=title,
            reason=self._reason(use, weekly, is_tracked),
            freed=NEVER_SENT,
            freed_bytes=0,
            effect="now",
            is_chosen=can_be and is_sure and not (is_tracked or use.calls) and not is_boxed,
            steps=(EditSettings(self.place.local_settings, edits),) if can_be else (),
            command="" if can_be else f"/permissions, deny: {', '.join(rules)}",
            weekly=weekly,
        )

    def _weekly(self, use: FileUse) -> Weight:
        if not use.calls:
            return NEVER_SENT
        return self.weights.of_bytes(round(use.result_bytes / self.evidence.weeks))

    def _reason(self, use: FileUse, weekly: Weight, is_tracked: bool) -> str:
        period = f"the last {self.evidence.days} days"
        if not self.evidence.sessions:
            reason = f"no session of {period} says what reading there costs"
        elif not use.calls:
            sessions = counted(self.evidence.sessions, "session")
            reason = f"a program made it; nothing was read there in {sessions} of {period}"
        else:
            reason = (
                f"a program made it; {counted(use.calls, 'read')} there in {period} came to about"
                f" {weekly.tokens or 0:,} tokens a week, and the agent may need them"
            )
        if self._said.is_sandboxed:
            reason += "; your sandbox would keep every shell command out as well, builds and tests"
        return f"{reason}; git tracks files there, so they may be meant" if is_tracked else reason

    def _ignore_file(self, made: Sequence[Made]) -> Proposal | None:
        """`.claudeignore` with a line for each; None where it says all of them, or is no file."""
        path = os.path.join(self.place.project, IGNORE_FILE)
        before = text_at(path, (self.place.project,))
        facts = facts_of(path)
        is_there = os.path.lexists(path)
        if is_there and (before is None or facts is None or not facts.is_ours):
            return None
        if facts is not None and not facts.is_writable:
            return None
        if not is_plainly_inside(path, self.place.project):
            return None
        known = {line.strip().strip("/") for line in (before or "").splitlines()}
        lines = [one.ignore_line for one in made if one.name not in known]
        if not lines:
            return None
        end = "\r\n" if before and "\r\n" in before else "\n"
        start = before or ""
        gap = end if start and not start.endswith("\n") else ""
        is_tracked = is_there and self._tracked.has(path)
        return Proposal(
            id=f"{self.name}/claudeignore",
            resource=self.name,
            title=f"list {counted(len(lines), 'generated path')} in {IGNORE_FILE}"
            + ("" if is_there else ", a new file that git will show"),
            reason="for tools that read it: Claude Code does not, and heeds the deny rules alone",
            freed=NEVER_SENT,
            freed_bytes=0,
            effect="disk only",
            is_chosen=not is_tracked and self.evidence.sessions >= FEWEST_SESSIONS,
            steps=(EditText(path, before, start + gap + "".join(line + end for line in lines)),),
        )
