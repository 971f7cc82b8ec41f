"""Print one line for the agent's status bar; a file of its own, run by path.

    python -IS statusline.py TOKENS_HOME [--width N] [--plain] [--ascii] [--refresh-with PROGRAM]

`statusline_files.statusline_command` says how it is wired: imported, and so kept compiled.

The agent runs this often and waits for it. So it imports nothing of ours and nothing but modules
written in C (`json` only where `_json` lacks its scanner, and for the name of a fault in damaged
JSON), never opens the ledger, and has a time limit for every step. It reads the agent's JSON from
stdin and one snapshot that the collector keeps, prints, then appends what it was told to a spool
that the collector takes, and starts at most one refresh. Any fault makes the line shorter; it
always ends with exit code 0 and a silent stderr. The formats are in docs/statusline.md;
`statusline_files` is their other side.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would import enum: 4 ms
import posix
import sys
import time

FORMAT = "tokenbudget/statusline/1"
SPOOL_FORMAT = "tokenbudget/statusline-spool/1"
FOLDER = "/statusline"
SPOOL = "/spool/statusline.jsonl"
SPOOL_FULL = "/spool/statusline.full.jsonl"
LOCK = "/statusline/refresh.lock"
TEMPLATE = "/statusline.template"
DEFAULT_TEMPLATE = (
    "{model}  {health} {bar} {percent}  {burn} {left}  {cost}  {limits}  {cache}  {alerts}"
)

STDIN_BYTES = 1 << 20
STDIN_SECONDS = 0.15
STEP_SECONDS = 0.3
"""For building the line, and again for what follows; a busy machine needs some room."""
SNAPSHOT_BYTES = 1 << 16
TEMPLATE_BYTES = 1 << 11
MOST_PIECES = 64
SPOOL_LINE_BYTES = 4000  # below the 4 KB that one write puts down whole on any file system
SPOOL_ROOM_BYTES = (1 << 20) - (1 << 16)  # writers that come at once still end below 1 MB
REFRESH_MS = 5_000
REFRESH_LOST_MS = 60_000
"""After this a refresh that still runs no longer keeps others from starting."""
OLD_MS = 300_000
"""A snapshot behind its transcript for longer than this no longer says how fast it burns."""

LEVELS = ("healthy", "warning", "critical", "emergency")
SHARES = (0.50, 0.75, 0.90)
COLOURS = ("\033[32m", "\033[33m", "\033[31m", "\033[1;31m")
SYMBOLS, ASCII_SYMBOLS = "●▲◆✖", "o^#X"
EIGHTHS = " ▏▎▍▌▋▊▉"
OWN = SYMBOLS + EIGHTHS + "█▕⚑…\u2013"
ASCII_OF = {"⚑": "!", "…": "~", "\u2013": "-"}
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")

KEPT = (  # what of the agent's JSON goes to the spool, all of it numbers or yes and no
    (
        "context_window",
        "total_input_tokens total_output_tokens context_window_size used_percentage",
    ),
    (
        "cost",
        "total_cost_usd total_duration_ms total_api_duration_ms total_lines_added"
        " total_lines_removed",
    ),
    (
        "prompt_cache",
        "warm caching_observed expires_at requests misses expected_rebuilds hit_ratio"
        " cache_write_tokens miss_recache_tokens last_miss_at recache_tokens_if_cold",
    ),
)
USAGE = "input_tokens output_tokens cache_creation_input_tokens cache_read_input_tokens"
MOST_LIMITS = 8

Table = dict[str, object]


class TimeUp(BaseException):
    """The time for one step is over."""


class Options:
    """How the line is to look: from the arguments, else from the environment."""

    def __init__(self, arguments: list[str], environment: dict[bytes, bytes]) -> None:
        self.home = arguments[0] if arguments else ""
        given = arguments[1:]
        self.width = _width(
            _after(given, "--width"), environment.get(b"COLUMNS", b"").decode("ascii", "replace")
        )
        self.is_plain = (
            "--plain" in given
            or bool(environment.get(b"NO_COLOR"))
            or environment.get(b"TERM") == b"dumb"
        )
        self.is_ascii = "--ascii" in given or _names_no_utf8(environment)
        self.refresh_with = _after(given, "--refresh-with")


def _after(given: list[str], name: str) -> str:
    return given[given.index(name) + 1] if name in given[:-1] else ""


def _width(*candidates: str) -> int:
    for text in candidates:
        if text.isascii() and text.isdecimal() and len(text) < 5 and int(text):
            return int(text)
    return 80


def _names_no_utf8(environment: dict[bytes, bytes]) -> bool:
    for name in (b"LC_ALL", b"LC_CTYPE", b"LANG"):
        locale = environment.get(name)
        if locale:
            has_other = b"." in locale and b"utf" not in locale.lower()
            return has_other or locale in (b"C", b"POSIX")
    return False


# ── time and files ────────────────────────────────────────────────────────────────────────────────


def limit(seconds: float, action: object) -> None:
    """From now on this step has so many seconds; 0 lifts the limit."""
    _signal.signal(_signal.SIGALRM, action)
    _signal.setitimer(_signal.ITIMER_REAL, seconds)


def raise_time_up(*_: object) -> None:
    """End the step by an exception."""
    raise TimeUp


def leave(*_: object) -> None:
    """End the process, well and at once: nothing here needs the interpreter's own farewell."""
    posix._exit(0)  # noqa: SLF001 - its public name is in os


