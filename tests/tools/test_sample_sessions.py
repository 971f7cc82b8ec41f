"""The sample is a fixture of other tests: its truth is checked against a second reading."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sample_sessions import Tokens, Truth, generate
from sample_sessions.__main__ import main

END = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
TOOL = Path(__file__).parents[2] / "tools" / "sample_sessions"


@dataclass(frozen=True, slots=True)
class Sample:
    """A generated folder with its truth and every line that is a JSON object."""

    out: Path
    truth: Truth
    lines: list[tuple[Path, dict[str, Any]]]

    @property
    def files(self) -> list[Path]:
        return sorted(self.out.glob("projects/**/*.jsonl"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    out = tmp_path_factory.mktemp("sample")
    truth = generate(out, end=END)
    files = sorted(out.glob("projects/**/*.jsonl"))
    return Sample(out, truth, [(path, line) for path in files for line in objects_in(path)])


def objects_in(path: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of a file that are objects."""
    complete, _, _ = path.read_bytes().removeprefix(b"\xef\xbb\xbf").rpartition(b"\n")
    for raw in complete.split(b"\n"):
        value = json.loads(raw) if raw.strip() else None
        if isinstance(value, dict):
            yield value


# ── An independent count: no shortcut, no code of the generator ──────────────────────────────────

FIELDS = ("input_tokens", "output_tokens", "cache_read_input_tokens")
SPLIT = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def told(line: dict[str, Any]) -> tuple[dict[str, Any], bool] | None:
    """The message that a line tells usage of, and whether it is a sidechain copy."""
    if line["type"] == "assistant":
        return line["message"], line["isSidechain"]
    if line["type"] == "progress" and line["data"]["type"] == "agent_progress":
        return line["data"]["message"]["message"], True
    return None


def attempts_of(message: dict[str, Any]) -> list[tuple[str, list[int]]]:
    usage = message["usage"]
    if usage is None:
        return [(message["model"], [0] * 5)]
    several = usage["iterations"] if len(usage["iterations"]) > 1 else [usage]
    return [
        (
            part.get("model", message["model"]),
            [part[name] for name in FIELDS] + [part["cache_creation"][name] for name in SPLIT],
        )
        for part in several
    ]


def counted(sample: Sample) -> dict[str, dict[Any, list[int]]]:
    """Responses by key: earliest main-thread copy owns, every field is the largest one told."""
    owners: dict[str, tuple[tuple[bool, str, str], dict[str, Any]]] = {}
    counts: dict[str, list[tuple[str, list[int]]]] = {}
    for path, line in sample.lines:
        found = told(line)
        if not found or found[0]["model"] == "<synthetic>":
            continue
        message, is_sidechain = found
        key, rank = message["id"], (is_sidechain, line["timestamp"], str(path))
        owners[key] = min(owners.get(key, (rank, line)), (rank, line), key=lambda pair: pair[0])
        new = attempts_of(message)
        old = counts.get(key, new)
        counts[key] = [
            (model, [max(pair) for pair in zip(mine, theirs, strict=True)])
            for (model, mine), (_, theirs) in zip(old, new, strict=True)
        ]
    tables: dict[str, dict[Any, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0] * 6))
    for key, attempts in counts.items():
        owner = owners[key][1]
        day = owner["timestamp"][:10]
        for index, (model, numbers) in enumerate(attempts):
            row = [*numbers, int(index == len(attempts) - 1)]
            for table, group in (
                ("by_model", model),
                ("by_utc_day", day),
                ("by_utc_day_and_model", (day, model)),
                ("by_session", owner["sessionId"]),
                ("by_project", owner["cwd"]),
            ):
                tables[table][group] = [
                    sum(pair) for pair in zip(tables[table][group], row, strict=True)
                ]
    return tables


def numbers(tokens: Tokens) -> list[int]:
    return [
        tokens.input_tokens,
        tokens.output_tokens,
        tokens.cache_read_tokens,
        tokens.cache_write_5m_tokens,
        tokens.cache_write_1h_tokens,
        tokens.requests,
    ]


TABLES = ("by_model", "by_utc_day", "by_utc_day_and_model", "by_session", "by_project")


def test_truth_is_what_a_second_reading_finds(sample: Sample) -> None:
    found = counted(sample)
    for name in TABLES:
        table: Mapping[Any, Tokens] = getattr(sample.truth, name)
        assert {key: numbers(row) for key, row in table.items()} == found[name], name


@pytest.mark.parametrize("name", TABLES)
def test_every_table_adds_up_to_the_total(sample: Sample, name: str) -> None:
    rows = [astuple(row) for row in getattr(sample.truth, name).values()]
    assert tuple(map(sum, zip(*rows, strict=True))) == astuple(sample.truth.total)


