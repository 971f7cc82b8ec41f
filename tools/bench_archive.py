"""Measure the archive on real sessions, prove that it gives them back; print one table each.

`python tools/bench_archive.py [--sessions FILE_OR_FOLDER] [--flips 10000] [--output FILE]`. Without
`--sessions` it looks for `../shared/bench/sessions.tar.zst` beside the checkout. Everything happens
in a temporary folder. It ends with exit code 1 where a file does not come back as it was, a flipped
bit is not found, or the chosen layout is not the smaller one.

Kept is what the archive files hold, as a share of the raw bytes; MB/s count raw bytes by the clock
on the wall, with everything that happens: hashing, fsync, reading back, comparing.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import shutil
import statistics
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import zstandard

from archive_peers import MEGABYTE, WINDOW, Row, Sized, each_file, tarred
from archive_thousand import fingerprint, one_of_many, records_of
from tokenbudget.archive.container import LEVEL
from tokenbudget.archive.folder import opened_archive
from tokenbudget.archive.grouping import GROUP_BYTES, grouped
from tokenbudget.archive.manifest import NAME, ArchiveRecord, Layout
from tokenbudget.archive.pack import Bundle, Member, pack
from tokenbudget.archive.recover import Recovered, recover, recover_together
from tokenbudget.archive.verify import problem_of, verify

BENCH = Path(__file__).parents[2] / "shared" / "bench" / "sessions.tar.zst"
GROUP_SIZES = (8 << 20, 16 << 20, 32 << 20, 64 << 20)

# ── the sessions ─────────────────────────────────────────────────────────────────────────────────


def unpacked(sessions: Path, to: Path) -> Path:
    """A copy of the sessions that may be changed."""
    if sessions.is_dir():
        shutil.copytree(sessions, to)
        return to
    to.mkdir()
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    with (
        open(sessions, "rb") as handle,
        decompressor.stream_reader(handle) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        archive.extractall(to, filter="data")
    return to


def projects(root: Path) -> dict[str, list[Sized]]:
    """Sessions by project; the bench has `<agent>/<owner+repository>/…`, each one a project.

    What lies in a folder named after a transcript beside it (subagents) belongs to its session.
    """
    found: dict[str, list[Sized]] = {}
    top = root / "sessions" if (root / "sessions").is_dir() else root
    for project in sorted(path for path in top.glob("*/*") if path.is_dir()):
        sessions: dict[str, list[Path]] = {}
        for path in sorted(path for path in project.rglob("*") if path.is_file()):
            sessions.setdefault(_owner(path, project), []).append(path)
        found[str(project.relative_to(top))] = [
            _bundle(f"s{number:04}", members, project)
            for number, members in enumerate(sessions.values())
        ]
    return found


def _owner(path: Path, project: Path) -> str:
    for folder in path.relative_to(project).parents:
        if (transcript := project / folder.parent / f"{folder.name}.jsonl").is_file():
            return str(transcript)
    return str(path)


def _bundle(session: str, paths: Sequence[Path], project: Path) -> Sized:
    members = tuple(Member(str(path.relative_to(project)), str(path)) for path in paths)
    return Bundle(session, members), sum(path.stat().st_size for path in paths)


def in_one_project(them: dict[str, list[Sized]]) -> dict[str, list[Sized]]:
    """All sessions as those of projects that are gone: they share the user's one archive."""
    every = [
        (
            Bundle(
                f"p{number}-{bundle.session}",
                tuple(Member(f"{number}/{m.name}", m.path) for m in bundle.members),
            ),
            size,
        )
        for number, sized in enumerate(them.values())
        for bundle, size in sized
    ]
    return {"all": every}


# ── our archive ──────────────────────────────────────────────────────────────────────────────────


class Archived(NamedTuple):
    """A row, and the archive folders that it was measured on."""

    row: Row
    folders: dict[str, str]


