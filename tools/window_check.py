"""Check windows and calibration on real transcripts.

    python tools/window_check.py PATH... [--json]

Everything is read into a passing ledger and counted. Printed are

* the remainder: of how many requests it is not negative when nothing is corrected, and by client
  version how it changes from one request to the next, beside the stated error;
* calibration on held-out sessions: half of the sessions are learnt from, the other half predicted,
  and the other way round; beside it characters / 4 and the bare public vocabulary.

A session is a transcript with its copies: files that share a response are never on both sides.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tokenbudget.analysis.calibrating import chooser
from tokenbudget.analysis.window_replay import Moment, Replay
from tokenbudget.app import Terminal, Workbench, open_workbench
from tokenbudget.app.windows import count_everything, learn
from tokenbudget.collector.ingest import Want
from tokenbudget.config.settings import settings_from
from tokenbudget.ledger.windows import PieceRow, RequestRow
from tokenbudget.metering.calibration import Step, calibrate, fit_of, predicted_growth, prior

CHARACTERS_PER_TOKEN = 4
VISIBLE_SHARE = 0.5
ENOUGH_TOKENS = 200
"""An error relative to less text than this says nothing."""


class Thread(NamedTuple):
    """The counted pieces of one thread of one transcript, and its requests."""

    file_id: int
    path: str
    family: int
    """Transcripts that share a response have the same number."""
    name: str
    rows: list[PieceRow]
    requests: dict[str, RequestRow]


class Told(NamedTuple):
    """A step for calibration: whose it is and when the client wrote it."""

    model: str
    version: str
    step: Step


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="+", help="transcripts, or folders of them")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "TOKENS_HOME": f"{home}/tokens", "TOKENS_BACKFILL": "off"}
        terminal = Terminal(warn=lambda text: print(text), progress=lambda done, total: None)
        with open_workbench(
            settings_from(environment), terminal, Want.DETAIL, from_paths=options.paths
        ) as bench:
            count_everything(bench, terminal.progress)
            threads = threads_of(bench)
            report = {"remainder": remainder_report(bench, threads)}
            report["calibration"] = calibration_report(threads)
    print(json.dumps(report, indent=1) if options.json else told(report))


def threads_of(bench: Workbench) -> list[Thread]:
    """Every thread of every counted transcript."""
    windows = bench.ledger.windows
    files = sorted(windows.all_files(), key=lambda file: file.path)
    requests = {file.file_id: windows.requests(file.file_id) for file in files}
    families = _families([set(requests[file.file_id]) for file in files])
    threads: list[Thread] = []
    for number, file in enumerate(files):
        rows = windows.pieces(file.file_id)
        threads += [
            Thread(file.file_id, file.path, families[number], name, rows, requests[file.file_id])
            for name in sorted({row.thread for row in rows})
        ]
    return threads


def _families(keys: Sequence[set[str]]) -> list[int]:
    """For each file a number: files with a response in common have the same one, the smallest."""
    parent = list(range(len(keys)))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    owner: dict[str, int] = {}
    for number, found in enumerate(keys):
        for key in sorted(found):
            one, other = root(number), root(owner.setdefault(key, number))
            parent[max(one, other)] = min(one, other)
    return [root(number) for number in range(len(keys))]


def versions_of(path: str) -> dict[str, str]:
    """The client version by response."""
    found: dict[str, str] = {}
    for line in Path(path).read_bytes().splitlines():
        try:
            value = json.loads(line)
            message = value.get("message") or {}
            key = message.get("id") or value.get("requestId") or value.get("uuid")
            if value.get("type") == "assistant" and key:
                found.setdefault(key, str(value.get("version") or "?"))
        except (ValueError, AttributeError):
            continue
    return found


# ── the remainder ────────────────────────────────────────────────────────────────────────────────


def remainder_report(bench: Workbench, threads: Sequence[Thread]) -> dict[str, object]:
    """How the part that no piece explains behaves."""
    choose = chooser(learn(bench))
    by_version: dict[str, Counter[str]] = defaultdict(Counter)
    changes: dict[str, list[float]] = defaultdict(list)
    for thread in threads:
        versions = versions_of(thread.path)
        replay = Replay(thread.requests, choose, thread.name).run(thread.rows)
        for number, moment in enumerate(replay.moments):
            if moment.request.prompt_tokens:
                version = _minor(versions.get(moment.request.key, "?"))
                _note(by_version[version], changes[version], moment, is_first=number == 0)
    rows = [_row(version, by_version[version], changes[version]) for version in sorted(by_version)]
    every = [change for some in changes.values() for change in some]
    return {"rows": rows, "total": _row("all", _sum(by_version.values()), every)}


def _minor(version: str) -> str:
    """2.1.217 as 2.1.2xx: enough of them in each row to say anything."""
    major, _, rest = version.rpartition(".")
    return f"{major}.{rest[:-2]}xx" if len(rest) > 2 else f"{major}.x" if major else version


def _note(counts: Counter[str], changes: list[float], moment: Moment, *, is_first: bool) -> None:
    counts["requests"] += 1
    counts["negative"] += moment.raw_remainder_tokens < 0
    if is_first or moment.cause:
        counts["prefix changes"] += 1
        return
    counts["steps"] += 1
    off = abs(moment.unexplained_tokens)
    counts["within"] += off <= moment.band_tokens
    if off > moment.band_tokens:
        counts["grew unseen" if moment.unexplained_tokens > 0 else "less than counted"] += 1
    changes.append(moment.unexplained_tokens)


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total += counter
    return total


def _row(name: str, counts: Counter[str], changes: list[float]) -> dict[str, object]:
    ordered = sorted(changes)
    requests, steps = counts["requests"], counts["steps"]
    return {
        "version": name,
        "requests": requests,
        "not_negative_share": 1 - counts["negative"] / requests,
        "steps": steps,
        "constant_share": counts["within"] / steps if steps else None,
        "grew_unseen": counts["grew unseen"],
        "less_than_counted": counts["less than counted"],
        "change_tokens": {f"p{share}": _at(ordered, share / 100) for share in (5, 25, 50, 75, 95)},
    }


def _at(ordered: Sequence[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else None


# ── calibration ──────────────────────────────────────────────────────────────────────────────────


def calibration_report(threads: Sequence[Thread]) -> dict[str, object]:
    """Errors of the predicted growth on sessions that nothing was learnt from."""
    steps, left_out = _steps(threads)
    families = sorted({step.step.session for step in steps}, key=int)
    errors: dict[str, list[_Error]] = defaultdict(list)
    for half in (0, 1):
        held = set(families[half::2])
        learnt: dict[str, list[Step]] = defaultdict(list)
        for one in steps:
            if one.step.session not in held:
                learnt[one.model].append(one.step)
        fits = calibrate(learnt)
        for one in steps:
            if one.step.session in held:
                for way, expected in _ways(one, fit_of(one.model, fits).weights):
                    errors[way].append(_error(one, expected))
    rows = [
        _error_row(way, model, [error for error in found if model in ("all", error.model)])
        for way, found in errors.items()
        for model in ("all", *sorted({error.model for error in found}))
    ]
    return {
        "steps": len(steps),
        "sessions": len(families),
        "left_out": dict(left_out),
        "rows": rows,
        "unexplained": _unexplained(steps, calibrate(_by_model(steps))),
    }


def _by_model(steps: Sequence[Told]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = defaultdict(list)
    for one in steps:
        found[one.model].append(one.step)
    return found


def _steps(threads: Sequence[Thread]) -> tuple[list[Told], Counter[str]]:
    """Every step whose new content is visible, each response once; and why others are left out."""
    found: list[Told] = []
    left_out: Counter[str] = Counter()
    for thread in threads:
        versions = versions_of(thread.path)
        replay = Replay(thread.requests, prior, thread.name, str(thread.family)).run(thread.rows)
        known = {request.key for request, _ in replay.steps}
        for moment in replay.moments[1:]:
            if moment.request.file_id == thread.file_id and moment.request.key not in known:
                left_out[_why_left_out(moment)] += 1
        for request, step in replay.steps:
            if request.file_id != thread.file_id:
                continue
            if not request.model.startswith("claude-") or "claude-3" in request.model:
                left_out["made-up test data"] += 1
            elif step.growth_tokens <= 0:
                left_out["no growth"] += 1
            else:
                found.append(Told(request.model, versions.get(request.key, "?"), step))
    return found, left_out


def _why_left_out(moment: Moment) -> str:
    if not moment.request.prompt_tokens:
        return "usage not reported"
    return moment.cause or "the answer before it has no final usage, or images"


def _ways(one: Told, weights: Mapping[str, float]) -> list[tuple[str, float]]:
    measure = one.step.measure
    characters = sum(measure[1:])  # bytes: nearly all text is ASCII
    return [
        ("calibrated", predicted_growth(one.step, weights)),
        ("o200k_base as it is", one.step.known_tokens + measure.bpe_tokens),
        ("characters / 4", one.step.known_tokens + characters / CHARACTERS_PER_TOKEN),
    ]


class _Error(NamedTuple):
    model: str
    of_growth: float
    of_text: float | None
    """Of the new text alone, where that is `ENOUGH_TOKENS`."""


def _error(one: Told, expected: float) -> _Error:
    growth, text = one.step.growth_tokens, one.step.growth_tokens - one.step.known_tokens
    off = abs(expected - growth)
    return _Error(one.model, off / growth, off / text if text >= ENOUGH_TOKENS else None)


def _error_row(way: str, model: str, errors: list[_Error]) -> dict[str, object]:
    growth = sorted(error.of_growth for error in errors)
    text = sorted(error.of_text for error in errors if error.of_text is not None)
    return {
        "way": way,
        "model": model,
        "steps": len(growth),
        "median_error": _at(growth, 0.5),
        "p90_error": _at(growth, 0.9),
        "text_steps": len(text),
        "median_text_error": _at(text, 0.5),
        "p90_text_error": _at(text, 0.9),
    }


def _unexplained(steps: Sequence[Told], fits: Mapping[str, object]) -> list[dict[str, object]]:
    """Where visible content does not explain the growth: by model and version, by how much."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    totals: Counter[tuple[str, str]] = Counter()
    for one in steps:
        place = (one.model, _minor(one.version))
        totals[place] += 1
        weights = fit_of(one.model, fits).weights  # type: ignore[arg-type]
        off = one.step.growth_tokens - predicted_growth(one.step, weights)
        text = one.step.growth_tokens - one.step.known_tokens
        if abs(off) > max(100, VISIBLE_SHARE * abs(text)):
            found[place].append(off)
    return [
        {
            "model": model,
            "version": version,
            "steps": totals[model, version],
            "unexplained": len(some),
            "median_tokens": _at(sorted(some), 0.5),
        }
        for (model, version), some in sorted(found.items(), key=lambda pair: -len(pair[1]))
    ]


