"""Text from elsewhere, made harmless for the place where it will be shown.

Titles, paths and session names come out of transcripts and may hold anything. Every sink has its
own trap: a terminal obeys escapes, a mail header ends at a line break, a chat turns `@everyone`
and `<!channel>` into a call to everybody and a bare address into a link.
"""

from __future__ import annotations

from tokenbudget.model import plain_text

LONGEST_LINE = 200
"""Characters of one hostile field that are shown; a title of 10 kB is not a title."""

_CHAT = {
    ord("@"): "\uff20",  # full width: a mention needs the real sign
    ord("<"): "\u2039",  # `<!channel>`, `<@U1>` and `<https://…|text>` need the real bracket
    ord(">"): "\u203a",
    ord("&"): "\uff06",  # full width: neither side then reads an entity
    ord("["): "(",
    ord("]"): ")",
}
_MARKDOWN = "\\`*_~|#"


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """The text in one line, without anything that is not seen; cut with `…` when too long."""
    cut = text[: longest * 4]  # what is dropped must not cost more than what is shown
    words = plain_text.one_line(cut.replace("\r", " ")).split()
    flat = " ".join(filter(None, map(_printable, words)))
    if len(flat) <= longest and len(cut) == len(text):
        return flat
    return flat[: longest - 1] + "…"


def lines(text: str, longest: int = 4_000) -> str:
    """Several lines: breaks are kept, everything else as in `one_line`."""
    kept = "\n".join(one_line(line, longest) for line in text[: longest * 4].split("\n"))
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def mail_header(text: str) -> str:
    """A header's value: one line, so that no second header can begin in it."""
    return one_line(text, 150)


def chat(text: str) -> str:
    """Plain text for a chat: no mention, no link, no entity."""
    return _defanged(lines(text, 1_800).translate(_CHAT))


def chat_markdown(text: str) -> str:
    """The same where Markdown is read and a backslash keeps a sign as it is, as in Discord."""
    return "".join(f"\\{c}" if c in _MARKDOWN else c for c in chat(text))


def _defanged(text: str) -> str:
    return text.replace("://", "[:]//").replace("www.", "www[.]")


def _printable(word: str) -> str:
    return word if word.isprintable() else "".join(filter(str.isprintable, word))
