"""A session as hooks see it: its transcript grows, its events come, our home remembers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenbudget.gateway.hooks.handler import Answer, answer
from tokenbudget.gateway.hooks.session_state import SessionState, state_of

SESSION = "5d0c1f5e-0000-4000-8000-00000000beef"
NOW_MS = 1_800_000_000_000
NEW, OLD = "2.1.329", "2.0.76"


class HookDesk:
    """One session of one client, on a clock of its own."""

    def __init__(self, folder: Path, version: str = NEW, model: str = "claude-sonnet-4-5") -> None:
        self.home = folder / "home"
        self.transcript = folder / "session.jsonl"
        self.folder = folder
        self.version = version
        self.model = model
        self.now_ms = NOW_MS
        self.calls = 0
        self.lines = 0

    # ── what the agent writes ─────────────────────────────────────────────────────────────────────

    def line(self, **fields: object) -> dict[str, object]:
        """Append a line to the transcript that goes on where it was; None leaves a field out."""
        parent = f"uuid-{self.lines}" if self.lines else None
        self.lines += 1
        told: dict[str, object] = {
            "parentUuid": parent,
            "uuid": f"uuid-{self.lines}",
            "isSidechain": False,
            "version": self.version,
            "sessionId": SESSION,
            **fields,
        }
        told = {name: value for name, value in told.items() if value != "leave out"}
        with self.transcript.open("ab") as handle:
            handle.write(json.dumps(told).encode() + b"\n")
        return told

    def asks(self, text: str = "go on", **fields: object) -> None:
        """The person's prompt."""
        self.line(type="user", message={"role": "user", "content": text}, **fields)

    def responds(
        self, tokens: int, calls: tuple[str, ...] = (), key: str = "", **fields: object
    ) -> None:
        """A response after which so many tokens are in the window."""
        usage = {"input_tokens": 1, "cache_creation_input_tokens": 9, "output_tokens": 10}
        usage["cache_read_input_tokens"] = tokens - sum(usage.values())
        content = [{"type": "tool_use", "id": one, "name": "Read", "input": {}} for one in calls]
        message = {"id": key or f"msg_{self.lines}", "model": self.model, "usage": usage}
        self.line(type="assistant", message={**message, "content": content}, **fields)

    def compacts(self, before: int, after: int | None = None, trigger: str = "auto") -> None:
        """The line that a compaction leaves."""
        known: dict[str, object] = {"trigger": trigger, "preTokens": before}
        if after is not None:
            known["postTokens"] = after
        self.line(type="system", subtype="compact_boundary", compactMetadata=known, parentUuid=None)

    # ── events ────────────────────────────────────────────────────────────────────────────────────

    def payload(self, name: str, **fields: object) -> bytes:
        """One event as it comes; None leaves a field out."""
        told: dict[str, object] = {
            "session_id": SESSION,
            "transcript_path": str(self.transcript),
            "cwd": str(self.folder),
            "hook_event_name": name,
            **fields,
        }
        return json.dumps({key: one for key, one in told.items() if one is not None}).encode()

    def answers(self, name: str, **fields: object) -> Answer:
        """What is answered to an event, a second after the last one."""
        self.now_ms += 1_000
        return answer(self.payload(name, **fields), str(self.home), self.now_ms)

    def says(self, name: str, **fields: object) -> str:
        """The words for the agent in the answer to an event; '' for none."""
        return context_of(self.answers(name, **fields))

    def prompts(self, text: str = "go on") -> str:
        """A prompt: its hook, then its line."""
        said = self.says("UserPromptSubmit", prompt=text)
        self.asks(text)
        return said

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────

    def tries(self, tool: str, agent: str = "", at: int | None = None, **asked: Any) -> str:
        """A call that may be denied: the reason, or ''. It stands in its thread's transcript."""
        self.calls += 1
        use = f"toolu_{self.calls}"
        if not agent:
            self.responds(at or self.tokens or 1_000, calls=(use,))
        said = self.answers("PreToolUse", **self._call(tool, agent, use, asked)).reply
        found = json.loads(said) if said else {}
        if "hookSpecificOutput" not in found:
            return ""
        assert found["hookSpecificOutput"]["permissionDecision"] == "deny"
        return str(found["hookSpecificOutput"]["permissionDecisionReason"])

    def gets(self, tool: str, response: object, agent: str = "", **asked: object) -> str:
        """The call that was tried last is done: the words for the agent."""
        call = self._call(tool, agent, f"toolu_{self.calls}", asked)
        return self.says("PostToolUse", tool_response=response, **call)

    def fails(self, error: str, tool: str = "Bash", **asked: object) -> str:
        """The call that was tried last has failed."""
        call = self._call(tool, "", f"toolu_{self.calls}", asked)
        return self.says("PostToolUseFailure", error=error, is_interrupt=False, **call)

    def reads(self, path: Path, agent: str = "", **asked: Any) -> str:
        """A read, from its hook before to its hook after: why it was denied, or ''."""
        reason = self.tries("Read", agent, file_path=str(path), **asked)
        if not reason:
            self.gets("Read", read_response(path), agent, file_path=str(path), **asked)
        return reason

    def runs(self, command: str, output: str, agent: str = "") -> str:
        """A command, likewise."""
        reason = self.tries("Bash", agent, command=command)
        if not reason:
            self.gets("Bash", {"stdout": output, "stderr": ""}, agent, command=command)
        return reason

    def _call(self, tool: str, agent: str, use: str, asked: dict[str, object]) -> dict[str, Any]:
        call: dict[str, Any] = {"tool_name": tool, "tool_use_id": use, "tool_input": asked}
        if agent and self.version == NEW:
            call["agent_id"] = agent
        return call

    # ── what is remembered ────────────────────────────────────────────────────────────────────────

    @property
    def tokens(self) -> int:
        return self.state.tail.tokens or 0

    @property
    def state_file(self) -> Path:
        return self.home / "hooks/sessions" / f"{SESSION}.json"

    @property
    def state(self) -> SessionState:
        """As the file holds it; an empty one where there is none."""
        data = self.state_file.read_bytes() if self.state_file.exists() else b""
        return state_of(SESSION, data)

    def wishes(self, **fields: object) -> None:
        """Write the settings of the hooks."""
        self.home.mkdir(exist_ok=True)
        path = self.home / "hooks/settings.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"format": "tokenbudget/hook-settings/1", **fields}))

    def snapshot(self, **fields: object) -> None:
        """Write the collector's snapshot of the session."""
        path = self.home / "statusline" / f"{SESSION}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {"format": "tokenbudget/statusline/1", "session": SESSION, **fields}
        path.write_text(json.dumps(told))


def context_of(said: Answer) -> str:
    """The words for the agent, '' for none."""
    found = json.loads(said.reply) if said.reply else {}
    return str(found.get("hookSpecificOutput", {}).get("additionalContext", ""))


def read_response(path: Path) -> dict[str, object]:
    """What the client hands over of a whole file."""
    content = path.read_text()
    lines = content.count("\n") + 1
    file = {"filePath": str(path), "content": content, "numLines": lines}
    return {"type": "text", "file": {**file, "startLine": 1, "totalLines": lines}}
