"""How servers are read from `mcpServers`, and what of them is filled in and when."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.server_config import (
    ConfigRefused,
    ServerConfig,
    configs_from,
    filled_in,
    fingerprint,
    not_set,
    secrets_of,
)
from tokenbudget.gateway.mcp.server_environment import environment_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = ("type", "command", "args", "env", "cwd", "url", "headers", "timeout", "oauth")


def one(entry: object) -> ServerConfig:
    (config,) = configs_from({"mcpServers": {"it": entry}})
    return config


def test_a_server_is_read_as_it_is_written() -> None:
    entry = {
        "command": "npx", "args": ["-y", "x", "${HOME}"], "env": {"A": "${B}", "N": 7, "T": True},
        "timeout": 60_000, "unknown": [],
    }  # fmt: skip
    assert one(entry) == ServerConfig(
        "it", "stdio", "npx", ("-y", "x", "${HOME}"), {"A": "${B}", "N": "7", "T": "true"},
        "", "", {}, "code", "", 60.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "transport"),
    [
        ({"command": "x"}, "stdio"),
        ({"type": "stdio", "command": "x"}, "stdio"),
        ({"url": "https://x/mcp"}, "http"),
        ({"type": "http", "url": "https://x/mcp"}, "http"),
        ({"type": "streamable-http", "url": "https://x/mcp"}, "http"),
        ({"type": "sse", "url": "https://x/sse"}, "sse"),
    ],
)
def test_how_a_server_is_reached(entry: dict[str, object], transport: str) -> None:
    config = one(entry)
    assert (config.transport, config.trouble) == (transport, "")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (7, "the entry of it is no object"),
        ({}, "it has neither `command` nor `url`"),
        ({"type": "ws", "url": "ws://x"}, "it is of type 'ws'; stdio, http and sse are known"),
        ({"type": ["x"]}, "it is of type \"['x']\"; stdio, http and sse are known"),
        ({"command": "x", "args": "y"}, "it: `args` is no list of at most 1000 texts"),
        ({"command": "x", "args": [1]}, "it: an argument is no text of at most 32,000 characters"),
        ({"command": "x", "env": []}, None),
        ({"command": "x", "env": [1]}, "it: `env` is no object"),
        ({"command": "x", "env": {"A": {}}}, "it: a value in `env` is no text"),
        ({"type": "http"}, "it has neither `command` nor `url`"),
        ({"command": 5}, "it: `command` is no text of at most 32,000 characters"),
        (
            {"url": "https://x", "headersHelper": "get-key.sh"},
            "it takes its headers from a program, which the gateway does not run",
        ),
        (
            {"url": "https://x", "oauth": {"clientId": "a"}},
            "it signs in by OAuth, which the gateway cannot do: leave it with the client",
        ),
        ({"url": "https://x", "oauth": {}, "headers": {"authorization": "Bearer x"}}, None),
    ],
)
def test_what_cannot_be_started_is_kept_with_its_trouble(entry: object, said: str | None) -> None:
    config = one(entry)
    assert config.trouble.startswith(said) if said else config.trouble == ""
    if said:
        with pytest.raises(ConfigRefused):
            filled_in(config, {})


@pytest.mark.parametrize("document", [None, [], {}, {"mcpServers": []}, {"servers": {}}, "x"])
def test_a_document_without_servers_is_refused(document: object) -> None:
    with pytest.raises(ConfigRefused, match="there is no object `mcpServers` in it"):
        configs_from(document)


def test_too_many_servers_are_refused() -> None:
    with pytest.raises(ConfigRefused, match="names 201 servers; 200 are allowed"):
        configs_from({"mcpServers": {str(n): {"command": "x"} for n in range(201)}})


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("${A}", "1"),
        ("x${A}y${A}", "x1y1"),
        ("${A:-9}", "1"),
        ("${GONE:-9}", "9"),
        ("${EMPTY:-9}", "9"),
        ("${EMPTY}", ""),
        ("${GONE:-}", ""),
        ("${GONE:-http://h:1/}", "http://h:1/"),
        ("${GONE}", "${GONE}"),  # so does the client
        ("$A ${} ${1} ${a b}", "$A ${} ${1} ${a b}"),
        ("${LOOP}", "${LOOP}"),
    ],
)
def test_variables_are_filled_in_once(written: str, filled: str) -> None:
    environment = {"A": "1", "EMPTY": "", "LOOP": "${LOOP}"}
    config = one({"command": written or "x", "args": [written], "env": {"${A}": written}})
    found = filled_in(config._replace(command="c" + written), environment)
    assert (found.command, found.args, found.env) == ("c" + filled, (filled,), {"${A}": filled})


def test_what_is_not_set_is_named() -> None:
    config = one({"url": "http://${H}/", "headers": {"A": "${K} ${K} ${D:-d} ${SET}"}})
    assert not_set(config, {"SET": ""}) == ("H", "K")


def test_what_must_not_be_repeated() -> None:
    config = one({
        "command": "x", "args": ["--url", "postgres://u:${PW}@h/"],
        "env": {"MODE": "production", "API_KEY": "k-123456", "SHORT_KEY": "abc", "H": "${HOME}"},
    })  # fmt: skip
    found = secrets_of(config, {"PW": "hunter2", "HOME": "/home/me"})
    assert found == ("k-123456", "hunter2")
    web = one({"url": "https://x", "headers": {"Authorization": "Bearer abcdefgh"}})
    assert secrets_of(web, {}) == ("Bearer abcdefgh", "abcdefgh")


@pytest.mark.parametrize(
    ("entry", "secret"),
    [
        ({"command": "x", "args": ["postgres://me:s3cr3t-pw@db/x"]}, "s3cr3t-pw"),
        ({"command": "x", "env": {"DATABASE_URL": "mysql://me:s3cr3t-pw@db/x"}}, "s3cr3t-pw"),
        ({"command": "x", "args": ["--api-key", "s3cr3t-key"]}, "s3cr3t-key"),
        ({"command": "x", "args": ["--token=s3cr3t-key"]}, "s3cr3t-key"),
        ({"command": "x", "args": ["--header", "Authorization: Bearer s3cr3t-key"]}, "s3cr3t-key"),
        ({"command": "x", "args": ["https://h/mcp?apiKey=s3cr3t-key&x=1"]}, "s3cr3t-key"),
        ({"url": "https://h/mcp?x=1&access_token=s3cr3t-key"}, "s3cr3t-key"),
    ],
)
def test_a_secret_written_into_an_argument_or_address_is_not_repeated(
    entry: dict[str, object], secret: str
) -> None:
    assert secret in secrets_of(one(entry), {})


def test_what_is_no_secret_stays_readable() -> None:
    config = one({"command": "x", "args": ["--root", "/srv/project", "http://localhost:8080/a"]})
    assert secrets_of(config, {}) == ()


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "  "},
        {"command": "x", "args": ["a\0b"]},
        {"command": "x", "env": {"A=B": "1"}},
        {"command": "x", "env": {"": "1"}},
        {"url": "ftp://x"},
        {"url": "http:///x"},
        {"url": "http://x y"},
        {"url": "file:///etc/passwd"},
        {"url": "http://x", "headers": {"A": "b\r\nC: d"}},
        {"url": "http://x", "headers": {"A B": "c"}},
        {"url": "http://x", "headers": {"A": "${TWO_LINES}"}},
    ],
)
def test_what_could_do_harm_when_filled_in_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ConfigRefused):
        filled_in(one(entry), {"TWO_LINES": "a\nb"})


def test_a_fingerprint_tells_ways_to_start_apart_and_no_secret(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text("1")
    entry = {"command": "python", "args": [str(script)], "env": {"KEY": "${KEY}"}}
    first = fingerprint(one(entry), {"KEY": "a"})
    assert first == fingerprint(one(entry), {"KEY": "b"})
    assert first == fingerprint(one({**entry, "env": {"KEY": "other"}}), {})
    changes: list[dict[str, object]] = [
        {"args": []}, {"command": "node"}, {"env": {}}, {"url": "x", "type": "http"},
    ]  # fmt: skip
    others = [fingerprint(one({**entry, **change}), {}) for change in changes]
    script.write_text("22")
    others.append(fingerprint(one(entry), {}))
    assert len({first, *others}) == 6
    assert all(len(one) == 24 for one in others)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_entry_is_read_and_none_raises(entry: dict[str, object]) -> None:
    config = one(entry)
    assert config.trouble or config.command or config.url or config.transport
    fingerprint(config, {"PATH": "/bin"})
    with contextlib.suppress(ConfigRefused):
        filled = filled_in(config, {})
        assert filled.transport != "stdio" or filled.command.strip()


@given(JSON)
def test_any_document_is_read_or_refused(document: object) -> None:
    with contextlib.suppress(ConfigRefused):
        assert isinstance(configs_from({"mcpServers": document}), tuple)


def test_the_environment_of_a_server() -> None:
    given_ = {
        "PATH": "/bin", "GITHUB_TOKEN": "kept", "CLAUDE_CODE_SESSION_ID": "kept",
        "ANTHROPIC_BASE_URL": "kept", "ANTHROPIC_AUTH_TOKEN": "x", "anthropic_api_key": "x",
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR": "x", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE": "x",
    }  # fmt: skip
    found = environment_of({"PATH": "/own", "ANTHROPIC_API_KEY": "named"}, given_)
    assert found == {
        "PATH": "/own", "GITHUB_TOKEN": "kept", "CLAUDE_CODE_SESSION_ID": "kept",
        "ANTHROPIC_BASE_URL": "kept", "ANTHROPIC_API_KEY": "named",
    }  # fmt: skip