def read_stdin() -> bytes:
    """What comes until the end, the size limit or the time limit, whichever is first."""
    parts = []
    room = STDIN_BYTES
    try:
        limit(STDIN_SECONDS, raise_time_up)
        while room:
            try:
                part = posix.read(0, min(room, 1 << 16))
            except BlockingIOError:
                posix.set_blocking(0, True)
                continue
            if not part:
                break
            parts.append(part)
            room -= len(part)
    except (OSError, TimeUp):
        pass
    limit(STEP_SECONDS, raise_time_up)
    return b"".join(parts)


def read_file(path: str, most_bytes: int) -> bytes:
    """The beginning of a file; nothing where there is none. Does not wait for a named pipe."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        return posix.read(descriptor, most_bytes)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────


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


def _written(value: object) -> str:
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


# ── where things are ──────────────────────────────────────────────────────────────────────────────


def is_fit_session(session: object) -> bool:
    """Whether a session's id may name a file."""
    return (
        isinstance(session, str)
        and 0 < len(session) <= 128
        and session[0] not in ".-"
        and SAFE.issuperset(session)
    )


def snapshot_of(told: Table, home: str) -> Table:
    """The collector's snapshot of this session, with `is_fresh` and `is_old` added."""
    session = told.get("session_id")
    if not home or not is_fit_session(session):
        return {"is_fresh": True}  # nobody could refresh it
    snapshot = parsed(read_file(f"{home}{FOLDER}/{session}.json", SNAPSHOT_BYTES))
    if snapshot.get("format") != FORMAT or snapshot.get("session") != session:
        snapshot = {}
    is_fresh = _is_fresh(snapshot, told.get("transcript_path"))
    made_at_ms = number(snapshot, "made_at_ms") or 0
    snapshot["is_fresh"] = is_fresh
    snapshot["is_old"] = not is_fresh and time.time_ns() // 1_000_000 - made_at_ms > OLD_MS
    return snapshot


def _is_fresh(snapshot: Table, transcript: object) -> bool:
    """Whether it was made from the transcript as it is; without one there is nothing to make."""
    if not isinstance(transcript, str):
        return bool(snapshot)
    try:
        found = posix.stat(transcript)
    except (OSError, ValueError):
        return True
    return (
        snapshot.get("transcript_bytes") == found.st_size
        and snapshot.get("transcript_mtime_ms") == found.st_mtime_ns // 1_000_000
    )


# ── the segments: each in a roomy and in a short form ─────────────────────────────────────────────


