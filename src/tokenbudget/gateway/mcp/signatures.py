"""A tool in one line, and as a compact typed signature: what `find_tools` and `describe_tools` say.

Whatever is shown is true: a name or a value that is too long or cannot be printed is escaped or
left out, never cut; what was left out is marked by `…`. Whatever the schema, the text is bounded.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.gateway.mcp.signature_text import (
    CUT,
    cut,
    first_sentence,
    key,
    literal,
    meaning,
    quoted,
)
from tokenbudget.gateway.mcp.signature_types import ANY, Limits, Types, ordered, required_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.gateway.mcp.values import Tool

BRIEF_NAMES_CHARS, BRIEF_SENTENCE_CHARS = 60, 70
HEAD_CHARS = 3_000
"""The room for the names and types of a tool; a longer head is made smaller step by step."""
LEVELS = (
    Limits(6, 60, 40), Limits(4, 40, 20), Limits(3, 25, 12), Limits(2, 15, 8), Limits(1, 10, 4),
    Limits(0, 4, 2),
)  # fmt: skip
MOST_PARAMETERS = 100
RESULT_LIMITS, RESULT_CHARS = (Limits(2, 12, 6), Limits(1, 12, 2)), 300
WRAPPED = "x-fastmcp-wrap-result"
"""The mark of a result that is no object and was put into one, `{"result": …}`, to be sent."""
DESCRIPTION_CHARS, PARAMETERS_CHARS = 320, 700
PARAMETER_CHARS, OPTIONAL_CHARS = 140, 90
"""What is cut here is told whole by `detail`."""
DETAIL_CHARS, DETAIL_LIMITS = 4_000, Limits(8, 200, 500)
MOST_DEFAULT_CHARS = 40


class Parameter(NamedTuple):
    """One parameter of a tool."""

    name: str
    schema: object
    is_required: bool


def brief(tool: Tool, alias: str) -> str:
    """`alias(required, …) — first sentence`; `…` stands for what may be left out."""
    said = first_sentence(tool.description or tool.title, BRIEF_SENTENCE_CHARS)
    parameters = parameters_of(tool)
    shown: list[str] = []
    for parameter in parameters:
        text = key(parameter.name)
        is_room = not shown or sum(map(len, shown)) + len(text) <= BRIEF_NAMES_CHARS
        if not parameter.is_required or not is_room:
            break
        shown.append(text)
    if len(shown) < len(parameters):
        shown.append(CUT)
    return f"{alias}({', '.join(shown)})" + (f" — {said}" if said else "")


def signature(tool: Tool, alias: str) -> str:
    """The typed signature of a tool, then what the tool and its parameters mean."""
    parameters = parameters_of(tool)
    head = _head(tool, alias, parameters)
    documented = [one for one in parameters if _description(one)]
    is_documented = 2 * len(documented) >= len(parameters)
    said = meaning(tool.description or tool.title, DESCRIPTION_CHARS, is_documented=is_documented)
    lines = [head, *([f"# {said}"] if said else []), *_meanings(documented, alias)]
    return "\n".join(lines)


def signatures(tools: Sequence[tuple[Tool, str]]) -> str:
    """The signatures of several tools; what parameters of several mean alike is said once."""
    said: set[str] = set()
    blocks = []
    for tool, alias in tools:
        head, _, rest = signature(tool, alias).partition("\n# ")
        lines = [line for line in f"# {rest}".split("\n") if rest and line not in said]
        said.update(line for line in lines if _PARAMETER_LINE.match(line))
        blocks.append("\n".join([head, *lines]))
    return "\n\n".join(blocks)


def detail(tool: Tool, alias: str, name: str) -> str | None:
    """One parameter of a tool with all that is said of it; None where it has none of this name."""
    parameter = next((one for one in parameters_of(tool) if one.name == name), None)
    if parameter is None:
        return None
    types = Types(tool.input_schema, DETAIL_LIMITS)
    lines = [f"{alias}: {_typed(types, parameter)}"]
    lines += [f"{own} = {text}" for own, text in types.named.items()]
    said = _description(parameter)
    return cut("\n".join([*lines, *([f"# {said}"] if said else [])]), DETAIL_CHARS)


def parameters_of(tool: Tool) -> list[Parameter]:
    """The parameters of a tool, the required ones first."""
    types = Types(tool.input_schema, LEVELS[0])
    found: dict[str, Parameter] = {}
    for properties, needed in _objects(types, tool.input_schema, 0):
        for name in ordered(properties, needed):
            known = found.get(name)
            is_required = name in needed or (known is not None and known.is_required)
            schema = properties.get(name, known.schema if known else None)
            found[name] = Parameter(name, schema, is_required)
    return sorted(found.values(), key=lambda one: not one.is_required)


def _objects(
    types: Types, schema: object, depth: int
) -> Iterator[tuple[Mapping[str, object], Mapping[str, None]]]:
    """The objects that the arguments of a tool must be at once; of alternatives, all.

    What only one of some alternatives requires is not required.
    """
    target, _ = types.resolved(schema)
    if not isinstance(target, dict) or depth > 4:
        return
    properties = target.get("properties")
    yield properties if isinstance(properties, dict) else {}, required_of(target)
    for word in ("allOf", "anyOf", "oneOf"):
        several = target.get(word)
        for one in several[:20] if isinstance(several, list) else ():
            for inner, needed in _objects(types, one, depth + 1):
                yield inner, needed if word == "allOf" else {}


def _head(tool: Tool, alias: str, parameters: Sequence[Parameter]) -> str:
    """The signature itself, with as much of its types as there is room for."""
    head = ""
    for limits in LEVELS:
        types = Types(tool.input_schema, limits)
        shown = [_typed(types, one) for one in parameters[:MOST_PARAMETERS]]
        if len(shown) < len(parameters):
            shown.append(f"{CUT}+{len(parameters) - len(shown)}")
        head = f"{alias}({', '.join(shown)}){_result(tool)}"
        for name, text in types.named.items():
            head += f"\n{name} = {text}"
        if len(head) <= HEAD_CHARS:
            return head
    return _names_only(alias, parameters)


def _names_only(alias: str, parameters: Sequence[Parameter]) -> str:
    """The head of a tool whose types have no room: names, the required ones first."""
    shown: list[str] = []
    length = 0
    for one in parameters:
        text = f"{key(one.name)}{'' if one.is_required else '?'}"
        length += len(text) + 2
        if length > HEAD_CHARS:
            break
        shown.append(text)
    more = len(parameters) - len(shown)
    return f"{alias}({', '.join([*shown, *([f'{CUT}+{more}'] if more else [])])})"


def _typed(types: Types, parameter: Parameter) -> str:
    name, schema = key(parameter.name), parameter.schema
    text = types.text(schema, wish=parameter.name)
    if parameter.is_required:
        return f"{name}: {text}"
    default = schema.get("default") if isinstance(schema, dict) else None
    if default is None:
        parts = [part for part in _alternatives(text) if part != "None"]
        return f"{name}?: {'|'.join(parts) or text}"
    said = literal(default)
    return f"{name}: {text}={said if len(said) <= MOST_DEFAULT_CHARS else CUT}"


def _alternatives(text: str) -> list[str]:
    """The alternatives of a type; one where a bar may stand inside something."""
    is_plain = not any(sign in text for sign in '"{[</')
    return text.split("|") if is_plain else [text.removesuffix("|None")]


def _result(tool: Tool) -> str:
    """What a call gives back, where the tool tells it; a lone wrapped text tells nothing."""
    schema: object = tool.output_schema
    if isinstance(schema, dict) and schema.get(WRAPPED) is True:
        inner = schema.get("properties")
        schema = inner.get("result") if isinstance(inner, dict) else None
        if isinstance(schema, dict) and schema.get("type") == "string":
            return ""
    if not tool.output_schema or not schema:
        return ""
    for limits in RESULT_LIMITS:
        types = Types(tool.output_schema, limits)
        text = types.text(schema)
        if text in {ANY, "dict", CUT}:
            return ""
        if len(text) <= RESULT_CHARS and not types.named:
            return f" -> {text}"
    return ""


def _description(parameter: Parameter) -> str:
    schema = parameter.schema
    said = schema.get("description") if isinstance(schema, dict) else None
    return _OPTIONAL.sub("", quoted(said)).strip() if isinstance(said, str) else ""


def _meanings(parameters: Sequence[Parameter], alias: str) -> list[str]:
    """What parameters mean, one line each, where it says more than their names.

    The required ones first, each as whole as the room for one allows; for those that have no room
    left, how many they are: a few words of each would say nothing of any.
    """
    lines: list[str] = []
    room, left_out = PARAMETERS_CHARS, 0
    for one in parameters[:MOST_PARAMETERS]:
        text = _description(one)
        if not _is_news(f"{one.name}_{alias}", text):
            continue
        said = cut(text, PARAMETER_CHARS) if one.is_required else _shortly(text)
        if len(said) <= room:
            lines.append(f"# {key(one.name)}: {said}")
            room -= len(said)
        else:
            left_out += 1
    return [*lines, *([f"# {CUT}+{left_out}"] if left_out else [])]


def _shortly(text: str) -> str:
    """The first sentence of what an optional parameter means; `…` where there is more."""
    said = first_sentence(text, OPTIONAL_CHARS)
    return said if len(said) >= len(text) - 1 or said.endswith(CUT) else f"{said} {CUT}"


def _is_news(names: str, text: str) -> bool:
    """Whether a description says more than the names do: `The project's id` of `project_id` not."""
    known = {word.removesuffix("s") for word in _NO_WORD.split(names.lower())} | _FILLERS
    said = {word.removesuffix("s") for word in _NO_WORD.split(text.lower())}
    return bool(said - known)


_PARAMETER_LINE = re.compile(r"# \S+: ")
_NO_WORD = re.compile(r"[\W_]+")
_OPTIONAL = re.compile(
    r"^\(?(?:optional|required)[).:,]\s*|\s*\(?\b(?:optional|required)\.?\)?$", re.IGNORECASE
)
_FILLERS = frozenset(
    {"", "the", "a", "an", "of", "to", "for", "or", "and", "thi", "that", "i", "in", "new", "user"}
)
