"""Every sentence that hooks say: a fact, a number, an action, in at most 40 tokens each.

What comes out of a session (commands, paths, errors) is data: one line, cut, in quotes.
"""

from tokenbudget.gateway.statusline_line import short_count
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = ("healthy", "warning", "critical", "emergency")
LABEL_COST, FILE_COST, ERROR_COST = 12.0, 14.9, 25.0
"""What a label, a path and an error may cost, in tokens; see `cut`."""
FAILURE_COSTS = (16.0, 29.0)
"""A label and an error once they are stored: with the mark of what was cut."""
LARGEST_COST = 10.0
"""What fills most, where a threshold is named: the sentence around it takes up to 29 tokens."""
OUTPUT = " output"
"""What `recording` adds to a command: one token, which is never cut."""
PLAIN_OPTIONS = ("-m", "--")
"""What an option may be in a command's label."""
SOME_COMMAND = "command"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-")
_RARE = frozenset("jqxz")
"""Letters that share a token with few others."""
KEEP = "Keep exactly:"
"""How the words for a summary begin; `gateway.hook_client` knows them by that."""
LONGEST_LABEL = 60
MOST_SHARES_NAMED = 4
MOST_FILES_NAMED = 4
CHARS_PER_TOKEN = 4

STANDARD_TOKENS, STANDARD_FULL = 200_000, 167_000
"""Of this window a client lets so much be filled before it compacts by itself (2.0.76 to 2.1.329,
measured; without auto-compaction it refuses from 177,000 on): 90 % are never reached."""
NEAR_TOKENS = 10_000
NEARLY_FULL = (
    f"Usable to ~{short_count(STANDARD_FULL)}: finish this step, note what is open, ask for"
    " /compact; delegate searches."
)

_ADVICE = (
    # From which share on; what to do then.
    (0.9, "You must compact or start anew: finish this step, note what is open, ask for /compact."),
    (0.8, "Delegate searches to a subagent"),
    (0.7, "Filter output (grep, tail)"),
    (0.0, "Read ranges, not files"),
)


def window_share(used: int, size: int) -> str:
    """`81% (162K/200K)`; the per cent are those that are reached."""
    return f"{100 * used // size}% ({short_count(used)}/{short_count(size)})"


def crossing(used: int, size: int, largest: "Sequence[tuple[str, int]]") -> str:
    """A threshold is reached."""
    share = used / size
    if size == STANDARD_TOKENS and STANDARD_FULL - NEAR_TOKENS <= used < STANDARD_FULL:
        return f"ctx {window_share(used, size)}. {NEARLY_FULL}"
    advice = next(words for least, words in _ADVICE if share >= least)
    if share >= 0.9:
        return f"ctx {window_share(used, size)}. {advice}"
    named = ""
    if largest:
        label, chars = largest[0]
        named = f'; largest: "{_shorter(label)}" ~{_tokens(chars)}'
    return f"ctx {window_share(used, size)}. {advice}{named}."


def level_changed(used: int, size: int, level: int) -> str:
    """The level of health is another one."""
    return f"ctx {window_share(used, size)}: {LEVELS[min(level, 3)]}."


def session_begins(
    used: int | None, size: int | None, thresholds: "Sequence[float]", stop: str
) -> str:
    """What is known of the budget as a session begins."""
    facts = []
    if size is not None:
        ctx = f"ctx {window_share(used, size)}" if used else f"Context window {short_count(size)}"
        facts.append(ctx)
    if thresholds and facts:  # without a window's size it would be words and no fact
        named = [f"{round(100 * one)}" for one in thresholds]
        named[1:-1] = named[1:-1] if len(named) <= MOST_SHARES_NAMED else ["\u2026"]
        facts.append(f"you are told at {'/'.join(named)}%")
    if stop:
        facts.append(f"hard stop at {stop}")
    return "; ".join(facts) + "." if facts else ""


def stopped(used: int | None, size: int | None, stop: str) -> str:
    """The limit that the person has set is reached; the person reads it."""
    ctx = f" (ctx {window_share(used, size)})" if used and size else ""
    return f"tokens: stopped at your limit hooks.stop_at={stop}{ctx}. /compact, /clear or raise it."


def read_again(path: str, tokens: int) -> str:
    """A read is denied."""
    return (
        f'"{tail_of(path)}" is unchanged and still in ctx, ~{short_count(tokens)} tokens. Repeat'
        " the call to read it anyway."
    )


def huge_output(chars: int) -> str:
    """A command is denied."""
    return (
        f"This puts ~{_tokens(chars)} tokens into ctx. Narrow it (grep, head, tail, offset), or"
        " repeat the call to run it as it is."
    )


def output_goes_to(path: str) -> str:
    """A command goes on in the background; the path is ours."""
    return f"Until it ends its output is in {one_line(path)}"


