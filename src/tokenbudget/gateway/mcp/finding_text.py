"""The answer of `find_tools` as the agent reads it: a tool a line, then what was not shown."""

from __future__ import annotations

from tokenbudget.gateway.mcp.signature_text import cut, quoted
from tokenbudget.gateway.mcp.signatures import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.mcp.directory import Directory
    from tokenbudget.gateway.mcp.finding import Found

MOST_SERVERS, MOST_SERVER_CHARS = 12, 40


def told(found: Found, directory: Directory) -> str:
    """What was found; where it was nothing, where one could look."""
    if not found.rows:
        return _nothing(directory)
    lines = [brief(row.tool, row.alias) for row in found.rows]
    if found.more:
        lines.append(f"{found.more} more match; name the step, or raise limit.")
    return "\n".join(lines)


def _nothing(directory: Directory) -> str:
    held = {one.server: len(one.tools) for one in directory.catalogues if one.tools}
    if not held:
        return "No server has listed a tool."
    largest = sorted(held, key=lambda server: (-held[server], server))[:MOST_SERVERS]
    said = [f"{cut(quoted(server), MOST_SERVER_CHARS)} ({held[server]})" for server in largest]
    more = f" and {len(held) - len(said)} more" if len(held) > len(said) else ""
    return (
        f"No tool matches. Servers (tools): {', '.join(said)}{more}. Say the step in other words."
    )
