"""The words for prices, periods and outcomes that every view of the findings uses."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tokenbudget.analysis.drains.ranking import most_of
from tokenbudget.model.figures import counted, dollars, short_count
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.analysis.drains.ranking import Days
    from tokenbudget.analysis.findings import AppliedFix, Finding, Price

_CENT = Decimal("0.01")
_MILL = Decimal("0.001")
_FINE = Decimal("0.0001")
_TEN_CENTS = Decimal("0.1")
_EPOCH = date(1970, 1, 1)


def usd_words(price: Price) -> str:
    """`$1.20 ± 0.30`; `$0.04 (0 to 0.17)` where it may not come again; `no price` without one."""
    if price.usd is None:
        return "no price"
    step = _step(price.usd)
    most = most_of(float(price.usd), float(price.error_usd or 0))
    if most is None:
        return _usd_give_or_take(price)
    return f"{_signed(price.usd)} (0 to {_plain(Decimal(str(most)), step)})"


def token_words(price: Price) -> str:
    """`41.2K ± 9.1K tokens`; `800 (0 to 3.8K) tokens` where it may not come again."""
    most = most_of(price.tokens, price.error_tokens)
    if most is None:
        return _tokens_give_or_take(price)
    return f"{short_count(price.tokens)} (0 to {short_count(round(most))}) tokens"


def spent_words(spent: Price, days: Days) -> str:
    """`$0.92 in 23 days`: what it came to, which is known whatever comes; '' for nothing."""
    amount = "" if spent.usd is None else dollars(spent.usd)
    if not amount and spent.tokens:
        amount = f"{short_count(spent.tokens)} tokens"
    return f"{amount} in {counted(days.length, 'day')}" if amount else ""


def spent_whole_words(spent: Price, days: Days) -> str:
    """`$0.92 ± 0.05 and 86.0K ± 900 tokens in 23 days`: what it came to, as far as it is known."""
    if spent.usd is None and not spent.tokens:
        return ""
    money = "" if spent.usd is None else _usd_give_or_take(spent)
    tokens = _tokens_give_or_take(spent) if spent.tokens else ""
    return f"{' and '.join(filter(None, (money, tokens)))} in {counted(days.length, 'day')}"


def carried_words(finding: Finding) -> str:
    """`1,767 tokens a request`: of what stands in a project's files; '' for all else."""
    if finding.spent is not None or not finding.window_tokens:
        return ""
    return f"{finding.window_tokens:,} tokens a request"


def is_rare(price: Price) -> bool:
    """Whether so little was seen that it may not come again."""
    if price.usd is not None:
        return most_of(float(price.usd), float(price.error_usd or 0)) is not None
    return most_of(price.tokens, price.error_tokens) is not None


def _usd_give_or_take(price: Price) -> str:
    usd = price.usd or Decimal(0)
    return f"{_signed(usd)} ± {_plain(price.error_usd or Decimal(0), _step(usd))}"


def _tokens_give_or_take(price: Price) -> str:
    return f"{short_count(price.tokens)} ± {short_count(price.error_tokens)} tokens"


def cost_words(price: Price) -> str:
    """Money and tokens, as far as there are any."""
    if price.usd is None:
        return f"{token_words(price)} (no price)" if price.tokens else "an unknown amount"
    tokens = f" and {token_words(price)}" if price.tokens else ""
    return f"{usd_words(price)}{tokens}"


def _signed(usd: Decimal) -> str:
    size = abs(usd)
    shown = f"${_plain(size, _step(usd))}" if size >= _FINE else dollars(size)
    return f"-{shown}" if usd < 0 else shown


def _step(usd: Decimal) -> Decimal:
    """Digits that an amount is shown with, and its error as well: two that say something."""
    if abs(usd) >= _TEN_CENTS:
        return _CENT
    return _MILL if abs(usd) >= _CENT else _FINE


def _plain(usd: Decimal, step: Decimal) -> str:
    rounded = usd.quantize(step, ROUND_HALF_UP)
    return f"{max(rounded, step) if usd else rounded:,}"


def day_words(day: int) -> str:
    """2026-11-20."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def period_words(days: Days) -> str:
    """`2026-10-22 to 2026-11-20`; '' for no day."""
    if days.length == 0:
        return ""
    first, last = day_words(days.first), day_words(days.last)
    return first if first == last else f"{first} to {last}"


def place_words(found: Findings, home: str) -> str:
    """Whose findings these are, for how long and of what."""
    where = "all projects" if found.project is None else short_path(found.project, home)
    where = f"session {found.session[:8]}" if found.session else where
    where += ", for none is of this folder" if found.is_fallback else ""
    seen = f"{counted(found.sessions, 'session')}, {counted(found.requests, 'request')}"
    parts = (where, period_words(found.days), seen)
    return " · ".join(part for part in parts if part)


def short_path(path: str, home: str) -> str:
    """A path as a person calls it."""
    top = home.rstrip("/") + "/"
    return "~/" + path[len(top) :] if home and path.startswith(top) else path


def share_words(found: Findings) -> str:
    """How much of the bill the findings are, '18%'; '' where nothing was billed."""
    bill, total = found.weekly_bill, found.weekly_total
    if total.usd and bill.cost_pico_usd:
        return f"{_share(float(total.usd / bill.cost_usd))} of {dollars(bill.cost_usd)}"
    if total.tokens and bill.total_tokens:
        whole = short_count(bill.total_tokens)
        return f"{_share(total.tokens / bill.total_tokens)} of {whole} tokens"
    return ""


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"


def outcome_words(outcome: AppliedFix) -> str:
    """What came of an applied fix, in a sentence without its name."""
    days = outcome.days_since
    undone = "; it was undone" if outcome.is_undone else ""
    if outcome.saved is None:
        if outcome.is_undone:
            return f"undone after {_days(days)}, before it could be measured"
        return f"not enough use yet to measure it ({_days(days)})"
    foretold = f"foretold were {short_count(outcome.predicted.tokens)}"
    measured = f"measured over {_days(days)} against before"
    return f"{saved_words(outcome.saved)}, {measured}; {foretold}{undone}"


def saved_words(saved: Price) -> str:
    """`saved 12.3K ± 2.0K tokens a week ($0.31 ± 0.05)`, or that nothing can be told."""
    money = "" if saved.usd is None else f" ({_usd_give_or_take(saved)})"
    if abs(saved.tokens) <= saved.error_tokens or not saved.tokens:
        return f"saved nothing that can be told: {_tokens_give_or_take(saved)} a week{money}"
    if saved.tokens < 0:
        return (
            f"costs more since: {_tokens_give_or_take(saved._replace(tokens=-saved.tokens))} a week"
        )
    return f"saved {_tokens_give_or_take(saved)} a week of use{money}"


def _days(days: float) -> str:
    return counted(int(days), "day")


def drain_words(drain: str, subject: str, project: str, home: str) -> str:
    """What a fix was about: `re-read of src/cart.py in ~/shop`."""
    from tokenbudget.analysis.drains.wording import shown_subject

    named = f" of {shown_subject(subject, project)}" if subject else ""
    where = f" in {short_path(project, home)}" if project else ""
    return one_line(f"{drain}{named}{where}")
