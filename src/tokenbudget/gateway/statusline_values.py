"""What the agent and the collector tell the status line: read as JSON, believed with care.

One of the files that `statusline` is made of; what it says there of imports holds here too.
"""

Table = dict[str, object]

INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class _Scanning:
    """What the scanner of `_json` asks its owner for; NaN and Infinity are unknown."""

    strict = False
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int

    @staticmethod
    def parse_constant(_: str) -> None:
        """NaN, Infinity."""


def _scan(text: str, at: int = 0) -> object:
    try:
        from _json import make_scanner
    except ImportError:
        from json import JSONDecoder

        return JSONDecoder(strict=False).raw_decode(text, at)[0]
    return make_scanner(_Scanning)(text, at)[0]  # type: ignore[arg-type]


def parsed(data: bytes) -> Table:
    """A JSON object; of a damaged one the model, where it can be read; else nothing.

    A fault comes as ValueError, or before Python 3.12 as SystemError where `json` is not imported.
    """
    text = data.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    try:
        value = _scan(text)
        return value if isinstance(value, dict) else {}
    except (ValueError, StopIteration, RecursionError, SystemError):
        pass
    try:
        found = text.find('"model":{')
        return {"model": _scan(text, found + 8)} if found >= 0 else {}
    except (ValueError, StopIteration, RecursionError, SystemError):
        return {}


def written(value: object) -> str:
    """As compact JSON in ASCII."""
    try:
        from _json import encode_basestring_ascii, make_encoder
    except ImportError:
        from json import dumps

        return dumps(value, separators=(",", ":"), allow_nan=False)
    encoder = make_encoder(None, repr, encode_basestring_ascii, None, ":", ",", False, False, False)
    return "".join(encoder(value, 0))


def table(told: Table, name: str) -> Table:
    """A part that is itself an object; empty where it is something else."""
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def number(told: Table, name: str) -> float | None:
    """A number from 0 to a million billions; `None` is unknown."""
    value = told.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15:
        return value
    return None


def clean(value: object, most: int) -> str:
    """Text as it may stand in a line: nothing that moves, hides or reverses; cut to `most`."""
    text = value[: 4 * most] if isinstance(value, str) else ""
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            [
                sign
                for sign in text
                if sign.isprintable()
                and sign not in INVISIBLE
                and not "\ufe00" <= sign <= "\ufe0f"
                and not "\U000e0100" <= sign <= "\U000e01ef"
            ]
        )
    return text[:most]


def is_fit_session(session: object) -> bool:
    """Whether a session's id may name a file."""
    return (
        isinstance(session, str)
        and 0 < len(session) <= 128
        and session[0] not in ".-"
        and SAFE.issuperset(session)
    )
