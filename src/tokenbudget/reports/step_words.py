"""What a step would change in a file, line by line, before it is made."""

from __future__ import annotations

import json
import os
from difflib import unified_diff

from tokenbudget.model.actions import (
    ClientServer,
    EditSettings,
    EditText,
    GatewayRecord,
)
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.model.actions import Step

MOST_LINES = 40


def change_lines(step: Step) -> list[str]:
    """The file, then what it would lose (-) and get (+)."""
    return [one_line(line) for line in _lines(step)]


def _lines(step: Step) -> Iterator[str]:
    path = getattr(step, "path", "")
    if isinstance(step, EditText):
        new = " (a new file)" if step.before is None else ""
        yield f"{os.path.basename(path)}{new}"
        changes = unified_diff(
            (step.before or "").splitlines(), step.after.splitlines(), lineterm="", n=1
        )
        shown = [line for line in list(changes)[2:] if not line.startswith("@@")]
        yield from shown[:MOST_LINES]
        if len(shown) > MOST_LINES:
            yield f"… and {len(shown) - MOST_LINES:,} more lines"
    elif isinstance(step, EditSettings):
        name = os.path.basename(path)
        yield f".claude/{name}" if name.startswith("settings.") else name
        for edit in step.edits:
            if edit.is_gone:
                yield f"- {'.'.join(edit.keys)}"
                continue
            sign = "+" if edit.is_member else "="
            yield f"+ {'.'.join(edit.keys)} {sign} {json.dumps(edit.value)}"
    elif isinstance(step, ClientServer):
        sign = "+" if step.change == "add" else "-"
        yield f"the client's own servers ({step.scope})"
        yield f"{sign} {step.server}"
    elif isinstance(step, GatewayRecord):
        yield "behind the gateway"
        yield from (f"- {name}" for name in step.servers)
    else:
        yield path
