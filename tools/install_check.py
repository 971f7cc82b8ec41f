"""Check that `tokens install` leaves no trace, on real settings files and on made ones.

    python tools/install_check.py [FOLDER] [--made N] [--rounds N]

Each `settings*.json` below the folder (or in the `.tar.zst`; without it `../shared/bench/` beside
the checkout is looked at) is made a person's settings file in a temporary home. tokens is installed
and uninstalled: every byte and the mode have to be back. Then it is installed again, an edit of a
person is made beside ours (keys and hooks put in, taken out and moved, the file reformatted), and
it is uninstalled: the person's document without our keys has to be left. The same is done with
`--made` files made at random, with comments, odd blanks, hooks and status lines of others, with
files that are empty and with none. Exits with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from settings_edits import Manner, is_same, pruned, written
from tokenbudget.app.installing import plan_of
from tokenbudget.app.installing_client import marks
from tokenbudget.app.installing_done import installed, wiring_ledger
from tokenbudget.app.installing_errand import Errand
from tokenbudget.app.installing_place import target_of
from tokenbudget.app.uninstalling import uninstalled
from tokenbudget.config.json_text import is_blank, scanned
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.system.clock import SystemClock
from undo_check import BENCH, real_files

BOM = "\ufeff"
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Each installation is synced a few times, which no disk has to keep."""
PLUGIN = ("statusline", "plugin")
PARTS = ("statusline", "hooks", "commands", "skill")
SOME_PARTS = (PARTS, ("statusline",), ("hooks",), ("commands", "skill"), PLUGIN)
VERSIONS = ("2.0.76", "2.1.270", "2.1.329")
MODES = (0o600, 0o644, 0o664, 0o640)


