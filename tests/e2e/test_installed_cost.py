"""What it costs to be installed: bytes and tokens that a session's first request has more.

All requests come from one folder, so that nothing but the wiring differs; after `tokens uninstall`
they are as they were. There is a session before, so that the hook has something to tell at the
start of the next one: the dearest case.
"""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.billing import Exchange
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, main_requests
from tests.e2e.matrix import EVERY, OPUS, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Step, Usage, text

from tokenbudget.metering.calibration import generation_ratio
from tokenbudget.metering.tokenizer import BytePairCounter

pytestmark = pytest.mark.e2e

MOST_TOKENS = 300
BYTES_PER_TOKEN = 2.7
"""Of such text in the current models' own count, by the densest of what sessions reported."""
WORKED = [Step((text("Done."),), Usage(12, 400, 2_000, 0, 130_000))]
PARTS = ("statusline", "hooks", "commands", "skill")
COUNTER = BytePairCounter()


class Added(NamedTuple):
    """What a first request has more than without us."""

    size_bytes: int
    public_tokens: int
    """By the public vocabulary."""
    calibrated_tokens: float
    """The same, as the model's generation counts."""
    by_bytes: float

    @property
    def tokens(self) -> float:
        """By the dearer of two ways to count."""
        return max(self.calibrated_tokens, self.by_bytes)


class Measured(NamedTuple):
    """Of one client and model: the first request without us, and what each wiring adds."""

    base: str
    added: dict[str, Added]


@pytest.fixture(scope="module")
def measured(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Callable[[Release, str], Measured]]:
    name = test_being_installed_costs_little.__name__
    with played_ahead(request, tmp_path_factory, name, measure) as found:
        yield found


@EVERY
def test_being_installed_costs_little(
    release: Release, model: str, measured: Callable[[Release, str], Measured]
) -> None:
    base, added = measured(runnable(release), model)
    show(release, model, base, added)
    for name, more in added.items():
        assert more.tokens <= MOST_TOKENS, name
    assert added["all by default"].size_bytes > 0, "the model knows of the skill"
    if "commands" in added:
        assert added["commands"].size_bytes == added["statusline"].size_bytes == 0


def measure(release: Release, model: str, sandbox: Sandbox) -> Measured:
    machine = Machine.create(sandbox)
    with serving({"work": WORKED}, sandbox.root / "api") as api:
        stage = Stage(ClaudeClient(release, sandbox, api), machine, model)
        stage.request("SCRIPT:work")
        stage.base = stage.request("hello")
        wirings: dict[str, tuple[str, ...]] = {"all by default": ()}
        if (release, model) == (NEWEST, OPUS):
            wirings |= {part: ("--only", part) for part in PARTS}
        if release is not OLD:
            wirings |= {"plugin": ("--only", "plugin,statusline")}
        added = {name: stage.added_by(*options) for name, options in wirings.items()}
    return Measured(stage.base, added)


class Stage:
    """One folder, in which sessions begin with this or that wired."""

    def __init__(self, client: ClaudeClient, machine: Machine, model: str) -> None:
        self.client, self.machine, self.model = client, machine, model
        self.base = ""

    def request(self, prompt: str) -> str:
        """All that the first request of a session says to the model."""
        known = len(main_requests(self.client.api.exchanges()))
        self.client.run(prompt, f"--model={self.model}", variables=self.machine.variables)
        [exchange, *_] = main_requests(self.client.api.exchanges())[known:]
        return said(exchange)

    def added_by(self, *options: str) -> Added:
        """What a wiring adds. It is taken back, and of the default one nothing may stay."""
        release = self.client.release
        self.machine.install(release.version, *options)
        if release is MIDDLE and "plugin,statusline" in options:
            self.request("hello")  # this client loads a plugin that is new from its next start on
        wired = self.request("hello")
        self.machine.tokens("uninstall", "--yes")
        if not options:
            assert self.request("hello") == self.base
        return more_in(wired, self.base, self.model)


def said(exchange: Exchange) -> str:
    """Tools, system prompt and messages, without what differs in every session."""
    body = exchange.body
    system = [block for block in body["system"] if "x-anthropic-billing" not in json.dumps(block)]
    parts = {"tools": body.get("tools"), "system": system, "messages": body["messages"]}
    return json.dumps(parts, ensure_ascii=False)


def more_in(wired: str, base: str, model: str) -> Added:
    size_bytes = len(wired.encode()) - len(base.encode())
    public = COUNTER.count(wired) - COUNTER.count(base)
    return Added(size_bytes, public, public * generation_ratio(model), size_bytes / BYTES_PER_TOKEN)


def show(release: Release, model: str, base: str, added: dict[str, Added]) -> None:
    print(f"\n{release.name}, {model}: a first request of {len(base.encode()):,} bytes")
    for name, more in added.items():
        print(
            f"  {name:16}{more.size_bytes:>+6} bytes {more.public_tokens:>+5} tokens (o200k)"
            f" {more.calibrated_tokens:>+7.0f} calibrated {more.by_bytes:>+7.0f} by bytes"
        )
