"""Subagents: files of their own in three layouts, and their calls told again by the parent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from sample_sessions.conversation import Conversation
from sample_sessions.metering import Window
from sample_sessions.tool_calls import ToolCall
from sample_sessions.transcript import Json, Seat, Transcript
from sample_sessions.truth import Copy, Tally

MOST_PROGRESS_LINES: Final = 40


class Layout(Enum):
    """Where the file of a subagent lies."""

    NESTED = "nested"
    WORKFLOW = "workflow"
    BESIDE = "beside"


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """One subagent of a session.

    `is_saved` is false for the old clients whose agents exist only in the parent's progress lines;
    `replays_parent` puts a copy of the parent's last response at the top of the agent's file.
    """

    layout: Layout = Layout.NESTED
    is_saved: bool = True
    replays_parent: bool = False
    model: str = "claude-haiku-5-5"


def run_agent(parent: Conversation, plan: AgentPlan, target: int) -> None:
    """Start a subagent from the parent, let it fill `target` bytes, and hand its answer back."""
    task = "Find every caller of the changed function and list them."
    arguments = {"description": "Find callers", "prompt": task, "subagent_type": "Explore"}
    name = "Agent" if parent.seat.client.renders_attachments else "Task"
    call = ToolCall(name, arguments, shown="", kept=None, seconds=1.0)
    (use,) = parent.respond("I will have this looked up in parallel.", [call])
    started = parent.clock.now_ms
    child = new_agent(parent, plan)
    if plan.replays_parent:
        replay_last_response(parent, child)
    work(child, task, target)
    if plan.is_saved:
        save(parent, child, plan, use.id)
    if parent.seat.client.reports_agent_progress:
        report_progress(parent, child, use.id)
    parent.result(use, answered(call, child, parent.clock.now_ms - started))


def new_agent(parent: Conversation, plan: AgentPlan) -> Conversation:
    """A subagent in the parent's session and time; unsaved ones count only where they are told."""
    world, agent = parent.world, parent.world.ids.agent()
    seat = replace(parent.seat, agent=agent)
    tally = world.tally if plan.is_saved else Tally()
    path = agent_path(seat, agent, plan.layout)
    transcript = Transcript(path, seat, parent.clock, world.ids, tally)
    window = Window(base=world.rng.randint(7_000, 13_000), long_cache=False)
    return Conversation(world, transcript, parent.project, plan.model, window)


def agent_path(seat: Seat, agent: str, layout: Layout) -> str:
    """The file's place relative to the config directory."""
    folder = f"projects/{seat.slug}"
    match layout:
        case Layout.NESTED:
            return f"{folder}/{seat.session}/subagents/agent-{agent}.jsonl"
        case Layout.WORKFLOW:
            run = f"wf_{agent[-6:]}"
            return f"{folder}/{seat.session}/subagents/workflows/{run}/agent-{agent}.jsonl"
        case Layout.BESIDE:
            return f"{folder}/agent-{agent[:8]}.jsonl"


def work(child: Conversation, task: str, target: int) -> None:
    """The agent's own turn."""
    child.ask(task)
    while True:
        child.use([child.bench.call()])
        if child.transcript.size >= target:
            break
    child.respond("Three callers; only the one in the tests relies on the old behaviour.")


def save(parent: Conversation, child: Conversation, plan: AgentPlan, use: str) -> None:
    """The agent's file and, in the nested layouts, the description beside it."""
    out = parent.world.out
    child.transcript.save(out)
    if plan.layout is Layout.BESIDE:
        return
    meta = {
        "agentType": "Explore",
        "isBuiltIn": True,
        "description": "Find callers",
        "toolUseId": use,
        "spawnDepth": 1,
        "requestShape": "foreground",
        "model": plan.model,
        "finished": True,
    }
    target = (out / child.transcript.path).with_suffix(".meta.json")
    target.write_text(json.dumps(meta), encoding="utf-8")


def answered(call: ToolCall, child: Conversation, milliseconds: int) -> ToolCall:
    """The call with its result; the totals in it are the last request's context, not the spend."""
    answer = [{"type": "text", "text": "Three callers; one relies on the old behaviour."}]
    kept = {
        "status": "completed",
        "prompt": call.arguments["prompt"],
        "agentId": child.seat.agent,
        "content": answer,
        "totalDurationMs": milliseconds,
        "totalTokens": child.window.context,
        "totalToolUseCount": len(child.transcript.entries) // 3,
        "usage": {"input_tokens": 4, "output_tokens": 210, "cache_read_input_tokens": 9000},
    }
    return replace(call, shown=answer, kept=kept)


def told_responses(transcript: Transcript) -> Iterator[tuple[Json, Copy]]:
    """The lines of a transcript that tell usage, with what they tell."""
    for raw, copy in transcript.entries:
        if copy:
            yield json.loads(raw), copy


def report_progress(parent: Conversation, child: Conversation, use: str) -> None:
    """Repeat the agent's responses inside the parent's file, as clients up to 2.1.81 did."""
    for index, (said, copy) in enumerate(told_responses(child.transcript)):
        if index >= MOST_PROGRESS_LINES:
            break
        message = {
            "type": "assistant",
            "message": said["message"],
            "requestId": said["requestId"],
            "uuid": said["uuid"],
            "timestamp": said["timestamp"],
        }
        data = {"type": "agent_progress", "message": message, "agentId": child.seat.agent}
        content = {"data": data, "toolUseID": f"agent_{copy.key}", "parentToolUseID": use}
        line = parent.transcript.line("progress", content)
        line["timestamp"] = said["timestamp"]
        parent.transcript.write(line, replace(copy, path=parent.transcript.path))


def replay_last_response(parent: Conversation, child: Conversation) -> None:
    """Copy the parent's last response into the agent's file: sidechain, new requestId, earlier."""
    *_, (said, copy) = told_responses(parent.transcript)
    moment = datetime.fromisoformat(copy.stamp) - timedelta(milliseconds=400)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    changed = {
        "isSidechain": True,
        "agentId": child.seat.agent,
        "requestId": child.world.ids.tagged("req_011C"),
        "uuid": child.world.ids.uuid(),
        "timestamp": stamp,
    }
    place = replace(copy, is_sidechain=True, stamp=stamp, path=child.transcript.path)
    child.transcript.write({**said, **changed}, place)
