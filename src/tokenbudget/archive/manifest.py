"""What an archive folder holds: its records, how they are written down, and which are believed.

`manifest.json` is one canonical JSON object: the same records always give the same bytes, and
`sha256`, at its end, is the hash of the object without it. So no byte of it can change unseen. The
hash has no key: it finds damage; against intent, `checked` and recovery trust no name and no size.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal, NamedTuple

from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system.regular_file import quoted

FORMAT = "tokenbudget/archive/1"
FILE_FORMAT = "tokenbudget/archive-file/1"
NAME = "manifest.json"
_FORMAT_END = f'"format":"{FORMAT}"}}'.encode()
_TAIL_BYTES = len(b',"sha256":""}\n') + 64
SUFFIX = ".zst"

Layout = Literal["per-file", "solid"]

_SESSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_ARCHIVE_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}-[0-9a-f]{16}\.zst")
_SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_NAME_BYTES, MOST_PART_BYTES = 4_000, 255


class Caps(NamedTuple):
    """What no honest archive exceeds; the caller may raise them for one that does."""

    files: int = 20_000
    bytes: int = 16 << 30
    ratio: int = 20_000
    ratio_free_bytes: int = 256 << 20
    """Up to here any ratio is harmless; a megabyte of zeros shrinks to 60 bytes."""


CAPS = Caps()


class FileRecord(NamedTuple):
    """One file of a session: its name below the session's projects folder, and where it was."""

    session: str
    name: str
    path: str
    size_bytes: int
    mode: int
    mtime_ns: int
    sha256: str


class ArchiveRecord(NamedTuple):
    """One archive file, with one session or several of the same projects folder.

    `marked_at_ms` is when it was marked for deletion, if it was.
    """

    file: str
    layout: Layout
    archived_at_ms: int
    size_bytes: int
    sha256: str
    files: tuple[FileRecord, ...]
    marked_at_ms: int | None = None

    @property
    def sessions(self) -> tuple[str, ...]:
        """The sessions in it, in the order of their first files."""
        return tuple(dict.fromkeys(file.session for file in self.files))

    def files_of(self, session: str) -> tuple[FileRecord, ...]:
        """The files of one session, in their order; none where it is not in it."""
        return tuple(file for file in self.files if file.session == session)

    @property
    def raw_bytes(self) -> int:
        """What the files hold together, uncompressed."""
        return sum(file.size_bytes for file in self.files)

    @property
    def last_activity_ns(self) -> int:
        """The latest time at which one of the files was written."""
        return max(file.mtime_ns for file in self.files)


class Manifest(NamedTuple):
    """Every archive of a folder, in the order in which they were made."""

    archives: tuple[ArchiveRecord, ...] = ()

    def of_session(self, session: str) -> tuple[ArchiveRecord, ...]:
        """The archives that hold a session, the newest last."""
        found = [record for record in self.archives if record.files_of(session)]
        return tuple(sorted(found, key=lambda record: record.archived_at_ms))

    def with_archive(self, record: ArchiveRecord) -> Manifest:
        """The manifest with this archive in it, instead of one of the same file name."""
        return Manifest((*self.without({record.file}).archives, record))

    def without(self, files: set[str]) -> Manifest:
        """The manifest without the archives of these file names."""
        return Manifest(tuple(record for record in self.archives if record.file not in files))


def encoded(manifest: Manifest) -> bytes:
    """The manifest as it is written: always the same bytes for the same records."""
    body = _canonical(
        {"archives": [_fields(record) for record in manifest.archives], "format": FORMAT}
    )
    return body[:-1] + _tail(body)


def _tail(body: bytes) -> bytes:
    """What stands in the file instead of the body's last brace."""
    return b',"sha256":"%s"}\n' % hashlib.sha256(body).hexdigest().encode()


def decoded(data: bytes, path: str) -> Manifest:
    """The manifest in these bytes; `path` is for messages.

    Raises:
        SourceUnreadable: any byte of it is not as it was written.
        Refused: a newer version of this program wrote it.
    """
    body = data[:-_TAIL_BYTES] + b"}"
    try:
        if data[-_TAIL_BYTES:] != _tail(body) or not body.endswith(_FORMAT_END):
            raise ValueError("not the bytes that were written")
        return Manifest(tuple(_record(told) for told in json.loads(body)["archives"]))
    except _NOT_OURS as wrong:
        if _is_newer(data):
            raise Refused(
                f"{quoted(path)} was written by a newer version; update this program"
            ) from wrong
        raise SourceUnreadable(
            f"{quoted(path)} is damaged; it can be rebuilt from the archive files beside it"
        ) from wrong


_NOT_OURS = (ValueError, KeyError, TypeError, RecursionError)
_ARCHIVE_TYPES = (str, str, int, int, str, list, int)
_FILE_TYPES = (str, str, str, int, int, int, str)


