"""Studies as the ledger keeps them: MessagePack, a tuple an array."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.study import FileStudy


def encoded(studies: tuple[FileStudy, ...]) -> bytes | None:
    """Studies as they are kept, without what the ledger knows itself; None where they cannot be."""
    import msgspec

    plain = tuple(one._replace(path="", project="", branch="") for one in studies)
    try:
        return msgspec.msgpack.encode(plain)
    except UnicodeEncodeError:  # a lone surrogate in a name
        return msgspec.msgpack.encode(_encodable(plain))
    except OverflowError:  # money beyond 64 bits, by a price of one's own
        return None


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return [_encodable(part) for part in value] if isinstance(value, tuple) else value


def decoded(body: bytes) -> tuple[FileStudy, ...] | None:
    """The studies that were kept as `body`; None for what is none of them."""
    import msgspec

    from tokenbudget.analysis.study import FileStudy

    try:
        return msgspec.msgpack.decode(body, type=tuple[FileStudy, ...])
    except (msgspec.MsgspecError, ValueError):
        return None
