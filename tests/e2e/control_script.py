"""What the model does in the session that fills its window, and the sources that it reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.e2e.conversation import SUMMARY_SCRIPT
from tests.e2e.scripted_answers import Script, Scripts, Step, text, tool_use

PARTS, PART_FUNCTIONS = 30, 100
"""Sources to be read, one in a step, each a twentieth of the usable window: more than ever fit."""
_WORDS = (
    ("check", "collect", "convert", "count", "deliver", "divide", "estimate", "refund", "sort"),
    ("address", "basket", "coupon", "discount", "invoice", "parcel", "price", "stock", "voucher"),
    ("Aarhus", "Bologna", "Cardiff", "Dresden", "Evora", "Gdansk", "Lisbon", "Malmo", "Utrecht"),
)
WORKED_ON = "src/app.py"
"""What the session edits; its last line says how often."""
EDITS = 6


def scripts(project: Path) -> Scripts:
    """Look at the file that is worked on, edit it, and read on and on."""
    app = str(project / WORKED_ON)
    done = Step((text("Done."),))
    edits = {f"edit-{number}": [_edit(app, number), done] for number in range(EDITS)}
    return {
        **edits,
        "look": [Step((tool_use("Read", file_path=app),)), done],
        **{f"read-{number}": [_read(project, number), done] for number in range(PARTS)},
        **{f"work-{first}": [*_work(project, first), done] for first in range(PARTS)},
        SUMMARY_SCRIPT: [Step((text(_summary()),))],
    }


def _work(project: Path, first: int) -> Script:
    steps = []
    for number in range(first, PARTS):
        steps.append(_read(project, number))
        check = tool_use("Bash", command=f"check-step {number}", description="Check the step")
        steps.append(Step((check,)))
    return steps


def _read(project: Path, number: int) -> Step:
    return Step((tool_use("Read", file_path=str(project / part_of(number))),))


def _edit(path: str, number: int) -> Step:
    was, now = (f"edited {count}" for count in (number, number + 1))
    return Step((tool_use("Edit", file_path=path, old_string=was, new_string=now),))


def _summary() -> str:
    """Of a usual length, about 1,500 tokens."""
    rows = [f"{n}. {part_of(n)} was read; its rates are computed alike." for n in range(90)]
    words = "\n".join(rows)
    return f"<analysis>Looked back.</analysis>\n<summary>\n{words}\n</summary>"


# ── what there is to read ────────────────────────────────────────────────────────────────────────


def part_of(number: int) -> str:
    """The path of a source inside the project."""
    return f"src/part_{number:02}.py"


def source(number: int) -> str:
    """A source as people write them, of which no line stands in another one."""
    return "\n".join(_function(number, each) for each in range(PART_FUNCTIONS))


def _function(number: int, each: int) -> str:
    digest = hashlib.sha256(f"{number}/{each}".encode()).digest()
    verb, thing, place = (words[digest[n] % len(words)] for n, words in enumerate(_WORDS))
    name = f"{verb}_{thing}_{number}_{each}"
    return (
        f"def {name}(order: Order, region: str) -> Money:\n"
        f'    """{verb.capitalize()} the {thing} of an order to {place}, by rule {each}."""\n'
        f"    {thing} = order.{thing}_of(region, season={digest[3] % 12}, rate={digest[4]})\n"
        f"    return {thing}.{verb}(order.customer, currency_of({place!r}), days={digest[5]})\n"
    )