def output_is_in(path: str) -> str:
    """A command was ended before it ended by itself; the path is ours."""
    return f"Its output until then, for a day: {one_line(path)}"


def output_until_then(lines: int, handle: str) -> str:
    """A command was ended before it ended by itself."""
    return f"Its output until then, {lines:,} lines: tokens recall {handle}"


def compacted(before: int, after: int) -> str:
    """What a compaction has freed."""
    if after and before > after:
        freed = short_count(before - after)
        return f"Compacted: {short_count(before)} to {short_count(after)}, {freed} freed."
    return f"Compacted at {short_count(before)}." if before else ""


def kept(files: "Sequence[str]", failure: "Sequence[str]") -> str:
    """What was in use before a compaction; at most 120 tokens."""
    said = []
    if files:
        named = ", ".join([f'"{tail_of(path)}"' for path in files[-MOST_FILES_NAMED:]])
        said.append(f"Files in use: {named}.")
    if failure:
        label, error = (cut(one, most) for one, most in zip(failure, FAILURE_COSTS, strict=True))
        said.append(f'Unresolved: "{label}" failed: "{error}".')
    return " ".join(said)


def to_be_kept(files: "Sequence[str]", label: str, folder: str) -> str:
    """What a summary is asked to keep; '' where nothing can be named.

    A model reads it as an order. So only plain names go into it: one that could be read as a
    sentence is left out.
    """
    from tokenbudget.analysis.compact_focus import plain_name  # at a compaction alone

    names = [plain_name(path, folder) for path in files]
    named = ", ".join([f'"{name}"' for name in dict.fromkeys(names) if name][-MOST_FILES_NAMED:])
    tried = label.split()
    is_plain = bool(tried) and all(plain_name(word, "") for word in tried)
    said = [f"the paths of the files in use {named}"] if named else []
    if is_plain:
        said.append(f'the unresolved error of "{" ".join(tried)[:LONGEST_LABEL]}"')
    return f"{KEEP} {'; '.join(said)}." if said else ""


def resumed_cold(tokens: float, usd: "float | None") -> str:
    """What going on with an old session costs; the person reads it."""
    return (
        f"tokens: this session's cache has expired: the first prompt writes {short_count(tokens)}"
        f" tokens again{_about(usd)}. A new session (/clear) starts without them."
    )


def switched(from_model: str, to_model: str, tokens: float, usd: "float | None") -> str:
    """What another model costs; the person reads it."""
    return (
        f"tokens: {cut(from_model, ERROR_COST)} to {cut(to_model, ERROR_COST)}: the warm cache is"
        f" lost, {short_count(tokens)} tokens are written again{_about(usd)}."
    )


def _about(usd: "float | None") -> str:
    return f", about ${usd:,.2f}" if usd is not None and usd >= 0.005 else ""


# ── labels ────────────────────────────────────────────────────────────────────────────────────────


def cut(text: str, cost: float) -> str:
    """As much of a text as may cost so many tokens, at worst; in one line, without quotes.

    Words take a third of that; the cost is that of random characters, and of bytes elsewhere.
    """
    text = "".join([sign for sign in one_line(text[:400]) if sign.isprintable()])
    text = text.replace('"', "'").strip()
    before = " "
    for at, sign in enumerate(text):
        cost -= _cost(before, sign)
        before = sign
        if cost < 0:
            return text[:at].rstrip() + "\u2026"
    return text


def tail_of(path: str, cost: float = FILE_COST) -> str:
    """The end of a path, which tells more than its beginning."""
    shown = cut(path[:-401:-1], cost)
    return shown[-1:] * shown.endswith("\u2026") + shown.removesuffix("\u2026")[::-1]


def command_label(command: str) -> str:
    """A command by its first plain words.

    No variable, option or address: a password often stands in one. This is kept, and may be said.
    """
    named: list[str] = []
    for word in command[:400].split():
        if not named and "=" in word:
            continue  # a variable before the program
        is_plain = word in PLAIN_OPTIONS or (word[0] != "-" and _PLAIN.issuperset(word))
        if len(named) == 3 or not is_plain:
            break
        named.append(word)
    return cut(" ".join(named) or SOME_COMMAND, LABEL_COST)


def _shorter(label: str) -> str:
    """A stored label, as short as it has to be beside a threshold."""
    if label.endswith(OUTPUT):
        return cut(label.removesuffix(OUTPUT), LARGEST_COST - 1) + OUTPUT
    return tail_of(label.removeprefix("\u2026"), LARGEST_COST)


def _cost(before: str, sign: str) -> float:
    is_word = "a" <= before <= "z" and "a" <= sign <= "z"
    if is_word and before not in _RARE and sign not in _RARE:
        return 0.75
    return len(sign.encode("utf-8", "replace"))


def _tokens(chars: int) -> str:
    return short_count(chars / CHARS_PER_TOKEN)
