"""A report as PDF, laid out by typst; the same report gives the same bytes."""

from __future__ import annotations

import json
import os

from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.pdf.pdf_data import pdf_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from tokenbudget.analysis.report_data import ReportData

_TEMPLATE = os.path.join(os.path.dirname(__file__), "report.typ")
_LAST_BUNDLED = 0x0530
"""The fonts in typst have Latin, Greek and Cyrillic letters; beyond, and"""
_BUNDLED_SIGNS = (0x1E00, 0x2FFF)
"""outside these, a font of the system is looked for (a tenth of a second)."""


def typst_or_refusal() -> ModuleType:
    """The library that sets the pages.

    Raises:
        BadRequest: it is not installed.
    """
    try:
        import typst
    except ImportError as missing:
        raise BadRequest(
            "a PDF needs typst, which is not installed: pip install 'tokenbudget[report]';"
            " tokens report html can be printed without it"
        ) from missing
    return typst


def report_pdf(data: ReportData, paper: str = "a4") -> bytes:
    """The pages.

    Raises:
        BadRequest: typst is not installed.
    """
    pages = report_pages(data, paper, "pdf")
    return pages[0]


def report_pages(data: ReportData, paper: str, kind: str, ppi: float | None = None) -> list[bytes]:
    """The report as one PDF, or as a picture (`png`, `svg`) of each page."""
    typst = typst_or_refusal()
    said = json.dumps(pdf_data(data, paper), ensure_ascii=False)
    with open(_TEMPLATE, "rb") as template:
        made = typst.compile(
            template.read(),
            root=os.path.dirname(__file__),
            format=kind,
            ppi=ppi,
            sys_inputs={"data": said},
            ignore_system_fonts=not _needs_other_fonts(said),
            timestamp=data.made_at_ms // 1000,
        )
    return made if isinstance(made, list) else [made]


def _needs_other_fonts(text: str) -> bool:
    first, last = _BUNDLED_SIGNS
    return any(ord(one) > _LAST_BUNDLED and not first <= ord(one) <= last for one in set(text))
