"""`tokens export`: the same figures as `tokens usage`, in every format, and whole or not at all."""

import csv
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import OPUS, Home, Sample, response
from tests.cli.hostile_sessions import write_hostile_sessions
from tests.hostile import MARKER, PAYLOADS
from tests.reports.test_exporters_prometheus import parsed

from tokenbudget.cli.export import ENDINGS
from tokenbudget.model.csv_cell import FORMULA_SIGNS, original
from tokenbudget.model.spelled import storable
from tokenbudget.reports.exporters.tables import COLUMNS

TEXT_FORMATS = ("csv", "json", "jsonl", "sql", "prometheus")
SUMS = (
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "total_tokens",
    "unpriced_tokens",
    "web_search_requests",
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the command is run in."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home full of hostile sessions; only for commands that read."""
    home = Home(tmp_path_factory.mktemp("attacked") / "home")
    write_hostile_sessions(home)
    return home


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def exported(home: Home, *arguments: str) -> list[dict[str, str]]:
    done = home.run("export", "csv", *arguments, "--output", "-")
    assert (done.code, done.err) == (0, "")
    return rows_of(done.out)


def added(rows: list[dict[str, str]]) -> dict[str, Any]:
    sums: dict[str, Any] = {name: sum(int(row[name] or 0) for row in rows) for name in SUMS}
    sums["cost_usd"] = sum((Decimal(row["cost_usd"] or 0) for row in rows), Decimal(0))
    return sums


def used(home: Home, *arguments: str) -> dict[str, Any]:
    totals = home.ask("usage", *arguments)["totals"]
    return {**{name: totals[name] for name in SUMS}, "cost_usd": Decimal(totals["cost_usd"])}


# ── the figures ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("table", ["requests", "sessions", "daily"])
@pytest.mark.parametrize(
    "limits",
    [
        (),
        ("--since", "3d"),
        ("--since", "2026-11-14", "--until", "2026-11-16"),
        ("--until", "2026-11-15T10:30"),
        ("--session", "last"),
        ("--tz", "Asia/Kathmandu", "--since", "2026-11-15"),
    ],
    ids=" ".join,
)
def test_every_table_adds_up_to_what_usage_says(
    sample: Sample, table: str, limits: tuple[str, ...]
) -> None:
    rows = exported(sample.home, "--tables", table, *limits)

    assert rows
    assert added(rows) == used(sample.home, *limits)


def test_one_project_is_that_of_usage(sample: Sample) -> None:
    name = sample.home.ask("usage", "--by", "project")["rows"][0]["project"]

    rows = exported(sample.home, "--project", name)

    assert {row["project"] for row in rows} == {name}
    assert added(rows) == used(sample.home, "--project", name)


def test_a_project_may_be_a_path(home: Home, project: Path) -> None:
    home.write_session("s1", response(1, cwd=str(project)))
    home.write_session("s2", response(2, cwd=f"{project}.else", sessionId="s2"), slug="-x")

    for wanted in (".", str(project), "../project", "~/../project"):
        rows = exported(home, "--project", wanted)
        assert [row["project"] for row in rows] == [str(project)]
    assert home.run("export", "--project", "/nowhere").code == 2


def test_days_are_those_of_usage(sample: Sample) -> None:
    by_day = sample.home.ask("usage", "--by", "day,project,model", "--tz", "Asia/Tokyo")["rows"]

    rows = exported(sample.home, "--tables", "daily", "--tz", "Asia/Tokyo")

    assert {
        (row["day"], row["project"], row["model"]): (int(row["requests"]), row["cost_usd"])
        for row in rows
    } == {
        (row["day"], row["project"], row["model"]): (row["requests"], row["cost_usd"])
        for row in by_day
    }


def test_all_time_can_be_said(sample: Sample) -> None:
    assert exported(sample.home, "--since", "all") == exported(sample.home)


def test_counters_are_those_of_usage(sample: Sample) -> None:
    done = sample.home.run("export", "prometheus", "--output", "-")
    _, series = parsed(done.out)

    totals = sample.home.ask("usage")["totals"]
    for name, field in (
        ("tokens_total", "total_tokens"),
        ("requests_total", "requests"),
        ("cost_usd_total", "cost_usd"),
    ):
        told = sum(value for key, value in series.items() if key[0] == f"tokenbudget_{name}")
        assert told == Decimal(totals[field])


def test_sql_and_json_say_the_same(sample: Sample) -> None:
    dump = sample.home.run("export", "sql", "--output", "-").out
    tables = sample.home.ask("export")["tables"]
    connection = sqlite3.connect(":memory:")
    connection.executescript(dump)

    assert list(tables) == list(COLUMNS)
    for name in COLUMNS:
        rows = [tuple(row.values()) for row in tables[name]["rows"]]
        assert rows
        assert connection.execute(f"SELECT * FROM token_{name} ORDER BY rowid").fetchall() == rows
    connection.close()


def test_tool_calls_are_joined_to_their_requests(sample: Sample) -> None:
    calls = exported(sample.home, "--tables", "tool_calls")
    requests = {row["request"] for row in exported(sample.home)}

    assert calls
    assert {row["request"] for row in calls} <= requests
    assert any(row["is_error"] == "1" for row in calls)
    assert all(row["called_at"] <= row["answered_at"] for row in calls if row["answered_at"])


def test_a_session_has_the_calls_whose_answer_is_nowhere(home: Home) -> None:
    result = {"type": "tool_result", "tool_use_id": "toolu_lost", "content": "42"}
    home.write_session(
        "s1",
        response(1),
        {
            "type": "user",
            "uuid": "u9",
            "timestamp": "2026-11-20T11:00:09.000Z",
            "sessionId": "s1",
            "cwd": "/srv/shop",
            "message": {"role": "user", "content": [result]},
        },
    )
    home.write_session("s2", response(2, sessionId="s2"), slug="-x")
    for arguments in ([], ["--session", "s1"], ["--session", "s1", "--since", "2026-11-20"]):
        rows = exported(home, "--tables", "tool_calls", *arguments)
        assert [(row["tool_call"], row["session"]) for row in rows] == [("toolu_lost", "s1")]
    assert exported(home, "--tables", "tool_calls", "--session", "s2") == []


def test_parquet_says_what_json_says(sample: Sample, project: Path) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    done = sample.home.run("export", "parquet", "--tables", "all")
    tables = sample.home.ask("export")["tables"]

    assert (done.code, done.err) == (0, "")
    for name in COLUMNS:
        path = project / f".claude/context/token-export-{name.replace('_', '-')}.parquet"
        found = parquet.read_table(path).to_pylist()
        times = [column.name for column in COLUMNS[name] if column.kind == "time"]
        assert [
            {key: value for key, value in row.items() if key not in times} for row in found
        ] == [
            {key: value for key, value in row.items() if key not in times}
            for row in tables[name]["rows"]
        ]
        for row, told in zip(found, tables[name]["rows"], strict=True):
            for key in times:
                assert (row[key] and row[key].isoformat(timespec="milliseconds")) == told[key]


def test_without_its_library_parquet_says_so_before_it_reads(
    home: Home, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    done = home.run("export", "parquet")

    assert (done.code, done.out) == (2, "")
    assert "tokenbudget[parquet]" in done.err
    assert os.listdir(project) == []
    assert not home.config.parent.exists()


def test_missing_usage_is_empty_and_never_nought(home: Home) -> None:
    bare = response(1)
    del bare["message"]["usage"]
    home.write_session("s1", bare, response(2, model="nobody-knows-this-one"))

    bare_row, unpriced = exported(home)

    assert {bare_row[name] for name in (*SUMS[:7], "cost_usd")} == {""}
    assert (unpriced["cost_usd"], unpriced["unpriced_tokens"]) == ("0", "110")
    row, _ = home.ask("export")["tables"]["requests"]["rows"]
    assert row["total_tokens"] is row["cost_usd"] is None


def test_what_has_no_time_has_none(home: Home) -> None:
    home.write_session("s1", response(1, at="never"))

    assert [row["started_at"] for row in exported(home)] == [""]
    assert [row["day"] for row in exported(home, "--tables", "daily")] == [""]
    tables = home.ask("export")["tables"]
    assert tables["daily"]["rows"][0]["day"] is None
    assert exported(home, "--since", "2020-01-01") == []


def test_earlier_attempts_have_rows_of_their_own(home: Home) -> None:
    tried = [
        {"type": "message", "model": model, "input_tokens": 100, "output_tokens": 10}
        for model in ("claude-haiku-5-5", OPUS)
    ]
    home.write_session("s1", response(1, usage={"iterations": tried}))

    rows = exported(home)

    assert [(row["attempt"], row["model"]) for row in rows] == [
        ("0", OPUS),
        ("1", "claude-haiku-5-5"),
    ]
    assert added(rows) == used(home)
    (session,) = exported(home, "--tables", "sessions")
    assert (session["requests"], session["input_tokens"]) == ("1", "200")


def test_times_are_told_in_the_zone(home: Home) -> None:
    home.write_session("s1", response(1, at="2026-11-20T09:00:00.120Z"))

    (row,) = exported(home, "--tz", "Asia/Kolkata")

    assert row["started_at"] == "2026-11-20T14:30:00.120+05:30"


# ── where it goes ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_a_file_in_our_folder(sample: Sample, project: Path, name: str) -> None:
    done = sample.home.run("export", name)

    path = project / ".claude" / "context" / f"token-export.{ENDINGS[name]}"
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f".claude/context/token-export.{ENDINGS[name]}: ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(path.parent)) == [".gitignore", path.name]


def test_below_a_project_it_goes_to_its_folder(
    sample: Sample, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".claude").mkdir()
    (project / "src").mkdir()
    monkeypatch.chdir(project / "src")

    sample.home.run("export")

    assert (project / ".claude/context/token-export.csv").exists()
    assert os.listdir(project / "src") == []


def test_csv_is_the_default(sample: Sample, project: Path) -> None:
    sample.home.run("export")

    text = (project / ".claude/context/token-export.csv").read_text()
    assert rows_of(text) == exported(sample.home)


def test_several_tables_are_several_files(sample: Sample, project: Path) -> None:
    done = sample.home.run("export", "csv", "--tables", "all")

    folder = project / ".claude/context"
    names = {f"token-export-{name.replace('_', '-')}.csv" for name in COLUMNS}
    assert {path.name for path in folder.glob("*.csv")} == names
    assert len(done.lines) == len(COLUMNS)


def test_several_tables_beside_a_named_file(sample: Sample, project: Path) -> None:
    done = sample.home.run(
        "export", "--tables", "daily,tool-calls", "--output", str(project / "out.txt")
    )

    assert done.code == 0
    assert sorted(os.listdir(project)) == ["out-daily.txt", "out-tool-calls.txt"]


def test_a_named_file_keeps_its_mode_and_a_link_its_place(sample: Sample, project: Path) -> None:
    (project / "real.csv").write_text("old")
    (project / "real.csv").chmod(0o644)
    (project / "link.csv").symlink_to("real.csv")

    assert sample.home.run("export", "--output", "link.csv").code == 0

    assert (project / "link.csv").is_symlink()
    assert stat.S_IMODE((project / "real.csv").stat().st_mode) == 0o644
    assert (project / "real.csv").read_text().startswith("request,")


def test_a_device_is_written_to(sample: Sample) -> None:
    assert sample.home.run("export", "--output", "/dev/null").code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        ("nowhere/out.csv", 3, "nowhere/out.csv"),
        (".", 3, "folder"),
        ("a\0b", 3, "name"),
        ("", 2, "path"),
        ("some.db", 4, "database"),
        ("old.csv", 4, "read-only"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    sample: Sample, project: Path, output: str, code: int, words: str
) -> None:
    connection = sqlite3.connect(project / "some.db")
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    (project / "old.csv").write_text("old")
    (project / "old.csv").chmod(0o444)
    before = {path.name: path.read_bytes() for path in project.iterdir()}

    done = sample.home.run("export", "--output", output)

    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_a_folder_of_ours_that_is_a_link_is_refused(
    sample: Sample, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / ".claude").symlink_to(tmp_path / "elsewhere")

    done = sample.home.run("export")

    assert done.code == 4
    assert os.listdir(tmp_path / "elsewhere") == []


LIMITED = """
import io, resource, sys, types
from tokenbudget.cli import main
from tokenbudget.system import streamed_file

def limited(*arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
    return io.BufferedWriter(*arguments)

streamed_file.io = types.SimpleNamespace(FileIO=io.FileIO, BufferedWriter=limited)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("name", ["csv", "json", "sql"])
@pytest.mark.parametrize("named", [True, False])
def test_a_full_disk_leaves_the_old_file_whole(
    sample: Sample, project: Path, name: str, named: bool
) -> None:
    folder = project if named else project / ".claude" / "context"
    path = folder / f"token-export.{ENDINGS[name]}"
    arguments = ["export", name, *(["--output", str(path)] if named else [])]
    assert sample.home.run(*arguments).code == 0
    path.write_text("the old one")
    before = sorted(os.listdir(folder))

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=project,
        env=sample.home.spawn_environment(),
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert path.name in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert path.read_text() == "the old one"
    assert sorted(os.listdir(folder)) == before


def test_a_reader_that_goes_away_is_no_fault(sample: Sample) -> None:
    command = [*sample.home.command("export", "jsonl", "--output", "-")]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=sample.home.spawn_environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


# ── what was typed ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "arguments",
    [
        ["xlsx"],
        ["--tables", "secrets"],
        ["--tables", ","],
        ["--tables", "all", "--output", "-"],
        ["prometheus", "--tables", "daily"],
        ["sql", "--json"],
        ["--since", "whenever"],
        ["--since", "2026-11-02", "--until", "2026-11-01"],
        ["--project", "no-such-project"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused(
    sample: Sample, project: Path, arguments: list[str]
) -> None:
    done = sample.home.run("export", *arguments)

    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert os.listdir(project) == []


def test_the_same_json_by_its_option(sample: Sample) -> None:
    assert sample.home.ask("export") == json.loads(
        sample.home.run("export", "json", "--output", "-").out
    )


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_without_any_session_it_is_valid(home: Home, name: str) -> None:
    done = home.run("export", name, "--output", "-")

    assert (done.code, done.err) == (0, "")
    if name == "json":
        assert {len(table["rows"]) for table in done.json["tables"].values()} == {0}
    elif name == "csv":
        assert len(done.lines) == 1
    elif name == "sql":
        sqlite3.connect(":memory:").executescript(done.out).connection.close()
    elif name == "prometheus":
        parsed(done.out)


# ── hostile sessions ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("table", COLUMNS)
def test_no_cell_of_a_hostile_session_is_a_formula(attacked: Home, table: str) -> None:
    rows = exported(attacked, "--tables", table)

    assert len(rows) > 5
    texts = [column.name for column in COLUMNS[table] if column.kind == "text"]
    for row in rows:
        for name, cell in row.items():
            assert name in texts or cell[:1] not in tuple(FORMULA_SIGNS)
            assert cell.lstrip(" \u00a0\u200b\ufeff")[:1] not in tuple(FORMULA_SIGNS)


@pytest.mark.parametrize("table", COLUMNS)
def test_csv_sql_and_json_agree_on_every_hostile_text(attacked: Home, table: str) -> None:
    rows = attacked.ask("export")["tables"][table]["rows"]
    texts = [column.name for column in COLUMNS[table] if column.kind == "text"]
    connection = sqlite3.connect(":memory:")
    connection.executescript(attacked.run("export", "sql", "--output", "-").out)
    names = ", ".join(texts)
    loaded = connection.execute(f"SELECT {names} FROM token_{table} ORDER BY rowid").fetchall()
    connection.close()

    originals = [tuple(row[name] for name in texts) for row in rows]
    assert loaded == [
        tuple(text if text is None else storable(text) for text in row) for row in originals
    ]
    assert [
        tuple(original(row[name]) for name in texts)
        for row in exported(attacked, "--tables", table)
    ] == [tuple(text or "" for text in row) for row in originals]


def test_the_attacks_are_in_there(attacked: Home) -> None:
    titles = {row["title"] for row in attacked.ask("export")["tables"]["sessions"]["rows"]}

    came = [payload for payload in PAYLOADS.values() if payload.strip() and payload in titles]
    assert len(came) >= 200


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_nothing_hostile_moves_a_cursor(attacked: Home, name: str) -> None:
    done = attacked.run("export", name, "--output", "-")

    assert (done.code, done.err) == (0, "")
    done.out.encode()
    if name != "sql":  # which holds every text as it is, and is for databases
        harmful = set(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
        assert not set(done.out) & harmful


# ── pseudonyms ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TEXT_FORMATS)
def test_redacted_it_tells_no_name(home: Home, name: str) -> None:
    secret = {"cwd": "/home/ann/acme-rocket", "gitBranch": "ann/launch", "sessionId": "sess-ann"}
    call = {
        "type": "tool_use",
        "id": "toolu_ann",
        "name": "mcp__acme__fire",
        "input": {"file_path": "/home/ann/acme-rocket/engine.py"},
    }
    home.write_session(
        "sess-ann",
        response(1, content=[call], **secret),
        {"type": "custom-title", "customTitle": "Launch for Ann", "sessionId": "sess-ann"},
    )

    shown = home.run("export", name, "--redact", "--output", "-")
    again = home.run("export", name, "--redact", "--output", "-")

    assert (shown.code, shown.out) == (0, again.out)
    plain = (
        home.run("export", name, "--tables", "all", "--output", "-").out if name == "sql" else ""
    )
    for word in ("ann", "Ann", "acme", "rocket", "launch", "Launch", "msg_1", "engine", "fire"):
        assert word not in shown.out
        assert name != "sql" or word in plain


def test_redacted_rows_still_join_and_add_up(sample: Sample) -> None:
    tables = sample.home.ask("export", "--redact")["tables"]

    sessions = {row["session"] for row in tables["sessions"]["rows"]}
    requests = {row["request"] for row in tables["requests"]["rows"]}
    assert {row["session"] for row in tables["requests"]["rows"]} == sessions
    assert {row["request"] for row in tables["tool_calls"]["rows"]} <= requests
    plain = sample.home.ask("export")["tables"]
    for name in COLUMNS:
        assert len(tables[name]["rows"]) == len(plain[name]["rows"])
    cost = sum(Decimal(row["cost_usd"] or 0) for row in tables["requests"]["rows"])
    assert cost == used(sample.home)["cost_usd"]


def test_the_key_is_made_once_for_its_owner(sample: Sample) -> None:
    sample.home.run("export", "--redact", "--output", "-")
    path = sample.home.config.parent / "redaction.key"
    first = path.read_bytes()
    sample.home.run("export", "--redact", "--output", "-")

    assert (len(first), path.read_bytes()) == (32, first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_key_is_told_and_not_used(home: Home) -> None:
    home.write_session("s1", response(1))
    home.config.parent.mkdir()
    (home.config.parent / "redaction.key").write_bytes(b"short")

    done = home.run("export", "--redact", "--output", "-")

    assert done.code == 0
    assert "redaction.key" in done.err
    assert "shop" not in done.out


def test_no_payload_runs_where_it_is_loaded(attacked: Home, project: Path) -> None:
    attacked.run("export", "sql", "--output", "dump.sql")

    done = subprocess.run(
        [sys.executable, "-c", "import sqlite3,sys; c=sqlite3.connect('t.db');"
         "c.executescript(open('dump.sql', newline='').read())"],
        check=False, cwd=project, capture_output=True,
    )  # fmt: skip

    assert done.returncode == 0
    assert sorted(os.listdir(project)) == ["dump.sql", "t.db"]
    assert not any(MARKER in name for name in os.listdir(project))
