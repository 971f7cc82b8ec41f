"""Which findings `--apply` can do something about, and what: a rule, or a line for the agent."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import NamedTuple

from tokenbudget.analysis.drains.found import LineCost
from tokenbudget.analysis.findings import Fix
from tokenbudget.model.actions import EditSettings
from tokenbudget.resources.instruction_lines import LINES, has_line, line_proposal, line_tokens
from tokenbudget.resources.looking import MADE_FOLDERS, real

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.analysis.findings import Finding
    from tokenbudget.app import Workbench
    from tokenbudget.model.actions import Proposal

READING = frozenset(("re-read", "read-unused", "whole-file", "large-output", "stale-copy"))
"""Drains whose subject is a file that a rule could keep from being read."""
MADE = MADE_FOLDERS | {"dist", "build", "target", "coverage", "htmlcov", "vendor"}
WORTH = 2
"""A line is offered where it could save so many times what it costs with every request."""
_RULE = re.compile(r"Read\((\./|/)([^*]+?)(?:/\*\*)?\)")


def in_made_folders(findings: Sequence[Finding]) -> set[str]:
    """The projects in which files were read that seem to be made by programs."""
    return {
        one.project
        for one in findings
        if one.drain in READING and not MADE.isdisjoint(one.subject.split("/"))
    }


class Fixes(NamedTuple):
    """Findings with the fixes that can be applied."""

    findings: list[Finding]
    proposals: dict[str, Proposal]
    """What is done, by the finding's id."""
    lines: dict[str, LineCost]
    """What the line costs that is a finding's fix, by its id."""


def with_fixes(
    bench: Workbench,
    findings: Sequence[Finding],
    rules: Mapping[str, tuple[Proposal, ...]],
    weekly_requests: Mapping[str, float],
) -> Fixes:
    """The findings with the fix that can be applied.

    Args:
        bench: Counts tokens.
        findings: Those of threads and of projects.
        rules: What was found in each project that was looked at; no other is touched.
        weekly_requests: By project.
    """
    lines = _Lines(bench, findings, weekly_requests)
    made = Fixes([], {}, {})
    for finding in findings:
        if finding.project not in rules or finding.fix.kind == "apply":
            made.findings.append(finding)
            continue
        one = _rule_for(finding, rules[finding.project])
        if one is None:
            one, cost, why_not = lines.against(finding)
            if cost is not None:
                made.lines[finding.id] = cost
            if why_not:
                text = f"{finding.fix.text} ({why_not})"
                finding = finding._replace(fix=finding.fix._replace(text=text))
        if one is not None:
            made.proposals[finding.id] = one
            finding = finding._replace(fix=_applied_by(finding, one))
        made.findings.append(finding)
    return made


def _applied_by(finding: Finding, one: Proposal) -> Fix:
    command = f"tokens optimize --apply {finding.id}"
    return Fix("apply", f"{finding.fix.text}: {one.title}", command, "tokens undo", one.id)


class _Lines:
    """The lines for the agent that are worth their own tokens, one for each project and drain."""

    def __init__(
        self, bench: Workbench, findings: Sequence[Finding], weekly_requests: Mapping[str, float]
    ) -> None:
        self._bench = bench
        self._weekly_requests = weekly_requests
        self._gains: defaultdict[tuple[str, str], int] = defaultdict(int)
        for one in findings:
            self._gains[one.project, one.drain] += one.weekly.tokens
        self._known: dict[tuple[str, str], tuple[Proposal | None, LineCost | None, str]] = {}

    def against(self, finding: Finding) -> tuple[Proposal | None, LineCost | None, str]:
        """What adds the line and what it costs; or why not, '' where there is none."""
        key = (finding.project, finding.drain)
        if finding.drain not in LINES:
            return None, None, ""
        if key not in self._known:
            self._known[key] = self._made(*key)
        return self._known[key]

    def _made(self, project: str, drain: str) -> tuple[Proposal | None, LineCost | None, str]:
        folder = real(project)
        if has_line(folder, drain):
            return None, None, "CLAUDE.md says so already"
        tokens = line_tokens(drain, self._bench.token_counter())
        weekly = round(tokens * self._weekly_requests.get(project, 0.0))
        if self._gains[project, drain] < WORTH * weekly:
            return None, None, "a line in CLAUDE.md would cost about as much as it could save"
        one = line_proposal(folder, drain)
        return one, None if one is None else LineCost(tokens, weekly), ""


def _rule_for(finding: Finding, rules: Sequence[Proposal]) -> Proposal | None:
    """The rule of a made folder that the file lies in."""
    if finding.drain not in READING or not finding.subject.startswith("/"):
        return None
    inside = os.path.relpath(finding.subject, finding.project)
    if inside.startswith(".."):
        return None
    for one in rules:
        if any(_covers(rule, inside) for rule in _rules_in(one)):
            return one
    return None


def _rules_in(one: Proposal) -> Iterator[str]:
    for step in one.steps:
        if isinstance(step, EditSettings):
            yield from (edit.value for edit in step.edits if isinstance(edit.value, str))


def _covers(rule: str, inside: str) -> bool:
    found = _RULE.fullmatch(rule)
    if found is None:
        return False
    is_anywhere = found[1] == "./"  # as the client reads it; see `made_folders`
    if is_anywhere:
        return f"/{found[2]}/" in f"/{inside}"
    return inside == found[2] or inside.startswith(f"{found[2]}/")
