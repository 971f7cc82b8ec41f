"""What the scripted model says: steps made of content blocks, and the usage that each one bills.

A script is a list of steps. Step n answers the request that has n assistant messages behind the
prompt that named the script; the last step answers everything after it.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """Tokens billed for one response; the five parts add up and never overlap."""

    input_tokens: int
    output_tokens: int
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0

    def in_api_words(self) -> JsonObject:
        """The `usage` object as the Messages API spells it."""
        return {
            "input_tokens": self.input_tokens,
            "cache_creation_input_tokens": self.cache_write_5m_tokens + self.cache_write_1h_tokens,
            "cache_read_input_tokens": self.cache_read_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_write_5m_tokens,
                "ephemeral_1h_input_tokens": self.cache_write_1h_tokens,
            },
            "output_tokens": self.output_tokens,
            "service_tier": "standard",
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One answer of the scripted model.

    `usage` None bills the default (see `default_usage`). A `status` other than 200 answers with
    an API error that says `error`, and bills nothing. `headers` are added to the response.
    """

    content: tuple[JsonObject, ...] = ()
    usage: Usage | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    status: int = 200
    error: str = ""

    @property
    def stop_reason(self) -> str:
        """Why the model stopped, as the API says it."""
        uses_tools = any(block["type"] == "tool_use" for block in self.content)
        return "tool_use" if uses_tools else "end_turn"


Script = Sequence[Step]
Scripts = Mapping[str, Script]


def text(words: str) -> JsonObject:
    """A text block."""
    return {"type": "text", "text": words}


def thinking(words: str) -> JsonObject:
    """A thinking block, with a signature that nobody verifies."""
    return {"type": "thinking", "thinking": words, "signature": "c2lnbmVk"}


def tool_use(tool: str, **arguments: object) -> JsonObject:
    """A tool call; the server gives each its own id."""
    return {"type": "tool_use", "name": tool, "input": arguments}


def save_scripts(scripts: Scripts, path: Path) -> None:
    """Write scripts where the server, another process, reads them."""
    steps = {
        name: [dataclasses.asdict(step) for step in script] for name, script in scripts.items()
    }
    path.write_text(json.dumps(steps), encoding="utf-8")


def load_scripts(path: Path) -> dict[str, list[Step]]:
    """Read what `save_scripts` wrote."""
    scripts: dict[str, list[JsonObject]] = json.loads(path.read_text(encoding="utf-8"))
    return {name: [_step_of(step) for step in script] for name, script in scripts.items()}


def _step_of(fields: JsonObject) -> Step:
    usage = fields["usage"] and Usage(**fields["usage"])
    return Step(**{**fields, "content": tuple(fields["content"]), "usage": usage})


def default_usage(body: JsonObject, content: Sequence[JsonObject]) -> Usage:
    """What a step bills unless it says otherwise: a quarter of the bytes.

    Of a request that marks something for the cache, nine tenths are read from it, one tenth is
    written with the life that the marks ask for, and 12 tokens are plain input.
    """
    asked = json.dumps(body)
    prompt, output = len(asked) // 4, len(json.dumps(content)) // 4
    if '"cache_control"' not in asked:
        return Usage(prompt, output)
    read = prompt * 9 // 10
    if '"ttl": "1h"' in asked:
        return Usage(12, output, cache_write_1h_tokens=prompt - read, cache_read_tokens=read)
    return Usage(12, output, cache_write_5m_tokens=prompt - read, cache_read_tokens=read)


def stream_events(message: JsonObject) -> Iterator[JsonObject]:
    """The server-sent events that tell a whole message.

    As in the real API, the first event claims one output token and only the last but one carries
    the final count: a reader that trusts the first copy of a response undercounts it.
    """
    usage = message["usage"]
    opened: JsonObject = {
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": {**message, **opened}}
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
    final = {name: count for name, count in usage.items() if name != "cache_creation"}
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": final}
    yield {"type": "message_stop"}


def _block_events(index: int, block: JsonObject) -> Iterator[JsonObject]:
    empty, deltas = _block_in_parts(block)
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _block_in_parts(block: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """The block as it is announced, empty, and the deltas that fill it."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": block["text"]}]
        case "thinking":
            return {**block, "thinking": "", "signature": ""}, [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case "tool_use":
            typed = json.dumps(block["input"])
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": typed}]
        case unknown:
            raise ValueError(f"a script may hold text, thinking and tool_use, not {unknown!r}")