class Sums(NamedTuple):
    """What came of some files."""

    identical: int
    kept: int
    files: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether every file came out as it should."""
        return self.identical == self.kept == self.files


class Stage:
    """A home in which tokens can be installed."""

    def __init__(self, top: Path) -> None:
        self.home = top / "home"
        self.path = self.home / ".claude" / "settings.json"
        self.home.mkdir()
        given = {"HOME": str(self.home), "TOKENS_HOME": str(top / "tokens")}
        self.settings: Settings = settings_from(given)
        self.clock = SystemClock()

    def put(self, content: bytes | None, mode: int) -> None:
        """Make this the settings file; None is a home without an agent's folder."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        if content is not None:
            self.path.parent.mkdir()
            self.path.write_bytes(content)
            self.path.chmod(mode)

    def install(self, version: str = VERSIONS[-1], parts: tuple[str, ...] = PARTS) -> str:
        """Install; what could not be, and '' where all could."""
        target = target_of(self.settings, "user")
        with wiring_ledger(self.settings, self.clock, is_only_read=False) as ledger:
            plan = plan_of(
                *(self.settings, ledger, self.clock, target, Errand(parts, client_version=version))
            )
            done = installed(self.settings, ledger, self.clock, plan)
        return "; ".join([*done.faults, *(row.note for row in plan.refused)])

    def uninstall(self) -> str:
        """Uninstall; what could not be taken out."""
        target = target_of(self.settings, "user")
        with wiring_ledger(self.settings, self.clock, is_only_read=False) as ledger:
            return "; ".join(uninstalled(self.settings, ledger, self.clock, target).faults)

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file and folder of the home, with mode."""
        return {
            str(path.relative_to(self.home)): (
                path.read_bytes() if path.is_file() else b"",
                path.stat().st_mode,
            )
            for path in sorted(self.home.rglob("*"))
        }


def main(arguments: list[str]) -> int:
    """Check, print, and give the exit code."""
    asked = argparse.ArgumentParser(description="Check that tokens install leaves no trace.")
    asked.add_argument("configs", type=Path, nargs="?", default=BENCH, help="a .tar.zst or folder")
    asked.add_argument("--rounds", type=int, default=2, help="rounds with each real file")
    asked.add_argument("--made", type=int, default=200, help="files made at random")
    options = asked.parse_args(arguments)
    found = dict(real_settings(options.configs)) if options.configs.exists() else {}
    real = checked([data for data in found.values() for _ in range(options.rounds)])
    made = checked([made_file(seed) for seed in range(options.made)])
    size = sum(map(len, found.values()))
    print(f"{len(found)} real settings files, {size:,} bytes, {options.rounds} rounds each")
    print(told(real))
    print(f"{options.made:,} made settings files, one round each")
    print(told(made))
    return 0 if real.is_good and made.is_good else 1


def told(sums: Sums) -> str:
    """The figures as two lines."""
    each_ms = sums.seconds / max(1, sums.files) * 1000
    return (
        f"  install, uninstall: {sums.identical:,} of {sums.files:,} identical to the byte\n"
        f"  install, a person's edit, uninstall: {sums.kept:,} of {sums.files:,} keep the edit"
        f" and nothing of ours ({each_ms:.0f} ms for both)"
    )


def real_settings(place: Path) -> Iterator[tuple[str, bytes]]:
    """Every settings file, by its name."""
    for name, content in real_files(place):
        if Path(name).name.startswith("settings"):
            yield name, content


def checked(files: list[bytes | None]) -> Sums:
    """Do both rounds with each."""
    began = time.perf_counter()
    identical = kept = 0
    for seed, content in enumerate(files):
        rng = random.Random(seed)
        with tempfile.TemporaryDirectory(dir=FAST) as top:
            identical += is_identical(Stage(Path(top)), content, rng)
        with tempfile.TemporaryDirectory(dir=FAST) as top:
            kept += is_edit_kept(Stage(Path(top)), content, rng)
    return Sums(identical, kept, len(files), time.perf_counter() - began)


def is_identical(stage: Stage, content: bytes | None, rng: random.Random) -> bool:
    """Whether every file, folder, byte and mode is back; sometimes after an upgrade in between."""
    stage.put(content, rng.choice(MODES))
    before = stage.tree()
    parts = PARTS if rng.random() < 0.5 else rng.choice(SOME_PARTS)
    is_well = not stage.install(rng.choice(VERSIONS), parts) and stage.tree() != before
    if rng.random() < 0.5:
        is_well &= not stage.install(rng.choice(VERSIONS), rng.choice(SOME_PARTS))
    return is_well and not stage.uninstall() and stage.tree() == before


def is_edit_kept(stage: Stage, content: bytes | None, rng: random.Random) -> bool:
    """Whether the person's document is left, without our keys, and nothing else changed."""
    stage.put(content, rng.choice(MODES))
    before = document_of(content)
    if stage.install(rng.choice(VERSIONS)):
        return False
    theirs = edited_beside(document_of(stage.path.read_bytes()), before, rng)
    manner = Manner.random(rng)
    stage.path.write_bytes(written(theirs, manner, rng).encode())
    if stage.uninstall():
        return False
    wanted = without_ours(theirs, before)
    now = document_of(stage.path.read_bytes()) if stage.path.exists() else {}
    if manner.has_comments:
        now, wanted = pruned(now), pruned(wanted)
    return is_same(now, wanted)


def document_of(content: bytes | None) -> Any:
    """What a settings file says."""
    text = (content or b"").decode().removeprefix(BOM)
    return {} if is_blank(text) else scanned(text).value


# ── a person's edit, and what should be left, in plain Python ────────────────────────────────────


def edited_beside(document: Any, before: Any, rng: random.Random) -> Any:
    """The document with keys and hooks of a person put in, taken out, and moved."""
    document = copy.deepcopy(document)
    acts = (_new_key, _lost_key, _new_hook, _hook_beside_ours, _moved, _moved_hooks)
    for number in range(rng.randint(1, 6)):
        rng.choice(acts)(document, before, rng, f"theirs-{number}")
    return document


def _new_key(document: Any, before: Any, rng: random.Random, name: str) -> None:
    document[name] = rng.choice([name, {name: []}, [name], None])


def _lost_key(document: Any, before: Any, rng: random.Random, name: str) -> None:
    own = [key for key in document if key not in ("statusLine", "hooks")]
    if own:
        del document[rng.choice(own)]


def _new_hook(document: Any, before: Any, rng: random.Random, name: str) -> None:
    groups = document.get("hooks", {}).setdefault(rng.choice(["Stop", "Notification"]), [])
    group = {"matcher": name, "hooks": [{"type": "command", "command": name}]}
    groups.insert(rng.randint(0, len(groups)), group)


