from tests.cli.conftest import Home, response

from tokenbudget.ledger.store import Ledger


def lagging_files(home: Home) -> int:
    """Files whose tools and words are still to be read."""
    with Ledger(str(home.config.parent / "ledger.db")) as ledger:
        return ledger.file_report().lagging_files


def test_reads_what_a_first_pass_left(home: Home) -> None:
    for number in range(4):  # more than is read whole at once
        name = f"s{number}"
        command = {"command": "x" * 1_500_000}
        call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": command}
        home.write_session(name, response(number, sessionId=name, content=[call]))
    home.run("usage")
    assert lagging_files(home) == 4

    done = home.run("backfill")

    assert done == (0, "", "")
    assert lagging_files(home) == 0
    assert home.ask("sessions", "s0")["tools"][0]["tool"] == "Bash"


def test_is_no_verb_for_people(home: Home) -> None:
    assert "backfill" not in home.run("--help").out
