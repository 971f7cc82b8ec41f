"""Every lever that the controller may pull, pulled in a few sessions of one release and model.

What the product predicts of each is asked before anything is pulled, in the middle of a session;
what it frees is what the fake API then bills less for the requests that the client really sends.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.e2e.billing import Exchange
from tests.e2e.claude_client import Sandbox
from tests.e2e.conversation import SUMMARY_SCRIPT
from tests.e2e.conversing_client import Conversation, conversing
from tests.e2e.install_clients import NEWEST, OLD, Release
from tests.e2e.matrix import OPUS, SONNET
from tests.e2e.offline_api import CHECKOUT
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, text, tool_use
from tests.e2e.trim_project import CART

from lever_laboratory import WATCHER_SECONDS, Combination, Laboratory, Place, Served
from lever_likeness import CHAINED, Link, Talk
from lever_rows import HARDLY, NEVER, NEXT_COMPACTION, NEXT_REQUEST
from levers import LARGEST, LEVERS, SMALLEST, TERSE, WINDOW, Lever, nothing, setting
from tokenbudget.model.control import HISTORY, MEMORY, SCRATCH, SERVERS, SKILLS, TRIMMING
from tokenbudget.optimizer.lever_facts import Fact, facts
from tokenbudget.system.clock import SystemClock

LOOK_SECONDS = 60
ALWAYS_LOOK = "[tokenManagement]\nwarningThreshold = 0.02\n"
"""The controller looks through a window from there on."""
BYTES_A_TOKEN = 4
"""As the fake API bills."""
WORDS = {"now": NEXT_REQUEST, "next compaction": NEXT_COMPACTION}
SOURCE, COPIES = "src/stock.py", 3
STEPS, STEP_BYTES = 18, 12_000
"""Of a turn that fills the window beyond the smallest one that a client can be told, in so many
results that the product learns from them how the model counts, as it does of every session."""
ATTEMPTS = 4
SUMMARY_CHARACTERS = 20_000
"""As billed here, what the published summary of a real session was: 5,000 tokens."""
DISABLED = next(one for one in LEVERS if one.row == (SERVERS, "disabledMcpjsonServers"))
GATEWAY = next(one for one in LEVERS if one.kind == "gateway")
CHAIN = (*CHAINED, DISABLED)
PREDICTED: Mapping[str, str] = {
    SKILLS: f"{SKILLS}/",
    SERVERS: f"{SERVERS}/",
    f"{MEMORY}, left out": f"{MEMORY}/twice",
    f"{MEMORY}, edited": f"{MEMORY}/repeated",
    SCRATCH: f"{SCRATCH}/",
    HISTORY: f"{HISTORY}/",
}
"""What is measured as one, and how the ids of its proposals begin."""
MEANS = {
    (SKILLS, "skillOverrides"): SKILLS,
    (SERVERS, "permissions.deny"): SERVERS,
    (MEMORY, "claudeMdExcludes"): f"{MEMORY}, left out",
    (MEMORY, "edit"): f"{MEMORY}, edited",
    (SCRATCH, "trash"): SCRATCH,
}


class Weighed(NamedTuple):
    """Tokens of something that was predicted and measured."""

    predicted: int
    error: int
    measured: int

    @property
    def error_share(self) -> float:
        """Of what was measured."""
        return abs(self.predicted - self.measured) / max(1, self.measured)


class Played(NamedTuple):
    """What one release did under one model."""

    about: Combination
    links: tuple[Link, ...]
    start_bytes: int
    """By which the first request of a new session grew, everything pulled."""
    compactions: tuple[int, int]
    """Asked for once the window was made small, and after it was made large again and filled."""
    weighed: dict[str, Weighed]
    seen: JsonObject
    """What the controller saw before anything was pulled."""
    results_bytes: int
    """By which the results of tools grew for the terse mode; 0 where this was not tried."""
    words_bytes: int
    """What a session begins with in that mode, beyond what it begins with else."""
    gateway_bytes: int
    """By which a first request grew for our gateway before the servers; 0: not tried."""


def play(release: Release, model: str, sandbox: Sandbox) -> Played:
    """Pull everything."""
    search = "" if release is OLD else "true" if model == OPUS else "false"
    about = Combination(release, model, search)
    laboratory = Laboratory(sandbox.root / "laboratory")
    place = laboratory.place()
    (place.clutter.project / SOURCE).write_text(CART * COPIES, encoding="utf-8")
    before = laboratory.first_request(place, about)
    with laboratory.served(scripts()) as served:
        links, compactions, weighed, seen = _in_session(served, place, about)
    after = laboratory.first_request(place, about)
    # What hooks and servers are given does not depend on the model: one each is enough.
    results, words = _hooked(laboratory, about) if model == OPUS else (0, 0)
    gateway = _behind_gateway(laboratory, about) if model == SONNET else 0
    return Played(
        about=about,
        links=tuple(links),
        start_bytes=after.size_bytes - before.size_bytes,
        compactions=compactions,
        weighed=weighed,
        seen=seen,
        results_bytes=results,
        words_bytes=words,
        gateway_bytes=gateway,
    )


def scripts() -> Scripts:
    """A turn that fills the window with results, and a summary of the usual length."""
    shown = [
        tool_use("Bash", command=f"tail -n +{7 * step} {name} | head -c {STEP_BYTES}")
        for step in range(1, STEPS // 2 + 1)
        for name in (SOURCE, "CLAUDE.md")
    ]
    words = "What was looked at, and why, and what is to be looked at next.\n"
    summary = words * (SUMMARY_CHARACTERS // len(words))
    return {
        "fill": [*(Step((one,)) for one in shown), Step((text("Shown."),))],
        SUMMARY_SCRIPT: [
            Step((text(f"<analysis>Looked.</analysis><summary>{summary}</summary>"),))
        ],
    }


def _in_session(
    served: Served, place: Place, about: Combination
) -> tuple[list[Link], tuple[int, int], dict[str, Weighed], JsonObject]:
    with conversing(
        served.client(place, about), about.option, variables=about.variables
    ) as session:
        talk = Talk(session, served, place)
        talk.settle()
        told = session.say("SCRIPT:fill")
        seen = look(place, about, str(told["session_id"]))
        small, freed = _made_small(session, served, place, about)
        large = _made_large(session, served, place)
        links = talk.links(CHAIN, expected_of(about))
    return links, (small, large), weighed_of(seen, links, freed), seen


def _made_small(
    session: Conversation, served: Served, place: Place, about: Combination
) -> tuple[int, int | None]:
    """Compactions once the window is made small, and the tokens that the first one freed."""
    before, known = used_tokens(served.main()[-1]), served.compactions()
    setting(env={WINDOW: SMALLEST})(place.clutter)
    for _ in range(ATTEMPTS if shipped(about, HISTORY).effect == "now" else 1):
        SystemClock().sleep(WATCHER_SECONDS)
        number = len(served.main())
        session.say("hello again")
        if served.compactions() > known:
            freed = before - prompt_tokens(served.main()[number])
            return served.compactions() - known, freed
    return 0, None


def _made_large(session: Conversation, served: Served, place: Place) -> int:
    """Compactions of a full window once it is made large."""
    setting(env={WINDOW: LARGEST})(place.clutter)
    found = 0
    for _ in range(ATTEMPTS):
        SystemClock().sleep(WATCHER_SECONDS)
        known = served.compactions()
        session.say("SCRIPT:fill")
        session.say("hello again")
        found = served.compactions() - known
        if not found:
            break
    return found


def look(place: Place, about: Combination, session: str) -> JsonObject:
    """What the controller sees of the session now."""
    root = place.clutter.config.parent
    home = root / "tokens"
    home.mkdir(mode=0o700)
    is_large = about.release is NEWEST and about.model == OPUS
    window = 1_000_000 if is_large else 200_000
    (home / "config.toml").write_text(f'{ALWAYS_LOOK}[windows]\n"{about.model}" = {window}\n')
    own = {"TOKENS_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.held_now", session],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LOOK_SECONDS,
        cwd=place.clutter.project,
        env={**Sandbox(root).environment(), **own},
    )
    assert done.returncode == 0, done.stderr
    seen: JsonObject = json.loads(done.stdout)
    return seen


def weighed_of(seen: JsonObject, links: Sequence[Link], history: int | None) -> dict[str, Weighed]:
    """What was predicted of each lever that works, and what was billed less once it did.

    `history`: tokens that a compaction freed; None where the release has none on demand.
    """
    measured = {} if history is None else {HISTORY: history}
    for link, lever in zip(links, CHAIN, strict=True):
        if link.effect != NEVER and lever is not DISABLED:
            measured[MEANS[names(lever)]] = -link.grown_bytes // BYTES_A_TOKEN
    found = {}
    for name, freed in measured.items():
        held = [one for one in seen["held"] if one["id"].startswith(PREDICTED[name])]
        tokens, error = (sum(one[key] for one in held) for key in ("tokens", "error_tokens"))
        found[name] = Weighed(tokens, error, freed)
    return found


def expected_of(about: Combination) -> dict[str, str]:
    """By the shipped table, when each link of the chain works."""
    return {lever.name: WORDS.get(shipped(about, *names(lever)).effect, NEVER) for lever in CHAIN}


def names(lever: Lever) -> tuple[str, str]:
    """Lever and means in the shipped table."""
    assert lever.row is not None
    return lever.row


def shipped(about: Combination, lever: str, means: str = "") -> Fact:
    """What the product knows of a lever under a release and model."""
    search = {"true": True, "false": False}.get(about.search)
    known = facts(about.release.version, about.model, search, lever)
    found = next((one for one in known if means in ("", one.means)), None)
    assert found is not None, (about, lever, means)
    return found


def used_tokens(exchange: Exchange) -> int:
    """What stands in the window once a request is answered."""
    assert exchange.response is not None
    return prompt_tokens(exchange) + exchange.response.bill.output_tokens


def prompt_tokens(exchange: Exchange) -> int:
    """What was billed for a prompt."""
    assert exchange.response is not None
    bill = exchange.response.bill
    written = bill.cache_write_5m_tokens + bill.cache_write_1h_tokens
    return bill.input_tokens + written + bill.cache_read_tokens


def _hooked(laboratory: Laboratory, about: Combination) -> tuple[int, int]:
    """Bytes by which a result grew in the terse mode, and those that its words take.

    A hook that is late on a busy machine lets a result pass as it is: the shortest of some counts,
    and of more where it is not what was measured.
    """
    known = shipped(about, TRIMMING).next_bytes
    usual, terse = (laboratory.hooked(about.release) for _ in range(2))
    words = [laboratory.first_request(usual, about).size_bytes]
    sizes: tuple[list[int], list[int]] = ([], [])
    for _ in range(ATTEMPTS):
        for place, pull, found in ((usual, nothing, sizes[0]), (terse, TERSE, sizes[1])):
            found.append(laboratory.looking(place, about, pull).next.size_bytes)
        if abs(min(sizes[1]) - min(sizes[0]) - known) <= HARDLY:
            break
    words.append(laboratory.first_request(terse, about).size_bytes)
    return min(sizes[1]) - min(sizes[0]), words[1] - words[0]


def _behind_gateway(laboratory: Laboratory, about: Combination) -> int:
    place = laboratory.with_program(about)
    before = laboratory.first_request(place, about)
    GATEWAY.pull(place.clutter)
    return laboratory.first_request(place, about).size_bytes - before.size_bytes
