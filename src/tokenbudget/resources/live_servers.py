"""MCP servers that a running session can do without: their tools denied by a rule it takes up.

`disabledMcpjsonServers` (`mcp_servers`) reaches a session only as it starts. A rule that denies
`mcp__SERVER` is read by a running one, holds for servers of every scope, and is taken back as
easily. Where schemas are sent they leave with the next request; where only names are (tool search),
the next compaction takes them out, and until then a notice comes on top (docs/levers.md). The
server's instructions stay in both cases.
"""

from __future__ import annotations

import re

from tokenbudget.model.actions import EditSettings, Proposal, SettingEdit
from tokenbudget.resources.evidence import server_key
from tokenbudget.resources.kind import shown, typable
from tokenbudget.resources.mcp_servers import OWN, McpServers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.resources.mcp_servers import Server

KEYS = ("permissions", "deny")


def rule_against(server: str) -> str:
    """The rule that denies every tool of a server, its name as the client spells it in tools."""
    return "mcp__" + re.sub(r"[^A-Za-z0-9_-]", "_", server)


class LiveServers(McpServers):
    """Servers that the project does not call, by the rule that a running session takes up."""

    def _proposal(self, server: Server) -> Proposal | None:
        rule = rule_against(server.name)
        if server.is_off or server.name == OWN or rule in self._said.denied:
            return None
        verdict = self._unused(server)
        if verdict is None:
            return None
        mention = self._mentions.where(server.name, server_key(server.name))
        verdict = verdict.beside(mention)
        edit = SettingEdit(KEYS, rule, is_member=True)
        can_be = self._said.takes(edit) and not mention
        return Proposal(
            id=typable(self.name, server.name),
            resource=self.name,
            title=f"deny the tools of the MCP server {shown(server.name)} in this project",
            reason=verdict.reason,
            freed=self._weight(server),
            freed_bytes=0,
            effect="now",
            is_chosen=can_be and verdict.is_sure,
            steps=(EditSettings(self.place.local_settings, (edit,)),) if can_be else (),
            command="" if can_be else "/mcp",
        )
