"""Run real tools and keep what they print, for the codecs that recorded sessions have little of.

`python tools/make_outputs.py FOLDER [--only NAME]` makes a small project in a temporary folder,
runs each command of `RUNS` in it and writes FOLDER/NAME.json: the command, what it printed, whether
it failed. A tool that this machine does not have is left out, and said. `tools/bench_codecs.py`
measures with them (`--made FOLDER`). npm, uv and cargo ask their registries, as in any project.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

UV = shutil.which("uv") or Path(__file__).parent.parent / "build/uv/bin/uv"
TIME_SECONDS = 120
LONGEST = 2_000_000
"""Characters of an output that are kept."""

RUNS = {
    # JSON, rows
    "rows-pip": "{python} -m pip list --format json",
    "rows-sqlite": "sqlite3 -json shop.db 'select * from orders limit 300'",
    "rows-ruff-rules": "{python} -m ruff rule --all --output-format json",
    "rows-ruff": "{python} -m ruff check --select ALL --output-format json --no-cache package",
    "rows-mypy": "{python} -m mypy --strict --output json --no-incremental package",
    "rows-jq": "jq -c '.packages | to_entries[] | {{name: .key, v: .value.version}}'"
    " package-lock.json",
    # JSON, nested
    "json-npm-view": "npm view express --json",
    "json-npm-ls": "npm ls --all --json",
    "json-cargo": "cargo metadata --format-version 1 --offline --no-deps",
    "json-pip-inspect": "{python} -m pip inspect",
    "json-npm-audit": "npm query ':root > *'",
    "json-ruff-config": "{python} -m ruff config --output-format json",
    # HTML
    "html-pydoc-json": "{python} -m pydoc -w json >/dev/null && cat json.html",
    "html-pydoc-argparse": "{python} -m pydoc -w argparse >/dev/null && cat argparse.html",
    "html-pydoc-http": "{python} -m pydoc -w http.server >/dev/null && cat http.server.html",
    "html-pydoc-logging": "{python} -m pydoc -w logging >/dev/null && cat logging.html",
    "html-listing": "{python} listing.py",
    "html-cargo-doc": "cargo doc --offline --quiet && cat target/doc/shop/index.html",
    # tables
    "table-sqlite-box": "sqlite3 -box shop.db 'select * from orders limit 40'",
    "table-sqlite-table": "sqlite3 -table shop.db 'select * from orders limit 40'",
    "table-sqlite-markdown": "sqlite3 -markdown shop.db 'select * from orders limit 40'",
    "table-sqlite-groups": "sqlite3 -box shop.db 'select state, country, count(*), sum(amount) from"
    " orders group by 1, 2'",
    "table-sqlite-names": "sqlite3 -table shop.db 'select name, email from orders limit 60'",
    "table-sqlite-wide": "sqlite3 -markdown shop.db 'select o.*, p.name as p, p.email as q from"
    " orders o join orders p on p.id = o.id + 1 limit 30'",
    # data
    "blob-base64": "base64 /bin/ls | head -300",
    "blob-xxd": "xxd /bin/ls | head -400",
    "blob-hexdump": "hexdump -C /bin/ls | head -400",
    "blob-certificates": "head -c 30000 /etc/ssl/certs/ca-certificates.crt",
    "blob-minified": "cat $(find node_modules web/node_modules -name '*.min.js' | sort | head -1)",
    "blob-key": "openssl genrsa 4096",
    # what git tells of the past; of the repository that this file lies in
    "history-log": "git -C {here} log -40",
    "history-stat": "git -C {here} log --stat -12",
    "history-graph": "git -C {here} log --graph --decorate -40",
    "history-fuller": "git -C {here} log --format=fuller -30",
    "history-names": "git -C {here} log --name-status -12",
    "history-show": "git -C {here} show --stat HEAD~3 HEAD~2 HEAD~1 HEAD",
    # stack traces
    "traces-recursion": "{python} traces.py recursion 2>&1",
    "traces-chain": "{python} traces.py chain 2>&1",
    "traces-tasks": "{python} traces.py tasks 2>&1",
    "traces-retries": "{python} traces.py retries 2>&1",
    "traces-node": "node -e 'Error.stackTraceLimit = 300; function up(n) {{ if (!n) throw new"
    ' Error("deep"); down(n - 1) }} function down(n) {{ up(n) }} up(100)\' 2>&1',
    # logs
    "logs-npm": "npm ls express --loglevel silly 2>&1",
    "logs-pip": "{python} -m pip download -vvv --no-deps -d downloads rich 2>&1",
    "logs-uv": "{uv} lock -v --upgrade 2>&1",
    "logs-http": "{python} asking.py 2>&1",
    "logs-dpkg": "tail -400 /var/log/dpkg.log",
    "logs-import": "{python} -v -c 'import http.server' 2>&1",
    # lock files
    "lockfile-npm": "cat package-lock.json",
    "lockfile-uv": "cat uv.lock",
    "lockfile-cargo": "cat Cargo.lock",
    "lockfile-requirements": "cat requirements.txt",
    "lockfile-npm-web": "cat web/package-lock.json",
    "lockfile-uv-web": "cat web/uv.lock",
    "lockfile-requirements-web": "cat web/requirements.txt",
}

MAKE_LISTING = """
import io, http.server
handler = http.server.SimpleHTTPRequestHandler
one = handler.__new__(handler)
one.path, one.wfile, one.request_version = "/", io.BytesIO(), "HTTP/1.0"
one.requestline, one.command = "GET / HTTP/1.0", "GET"
one.log_request = lambda *a: None
one._headers_buffer = []
print(one.list_directory("package").read().decode())
"""


TRACES = """
import asyncio, json, sys, traceback
def up(n): return down(n + 1)
def down(n): return up(n + 1)
def parsed(text):
    try:
        return json.loads(text)
    except ValueError as exc:
        raise LookupError(text) from exc
