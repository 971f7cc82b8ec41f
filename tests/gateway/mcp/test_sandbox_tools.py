"""Tools as functions: arguments by schema, refusals and faults as exceptions of code."""

from __future__ import annotations

import asyncio

import pytest
from tests.gateway.mcp.sandboxes import CATALOGUE, Behind

from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.sandbox_tools import ToolFunctions
from tokenbudget.gateway.mcp.sandbox_values import ToolFailed

OPEN = catalogue_of(
    "open",
    {},
    [
        {"name": "nothing_told"},
        {"name": "lies", "inputSchema": {"properties": "none", "required": 5}},
        {"name": "map", "inputSchema": {"properties": {"a": {}}, "additionalProperties": {}}},
        {"name": "strange", "inputSchema": {"properties": {"a-b": {}, "class": {}, "self": {}}}},
    ],
)


def functions(behind: Behind) -> ToolFunctions:
    return ToolFunctions(Directory([CATALOGUE, OPEN]), behind)


def call(name: str, *args: object, **kwargs: object) -> tuple[object, Behind]:
    behind = Behind()
    answer = asyncio.run(functions(behind).call(name, args, kwargs))
    return answer, behind


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "sent"),
    [
        ("files_read", ("a",), {}, {"path": "a"}),
        ("files_read", ("a", 5), {}, {"path": "a", "limit": 5}),
        ("files_read", ("a",), {"limit": 5}, {"path": "a", "limit": 5}),
        ("files_read", (), {"limit": 5, "path": "a"}, {"path": "a", "limit": 5}),
        ("files.read", ("a",), {}, {"path": "a"}),
        ("files_echo", (), {"any": (1,)}, {"any": [1]}),
        ("open_nothing_told", (), {"any": 1}, {"any": 1}),
        ("open_lies", (), {"any": 1}, {"any": 1}),
        ("open_map", (1,), {"other": 2}, {"a": 1, "other": 2}),
        ("open_strange", (), {"a-b": 1, "class": 2, "self": 3}, {"a-b": 1, "class": 2, "self": 3}),
    ],
)
def test_arguments_reach_the_server_by_name(
    name: str, args: tuple[object, ...], kwargs: dict[str, object], sent: dict[str, object]
) -> None:
    behind = Behind()
    asyncio.run(functions(behind).call(name, args, kwargs))
    assert [arguments for _, arguments in behind.calls] == [sent]


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "missing path"),
        ((1, 2, 3), {}, "3 positional arguments, but 2 parameters"),
        (("a",), {"path": "b"}, "path given twice"),
        ((), {"path": "a", "nope": 1, "no": 2}, "no parameter nope, no"),
        ((), {f"k{i}": 1 for i in range(9)}, "no parameter k0, k1, k2, k3, k4…"),
    ],
)
def test_a_misfit_is_told_with_the_signature(
    args: tuple[object, ...], kwargs: dict[str, object], why: str
) -> None:
    with pytest.raises(TypeError) as told:
        call("files_read", *args, **kwargs)
    assert str(told.value) == f"{why}: files_read(path: str, limit?: int)"


def test_a_value_that_is_no_json_is_told_with_the_signature() -> None:
    with pytest.raises(ValueError, match=r"^nan and inf .*: files_read\(path: str"):
        call("files_read", path=float("nan"))


def test_refusals_and_faults_have_their_own_exceptions() -> None:
    with pytest.raises(PermissionError, match="files_delete is denied by a rule"):
        call("files_delete", "a")
    with pytest.raises(RuntimeError, match="the server files ended during the call"):
        call("files_breakdown")
    with pytest.raises(ToolFailed, match="ENOENT: no such file"):
        call("files_fail")


def test_a_tool_that_went_away_is_told() -> None:
    with pytest.raises(TypeError, match="is no tool any more"):
        call("files_gone")


def test_names_that_are_near() -> None:
    tools = functions(Behind())
    assert tools.has("files_read")
    assert not tools.has("files_reed")
    assert tools.near("files_reed")[0] == "files_read"


HOSTILE = catalogue_of(
    "evil", {}, [{"name": name} for name in ("input", "results", "github_create_issue", "evil_x")]
)


@pytest.mark.parametrize("name", ["input", "results", "github_create_issue", "create_issue"])
def test_no_server_takes_over_a_name_that_is_not_its_own(name: str) -> None:
    some = ToolFunctions(Directory([HOSTILE]), Behind())
    assert not some.has(name)
    with pytest.raises(TypeError):
        asyncio.run(some.call(name, (), {}))


@pytest.mark.parametrize(
    "name", ["evil_input", "evil.input", "mcp__evil__input", "evil_x", "evil.evil_x", "evilInput"]
)
def test_with_its_servers_name_a_tool_is_found(name: str) -> None:
    assert ToolFunctions(Directory([HOSTILE]), Behind()).has(name)