def test_files_and_bytes_are_those_on_disk(sample: Sample) -> None:
    sizes = [path.stat().st_size for path in sample.files]
    assert (sample.truth.files, sample.truth.bytes) == (len(sizes), sum(sizes))


# ── The same again ───────────────────────────────────────────────────────────────────────────────


def contents(out: Path) -> dict[str, bytes]:
    found = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def test_same_arguments_give_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    truth = generate(tmp_path, end=END)
    assert contents(tmp_path) == contents(sample.out)
    assert truth == sample.truth


def test_another_seed_gives_another_sample(sample: Sample, tmp_path: Path) -> None:
    assert generate(tmp_path, end=END, seed=2) != sample.truth


def test_a_naive_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        generate(tmp_path, end=END.replace(tzinfo=None))


# ── What a newcomer sees ─────────────────────────────────────────────────────────────────────────


def test_it_looks_like_three_weeks_of_one_developer(sample: Sample) -> None:
    assert 25 <= len(sample.truth.by_session) <= 40
    assert 1e6 <= sample.truth.bytes <= 3e6
    homes = {cwd.split("/.claude/")[0] for cwd in sample.truth.by_project}
    assert homes == {"/home/dev/webshop", "/home/dev/data-pipeline", "/home/dev/mobile-app"}
    assert len(sample.truth.by_utc_day) >= 12


@pytest.mark.parametrize("days", [1, 21])
@pytest.mark.parametrize("end", [END, END.replace(hour=0, minute=4)])
def test_the_last_session_ends_minutes_before_the_end(
    tmp_path: Path, end: datetime, days: int
) -> None:
    generate(tmp_path, end=end, days=days)
    lines = (line for path in tmp_path.rglob("*.jsonl") for line in objects_in(path))
    times = [datetime.fromisoformat(line["timestamp"]) for line in lines if "timestamp" in line]
    assert timedelta(minutes=2) < end - max(times) < timedelta(minutes=6)
    assert min(times) >= end - timedelta(days=days, seconds=1)


# ── What a reader can get wrong ──────────────────────────────────────────────────────────────────


def outputs_by_response(sample: Sample) -> dict[tuple[Path, str], list[int]]:
    """The output counts in the order of the lines that tell them."""
    found: dict[tuple[Path, str], list[int]] = defaultdict(list)
    for path, line in sample.lines:
        if line["type"] == "assistant" and line["message"]["usage"]:
            count = line["message"]["usage"]["output_tokens"]
            found[path, line["message"]["id"]].append(count)
    return found


def test_responses_take_one_to_five_lines_and_grow(sample: Sample) -> None:
    outputs = outputs_by_response(sample).values()
    assert {len(counts) for counts in outputs} == {1, 2, 3, 4, 5}
    falling = [counts for counts in outputs if len(counts) > 1 and counts[0] > counts[-1]]
    assert 0 < len(falling) < len(outputs) / 20


def test_stop_reason_stands_only_on_lines_with_the_final_output(sample: Sample) -> None:
    final: dict[str, int] = {}
    told_by = [(key, counts) for (_, key), counts in outputs_by_response(sample).items()]
    for key, counts in told_by:
        final[key] = max(final.get(key, 0), *counts)
    for _, line in sample.lines:
        if line["type"] == "assistant" and line["message"]["usage"] and "requestId" in line:
            message = line["message"]
            is_final = message["usage"]["output_tokens"] == final[message["id"]]
            assert (message["stop_reason"] is not None) == is_final


def test_a_fork_may_know_only_the_beginning_of_a_response(sample: Sample) -> None:
    finals = defaultdict(set)
    for (_, key), counts in outputs_by_response(sample).items():
        finals[key].add(max(counts))
    assert max(map(len, finals.values())) == 2


def test_a_fork_repeats_lines_under_another_session(sample: Sample) -> None:
    sessions = defaultdict(set)
    for _, line in sample.lines:
        if "uuid" in line:
            sessions[line["uuid"], line["timestamp"]].add(line["sessionId"])
    assert max(map(len, sessions.values())) == 2


def test_a_replayed_response_has_another_request_id(sample: Sample) -> None:
    requests = defaultdict(set)
    for _, line in sample.lines:
        if line["type"] == "assistant" and "requestId" in line:
            requests[line["message"]["id"]].add((line["isSidechain"], line["requestId"]))
    replayed = [ids for ids in requests.values() if len(ids) > 1]
    assert [sorted(side for side, _ in ids) for ids in replayed] == [[False, True]]


def test_progress_lines_come_with_and_without_an_agent_file(sample: Sample) -> None:
    agents = {line["data"]["agentId"] for _, line in sample.lines if line["type"] == "progress"}
    saved = {path.stem.removeprefix("agent-") for path in sample.files}
    assert sorted(agent in saved for agent in agents) == [False, True]


