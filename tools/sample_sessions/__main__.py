"""`python tools/sample_sessions --out DIR`: write sample transcripts and `DIR/truth.json`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

if not __package__:  # run by path: Python has put this folder first, we need the one above
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from sample_sessions import generate


def main(arguments: list[str] | None = None) -> int:
    """Parse, generate, write the truth, and say what was written."""
    options = parser().parse_args(arguments)
    out: Path = options.out
    if (out / "projects").exists():
        print(f"{out / 'projects'} exists already; give an empty --out.", file=sys.stderr)
        return 2
    # The one place where the real time enters; everything else is handed `end`.
    end = options.end or datetime.now(UTC)
    truth = generate(
        out, end=end, days=options.days, seed=options.seed, megabytes=options.megabytes
    )
    (out / "truth.json").write_text(json.dumps(truth.as_json(), indent=1) + "\n", encoding="utf-8")
    summary = f"{truth.files} transcripts, {truth.bytes / 1e6:.1f} MB"
    print(f"{summary}, {truth.total.requests} requests in {out}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(prog="sample_sessions", description=__doc__)
    options.add_argument("--out", type=Path, required=True, help="becomes a CLAUDE_CONFIG_DIR")
    options.add_argument("--end", type=moment, help="ISO 8601, UTC unless it says more; now")
    options.add_argument("--days", type=int, default=21)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--megabytes", type=float, help="a corpus of this size, for measuring")
    return options


def moment(text: str) -> datetime:
    """An aware time."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
