"""Resources, prompts and completions of all servers as if they were one server's.

A resource keeps its address: the server that listed it is remembered, the first where several did.
Of an address that none listed only those are asked that have a template for it, or other addresses
of its kind. A prompt gets its server's name in front. A server that a rule denies as a whole is
not there for any of this.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.gateway.mcp.values import CallFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.audit import Audit
    from tokenbudget.gateway.mcp.client import Message
    from tokenbudget.gateway.mcp.hub import Hub
    from tokenbudget.gateway.mcp.kept_lists import KeptLists
    from tokenbudget.gateway.mcp.rules import Rules
    from tokenbudget.gateway.mcp.shelf import Shelf

RUNNING = "running"
MOST_PAGES = 20
MOST_ENTRIES = 5_000
MOST_REMEMBERED = 20_000
RESOURCES, PROMPTS, COMPLETIONS, LOGGING = "resources", "prompts", "completions", "logging"


class Listing(NamedTuple):
    """One of the protocol's lists."""

    capability: str
    method: str
    key: str
    """Under which the result holds its entries."""
    name: str
    """The field by which an entry is asked for."""


RESOURCE_LIST = Listing(RESOURCES, "resources/list", "resources", "uri")
TEMPLATE_LIST = Listing(RESOURCES, "resources/templates/list", "resourceTemplates", "uriTemplate")
PROMPT_LIST = Listing(PROMPTS, "prompts/list", "prompts", "name")
LISTINGS = {one.method: one for one in (RESOURCE_LIST, TEMPLATE_LIST, PROMPT_LIST)}
OF_RESOURCES = ("resources/read", "resources/subscribe", "resources/unsubscribe")


class Nobody(Exception):
    """No server has what was asked for; one sentence."""


def _is_made_by(uri: str, template: str) -> bool:
    """Whether a template makes this address, as far as its fixed parts tell."""
    start, brace, _ = template.partition("{")
    return bool(brace) and uri.startswith(start) and uri.endswith(template.rpartition("}")[2])


