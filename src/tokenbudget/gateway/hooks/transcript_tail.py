"""What the agent has written into a session's transcript since the last time.

Only the end is read: the last response's usage, the client's version, compactions, and whether the
conversation goes on where it was. The counting rule is that of docs/counting.md: one response is
counted once, per field the most of all its lines; lines of subagents are not the main thread's.
"""

import posix
from binascii import crc32

from tokenbudget.gateway.hooks.guards import version_of
from tokenbudget.gateway.hooks.session_state import MOST_RECENT, Tail
from tokenbudget.gateway.hooks.stored_values import label, whole
from tokenbudget.gateway.statusline_values import Table, is_fit_session, parsed, table
from tokenbudget.metering.windows import MILLION_SUFFIX

FIRST_BYTES = 1 << 18
"""Of a transcript that is not known yet; its last response is in there, or it is looked for ..."""
MOST_BYTES = 1 << 22
"""... in this much; and of what is new since the last time no more is read."""
NAMES_SUBAGENTS_FROM = (2, 1, 270)
"""From here on a call of a subagent is known to say whose it is (2.0.76 does not)."""
MARKED_BYTES = 256
COMMAND_SIGNS = ("<command-name>", "<command-message>")
"""How the prompt of a slash command begins; the first says which one it is."""
COMMAND_CHARACTERS = 1_000
SILENT_DROP_TOKENS = 1_000
"""A window that is smaller by more than this has lost something, whatever took it out."""
_USAGE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)


class News:
    """What new lines tell besides what the tail itself holds."""

    __slots__ = ("compactions", "is_lost")

    def __init__(self) -> None:
        self.compactions: list[tuple[str, int, int]] = []
        """Why, and the tokens before and after; 0 is unknown."""
        self.is_lost = False
        """Something may have left the window, or was not seen."""


def read_on(tail: Tail, path: str) -> News:
    """Bring the tail up to date; a transcript that cannot be read tells nothing."""
    news = News()
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except (OSError, ValueError):
        return news
    try:
        found = posix.fstat(descriptor)
        if (found.st_mode & 0o170000) == 0o100000:
            _follow(tail, news, descriptor, found)
    except OSError:
        news.is_lost = True
    finally:
        posix.close(descriptor)
    return news


def _follow(tail: Tail, news: News, descriptor: int, found: posix.stat_result) -> None:
    is_same = tail.inode == found.st_ino and tail.offset <= found.st_size
    if not is_same or tail.mark != _mark(descriptor, tail.offset):
        news.is_lost = news.is_lost or bool(tail.offset)
        tail.inode, tail.offset = found.st_ino, 0
        tail.last_uuid, tail.usage_id = "", ""
        tail.usage = []
        tail.is_continued = False
    is_first = tail.offset == 0
    end = _read_from(tail, news, descriptor, found.st_size, FIRST_BYTES if is_first else MOST_BYTES)
    if is_first and not tail.usage and found.st_size > FIRST_BYTES:
        tail.last_uuid = ""
        end = _read_from(tail, news, descriptor, found.st_size, MOST_BYTES)
    if end != tail.offset:
        tail.offset, tail.mark = end, _mark(descriptor, end)


def _mark(descriptor: int, offset: int) -> int:
    """A sum of the bytes before this offset."""
    begin = max(0, offset - MARKED_BYTES)
    return crc32(posix.pread(descriptor, offset - begin, begin))


def _read_from(tail: Tail, news: News, descriptor: int, size: int, most_bytes: int) -> int:
    """Take the whole lines among the last so many bytes; returns where they end."""
    begin = max(tail.offset, size - most_bytes)
    data = posix.pread(descriptor, size - begin, begin)
    lines = data[: data.rfind(b"\n") + 1]
    if begin > tail.offset:  # what was before is not known, nor how the first line began
        news.is_lost = True
        tail.last_uuid = ""
        _take(tail, news, lines[lines.find(b"\n") + 1 :])
    else:
        _take(tail, news, lines)
    return begin + len(lines) if lines else tail.offset


def _take(tail: Tail, news: News, lines: bytes) -> None:
    for line in lines.split(b"\n"):
        if b'"uuid"' not in line:
            continue
        told = parsed(line)
        if told.get("isSidechain") is True or told.get("agentId"):
            continue
        _take_line(tail, news, told)


