"""Install what the page tests look at pages with: Playwright, a browser, axe-core.

    python tests/e2e/install_browser.py

All of it goes to build/clients/ and stays there: a second run installs nothing. The browser is
the system's Chromium where there is one, else Playwright's or Debian's. What cannot be had raises
InstallError: a page that nobody looked at is not a page that passed.
"""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tests.e2e.install_clients import CLIENTS, InstallError, install_programs, program

LOCK = Path(__file__).resolve().parents[2] / "locks" / "e2e.txt"
PLAYWRIGHT = CLIENTS / "playwright"
BROWSERS = CLIENTS / "browsers"
AXE_VERSION = "4.14.1"
AXE = CLIENTS / f"axe-core-{AXE_VERSION}" / "axe.min.js"
SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_TIMEOUT_SECONDS = 600


def playwright_module() -> ModuleType:
    """`playwright.sync_api`, installed from its lock where it is not there yet."""
    stamp = PLAYWRIGHT / "lock.txt"
    if not stamp.is_file() or stamp.read_text() != LOCK.read_text():
        CLIENTS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=CLIENTS) as draft:
            options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
            _run([sys.executable, "-m", "pip", "install", *options, "--target", draft, "-r", LOCK])
            shutil.copy(LOCK, Path(draft) / "lock.txt")
            shutil.rmtree(PLAYWRIGHT, ignore_errors=True)
            os.rename(draft, PLAYWRIGHT)
            Path(draft).mkdir()  # which the context manager removes
    if str(PLAYWRIGHT) not in sys.path:
        sys.path.append(str(PLAYWRIGHT))
    return importlib.import_module("playwright.sync_api")


def browser_path() -> str | None:
    """A Chromium of the system; None for the one that Playwright has brought, which is there then.

    On a machine without any, Playwright's is fetched; where its server cannot be reached, Debian's.
    """
    found = _system_browser()
    if found:
        return found
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(BROWSERS)  # noqa: TID251 (Playwright's own)
    if any(BROWSERS.glob("chromium*")):
        return None
    is_root, apt_get = os.geteuid() == 0, program("apt-get")
    options = ["--with-deps"] if is_root and apt_get else []
    playwright = [sys.executable, "-m", "playwright", "install", *options, "chromium"]
    try:
        _run(playwright, PYTHONPATH=str(PLAYWRIGHT))
        return None
    except InstallError:
        shutil.rmtree(BROWSERS, ignore_errors=True)
        if not is_root or not apt_get:
            raise
    _run([apt_get, "-qq", "update"])
    _run([apt_get, "-qq", "install", "--yes", "chromium"], DEBIAN_FRONTEND="noninteractive")
    return _system_browser()


def _system_browser() -> str | None:
    return next(filter(None, map(program, SYSTEM_BROWSERS)), None)


def axe_script() -> str:
    """The source of axe-core."""
    if not AXE.is_file():
        install_programs()
        npm = program("npm")
        if not npm:
            raise InstallError("axe-core needs npm, which is not installed")
        CLIENTS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=CLIENTS) as draft:
            options = ["--ignore-scripts", "--loglevel=error", "--no-audit", "--no-fund"]
            _run([npm, "install", *options, "--prefix", draft, f"axe-core@{AXE_VERSION}"])
            AXE.parent.mkdir(exist_ok=True)
            shutil.move(Path(draft) / "node_modules" / "axe-core" / "axe.min.js", AXE)
    return AXE.read_text(encoding="utf-8")


def _run(command: Sequence[str | Path], **variables: str) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_SECONDS,
            env={**os.environ, **variables},  # noqa: TID251 (an installer needs its mirrors)
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"{command[0]} took over {INSTALL_TIMEOUT_SECONDS} seconds") from None
    except subprocess.CalledProcessError as failure:
        # No addresses: a private mirror's may hold a password.
        last_words = " ".join(w for w in failure.stderr.split()[-40:] if "://" not in w)
        raise InstallError(f"{command[0]} exited with {failure.returncode}: {last_words}") from None


def main() -> None:
    """Install, and say what is there."""
    playwright_module()
    print(f"browser: {browser_path() or BROWSERS}")
    print(f"axe-core: {len(axe_script()):,} letters")


if __name__ == "__main__":
    main()
