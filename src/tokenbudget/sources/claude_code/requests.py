"""Whole API requests, rebuilt from the lines in which a transcript records them.

Read from Claude Code 2.1.300 to 2.1.329; no other version is known to write such lines. They are
undocumented, so they enrich and nothing depends on them: whatever is unknown is named, and nothing
raises. An `api-request` line names its messages by hash, the tools and the system prompt (the
shape) by another, and carries a digest of the whole, which proves a rebuilt request.
"""

# No `from __future__ import annotations`: see decoder.py.
import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Raw

from tokenbudget.sources.claude_code.request_lines import (
    MARKS,
    Entry,
    cache_marks,
    entry_of,
    object_of,
    response_key,
)
from tokenbudget.sources.claude_code.request_messages import (
    Json,
    Mark,
    Spoken,
    SpokenLines,
    digest_of,
    hash_of,
    listed,
    message_hash,
    unlisted,
)


class RecordedRequest(NamedTuple):
    """One request, by the names of its parts."""

    id: str
    offset: int
    """Position of its line."""
    query_source: str
    model: str
    shape_hash: str
    hashes: tuple[str, ...]
    """Of its messages, in order; empty where the request that it builds upon is unknown."""
    is_chain_whole: bool


class Body(NamedTuple):
    """A request rebuilt as far as it is known, without billing header and cache marks."""

    system: list[Json]
    tools: list[Json]
    messages: list[Json]
    params: Json
    cache_marks: tuple[Mark, ...]
    """Where the request marked something for the cache, and with what."""
    missing_hashes: tuple[str, ...]
    """Messages, or the shape, that stand nowhere; '' for one that has no name either."""
    mismatched_hashes: tuple[str, ...]
    """Of parts that are there, but do not have the hash that they are named by."""
    unknown_before: int
    """Messages at the beginning of which not even the hash is known."""
    is_proven: bool
    """The whole, its cache marks included, has the digest that the client recorded."""

    @property
    def is_whole(self) -> bool:
        """Whether every part of it was found."""
        return not self.missing_hashes and not self.unknown_before


NO_BODY = Body([], [], [], {}, (), ("",), (), 0, False)


class _Recorded(NamedTuple):
    """An `api-request` line."""

    offset: int
    entry: Entry
    params: Json


