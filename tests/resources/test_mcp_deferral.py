"""Whether a client defers MCP tools, as its requests showed."""

import pytest

from tokenbudget.resources.mcp_deferral import deferral_of

OURS = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("version", "variables", "found"),
    [
        ("2.0.76", {}, "off"),
        ("2.0.76", {"ENABLE_TOOL_SEARCH": "true"}, "off"),
        ("2.1.270", {}, "on"),
        ("2.1.270", {"ANTHROPIC_BASE_URL": "https://api.anthropic.com/"}, "on"),
        ("2.1.270", OURS, "off"),
        ("2.1.270", {**OURS, "ENABLE_TOOL_SEARCH": "true"}, "on"),
        ("2.1.329", OURS, "on"),
        ("2.1.329", {"ENABLE_TOOL_SEARCH": "false"}, "off"),
        ("2.1.329", {"ENABLE_TOOL_SEARCH": "auto:50"}, "unknown"),
        ("2.2.0", OURS, "on"),
        ("2.1.300", OURS, "unknown"),
        ("2.1.100", {}, "unknown"),
        ("", {}, "unknown"),
        ("evil", {}, "unknown"),
    ],
)
def test_the_release_and_two_variables_decide(
    version: str, variables: dict[str, str], found: str
) -> None:
    assert deferral_of(version, variables) == found
