"""Lock the dependency groups with uv: one file of exact versions and hashes per purpose.

`python tools/lock.py UV`. The files name no index, so that any mirror serves them; pip checks the
hashes.
"""

from __future__ import annotations

import subprocess
import sys

LOCKS = {
    "locks/run.txt": ["pyproject.toml", "--extra", "monitor", "--group", "build"],
    "locks/dev.txt": ["pyproject.toml", "--group", "dev"],
    "locks/e2e.txt": ["--group", "e2e"],
    "locks/prices.txt": ["--group", "prices"],
}
OPTIONS = [
    "--universal",
    "--generate-hashes",
    "--no-header",
    "--no-emit-index-url",
    "--no-annotate",
    "--quiet",
]


def main(uv: str) -> None:
    """Write every lock file."""
    for path, inputs in LOCKS.items():
        subprocess.run(
            [uv, "pip", "compile", *inputs, *OPTIONS, "--python-version", "3.11", "-o", path],
            check=True,
        )
        print(path)


if __name__ == "__main__":
    main(sys.argv[1])
