"""An icicle of a profile as one page: component, then tool, then file. No network, no library.

The picture is drawn here, so that it is there without a script, on paper and in a mail; the script
adds zoom, search and units. The page allows nothing but its own style and script, by their hashes:
a name out of a transcript that pretends to be markup stays a name.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import NamedTuple

from tokenbudget.model.figures import counted, cut, short_count
from tokenbudget.model.html_text import escaped, script_json
from tokenbudget.reports.profile_words import (
    missing_notes,
    money,
    percent,
    share,
    state_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Node, Profile

ROW_HEIGHT, GAP = 58, 2
COLOURS = 9
STATIC_WIDTH = 1100
"""Pixels that the picture without a script is laid out for: its labels are cut to it."""
LETTER_WIDTH = 7.2
THINNEST = 0.02
"""Percent of the width: what is thinner is not drawn without a script."""
TABLE_ROWS = 8
"""Parts of a component in the table beneath."""


class IcicleBox(NamedTuple):
    """A node, where it stands; `x` and `width` in percent."""

    number: int
    parent: int
    depth: int
    colour: int
    x: float
    width: float
    node: Node


def icicle_page(profile: Profile, efficiency: Efficiency, zone: Zone) -> str:
    """The whole page."""
    boxes = list(boxes_of(profile.tree, profile.totals))
    folder = Path(__file__).parent
    names = ("profile_icicle_map.css", "profile_icicle.css")
    style = "".join((folder / name).read_text("utf-8") for name in names)
    script = (folder / "profile_icicle.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    title = _title(profile)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{escaped(state_words(profile, zone))}</p>
<p class="quiet">Efficiency: {escaped(efficiency.sentence)}</p>
</header>
<main>
{_tools(profile)}
<p class="crumbs" id="crumbs"></p>
{_map(boxes, profile)}
<p class="detail quiet" id="detail" aria-live="polite">Each box is as wide as what it cost: the
components of the window above, then the tools and kinds of text in them, then files and commands.
What stays in a window is sent, and paid for, with every request.</p>
<h2>The same as a table</h2>
{_table(profile)}
{_notes(profile)}
</main>
<div class="tip" id="tip" hidden></div>
<script type="application/json" id="facts">{script_json(_facts(boxes, profile))}</script>
<script>{script}</script>
</body>
</html>
"""


def icicle_parts(profile: Profile) -> tuple[str, object]:
    """The picture, and the facts that its script wants, for a page that has more to tell.

    Such a page brings `profile_icicle_map.css` and the script, and elements with the ids that the
    script asks for.
    """
    boxes = list(boxes_of(profile.tree, profile.totals))
    return _map(boxes, profile), _facts(boxes, profile)


def _notes(profile: Profile) -> str:
    """How the figures are known, and what makes them too small."""
    known = "The bill is exact; what each box took of it is counted and calibrated."
    notes = [known, *missing_notes(profile)]
    return "\n".join(f'<p class="quiet">{escaped(note)}</p>' for note in notes)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _title(profile: Profile) -> str:
    if not profile.session:
        return "Where the tokens went"
    names = {row.session: row.title for row in profile.sessions}
    name = names.get(profile.session) or profile.session[:8]
    return f"Where the tokens of “{escaped(name)}” went"


def _tools(profile: Profile) -> str:
    has_money = bool(profile.totals.cost_pico_usd)
    units = (
        '<button data-unit="cost" aria-pressed="true">by cost</button>'
        '<button data-unit="tokens" aria-pressed="false">by tokens</button>'
        if has_money
        else ""
    )
    return f"""<div class="tools">
<label for="search">Find</label>
<input id="search" type="search" autocomplete="off" placeholder="a tool, a file, a command">
<output id="found" class="quiet" for="search"></output>
{units}
<button id="whole">show everything</button>
<button id="theme">light or dark</button>
</div>"""


