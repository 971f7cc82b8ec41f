"""A real Claude Code client that stays: one process, one session, a turn whenever one is wanted."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from typing import IO

from tests.e2e.claude_client import PERMISSIONS, ClaudeClient, ClientError
from tests.e2e.scripted_answers import JsonObject

_FLAGS = ("-p", "--input-format=stream-json", "--output-format=stream-json", "--verbose")


class Conversation:
    """The running session; what it answers is what the fake API is told to answer."""

    def __init__(self, asked: IO[str], told: IO[str]) -> None:
        self._asked, self._told = asked, told

    def say(self, words: str) -> JsonObject:
        """Say something (a prompt, or a command such as /compact); the client's result object."""
        content = {"role": "user", "content": words}
        self._asked.write(json.dumps({"type": "user", "message": content}) + "\n")
        self._asked.flush()
        for line in self._told:
            event = json.loads(line)
            if event.get("type") == "result":
                return dict(event)
        raise ClientError(f"the client ended before it answered {words!r}")

    def end(self) -> None:
        """Say that nothing more will be said, so that the session ends by itself."""
        self._asked.close()


@contextlib.contextmanager
def conversing(
    client: ClaudeClient, *options: str, variables: Mapping[str, str] | None = None
) -> Iterator[Conversation]:
    """A client in conversation until the block ends, with all that it started."""
    with subprocess.Popen(
        client.command(*_FLAGS, *PERMISSIONS, *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=client.sandbox.project,
        env={**client.environment(), **(variables or {})},
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Conversation(process.stdin, process.stdout)
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
