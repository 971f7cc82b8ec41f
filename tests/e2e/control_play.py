"""Play the scripted session with the controller beside it, and keep what is to be judged."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import NamedTuple

from tests.e2e.claude_client import Sandbox
from tests.e2e.control_bed import CLOCK, VARIABLES, Bed, Sent, bed, unfreed_share
from tests.e2e.control_watch import (
    Record,
    Tree,
    files_of,
    is_given_back,
    is_seen,
    record_of,
    wait_until,
)
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import Release
from tests.e2e.installed import Machine
from tests.e2e.matrix import OPUS, SONNET
from tests.e2e.scripted_answers import JsonObject

from tokenbudget.model.control import HISTORY

GROWS_TO_SHARE = 0.95
"""Of the usable window: so much is read that it would be as full if nothing were done."""
WATCHED_SHARE = 0.46
"""From here on the agent waits until the controller has looked; below it there is nothing to do."""
PAST_REQUESTS = {OPUS: 48, SONNET: 38}
"""So long were this person's sessions: compacting pays for itself at critical, and not at warning,
where a working agent is interrupted only for three times the break-even."""
SETTING_SECONDS = 2.0
"""After so long a running client has taken notice of its settings."""


class Played(NamedTuple):
    """A session that was played."""

    machine: Machine
    sent: list[Sent]
    record: Record
    were_edited: list[bool]
    """Whether each edit succeeded: one at the beginning, and those after the long turn."""
    before: Tree
    """What the product may change, as it was when the session began."""
    after: Tree
    """The same when it ended."""
    undone: Tree
    """The same once everything that the controller took out was taken back."""
    again: Sent | None
    """The first request of a session that began then; None: nothing had been taken out."""
    why: JsonObject
    """What `tokens control why` says at the end; empty where nobody was to be advised."""
    monitor: str
    """And a frame of `tokens monitor`."""
    next_start: Sent | None = None
    """The first request of a session that began before anything was taken back."""

    @property
    def conversation(self) -> list[Sent]:
        """The requests but for those for summaries."""
        return [one for one in self.sent if one.kind is RequestKind.MAIN]

    @property
    def compacted(self) -> tuple[Sent, Sent] | None:
        """The last request before the first compaction, and the first one after it."""
        kinds = [one.kind for one in self.sent]
        if RequestKind.COMPACTION not in kinds:
            return None
        at = kinds.index(RequestKind.COMPACTION)
        after = [one for one in self.sent[at:] if one.kind is RequestKind.MAIN]
        return self.sent[at - 1], after[0]


def config_of(mode: str) -> str:
    """What a machine's config.toml says of the controller."""
    return f'[control]\nmode = "{mode}"\ninterval = "1s"\n'


def search_of(model: str) -> dict[str, str]:
    """Tools are deferred for the one model, and sent whole for the other."""
    return {"ENABLE_TOOL_SEARCH": "true" if model == OPUS else "false"}


def play_auto(release: Release, model: str, sandbox: Sandbox) -> Played:
    """It may act."""
    return play(release, model, sandbox, "auto")


def play_advise(release: Release, model: str, sandbox: Sandbox) -> Played:
    """It may say what it would do."""
    return play(release, model, sandbox, "advise")


def play_off(release: Release, model: str, sandbox: Sandbox) -> Played:
    """It is not wanted."""
    return play(release, model, sandbox, "off")


class Stage(NamedTuple):
    """A session that has begun, in which somebody has looked at the file and edited it."""

    bed: Bed
    session: str
    model: str
    mode: str
    before: Tree
    was_edited: bool

    def look(self) -> None:
        """Wait until the controller has seen the last request, and the client what it did."""
        last = self.bed.sent()[-1]
        if self.mode == "off" or last.share < WATCHED_SHARE:
            return
        machine, was = self.bed.machine, files_of(self.bed.machine)
        wait_until(lambda: is_seen(machine, self.session, last), f"{last.response} is seen")
        if files_of(machine) != was:
            CLOCK.sleep(SETTING_SECONDS)

    def first_request_again(self) -> Sent:
        """Of a session that begins now."""
        known = len(self.bed.sent())
        variables = {**self.bed.machine.variables, **VARIABLES, **search_of(self.model)}
        self.bed.client.run("hello", f"--model={self.model}", variables=variables)
        return self.bed.sent()[known]


@contextlib.contextmanager
def staged(release: Release, model: str, sandbox: Sandbox, mode: str) -> Iterator[Stage]:
    """A session that has begun; who controls it is for the block to start."""
    past, config = PAST_REQUESTS[model], config_of(mode)
    with bed(release, model, sandbox, config, past, search_of(model)) as stage:
        before = files_of(stage.machine)
        session = stage.say("SCRIPT:look")["session_id"]
        yield Stage(stage, session, model, mode, before, stage.edit())


def play(release: Release, model: str, sandbox: Sandbox, mode: str) -> Played:
    """The script, with a daemon: one long turn until the window is full or was freed, and more."""
    with staged(release, model, sandbox, mode) as stage:
        with stage.bed.machine.daemon():
            stage.bed.work(stage.look)
            if record_of(stage.bed.machine, stage.session).receipts:
                wait_until(lambda: is_given_back(stage.bed.machine), "the setting comes back")
            were_edited = [stage.was_edited, stage.bed.edit()]
            while unfreed_share(stage.bed.sent()) < GROWS_TO_SHARE:
                stage.bed.read_on()
                stage.look()
            were_edited.append(stage.bed.edit())
        return played(stage, were_edited)


def played(stage: Stage, were_edited: list[bool]) -> Played:
    """What is to be judged of a session; what was taken out is taken back, as nobody acts now."""
    machine, record = stage.bed.machine, record_of(stage.bed.machine, stage.session)
    sent, after = stage.bed.sent(), files_of(machine)
    why, monitor = told_of(stage) if stage.mode == "advise" else ({}, "")
    is_changed = after != stage.before
    next_start = stage.first_request_again() if is_changed else None
    if is_changed:
        take_back(machine, record)
    return Played(
        machine=machine,
        sent=sent,
        record=record,
        were_edited=were_edited,
        before=stage.before,
        after=after,
        undone=files_of(machine),
        again=stage.first_request_again() if is_changed else None,
        why=why,
        monitor=monitor,
        next_start=next_start,
    )


def told_of(stage: Stage) -> tuple[JsonObject, str]:
    """What a person is shown of it."""
    machine, session = stage.bed.machine, stage.session
    why: JsonObject = json.loads(machine.tokens("control", "why", session, "--json"))
    return why, machine.tokens("monitor", "--session", session, "--once", "--no-tracker")


def take_back(machine: Machine, record: Record) -> None:
    """Undo what the controller took out, and has not put back by itself."""
    listed = json.loads(machine.tokens("undo", "--list", "--json"))["rows"]
    states = {row["id"]: row["state"] for row in listed}
    for receipt in reversed(record.receipts):
        is_out = receipt.action is not None and states[receipt.action] == "done"
        if is_out and receipt.lever != HISTORY:
            machine.tokens("control", "undo", str(receipt.action), "--yes")
