"""What `model: haiku` in a command's front matter costs in a session whose cache is warm.

The client asks the named model for that one turn, which has never seen the session and reads all
of it anew; then the session's own model goes on, with its cache. The bodies of both ways, priced
by our table, are the figures of docs/slash.md.
"""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.e2e.cache_reckoning import Reckoned, reckoned
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversing_client import conversing
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, main_requests
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Script, Step, text, tool_use

from tokenbudget.gateway.command_files import rendered
from tokenbudget.metering.rates import PriceBook
from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.system.clock import SystemClock

pytestmark = pytest.mark.e2e

OUTPUTS, OUTPUT_CHARACTERS = 10, 29_000
"""Of the shell commands that fill the window before anything is asked: near 60K tokens."""
ANSWER_TOKENS = 200
"""Of the answer, which repeats the output as it is."""
COUNTER = BytePairCounter()


class Way(NamedTuple):
    """A session that asks `/tokens monitor` in the middle: with the model named, or without."""

    asked: Reckoned
    """The request of the command."""
    next_one: Reckoned
    """The request of the turn after it."""
    command_usd: Decimal
    both_usd: Decimal


@pytest.mark.parametrize("model", [OPUS, SONNET])
@pytest.mark.parametrize("release", [NEWEST, MIDDLE], ids=lambda each: each.version)
def test_the_named_model_answers_one_turn_and_the_sessions_cache_stays_warm(
    release: Release, model: str, tmp_path: Path, install_outcomes: dict[str, str]
) -> None:
    runnable(release)
    with ThreadPoolExecutor() as pool:  # each in a sandbox of its own
        one = pool.submit(session, release, model, tmp_path / "switched", with_model=True)
        other = pool.submit(session, release, model, tmp_path / "stayed", with_model=False)
    switched, stayed = one.result(), other.result()

    assert "haiku" in switched.asked.model
    assert switched.asked.read_tokens == 0, "that model has seen nothing of the session"
    assert stayed.asked.model == switched.next_one.model == stayed.next_one.model == model
    assert stayed.asked.has_whole_predecessor
    assert switched.next_one.has_whole_predecessor, "the session's own cache is as it was"
    show(release, model, switched, stayed)
    if release is NEWEST:
        assert switched.both_usd < stayed.both_usd, "haiku-5-5 writes for less than others read"
    else:
        assert 2 * stayed.both_usd < switched.both_usd, "haiku-4-5 does not"


def test_an_old_client_loses_its_cache_by_any_command_that_runs_something(
    tmp_path: Path, install_outcomes: dict[str, str]
) -> None:
    """It writes what a command may run into the system prompt, and takes it out again later."""
    runnable(OLD)
    stayed = session(OLD, SONNET, tmp_path / "stayed", with_model=False)
    assert stayed.asked.has_whole_predecessor
    assert stayed.next_one.model == stayed.asked.model == SONNET
    assert not stayed.next_one.has_whole_predecessor
    assert stayed.next_one.written_tokens > stayed.next_one.read_tokens


def session(release: Release, model: str, folder: Path, with_model: bool) -> Way:
    """A session that fills its window, asks, and goes on."""
    machine = Machine.create(Sandbox.create(folder))
    for name, words in rendered(str(machine.program), with_model).items():
        path = machine.sandbox.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words, encoding="utf-8")
    with serving({"fill": filling()}, folder / "api") as api:
        client = ClaudeClient(release, machine.sandbox, api)
        with conversing(client, f"--model={model}", variables=machine.variables) as talk:
            talk.say("SCRIPT:fill")
            talk.say("/tokens monitor")
            talk.say("Go on.")
        sent = list(reckoned(main_requests(api.exchanges()), COUNTER))
    [slash] = machine.slashes()
    assert slash.printed
    book, now_ms = PriceBook.bundled(), SystemClock().now_ms()
    asked, next_one = sent[-2:]
    command_usd = asked.cost_usd(book, now_ms, ANSWER_TOKENS)
    both_usd = command_usd + next_one.cost_usd(book, now_ms, ANSWER_TOKENS)
    return Way(asked, next_one, command_usd, both_usd)


def filling() -> Script:
    """Shell commands that print much."""
    words = "yes 'the quick brown fox jumps over the lazy dog' | nl"
    steps = [f"{words} -v {n}000 | head -c {OUTPUT_CHARACTERS}" for n in range(OUTPUTS)]
    uses = [tool_use("Bash", command=command, description="Print") for command in steps]
    return [*(Step((use,)) for use in uses), Step((text("Done."),))]


def show(release: Release, model: str, switched: Way, stayed: Way) -> None:
    print(f"\n{release.name}, {model}: a window of {stayed.asked.tokens:,} tokens")
    for name, way in (("model: haiku", switched), ("--no-model", stayed)):
        asked, then = way.asked, way.next_one
        print(
            f"  {name:14} {asked.model:27} read {asked.read_tokens:>8,} write"
            f" {asked.written_tokens:>8,}  ${way.command_usd:.4f};  next turn"
            f" read {then.read_tokens:>8,} write {then.written_tokens:>6,};"
            f"  both ${way.both_usd:.4f}"
        )
