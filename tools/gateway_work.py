"""Work over real servers, with data that is the same on every machine and known answers.

Three pieces: 35 TypeScript files read and summed up (a file server), 1,000 rows of two joined
tables judged by a median (a database server), and the same rows compared with a list of payments
that lies in a file (both servers at once).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mcp_window import Json

SEED = 20_261_122
FILES, FUNCTIONS = 35, 18
ORDERS, CUSTOMERS = 1_000, 120
REGIONS = ("north", "south", "east", "west")
STATES = ("paid", "open", "refunded", "shipped")
WORDS = (
    "account archive basket budget catalogue channel coupon customer delivery discount document "
    "employee event export filter gateway holder import invoice item journal ledger licence "
    "message mirror notice offer order parcel payment price queue record refund region report"
)
NOUNS = WORDS.split()
VERBS = ("apply", "build", "check", "close", "collect", "compare", "create", "find", "merge")


class Call(NamedTuple):
    """One call of one tool."""

    server: str
    tool: str
    arguments: Json


class Work(NamedTuple):
    """A piece of work: what an agent would do without the gateway, and what it writes for it."""

    name: str
    servers: Mapping[str, Sequence[str]]
    direct: Sequence[Call]
    searches: Sequence[str]
    wanted: Sequence[tuple[str, str]]
    """Server and tool that each search is for."""
    code: str
    """With `{0}`, `{1}` for the names under which the gateway shows the wanted tools."""
    expected: Sequence[str]
    """What has to stand in the answer."""


# ── 35 files ──────────────────────────────────────────────────────────────────────────────────────


def _function(chance: random.Random, noun: str) -> list[str]:
    verb, other = chance.choice(VERBS), chance.choice(NOUNS)
    name = f"{verb}{noun.title()}{other.title()}{chance.randrange(100)}"
    kept = "export " if chance.random() < 0.6 else ""
    lines = [f"{kept}async function {name}(input: {noun.title()}Input): Promise<{noun.title()}> {{"]
    if chance.random() < 0.3:
        lines.append(f"  // TODO: {other} is read twice here, see the note in {other}.ts")
    lines += [
        f"  const {other}List = await store.list{other.title()}({{ id: input.id, limit: "
        f"{chance.randrange(10, 500)} }});",
        f"  if ({other}List.length === 0) {{",
        f"    throw new Error(`no {other} for ${{input.id}} in {chance.choice(REGIONS)}`);",
        "  }",
        f"  const total = {other}List.reduce((sum, one) => sum + one.amountCents, 0);",
        f"  return {{ id: input.id, total, kind: '{noun}', checkedAt: clock.now() }};",
        "}",
        "",
    ]
    return lines


def source_file(chance: random.Random, number: int) -> str:
    """One module of an invented shop."""
    noun = NOUNS[number]
    imported = chance.sample([one for one in NOUNS[:FILES] if one != noun], chance.randrange(1, 6))
    lines = [f"import {{ {one} }} from './{one}';" for one in sorted(imported)]
    lines += ["import { clock, store } from './runtime';", ""]
    lines += [f"export interface {noun.title()}Input {{", "  id: string;", "  since?: Date;", "}"]
    lines += ["", f"export interface {noun.title()} {{", "  id: string;", "  total: number;"]
    lines += ["  kind: string;", "  checkedAt: Date;", "}", ""]
    for _ in range(FUNCTIONS):
        lines += _function(chance, noun)
    return "\n".join(lines)


def write_files(folder: Path) -> list[Path]:
    """35 modules, the same on every machine."""
    chance = random.Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{NOUNS[number]}.ts" for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_text(source_file(chance, number))
    return paths


FILES_CODE = """\
import re
from collections import Counter
folder = "{folder}"
listing = await {{0}}(path=folder)
names = [l.split()[1] for l in listing["content"].splitlines() if l.endswith(".ts")]
lines, exported, todos, imports = 0, 0, {{{{}}}}, Counter()
for n in names:
    text = (await {{1}}(path=folder + "/" + n))["content"]
    lines += len(text.splitlines())
    exported += len(re.findall(r"^export async function", text, re.M))
    todos[n] = text.count("// TODO")
    imports.update(re.findall(r"from '\\./(\\w+)'", text))
print(len(names), lines, exported, sum(todos.values()))
print(sorted(todos.items(), key=lambda t: (-t[1], t[0]))[:5])
print(imports.most_common(4))"""


def file_work(folder: Path, server: Path) -> Work:
    """Count lines, exports, notes and imports of 35 modules."""
    paths = write_files(folder)
    texts = {path.name: path.read_text() for path in paths}
    notes = {name: text.count("// TODO") for name, text in texts.items()}
    exported = sum(text.count("\nexport async function") for text in texts.values())
    lines = sum(len(text.splitlines()) for text in texts.values())
    most = min(notes, key=lambda name: (-notes[name], name))
    imports = Counter(
        line.split("'./")[1].rstrip("';")
        for text in texts.values()
        for line in text.splitlines()
        if line.startswith("import")
    )
    first = imports.most_common(2)[1]
    return Work(
        f"{FILES} files read and summed up",
        {"files": [str(server), str(folder)]},
        [
            Call("files", "list_directory", {"path": str(folder)}),
            *(Call("files", "read_text_file", {"path": str(path)}) for path in paths),
        ],
        ["list the files of a folder", "read a text file"],
        [("files", "list_directory"), ("files", "read_text_file")],
        FILES_CODE.format(folder=folder),
        [f"{FILES} {lines} {exported} {sum(notes.values())}", most, str(first[1])],
    )


# ── 1,000 rows ────────────────────────────────────────────────────────────────────────────────────

TABLES = f"""
CREATE TABLE customers (id int PRIMARY KEY, name text, region text, tier text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, amount_cents int, state text, day date);
INSERT INTO customers SELECT i, 'customer ' || i, (ARRAY{list(REGIONS)})[1 + i * 7 % 4],
  (ARRAY['gold', 'silver', 'plain'])[1 + i * 5 % 3] FROM generate_series(1, {CUSTOMERS}) i;