def _hook_beside_ours(document: Any, before: Any, rng: random.Random, name: str) -> None:
    ours = [
        group["hooks"]
        for groups in _lists(document.get("hooks", {}))
        for group in groups
        if _has_ours(group)
    ]
    if ours:
        inner = rng.choice(ours)
        inner.insert(rng.randint(0, len(inner)), {"type": "command", "command": name})


def _moved(document: Any, before: Any, rng: random.Random, name: str) -> None:
    order = list(document.items())
    rng.shuffle(order)
    document.clear()
    document.update(order)


def _moved_hooks(document: Any, before: Any, rng: random.Random, name: str) -> None:
    hooks = document.get("hooks", {})
    _moved(hooks, before, rng, name)
    for groups in _lists(hooks):
        rng.shuffle(groups)


def _lists(hooks: dict[str, Any]) -> list[list[Any]]:
    return [groups for groups in hooks.values() if isinstance(groups, list)]


def without_ours(document: Any, before: Any) -> Any:
    """What is left of a document once ours is out of it."""
    document = copy.deepcopy(document)
    if "statusLine" in before:
        document["statusLine"]["command"] = before["statusLine"]["command"]
    else:
        document.pop("statusLine", None)
    hooks = document.get("hooks", {})
    for event, groups in list(hooks.items()):
        if not isinstance(groups, list):
            continue
        hooks[event] = [_group_left(group) for group in groups if not _is_all_ours(group)]
        if not hooks[event] and event not in before.get("hooks", {}):
            del hooks[event]
    if not hooks and "hooks" not in before:
        document.pop("hooks", None)
    return document


def _group_left(group: Any) -> Any:
    if not _has_ours(group):
        return group
    return {**group, "hooks": [hook for hook in group["hooks"] if not _is_ours(hook)]}


def _is_all_ours(group: Any) -> bool:
    return _has_ours(group) and all(map(_is_ours, group["hooks"]))


def _has_ours(group: Any) -> bool:
    """Whether a hook of ours is in a group; a person's file may have anything in its place."""
    hooks = group.get("hooks") if isinstance(group, dict) else None
    return isinstance(hooks, list) and any(map(_is_ours, hooks))


def _is_ours(hook: Any) -> bool:
    return isinstance(hook, dict) and marks().is_hook(hook)


# ── files made at random ─────────────────────────────────────────────────────────────────────────


def made_file(seed: int) -> bytes | None:
    """A settings file of somebody, made at random; sometimes empty, sometimes none."""
    rng = random.Random(seed)
    kind = rng.random()
    if kind < 0.08:
        return None
    if kind < 0.16:
        return rng.choice([b"", b"\n", b" \n", b"{}", b"{}\n", b"{ }", b"\xef\xbb\xbf{\n}\n"])
    return written(made_document(rng), Manner.random(rng), rng).encode()


def made_document(rng: random.Random) -> dict[str, Any]:
    """Settings with some of what stands in them: permissions, hooks, a status line."""
    parts: dict[str, Any] = {
        "model": "opus",
        "env": {"é": "x y", "A": ""},
        "permissions": {"allow": ["Bash(rm:*)", "Read(./x)"], "deny": []},
        "hooks": made_hooks(rng),
        "statusLine": {"type": "command", "command": rng.choice(COMMANDS)},
        "unknown": [1, None, {"a": {}}],
        "cleanupPeriodDays": 30,
    }
    if rng.random() < 0.5:
        parts["statusLine"]["padding"] = 0
    names = rng.sample(list(parts), rng.randint(0, len(parts)))
    return {name: parts[name] for name in names}


COMMANDS = (
    "npx -y ccstatusline@latest",
    "sh -c 'echo \"it''s\"'; echo $HOME",
    'jq -r ".model.display_name // \\"?\\""',
    "é € /path with spaces/line --then x",
)


def made_hooks(rng: random.Random) -> dict[str, Any]:
    """Hooks of other tools."""
    events = rng.sample(["PreToolUse", "Stop", "SessionStart", "Notification", "PostToolUse"], 3)
    hooks: dict[str, Any] = {}
    for event in events[: rng.randint(0, 3)]:
        hook = {"type": "command", "command": rng.choice(COMMANDS), "timeout": 60}
        group = {"matcher": rng.choice(["", "*", "Bash|Edit"]), "hooks": [hook] * rng.randint(0, 2)}
        hooks[event] = [group][: rng.randint(0, 2)]
    return hooks


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