def ours(
    name: str,
    them: dict[str, list[Sized]],
    top: Path,
    *,
    layout: Layout = "solid",
    most_bytes: int = GROUP_BYTES,
) -> Archived:
    """Pack, verify and give back; every file is compared with its original."""
    folders: dict[str, str] = {}
    raw = sum(size for sized in them.values() for _, size in sized)
    began = time.perf_counter()
    for number, (project, sized) in enumerate(them.items()):
        (top / str(number)).mkdir(parents=True)
        folders[project] = str(top / str(number) / ".claude" / "sessions" / "archive")
        for group in grouped(sized, most_bytes):
            pack(folders[project], group, 1, layout=layout)
    packed = time.perf_counter()
    for folder in folders.values():
        if problems := verify(folder).problems:
            raise SystemExit(f"{name}: {problems[0]}")
    verified = time.perf_counter()
    for project, folder in folders.items():
        for record in records_of(folder):
            give_back_all(folder, record, top / "to" / str(list(folders).index(project)))
    recovered = time.perf_counter()
    for number, sized in enumerate(them.values()):
        compare(sized, top / "to" / str(number))
    shutil.rmtree(top / "to")
    kept = sum(record.size_bytes for folder in folders.values() for record in records_of(folder))
    manifests = sum(os.path.getsize(os.path.join(folder, NAME)) for folder in folders.values())
    one = one_back_ms(folders.values(), top / "one")
    told = f"one session back in {one:.0f} ms; with manifests {(kept + manifests) / raw:.2%}"
    seconds = (packed - began, verified - packed, recovered - verified)
    return Archived(Row(name, raw, kept, *seconds, told), folders)