def short_count(count: float) -> str:
    """Three digits at most: 840, 1.6K, 84.1K, 200K, 1.24M."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= size * 0.9995:
            scaled = count / size
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            text = f"{scaled:.{digits}f}"
            return (text.rstrip("0").rstrip(".") if digits else text) + unit
    return f"{count:.0f}"


def short_time(seconds: float) -> str:
    """45s, 2m, 1h10m, 2d21h."""
    if seconds < 60:
        return f"{int(seconds)}s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 1440:
        return f"{minutes // 60}h{minutes % 60:02}m"
    return f"{minutes // 1440}d{minutes % 1440 // 60}h"


def model_name(told: Table, snapshot: Table) -> str:
    """`opus-5-5` for `claude-opus-5-5-20260801`; the display name where there is no id."""
    model = table(told, "model")
    name = clean(model.get("id"), 64) or clean(told.get("model"), 64)
    name = name or clean(model.get("display_name"), 64) or clean(snapshot.get("model"), 64)
    name = name[name.find("claude-") + 7 :] if "claude-" in name else name
    stem, _, date = name.rpartition("-")
    return (stem if stem and len(date) == 8 and date.isdecimal() else name).strip()[:24]


def segments(
    told: Table, snapshot: Table, is_ascii: bool, now_ms: int
) -> tuple[dict[str, tuple[str, str]], int]:
    """What can be shown, by the name that a template uses, and the health level, -1 unknown."""
    window = table(told, "context_window")
    size = number(window, "context_window_size") or number(snapshot, "window_tokens")
    used = number(window, "total_input_tokens") or number(snapshot, "total_tokens")
    model = model_name(told, snapshot)
    shown = {"model": (model, model)}
    level = -1
    if size and size >= 1 and used is not None:
        level = _level(used / size, snapshot)
        symbol = (ASCII_SYMBOLS if is_ascii else SYMBOLS)[level]
        percent = f"{100 * used / size:.0f}% of {short_count(size)}"
        shown["health"] = (f"{symbol} {LEVELS[level]}", symbol)
        shown["bar"] = (_bar(used / size, 10, is_ascii), _bar(used / size, 5, is_ascii))
        shown["percent"] = (percent, percent)
        free = max(0, size - used - (number(snapshot, "reserve_tokens") or 0))
        shown["free"] = (f"{short_count(free)} free",) * 2
    elif size and size >= 1:
        shown["percent"] = (f"?% of {short_count(size)}",) * 2
    if not snapshot.get("is_old"):
        _add_pace(shown, snapshot)
    _add_cost(shown, told, snapshot)
    shown["limits"] = _limits(table(told, "rate_limits"), now_ms)
    shown["cache"] = _cache(table(told, "prompt_cache"), snapshot, now_ms)
    alerts = number(snapshot, "alerts")
    if alerts:
        count = short_count(alerts)
        shown["alerts"] = (f"⚑ {count} alert{'s' * (alerts > 1)}", f"⚑{count}")
    return shown, level


def _level(share: float, snapshot: Table) -> int:
    level = snapshot.get("level")
    if snapshot.get("is_fresh") and level in LEVELS:
        return LEVELS.index(str(level))
    given = snapshot.get("threshold_shares")
    shares = given if isinstance(given, list) and len(given) == 3 else SHARES
    try:
        return sum(share >= each for each in shares)
    except TypeError:
        return sum(share >= each for each in SHARES)


def _bar(share: float, cells: int, is_ascii: bool) -> str:
    eighths = int(min(1, share) * cells * 8 + 0.5)
    if is_ascii:
        return "[" + ("#" * ((eighths + 4) // 8)).ljust(cells) + "]"
    full, part = divmod(eighths, 8)
    return "▕" + ("█" * full + EIGHTHS[part] * (full < cells)).ljust(cells) + "▏"


def _add_pace(shown: dict[str, tuple[str, str]], snapshot: Table) -> None:
    burn = number(snapshot, "burn_tokens_per_minute")
    if burn:
        two_digits = float(f"{burn:.1e}")  # an estimate
        shown["burn"] = (f"{short_count(two_digits)}/min",) * 2
    middle = number(snapshot, "minutes_left_p50")
    if middle is None:
        return
    short = f"~{short_time(middle * 60)}"
    roomy = short
    low, high = number(snapshot, "minutes_left_p10"), number(snapshot, "minutes_left_p90")
    if low is not None and high is not None:
        roomy += f" ({short_time(low * 60)}\u2013{short_time(high * 60)})"
    threshold = clean(snapshot.get("threshold"), 20)
    shown["left"] = (f"{roomy} to {threshold}" if threshold else roomy, short)


def _add_cost(shown: dict[str, tuple[str, str]], told: Table, snapshot: Table) -> None:
    usd = number(table(told, "cost"), "total_cost_usd")
    text = clean(snapshot.get("cost_usd"), 20)
    if usd is None and text.replace(".", "", 1).isdecimal() and text.isascii():
        usd = float(text)
    if usd is not None:
        digits = 4 if 0 < usd < 0.01 else 2
        shown["cost"] = (f"${usd:,.{digits}f}" if usd == 0 or usd >= 0.0001 else "<$0.0001",) * 2


def _limits(limits: Table, now_ms: int) -> tuple[str, str]:
    """Only what the agent itself reports, and only until the window that it speaks of is over."""
    roomy, short = [], []
    for name, label in (("five_hour", "5h"), ("seven_day", "7d")):
        told = table(limits, name)
        percent, resets_at = number(told, "used_percentage"), number(told, "resets_at")
        left = resets_at - now_ms / 1000 if resets_at else 0
        if percent is None or (resets_at and left <= 0):
            continue
        short.append(f"{label} {percent:.0f}%")
        roomy.append(short[-1] + (f" (resets in {short_time(left)})" if resets_at else ""))
    return " ".join(roomy), " ".join(short)


def _cache(told: Table, snapshot: Table, now_ms: int) -> tuple[str, str]:
    hit, cold_at = number(told, "hit_ratio"), number(told, "expires_at")
    is_warm = told.get("warm")
    if not told and not snapshot.get("is_old"):
        hit, cold_at_ms = number(snapshot, "cache_hit_share"), number(snapshot, "cache_cold_at_ms")
        cold_at = cold_at_ms / 1000 if cold_at_ms else None
        is_warm = {"warm": True, "cold": False}.get(str(snapshot.get("cache")))
    left = cold_at - now_ms / 1000 if cold_at else 0
    hits = f" {100 * min(1, hit):.0f}%" if hit is not None else ""
    if is_warm and left > 0:
        return f"cache hit{hits}, cold in {short_time(left)}", f"cache{hits} {short_time(left)}"
    if is_warm is False or (cold_at and left <= 0):
        return f"cache hit{hits}, cold now", f"cache{hits} cold"
    return (f"cache hit{hits}", f"cache{hits}") if hits else ("", "")


# ── the line ──────────────────────────────────────────────────────────────────────────────────────


def pieces_of(template: str, shown: dict[str, tuple[str, str]]) -> list[list[str]]:
    """What stands between spaces, as [roomy, short, space before it, its source]; empty ones go."""
    pieces = []
    gap = ""
    for source in template.split(" ")[: 4 * MOST_PIECES]:
        if source:
            roomy, short, has_names = _filled(source, shown)
            if short or not has_names:
                pieces.append([roomy, short or roomy, gap, source])
                gap = ""
            gap = gap or " "
        else:
            gap = "  "
    return pieces[:MOST_PIECES]


def _filled(source: str, shown: dict[str, tuple[str, str]]) -> tuple[str, str, bool]:
    """One piece with its names replaced; empty where none of them has anything to show."""
    first, *others = source.split("{")
    roomy = short = first
    is_empty = True
    for other in others:
        name, _, rest = other.partition("}")
        value = shown.get(name, ("", ""))
        is_empty = is_empty and not value[1]
        roomy += value[0] + rest
        short += value[1] + rest
    return ("", "", True) if others and is_empty else (roomy, short, bool(others))


def columns(text: str) -> int:
    """The columns that it takes at most: what may be wide counts as two."""
    if text.isascii():
        return len(text)
    return sum([1 if _is_narrow(sign) else 2 for sign in text])


def _is_narrow(sign: str) -> bool:
    return (
        sign < "\u1100"
        or "\u2010" <= sign <= "\u2319"
        or "\u2500" <= sign <= "\u25fc"
        or sign in OWN
    )


def fitted(pieces: list[list[str]], width: int) -> list[tuple[str, str, str]]:
    """As (space, text, source): as roomy as it can be, else closer, else without the last ones.

    The alert mark outlasts the others: it is why somebody looks.
    """
    line = [(gap, short, source) for _, short, gap, source in pieces]
    if line and _taken(line) <= width:
        return _widened(line, pieces, width)
    line = [(" " if gap else "", short, source) for gap, short, source in line]
    while len(line) > 1 and _taken(line) > width:
        others = [at for at, piece in enumerate(line) if "{alerts}" not in piece[2]]
        del line[others[-1] if len(others) > 1 else -1]
    return [(gap, cut(text, width), source) for gap, text, source in line]


def _widened(
    line: list[tuple[str, str, str]], pieces: list[list[str]], width: int
) -> list[tuple[str, str, str]]:
    """With the roomy form of every piece for which there is still room, from the left."""
    room = width - _taken(line)
    for at, (roomy, short, gap, source) in enumerate(pieces):
        more = columns(roomy) - columns(short)
        if 0 < more <= room:
            line[at] = (gap, roomy, source)
            room -= more
    return line


def _taken(line: list[tuple[str, str, str]]) -> int:
    # The first piece has no space before it, whatever was before it.
    return sum([columns(text) + len(gap) for gap, text, _ in line]) - len(line[0][0])


def cut(text: str, width: int) -> str:
    """The text, or what fits of it and a mark."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 1:
        text = text[:-1]
    return text + "…" if width > 0 else ""


