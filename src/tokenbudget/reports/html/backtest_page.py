"""A backtest as one HTML file: works offline, in both themes, on paper; it runs no script."""

from __future__ import annotations

from tokenbudget.model.html_text import escaped
from tokenbudget.reports.backtest_tables import (
    codecs_table,
    loss_table,
    sessions_table,
    strategies_table,
)
from tokenbudget.reports.backtest_words import (
    BASIS_WORDS,
    METHOD,
    MOST_CASES,
    case_words,
    chosen,
    figures,
    scope_words,
    verdict,
    worst_cases,
)
from tokenbudget.reports.html.assets import policy, styles
from tokenbudget.reports.html.backtest_picture import picture_html
from tokenbudget.reports.html.parts import paragraph, table_html

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_result import Backtest, Case, StrategyResult

_STYLES = ("report.css", "backtest.css")
TITLE = "Backtest"
PICTURE_WORDS = (
    "Each dot is a session: the further left, the dearer it would have become; the further right,"
    " the more it would have saved; the higher, the more of what the agent needed later was no"
    " longer told. Its size is what the session cost. Good is right and low."
)


def backtest_html(backtest: Backtest) -> str:
    """The whole page."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{_head()}</head>\n<body>\n'
        '<a class="skip" href="#content">Skip to the figures</a>\n'
        f'{_header(backtest)}<main id="content">\n{_sections(backtest)}</main>\n'
        "<footer>One file, nothing is loaded from elsewhere.</footer>\n</body>\n</html>\n"
    )


def _head() -> str:
    return (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(_STYLES, ())}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<link rel="icon" href="data:,">\n<title>{TITLE}</title>\n{styles(*_STYLES)}'
    )


def _header(backtest: Backtest) -> str:
    items = "".join(
        f'<div><dt>{escaped(one.label)}</dt><dd><span class="value">{escaped(one.value)}</span>'
        f'<br><span class="note">{escaped(one.note)}</span></dd></div>'
        for one in figures(backtest)
    )
    shown = f'<dl class="figures">{items}</dl>\n' if items else ""
    return (
        f'<header>\n<h1>{TITLE}</h1>\n<p class="period">{escaped(scope_words(backtest))}</p>\n'
        f"{paragraph(verdict(backtest), 'verdict')}{shown}</header>\n"
    )


def _sections(backtest: Backtest) -> str:
    if not backtest.sessions:
        return ""
    parts = [_section("strategies", "Strategies", _strategies(backtest))]
    told = [one for one in backtest.strategies if one.fidelity.shortened]
    if told:
        parts.append(
            _section(
                "picture",
                "Saving against loss, session by session",
                paragraph(PICTURE_WORDS) + picture_html(told),
            )
        )
    parts.append(_section("loss", "What was lost", table_html(loss_table(backtest))))
    one = chosen(backtest)
    if one is not None:
        parts.append(_section("where", "Where it was saved", table_html(codecs_table(one))))
        parts.append(_section("worst", "Worst sessions", table_html(sessions_table(one))))
        parts.append(_section("cases", "What was needed and no longer told", _cases(one)))
    parts.append(_section("method", "How these figures are known", _method(backtest)))
    return "".join(parts)


def _section(key: str, heading: str, inside: str) -> str:
    return (
        f'<section aria-labelledby="{key}"><h2 id="{key}">{escaped(heading)}</h2>\n'
        f"{inside}</section>\n"
    )


def _strategies(backtest: Backtest) -> str:
    notes = "".join(
        f"<li><b>{escaped(one.name)}</b>: {escaped(one.said)} ({escaped(one.basis)})</li>\n"
        for one in backtest.strategies
    )
    bases = dict.fromkeys(one.basis for one in backtest.strategies)
    said = "; ".join(f"{basis}: {BASIS_WORDS.get(basis, '')}" for basis in bases)
    table = table_html(strategies_table(backtest), has_title=False)
    return f"{table}<ul>\n{notes}</ul>\n{paragraph(said, 'muted')}"


def _cases(one: StrategyResult) -> str:
    cases = worst_cases(one)
    if not cases:
        return paragraph("Nothing.")
    items = "".join(_case(case) for case in cases[:MOST_CASES])
    left = len(cases) - MOST_CASES
    return items + paragraph(f"{left:,} more are in the JSON." if left > 0 else "", "muted")


def _case(case: Case) -> str:
    lines = "<br>".join(escaped(line) for line in case.span.split("\n"))
    return f'<div class="case">{paragraph(case_words(case))}<code>{lines}</code></div>\n'


def _method(backtest: Backtest) -> str:
    items = "".join(f"<li>{escaped(one)}</li>\n" for one in METHOD)
    unread = "".join(f"<li>not gone through: {escaped(one)}</li>\n" for one in backtest.unread)
    return f'<ul class="method">\n{items}{unread}</ul>\n'