def test_a_resumed_session_goes_on_the_next_day(sample: Sample) -> None:
    days = defaultdict(set)
    for path, line in sample.lines:
        if line["type"] == "assistant" and "/subagents/" not in str(path):
            days[path].add(line["timestamp"][:10])
    assert max(map(len, days.values())) == 2


def test_uuids_form_one_chain_per_file(sample: Sample) -> None:
    seen: dict[Path, set[str]] = defaultdict(set)
    for path, line in sample.lines:
        if "uuid" in line and not line["isSidechain"]:
            parent = line["parentUuid"]
            assert parent is None or parent in seen[path]
            seen[path].add(line["uuid"])


def usage_of(line: dict[str, Any]) -> dict[str, Any]:
    return (line["message"]["usage"] or {}) if line["type"] == "assistant" else {}


PROMISED_LINES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "5m cache writes": lambda line: (
        usage_of(line).get("cache_creation", {}).get("ephemeral_5m_input_tokens")
    ),
    "1h cache writes": lambda line: (
        usage_of(line).get("cache_creation", {}).get("ephemeral_1h_input_tokens")
    ),
    "fast": lambda line: usage_of(line).get("speed") == "fast",
    "two models": lambda line: len(usage_of(line).get("iterations", [])) == 2,
    "null usage": lambda line: line["type"] == "assistant" and line["message"]["usage"] is None,
    "synthetic": lambda line: line.get("isApiErrorMessage"),
    "compaction": lambda line: line.get("subtype") == "compact_boundary",
    "summary": lambda line: line.get("isCompactSummary"),
    "rendered": lambda line: line["type"] == "attachment" and line.get("rendered"),
    "skill": lambda line: line.get("attributionSkill"),
    "mcp": lambda line: line.get("attributionMcpServer"),
    "turn_duration": lambda line: line.get("subtype") == "turn_duration",
    "file history": lambda line: line["type"] == "file-history-snapshot",
    "worktree": lambda line: line.get("cwd") == "/home/dev/webshop/.claude/worktrees/fix-1",
    "tool error": lambda line: str(line.get("toolUseResult", "")).startswith("Error: "),
    "durationMs": lambda line: "durationMs" in str(line.get("toolUseResult", "")),
    "lone surrogate": lambda line: "\\ud83d" in json.dumps(line) and line["type"] == "assistant",
}


@pytest.mark.parametrize("name", PROMISED_LINES)
def test_promised_line_is_there(sample: Sample, name: str) -> None:
    assert any(PROMISED_LINES[name](line) for _, line in sample.lines)


PROMISED_BYTES: dict[str, Callable[[bytes], bool]] = {
    "byte order mark": lambda data: data.startswith(b"\xef\xbb\xbf{"),
    "crlf": lambda data: data.count(b"\r\n") == data.count(b"\n"),
    "half last line": lambda data: not data.endswith(b"\n"),
    "awkward lines": lambda data: b"\nnull\n42\n" in data and b"\n\n" in data,
}


@pytest.mark.parametrize("name", PROMISED_BYTES)
def test_exactly_one_file_has_promised_bytes(sample: Sample, name: str) -> None:
    assert sum(PROMISED_BYTES[name](path.read_bytes()) for path in sample.files) == 1


def test_agents_lie_in_all_three_layouts(sample: Sample) -> None:
    agents = [path for path in sample.files if path.name.startswith("agent-")]
    folders = {"subagents" if p.parent.name == "subagents" else p.parts[-3] for p in agents}
    assert folders == {"subagents", "workflows", "projects"}
    nested = [path for path in agents if "subagents" in path.parts]
    assert all(path.with_suffix(".meta.json").exists() for path in nested)


def test_models_are_current_old_and_unknown(sample: Sample) -> None:
    assert set(sample.truth.by_model) == {
        *("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-8"),
        *("claude-opus-4-6", "claude-sonnet-4-5-20250929", "acme-coder-2"),
    }
    assert set(sample.truth.fast_by_model) == {"claude-opus-4-8"}
    assert sample.truth.total.requests_without_usage == 1


# ── A corpus for measuring, and the command ──────────────────────────────────────────────────────


def test_a_corpus_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    truth = generate(tmp_path, end=END, megabytes=25)
    assert truth.bytes == pytest.approx(25e6, rel=0.1)
    sizes = sorted(path.stat().st_size for path in tmp_path.rglob("*.jsonl"))
    assert 75_000 < sizes[len(sizes) // 2] < 160_000


def test_the_command_writes_the_truth_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path), "--end", "2026-11-20T13:00:00"]
    assert main(arguments) == 0
    written = json.loads((tmp_path / "truth.json").read_text())
    assert written["format"] == "tokenbudget/sample-truth/1"
    assert f"{written['total']['requests']} requests" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err


def test_it_runs_by_path(tmp_path: Path) -> None:
    command = [sys.executable, str(TOOL), "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert (tmp_path / "out" / "projects").is_dir()
