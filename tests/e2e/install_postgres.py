"""Install the PostgreSQL server that an end-to-end test loads an export into.

    python tests/e2e/install_postgres.py

A wheel that carries the server and `psql` goes to build/clients/ in the checkout and stays there.
It says what is there and what could not be had, and always exits with 0. Standard library only.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "clients" / "postgresql"
PACKAGE = "pgserver==0.1.4"
PROGRAMS = ("initdb", "postgres", "psql")
INSTALL_TIMEOUT_SECONDS = 180


def programs() -> dict[str, str] | None:
    """The three programs, those of the wheel or of this machine; None where one is missing."""
    wheel = FOLDER / "pgserver" / "pginstall" / "bin"
    if all((wheel / name).is_file() for name in PROGRAMS):
        return {name: str(wheel / name) for name in PROGRAMS}
    found = {name: shutil.which(name) for name in PROGRAMS}
    return {name: path for name, path in found.items() if path} if all(found.values()) else None


def install() -> str:
    """What came of it."""
    if programs():
        return "already there"
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=FOLDER.parent) as draft:
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        command += ["--no-deps", "--only-binary=:all:", "--target", f"{draft}/it", PACKAGE]
        try:
            subprocess.run(
                command,
                check=True,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=INSTALL_TIMEOUT_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as failure:
            return f"NOT INSTALLED: {type(failure).__name__} while installing {PACKAGE}"
        shutil.rmtree(FOLDER, ignore_errors=True)
        Path(draft, "it").chmod(0o755)
        Path(draft, "it").rename(FOLDER)
    return "installed" if programs() else f"NOT INSTALLED: {PACKAGE} has no server for this system"


if __name__ == "__main__":
    print(f"PostgreSQL: {install()}")
