"""Hostile text as it may stand in a page: shown letter by letter, never parsed, never run.

Two places in a page take text of others, and each has its function: an element's text or a quoted
attribute (`escaped`), and the JSON that a page's own script reads (`script_json`). No other place
may hold any: not a script, a style, an unquoted attribute, an address or a comment.
"""

from __future__ import annotations

import json

from tokenbudget.model.plain_text import one_line

_IN_MARKUP = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&#39;",
    ord("`"): "&#96;",  # old browsers quote attributes by it
}
_IN_SCRIPT = {
    # Inside JSON these stand in strings only, where an escape means the same letter.
    ord("<"): "\\u003c",  # no </script>, no <!--, which would change how the rest is read
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",  # no entity, where the page is read as XML
}


def escaped(text: str) -> str:
    """The text for the content of an element or between the quotes of an attribute; one line."""
    return one_line(text).translate(_IN_MARKUP)


def script_json(value: object) -> str:
    """A value for `<script type="application/json">`: ASCII, and nothing in it ends the script.

    Every text in it, keys too, is made one line as for any other sink: a page shows them. A script
    must put them in by `textContent`, never as markup.

    Raises:
        ValueError: a number in it is infinite or none at all, which JSON cannot say.
        TypeError: something in it is no JSON value.
    """
    return json.dumps(_cleaned(value), allow_nan=False, separators=(",", ":")).translate(_IN_SCRIPT)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line(str(key)): _cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value
