"""An MCP server over stdio with one tool, which asks the person something before it answers."""

import json
import sys

_TOOL = {"name": "ask", "description": "Ask.", "inputSchema": {"type": "object", "properties": {}}}
_FORM = {"type": "object", "properties": {"name": {"type": "string"}}}
_QUESTION = "question"


def _say(**message: object) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def _answer(method: str, number: object, params: dict[str, object]) -> None:
    match method:
        case "initialize":
            about = {"serverInfo": {"name": "asker", "version": "1"}, "capabilities": {"tools": {}}}
            _say(id=number, result={"protocolVersion": params["protocolVersion"], **about})
        case "tools/list":
            _say(id=number, result={"tools": [_TOOL]})
        case "tools/call":
            asked = {"message": "Your name?", "requestedSchema": _FORM}
            _say(id=_QUESTION, method="elicitation/create", params=asked)
        case _:
            if number is not None:
                _say(id=number, result={})


def main() -> None:
    """Serve until stdin ends."""
    call: object = None
    for line in sys.stdin:
        message = json.loads(line)
        method = message.get("method", "")
        if method == "tools/call":
            call = message["id"]
        if message.get("id") == _QUESTION:
            _say(id=call, result={"content": [{"type": "text", "text": "Thank you."}]})
        else:
            _answer(method, message.get("id"), message.get("params", {}))


if __name__ == "__main__":
    main()
