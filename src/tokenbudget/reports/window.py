"""What `context`, `budget` and `timeline` share: a heading, a bar, how a figure is marked."""

from __future__ import annotations

from tokenbudget.model.figures import cut, padded, text_width, wrapped
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.ledger.inspection import SessionRow

WIDTH = 100
"""Wide enough for every figure, narrow enough to be read as one picture."""


def heading(facts: SessionRow, window: SessionWindow) -> str:
    """Project, title and model of a session in one line."""
    where = facts.project.rstrip("/").rpartition("/")[2]
    name = facts.title or facts.git_branch or facts.session[:8]
    who = f"subagent {window.agent}" if window.agent else ""
    parts = (where, name, who, window.model)
    return " · ".join(one_line(part) for part in parts if part)


def headed(title: str, right: str, width: int) -> str:
    """A title with something at the right edge, cut to the width."""
    room = max(0, width - text_width(title) - 2)
    fitting = cut(right, room, keeps_start=True)
    return padded(title, width - text_width(fitting)) + fitting if fitting else cut(title, width)


def percent(tokens: int, whole: int | None) -> str:
    """A share of the window with one digit; '' where the window is not known."""
    return f"{tokens / whole:.1%}" if whole else ""


def counted_tokens(tokens: int, is_exact: bool) -> str:
    """An amount: exact as it is, counted ones behind a tilde."""
    return f"{tokens:,}" if is_exact else f"~{tokens:,}"


def size_words(window: SessionWindow) -> str:
    """Where the size of the window is known from."""
    return {
        "setting": "your setting",
        "reported": "what the agent reports",
        "observed": "observed in this session",
        "published": "published for the model",
    }.get(window.size.origin, "not known")


def note_lines(window: SessionWindow, width: int) -> list[str]:
    """What is unknown or doubtful."""
    return [
        f"  {line}"
        for note in window.notes
        for line in wrapped(f"! {one_line(note)}", width - 2, "  ")
    ]


def fields_of(window: SessionWindow, facts: SessionRow) -> dict[str, object]:
    """The figures of a window for JSON."""
    size = window.size
    return {
        "session": facts.session,
        "agent_thread": window.agent or None,
        "title": facts.title,
        "project": facts.project,
        "model": window.model or None,
        "window_tokens": size.tokens,
        "window_origin": size.origin,
        "reserve_tokens": size.reserve_tokens,
        "reserve_origin": size.reserve_origin,
        "prompt_tokens": window.prompt_tokens,
        "answer_tokens": window.answer_tokens,
        "total_tokens": window.total_tokens,
        "free_tokens": window.free_tokens,
        "until_compaction_tokens": window.until_compaction_tokens,
        "waiting_tokens": window.waiting_tokens,
        "requests": window.requests,
        "unexplained_requests": window.unexplained_requests,
    }
