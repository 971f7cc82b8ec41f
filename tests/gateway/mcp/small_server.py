"""A small real MCP server of the standard library, for tests: notes that can be kept and deleted.

python small_server.py [--name NAME] [--pid FILE] [--no-close] …
"""

import json
import os
import signal
import sys
import threading
from typing import Any

TEXTS = {"one": "the first note", "two": "the second"}


def tool(
    name: str, description: str, properties: Any, required: list[str], **annotations: bool
) -> Any:
    schema = {"type": "object", "properties": properties, "required": required}
    return {
        "name": name,
        "description": description,
        "inputSchema": schema,
        "annotations": annotations,
    }


TEXT = {"type": "string"}
TOOLS = [
    tool("list_notes", "List all notes.", {}, [], readOnlyHint=True),
    tool("get_note", "Read one note.", {"name": TEXT}, ["name"], readOnlyHint=True),
    tool("delete_note", "Delete a note for ever.", {"name": TEXT}, ["name"]),
    tool("rows", "Many rows of numbers.", {"count": {"type": "integer"}}, ["count"]),
    tool("ask_person", "Asks the person through the client.", {"text": TEXT}, ["text"]),
    tool("slow", "Takes its time.", {"seconds": {"type": "number"}}, []),
    tool("steps", "Tells its progress.", {}, []),
    tool("picture", "Gives a picture.", {}, []),
]


class Server:
    def __init__(self) -> None:
        self.number = 0

    def say(self, **message: Any) -> None:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()

    def ask(self, method: str, params: Any) -> Any:
        self.number += 1
        self.say(id=f"s{self.number}", method=method, params=params)
        for line in sys.stdin:
            message = json.loads(line)
            if message.get("id") == f"s{self.number}":
                return message.get("result")
        return None

    def initialize(self, params: Any) -> Any:
        capabilities: Any = {"tools": {}, "resources": {}, "prompts": {}, "logging": {}}
        info = {"name": "notes", "version": "1"}
        version = params["protocolVersion"]
        return {"protocolVersion": version, "capabilities": capabilities, "serverInfo": info}

    def called(self, params: Any) -> Any:  # noqa: C901 - one tool after the other
        name, arguments = params["name"], params.get("arguments") or {}
        token = (params.get("_meta") or {}).get("progressToken")
        if name == "list_notes":
            return value({"notes": sorted(TEXTS)})
        if name == "get_note":
            if arguments.get("name") not in TEXTS:
                return {**text("there is no such note"), "isError": True}
            return text(TEXTS[arguments["name"]])
        if name == "delete_note":
            TEXTS.pop(arguments["name"], None)
            return text("deleted")
        if name == "rows":
            rows = [{"id": n, "name": f"row {n}", "size": n * 7} for n in range(arguments["count"])]
            return value({"rows": rows})
        if name == "ask_person":
            schema = {"type": "object", "properties": {}}
            asked = {"message": arguments["text"], "requestedSchema": schema}
            return value({"said": self.ask("elicitation/create", asked)})
        if name == "steps" and token is not None:
            for step in (1, 2):
                said = {"progressToken": token, "progress": step, "total": 2}
                self.say(method="notifications/progress", params=said)
        if name == "slow":
            threading.Event().wait(arguments.get("seconds", 30))
        if name == "picture":
            return {"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png"}]}
        return text("done")

    def answer(self, method: str, params: Any) -> Any:
        if method == "initialize":
            return self.initialize(params)
        if method == "tools/list":
            return {"tools": TOOLS}
        if method == "tools/call":
            return self.called(params)
        if method == "resources/list":
            return {"resources": [{"uri": "note://one", "name": "one", "extra": {"kept": 1}}]}
        if method == "resources/read":
            return {"contents": [{"uri": params["uri"], "text": "the first note"}]}
        if method == "prompts/list":
            return {"prompts": [{"name": "greet"}]}
        if method == "prompts/get":
            content = {"type": "text", "text": f"hello from {params['name']}"}
            return {"messages": [{"role": "user", "content": content}]}
        return {}

    def serve(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if "method" in message and "id" in message:
                result = self.answer(message["method"], message.get("params") or {})
                self.say(id=message["id"], result=result)


def text(said: str) -> Any:
    return {"content": [{"type": "text", "text": said}]}


def value(structured: Any) -> Any:
    return {**text(json.dumps(structured)), "structuredContent": structured}


if __name__ == "__main__":
    if "--pid" in sys.argv:
        with open(sys.argv[sys.argv.index("--pid") + 1], "a") as file:
            file.write(f"{os.getpid()}\n")
    if "--deaf" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server().serve()
    while "--deaf" in sys.argv:
        signal.pause()