class PassThrough:
    """Asks the servers behind for what is not a tool."""

    def __init__(self, hub: Hub, shelf: Shelf, kept: KeptLists, rules: Rules, audit: Audit) -> None:
        self._hub = hub
        self._kept = kept
        self._rules = rules
        self._audit = audit
        self._shelf = shelf
        self._server_of: dict[str, str] = {}
        """By address of a resource, the first server that listed it."""
        self._prompts: dict[str, tuple[str, str]] = {}
        """By our name, the server and its name for it."""

    async def listed(self, listing: Listing) -> Message:
        """All entries of all servers; one that does not answer is left out."""
        import asyncio  # not above: the front knows this module before there is a loop

        servers = self._offering(listing.capability)
        pages = await asyncio.gather(*(self._entries(server, listing) for server in servers))
        entries = [
            self._named(server, entry, listing)
            for server, found in zip(servers, pages, strict=True)
            for entry in found
        ]
        return {listing.key: entries[:MOST_ENTRIES]}

    async def of_resource(self, method: str, params: Mapping[str, object]) -> Message:
        """`resources/read` and its like, of the server that has it.

        Raises:
            CallFailed, Nobody: it cannot be read, or nobody has it.
        """
        uri = params.get("uri")
        if not isinstance(uri, str):
            raise Nobody("a resource is asked for by its uri")
        last: CallFailed | None = None
        for server in await self._servers_for(uri):
            try:
                found = await self._of(server, method, params)
            except CallFailed as exc:
                last = exc
            else:
                self._remember(uri, server)
                return found
        raise last or Nobody("no server has this resource")

    async def prompt(self, params: Mapping[str, object]) -> Message:
        """`prompts/get`. Raises CallFailed, Nobody."""
        server, name = await self._prompt_named(params.get("name"))
        return await self._of(server, "prompts/get", {**params, "name": name})

    async def completed(self, params: Mapping[str, object]) -> Message:
        """`completion/complete`. Raises CallFailed, Nobody."""
        given = params.get("ref")
        ref = given if isinstance(given, dict) else {}
        if ref.get("type") == "ref/prompt":
            server, name = await self._prompt_named(ref.get("name"))
            asked = {**params, "ref": {**ref, "name": name}}
            return await self._of(server, "completion/complete", asked)
        uri = ref.get("uri")
        known = self._server_of.get(uri) if isinstance(uri, str) else None
        if known is None:
            await self.listed(TEMPLATE_LIST)
            known = self._server_of.get(uri) if isinstance(uri, str) else None
        if known is None:
            raise Nobody("no server completes this")
        return await self._of(known, "completion/complete", params)

    async def level_set(self, params: Mapping[str, object]) -> Message:
        """`logging/setLevel`, to all that run and can log; one that refuses is left alone."""
        import asyncio

        states = self._hub.states()
        running = [name for name in self._offering(LOGGING) if states.get(name) == RUNNING]
        asked = (self._hub.request(server, "logging/setLevel", params) for server in running)
        await asyncio.gather(*asked, return_exceptions=True)
        return {}

    # ── servers ───────────────────────────────────────────────────────────────────────────────────

    def _offering(self, capability: str) -> list[str]:
        """The servers that have it, without those that the person denies."""
        offering = self._shelf.offering(capability)
        return [server for server in offering if not self._rules.denies_all_of(server)]

    async def _of(self, server: str, method: str, params: Mapping[str, object]) -> Message:
        """One request of one server, written down."""
        outcome = "failed"
        try:
            found = await self._hub.request(server, method, params)
            outcome = "ok"
            return found
        finally:
            self._audit.note("request", server=server, method=method, outcome=outcome)

    async def _servers_for(self, uri: str) -> list[str]:
        """Who may have a resource, the likeliest first."""
        if uri not in self._server_of:
            await self.listed(RESOURCE_LIST)
            await self.listed(TEMPLATE_LIST)
        known = self._server_of.get(uri)
        if known is not None:
            return [known]
        scheme = uri.partition(":")[0]
        likely = [server for listed, server in self._server_of.items() if _is_made_by(uri, listed)]
        alike = [
            server for listed, server in self._server_of.items() if listed.startswith(f"{scheme}:")
        ]
        return list(dict.fromkeys([*likely, *alike]))

    # ── names ─────────────────────────────────────────────────────────────────────────────────────

    async def _prompt_named(self, name: object) -> tuple[str, str]:
        if isinstance(name, str) and name not in self._prompts:
            await self.listed(PROMPT_LIST)
        found = self._prompts.get(name) if isinstance(name, str) else None
        if found is None:
            raise Nobody("no server has this prompt")
        return found

    def _named(self, server: str, entry: Message, listing: Listing) -> Message:
        """The entry as the client gets it."""
        name = str(entry[listing.name])
        if listing.capability == RESOURCES:
            self._remember(name, server)
            return entry
        ours = f"{server}_{name}"
        while self._prompts.get(ours, (server, name)) != (server, name):
            ours += "_"
        self._prompts[ours] = (server, name)
        return {**entry, listing.name: ours}

    def _remember(self, uri: str, server: str) -> None:
        if len(self._server_of) >= MOST_REMEMBERED:
            self._server_of.clear()
        self._server_of.setdefault(uri, server)

    async def _entries(self, server: str, listing: Listing) -> Sequence[Message]:
        """The entries of one server, without starting it where they are known."""
        kept = self._kept.get(server, listing.method)
        if kept is not None and self._hub.states().get(server) != RUNNING:
            return kept
        found = await self._asked(server, listing)
        if found is None:
            return kept or []
        self._kept.put(server, listing.method, found)
        return found

    async def _asked(self, server: str, listing: Listing) -> list[Message] | None:
        """All pages of it; None where it does not answer."""
        entries: list[Message] = []
        params: Message = {}
        for _ in range(MOST_PAGES):
            try:
                page = await self._hub.request(server, listing.method, params)
            except CallFailed:
                return entries or None
            listed = page.get(listing.key)
            for one in listed if isinstance(listed, list) else []:
                if isinstance(one, dict) and isinstance(one.get(listing.name), str):
                    entries.append(one)  # noqa: PERF401 - typed by what was just asked
            cursor = page.get("nextCursor")
            if not isinstance(cursor, str) or len(entries) >= MOST_ENTRIES:
                break
            params = {"cursor": cursor}
        return entries
