"""The tools of the servers as functions for code: arguments bound by schema, answers as values."""

from __future__ import annotations

from tokenbudget.gateway.mcp.directory import plain as spelled
from tokenbudget.gateway.mcp.sandbox_plain import plain
from tokenbudget.gateway.mcp.sandbox_values import ToolFailed
from tokenbudget.gateway.mcp.sandbox_words import bounded
from tokenbudget.gateway.mcp.tool_values import error_words, value_of
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.gateway.mcp.directory import Directory
    from tokenbudget.gateway.mcp.signatures import Parameter
    from tokenbudget.gateway.mcp.values import Caller, Tool

_MOST_SIGNATURE_CHARS = 600
_MOST_NAMES = 5


class ToolFunctions:
    """`Functions` over a directory; every call goes through the one caller that it was given."""

    def __init__(self, directory: Directory, caller: Caller) -> None:
        self._directory = directory
        self._caller = caller
        self._parameters: dict[tuple[str, str], list[Parameter]] = {}

    def has(self, name: str) -> bool:
        """Whether a name is that of a tool, in a usual spelling of it with its server's name.

        The tool's name alone is not enough: a server that calls a tool `input` or `results`, or
        like another server's, would get what code meant for something else.
        """
        return self._tool(name) is not None

    def near(self, name: str) -> Sequence[str]:
        """Names that look like one that is none."""
        return self._directory.similar(name)

    def paused_seconds(self) -> float:
        """For how long a person has been asked, where the caller asks and tells so."""
        return float(getattr(self._caller, "asked_seconds", 0.0))

    async def call(self, name: str, args: Sequence[object], kwargs: dict[str, object]) -> object:
        """One call; see `sandbox_values.Functions`."""
        tool = self._tool(name)
        if tool is None:
            raise TypeError(f"{name[:80]} is no tool any more")
        arguments = self._bound(tool, args, kwargs)
        try:
            answer = await self._caller.call(tool, arguments)
        except CallRefused as refused:
            raise PermissionError(str(refused)) from refused
        except CallFailed as failed:
            raise RuntimeError(str(failed)) from failed
        if answer.is_error:
            raise ToolFailed(error_words(answer))
        return value_of(tool, answer)

    def _tool(self, name: str) -> Tool | None:
        tool = self._directory.tool(name)
        if tool is None or name == (alias := self._directory.alias_of(tool)):
            return tool
        is_alone = _letters(name) == _letters(tool.name) != _letters(alias)
        return None if is_alone else tool

    def _bound(
        self, tool: Tool, args: Sequence[object], kwargs: dict[str, object]
    ) -> dict[str, object]:
        """The arguments by name, as JSON. Raises TypeError or ValueError with the signature."""
        parameters = self._parameters_of(tool)
        wrong = _misfit(parameters, args, kwargs, is_open=_is_open(tool))
        if wrong:
            raise TypeError(self._with_signature(tool, wrong))
        names = [one.name for one in parameters]
        given = dict(zip(names, args, strict=False)) | kwargs
        try:
            bound = plain(given)
        except ValueError as unplain:
            raise ValueError(self._with_signature(tool, str(unplain))) from unplain
        assert isinstance(bound, dict)
        return bound

    def _parameters_of(self, tool: Tool) -> list[Parameter]:
        """Those of the schema, read once: a loop calls one tool a thousand times."""
        from tokenbudget.gateway.mcp.signatures import parameters_of

        known = self._parameters.get((tool.server, tool.name))
        if known is None:
            known = self._parameters[tool.server, tool.name] = parameters_of(tool)
        return known

    def _with_signature(self, tool: Tool, wrong: str) -> str:
        from tokenbudget.gateway.mcp.signatures import signature

        alias = self._directory.alias_of(tool)
        head = bounded(signature(tool, alias).split("\n", 1)[0], _MOST_SIGNATURE_CHARS)
        return f"{wrong}: {head}"


def _letters(name: str) -> str:
    return spelled(name).replace("_", "")


def _misfit(
    parameters: Sequence[Parameter],
    args: Sequence[object],
    kwargs: dict[str, object],
    *,
    is_open: bool,
) -> str:
    """Why the arguments cannot be those of the tool; '' where they can."""
    names = [one.name for one in parameters]
    if len(args) > len(names):
        return f"{len(args)} positional arguments, but {len(names)} parameters"
    twice = [name for name in names[: len(args)] if name in kwargs]
    if twice:
        return f"{_listed(twice)} given twice"
    unknown = [] if is_open else [name for name in kwargs if name not in names]
    if unknown:
        return f"no parameter {_listed(unknown)}"
    given = {*names[: len(args)], *kwargs}
    missing = [one.name for one in parameters if one.is_required and one.name not in given]
    return f"missing {_listed(missing)}" if missing else ""


def _is_open(tool: Tool) -> bool:
    """Whether the schema names no parameters, or takes others beside those that it names."""
    schema = tool.input_schema
    extra = schema.get("additionalProperties")
    if extra is False:
        return False
    known = schema.get("properties")
    is_told = isinstance(known, dict) and bool(known)
    return not is_told or extra is True or isinstance(extra, dict) or "patternProperties" in schema


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(bounded(name, 60) for name in names[:_MOST_NAMES])
    return shown + ("…" if len(names) > _MOST_NAMES else "")
