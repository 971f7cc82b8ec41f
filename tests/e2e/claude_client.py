"""Drive a real Claude Code client in print mode: offline, isolated, and never for long."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.e2e.install_clients import PROGRAM_FOLDERS, Release, program
from tests.e2e.offline_api import OfflineApi
from tests.e2e.scripted_answers import JsonObject

RUN_TIMEOUT_SECONDS = 60
# Enough for every script here; it also works as root, where skipping permissions is refused.
PERMISSIONS = (
    "--permission-mode=acceptEdits",
    "--allowedTools=Bash,Read,Write,Edit,Agent,Task,TaskOutput",
)
# How a client introduces itself: the one of a paying key, the other of a subscription, for which
# it asks the API to keep the cache for an hour.
API_KEY = {"ANTHROPIC_API_KEY": "sk-ant-fake-key-for-tests"}
SUBSCRIPTION = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-fake-token-for-tests"}
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "ENABLE_TOOL_SEARCH": "true",
}


class ClientError(Exception):
    """The client could not do what a test asked of it; the text is what it said."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sandbox:
    """Everything that a client may touch, under one temporary folder."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> "Sandbox":
        """A sandbox with its folders made."""
        sandbox = cls(root)
        for folder in (sandbox.home, sandbox.config, sandbox.project, sandbox.scratch):
            folder.mkdir(parents=True)
        return sandbox

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def scratch(self) -> Path:
        return self.root / "tmp"

    @property
    def transcripts(self) -> Path:
        return self.config / "projects"

    def environment(self) -> dict[str, str]:
        """The whole environment of a process in here, but for what is special to it."""
        return {
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "TMPDIR": str(self.scratch),
            "PATH": PROGRAM_FOLDERS,
            "LANG": "C.UTF-8",
        }


@dataclasses.dataclass(frozen=True, slots=True)
class ClaudeClient:
    """One release of the client, in one sandbox, against one fake API."""

    release: Release
    sandbox: Sandbox
    api: OfflineApi
    credentials: Mapping[str, str] = dataclasses.field(default_factory=API_KEY.copy)

    def run(
        self, prompt: str, *options: str, variables: Mapping[str, str] | None = None
    ) -> JsonObject:
        """Run one prompt to its end and return the client's own result object.

        `variables` are further environment variables. Raises ClientError when the client takes
        too long, exits with an error, or prints no result.
        """
        flags = ["-p", prompt, "--output-format=json", *PERMISSIONS, *options]
        environment = {**self.environment(), **(variables or {})}
        return _result_of(_output_of(self.command(*flags), self.sandbox.project, environment))

    def environment(self) -> dict[str, str]:
        """The whole environment of the client."""
        own = {**_QUIET, **self.credentials, "ANTHROPIC_BASE_URL": self.api.url}
        return {**self.sandbox.environment(), **own}

    def command(self, *flags: str) -> list[str]:
        """Its command line, which enters the namespace first."""
        path = str(self.release.path)
        node = [program("node") or "node"] if self.release.needs_node else []
        return self.api.enter([*node, path, *flags])


def _output_of(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    with _started(command, folder, environment) as process:
        try:
            output, complaints = process.communicate(timeout=RUN_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise ClientError(f"not done after {RUN_TIMEOUT_SECONDS} seconds") from None
    if process.returncode != 0:
        raise ClientError(f"exit {process.returncode}: {output[-2000:]} {complaints[-2000:]}")
    return output


@contextlib.contextmanager
def _started(
    command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """Start a process as the leader of a group, and end whatever is left of that group."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,  # an open one is read as a part of the prompt
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _result_of(output: str) -> JsonObject:
    try:
        result = json.loads(output)
    except ValueError:
        raise ClientError(f"printed no result: {output[-2000:]}") from None
    if not isinstance(result, dict) or result.get("type") != "result":
        raise ClientError(f"printed no result: {output[-2000:]}")
    return result
