"""Findings under pseudonyms, to be shown to others."""

from __future__ import annotations

from tokenbudget.app.reporting_redacted import harmless, redacted_finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.drains.found import Applied, Findings
    from tokenbudget.model.redaction import Redactor


def redacted_findings(found: Findings, redactor: Redactor) -> Findings:
    """The findings without a path, a title or a name of one's own; none of them can be applied.

    Their ids are places in the list: the real ones are hashes, by which a guess could be tried out.
    """
    return found._replace(
        rows=tuple(
            redacted_finding(one, number, redactor) for number, one in enumerate(found.rows, 1)
        ),
        session=redactor.session(found.session),
        notes=harmless(found.notes),
        project=None if found.project is None else redactor.path(found.project),
        applied=tuple(_applied(one, redactor) for one in found.applied),
        proposals={},
        lines={},
    )


def _applied(one: Applied, redactor: Redactor) -> Applied:
    project = redactor.path(one.project)
    return one._replace(finding=f"{one.drain}/applied", subject="", project=project)
