"""`tokens gateway`: one MCP server in front of all others; with a word behind it, what manages it.

Without one it serves, and is started by the agent: so nothing is imported here before that.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SUB_VERBS = {
    "install": "gateway_installing",
    "uninstall": "gateway_uninstalling",
    "status": "gateway_status",
    "stats": "gateway_stats",
}
"""What manages the gateway, and the module of this room that does it."""

OPTIONS = ("--config", "--help", "--http", "--print-client")
"""For completion: there is no argument parser to ask, an agent waits for this verb."""

HELP = """\
usage: tokens gateway [--config FILE] [--http [PORT]]
       tokens gateway install|uninstall [SERVER ...] [--help]
       tokens gateway status|stats [--help]

One MCP server in front of all others, for an agent to start: it finds a tool, shows
its signature and runs code that calls tools; results stay out of the window.

  install         take the servers of this project, or your own, behind it; shown first
  uninstall       give them back to the client, byte for byte: all, or those named
  status          what is behind it, which rules hold; --check starts each server once
  stats           what it kept out of the window, per server

  --config FILE   the servers behind it, as `mcpServers` (default: what install took)
  --http [PORT]   streamable HTTP on 127.0.0.1 instead of standard input and output
  --print-client  with --http: print what tells Claude Code of it, secret and all\
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        print(HELP)
        return 0
    if not first or first.startswith("-"):
        from tokenbudget.cli.gateway_serving import run as serve

        return serve(arguments)
    module = SUB_VERBS.get(first)
    if module is None:
        from tokenbudget.model.errors import BadRequest

        known = f"; known are {', '.join(SUB_VERBS)}" if SUB_VERBS else ""
        raise BadRequest(
            f"tokens gateway knows no '{first}'{known}; tokens gateway --help says more"
        )
    found = __import__(f"tokenbudget.cli.{module}", fromlist=["run"])
    return int(found.run(arguments[1:]))
