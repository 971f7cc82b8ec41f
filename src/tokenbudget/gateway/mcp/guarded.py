"""The one way to a server: rules, then the person, then the call, then the audit.

Code, compact and direct tools all come through here; there is no other caller of the hub's tools.
"""

from __future__ import annotations

import asyncio
import json
from typing import Literal, Protocol

from tokenbudget.gateway.mcp.audit import argument_sizes
from tokenbudget.gateway.mcp.signature_text import cut, literal, quoted
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.audit import Audit
    from tokenbudget.gateway.mcp.client import Client, Request
    from tokenbudget.gateway.mcp.hub_values import Progress
    from tokenbudget.gateway.mcp.passage import Passage
    from tokenbudget.gateway.mcp.rules import Rules
    from tokenbudget.gateway.mcp.values import Answer, Tool
    from tokenbudget.model.protocols import Clock, TokenCounter

MOST_SHOWN, MOST_SHOWN_CHARS, MOST_KEY_CHARS = 20, 1_600, 60
"""Of the arguments, to the person who is asked."""
MOST_COUNTED_CHARS = 400_000
"""A larger result is told in bytes alone: counting it would hold up the others."""
CODE, DIRECT = "code", "direct"
_FORM: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "allow": {"type": "boolean", "title": "Allow this call"},
        "remember": {
            "type": "boolean",
            "title": "Allow this tool until the session ends",
            "default": False,
        },
    },
    "required": ["allow"],
}
"""One field is required: in an empty form "accept" has the focus, and a return key says yes."""


class Servers(Protocol):
    """What carries a call to its server: the hub."""

    async def call(
        self, tool: Tool, arguments: Mapping[str, object], *, progress: Progress | None = None
    ) -> Answer:
        """See `values.Caller`."""


class Guard:
    """Holds what all callers share; `visit` gives one request its own way in."""

    def __init__(
        self,
        servers: Servers,
        rules: Rules,
        audit: Audit,
        clock: Clock,
        counter: TokenCounter,
        noted: Callable[[Tool, str], str],
        passage: Passage,
    ) -> None:
        """`noted` is told of each call and what became of it; it gives the tool's alias."""
        self.servers = servers
        self.rules = rules
        self.audit = audit
        self.clock = clock
        self.counter = counter
        self.noted = noted
        self.passage = passage
        self._granted: dict[Client, dict[tuple[str, str], Tool]] = {}
        self._asking: dict[Client, asyncio.Lock] = {}

    def visit(self, request: Request, via: str) -> Guarded:
        """The way in of one request."""
        return Guarded(self, request, via)

    def granted(self, client: Client) -> dict[tuple[str, str], Tool]:
        """The tools that the person allowed this client until it is gone, as they were then.

        A server that gives the name to another tool has to ask again.
        """
        return self._granted.setdefault(client, {})

    def turn(self, client: Client) -> asyncio.Lock:
        """A person is asked one thing at a time."""
        return self._asking.setdefault(client, asyncio.Lock())

    def forget(self, client: Client) -> None:
        """A client is gone."""
        self._granted.pop(client, None)
        self._asking.pop(client, None)


