"""The session that a command was started in, as the client tells it."""

import pytest

from tokenbudget.config.agent_session import VARIABLE, agent_session

ID = "0f3c1a52-9d7e-4d0f-8a0b-6f1f3f1c2b7d"


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (ID, ID),
        ("", ""),
        ("../../etc/passwd", ""),
        ("a b", ""),
        ("--session", ""),
        ("é", ""),
        ("-", ""),
        ("x" * 65, ""),
        ("a\n", ""),
    ],
)
def test_only_what_is_an_id_is_taken(
    told: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, told)
    assert agent_session() == meant


def test_outside_of_a_session_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert agent_session() == ""
