"""What the gateway does in its loop: run code, call tools, pass the rest of the protocol on."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tokenbudget.gateway.mcp.guarded import CODE, DIRECT
from tokenbudget.gateway.mcp.pass_through import PassThrough
from tokenbudget.gateway.mcp.signature_text import quoted
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.audit import Audit
    from tokenbudget.gateway.mcp.client import Client, Message, Request
    from tokenbudget.gateway.mcp.guarded import Guard
    from tokenbudget.gateway.mcp.hub import Hub
    from tokenbudget.gateway.mcp.kept_lists import KeptLists
    from tokenbudget.gateway.mcp.passage import Passage
    from tokenbudget.gateway.mcp.results import Results, Told
    from tokenbudget.gateway.mcp.rules import Rules
    from tokenbudget.gateway.mcp.sandbox import Sandbox
    from tokenbudget.gateway.mcp.shelf import Shelf
    from tokenbudget.gateway.mcp.uses import Uses
    from tokenbudget.gateway.mcp.values import Catalogue, Tool
    from tokenbudget.model.protocols import Clock

SETTLE_SECONDS = 8.0
"""So long after the first start of the servers a request waits for their tools; then no more."""
RETRY_SECONDS = 60.0
"""A server that could not be started is tried again by the next search after that."""
SAVE_SECONDS = 2.0
CLOSE_SECONDS = 2.0


class Furniture(NamedTuple):
    """What the room is made of."""

    shelf: Shelf
    hub: Hub
    passage: Passage
    guard: Guard
    rules: Rules
    results: Results
    sandbox: Callable[[], Sandbox]
    """Makes the sandbox of one client."""
    lists: KeptLists
    uses: Uses
    audit: Audit
    clock: Clock


class Backroom:
    """Everything that takes time, for all clients of one gateway."""

    def __init__(self, furniture: Furniture) -> None:
        self._in = furniture
        self._sandboxes: dict[Client, Sandbox] = {}
        self._gathering: dict[str, asyncio.Task[None]] = {}
        self._gathered_until = 0.0
        self._failed_at: dict[str, float] = {}
        self._is_saving = False
        self.through = PassThrough(
            furniture.hub, furniture.shelf, furniture.lists, furniture.rules, furniture.audit
        )

    @property
    def hub(self) -> Hub:
        """The servers."""
        return self._in.hub

    @property
    def shelf(self) -> Shelf:
        """What they list."""
        return self._in.shelf

    # ── tools ─────────────────────────────────────────────────────────────────────────────────────

    async def run_code(self, request: Request, code: str) -> Message:
        """A run of code, as the result of a tool."""
        from tokenbudget.gateway.mcp.sandbox_tools import ToolFunctions

        self._in.passage.seen(request.client)
        await self.settled(SETTLE_SECONDS)
        sandbox = self._sandbox(request.client)
        caller = self._in.guard.visit(request, CODE)
        directory = self.shelf.known.directory
        outcome = await sandbox.run(code, ToolFunctions(directory, caller))
        told = await asyncio.to_thread(self._in.results.of_run, outcome)
        self._in.audit.note(
            "run",
            client=request.client.label,
            code_bytes=len(code.encode("utf-8", "replace")),
            calls=outcome.calls,
            ms=round(outcome.took_ms, 1),
            outcome="error" if outcome.error else "ok",
            result_bytes=caller.result_bytes,
            answer_tokens=told.tokens,
            handle=told.handle or None,
        )
        self._save_soon()
        return text_result(told.text, is_error=bool(outcome.error))

    async def prepared(self, client: Client) -> None:
        """Start the sandbox before the first code comes."""
        await self._sandbox(client).prepare()

    def _sandbox(self, client: Client) -> Sandbox:
        found = self._sandboxes.get(client)
        if found is None:
            found = self._sandboxes[client] = self._in.sandbox()
        return found

    async def call_tool(
        self, request: Request, tool: Tool, arguments: Mapping[str, object]
    ) -> Message:
        """A call of a tool that is listed to the client itself."""
        self._in.passage.seen(request.client)
        caller = self._in.guard.visit(request, DIRECT)
        try:
            answer = await caller.call(tool, arguments)
        except (CallRefused, CallFailed) as exc:
            return text_result(str(exc), is_error=True)
        label = f"{quoted(tool.server)}.{quoted(tool.name)}"
        blocks, told = await asyncio.to_thread(self._in.results.of_call, answer, label)
        self._note_answer(request, tool, told)
        self._save_soon()
        return {"content": [dict(block) for block in blocks], "isError": answer.is_error}

    def _note_answer(self, request: Request, tool: Tool, told: Told) -> None:
        self._in.audit.note(
            "answer",
            client=request.client.label,
            server=tool.server,
            tool=tool.name,
            answer_tokens=told.tokens,
            handle=told.handle or None,
        )

    def _save_soon(self) -> None:
        """Write the uses down in a moment; several calls are written at once."""
        if not self._is_saving:
            self._is_saving = True
            asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save)

    def _save(self) -> None:
        self._is_saving = False
        self._in.uses.save()

    # ── catalogues ────────────────────────────────────────────────────────────────────────────────

    async def settled(self, seconds: float) -> None:
        """Start the servers whose tools are not known, and wait a while for them.

        However many requests come: together they wait `SETTLE_SECONDS` from the first start on, so
        that a server that hangs holds up a session once.
        """
        self._gather()
        now = self._in.clock.monotonic_seconds()
        left = min(seconds, self._gathered_until - now)
        tasks = [task for task in self._gathering.values() if not task.done()]
        if tasks and left > 0:
            await asyncio.wait(tasks, timeout=left)

    def _gather(self) -> None:
        known = self.shelf.known
        now = self._in.clock.monotonic_seconds()
        again = [
            name
            for name, at in self._failed_at.items()
            if now - at > RETRY_SECONDS and self.shelf.catalogue(name) is None
        ]
        new = [name for name in known.waiting if name not in self._gathering]
        if new:
            self._gathered_until = now + SETTLE_SECONDS
        for name in (*new, *(one for one in again if one not in self._gathering)):
            self._gathering[name] = asyncio.ensure_future(self._learn(name))

    async def _learn(self, server: str) -> None:
        try:
            self.learned(await self.hub.catalogue(server))
            self._failed_at.pop(server, None)
        except CallFailed as exc:
            self._failed_at[server] = self._in.clock.monotonic_seconds()
            self.shelf.failed(server, str(exc))
        finally:
            self._gathering.pop(server, None)

    def learned(self, catalogue: Catalogue) -> None:
        """A server listed its tools: clients are told where that changes what they list."""
        if self.shelf.learned(catalogue) and self.shelf.mode_of(catalogue.server) != "code":
            for client in self._in.passage.clients:
                client.notify("notifications/tools/list_changed")

    # ── clients ───────────────────────────────────────────────────────────────────────────────────

    def came(self, client: Client) -> None:
        """A client is there, and can be asked."""
        self._in.passage.seen(client)

    async def left(self, client: Client) -> None:
        """A client is gone, and its variables with it."""
        self._in.passage.gone(client)
        self._in.guard.forget(client)
        sandbox = self._sandboxes.pop(client, None)
        if sandbox is not None:
            await sandbox.close()

    async def close(self) -> None:
        """End all servers and sandboxes."""
        self._in.uses.save()
        ends = [self.hub.close(), *(sandbox.close() for sandbox in self._sandboxes.values())]
        tasks = [asyncio.ensure_future(end) for end in ends]
        done, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()
        for task in done:
            task.exception()  # so that nobody complains of it at the end

    def kill(self) -> None:
        """End them at once, from any thread."""
        for sandbox in list(self._sandboxes.values()):
            sandbox.kill()
        self.hub.kill()


def text_result(text: str, *, is_error: bool = False) -> Message:
    """The result of a tool that is one text."""
    return {"content": [{"type": "text", "text": text}], "isError": is_error}