def line_of(told: Table, snapshot: Table, options: Options, now_ms: int) -> str:
    """The line as it is printed, with its colour, without its end."""
    template = DEFAULT_TEMPLATE
    if options.home:
        own = read_file(options.home + TEMPLATE, TEMPLATE_BYTES).decode("utf-8", "replace")
        template = clean(own.partition("\n")[0], TEMPLATE_BYTES).strip() or template
    shown, level = segments(told, snapshot, options.is_ascii, now_ms)
    text = ""
    for gap, words, source in fitted(pieces_of(template, shown), options.width):
        part = ascii_only(words) if options.is_ascii else words
        is_coloured = not options.is_plain and level >= 0
        if is_coloured and ("{health}" in source or "{bar}" in source):
            part = f"{COLOURS[level]}{part}\033[0m"
        text += (gap if text else "") + part
    return text


def ascii_only(text: str) -> str:
    """Stand-ins for a terminal that cannot show more."""
    return "".join([sign if sign < "\x7f" else ASCII_OF.get(sign, "?") for sign in text])


# ── afterwards: what the collector needs ──────────────────────────────────────────────────────────


def spool_line(told: Table, at_ms: int) -> bytes:
    """The compact record of what the agent said; nothing when it said nothing of use."""
    session = told.get("session_id")
    if not is_fit_session(session):
        return b""
    transcript = told.get("transcript_path")
    kept: Table = {"format": SPOOL_FORMAT, "at_ms": at_ms, "session_id": session}
    kept["model"] = clean(table(told, "model").get("id"), 64)
    kept["version"] = clean(told.get("version"), 32)
    for name, fields in KEPT:
        part = _plain(table(told, name), fields)
        usage = _plain(table(table(told, name), "current_usage"), USAGE)
        if usage:
            part["current_usage"] = usage
        if part:
            kept[name] = part
    limits = {
        name: _plain(table(table(told, "rate_limits"), name), "used_percentage resets_at")
        for name in list(table(told, "rate_limits"))[:MOST_LIMITS]
        if is_fit_session(name) and len(name) <= 32
    }
    if limits:
        kept["rate_limits"] = limits
    if isinstance(transcript, str) and len(transcript) <= 1024:
        kept["transcript_path"] = transcript
    line = _written(kept).encode() + b"\n"
    if len(line) > SPOOL_LINE_BYTES:
        kept.pop("transcript_path", None)
        line = _written(kept).encode() + b"\n"
    return line if len(line) <= SPOOL_LINE_BYTES else b""


