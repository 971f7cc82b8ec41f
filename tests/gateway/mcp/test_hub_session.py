"""A session without its server: what it takes of lists that do not end."""

from __future__ import annotations

from collections.abc import Mapping

from tests.gateway.mcp.hubs import run

from tokenbudget.gateway.mcp.hub_log import ServerLog
from tokenbudget.gateway.mcp.hub_session import MOST_LISTED_CHARS, Session
from tokenbudget.gateway.mcp.hub_values import Progress
from tokenbudget.gateway.mcp.server_config import configs_from

PAGE_CHARS = 8_000_000


class Endless(Session):
    """Its server has another large page each time."""

    pages = 0

    def offers(self, capability: str) -> bool:
        return True

    async def request(
        self, method: str, params: Mapping[str, object], progress: Progress | None = None
    ) -> dict[str, object]:
        self.pages += 1
        tools = [{"name": f"t{self.pages}", "description": "x" * PAGE_CHARS}]
        return {"tools": tools, "nextCursor": str(self.pages)}


def test_pages_without_end_are_bounded_together() -> None:
    async def work() -> None:
        config = configs_from({"mcpServers": {"s": {"command": "x"}}})[0]
        session = Endless(
            config, None, ServerLog("", "s", 0),  # type: ignore[arg-type]
            tools_changed=lambda: None, lost=lambda _: None,
        )  # fmt: skip
        catalogue = await session.tools()
        assert session.pages <= MOST_LISTED_CHARS // PAGE_CHARS + 1
        assert len(catalogue.tools) == session.pages

    run(work)