def _take_line(tail: Tail, news: News, told: Table) -> None:
    kind = told.get("type")
    version = label(told.get("version"), 32)
    tail.version = version or tail.version
    if kind == "system" and "boundary" in label(told.get("subtype")):
        _take_boundary(tail, news, told)
    elif kind == "assistant":
        _take_response(tail, news, told)
    elif kind == "attachment" or (kind == "user" and not _is_result(told)):
        _take_prompt(tail, news, told, is_prompt=kind == "user" and not told.get("isMeta"))
    tail.last_uuid = label(told.get("uuid")) or tail.last_uuid


def _take_boundary(tail: Tail, news: News, told: Table) -> None:
    """A compaction, whole or of old results alone."""
    news.is_lost = True
    if told.get("subtype") != "compact_boundary":
        return
    known = table(told, "compactMetadata")
    before, after = (whole(known.get(name)) or 0 for name in ("preTokens", "postTokens"))
    news.compactions.append((label(known.get("trigger"), 16) or "unknown", before, after))
    tail.usage, tail.usage_id = [], ""


def _take_prompt(tail: Tail, news: News, told: Table, is_prompt: bool) -> None:
    """A line that goes on elsewhere than at the last one begins another branch: a rewind.

    Of 566 prompts in real transcripts 563 hang on the line before them; results of parallel calls
    do not, and are not asked.
    """
    parent = told.get("parentUuid")
    if tail.last_uuid and parent is not None and parent != tail.last_uuid:
        news.is_lost = True
    if is_prompt:
        tail.is_continued = True
        tail.aside = _command(told)


def _command(told: Table) -> str:
    """The slash command that a prompt is, as `/name`; '' for what a person wrote."""
    content = table(told, "message").get("content")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        content = content[0].get("text")
    if not isinstance(content, str) or not content.startswith(COMMAND_SIGNS):
        return ""
    name = content[:COMMAND_CHARACTERS].partition(COMMAND_SIGNS[0])[2].partition("<")[0]
    return f"/{label(name, 80).lstrip('/')}" if name else ""


def _is_result(told: Table) -> bool:
    content = table(told, "message").get("content")
    parts = content if isinstance(content, list) else []
    return any(isinstance(part, dict) and part.get("type") == "tool_result" for part in parts)


def _take_response(tail: Tail, news: News, told: Table) -> None:
    message = table(told, "message")
    model = label(message.get("model"))
    if model == "<synthetic>" or told.get("isApiErrorMessage") is True:
        return
    key = label(message.get("id")) or label(told.get("requestId")) or label(told.get("uuid"))
    is_aside = _is_aside(tail, model, key)
    if version_of(tail.version) < NAMES_SUBAGENTS_FROM:
        tail.uses = [*tail.uses, *_calls(message)][-MOST_RECENT:]
    usage = message.get("usage")
    if is_aside or not isinstance(usage, dict):
        return
    told_now = [whole(usage.get(name)) or 0 for name in _USAGE]
    if not any(told_now):
        return
    if key == tail.usage_id and tail.usage:
        told_now = [max(pair) for pair in zip(told_now, tail.usage, strict=True)]
    elif tail.usage and sum(told_now[:3]) < sum(tail.usage[:3]) - SILENT_DROP_TOKENS:
        news.is_lost = True
    tail.usage, tail.usage_id = told_now, key


def _is_aside(tail: Tail, model: str, key: str) -> bool:
    """Whether another model, which a slash command named for this turn, answers the only request.

    That adds little, and it counts in its own way; what comes after it may have filled the window.
    The model is noted where it is the session's own.
    """
    # With the suffix the client alone knows that it is that one.
    if model in ("", tail.model) or model + MILLION_SUFFIX == tail.model:
        return False
    if not (tail.aside and tail.model):
        tail.model = model
        return False
    if tail.aside[:1] == "/":
        tail.aside = key
    return key == tail.aside


def _calls(message: Table) -> list[str]:
    content = message.get("content")
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    ids = [part.get("id") for part in parts if part.get("type") == "tool_use"]
    return [str(one) for one in ids if is_fit_session(one) and len(str(one)) <= 64]
