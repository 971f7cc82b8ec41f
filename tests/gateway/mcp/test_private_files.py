"""Whatever the umask lets others do: what the gateway keeps is for its owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest
from tests.gateway.mcp.gateways import Place, talking


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_nothing_of_a_gateway_is_for_others(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with talking(place) as talk:
        assert talk.run("len(notes_rows(count=3000)['rows'])") == ("3000", False)
        text, is_error = talk.run("notes_rows(count=3000)")  # the whole is kept under a handle
        assert "tokens recall" in text
        assert not is_error
        talk.result("resources/list")
    made = sorted(path.relative_to(tmp_path) for path in place.data.rglob("*"))
    names = {str(path) for path in made}
    assert {"tokens/gateway/audit.jsonl", "tokens/gateway/catalogues"} <= names
    assert any(path.parts[:3] == ("tokens", "gateway", "sandbox") for path in made)
    open_to_others = [
        str(path) for path in (place.data, *place.data.rglob("*"))
        if S_IMODE(path.lstat().st_mode) & 0o077
    ]  # fmt: skip
    assert open_to_others == []
