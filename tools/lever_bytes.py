"""What each lever does to the requests of the real Claude Code client: a table, measured.

    python tools/lever_bytes.py [--output docs/levers.md] [--table src/.../lever_table.py]
        [--only WORDS] [--pulled] [--alike] [--release VERSION ...] [--model MODEL ...]

Each lever is pulled in a project of its own, offline, against a fake API. Measured are the first
request of a session that starts afterwards, and a session that is running when it is pulled: its
next request, its next one after /compact. A running session is compared with one in which nothing
was pulled, turn by turn. What was measured is kept in build/levers/, so that a run that was stopped
goes on where it was; all of it takes an hour. The page and the table hold what is kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))  # the helpers of the end-to-end tests are a part of the tests

from tests.e2e.install_clients import (  # noqa: E402 (see above)
    NEWEST,
    OLD,
    RELEASES,
    Release,
    install_all,
    reason_missing,
)

from lever_laboratory import Combination, Laboratory  # noqa: E402
from lever_likeness import CANDIDATES, likeness  # noqa: E402
from lever_measuring import Measuring  # noqa: E402
from lever_pages import line, page, table  # noqa: E402
from lever_rows import Kept, Row  # noqa: E402
from levers import LEVERS, PULLED, READ_LEVERS, Lever  # noqa: E402

MODELS = ("claude-opus-5-5", "claude-sonnet-4-5")
KEPT = CHECKOUT / "build" / "levers"
READS, ALIKE = "reads", "alike"


def searches(release: Release) -> tuple[str, ...]:
    """How the tool search may be there: the oldest release has none."""
    return ("",) if release is OLD else ("true", "false")


def combinations(releases: Sequence[Release], models: Sequence[str]) -> Iterator[Combination]:
    """Every release with every model, and the tool search on and off."""
    for release in releases:
        for model in models:
            for search in searches(release):
                yield Combination(release, model, search)


def main() -> int:
    """Measure what is wanted, and write the page and the table of all that is kept."""
    options = _options()
    install_all()
    releases = [one for one in RELEASES if one.version in options.release]
    for reason in filter(None, map(reason_missing, releases)):
        print(reason, file=sys.stderr)
        return 1
    levers = [one for one in (PULLED if options.pulled else LEVERS) if options.only in one.name]
    kept = Kept(KEPT)
    with tempfile.TemporaryDirectory() as top:
        laboratory = Laboratory(Path(top))
        _measure(laboratory, kept, levers, combinations(releases, options.model))
        if options.alike:
            _compare(laboratory, kept, releases)
        if not options.pulled and not options.only and NEWEST in releases:
            _read(laboratory, kept, options.model)
    _write(options, kept)
    return 0


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description="What each lever does, measured.")
    made.add_argument("--output", type=Path, help="write the page here")
    made.add_argument("--table", type=Path, help="write the table that ships here")
    made.add_argument("--only", default="", help="levers whose name holds these words")
    made.add_argument("--pulled", action="store_true", help="what the controller pulls alone")
    made.add_argument("--alike", action="store_true", help="compare other models with these")
    versions = [one.version for one in RELEASES]
    made.add_argument("--release", nargs="*", choices=versions, default=versions)
    made.add_argument("--model", nargs="*", choices=MODELS, default=MODELS)
    return made.parse_args()


def _measure(
    laboratory: Laboratory, kept: Kept, levers: Sequence[Lever], wanted: Iterator[Combination]
) -> None:
    measuring = Measuring(laboratory, kept, datetime.now(UTC).strftime("%Y-%m-%d"))
    for about in wanted:
        for row, is_new in measuring.rows(levers, about):
            if is_new:
                print(line(row), file=sys.stderr, flush=True)


def _compare(laboratory: Laboratory, kept: Kept, releases: Sequence[Release]) -> None:
    """Which other models get the same requests as one of those that were measured."""
    for release in releases:
        name = f"{ALIKE}-{release.version}"
        found = kept.other(name)
        known = dict(found) if isinstance(found, dict) else {}
        for model in CANDIDATES:
            if model not in known:
                known[model] = likeness(laboratory, release, searches(release), model, MODELS)
                kept.keep_other(name, known)
                print(release.version, model, "is like", known[model], file=sys.stderr, flush=True)


def _read(laboratory: Laboratory, kept: Kept, models: Sequence[str]) -> None:
    found = []
    for model in models:
        about = Combination(NEWEST, model, "true")
        for name, pull in READ_LEVERS:
            place = laboratory.place()
            pull(place.clutter)
            said = laboratory.read_of(place, about, "src/app.py")
            found.append((name, model, "refused" if "denied" in said else "read"))
    kept.keep_other(READS, found)


def _write(options: argparse.Namespace, kept: Kept) -> None:
    found = list(_every_row(kept))
    alike = []
    for release in RELEASES:
        known = kept.other(f"{ALIKE}-{release.version}")
        pairs = known.items() if isinstance(known, dict) else ()
        alike += [(release.version, model, like) for model, like in pairs if like]
    if options.table:
        options.table.write_text(table(found, PULLED, alike), encoding="utf-8")
    reads = kept.other(READS)
    if options.output:
        text = page(found, PULLED, reads if isinstance(reads, list) else [], alike)
        options.output.write_text(text, encoding="utf-8")


def _every_row(kept: Kept) -> Iterator[Row]:
    for about in combinations(RELEASES, MODELS):
        for lever in LEVERS:
            row = kept.row(lever, about.release.version, about.model, about.search)
            if row is not None:
                yield row


if __name__ == "__main__":
    sys.exit(main())
