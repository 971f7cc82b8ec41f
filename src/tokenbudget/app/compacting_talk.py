"""What to do about the running conversation, which only the agent itself can compact."""

from __future__ import annotations

from tokenbudget.analysis.cache_state import cache_state
from tokenbudget.analysis.compact_focus import focus_line
from tokenbudget.analysis.compact_plan import Talk, conversation_freed
from tokenbudget.analysis.window_pieces import CONTEXT_FILES, MESSAGES
from tokenbudget.sources.claude_code.bodies import prompt_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.ledger.inspection import SessionRow

CONVERSATION = (MESSAGES, CONTEXT_FILES)
ENOUGH = 8
"""Of edited files and failures, so many are looked at."""
CACHE_REQUESTS = 20
DAY_MS = 86_400_000
SUMMARIES = 20


def talk_of(
    bench: Workbench, facts: SessionRow, window: SessionWindow, project: str, now_ms: int
) -> Talk | None:
    """The agent's command for this conversation; None where there is too little to free."""
    tokens = sum(part.tokens for part in window.components if part.key in CONVERSATION)
    freed = conversation_freed(tokens, bench.ledger.work.summary_tokens(SUMMARIES))
    if not freed.tokens or window.changed_since:
        return None
    work = bench.ledger.work.open_work(facts.session, ENOUGH)
    line = focus_line(_task(bench, work.prompts), work.edited, work.failed, project)
    requests = bench.ledger.last_requests(facts.session, window.at_ms - DAY_MS, CACHE_REQUESTS)
    return Talk(line, freed, cache_state(requests, now_ms))


def _task(bench: Workbench, prompts: tuple[tuple[str, int], ...]) -> str:
    """The last prompt that is a task and no command."""
    for path, offset in prompts:
        line = bench.bodies.line(path, offset)
        text = None if line is None else prompt_text(line)
        if text and not text.lstrip().startswith(("/", "<", "!")):
            return text
    return ""