# ── printing ─────────────────────────────────────────────────────────────────────────────────────


def told(report: Mapping[str, object]) -> str:
    """Both tables as text."""
    remainder, calibration = report["remainder"], report["calibration"]
    assert isinstance(remainder, dict)
    assert isinstance(calibration, dict)
    lines = ["Remainder: reported tokens less what is visible, nothing corrected", ""]
    lines.append(f"{'client':<10}{'requests':>9}{'>= 0':>8}{'steps':>7}{'constant':>10}"
                 f"{'unseen':>8}{'less':>6}   change P5 / P25 / P50 / P75 / P95")  # fmt: skip
    for row in (*remainder["rows"], remainder["total"]):
        constant = row["constant_share"]
        spread = row["change_tokens"].values()
        change = " / ".join("?" if x is None else f"{x:+.0f}" for x in spread)
        lines.append(
            f"{row['version']:<10}{row['requests']:>9,}{row['not_negative_share']:>8.1%}"
            f"{row['steps']:>7,}{'' if constant is None else f'{constant:.1%}':>10}"
            f"{row['grew_unseen']:>8}{row['less_than_counted']:>6}   {change}"
        )
    lines += [
        "",
        f"Calibration: {calibration['steps']:,} steps of {calibration['sessions']} families of"
        f" sessions, two halves; left out: {calibration['left_out']}",
        "",
    ]
    lines.append(f"{'':<59}{'of the growth':>17}{'of 200+ tokens of text':>32}")
    lines.append(
        f"{'way':<22}{'model':<30}{'steps':>7}{'median':>9}{'P90':>8}{'steps':>14}{'median':>9}{'P90':>9}"
    )
    for row in calibration["rows"]:
        lines.append(
            f"{row['way']:<22}{row['model']:<30}{row['steps']:>7,}{row['median_error']:>9.1%}"
            f"{row['p90_error']:>8.1%}{row['text_steps']:>14,}"
            f"{_percent(row['median_text_error']):>9}{_percent(row['p90_text_error']):>9}"
        )
    lines += ["", "Steps that visible content does not explain (by more than half of the text)", ""]
    lines += [
        f"{row['model']:<30}{row['version']:<10}{row['unexplained']:>5} of {row['steps']:>5,}"
        f"   median {row['median_tokens']:+,.0f} tokens"
        for row in calibration["unexplained"]
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