INSERT INTO orders SELECT i, 1 + i * 37 % {CUSTOMERS}, 500 + i * 7919 % 90000,
  (ARRAY{list(STATES)})[1 + i * 11 % 4], DATE '2026-01-01' + i % 300
  FROM generate_series(1, {ORDERS}) i;
"""
JOIN = (
    "SELECT o.id, o.amount_cents, o.state, o.day, c.name, c.region, c.tier "
    "FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id"
)


class Order(NamedTuple):
    """A row of the join, reckoned here as the database reckons it."""

    id: int
    amount_cents: int
    region: str


def orders() -> list[Order]:
    """All of them, without a database."""
    found = []
    for i in range(1, ORDERS + 1):
        customer = 1 + i * 37 % CUSTOMERS
        found.append(Order(i, 500 + i * 7919 % 90000, REGIONS[customer * 7 % 4]))
    return found


JOIN_CODE = """\
from collections import defaultdict
rows = await {{0}}(sql="{sql}")
by = defaultdict(list)
for r in rows:
    by[r["region"]].append(r["amount_cents"])
for region in sorted(by):
    a = sorted(by[region])
    m = a[len(a) // 2]
    print(region, len(a), sum(a), m, sum(1 for x in a if x > 1.9 * m))"""


def join_work(address: str, server: Path) -> Work:
    """By region: orders, sum, median, and how many lie far above it."""
    groups: dict[str, list[int]] = {}
    for order in orders():
        groups.setdefault(order.region, []).append(order.amount_cents)
    lines = []
    for region in sorted(groups):
        amounts = sorted(groups[region])
        middle = amounts[len(amounts) // 2]
        far = sum(one > 1.9 * middle for one in amounts)
        lines.append(f"{region} {len(amounts)} {sum(amounts)} {middle} {far}")
    return Work(
        f"{ORDERS:,} joined rows of a database",
        {"database": [str(server), address]},
        [Call("database", "query", {"sql": JOIN})],
        ["query the database with sql"],
        [("database", "query")],
        JOIN_CODE.format(sql=JOIN),
        lines,
    )


# ── rows against a file ───────────────────────────────────────────────────────────────────────────

PAYMENTS = "payments.csv"
CROSS_CODE = """\
import csv
text = (await {{1}}(path="{path}"))["content"]
paid = {{{{}}}}
for r in list(csv.reader(text.splitlines()))[1:]:
    paid.setdefault(int(r[0]), []).append(int(r[1]))
rows = await {{0}}(sql="{sql}")
missing = [r["id"] for r in rows if r["id"] not in paid]
twice = [i for i in paid if len(paid[i]) > 1]
wrong = [r["id"] for r in rows if len(paid.get(r["id"], [])) == 1
  and paid[r["id"]][0] != r["amount_cents"]]
print(len(rows), missing, twice, wrong)"""


class Payments(NamedTuple):
    """What is wrong with a list of payments."""

    missing: list[int]
    twice: list[int]
    wrong: list[int]


def write_payments(path: Path) -> Payments:
    """A payment an order, but for some."""
    chance = random.Random(SEED + 1)
    odd = chance.sample(range(1, ORDERS + 1), 15)
    told = Payments(sorted(odd[:5]), sorted(odd[5:10]), sorted(odd[10:]))
    lines = ["order_id,amount_cents,paid_at,reference"]
    for order in orders():
        amount = order.amount_cents + (100 if order.id in told.wrong else 0)
        times = 0 if order.id in told.missing else 2 if order.id in told.twice else 1
        line = f"{order.id},{amount},2026-11-{1 + order.id % 28:02d},RF{order.id * 97 % 99991:05d}"
        lines += [line] * times
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return told


def cross_work(address: str, database: Path, folder: Path, files: Path) -> Work:
    """Which orders are not paid, paid twice, or paid with another sum."""
    path = folder / PAYMENTS
    told = write_payments(path)
    return Work(
        f"{ORDERS:,} rows of a database against a file",
        {"database": [str(database), address], "files": [str(files), str(folder)]},
        [
            Call("database", "query", {"sql": JOIN}),
            Call("files", "read_text_file", {"path": str(path)}),
        ],
        ["query the database with sql", "read a text file"],
        [("database", "query"), ("files", "read_text_file")],
        CROSS_CODE.format(path=path, sql=JOIN),
        [f"{ORDERS} {told.missing} {told.twice} {told.wrong}"],
    )
