"""Who is measured by `bench_explain`: the peer with a Node of its own, us, and the sessions."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench import make_corpus

PEER, PEER_VERSION = "codeburn", "0.9.15"
NODE_MAJOR = 22
SHARED_GENERATOR = Path(__file__).parents[2] / "shared" / "bench" / "corpus_gen.py"


class Place(NamedTuple):
    """Where a command is run: its home, its working folder, what it is told from outside."""

    home: Path
    cwd: Path
    environment: Mapping[str, str]


def install_peer(folder: Path) -> list[str] | None:
    """How the peer is started, from its npm package and a Node of its own; None without npm."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), "")
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
    node_package = f"node-{system}-{machine}"
    node = folder / "node_modules" / node_package / "bin" / "node"
    program = folder / "node_modules" / ".bin" / PEER
    if not (node.exists() and program.exists()):
        packages = [f"{PEER}@{PEER_VERSION}", f"{node_package}@{NODE_MAJOR}"]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(
                ["npm", "install", "--silent", "--ignore-scripts", "--prefix", folder, *packages],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        except (OSError, subprocess.CalledProcessError) as exc:
            print(f"no peer: {type(exc).__name__}")
            return None
        node.chmod(0o755)
    return [*without_network(), str(node), str(program.resolve())]


def without_network() -> list[str]:
    """A prefix that takes the network away, where this machine lets us."""
    unshare = shutil.which("unshare")
    for options in (["-n"], ["-rn"]):
        if (
            unshare
            and not subprocess.run([unshare, *options, "true"], capture_output=True).returncode
        ):
            return [unshare, *options]
    return []


def place_of(folder: Path, corpus: Path, **variables: str) -> Place:
    """A home whose agent folder has the corpus in it, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / ".claude").mkdir(parents=True)
    (folder / ".claude" / "projects").symlink_to(corpus / "projects")
    (folder / "work").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CLAUDE_CONFIG_DIR": str(folder / ".claude"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **variables,
    }
    return Place(folder, folder / "work", environment)


def our_place(folder: Path, corpus: Path, data: Path | None = None) -> Place:
    """A home of ours with a ledger of its own, or with the one in `data`."""
    return place_of(
        folder,
        corpus,
        TOKENS_HOME=str(data or folder / "data"),
        TOKENS_TZ="UTC",
        TOKENS_BACKFILL="off",
    )


def has_verb(tokens: Path, verb: str, place: Place) -> bool:
    """Whether this checkout has the verb by now."""
    done = subprocess.run(
        [tokens, verb, "--help"], env=dict(place.environment), capture_output=True, check=False
    )
    return done.returncode == 0


def corpus_of(options: argparse.Namespace) -> Path:
    """The sessions: those given, or 300 MB that are written once."""
    if options.corpus:
        return Path(options.corpus).resolve()
    folder: Path = options.folder
    corpus = folder / "corpus-300"
    if (corpus / "projects").exists():
        return corpus
    if not SHARED_GENERATOR.exists():
        return make_corpus(folder, 300)
    subprocess.run(
        [sys.executable, SHARED_GENERATOR, "--out", corpus, "--mb", "300", "--days", "60",
         "--seed", "7"],
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return corpus