class Guarded:
    """A `Caller` for one request of one client."""

    def __init__(self, guard: Guard, request: Request, via: str) -> None:
        self._guard = guard
        self._request = request
        self._via = via
        self._declined: set[tuple[str, str]] = set()
        """What the person refused is not asked again for the same request."""
        self._progress = 0.0
        self._asked_seconds = 0.0
        self._asking_since: float | None = None
        self.calls = 0
        self.result_bytes = 0

    @property
    def asked_seconds(self) -> float:
        """For how long the person has been asked; the question that is open now counts too."""
        since = self._asking_since
        now = self._guard.clock.monotonic_seconds()
        return self._asked_seconds + (now - since if since is not None else 0.0)

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """One call, if it may be; see `values.Caller`."""
        guard = self._guard
        began = guard.clock.monotonic_seconds()
        verdict = guard.rules.verdict(tool)
        outcome, answer = "refused", None
        try:
            await self._passed(tool, arguments, verdict)
            outcome = "cancelled"
            answer = await self._answered(tool, arguments)
            outcome = "error" if answer.is_error else "ok"
        except CallFailed:
            outcome = "failed"
            raise
        finally:
            ms = (guard.clock.monotonic_seconds() - began) * 1000
            self._note(tool, arguments, verdict, outcome, answer, ms)
        return answer

    async def _answered(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        self.calls += 1
        passage, client = self._guard.passage, self._request.client
        progress = self._progress_of(tool) if self._wants_progress else None
        passage.called(tool.server, client)
        try:
            return await self._guard.servers.call(tool, arguments, progress=progress)
        finally:
            passage.returned(tool.server, client)

    # ── rules and the person ──────────────────────────────────────────────────────────────────────

    async def _passed(self, tool: Tool, arguments: Mapping[str, object], verdict: str) -> None:
        """Come back where the call may be made. Raises CallRefused."""
        name = _shown(tool)
        if verdict == "deny":
            raise CallRefused(f"{name} is denied by a rule of the person (gateway.deny)")
        if verdict == "allow":
            return
        client, key = self._request.client, (tool.server, tool.name)
        if not client.can_be_asked:
            raise CallRefused(
                f"{name} needs the person's consent and this client cannot ask;"
                f" {_way_to_allow(name)}"
            )
        async with self._guard.turn(client):
            granted = self._guard.granted(client)
            if key in self._declined:
                raise CallRefused(f"{name} has just been refused")
            said = "accept" if granted.get(key) == tool else ""
            said = said or await self._said(tool, arguments, granted)
            if said == "accept":
                return
            self._declined.add(key)
            if said == "decline":
                raise CallRefused(f"the person refused {name}")
            raise CallRefused(
                f"nobody consented to {name}: the form was closed, or there is no person in this"
                f" session; {_way_to_allow(name)}"
            )

    async def _said(
        self, tool: Tool, arguments: Mapping[str, object], granted: dict[tuple[str, str], Tool]
    ) -> Literal["accept", "decline", "cancel"]:
        """What the person says to a call; a form without the yes is a no."""
        asked = {
            "message": f"tokenbudget: allow {_shown(tool)}({shown_arguments(arguments)})?",
            "requestedSchema": _FORM,
        }
        self._asking_since = self._guard.clock.monotonic_seconds()
        try:
            said = await self._request.client.ask("elicitation/create", asked)
        finally:
            self._asked_seconds, self._asking_since = self.asked_seconds, None
        content = said.get("content")
        form = content if isinstance(content, dict) else {}
        if said.get("action") not in ("accept", "decline"):
            return "cancel"
        if said.get("action") != "accept" or form.get("allow") is not True:
            return "decline"
        if form.get("remember") is True and "ask" not in self._written(tool):
            granted[tool.server, tool.name] = tool
        return "accept"

    def _written(self, tool: Tool) -> str:
        """`ask` where the person wrote that they want to be asked each time."""
        only_asks = self._guard.rules._replace(allow=("*",))
        return "ask" if only_asks.verdict(tool) == "ask" else ""

    # ── progress ──────────────────────────────────────────────────────────────────────────────────

    @property
    def _wants_progress(self) -> bool:
        return isinstance(self._request.token, (str, int))

    def _progress_of(self, tool: Tool) -> Progress:
        """Passes on what a server says of its progress, under the client's own token.

        Of one direct call as it is. Of code that calls many at once it is a count that only grows,
        as the protocol wants it.
        """

        def told(params: Mapping[str, object]) -> None:
            if self._via == DIRECT:
                said = dict(params)
            else:
                self._progress += 1
                text = params.get("message")
                said = {"progress": self._progress, "message": f"{_shown(tool)} goes on"}
                if isinstance(text, str):
                    said["message"] = f"{_shown(tool)}: {cut(quoted(text), 200)}"
            said["progressToken"] = self._request.token
            self._request.client.notify("notifications/progress", said)

        return told

    # ── audit ─────────────────────────────────────────────────────────────────────────────────────

    def _note(
        self,
        tool: Tool,
        arguments: Mapping[str, object],
        verdict: str,
        outcome: str,
        answer: Answer | None,
        ms: float,
    ) -> None:
        text = "" if answer is None else raw_text(answer)
        result_bytes = len(text.encode("utf-8", "replace"))
        self.result_bytes += result_bytes
        is_counted = answer is not None and len(text) <= MOST_COUNTED_CHARS
        self._guard.audit.note(
            "call",
            client=self._request.client.label,
            server=tool.server,
            tool=tool.name,
            alias=self._guard.noted(tool, outcome),
            via=self._via,
            verdict=verdict,
            outcome=outcome,
            ms=round(ms, 1),
            arguments=argument_sizes(tool, arguments),
            result_bytes=None if answer is None else result_bytes,
            result_tokens=self._guard.counter.count(text) if is_counted else None,
        )


def raw_text(answer: Answer) -> str:
    """What of an answer a client would put into the window: the value instead of its texts."""
    if answer.structured is not None:
        try:
            return json.dumps(answer.structured, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            return ""
    texts = (block.get("text") for block in answer.content if block.get("type") == "text")
    return "\n".join(text for text in texts if isinstance(text, str))


def shown_arguments(arguments: Mapping[str, object]) -> str:
    """The arguments for the person who is asked: exactly, on one line; what is cut says how much.

    Every argument has some room, so that a long one cannot hide the next.
    """
    shown = list(arguments.items())[:MOST_SHOWN]
    room = MOST_SHOWN_CHARS // max(1, len(shown))
    parts = [f"{_key(key)}={_exactly(value, room)}" for key, value in shown]
    more = len(arguments) - len(shown)
    return ", ".join([*parts, *([f"… and {more:,} more arguments"] if more else [])])


def _key(key: str) -> str:
    is_plain = key.isascii() and key.isidentifier() and len(key) <= MOST_KEY_CHARS
    return key if is_plain else _exactly(key, MOST_KEY_CHARS)


def _exactly(value: object, room: int) -> str:
    try:
        said = literal(value)
    except RecursionError:
        return "… (too deep to show)"
    more = len(said) - room
    return said if more <= 0 else f"{said[:room]}… +{more:,} characters"


def _way_to_allow(name: str) -> str:
    return f'a person can allow it: allow = ["{name}"] under [gateway] in config.toml'


def _shown(tool: Tool) -> str:
    """`server.tool` as rules name it, on one line; escaped where it cannot be shown as it is."""
    name = f"{tool.server}.{tool.name}"
    is_plain = name.isprintable() and one_line(name) == name
    return cut(name if is_plain else literal(name), 160)