def _plain(told: Table, fields: str) -> Table:
    """Those fields that are numbers or yes and no."""
    kept: Table = {}
    for name in fields.split():
        value = told.get(name)
        if isinstance(value, bool) or number(told, name) is not None:
            kept[name] = value
    return kept


def append(home: str, line: bytes) -> None:
    """Add a line to the spool, in one write, so that lines of many processes stay whole."""
    path = home + SPOOL
    flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NONBLOCK
    try:
        descriptor = posix.open(path, flags, 0o600)
    except FileNotFoundError:
        _make_folders(home, "/spool")
        descriptor = posix.open(path, flags, 0o600)
    if posix.fstat(descriptor).st_size > SPOOL_ROOM_BYTES:
        _set_aside(descriptor, path, home + SPOOL_FULL)
        descriptor = posix.open(path, flags, 0o600)
        if posix.fstat(descriptor).st_size > SPOOL_ROOM_BYTES:
            return
    posix.write(descriptor, line)


def _set_aside(descriptor: int, path: str, full: str) -> None:
    """Make room: the full spool takes the place of the one before it. Only one process does so."""
    try:
        posix.lockf(descriptor, posix.F_TLOCK, 0)
        if posix.stat(path).st_ino == posix.fstat(descriptor).st_ino:
            posix.rename(path, full)
    except OSError:  # another one is at it
        pass


