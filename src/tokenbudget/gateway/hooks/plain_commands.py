"""Whether a command is made of words that mean nothing but themselves; and those words."""

LONGEST = 1_000
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+=:,- ")
"""What in a command means nothing but itself."""


def plain_words(command: str) -> "list[str]":
    """The words of the one program that it runs, what stands in quotes as `_`; none in doubt.

    `cd FOLDER && ` before it and ` 2>&1` behind it are taken off.
    """
    if len(command) > LONGEST or "\n" in command:
        return []
    plain = _without_quoted(command.strip()).removesuffix(" 2>&1")
    first, joint, rest = plain.partition(" && ")
    if joint and first.startswith("cd "):
        if not PLAIN.issuperset(first):
            return []
        plain = rest
    return plain.split() if PLAIN.issuperset(plain) else []


def _without_quoted(command: str) -> str:
    """The command with what stands in quotes as one plain word; not plain where that is not."""
    parts = command.replace('"', "'").split("'")
    if len(parts) % 2 == 0 or ('"' in command and "'" in command):
        return "\0"
    if any(sign in "\\$`!" or not sign.isprintable() for part in parts[1::2] for sign in part):
        return "\0"  # of spaces that are none of ASCII a client asks, whatever a rule allows
    return "_".join(parts[::2])
