"""The line itself: from what is known to what is printed. Pure: no file, no clock, no process.

One of the files that `statusline` is made of; what it says there of imports holds here too.
"""

TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from tokenbudget.gateway.statusline_values import Table, clean, number, table
else:
    from statusline_values import Table, clean, number, table

TEMPLATE = "{model}  {health} {bar} {percent}  {burn} {left}  {cost}  {limits}  {cache}  {alerts}"
MOST_PIECES = 64

LEVELS = ("healthy", "warning", "critical", "emergency")
SHARES = (0.50, 0.75, 0.90)
COLOURS = ("\033[32m", "\033[33m", "\033[31m", "\033[1;31m")
SYMBOLS, ASCII_SYMBOLS = "●▲◆✖", "o^#X"
EIGHTHS = " ▏▎▍▌▋▊▉"
OWN = SYMBOLS + EIGHTHS + "█▕⚑…\u2013"
ASCII_OF = {"⚑": "!", "…": "~", "\u2013": "-"}


class Look:
    """How the line is to look."""

    template = TEMPLATE
    width = 80
    is_plain = False
    is_ascii = False


def drawn(told: Table, snapshot: Table, look: Look, now_ms: int) -> str:
    """The line as it is printed, with its colour, without its end."""
    shown, level = segments(told, snapshot, look.is_ascii, now_ms)
    text = ""
    for gap, words, source in fitted(pieces_of(look.template, shown), look.width):
        part = ascii_only(words) if look.is_ascii else words
        is_coloured = not look.is_plain and level >= 0
        if is_coloured and ("{health}" in source or "{bar}" in source):
            part = f"{COLOURS[level]}{part}\033[0m"
        text += (gap if text else "") + part
    return text


def ascii_only(text: str) -> str:
    """Stand-ins for a terminal that cannot show more."""
    return "".join([sign if sign < "\x7f" else ASCII_OF.get(sign, "?") for sign in text])


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


# ── what fits ─────────────────────────────────────────────────────────────────────────────────────


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
