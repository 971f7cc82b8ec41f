"""Hooks that only write down what the client tells them, and an account of what a client knows."""

import dataclasses
import json
import mmap
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.e2e.claude_client import Sandbox
from tests.e2e.install_clients import Release
from tests.e2e.scripted_answers import JsonObject

HOOK_SECONDS = 5
_EVENTS_IN_PROGRAM = re.compile(rb'\["PreToolUse","PostToolUse"(?:,"[A-Za-z]+")+\]')


@dataclasses.dataclass(frozen=True, slots=True)
class Recorder:
    """A folder in which every call of a hook leaves its payload."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> "Recorder":
        """A recorder whose folder is made."""
        folder.mkdir(parents=True)
        return cls(folder)

    def command(self, afterwards: str = "") -> str:
        """A command that keeps its stdin whole, then does something else."""
        folder = shlex.quote(str(self.folder))
        keep = f"f={folder}/$(date +%s%N)-$$; cat > $f.part; mv $f.part $f.json"
        return f"{keep}; {afterwards}" if afterwards else keep

    def payloads(self) -> list[JsonObject]:
        """All that was kept so far, the oldest first."""
        return [json.loads(path.read_bytes()) for path in sorted(self.folder.glob("*.json"))]

    def events(self) -> set[str]:
        """The events that fired so far."""
        return {payload["hook_event_name"] for payload in self.payloads()}

    def has(self, event: str) -> bool:
        return event in self.events()


def command_hook(command: str, matcher: str | None = None) -> list[JsonObject]:
    """What stands under an event in settings."""
    hook = {"type": "command", "command": command, "timeout": HOOK_SECONDS}
    return [{**({"matcher": matcher} if matcher else {}), "hooks": [hook]}]


def wire(sandbox: Sandbox, hooks: Mapping[str, object], **settings: object) -> None:
    """Write the person's settings with these hooks."""
    path = sandbox.config / "settings.json"
    path.write_text(json.dumps({"hooks": hooks, **settings}), encoding="utf-8")


def wire_recorder(sandbox: Sandbox, recorder: Recorder, events: Iterable[str]) -> None:
    """Have every one of these events recorded; two of them need more than a command."""
    hooks = {event: command_hook(recorder.command()) for event in events}
    if "WorktreeCreate" in hooks:  # this hook stands in for the client's own `git worktree`
        worktree = shlex.quote(str(sandbox.root / "worktree"))
        makes = f"mkdir -p {worktree}; echo {worktree}"
        hooks["WorktreeCreate"] = command_hook(recorder.command(makes))
    if "FileChanged" in hooks:  # its matcher says which files are watched
        hooks["FileChanged"] = command_hook(recorder.command(), "watched.txt")
    wire(sandbox, hooks)


def events_known_to(release: Release) -> frozenset[str]:
    """The hook events that a client's program names: the longest such list in it."""
    with (
        release.path.open("rb") as program,
        mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as whole,
    ):
        lists = {found[0] for found in _EVENTS_IN_PROGRAM.finditer(whole)}
    return frozenset(json.loads(max(lists, key=len)))
