"""Plays one session: prompts, responses on several lines, tool results, pauses, compaction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sample_sessions.attachments import SKILL_TEXTS, opening_attachments
from sample_sessions.metering import Window, usage_object
from sample_sessions.projects import FOLLOW_UPS, REMARKS, THOUGHTS, Project
from sample_sessions.texts import Library
from sample_sessions.tool_calls import ToolCall, Workbench
from sample_sessions.transcript import Ids, Json, Transcript
from sample_sessions.truth import UNKNOWN_USAGE, Attempts, Copy, Tally, Tokens

COMPACT_AT: Final = 155_000
FINAL_FIRST_SHARE: Final = 1 / 60


@dataclass(frozen=True, slots=True)
class World:
    """What all sessions of a run share."""

    rng: random.Random
    ids: Ids
    library: Library
    tally: Tally
    out: Path


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Where in the transcript a call was made: its result refers to both."""

    id: str
    line: str


class Conversation:
    """A transcript being talked into existence."""

    def __init__(
        self, world: World, transcript: Transcript, project: Project, model: str, window: Window
    ) -> None:
        self.world, self.transcript, self.project = world, transcript, project
        self.model, self.window, self.rng = model, window, world.rng
        self.clock, self.seat = transcript.clock, transcript.seat
        self.bench = Workbench(world.rng, project, self.seat.cwd, world.library)
        self.has_request_ids = True
        self.lists_single_iteration = self.rng.random() < 0.5
        self.is_fast = False
        self.skill: str | None = None
        self.answered_by: tuple[str, str] | None = None

    # What the person and the client write

    def open(self) -> None:
        """The lines before the first prompt."""
        message = self.world.ids.uuid()
        session = {"sessionId": self.seat.session}
        snapshot = {"messageId": message, "trackedFileBackups": {}}
        self.transcript.write({"type": "mode", "mode": "normal", **session})
        self.transcript.write(
            {
                "type": "file-history-snapshot",
                "messageId": message,
                "snapshot": snapshot,
                "isSnapshotUpdate": False,
            }
        )
        self.attach()

    def attach(self) -> None:
        """The attachments that a context begins with."""
        for content in opening_attachments(self.project, self.seat, self.model, self.clock.now()):
            self.transcript.write(self.transcript.line("attachment", content))

    def ask(self, prompt: str) -> None:
        """A prompt; it ends whatever skill was at work."""
        self.skill = None
        self.clock.advance(self.rng.uniform(4, 90))
        content = {
            "promptId": self.world.ids.uuid(),
            "message": {"role": "user", "content": prompt},
            "turnOrigin": "human",
            "permissionMode": "acceptEdits",
        }
        self.transcript.write(self.transcript.line("user", content))
        self.window.add_text(len(prompt))

    def rest(self, seconds: float) -> None:
        """Nobody types."""
        self.clock.advance(seconds)

    def note(self, subtype: str, content: Json) -> None:
        """A system line."""
        line = {"subtype": subtype, "level": "info", "isMeta": False, **content}
        self.transcript.write(self.transcript.line("system", line))

    # What the model says

    def respond(
        self,
        text: str,
        calls: Sequence[ToolCall] = (),
        *,
        refused_by: str | None = None,
        usage_from_line: int = 0,
    ) -> list[ToolUse]:
        """One API response on one line per content block; returns where its calls stand.

        `refused_by` names a model that tried first. Lines before `usage_from_line` have null usage.
        """
        blocks, uses = self.blocks(text, calls)
        if refused_by:
            fallback = {"from": {"model": refused_by}, "to": {"model": self.model}}
            blocks.insert(0, {"type": "fallback", **fallback})
        self.clock.advance(self.rng.uniform(1.5, 14))
        final = self.attempts(len(str(blocks)), refused_by)
        drafts = self.drafts(final, len(blocks), may_fall=not usage_from_line)
        stop = "tool_use" if calls else "end_turn"
        head = self.response_head()
        lines: dict[str, str] = {}
        for index, (block, draft) in enumerate(zip(blocks, drafts, strict=True)):
            self.clock.advance(self.rng.uniform(0.05, 1.8))
            stop_reason = stop if draft == max(drafts, key=output_of) else None
            known = index >= usage_from_line
            line = self.say(head, index, block, draft if known else None, stop_reason)
            lines[block.get("id", "")] = line["uuid"]
        self.answered_by = None
        return [ToolUse(use, lines[use]) for use in uses]

    def blocks(self, text: str, calls: Sequence[ToolCall]) -> tuple[list[Json], list[str]]:
        """Content blocks in the order of the API, and the ids of the tool calls among them."""
        blocks: list[Json] = []
        if self.rng.random() < 0.45:
            # Newer clients keep only the signature of most thinking.
            thought = self.rng.choice(THOUGHTS) if self.rng.random() < 0.4 else ""
            signature = self.world.ids.tagged("Er") * self.rng.randint(4, 30)
            blocks.append({"type": "thinking", "thinking": thought, "signature": signature})
        if text:
            blocks.append({"type": "text", "text": text})
        ids = [self.world.ids.tagged("toolu_01") for _ in calls]
        for use, call in zip(ids, calls, strict=True):
            blocks.append(
                {"type": "tool_use", "id": use, "name": call.name, "input": call.arguments}
            )
        return blocks, ids

    def attempts(self, size: int, refused_by: str | None) -> Attempts:
        """The final usage of a response whose blocks have `size` characters."""
        output = size // 4 + round(self.rng.lognormvariate(4.6, 1.1))
        tokens = self.window.request(self.rng, self.clock.now_ms, output)
        if not refused_by:
            return ((self.model, tokens),)
        first = replace(tokens, output_tokens=self.rng.randint(1, 40), requests=0)
        return ((refused_by, first), (self.model, tokens))

    def drafts(self, final: Attempts, lines: int, *, may_fall: bool) -> list[Attempts]:
        """The usage told by each line: output grows to the final count, or falls from it."""
        *earlier, (model, tokens) = final
        output = tokens.output_tokens
        steps = [max(1, output * index // (lines + 2)) for index in range(lines - 1)]
        told = [*steps, output]
        if may_fall and self.rng.random() < FINAL_FIRST_SHARE:
            told.reverse()
        return [(*earlier, (model, replace(tokens, output_tokens=count))) for count in told]

    def response_head(self) -> Json:
        """The ids and attribution that all lines of one response repeat."""
        head: Json = {"message_id": self.world.ids.tagged("msg_01"), "extra": {}}
        extra: Json = head["extra"]
        if self.has_request_ids:
            extra["requestId"] = self.world.ids.tagged("req_011C")
        if self.skill:
            extra["attributionSkill"] = self.skill
        if self.answered_by:
            extra["attributionMcpServer"], extra["attributionMcpTool"] = self.answered_by
        if self.seat.agent:
            extra["attributionAgent"] = "Explore"
        if self.seat.client.renders_attachments:
            ttl = "1h" if self.window.long_cache else "5m"
            extra |= {"requestedModel": self.model, "promptCacheRequested": ttl, "madeBy": "model"}
        return head

    def say(
        self, head: Json, index: int, block: Json, told: Attempts | None, stop_reason: str | None
    ) -> Json:
        """Write one line of a response and account for the usage in it."""
        usage = told and usage_object(told, fast=self.is_fast, listed=self.lists_single_iteration)
        message = {
            "id": head["message_id"],
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [block],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": usage,
        }
        content = {"message": message, **head["extra"], "apiBlockIndex": index}
        line = self.transcript.line("assistant", content)
        unknown: Attempts = ((self.model, UNKNOWN_USAGE),)
        self.transcript.write(line, self.copy(line, head["message_id"], told or unknown))
        return line

    def copy(self, line: Json, key: str, attempts: Attempts) -> Copy:
        """What a correct reader learns from a line of this transcript."""
        return Copy(
            key=key,
            attempts=attempts,
            stamp=line["timestamp"],
            is_sidechain=line["isSidechain"],
            path=self.transcript.path,
            session=self.seat.session,
            cwd=self.seat.cwd,
            is_fast=self.is_fast,
        )

    # What tools give back

    def result(self, use: ToolUse, call: ToolCall) -> None:
        """The line with a tool's result, as shown to the model and as kept by the client."""
        self.clock.advance(call.seconds)
        block = {"tool_use_id": use.id, "type": "tool_result", "content": call.shown}
        if call.is_error:
            block["is_error"] = True
        content = {
            "message": {"role": "user", "content": [block]},
            "toolUseResult": call.kept,
            "sourceToolAssistantUUID": use.line,
        }
        self.transcript.write(self.transcript.line("user", content))
        self.window.add_text(call.characters)
        if call.server:
            self.answered_by = (call.server, call.name.rpartition("__")[2])
        if call.name == "Skill":
            self.load_skill(use, call.arguments["skill"])

    def load_skill(self, use: ToolUse, name: str) -> None:
        """The text of a skill, written as a meta message; responses are attributed from here on."""
        self.skill = name
        text = f"Skill {name}\n\n{SKILL_TEXTS[name]}\n\n" + "\n".join(
            f"{number}. {remark}" for number, remark in enumerate(REMARKS, 1)
        )
        message = {"role": "user", "content": [{"type": "text", "text": text}]}
        content = {"message": message, "isMeta": True, "sourceToolUseID": use.id}
        self.transcript.write(self.transcript.line("user", content))
        self.window.add_text(len(text))

    def use(self, calls: Sequence[ToolCall]) -> None:
        """One response that calls tools, and their results."""
        text = self.rng.choice(REMARKS) if self.rng.random() < 0.5 else ""
        for use, call in zip(self.respond(text, calls), calls, strict=True):
            self.result(use, call)
        if self.window.context > COMPACT_AT:
            self.compact("auto")

    # Whole stretches

    def turn(self, prompt: str, until: int) -> None:
        """A prompt and all that follows from it; cut short when the file has `until` bytes."""
        self.ask(prompt)
        started, first = self.clock.now_ms, len(self.transcript.entries)
        for _ in range(self.rng.randint(2, 12)):
            count = 1 if self.rng.random() < 0.8 else self.rng.randint(2, 3)
            self.use([self.bench.call() for _ in range(count)])
            if self.transcript.size >= until:
                break
        self.respond(self.rng.choice(REMARKS))
        took = {
            "durationMs": self.clock.now_ms - started,
            "messageCount": len(self.transcript.entries) - first,
        }
        self.note("turn_duration", took)

    def next_prompt(self) -> str:
        """A wish for the project, or a short answer to what the agent just did."""
        wishes = self.project.prompts if self.rng.random() < 0.4 else FOLLOW_UPS
        return self.rng.choice(wishes)

    def compact(self, trigger: str) -> None:
        """A boundary, a summary, and the attachments once more; the request itself is unseen."""
        before, last = self.window.context, self.transcript.parent
        summary = "Summary of the work so far:\n" + "\n".join(
            f"- {self.rng.choice(REMARKS)}" for _ in range(self.rng.randint(8, 30))
        )
        self.window.shrink(len(summary) // 4)
        self.clock.advance(self.rng.uniform(20, 70))
        metadata = {
            "trigger": trigger,
            "preTokens": before,
            "postTokens": self.window.context,
            "cumulativeDroppedTokens": before - self.window.context,
        }
        boundary = {
            "subtype": "compact_boundary",
            "content": "Conversation compacted",
            "logicalParentUuid": last,
            "compactMetadata": metadata,
        }
        self.transcript.write(self.transcript.line("system", boundary, chained=False))
        told = {"message": {"role": "user", "content": summary}, "isCompactSummary": True}
        self.transcript.write(
            self.transcript.line("user", {**told, "isVisibleInTranscriptOnly": True})
        )
        self.attach()


def output_of(attempts: Attempts) -> int:
    """Output tokens of the attempt that answered."""
    tokens: Tokens = attempts[-1][1]
    return tokens.output_tokens
