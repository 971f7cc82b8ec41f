"""How a server of `mcpServers` is shown to a person: what starts, and none of its secrets."""

from __future__ import annotations

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SHOWN = 100
LONGEST_PART = 24
"""Of an address: what is longer is a key as a rule, and no name."""


def how(definition: object) -> str:
    """What is started or called: never a variable, a header or what follows a `?`."""
    if not isinstance(definition, dict):
        return ""
    url = definition.get("url")
    if isinstance(url, str) and "command" not in definition:
        plain = url.partition("?")[0]
        scheme, mark, rest = plain.partition("://")
        host, slash, path = rest.partition("/")
        parts = [part if len(part) <= LONGEST_PART else "…" for part in path.split("/")]
        address = f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{'/'.join(parts)}"
        return one_line(address)[:LONGEST_SHOWN]
    args = definition.get("args")
    words = [definition.get("command"), *(args if isinstance(args, list) else ())]
    return one_line(" ".join(_shown_words([str(word) for word in words])))[:LONGEST_SHOWN]


def without_name(name: str, trouble: str) -> str:
    """What is wrong with a server, where its name stands before it already."""
    return trouble.removeprefix(one_line(name)).removeprefix(":").lstrip()


_SECRETS = ("token", "key", "secret", "password", "passwd", "auth", "credential")


def _shown_words(words: Sequence[str]) -> list[str]:
    """A command line as it may be shown: what looks like a secret's value is left out."""
    shown: list[str] = []
    is_value = False
    for word in words:
        option, equals, _ = word.partition("=")
        is_secret = option.startswith("-") and any(one in option.lower() for one in _SECRETS)
        if is_value and not word.startswith(("-", "$")):
            shown.append("…")
        elif equals and (is_secret or any(one in option.lower() for one in _SECRETS)):
            shown.append(f"{option}=…")
        elif "://" in word and "@" in word:
            shown.append(f"{word.partition('://')[0]}://…{word[word.rindex('@') :]}")
        else:
            shown.append(word)
        is_value = is_secret and not equals
    return shown
