"""What is read out of a session after a run: its value as text, the names that hold values.

All of it is made inside of the sandbox, under its limits, so that no value of the code, however
deep or large, is ever built up in the gateway; what comes back is texts and numbers of known
length, and is checked as well, since code may have put its own `len` in place of the real one.
"""

from __future__ import annotations

import json
import keyword
from typing import NamedTuple

from tokenbudget.gateway.mcp.sandbox_code import VALUE
from tokenbudget.gateway.mcp.sandbox_plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_NAMES = 1_000
OWN = "_tb_"
"""How the names begin that are ours."""

_BUILTINS = (
    "abs all any bin bool bytes chr complex dict divmod enumerate filter float format frozenset "
    "getattr hasattr hash hex id int isinstance iter len list map max min next object oct open ord "
    "pow print range repr reversed round set setattr slice sorted str sum tuple type zip Exception"
)
_TABLE = "{" + ", ".join(f"'{name}': {name}" for name in _BUILTINS.split()) + "}"
PRELUDE = """\
def _tb_plain(v, path, bool=bool, int=int, float=float, str=str, bytes=bytes, dict=dict, list=list,
              tuple=tuple, set=set, frozenset=frozenset, isinstance=isinstance, len=len, id=id,
              type=type, hasattr=hasattr, getattr=getattr):
    if v is None or isinstance(v, (bool, int, float, str)):
        return v
    if isinstance(v, bytes):
        return v.decode('utf-8', 'replace')
    if len(path) > 60 or id(v) in path:
        return '…'
    inner = path + [id(v)]
    if isinstance(v, dict):
        return {k if isinstance(k, str) else str(k): _tb_plain(x, inner) for k, x in v.items()}
    if isinstance(v, (list, tuple, set, frozenset)) or type(v).__name__ == 'deque':
        return [_tb_plain(x, inner) for x in v]
    if hasattr(v, '__dataclass_fields__'):
        return {k: _tb_plain(getattr(v, k), inner) for k in v.__dataclass_fields__}
    if hasattr(v, 'isoformat'):
        return v.isoformat()
    return str(v)
def _tb_text(v, most, str=str, isinstance=isinstance, len=len, type=type, Exception=Exception):
    import json
    try:
        if isinstance(v, str):
            return [True, len(v), v[:most]]
        try:
            text = json.dumps(v, ensure_ascii=False, separators=(',', ':'))
        except Exception:
            text = json.dumps(_tb_plain(v, []), ensure_ascii=False, separators=(',', ':'))
        return [False, len(text), text[:most]]
    except Exception as error:
        text = 'not shown: ' + type(error).__name__
        return [True, len(text), text]
def _tb_names(held, type=type):
    return [k for k, v in held.items() if v is not None
            and not k.startswith('_') and type(v).__name__ not in ('module', 'function', 'type')]
def _tb_size(v, depth, str=str, bytes=bytes, dict=dict, list=list, tuple=tuple, set=set,
             frozenset=frozenset, isinstance=isinstance, len=len, sum=sum):
    if isinstance(v, (str, bytes)):
        return len(v)
    if depth > 4 or not isinstance(v, (list, tuple, set, frozenset, dict)) or not v:
        return 16
    some = list(v.items() if isinstance(v, dict) else v)[:50]
    return 16 + len(v) * sum([_tb_size(x, depth + 1) for x in some]) // len(some)
def _tb_sizes(held):
    return [[k, _tb_size(held[k], 0)] for k in _tb_names(held)]
VALUE = None
def _tb_show(held, most):
    global VALUE, last
    v = VALUE
    VALUE = None
    if v is None:
        return [[], _tb_sizes(held)]
    last = v
    return [_tb_text(v, most), _tb_sizes({**held, 'last': v})]
_tb_builtins = BUILTINS
async def _tb_caught(one, Exception=Exception):
    try:
        return await one
    except Exception as error:
        return error
async def _tb_gather(*several, return_exceptions=False):
    import asyncio
    if return_exceptions:
        several = [_tb_caught(one) for one in several]
    return await asyncio.gather(*several)
""".replace("VALUE", VALUE).replace("BUILTINS", _TABLE)
"""What every session holds before its first run. Code may call a variable `type` or `len`."""


class Shown(NamedTuple):
    """The value of a run as text."""

    is_text: bool
    chars: int
    text: str


NOTHING = Shown(True, 0, "")


def show_code(most_chars: int, assigned: Iterable[str], *, has_value: bool) -> str:
    """The code that gives `shown_of` its answer; it makes the value `last`.

    It is short because a session keeps what it is fed. A variable that code called `list` lives
    for its own run only: the next may mean the real one.
    """
    builtins = _BUILTINS.split()
    own = "".join(f"{name} = _tb_builtins['{name}']\n" for name in assigned if name in builtins)
    shown = f"_tb_show(locals(), {most_chars})" if has_value else "[[], _tb_sizes(locals())]"
    return own + shown


def shown_of(answer: object, most_chars: int) -> tuple[Shown, dict[str, int]] | None:
    """The value, and by name about how large the variables are.

    None where the code got in between.
    """
    if not (isinstance(answer, list) and len(answer) == 2):
        return None
    value, sizes = answer
    if not (isinstance(value, list) and isinstance(sizes, list)):
        return None
    if not value:
        return NOTHING, _sizes_of(sizes)
    if len(value) != 3:
        return None
    is_text, chars, text = value
    if not (isinstance(is_text, bool) and isinstance(chars, int) and isinstance(text, str)):
        return None
    return Shown(is_text, max(chars, len(text)), text[:most_chars]), _sizes_of(sizes)


def taken(names: Iterable[str]) -> str:
    """The first of some names that code may not give a value to; '' where it may to all."""
    return next((one for one in names if one.startswith(OWN) or one == "locals"), "")


def shown_directly(output: object, most_chars: int) -> Shown:
    """The value of code that only the sandbox could read; it has crossed to us as a whole."""
    if output is None:
        return NOTHING
    if isinstance(output, str):
        return Shown(True, len(output), output[:most_chars])
    try:
        text = json.dumps(plain(output), ensure_ascii=False, separators=(",", ":"))
    except ValueError as unplain:
        text = f"not shown: {unplain}"
    return Shown(False, len(text), text[:most_chars])


def _sizes_of(pairs: list[object]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for pair in pairs[:MOST_NAMES]:
        if isinstance(pair, list) and len(pair) == 2:
            name, size = pair
            if is_name(name) and isinstance(size, int):
                sizes[str(name)] = max(0, size)
    return sizes


def without(names: Iterable[str]) -> str:
    """The code that lets variables go."""
    return "\n".join(f"{name} = None" for name in names if is_name(name))


def is_name(name: object) -> bool:
    """Whether something that came out of the sandbox is a name and no more."""
    return isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