class RequestRecorder:
    """Take a transcript's lines in order; afterwards give back whole requests.

    A subagent's file holds everything of its own requests. A fork's copies of older answers name
    requests of the file that it was forked from: both files' lines can be given, in any order.
    `reread` gives the line at an offset again; without it messages are kept in memory.
    """

    def __init__(self, reread: Callable[[int], bytes] | None = None) -> None:
        self.responses: dict[str, str] = {}
        """The request behind each response, by the response's key (`message.id`)."""
        self._reread = reread
        self._recorded: dict[str, _Recorded] = {}
        self._shapes: dict[str, int | bytes] = {}
        self._blobs: dict[str, int | bytes] = {}
        self._spoken = SpokenLines(lambda place: self._part(place, "message"))

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in the order of the lines."""
        known: dict[str, tuple[str, ...]] = {}
        found = []
        for request_id, recorded in self._recorded.items():
            request = self._request(request_id, recorded, known)
            if request.is_chain_whole:
                known[request_id] = request.hashes
            found.append(request)
        return found

    def request(self, request_id: str) -> RecordedRequest | None:
        """The request of this id, if it was recorded."""
        recorded = self._recorded.get(request_id)
        return None if recorded is None else self._request(request_id, recorded, {})

    def add(self, offset: int, line: bytes) -> None:
        """Take one line in; one that is no line of ours, or damaged, is passed over."""
        if not any(mark in line for mark in MARKS):
            return
        entry = entry_of(line)
        match entry.type:
            case "assistant" | "user":
                self._take_spoken(offset, entry)
            case "api-request-blob" if entry.hash is not None:
                self._blobs.setdefault(entry.hash, self._place(offset, entry.message))
            case "api-request-shape" if entry.shape_hash is not None:
                self._shapes.setdefault(entry.shape_hash, self._place(offset, entry.shape))
            case "api-request" if entry.id is not None:
                self._recorded.setdefault(entry.id, _recorded(offset, entry))

    def body(self, request_id: str) -> Body:
        """The request as it was sent; `NO_BODY` if there is none of this id."""
        recorded = self._recorded.get(request_id)
        if recorded is None:
            return NO_BODY
        try:
            return self._rebuilt(recorded)
        except RecursionError:  # nested beyond what can be written again
            return NO_BODY._replace(missing_hashes=tuple(recorded.entry.tail or ()))

    # ── taking lines in ───────────────────────────────────────────────────────────────────────

    def _take_spoken(self, offset: int, entry: Entry) -> None:
        key = response_key(entry)
        if not key and entry.type == "assistant":
            return
        if entry.request_ref:
            self.responses.setdefault(key, entry.request_ref)
        self._spoken.add(entry.uuid, Spoken(key, self._place(offset, entry.message)))

    def _place(self, offset: int, part: Raw) -> int | bytes:
        return bytes(part) if self._reread is None else offset

    def _part(self, place: int | bytes, name: str) -> bytes:
        """The bytes of one part of a line, read again if they were not kept."""
        if isinstance(place, bytes):
            return place
        assert self._reread is not None
        with contextlib.suppress(OSError):
            return bytes(getattr(entry_of(self._reread(place)), name))
        return b""

    # ── the chain of requests ─────────────────────────────────────────────────────────────────

    def _request(
        self, request_id: str, recorded: _Recorded, known: dict[str, tuple[str, ...]]
    ) -> RecordedRequest:
        offset, entry, params = recorded
        hashes, unknown = self._hashes(entry, known)
        model = params.get("model")
        return RecordedRequest(
            request_id,
            offset,
            entry.query_source or "",
            model if isinstance(model, str) else "",
            entry.shape_hash or "",
            () if unknown else tuple(hashes),
            not unknown,
        )

    def _hashes(self, entry: Entry, known: dict[str, tuple[str, ...]]) -> tuple[list[str], int]:
        """The hashes of its last messages, and how many messages before them are unknown.

        `known` are all hashes of requests whose chain is whole.
        """
        hashes = list(entry.tail or ())
        passed = set()
        wanted = _kept(entry)
        while wanted:
            whole = known.get(entry.base or "")
            if whole is not None and wanted <= len(whole):
                return [*whole[:wanted], *hashes], 0
            base = self._recorded.get(entry.base or "")
            if base is None or entry.base in passed:
                return hashes, wanted
            passed.add(entry.base)
            entry = base.entry
            kept, tail = _kept(entry), entry.tail or []
            if wanted > kept + len(tail):
                return hashes, wanted
            hashes[:0] = tail[: max(0, wanted - kept)]
            wanted = min(wanted, kept)
        return hashes, 0

    # ── rebuilding ────────────────────────────────────────────────────────────────────────────

    def _rebuilt(self, recorded: _Recorded) -> Body:
        entry = recorded.entry
        hashes, unknown = self._hashes(entry, {})
        marks = tuple(cache_marks(entry.cache_control))
        marked = {path[1] for path, _ in marks if len(path) > 1 and path[0] == "messages"}
        found = [self._message(name, unknown + at in marked) for at, name in enumerate(hashes)]
        shape = object_of(self._part(self._shapes.get(entry.shape_hash or "", b""), "shape"))
        body = Body(
            system=_objects(shape, "system"),
            tools=_objects(shape, "tools"),
            messages=[message for message in found if message is not None],
            params=recorded.params,
            cache_marks=marks,
            missing_hashes=tuple(_missing(entry, shape, hashes, found)),
            mismatched_hashes=tuple(_mismatched(entry, shape, hashes, found)),
            unknown_before=unknown,
            is_proven=False,
        )
        if shape is None or not body.is_whole:
            return body
        digest = digest_of({**body.params, **shape, "messages": body.messages}, marks)
        return body._replace(is_proven=digest == entry.request_digest)

    def _message(self, wanted: str, is_marked: bool) -> Json | None:
        """The message of this hash, in the form in which it was sent.

        A mark for the cache needs a list, so that a string was recorded as a list of one text if it
        was marked at that time. Unless a line of the conversation knows better, it was a string.
        """
        message = self._spoken.message(wanted)
        if message is None:
            blob = object_of(self._part(self._blobs.get(wanted, b""), "message"))
            message = self._spoken.uncommon(wanted) if blob is None else unlisted(blob)
        return listed(message) if message is not None and is_marked else message


def _missing(
    entry: Entry, shape: Json | None, hashes: list[str], found: list[Json | None]
) -> Iterator[str]:
    yield from (name for name, message in zip(hashes, found, strict=True) if message is None)
    if shape is None:
        yield entry.shape_hash or ""


def _mismatched(
    entry: Entry, shape: Json | None, hashes: list[str], found: list[Json | None]
) -> Iterator[str]:
    for name, message in zip(hashes, found, strict=True):
        if message is not None and message_hash(message) != name:
            yield name
    if shape is not None and entry.shape_hash and hash_of(shape) != entry.shape_hash:
        yield entry.shape_hash


def _recorded(offset: int, entry: Entry) -> _Recorded:
    return _Recorded(offset, entry, object_of(bytes(entry.params)) or {})


def _kept(entry: Entry) -> int:
    """How many messages it takes over from the request that it builds upon."""
    return max(0, entry.keep or 0) if entry.base else 0


def _objects(shape: Json | None, name: str) -> list[Json]:
    found = (shape or {}).get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
