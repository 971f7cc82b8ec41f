"""A report under pseudonyms: what `profiling_redacted` does not see, findings and history.

Sentences of findings name what they are about in many forms, so that none of them is edited: each
is made anew of the drain's own words, which are ours, and the subject's pseudonym.
"""

from __future__ import annotations

import re

from tokenbudget.analysis.drains.catalogue import drain_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.findings import Evidence, Finding
    from tokenbudget.analysis.report_data import ActionRow, AlertRow, ReportData
    from tokenbudget.model.redaction import Redactor

_MODELS = frozenset(("costly-model", "thinking", "cache-model-switch"))
"""Drains that are about models: their names tell nothing of anybody."""
_QUOTED = re.compile(r"'.*'|`.*`|\".*\"", re.DOTALL)
"""What a detail quotes: words of a tool's output. From the first mark to the last, for what stands
between them may have marks of its own."""


def redacted_report(data: ReportData, redactor: Redactor) -> ReportData:
    """The report without a path, a title, a prompt or a name of one's own in it.

    Its profile, efficiency and costs are to be made of a redacted scene already.
    """
    return data._replace(
        profile=data.profile._replace(notes=harmless(data.profile.notes)),
        findings=tuple(
            redacted_finding(one, number, redactor) for number, one in enumerate(data.findings, 1)
        ),
        alerts=tuple(_alert(one, redactor) for one in data.alerts),
        actions=tuple(_action(one, redactor) for one in data.actions),
        cleanups=tuple(
            one._replace(session=redactor.session(one.session)) for one in data.cleanups
        ),
        has_content=False,
        prompts=(),
        method=data.method,
    )


def harmless(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Those that name no file or folder."""
    return tuple(note for note in notes if "/" not in note and "~" not in note)


def redacted_finding(one: Finding, number: int, redactor: Redactor) -> Finding:
    """A finding under pseudonyms; `number` is its place, and stands for its id."""
    drain = drain_of(one.drain)
    subject = _subject(one, redactor)
    about = f": {subject}" if subject else ""
    return one._replace(
        id=f"{one.drain}/{number}",  # the real one is a hash of the subject that could be tried out
        title=f"{drain.title if drain else one.drain}{about}",
        subject=subject,
        project=redactor.path(one.project),
        evidence=tuple(_evidence(seen, redactor) for seen in one.evidence),
        alternative=drain.alternative if drain else "",
        tip=drain.tip if drain else "",
        fix=one.fix._replace(
            text=drain.fix.replace("{subject}", subject or "it") if drain else "",
            command="",
            undo="",
            proposal_id="",
        ),
    )


def _subject(one: Finding, redactor: Redactor) -> str:
    if one.drain in _MODELS:
        return redactor.word(one.subject)
    if "/" in one.subject or "." in one.subject:
        return redactor.path(one.subject)
    return redactor.tool(one.subject)


def _evidence(seen: Evidence, redactor: Redactor) -> Evidence:
    is_file = not seen.line
    return seen._replace(
        session=redactor.session(seen.session),
        path=redactor.path(seen.path),
        detail="" if is_file else _QUOTED.sub("\N{HORIZONTAL ELLIPSIS}", seen.detail),
    )


def _alert(one: AlertRow, redactor: Redactor) -> AlertRow:
    """Titles of alerts name projects and sessions."""
    return one._replace(rule=redactor.name(one.rule), detail="")


def _action(one: ActionRow, redactor: Redactor) -> ActionRow:
    return one._replace(project=redactor.path(one.project))
