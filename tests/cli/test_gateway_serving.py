"""How `tokens gateway` is asked to serve, and what it says where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Home

from tokenbudget.cli.gateway_serving import Wish, wish_of
from tokenbudget.model.errors import BadRequest


@pytest.mark.parametrize(
    ("arguments", "wish"),
    [
        ([], Wish()),
        (["--config", "a b"], Wish("a b")),
        (["--config=a"], Wish("a")),
        (["--http"], Wish(is_http=True)),
        (["--http", "2000", "--config", "x"], Wish("x", is_http=True, port=2000)),
        (["--http=2000"], Wish(is_http=True, port=2000)),
        (["--http", "--print-client"], Wish(is_http=True, prints_client=True)),
    ],
)
def test_what_is_asked_for(arguments: list[str], wish: Wish) -> None:
    assert wish_of(arguments) == wish


@pytest.mark.parametrize(
    "arguments",
    [["--config"], ["--config="], ["--http", "80"], ["--http=x"], ["--http", "99999"], ["--nope"],
     ["--print-client"], ["--http", "2000", "3000"], ["--print-client=1", "--http"]],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(arguments: list[str]) -> None:
    with pytest.raises(BadRequest):
        wish_of(arguments)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no file"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "names no servers"),
        (json.dumps({"mcpServers": []}), "names no servers"),
        (json.dumps({"mcpServers": {str(n): {} for n in range(500)}}), "names no servers"),
    ],
)
def test_a_file_without_servers_is_told_in_one_sentence(
    home: Home, tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "servers.json"
    if text is not None:
        path.write_text(text)
    done = home.run("gateway", "--config", str(path))
    assert done.code in (2, 3)
    assert done.out == ""
    assert said in done.err
    assert done.err.count("\n") == 1
