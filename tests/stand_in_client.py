"""A stand-in for the agent's client: its `mcp add-json` and `mcp remove`, and nothing else.

It keeps servers where the real one does, drops what that does not know, and writes down what it was
called with. `BROKEN` beside it makes it fail.
"""

import sys
from pathlib import Path

_PROGRAM = """\
#!{python}
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
if sys.argv[1:2] == ["--version"]:
    print("{version} (Claude Code)")
    sys.exit()
with open(here + "/calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if os.path.exists(here + "/BROKEN"):
    sys.exit("broken, with a secret on standard error: hunter2")
state = os.path.join(os.environ.get("CLAUDE_CONFIG_DIR") or os.environ["HOME"], ".claude.json")
_, verb, name, _, scope, *rest = sys.argv[1:]
document = json.load(open(state)) if os.path.exists(state) else {{}}
table = document
if scope == "local":
    table = document.setdefault("projects", {{}}).setdefault(os.getcwd(), {{}})
servers = table.setdefault("mcpServers", {{}})
if verb == "add-json":
    if name in servers:
        sys.exit(1)
    told = json.loads(sys.stdin.read() if rest == ["-"] else rest[0])
    servers[name] = {{key: value for key, value in told.items() if key != "unknownField"}}
elif servers.pop(name, None) is None:
    sys.exit(1)
json.dump(document, open(state, "w"))
"""


def stand_in_client(folder: Path, version: str = "2.1.329") -> Path:
    """Put the stand-in into a folder, as `claude`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "claude"
    path.write_text(_PROGRAM.format(python=sys.executable, version=version), encoding="utf-8")
    path.chmod(0o755)
    return path
