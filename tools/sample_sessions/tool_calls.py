"""Tool calls with the results they get, shaped as each tool shapes them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sample_sessions.projects import Project
from sample_sessions.texts import Library, SourceFile, excerpt
from sample_sessions.transcript import Json

LONGEST_OUTPUT: Final = 30_000
"""Bash output is cut at this many characters (docs of the Bash tool)."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asks for, what it is shown, and what the client keeps beside it."""

    name: str
    arguments: Json
    shown: Any
    kept: Any
    seconds: float = 0.2
    is_error: bool = False
    server: str | None = None

    @property
    def characters(self) -> int:
        """The size of the call and its result in the context."""
        return len(str(self.arguments)) + len(str(self.shown))


@dataclass(frozen=True, slots=True)
class Workbench:
    """What tool calls are made from: a project, its checkout, and the shared texts."""

    rng: random.Random
    project: Project
    cwd: str
    library: Library

    def file(self) -> SourceFile:
        """A file of the project; the first ones are opened again and again."""
        files = self.library.files[self.project.name]
        return files[min(int(self.rng.expovariate(0.5)), len(files) - 1)]

    def call(self) -> ToolCall:
        """One call, drawn with the frequencies of an ordinary coding session."""
        (make,) = self.rng.choices(list(MAKERS), weights=list(MAKERS.values()))
        return make(self)


def read(bench: Workbench) -> ToolCall:
    """Read a file, now and then a very large one."""
    file = bench.rng.choice(bench.library.large) if bench.rng.random() < 0.04 else bench.file()
    path = f"{bench.cwd}/{file.path}"
    kept = {
        "filePath": path,
        "content": file.text,
        "numLines": file.lines,
        "startLine": 1,
        "totalLines": file.lines,
    }
    return ToolCall("Read", {"file_path": path}, file.numbered, {"type": "text", "file": kept})


def bash(bench: Workbench) -> ToolCall:
    """Run one of the project's commands; one in nine fails."""
    rng, command = bench.rng, bench.rng.choice(bench.project.commands)
    size = min(LONGEST_OUTPUT, round(rng.lognormvariate(6.3, 1.3)))
    output = command.output + excerpt(rng, bench.library.log, size)
    arguments = {"command": command.line, "description": command.purpose}
    seconds = rng.lognormvariate(1.0, 1.0)
    if rng.random() < 0.11:
        shown = f"Exit code 1\n{output}"
        return ToolCall("Bash", arguments, shown, f"Error: {shown}", seconds, is_error=True)
    kept = {
        "stdout": output,
        "stderr": "",
        "interrupted": False,
        "isImage": False,
        "noOutputExpected": False,
    }
    return ToolCall("Bash", arguments, output, kept, seconds)


def edit(bench: Workbench) -> ToolCall:
    """Replace a few lines; one in twelve does not find the text."""
    rng, file = bench.rng, bench.file()
    path = f"{bench.cwd}/{file.path}"
    old = excerpt(rng, file.text, rng.randint(60, 400))
    new = f"{old}\n{excerpt(rng, file.text, rng.randint(40, 500))}"
    arguments = {"file_path": path, "old_string": old, "new_string": new, "replace_all": False}
    if rng.random() < 0.08:
        problem = "String to replace not found in file."
        shown = f"<tool_use_error>{problem}</tool_use_error>"
        return ToolCall("Edit", arguments, shown, f"Error: {problem}", is_error=True)
    hunk = {"oldStart": 12, "oldLines": 3, "newStart": 12, "newLines": 6}
    kept = {
        "filePath": path,
        "oldString": old,
        "newString": new,
        "originalFile": file.text,
        "structuredPatch": [{**hunk, "lines": [f"+{line}" for line in new.split("\n")]}],
        "userModified": False,
        "replaceAll": False,
    }
    return ToolCall("Edit", arguments, f"The file {path} has been updated successfully.", kept)