def _make_folders(home: str, *names: str) -> None:
    for path in (home, *[home + name for name in names]):
        try:  # noqa: SIM105 - contextlib is not written in C
            posix.mkdir(path, 0o700)
        except FileExistsError:
            pass


def refresh(home: str, session: str, program: str, now_ms: int) -> None:
    """Start one refresh, unless one runs or has begun in the last 5 seconds.

    The lock is the kernel's, so that it ends with its holder; the file's time says when the last
    refresh began, its content which process that is.
    """
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NONBLOCK
    try:
        lock = posix.open(home + LOCK, flags, 0o600)
    except FileNotFoundError:
        _make_folders(home, FOLDER)
        lock = posix.open(home + LOCK, flags, 0o600)
    posix.lockf(lock, posix.F_TLOCK, 0)  # raises where another one is deciding
    found = posix.fstat(lock)
    age_ms = now_ms - found.st_mtime_ns // 1_000_000
    pid = posix.read(lock, 20)
    is_recent = bool(pid) and -REFRESH_MS < age_ms < REFRESH_MS
    if is_recent or (0 <= age_ms < REFRESH_LOST_MS and _is_alive(pid)):
        return
    posix.pwrite(lock, b"0".ljust(20), 0)
    posix.pwrite(lock, str(_start(home, session, program)).encode().ljust(20), 0)


def _is_alive(pid: bytes) -> bool:
    text = pid.strip()
    if not text.isdigit() or int(text) <= 1:
        return False
    try:
        posix.kill(int(text), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _start(home: str, session: str, program: str) -> int:
    """Start the refresh: its own session, no terminal, nothing of the agent's folder imported."""
    command = [program] if program else [sys.executable, "-I", "-m", "tokenbudget"]
    command += [] if program else ["refresh-statusline"]
    null = posix.open("/dev/null", posix.O_RDWR)
    return posix.posix_spawn(
        command[0],
        [*command, session],
        {**posix.environ, b"TOKENS_HOME": home.encode("utf-8", "surrogateescape")},
        file_actions=[(posix.POSIX_SPAWN_DUP2, null, n) for n in (0, 1, 2)],
        setsid=True,
    )


def hand_on(told: Table, snapshot: Table, options: Options, now_ms: int) -> None:
    """Tell the collector, and wake it when the snapshot is behind; faults stay here."""
    if not options.home:
        return
    try:
        line = spool_line(told, now_ms)
        if line:
            append(options.home, line)
    except (OSError, ValueError):
        pass
    if not snapshot["is_fresh"]:
        refresh(options.home, str(told["session_id"]), options.refresh_with, now_ms)


def main() -> None:
    """Print the line, then do the rest; whatever happens, end well and silently."""
    try:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGALRM])
        _run(Options(sys.argv[1:], posix.environ), time.time_ns() // 1_000_000)
    finally:
        leave()


def _run(options: Options, now_ms: int) -> None:
    told: Table = {}
    snapshot: Table = {"is_fresh": True}
    try:
        told = parsed(read_stdin())
        snapshot = snapshot_of(told, options.home)
        text = line_of(told, snapshot, options, now_ms)
    except BaseException:  # noqa: BLE001 - the agent's bar must not break, whatever it is
        text = _least(told, options)
    limit(STEP_SECONDS, leave)
    try:  # noqa: SIM105
        posix.write(1, text.encode("utf-8", "replace") + b"\n")
    except OSError:  # nobody listens; the collector still wants to know
        pass
    limit(STEP_SECONDS, leave)
    hand_on(told, snapshot, options, now_ms)


def _least(told: Table, options: Options) -> str:
    try:
        name = cut(model_name(told, {}), options.width)
    except BaseException:  # noqa: BLE001 - as above
        return ""
    return ascii_only(name) if options.is_ascii else name


if __name__ == "__main__":
    main()