def boxes_of(tree: Node, whole: Amount) -> Iterator[IcicleBox]:
    """Every node from left to right and from above, a parent before its children."""
    number = 0

    def below(
        node: Node, parent: int, depth: int, colour: int, x: float, width: float
    ) -> Iterator[IcicleBox]:
        nonlocal number
        own = number
        number += 1
        yield IcicleBox(own, parent, depth, colour, x, width, node)
        sizes = [share(child.amount, whole) for child in node.children]
        total = sum(sizes)
        for place, (child, size) in enumerate(zip(node.children, sizes, strict=True)):
            part = width * size / total if total > 0 else 0.0
            hue = place % COLOURS if depth == 0 else colour
            yield from below(child, own, depth + 1, hue, x, part)
            x += part

    yield from below(tree, -1, 0, 0, 0.0, 100.0)


def _map(boxes: list[IcicleBox], profile: Profile) -> str:
    depth = max(box.depth for box in boxes)
    height = (depth + 1) * (ROW_HEIGHT + GAP)
    drawn = "\n".join(_drawn(box, profile.totals) for box in boxes)
    return (
        f'<svg id="map" class="map" height="{height}" role="group"'
        f' aria-label="Where the tokens went">\n{drawn}\n</svg>'
    )


def _drawn(box: IcicleBox, whole: Amount) -> str:
    node = box.node
    colour = f"c{box.colour} d{box.depth}" if box.depth else "w"
    hidden = ' visibility="hidden"' if box.width < THINNEST else ""
    text = escaped(f"{node.name}: {_figures(node, whole)}")
    letters = int((box.width / 100 * STATIC_WIDTH - 12) / LETTER_WIDTH)
    label = escaped(cut(node.name, letters)) if letters >= 3 else ""
    part = percent(share(node.amount, whole)) if letters >= 5 else ""
    top = box.depth * (ROW_HEIGHT + GAP)
    return (
        f'<svg class="box {colour}" x="{box.x:.3f}%" y="{top}" width="{max(0.0, box.width):.3f}%"'
        f' height="{ROW_HEIGHT}" role="img"'
        f' tabindex="{0 if box.number == 0 else -1}" aria-label="{text}"{hidden}>'
        f'<title>{text}</title><rect width="100%" height="100%" rx="3"/>'
        f'<text x="7" y="23">{label}</text><text class="part" x="7" y="43">{part}</text></svg>'
    )


def _figures(node: Node, whole: Amount) -> str:
    return (
        f"{percent(share(node.amount, whole))} of all, {money(node.amount)},"
        f" {short_count(node.amount.total_tokens)} tokens"
    )


def _facts(boxes: list[IcicleBox], profile: Profile) -> object:
    """What the script needs of each box; sizes as numbers, the exact ones stand in the JSON."""
    return {
        "unit": "cost" if profile.totals.cost_pico_usd else "tokens",
        "boxes": [
            {
                "parent": box.parent,
                "depth": box.depth,
                "name": box.node.name,
                "cost": box.node.amount.cost_pico_usd / 10**12,
                "tokens": box.node.amount.total_tokens,
                "cost_text": money(box.node.amount),
                "tokens_text": short_count(box.node.amount.total_tokens),
                "times": _times(box.node),
            }
            for box in boxes
        ],
    }


def _times(node: Node) -> int:
    return round(node.amount.prompt_tokens / node.added_tokens) if node.added_tokens else 0


def _table(profile: Profile) -> str:
    rows = []
    for component in profile.tree.children:
        rows.append(_row(component, profile.totals, 1))
        rows += [_row(part, profile.totals, 2) for part in component.children[:TABLE_ROWS]]
        more = len(component.children) - TABLE_ROWS
        if more > 0:
            rows.append(f'<tr class="l2 quiet"><td>and {more} more</td>{"<td></td>" * 5}</tr>')
    head = (
        "<tr><th>What</th><th>Share</th><th>Cost</th><th>Tokens</th>"
        '<th class="wide">Added</th><th class="wide">Sent</th></tr>'
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead>{head}</thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></div>"
    )


def _row(node: Node, whole: Amount, level: int) -> str:
    times = _times(node)
    cells = (
        percent(share(node.amount, whole)),
        money(node.amount),
        short_count(node.amount.total_tokens),
    )
    plain = "".join(f"<td>{escaped(cell)}</td>" for cell in cells)
    often = counted(times, "time") if times else ""
    added = short_count(node.added_tokens) if node.added_tokens else ""
    return (
        f'<tr class="l{level}"><td>{escaped(node.name)}</td>{plain}'
        f'<td class="wide">{added}</td><td class="wide">{often}</td></tr>'
    )
