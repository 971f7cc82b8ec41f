"""Install the pinned agent clients that the end-to-end tests drive, and what they need to run.

    python tests/e2e/install_clients.py

Clients go to build/clients/ in the checkout and stay there: a second run installs nothing. It
says what is there and what could not be had, and always exits with 0; tests whose client is
missing are skipped with the same words. Standard library only, so any Python can run it.
"""

import dataclasses
import functools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[2] / "build" / "clients"
INSTALL_TIMEOUT_SECONDS = 180
_NPM_OPTIONS = (
    "--ignore-scripts",  # all that they do is link the native program
    "--loglevel=error",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--fetch-retries=1",  # without a network npm would go on asking for minutes
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)
# Where Debian puts programs; also the PATH of every client, in place of the developer's own.
PROGRAM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEBIAN_PACKAGES = {
    "unshare": "util-linux",  # a network namespace of our own,
    "nsenter": "util-linux",  # entered by each client,
    "ip": "iproute2",  # with loopback up
    "node": "nodejs",
    "npm": "npm",
}
_PACKAGE = "@anthropic-ai/claude-code"
_PLATFORM = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}.get(platform.machine(), "unknown")


class InstallError(Exception):
    """One sentence: what could not be installed, and why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """One pinned release of Claude Code; `program` is relative to `node_modules`."""

    version: str
    program: str
    needs_node: bool

    @property
    def name(self) -> str:
        return f"Claude Code {self.version}"

    @property
    def folder(self) -> Path:
        return CLIENTS / f"claude-code-{self.version}"

    @property
    def path(self) -> Path:
        return self.folder / "node_modules" / self.program

    def is_installed(self) -> bool:
        return self.path.is_file()


# The newest when this was written, a native program that its platform package carries whole.
NEWEST = Release("2.1.329", f"{_PACKAGE}-{_PLATFORM}/claude", needs_node=False)
# Native too, and of the age before the transcript held whole requests.
MIDDLE = Release("2.1.270", f"{_PACKAGE}-{_PLATFORM}/claude", needs_node=False)
# JavaScript, and another age: agent files beside the session, warm-up agents, side calls.
OLD = Release("2.0.76", f"{_PACKAGE}/cli.js", needs_node=True)
RELEASES = (NEWEST, MIDDLE, OLD)

# MCP servers for tests of the gateway, all of them plain JavaScript: npm package and version.
MCP_SERVERS = {
    "@modelcontextprotocol/server-everything": "2026.8.31",
    "@modelcontextprotocol/server-filesystem": "2026.8.31",
    "@modelcontextprotocol/server-memory": "2026.8.31",
    "@modelcontextprotocol/server-postgres": "0.6.2",
}
MCP_SERVERS_FOLDER = CLIENTS / "mcp-servers"
# And such in Python, with the releases of the SDK that speak both ages of the protocol.
PYTHON_MCP_SERVERS = {"mcp-server-git": "2026.10.19", "mcp-server-time": "2026.10.19"}
PYTHON_MCP_FOLDER = CLIENTS / "mcp-servers-python"


def mcp_server(name: str) -> Path | None:
    """The program of `mcp-server-NAME`, or None where it is not installed or there is no Node."""
    path = MCP_SERVERS_FOLDER / "node_modules/.bin" / f"mcp-server-{name}"
    return path if path.is_file() and program("node") else None


def python_mcp_server(name: str) -> list[str] | None:
    """The command of `mcp-server-NAME`, whose PYTHONPATH is `PYTHON_MCP_FOLDER`; or None."""
    package = f"mcp-server-{name}"
    is_there = _python_mcp_version(package) == PYTHON_MCP_SERVERS[package]
    return [sys.executable, "-m", package.replace("-", "_")] if is_there else None


def program(name: str) -> str | None:
    """The absolute path of a system program, or None."""
    return shutil.which(name, path=PROGRAM_FOLDERS) or shutil.which(name)


def install_programs() -> bool:
    """Install the Debian packages of missing programs; False when nothing was missing."""
    missing = sorted({DEBIAN_PACKAGES[name] for name in DEBIAN_PACKAGES if not program(name)})
    if not missing:
        return False
    apt_get = program("apt-get")
    if not apt_get or os.geteuid() != 0:
        raise InstallError(f"install {', '.join(missing)} first: this needs apt-get and root")
    quietly = ["env", "DEBIAN_FRONTEND=noninteractive", apt_get, "-qq"]
    _run([*quietly, "update"])
    _run([*quietly, "install", "--yes", "--no-install-recommends", *missing])
    return True


def install_release(release: Release) -> bool:
    """Install one release; False when it was there. It appears complete or not at all."""
    if release.is_installed():
        return False
    npm = program("npm")
    if not npm:
        raise InstallError(f"{release.name} needs npm, which is not installed")
    CLIENTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=CLIENTS) as draft:
        package = f"{_PACKAGE}@{release.version}"
        _run([npm, "install", *_NPM_OPTIONS, "--prefix", draft, package])
        shutil.rmtree(release.folder, ignore_errors=True)
        release.folder.mkdir()
        shutil.move(Path(draft) / "node_modules", release.folder)
    if not release.is_installed():
        raise InstallError(f"{release.name} has no program for {_PLATFORM}")
    return True


def install_mcp_servers() -> bool:
    """Install the servers, all in one folder; False when all were there in these versions."""
    if all(_version_of(package) == pinned for package, pinned in MCP_SERVERS.items()):
        return False
    npm = program("npm")
    if not npm:
        raise InstallError("MCP servers need npm, which is not installed")
    CLIENTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=CLIENTS) as draft:
        packages = [f"{package}@{pinned}" for package, pinned in MCP_SERVERS.items()]
        _run([npm, "install", *_NPM_OPTIONS, "--prefix", draft, *packages])
        shutil.rmtree(MCP_SERVERS_FOLDER, ignore_errors=True)
        MCP_SERVERS_FOLDER.mkdir()
        shutil.move(Path(draft) / "node_modules", MCP_SERVERS_FOLDER)
    return True


def install_python_mcp_servers() -> bool:
    """Install the servers in Python, all in one folder; False when all were there."""
    wanted = PYTHON_MCP_SERVERS.items()
    if all(_python_mcp_version(package) == pinned for package, pinned in wanted):
        return False
    CLIENTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=CLIENTS) as draft:
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        command += ["--only-binary=:all:", "--target", f"{draft}/it"]
        _run([*command, *(f"{package}=={pinned}" for package, pinned in wanted)])
        shutil.rmtree(PYTHON_MCP_FOLDER, ignore_errors=True)
        Path(draft, "it").chmod(0o755)
        Path(draft, "it").rename(PYTHON_MCP_FOLDER)
    return True


def _python_mcp_version(package: str) -> str | None:
    name = package.replace("-", "_")
    found = sorted(PYTHON_MCP_FOLDER.glob(f"{name}-*.dist-info"))
    return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else None


def _version_of(package: str) -> str | None:
    try:
        told = (MCP_SERVERS_FOLDER / "node_modules" / package / "package.json").read_text("utf-8")
    except OSError:
        return None
    return str(json.loads(told)["version"])


def reason_missing(release: Release) -> str | None:
    """Why a release cannot be run here, or None when it can."""
    if not release.is_installed():
        return f"{release.name} is not installed"
    needed = ["unshare", "nsenter", "ip", *(["node"] if release.needs_node else [])]
    absent = [name for name in needed if not program(name)]
    return f"{release.name} needs {', '.join(absent)}" if absent else None


def install_all() -> dict[str, str]:
    """Install whatever is missing; what came of each thing, a failure being an outcome too."""
    outcomes = {"system programs": _outcome_of(install_programs)}
    for release in RELEASES:
        outcomes[release.name] = _outcome_of(functools.partial(install_release, release))
    outcomes["MCP servers"] = _outcome_of(install_mcp_servers)
    outcomes["MCP servers in Python"] = _outcome_of(install_python_mcp_servers)
    return outcomes


def _outcome_of(install: Callable[[], bool]) -> str:
    try:
        return "installed" if install() else "already there"
    except (InstallError, OSError) as failure:
        return f"NOT INSTALLED: {failure}"


def _run(command: Sequence[str]) -> None:
    """Run an installer quietly; raises InstallError with its last words."""
    try:
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"{command[0]} took over {INSTALL_TIMEOUT_SECONDS} seconds") from None
    except subprocess.CalledProcessError as failure:
        # No addresses: a private mirror's may hold a password.
        last_words = " ".join(w for w in failure.stderr.split()[-40:] if "://" not in w)
        raise InstallError(f"{command[0]} exited with {failure.returncode}: {last_words}") from None


def main() -> None:
    """Install, and say plainly what came of it."""
    for name, outcome in install_all().items():
        print(f"{name}: {outcome}")


if __name__ == "__main__":
    main()
