"""What is answered to each request of the client, method by method; without an event loop."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.gateway.mcp.finding_text import told
from tokenbudget.gateway.mcp.front_arguments import count_in, names_in, texts_in
from tokenbudget.gateway.mcp.front_lists import CODE, listed_tool
from tokenbudget.gateway.mcp.front_tools import (
    DESCRIBE,
    FIND,
    FIND_SKILLS,
    LOAD_SKILL,
    RUN,
    instructions,
    static_tools,
)
from tokenbudget.gateway.mcp.missing_servers import MissingServers
from tokenbudget.gateway.mcp.pass_through import (
    COMPLETIONS,
    LISTINGS,
    LOGGING,
    OF_RESOURCES,
    PROMPTS,
    RESOURCES,
)
from tokenbudget.gateway.mcp.signature_text import cut, quoted
from tokenbudget.gateway.mcp.signatures import detail, signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tokenbudget.gateway.mcp.audit import Audit
    from tokenbudget.gateway.mcp.backroom import Backroom
    from tokenbudget.gateway.mcp.client import Client, Message, Request
    from tokenbudget.gateway.mcp.shelf import Shelf
    from tokenbudget.gateway.mcp.values import Tool

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions with a handshake. `server/discover` of later ones is unknown here, on purpose: every
client then shakes hands, and can be asked and told things while a call runs."""
LIST_SECONDS = 1.0
"""So long a client waits for tools of its own list; it gets the rest by `list_changed`."""
MOST_TASKS, MOST_NAMES = 12, 40
MOST_CODE_CHARS = 1_000_000
NO_SERVER = (
    "No MCP server is behind this gateway. A person can put those of .mcp.json behind it: tokens"
    " gateway install"
)
_METHOD_NOT_FOUND, _INVALID_PARAMS = -32601, -32602


