"""The check of attribution finds what is off, and says what nobody can be named for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import Talk, plain_session, rich_session

import attribution
from tokenbudget.analysis.amounts import NOTHING, Amount
from tokenbudget.app import study_bytes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    monkeypatch.setattr("os.environ", made.environment)
    return made


def test_sessions_are_exact_and_their_shares_are_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    rich_session("s1").write(home)
    plain_session("s2").write(home)

    assert attribution.main(["--all"]) == 0

    told = capsys.readouterr().out.splitlines()
    assert sorted(line.split()[0] for line in told[:2]) == ["s1", "s2"]
    assert [line.split()[-1] for line in told[:2]] == ["exact", "exact"]
    assert told[2].endswith("0 where a sum is off")
    counts = [" ".join(line.split(" sessions,")[0].split()[-2:]) for line in told[3:]]
    assert counts == ["sessions: 2", "attachments: 1", "lines: 1", "alone: 0", "neither: 1"]


def test_named_files_are_read_alone(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    path = plain_session("s1").write(home)
    plain_session("s2").write(home)

    assert attribution.main(["--from", str(path)]) == 0
    assert "all sessions: 1 sessions" in capsys.readouterr().out


def test_a_token_too_much_is_found(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Talk("s1").ask().answer().write(home)
    assert attribution.main([]) == 0
    exact = study_bytes.decoded

    def with_one_more(body: bytes) -> object:
        (file,) = exact(body) or ()
        (thread,) = file.threads
        first, *rest = thread.spends
        more = first._replace(output_tokens=first.output_tokens + 1)
        return (file._replace(threads=(thread._replace(spends=(more, *rest)),)),)

    monkeypatch.setattr("tokenbudget.app.studies.decoded", with_one_more)

    assert attribution.main([]) == 1
    assert "more was charged than billed" in capsys.readouterr().out


def test_shares_are_of_tokens_and_of_money() -> None:
    bill = Amount(100, 0, 0, 0, 0, 10**12, 0)
    rows = [
        attribution.Checked("s1", bill, Amount(20, 0, 0, 0, 0, 10**11), NOTHING, True, True, ""),
        attribution.Checked("s2", bill, NOTHING, Amount(1, 0, 0, 0, 0, 10**10), True, True, ""),
    ]

    assert attribution.share_line("both", rows) == (
        "both: 2 sessions, 200 tokens, $2.00; unattributed 0.50% of tokens, 0.50% of cost (0"
        " sessions above 15%); prefix 10.00%, 5.00%"
    )
