"""Where the lines of a transcript begin, and what results say beside their words.

Read from Claude Code 1.0.0 to 2.1.x: `toolUseResult.file` has `numLines`, `startLine` and
`totalLines`; that of a subagent has `agentId`, and from 2.1 on `agentType`.
"""

# No `from __future__ import annotations`: see decoder.py.
from array import array

import msgspec
from msgspec import Raw, Struct

from tokenbudget.model.window import LineFacts, ShownFile
from tokenbudget.sources.claude_code.decoder import LARGEST_COUNT, NOTHING, REJECTED
from tokenbudget.sources.claude_code.details import blocks_of

_FILE_SIGN = b'"totalLines"'
_AGENT_SIGNS = (b'"agentId"', b'"toolUseResult"', b'"status"')
_LONGEST_META_BYTES = 1 << 20


class FileFacts(Struct, gc=False, rename="camel"):
    """`toolUseResult.file`."""

    num_lines: int
    start_line: int
    total_lines: int


class ResultFacts(Struct, gc=False, rename="camel"):
    """`toolUseResult` of a file that was read, or of a subagent."""

    file: FileFacts | None = None
    agent_id: str | None = None
    agent_type: str | None = None


class Message(Struct, gc=False):
    """`message` of the line: its blocks name the call."""

    content: Raw = NOTHING


class ResultLine(Struct, gc=False, rename={"result": "toolUseResult"}):
    """A line with the result of one call."""

    message: Message
    result: ResultFacts


class AgentMeta(Struct, gc=False, rename="camel"):
    """`agent-<id>.meta.json` beside a subagent's transcript."""

    agent_type: str = ""


_decode = msgspec.json.Decoder(ResultLine).decode
_decode_meta = msgspec.json.Decoder(AgentMeta).decode


def read_line_facts(path: str) -> LineFacts:
    """One pass over the transcript at `path`; a line of another shape tells nothing.

    Raises:
        OSError: the file cannot be read.
    """
    starts = array("q")
    shown: dict[str, ShownFile] = {}
    agents: dict[str, tuple[str, str]] = {}
    offset = 0
    with open(path, "rb") as handle:
        for line in handle:
            starts.append(offset)
            offset += len(line)
            if _FILE_SIGN in line or all(sign in line for sign in _AGENT_SIGNS):
                _take(line, shown, agents)
    return LineFacts(starts, shown, agents, _agent_type(path))


def _take(line: bytes, shown: dict[str, ShownFile], agents: dict[str, tuple[str, str]]) -> None:
    try:
        found = _decode(line)
    except REJECTED:
        return
    ids = [block.tool_use_id for block in blocks_of(found.message.content) if block.tool_use_id]
    if len(ids) != 1:
        return
    file, result = found.result.file, found.result
    if file is not None:
        counts = (file.total_lines, file.num_lines, file.start_line)
        if all(0 <= count < LARGEST_COUNT for count in counts):
            shown[ids[0]] = ShownFile(*counts)
    if result.agent_id:
        agents[ids[0]] = (result.agent_id, result.agent_type or "")


def _agent_type(path: str) -> str:
    """What the client says of a subagent beside its transcript."""
    folder, _, name = path.rpartition("/")
    if not name.startswith("agent-"):
        return ""
    try:
        with open(f"{folder}/{name.removesuffix('.jsonl')}.meta.json", "rb") as handle:
            return _decode_meta(handle.read(_LONGEST_META_BYTES)).agent_type
    except (OSError, *REJECTED):
        return ""