def write(bench: Workbench) -> ToolCall:
    """Create a file beside an existing one."""
    file = bench.file()
    stem, dot, suffix = file.path.rpartition(".")
    path = f"{bench.cwd}/{stem}_draft{dot}{suffix}"
    text = excerpt(bench.rng, file.text, bench.rng.randint(300, 1800))
    kept: Json = {
        "type": "create",
        "filePath": path,
        "content": text,
        "structuredPatch": [],
        "originalFile": None,
    }
    shown = f"File created successfully at: {path}"
    return ToolCall("Write", {"file_path": path, "content": text}, shown, kept)


def grep(bench: Workbench) -> ToolCall:
    """Search the project for a word that its files contain."""
    names = [file.path for file in bench.library.files[bench.project.name]]
    found = [name for name in names if bench.rng.random() < 0.6] or names[:1]
    content = "\n".join(f"{name}:{bench.rng.randint(1, 90)}: limit" for name in found)
    kept = {
        "mode": "content",
        "numFiles": len(found),
        "filenames": found,
        "content": content,
        "numLines": len(found),
    }
    arguments = {"pattern": "limit", "path": bench.cwd, "output_mode": "content"}
    return ToolCall("Grep", arguments, content, kept)


def glob(bench: Workbench) -> ToolCall:
    """List the project's files."""
    names = [f"{bench.cwd}/{file.path}" for file in bench.library.files[bench.project.name]]
    kept = {
        "filenames": names,
        "durationMs": bench.rng.randint(3, 90),
        "numFiles": len(names),
        "truncated": False,
    }
    return ToolCall("Glob", {"pattern": "**/*"}, "\n".join(names), kept)


def web_fetch(bench: Workbench) -> ToolCall:
    """Look something up in the project's own handbook."""
    result = excerpt(bench.rng, bench.library.log, bench.rng.randint(400, 3000))
    milliseconds = bench.rng.randint(300, 4000)
    url = f"https://handbook.{bench.project.name}.example/decisions"
    kept = {
        "bytes": len(result) * 4,
        "code": 200,
        "codeText": "OK",
        "result": result,
        "durationMs": milliseconds,
        "url": url,
    }
    arguments = {"url": url, "prompt": "What was decided about this?"}
    return ToolCall("WebFetch", arguments, result, kept, seconds=milliseconds / 1000)


def mcp(bench: Workbench) -> ToolCall:
    """Ask one of the project's MCP servers."""
    tool, rng = bench.rng.choice(bench.project.mcp_tools), bench.rng
    answer = tool.answer + excerpt(rng, bench.library.log, round(rng.lognormvariate(6.5, 1.2)))
    blocks = [{"type": "text", "text": answer}]
    name = f"mcp__{tool.server}__{tool.name}"
    key, value = tool.argument
    return ToolCall(name, {key: value}, blocks, blocks, rng.uniform(0.3, 4), server=tool.server)


def todo(bench: Workbench) -> ToolCall:
    """Keep the list of steps up to date."""
    steps = ("Reproduce the problem", "Find the cause", "Fix it", "Run the tests")
    done = bench.rng.randrange(len(steps))
    todos = [
        {
            "content": step,
            "status": "completed" if at < done else "in_progress" if at == done else "pending",
            "activeForm": step,
        }
        for at, step in enumerate(steps)
    ]
    kept = {"oldTodos": [], "newTodos": todos}
    return ToolCall("TodoWrite", {"todos": todos}, "Todos have been modified successfully.", kept)


def skill(bench: Workbench) -> ToolCall:
    """Load one of the project's skills; its text follows as a message of its own."""
    name = bench.rng.choice(bench.project.skills)
    kept = {"success": True, "commandName": name}
    return ToolCall("Skill", {"skill": name}, f"Launching skill: {name}", kept)


MAKERS: Final[dict[Callable[[Workbench], ToolCall], int]] = {
    read: 30,
    bash: 26,
    edit: 18,
    grep: 8,
    mcp: 6,
    write: 4,
    todo: 3,
    glob: 2,
    skill: 2,
    web_fetch: 1,
}
"""How often each tool is used, out of a hundred calls."""
