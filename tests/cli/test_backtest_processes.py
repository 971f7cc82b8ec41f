"""`tokens backtest` shares its work out to processes, which changes nothing of the answer."""

import pytest
from tests.cli.conftest import Sample

from tokenbudget.app import backtesting


def test_the_answer_does_not_depend_on_the_processes(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[int] = []
    shared_out = backtesting._shares

    def noted(jobs, workers):  # type: ignore[no-untyped-def]
        found = shared_out(jobs, workers)
        shares.append(len(found))
        return found

    monkeypatch.setattr(backtesting, "_shares", noted)
    asked = ("backtest", "--strategy", "prune", "--strategy", "trim", "--json")
    alone = sample.home.run(*asked, TOKENS_WORKERS="1")
    assert shares == []
    many = sample.home.run(*asked, TOKENS_WORKERS="3")
    assert shares == [3]
    assert (alone.code, many.code) == (0, 0)
    assert many.out == alone.out
