"""What a module brings with it, where whoever imports it has to wait for that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import tokenbudget

SOURCE = Path(tokenbudget.__path__[0]).parent


def modules_of(package: str) -> list[str]:
    """Whole names of the modules of a package."""
    folder = SOURCE.joinpath(*package.split("."))
    return sorted(f"{package}.{path.stem}" for path in folder.glob("*.py") if path.stem[0] != "_")


def brought_by(module: str, unwanted: Iterable[str], known: str) -> list[str]:
    """Those of `unwanted` that a module imports; `known` is imported before it and not counted."""
    code = (
        f"import sys, {known}; before = set(sys.modules); sys.path.insert(0, {str(SOURCE)!r});"
        f"import {module}; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True
    )
    return sorted(set(done.stdout.split()).intersection(unwanted))
