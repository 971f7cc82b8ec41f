"""The scripts and styles of a page, and the policy that lets these run and nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
import os

_FOLDER = os.path.dirname(__file__)


@functools.cache
def asset(name: str) -> str:
    """The text of one of our files, as it stands in a page."""
    with open(os.path.join(_FOLDER, *name.split("/")), encoding="utf-8") as handle:
        return handle.read()


def styles(*names: str) -> str:
    """A `<style>` for each file."""
    return "".join(f"<style>{asset(name)}</style>\n" for name in names)


def scripts(*names: str) -> str:
    """A `<script>` for each file."""
    return "".join(f"<script>{asset(name)}</script>\n" for name in names)


def policy(style_names: tuple[str, ...], script_names: tuple[str, ...]) -> str:
    """What a page with these may load: its own scripts and styles, known by their sums."""
    style_sums = " ".join(_sum(asset(name)) for name in style_names)
    script_sums = " ".join(_sum(asset(name)) for name in script_names)
    return (
        f"default-src 'none'; script-src {script_sums}; style-src {style_sums}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _sum(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
