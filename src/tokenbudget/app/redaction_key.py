"""The key of this machine's pseudonyms: made once, readable by its owner only, never shown."""

from __future__ import annotations

import os

from tokenbudget.model.redaction import KEY_BYTES, Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KEY_NAME = "redaction.key"
PASSING = "the pseudonyms of this run are its own, and no other run's will be like them"


def redactor_of(data_dir: str, warn: Callable[[str], None]) -> Redactor:
    """Pseudonyms under the key in `data_dir`; under a passing one where none can be kept."""
    try:
        return Redactor(_kept_key(data_dir))
    except (OSError, ValueError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is damaged; remove it"
        warn(f"cannot use {os.path.join(data_dir, KEY_NAME)} ({why}): {PASSING}")
        return Redactor(os.urandom(KEY_BYTES))


def _kept_key(data_dir: str) -> bytes:
    path = os.path.join(data_dir, KEY_NAME)
    try:
        return _read(path)
    except FileNotFoundError:
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        _make(path)
        return _read(path)  # another process may have been quicker: then its key is the one


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, KEY_BYTES)
    finally:
        os.close(descriptor)


def _make(path: str) -> None:
    """Whole or not at all, and never in the place of one that is there."""
    aside = f"{path}.{os.urandom(8).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(aside, flags, 0o600)
    try:
        try:
            os.write(descriptor, os.urandom(KEY_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(aside, path)
        except FileExistsError:
            return
    finally:
        os.unlink(aside)
