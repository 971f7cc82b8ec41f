"""Small made-up sessions whose windows are known: what was sent, word by word, and what was billed.

A word here is one token of the public vocabulary, and a model bills the built-in ratio for it, give
or take a few percent, so that a counter which works explains every step of a session.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from tests.cli.conftest import Home, write_lines

Json: TypeAlias = dict[str, Any]

BEGIN = datetime(2026, 11, 20, 11, tzinfo=UTC)
"""An hour before the clock of `Home`."""
HAIKU = "claude-haiku-4-5-20251001"
"""A window of 200,000 tokens is published for it, and the old way of counting is its own."""
RATIO, PIECE_TOKENS = 1.16, 8
HIDDEN_TOKENS = 12_000
"""What no line of these transcripts shows: system prompt and tools."""
_LEXICON = ("cart", "total", "price", "order", "stock", "item", "tax", "rate", "sum", "list")


def words(count: int) -> str:
    """So many words."""
    return " ".join(_LEXICON[number % len(_LEXICON)] for number in range(count))


def billed(text: str) -> int:
    """What a text takes in the window of `HAIKU`: a little more or less, by its length."""
    count = len(text.split())
    return round(RATIO * count * (1 + (count % 7 - 3) / 100) + PIECE_TOKENS)


def said(role: str, content: object) -> Json:
    """A message of a request."""
    return {"role": role, "content": content}


class Talk:
    """A session, written turn by turn; every method returns the talk, so that calls line up."""

    def __init__(
        self,
        session: str = "s1",
        cwd: str = "/srv/shop",
        model: str = HAIKU,
        begin: datetime = BEGIN,
        hidden_tokens: int = HIDDEN_TOKENS,
        agent: str = "",
    ) -> None:
        self.lines: list[Json] = []
        self.session = session
        self.cwd = cwd
        self.model = model
        self.at = begin
        self.agent = agent
        self.window_tokens = hidden_tokens
        """Everything that the next request will send."""
        self._hidden_tokens = hidden_tokens
        self._cached_tokens = 0
        self._answers = 0
        self._calls = 0

    # ── lines ─────────────────────────────────────────────────────────────────────────────────

    def line(self, kind: str, **fields: Any) -> "Talk":
        """Any line, with what the client writes into all of them."""
        self.at += timedelta(seconds=20)
        common: Json = {
            "type": kind,
            "uuid": f"{self.session}-{self.agent}-{len(self.lines)}",
            "timestamp": f"{self.at:%Y-%m-%dT%H:%M:%S.000Z}",
            "sessionId": self.session,
            "cwd": self.cwd,
            "gitBranch": "main",
            "version": "2.1.329",
        }
        if self.agent:
            common |= {"isSidechain": True, "agentId": self.agent}
        self.lines.append({**common, **fields})
        return self

    def ask(self, text: str = "Please fix the cart.", **fields: Any) -> "Talk":
        """A prompt."""
        self.window_tokens += billed(text)
        return self.line("user", message=said("user", text), **fields)

    def answer(self, text: str = "Done.", *blocks: Json, **fields: Any) -> "Talk":
        """A request and its answer; `usage=None` for one that does not report."""
        output = billed(text) + sum(billed(json.dumps(block)) for block in blocks)
        usage = fields.pop("usage", self._usage(output))
        self._answers += 1
        message = {
            "id": fields.pop("key", f"msg_{self.session}_{self.agent}_{self._answers}"),
            "role": "assistant",
            "model": fields.pop("model", self.model),
            "stop_reason": "tool_use" if blocks else "end_turn",
            "usage": usage,
            "content": [{"type": "text", "text": text}, *blocks],
        }
        self._cached_tokens = self.window_tokens
        self.window_tokens += output
        return self.line("assistant", requestId=f"req_{message['id']}", message=message, **fields)

    def _usage(self, output_tokens: int) -> Json:
        cached = min(self._cached_tokens, self.window_tokens)
        return {
            "input_tokens": 0,
            "cache_creation_input_tokens": self.window_tokens - cached,
            "cache_read_input_tokens": cached,
            "output_tokens": output_tokens,
        }

    def call(self, tool: str, result: str, **given: str) -> "Talk":
        """An answer that uses a tool, and what the tool gives back."""
        self._calls += 1
        key = f"tool_{self.session}_{self._calls}"
        self.answer("Let me look.", {"type": "tool_use", "id": key, "name": tool, "input": given})
        self.window_tokens += billed(result)
        block = {"type": "tool_result", "tool_use_id": key, "content": result}
        return self.line("user", message=said("user", [block]))

    def read(self, path: str, count: int) -> "Talk":
        """A file of so many words is read."""
        return self.call("Read", words(count), file_path=path)

    def attach(self, kind: str, text: str, **fields: Any) -> "Talk":
        """Something that the client injects, with its exact text."""
        self.window_tokens += billed(text)
        rendered = [said("user", text)]
        return self.line("attachment", attachment={"type": kind, **fields}, rendered=rendered)

    def shape(self, system: str, tools: dict[str, str]) -> "Talk":
        """System prompt and tool schemas, in words."""
        told = [{"name": name, "description": text} for name, text in tools.items()]
        shape = {"system": [{"type": "text", "text": system}], "tools": told}
        return self.line("api-request-shape", shapeHash=_hash(shape), shape=shape)

    def compact(self, summary: str = "", trigger: str = "auto") -> "Talk":
        """The conversation is replaced by a summary, or by nothing."""
        facts = {"trigger": trigger, "preTokens": self.window_tokens}
        self.line("system", subtype="compact_boundary", compactMetadata=facts)
        self.window_tokens = self._hidden_tokens
        self._cached_tokens = 0
        return self.ask(summary, isCompactSummary=True) if summary else self

    def titled(self, title: str) -> "Talk":
        """The title that the client gave it."""
        return self.line("custom-title", customTitle=title)

    def write(self, home: Home, slug: str = "-srv-shop") -> Path:
        """The transcript in the agent's folder."""
        return write_lines(self.path(home, slug), self.lines)

    def path(self, home: Home, slug: str = "-srv-shop") -> Path:
        """Where the client would write it."""
        folder = home.claude / "projects" / slug
        if self.agent:
            return folder / self.session / "subagents" / f"agent-{self.agent}.jsonl"
        return folder / f"{self.session}.jsonl"


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def message_hash(message: Json) -> str:
    """The name by which a recorded request knows a message."""
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return _hash({**message, "content": blocks})


