"""Check that edits of settings files are undone, on real files and on any number of made ones.

    python tools/undo_check.py [--configs FILE_OR_FOLDER] [--rounds N] [--made N]

Each `.json` file below the folder (or in the `.tar.zst`; without it `../shared/bench/` beside the
checkout is looked at) is edited at random in every round, and undone: every byte has to be back.
Then it is edited again, a person's edit is made on top (members put in, taken out and moved, the
file reformatted), and it is undone: the person's document without our edits has to be left. The
same is done with `--made` files that are made at random, with comments and odd blanks. Exits with 1
where anything differs. Everything happens in a temporary folder.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from settings_edits import (
    Manner,
    a_persons_edit,
    edits_for,
    is_same,
    model_edited,
    model_undone,
    pruned,
    written,
)
from tokenbudget.config.json_text import scanned
from tokenbudget.model.actions import EditSettings
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

BENCH = Path(__file__).parents[2] / "shared" / "bench" / "configs.tar.zst"
MOST_BYTES = 100_000_000


class Sums(NamedTuple):
    """What came of some files."""

    identical: int
    kept: int
    rounds: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether every round came out as it should."""
        return self.identical == self.kept == self.rounds


def main(arguments: list[str]) -> int:
    """Check, print, and give the exit code."""
    asked = argparse.ArgumentParser(description="Check that edits of settings files are undone.")
    asked.add_argument("--configs", type=Path, default=BENCH, help="a .tar.zst or a folder")
    asked.add_argument("--rounds", type=int, default=50, help="rounds with each real file")
    asked.add_argument("--made", type=int, default=1000, help="files made at random")
    options = asked.parse_args(arguments)
    found = dict(real_files(options.configs)) if options.configs.exists() else {}
    with tempfile.TemporaryDirectory() as top:
        real = checked(top, [data for data in found.values() for _ in range(options.rounds)])
        made = checked(top, [made_file(seed) for seed in range(options.made)])
    size = sum(map(len, found.values()))
    print(f"{len(found)} real settings files, {size:,} bytes, {options.rounds} rounds each")
    print(told(real))
    print(f"{options.made:,} made settings files, one round each")
    print(told(made))
    return 0 if real.is_good and made.is_good else 1


def told(sums: Sums) -> str:
    """The figures as two lines."""
    each_ms = sums.seconds / max(1, sums.rounds) * 1000
    return (
        f"  apply, undo: {sums.identical:,} of {sums.rounds:,} identical to the byte\n"
        f"  apply, a person's edit, undo: {sums.kept:,} of {sums.rounds:,} keep the edit"
        f" and nothing of ours ({each_ms:.1f} ms for both)"
    )


def real_files(place: Path) -> Iterator[tuple[str, bytes]]:
    """Every .json file, by its name."""
    if place.is_dir():
        for path in sorted(place.rglob("*.json")):
            yield str(path), path.read_bytes()
        return
    import zstandard

    with place.open("rb") as packed:
        data = zstandard.ZstdDecompressor().stream_reader(packed).read(MOST_BYTES)
    with tarfile.open(fileobj=io.BytesIO(data)) as files:
        for member in files:
            content = files.extractfile(member) if member.name.endswith(".json") else None
            if content is not None:
                yield member.name, content.read()


def made_file(seed: int) -> bytes:
    """A settings file, made at random."""
    rng = random.Random(seed)
    return written(made_value(rng, 3), Manner.random(rng), rng).encode()


def made_value(rng: random.Random, depth: int) -> dict[str, Any]:
    """An object of a few levels."""
    names = rng.sample(["model", "env", "permissions", "allow", "deny", "é", 'q"', "a b"], 4)
    plain: list[Any] = [True, None, 7, 0.5, "x", "// no", 'a"b', ["Read(x)", "Bash(y)"], []]
    return {
        name: made_value(rng, depth - 1) if depth and rng.random() < 0.4 else rng.choice(plain)
        for name in names[: rng.randint(0, 4)]
    }


def checked(top: str, files: list[bytes]) -> Sums:
    """Do both rounds with each."""
    began = time.perf_counter()
    identical = kept = 0
    for seed, content in enumerate(files):
        path = Path(top, "home", "settings.json")
        path.parent.mkdir(exist_ok=True)
        clock, data = SystemClock(), str(Path(top, "data"))
        workshop = Workshop(Trash(data, clock), Kept(data), [str(path.parent)], clock)
        document = scanned(content.decode().removeprefix("\ufeff")).value
        step = EditSettings(str(path), edits_for(document, random.Random(seed)))
        identical += is_identical(workshop, step, path, content)
        kept += is_edit_kept(workshop, step, path, content, document, random.Random(seed))
    return Sums(identical, kept, len(files), time.perf_counter() - began)


def is_identical(workshop: Workshop, step: EditSettings, path: Path, content: bytes) -> bool:
    """Whether every byte is back."""
    path.write_bytes(content)
    outcome = workshop.apply(step)
    is_said = not workshop.verify(step, outcome)
    if outcome.state == "done":
        is_said &= path.read_bytes() != content
        is_said &= workshop.revert(step, outcome).state == "undone"
    return is_said and outcome.state != "failed" and path.read_bytes() == content


def is_edit_kept(
    workshop: Workshop,
    step: EditSettings,
    path: Path,
    content: bytes,
    document: Any,
    rng: random.Random,
) -> bool:
    """Whether the person's document is left, without our edits, and nothing else changed."""
    path.write_bytes(content)
    outcome = workshop.apply(step)
    if outcome.state != "done":
        return outcome.state == "unchanged"
    theirs, marks = a_persons_edit(model_edited(document, step.edits), rng)
    manner = Manner.random(rng)
    path.write_bytes(written(theirs, manner, rng).encode())
    workshop.revert(step, outcome)
    now = scanned(path.read_bytes().decode().removeprefix("\ufeff")).value
    wanted = model_undone(theirs, document, step.edits)
    if manner.has_comments:
        now, wanted = pruned(now), pruned(wanted)
    return is_same(now, wanted) and all(mark in json.dumps(now) for mark in marks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
