"""Hooks over HTTP, as `tokens install --http-hooks` leaves them, beside their daemon."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, Release
from tests.e2e.installed import TIMEOUT_SECONDS, Machine, typed
from tests.e2e.matrix import SONNET, runnable
from tests.e2e.offline_api import OfflineApi, serving
from tests.e2e.scripted_answers import Step, text, tool_use

pytestmark = pytest.mark.e2e

BEFORE = b'{"hooks": {"Stop": []}}\n'
SAYS_HI = Step((tool_use("Bash", command="echo hi", description="x"),))
SCRIPTS = {"tools": [SAYS_HI, Step((text("Done."),))]}
Tokens = Callable[..., Any]


def tokens_in(api: OfflineApi, machine: Machine) -> Tokens:
    """`tokens` in the client's own network, where a daemon that it starts can be asked."""

    def run(*words: str, code: int = 0) -> Any:
        done = subprocess.run(
            api.enter([str(machine.program), *words]),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            cwd=machine.sandbox.project,
            env={**machine.sandbox.environment(), **machine.variables},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return run


@pytest.mark.parametrize("release", [NEWEST, MIDDLE], ids=lambda release: release.version)
def test_the_daemon_is_there_as_long_as_its_hooks_are(
    release: Release, sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    machine, path = Machine.create(sandbox), sandbox.config / "settings.json"
    path.write_bytes(BEFORE)
    path.chmod(0o644)
    install = ("install", "--http-hooks", "--client-version", runnable(release).version)
    doctor = ("doctor", "--wiring", "--check", "--json")

    with serving(SCRIPTS, sandbox.root / "api") as api:
        tokens = tokens_in(api, machine)
        tokens(*install, "--yes")
        try:
            assert path.stat().st_mode & 0o777 == 0o600
            flags = ("--allowedTools=Bash", f"--model={SONNET}")
            typed(ClaudeClient(release, sandbox, api), machine, "SCRIPT:tools", *flags)
            seen = {e["event"] for e in tokens(*doctor)["wiring"]["events"] if e["seen"]}
            assert seen >= {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"}
            tokens("serve", "--stop")
            [trouble] = tokens(*doctor, code=1)["wiring"]["troubles"]
            assert (trouble["kind"], trouble["do"]) == ("no-daemon", "tokens install --http-hooks")
            assert "The daemon was started" in tokens(*install)
            assert tokens(*doctor)["wiring"]["is_effective"]
        finally:
            tokens("uninstall", "--yes")
            tokens("serve", "--stop")

    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (BEFORE, 0o644)