class Rejected(Exception):
    """The request is answered with an error of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Later(NamedTuple):
    """An answer that needs the loop."""

    work: Callable[[Backroom, Request], Coroutine[object, object, object]]


class Skills(NamedTuple):
    """Finding and loading skills, for agents that do not know them."""

    find: Callable[[str], str]
    load: Callable[[str, str], str]


class Desk(NamedTuple):
    """What all conversations of a gateway answer from."""

    shelf: Shelf
    audit: Audit
    version: str
    find_limit: int = 10
    skills: Skills | None = None


class FrontAnswers:
    """Answers one client."""

    def __init__(self, desk: Desk, client: Client) -> None:
        self._desk = desk
        self._client = client
        self._missing = MissingServers()
        self._methods: dict[str, Callable[[Message], Message | Later]] = {
            "initialize": self._initialize,
            "ping": lambda _: {},
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
        }
        self._calls: dict[str, Callable[[Message], Message | Later]] = {
            FIND: self._find,
            DESCRIBE: self._describe,
            RUN: self._run,
        }
        if desk.skills is not None:
            self._calls |= {FIND_SKILLS: self._find_skills, LOAD_SKILL: self._load_skill}

    def to(self, method: str, params: Message) -> Message | Later:
        """The answer to one request. Raises Rejected."""
        answer = self._methods.get(method)
        if answer is not None:
            return answer(params)
        passed = _passed_through(method, params)
        if passed is None:
            raise Rejected(_METHOD_NOT_FOUND, f"there is no method {cut(quoted(method), 80)} here")
        return passed

    def is_anything_unknown(self) -> bool:
        """Whether a server has not listed its tools yet."""
        return bool(self._desk.shelf.known.waiting)

    # ── the handshake and the list ────────────────────────────────────────────────────────────────

    def _initialize(self, params: Message) -> Message:
        self._client.introduced(params)
        wanted = params.get("protocolVersion")
        shelf = self._desk.shelf
        capabilities: Message = {"tools": {"listChanged": True}}
        # Each is offered where a server behind has it: `resources` alone brings tools of the
        # client's own into every request.
        if shelf.offering(RESOURCES):
            capabilities[RESOURCES] = {"subscribe": True, "listChanged": True}
        if shelf.offering(PROMPTS):
            capabilities[PROMPTS] = {"listChanged": True}
        if shelf.offering(COMPLETIONS):
            capabilities[COMPLETIONS] = {}
        if shelf.offering(LOGGING):
            capabilities[LOGGING] = {}
        self._desk.audit.note("start", client=self._client.label, servers=_sizes(shelf))
        return {
            "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[-1],
            "capabilities": capabilities,
            "serverInfo": {"name": "tokenbudget", "version": self._desk.version},
            "instructions": instructions(shelf.servers, len(shelf.configs)),
        }

    def _list_tools(self, params: Message) -> Message | Later:
        if self._desk.shelf.is_waiting_to_list():
            return Later(self._listed_after_waiting)
        return self._listed()

    async def _listed_after_waiting(self, room: Backroom, request: Request) -> Message:
        await room.settled(LIST_SECONDS)
        return self._listed()

    def _listed(self) -> Message:
        shelf = self._desk.shelf
        directory = shelf.known.directory
        static = static_tools(has_skills=self._desk.skills is not None)
        own = [
            listed_tool(tool, directory.alias_of(tool), shelf.mode_of(tool.server))
            for tool in directory.tools
            if shelf.mode_of(tool.server) != CODE
        ]
        taken = {tool["name"] for tool in static}  # the API takes no name twice
        return {"tools": [*static, *(tool for tool in own if tool["name"] not in taken)]}

    # ── tools ─────────────────────────────────────────────────────────────────────────────────────

    def _call_tool(self, params: Message) -> Message | Later:
        name, given = params.get("name"), params.get("arguments")
        arguments = given if isinstance(given, dict) else {}
        if not isinstance(name, str):
            raise Rejected(_INVALID_PARAMS, "a tool is called by its name")
        own = self._calls.get(name)
        if own is not None:
            return own(arguments)
        tool = self._desk.shelf.known.directory.tool(name)
        if tool is None:
            return _error(f"no tool is called {cut(quoted(name), 80)}; {FIND} finds tools by task")
        return Later(lambda room, request: room.call_tool(request, tool, arguments))

    def _find(self, arguments: Message) -> Message | Later:
        if not self._desk.shelf.configs:
            return _error(NO_SERVER)
        tasks = texts_in(arguments.get("task", arguments.get("tasks")))[:MOST_TASKS]
        if not tasks:
            return _error(f"{FIND} needs task: a text, or a list with a text for each step")
        limit = count_in(arguments.get("limit"), self._desk.find_limit)
        if self.is_anything_unknown():
            return Later(lambda room, request: self._found_after_waiting(room, tasks, limit))
        return self._found(tasks, limit)

    async def _found_after_waiting(self, room: Backroom, tasks: list[str], limit: int) -> Message:
        from tokenbudget.gateway.mcp.backroom import SETTLE_SECONDS

        await room.settled(SETTLE_SECONDS)
        return self._found(tasks, limit)

    def _found(self, tasks: list[str], limit: int) -> Message:
        known, finder = self._desk.shelf.finder()
        text = told(finder.find(tasks, limit), known.directory)
        missing = self._missing.words(known, len(self._desk.shelf.configs))
        return self._told("find", tasks, f"{text}\n{missing}" if missing else text)

    def _describe(self, arguments: Message) -> Message | Later:
        names = names_in(arguments.get("names", arguments.get("name")))[:MOST_NAMES]
        if not names:
            return _error(f"{DESCRIBE} needs names: a list as {FIND} shows them")
        known = self._desk.shelf.known
        if known.waiting and any(known.directory.tool(name) is None for name in names):
            return Later(lambda room, request: self._described_after_waiting(room, names))
        return self._described(names)

    async def _described_after_waiting(self, room: Backroom, names: list[str]) -> Message:
        from tokenbudget.gateway.mcp.backroom import SETTLE_SECONDS

        await room.settled(SETTLE_SECONDS)
        return self._described(names)

    def _described(self, names: list[str]) -> Message:
        directory = self._desk.shelf.known.directory
        tools: dict[str, Tool] = {}
        rest = []
        for name in dict.fromkeys(names):
            tool = directory.tool(name)
            if tool is not None:
                tools[directory.alias_of(tool)] = tool
            else:
                rest.append(self._parameter(name) or self._unknown(name))
        shown = signatures([(tool, alias) for alias, tool in tools.items()])
        parts = [shown, *rest] if tools else rest
        return self._told("describe", names, "\n\n".join(parts))

    def _parameter(self, name: str) -> str | None:
        alias, dot, parameter = name.rpartition(".")
        directory = self._desk.shelf.known.directory
        tool = directory.tool(alias) if dot else None
        return None if tool is None else detail(tool, directory.alias_of(tool), parameter)

    def _unknown(self, name: str) -> str:
        near = self._desk.shelf.known.directory.similar(name)
        hint = f"; near: {', '.join(near)}" if near else f"; {FIND} finds tools by task"
        return f"no tool is called {cut(quoted(name), 80)}{hint}"

    def _run(self, arguments: Message) -> Message | Later:
        code = arguments.get("code")
        if not isinstance(code, str) or not code.strip():
            return _error(f"{RUN} needs code: Python, as one text")
        if len(code) > MOST_CODE_CHARS:
            return _error(f"the code is too long: {len(code):,} of {MOST_CODE_CHARS:,} characters")
        return Later(lambda room, request: room.run_code(request, code))

    def _find_skills(self, arguments: Message) -> Message:
        tasks = texts_in(arguments.get("task"))
        if self._desk.skills is None or not tasks:
            return _error(f"{FIND_SKILLS} needs task: a text")
        return self._told("find_skills", tasks, self._desk.skills.find("\n".join(tasks)))

    def _load_skill(self, arguments: Message) -> Message:
        name, reference = arguments.get("name"), arguments.get("reference")
        if self._desk.skills is None or not isinstance(name, str):
            return _error(f"{LOAD_SKILL} needs name: as {FIND_SKILLS} shows it")
        text = self._desk.skills.load(name, reference if isinstance(reference, str) else "")
        return self._told("load_skill", [name], text)

    def _told(self, event: str, asked: list[str], text: str) -> Message:
        self._desk.audit.note(
            event,
            client=self._client.label,
            asked_bytes=sum(len(one.encode("utf-8", "replace")) for one in asked),
            answer_bytes=len(text.encode("utf-8", "replace")),
        )
        return {"content": [{"type": "text", "text": text}], "isError": False}


def _passed_through(method: str, params: Message) -> Later | None:
    """What is answered by the servers behind."""
    if method in LISTINGS:
        return Later(lambda room, request: room.through.listed(LISTINGS[method]))
    if method in OF_RESOURCES:
        return Later(lambda room, request: room.through.of_resource(method, params))
    if method == "prompts/get":
        return Later(lambda room, request: room.through.prompt(params))
    if method == "completion/complete":
        return Later(lambda room, request: room.through.completed(params))
    if method == "logging/setLevel":
        return Later(lambda room, request: room.through.level_set(params))
    return None


def _error(text: str) -> Message:
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _sizes(shelf: Shelf) -> dict[str, int | None]:
    """By server how many tools it has; None where it has not listed them yet."""
    known = {one.server: len(one.tools) for one in shelf.known.directory.catalogues}
    return {name: known.get(name) for name in shelf.servers}