def _record(told: dict[str, Any]) -> ArchiveRecord:
    """A record out of its JSON object; raises one of `_NOT_OURS` where it is none.

    By hand, for msgspec takes longer to be imported than a thousand sessions take to be looked at.
    """
    values = [told[name] for name in ArchiveRecord._fields]
    is_marked = values[-1] is not None
    types = _ARCHIVE_TYPES if is_marked else (*_ARCHIVE_TYPES[:-1], type(None))
    if len(told) != len(values) or tuple(map(type, values)) != types:
        raise TypeError("not the fields of an archive")
    if values[1] not in ("per-file", "solid"):
        raise ValueError("no such layout")
    values[5] = tuple(map(_file, values[5]))
    return ArchiveRecord._make(values)


def _file(told: dict[str, Any]) -> FileRecord:
    values = [told[name] for name in FileRecord._fields]
    if len(told) != len(values) or tuple(map(type, values)) != _FILE_TYPES:
        raise TypeError("not the fields of a file")
    return FileRecord._make(values)


def header_of(record: ArchiveRecord) -> bytes:
    """What stands at the start of the archive file, so that it can be read without a manifest."""
    whole = _fields(record)
    told = {name: whole[name] for name in ("files", "layout")}
    return _canonical({**told, "format": FILE_FORMAT})


def from_header(header: bytes, file: str) -> ArchiveRecord:
    """The record that a header tells of; times, size and hash of the archive file are unset.

    Raises:
        SourceUnreadable: the header is not one that we write.
    """
    try:
        told = json.loads(header)
        unset = {"archived_at_ms": 0, "size_bytes": 0, "sha256": "", "marked_at_ms": None}
        record = _record({"file": file, "layout": told["layout"], "files": told["files"], **unset})
        if header_of(record) != header:
            raise ValueError("not the bytes that were written")
    except _NOT_OURS as wrong:
        raise SourceUnreadable(f"the archive {quoted(file)} is damaged") from wrong
    return record


def archive_file_name(record: ArchiveRecord) -> str:
    """Named after its first session and its content: no two archives have one name."""
    return f"{record.files[0].session}-{hashlib.sha256(header_of(record)).hexdigest()[:16]}{SUFFIX}"


def is_archive_file(name: str) -> bool:
    """Whether an archive of ours could have this name; it is then a bare one."""
    return _ARCHIVE_FILE.fullmatch(name) is not None


def checked(record: ArchiveRecord, caps: Caps = CAPS) -> ArchiveRecord:
    """The record itself, if everything that it asks for may be done.

    Raises:
        Refused: a name leads out of the folder, clashes, or is none; or it is too large.
    """
    where = quoted(record.file)
    if not record.files or len(record.files) > caps.files:
        raise Refused(f"the archive {where} holds {len(record.files):,} files; it is left alone")
    if not is_archive_file(record.file) or not all(map(_SESSION.fullmatch, record.sessions)):
        raise Refused(f"the archive {where} has an impossible name; it is left alone")
    for file in record.files:
        _check_file(file, where)
    _check_clashes([file.name for file in record.files], where)
    raw = record.raw_bytes
    is_bomb = raw > caps.ratio_free_bytes and raw > caps.ratio * max(record.size_bytes, 1)
    if raw > caps.bytes or is_bomb:
        raise Refused(f"the archive {where} would unpack to {raw:,} bytes; raise the limit first")
    return record


def _check_file(file: FileRecord, where: str) -> None:
    parts = file.name.split("/")
    is_hostile = (
        "\0" in file.name
        or any(part in ("", ".", "..") for part in parts)
        or any(len(_in_bytes(part)) > MOST_PART_BYTES for part in parts)
        or len(_in_bytes(file.name)) > MOST_NAME_BYTES
    )
    if is_hostile:
        raise Refused(f"the archive {where} names a file {quoted(file.name)}; it is left alone")
    is_odd = file.size_bytes < 0 or not 0 <= file.mode <= 0o777 or file.mtime_ns < 0
    if is_odd or not _SHA256.fullmatch(file.sha256):
        raise Refused(f"the archive {where} says impossible things of {quoted(file.name)}")


def _check_clashes(names: list[str], where: str) -> None:
    """No file twice, and none that is also the folder of another."""
    taken = set(names)
    folders = {name[:at] for name in names for at, letter in enumerate(name) if letter == "/"}
    if len(taken) != len(names) or taken & folders:
        raise Refused(f"the archive {where} holds one name twice; it is left alone")


def _fields(record: ArchiveRecord) -> dict[str, Any]:
    return {**record._asdict(), "files": [file._asdict() for file in record.files]}


def _in_bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _is_newer(data: bytes) -> bool:
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        return False
    written = loaded.get("format") if isinstance(loaded, dict) else None
    is_ours = isinstance(written, str) and re.fullmatch(r"tokenbudget/archive/\d+", written)
    return bool(is_ours) and written != FORMAT


def _canonical(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