def retried(times):
    for number in range(times):
        try:
            parsed("{" * number)
        except LookupError:
            traceback.print_exc()
            print("attempt", number, "failed, once more")
async def tasks():
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(asyncio.to_thread(parsed, "[" * number))
{"recursion": lambda: up(0), "chain": lambda: parsed("{"), "retries": lambda: retried(12),
 "tasks": lambda: asyncio.run(tasks())}[sys.argv[1]]()
"""

REQUESTS = """
import http.client, http.server, threading
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for number in range(250):
    talk = http.client.HTTPConnection(*server.server_address)
    talk.request("GET", ("/package.json", "/missing/%d" % number)[number % 9 == 4])
    talk.getresponse().read()
    talk.close()
"""


def main() -> int:
    """Make them; 1 where not one could be made."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--only", default="", help="names that begin like this")
    told = asked.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    made = 0
    with tempfile.TemporaryDirectory() as place:
        project = Path(place) / "shop"
        _make_project(project)
        for name, command in RUNS.items():
            if name.startswith(told.only):
                made += _keep(told.folder, name, command, project)
    print(f"{made} outputs in {told.folder}")
    return 0 if made else 1


def _keep(folder: Path, name: str, command: str, project: Path) -> bool:
    here = Path(__file__).parent.parent
    command = command.format(python=sys.executable, here=here, uv=UV)
    ran = _run(command, project)
    output = (ran.stdout if ran else "")[:LONGEST]
    if len(output) < 400:
        print(f"left out {name}: {(ran.stderr if ran else 'timed out').strip()[-200:]}")
        return False
    shown = (
        command.replace(sys.executable, "python").replace(f" -C {here}", "").replace(str(UV), "uv")
    )
    kept = {"command": shown, "text": output, "has_failed": bool(ran and ran.returncode)}
    (folder / f"{name}.json").write_text(json.dumps(kept), "utf-8")
    return True


def _run(command: str, project: Path) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=project,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIME_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None


def _make_project(project: Path) -> None:
    """A shop: a database, a JavaScript, a Rust and a Python package with their lock files."""
    from json_rows import rows

    project.mkdir()
    package = Path(json.__file__).parent
    shutil.copytree(package, project / "package")
    (project / "listing.py").write_text(MAKE_LISTING)
    (project / "traces.py").write_text(TRACES)
    (project / "asking.py").write_text(REQUESTS)
    with sqlite3.connect(project / "shop.db") as shop:
        made = rows(1_000)
        shop.execute(f"create table orders ({', '.join(made[0])})")
        shop.executemany(
            f"insert into orders values ({', '.join('?' * len(made[0]))})",
            [tuple(row.values()) for row in made],
        )
    _make_packages(project, ("express", "eslint", "typescript"), ("httpx", "rich", "sqlalchemy"))
    _make_packages(project / "web", ("vite", "react", "jquery"), ("fastapi", "celery", "pillow"))
    (project / "Cargo.toml").write_text(
        '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n'
        '[dependencies]\nserde_json = "1"\nclap = "4"\n'
        'tokio = { version = "1", features = ["full"] }\n'
    )
    (project / "src").mkdir()
    (project / "src/lib.rs").write_text("/// Adds.\npub fn add(a: u8) -> u8 {\n    a + 1\n}\n")
    _run("cargo generate-lockfile", project)


def _make_packages(folder: Path, script: tuple[str, ...], python: tuple[str, ...]) -> None:
    """A package of each language that needs these, and the lock files that its tools write."""
    folder.mkdir(exist_ok=True)
    needs = {"name": "shop", "dependencies": dict.fromkeys(script, "*")}
    (folder / "package.json").write_text(json.dumps(needs))
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f"dependencies = {json.dumps(python)}\n"
    )
    for command in (
        "npm install --ignore-scripts --no-audit --no-fund",
        f"{UV} lock",
        f"{UV} export --quiet --output-file requirements.txt",
    ):
        _run(command, folder)


if __name__ == "__main__":
    sys.exit(main())