def one_back_ms(folders: Iterable[str], to: Path, places: tuple[int, ...] = (0, -1)) -> float:
    """How long one session takes to come back, in this process: out of the largest archive file.

    `places` are 0 for the one in the middle of it, -1 for its last one; the median of five times.
    """
    records = [(folder, record) for folder in folders for record in records_of(folder)]
    folder, record = max(records, key=lambda pair: pair[1].raw_bytes)
    seconds = []
    for number, place in enumerate(places * 5):
        session = record.sessions[place or len(record.sessions) // 2]
        began = time.perf_counter()
        recover(folder, session, str(to / str(number)), archive_file=record.file)
        seconds.append(time.perf_counter() - began)
    shutil.rmtree(to)
    return 1000 * statistics.median(seconds)


def give_back_all(folder: str, record: ArchiveRecord, to: Path) -> None:
    """Every session of one archive file."""
    to.mkdir(parents=True, exist_ok=True)
    for found in recover_together(folder, record.file, record.sessions, str(to)):
        if not isinstance(found, Recovered):
            raise SystemExit(f"{found.session} does not come back: {found.reason}")


def compare(sized: Sequence[Sized], to: Path) -> None:
    """Every file is there by its name, with its bytes and its mode, and nothing else is."""
    names = set()
    for bundle, _ in sized:
        for member in bundle.members:
            origin, copy = Path(member.path), to / member.name
            if fingerprint(origin) != fingerprint(copy):
                raise SystemExit(f"{member.path} did not come back as it was")
            names.add(member.name)
    there = {str(path.relative_to(to)) for path in to.rglob("*") if path.is_file()}
    if there != names:
        raise SystemExit(f"{len(there ^ names)} files too many or too few came back")


# ── how large a group ────────────────────────────────────────────────────────────────────────────


def group_sizes(them: dict[str, list[Sized]], top: Path) -> list[list[str]]:
    """For each size: what is kept, how fast, and how long the last session takes to come back."""
    rows = []
    for most_bytes in GROUP_SIZES:
        found = ours("", them, top / str(most_bytes), most_bytes=most_bytes)
        milliseconds = one_back_ms(found.folders.values(), top / "one", places=(-1,))
        _, share, packed, *_ = found.row.cells
        rows.append([f"{most_bytes >> 20} MB", share, packed, f"{milliseconds:.0f}"])
    return rows


# ── flips, and one of a thousand ─────────────────────────────────────────────────────────────────


def flips(folder: str, count: int) -> str:
    """Flip single bits of the largest archive, one at a time; each must be found."""
    record = max(records_of(folder), key=lambda record: record.size_bytes)
    chance = random.Random(7)
    began = time.perf_counter()
    with (
        opened_archive(folder) as opened,
        open(os.path.join(folder, record.file), "r+b") as handle,
        mmap.mmap(handle.fileno(), 0) as data,
    ):
        for at in chance.sample(range(record.size_bytes), count):
            bit = 1 << chance.randrange(8)
            data[at] ^= bit
            if problem_of(opened, record) is None:
                raise SystemExit(f"a flipped bit at {at} of {record.file} is not found")
            data[at] ^= bit
        if problem := problem_of(opened, record):
            raise SystemExit(f"put back, it is not whole: {problem}")
    seconds = time.perf_counter() - began
    size = record.size_bytes / MEGABYTE
    return f"{count:,} of {count:,} flipped bits of {size:.1f} MB found ({seconds:.0f} s)"


# ── all of it ────────────────────────────────────────────────────────────────────────────────────


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """As Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def layouts(them: dict[str, list[Sized]], top: Path) -> tuple[list[Row], str]:
    """Every way to keep the sessions; and the archive folder with all of them."""
    chosen = ours("ours: solid groups, by project", them, top / "solid")
    alone = ours("ours: solid, each session alone", them, top / "alone", most_bytes=1)
    per_file = ours("ours: per-file layout", them, top / "per-file", layout="per-file")
    together = ours("ours: solid groups, one archive", in_one_project(them), top / "together")
    if not chosen.row.kept_bytes < min(alone.row.kept_bytes, per_file.row.kept_bytes):
        raise SystemExit("the chosen layout is not the smallest of ours")
    rows = [
        chosen.row,
        together.row,
        alone.row,
        per_file.row,
        each_file(them),
        tarred(them, top / "tar", is_long=False),
        tarred(them, top / "long", is_long=True),
    ]
    return rows, together.folders["all"]


def report(sessions: Path, flip_count: int, top: Path) -> Iterator[str]:
    """The lines of the report, as they come."""
    root = unpacked(sessions, top / "bench")
    every = projects(root)
    claude = {name: sized for name, sized in every.items() if name.startswith("claude")}
    for title, them in (("Claude Code", claude), ("all agents", every)):
        sized = [one for some in them.values() for one in some]
        files = sum(len(bundle.members) for bundle, _ in sized)
        raw = sum(size for _, size in sized)
        yield f"## {title}: {len(sized)} sessions, {files} files, {raw / MEGABYTE:.1f} MB\n"
        rows, folder = layouts(them, top / title.replace(" ", "-"))
        head = ["layout", "kept", "pack MB/s", "verify MB/s", "recover MB/s", ""]
        yield from table(head, [row.cells for row in rows])
        yield f"\nEvery file came back from each of ours: {files} names, hashes and modes.\n"
        if them is claude:
            yield from table(
                ["group", "kept", "pack MB/s", "recover the last, ms"],
                group_sizes(in_one_project(them), top / "groups"),
            )
            yield f"\n{flips(folder, flip_count)}.\n"
    transcripts = [
        Path(member.path)
        for sized in claude.values()
        for bundle, _ in sized
        for member in bundle.members
        if member.name.endswith(".jsonl") and "agent-" not in member.name
    ]
    yield from one_of_many(transcripts, top / "home")


def main() -> None:
    """Print the report, and write it where that is asked for."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--sessions", type=Path, default=BENCH, help="a .tar.zst or a folder")
    asked.add_argument("--flips", type=int, default=10_000)
    asked.add_argument("--output", type=Path)
    options = asked.parse_args()
    if not options.sessions.exists():
        raise SystemExit(f"there are no sessions at {options.sessions}; name some with --sessions")
    lines = [f"zstd level {LEVEL}, {os.cpu_count()} cores\n"]
    print(lines[0])
    with tempfile.TemporaryDirectory() as top:
        for line in report(options.sessions, options.flips, Path(top)):
            lines.append(line)
            print(line, flush=True)
    if options.output:
        options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