SHAPE: Json = {
    "system": [{"type": "text", "text": words(600)}],
    "tools": [
        {"name": "Read", "description": words(300)},
        {"name": "mcp__tickets__find", "description": words(200)},
    ],
}
SHAPE_TOKENS = round(RATIO * 1_150)


def recorded(
    session: str = "s1",
    keep: int = 0,
    hashes: Sequence[str] | None = None,
    shape: Json = SHAPE,
    digest: str | None = None,
) -> Talk:
    """A session of one request that the client recorded in full; what is given spoils it."""
    asked = said("user", "Please fix the cart.")
    names = [message_hash(asked)] if hashes is None else list(hashes)
    params = {"model": HAIKU, "max_tokens": 8}
    whole = {**params, **SHAPE, "messages": [{**asked, "content": _listed(asked["content"])}]}
    talk = Talk(session, hidden_tokens=SHAPE_TOKENS)
    talk.line("api-request-shape", shapeHash=_hash(SHAPE), shape=shape)
    talk.ask(asked["content"])
    talk.line(
        "api-request",
        id="r1",
        querySource="sdk",
        base="r0" if keep else None,
        keep=keep,
        tail=names,
        shapeHash=_hash(SHAPE),
        params=params,
        cacheControl=[],
        requestDigest=_hash(whole) if digest is None else digest,
    )
    return talk.answer("Done.", requestRef="r1")


def _listed(text: object) -> list[Json]:
    return [{"type": "text", "text": text}]


def plain_session(session: str = "s1", **fields: Any) -> Talk:
    """Three requests that used a tool each, and one that answered."""
    talk = Talk(session, **fields).ask()
    talk.read("/srv/shop/src/cart.py", 2_000)
    talk.call("Bash", words(900), command="make test")
    return talk.read("/srv/shop/src/cart.py", 2_000).answer("It is fixed now.")


def rich_session(session: str = "s1", turns: int = 6, **fields: Any) -> Talk:
    """Everything that a screen can show: tools, servers, skills, memory, files, a compaction."""
    talk = Talk(session, **fields).titled("Round the cart's totals")
    talk.shape(words(500), {"Read": words(400), "mcp__tickets__find": words(1_500)})
    injected(talk)
    for turn in range(turns):
        talk.ask(f"Please look at part {turn} of the cart.")
        talk.read(f"/srv/shop/src/part{turn % 3}.py", 2_500 + 111 * turn)
        talk.call("Bash", words(1_200 + 53 * turn), command="make test")
        talk.answer(words(150 + turn))
    injected(talk.compact(words(400))).ask("Go on.")
    for number in range(3):
        talk.read(f"/srv/shop/src/part{number % 2}.py", 2_500 + number)
        talk.call("mcp__tickets__find", words(640), query="cart")
    return talk.answer(words(200))


def injected(talk: Talk) -> Talk:
    """What the client puts before the first prompt, and again after a compaction."""
    blocks = [words(80)]
    talk.attach("mcp_instructions_delta", words(80), addedNames=["tickets"], addedBlocks=blocks)
    talk.attach("skill_listing", words(300))
    return talk.attach("nested_memory", words(700), path="/srv/shop/CLAUDE.md")


def filled_session(share: float, session: str = "s1", size_tokens: int = 200_000) -> Talk:
    """A session whose window is this full of its 200,000 tokens."""
    talk = Talk(session).ask().answer()
    tokens = round(share * size_tokens) - talk.window_tokens - 40
    talk.ask(words(round(tokens / RATIO))).answer("It is full.")
    return talk
