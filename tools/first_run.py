"""What `make run` shows: overview and budget of this machine, or of samples where there are none.

The samples are written by the project's own generator (tools/sample_sessions) into build/samples
and read from there; neither the user's folders nor the user's ledger are touched.
"""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from sample_sessions import generate
from tokenbudget.app import transcript_folders
from tokenbudget.cli import main as tokens
from tokenbudget.cli.options import settings
from tokenbudget.sources.claude_code.source import ClaudeCode

SAMPLES = Path("build/samples")


def has_own_sessions() -> bool:
    """Whether any agent of this machine has left a transcript where we look."""
    current = settings()
    return bool(ClaudeCode(current.home_dir).find(transcript_folders(current)).files)


def main() -> int:
    """Show the overview."""
    if has_own_sessions():
        return tokens([]) or _after_a_line(["budget", "last"])
    print("No sessions on this machine yet: these are bundled samples.\n", flush=True)
    shutil.rmtree(SAMPLES, ignore_errors=True)
    generate(SAMPLES, end=datetime.now(UTC))
    here = ["--from", str(SAMPLES)]
    code = tokens(here) or _after_a_line(["budget", "last", *here])
    command = f"{Path(sys.executable).parent}/tokens"
    print(f"\n  Try    {command} context --from {SAMPLES}")
    print(f"         {command} timeline --from {SAMPLES}")
    return code


def _after_a_line(arguments: list[str]) -> int:
    print(flush=True)
    return tokens(arguments)


if __name__ == "__main__":
    sys.exit(main())
