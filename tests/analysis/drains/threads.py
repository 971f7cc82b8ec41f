"""Made-up threads, told as a story: `thread().prompt("…").read("a.py", text).says("…").view()`.

An answer is open until a call in it is answered: the next thing that the model does then begins a
new request. `asks(calls=2)` begins one whose answer holds two calls; `goes_on(5)` adds five
requests of which nothing is told but that they sent the whole window again.

What a view's numbers come from, so that a test can know them:

- a text of n characters has n // 4 tokens, at least 1, unless a test says otherwise;
- whatever a request sends and the one before it sent too is read from the cache (`READ_USD` a
  token), unless the model changed, `EXPIRY_MS` went by, or something before it left the window;
  all else is written for five minutes (`WRITE_USD`); nothing is plain input;
- what the model writes costs `OUTPUT_USD` a token, and is sent with the next request on;
- requests are a minute apart, and every block and every result is a line of the transcript.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, NamedTuple, Self

from tokenbudget.analysis.command_labels import command_label
from tokenbudget.analysis.thread_view import Call, Seen, ThreadView, Turn
from tokenbudget.model import window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.model.actions import Json

MODEL = "claude-opus-5-5"
NOON_MS = 1_795_176_000_000
MINUTE_MS = 60_000
EXPIRY_MS = 5 * MINUTE_MS
READ_USD = 0.2e-6
WRITE_USD = 5e-6
OUTPUT_USD = 20e-6
TEXT_ERROR = 0.1


def tokens_of(text: str) -> int:
    """What a text counts in these stories."""
    return max(1, len(text) // 4)


def hash_of(text: str) -> int:
    """A number for a text, the same in every run, never 0."""
    return zlib.crc32(text.encode("utf-8", "replace")) + 1


def numbered(text: str, first: int = 1) -> str:
    """Lines as the client shows them when a file is read."""
    return "\n".join(f"{n:6}→{line}" for n, line in enumerate(text.splitlines(), first))


class _Piece:
    """A piece of the window while its story is told."""

    def __init__(
        self, kind: str, name: str, target: str, link: str, text: str, tokens: int
    ) -> None:
        self.kind, self.name, self.target, self.link, self.text = kind, name, target, link, text
        self.tokens = tokens
        self.line = 0
        self.entered = self.left = -1
        self.author = -1
        """The request that wrote it; -1: not the model."""
        self.sent_tokens = 0
        self.sent_usd = 0.0


class _Made(NamedTuple):
    """A call, as far as it is known before the end."""

    turn: int
    name: str
    server: str
    target: str
    arguments: Mapping[str, Json]
    label: str
    is_error: bool
    duration_ms: int | None
    called_at_ms: int
    answered_at_ms: int
    use: _Piece
    result: _Piece | None
    lines: tuple[int | None, int | None, int | None]


class Thread:
    """A story of one thread; every method but `view` returns the story itself."""

    def __init__(
        self,
        thread: str = "",
        *,
        session: str = "s1",
        prefix_tokens: int = 0,
        window_tokens: int = 200_000,
        text_error: float = TEXT_ERROR,
    ) -> None:
        self._names = (session, thread)
        self._window_tokens = window_tokens
        self._text_error = text_error
        self._turns: list[Turn] = []
        self._pieces: list[_Piece] = []
        self._sent: list[_Piece] = []
        """What the last request sent, in order."""
        self._waiting: list[_Piece] = []
        self._calls: list[_Made] = []
        self._compactions: list[tuple[int, str, int]] = []
        self._now_ms = NOON_MS
        self._line = 0
        self._open_calls = 0
        """Calls that the open answer may still hold; 0: no answer is open."""
        self._model = MODEL
        self._is_owned = True
        self._cause = ""
        self._asked_ms = 0
        if prefix_tokens:
            self._put(window.SYSTEM_PROMPT, "", tokens=prefix_tokens)

    # ── what others put in ─────────────────────────────────────────────────────────────────────

    def prompt(self, text: str, tokens: int | None = None) -> Self:
        """A person says something."""
        return self._put(window.PROMPT, text, tokens=tokens)

    def reminder(self, text: str, name: str = "notice") -> Self:
        """The client says something."""
        return self._put(window.REMINDER, text, name)

    def skill(self, name: str, text: str) -> Self:
        """A skill's words."""
        return self._put(window.SKILL_BODY, text, name)

    def image(self, tokens: int, name: str = "", target: str = "") -> Self:
        """A picture in a prompt; with the name of a tool, in its result."""
        return self._put(window.IMAGE, "", name, target, tokens=tokens)

    def attach(self, path: str, text: str, tokens: int | None = None) -> Self:
        """The client tells of a file that changed."""
        return self._put(window.FILE, text, "edited_text_file", path, tokens=tokens)

    # ── requests ───────────────────────────────────────────────────────────────────────────────

    def asks(self, calls: int = 1, *, model: str = "", owned: bool | None = None) -> Self:
        """A request is sent; its answer may hold so many calls."""
        if owned is not None:
            self._is_owned = owned
        self._begin(model or self._model)
        self._open_calls = calls
        return self

    def goes_on(self, requests: int) -> Self:
        """So many requests more, each answered in a word."""
        for _ in range(requests):
            self.asks().says("On.")
            self._open_calls = 0
        return self

    def waits(self, ms: int) -> Self:
        """Time goes by."""
        self._now_ms += ms
        return self

    def says(self, text: str, tokens: int | None = None) -> Self:
        """The model writes a text."""
        return self._write(window.TEXT, text, tokens=tokens)

    def thinks(self, text: str = "", tokens: int | None = None) -> Self:
        """The model thinks."""
        self._write(window.THINKING, text, tokens=tokens)
        turn = self._turns[-1]
        thought = turn.thinking_tokens + self._pieces[-1].tokens
        self._turns[-1] = turn._replace(thinking_tokens=thought)
        return self

    # ── calls ──────────────────────────────────────────────────────────────────────────────────

    def call(
        self,
        name: str,
        arguments: Mapping[str, Json],
        result: str | None,
        *,
        target: str = "",
        label: str = "",
        error: bool = False,
        tokens: int | None = None,
        duration_ms: int | None = None,
        lines: tuple[int | None, int | None, int | None] = (None, None, None),
    ) -> Self:
        """A tool is called; None: it never answers. `lines`: of the file, shown, the first."""
        link = f"toolu_{len(self._calls)}"
        text = name + " " + json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        self._write(window.TOOL_USE, text, name, target)
        use = self._pieces[-1]
        called_at_ms = self._now_ms
        self._now_ms += duration_ms or 0
        answer = None
        if result is not None:
            self._put(window.TOOL_RESULT, result, name, target, link, tokens, closes=False)
            answer = self._pieces[-1]
        server = window.mcp_server(name)
        times = (duration_ms, called_at_ms, self._now_ms if answer else 0)
        self._calls.append(
            _Made(
                len(self._turns) - 1,
                name,
                server,
                target,
                arguments,
                label,
                error,
                *times,
                use,
                answer,
                lines,
            )
        )
        self._open_calls -= 1
        return self

    def read(
        self,
        path: str,
        text: str,
        *,
        offset: int | None = None,
        limit: int | None = None,
        tokens: int | None = None,
        error: bool = False,
    ) -> Self:
        """A file whose whole text is given is read, or a range of it; or that fails with it."""
        arguments: dict[str, Json] = {"file_path": path}
        arguments |= {} if offset is None else {"offset": offset}
        arguments |= {} if limit is None else {"limit": limit}
        if error:
            return self.call("Read", arguments, text, target=path, error=True, tokens=tokens)
        lines = text.splitlines()
        first = offset or 1
        shown = lines[first - 1 : None if limit is None else first - 1 + limit]
        words = numbered("\n".join(shown), first)
        facts = (len(lines), len(shown), first)
        return self.call("Read", arguments, words, target=path, tokens=tokens, lines=facts)

    def edit(self, path: str, old: str, new: str, *, error: str = "") -> Self:
        """A file is edited; or that fails with these words."""
        arguments: dict[str, Json] = {"file_path": path, "old_string": old, "new_string": new}
        result = error or f"The file {path} has been updated."
        return self.call("Edit", arguments, result, target=path, error=bool(error))

    def write(self, path: str, text: str, *, error: str = "") -> Self:
        """A file is written whole."""
        arguments: dict[str, Json] = {"file_path": path, "content": text}
        result = error or f"File created successfully at: {path}"
        return self.call("Write", arguments, result, target=path, error=bool(error))

    def bash(
        self,
        command: str,
        output: str | None,
        *,
        error: bool = False,
        label: str | None = None,
        tokens: int | None = None,
        duration_ms: int | None = None,
    ) -> Self:
        """A shell command runs."""
        return self.call(
            "Bash",
            {"command": command},
            output,
            label=command_label(command) if label is None else label,
            error=error,
            tokens=tokens,
            duration_ms=duration_ms,
        )

    # ── what changes the window ────────────────────────────────────────────────────────────────

    def compact(self, summary: str = "Summary.", trigger: str = "auto") -> Self:
        """The conversation is replaced by a summary."""
        before = self._turns[-1].prompt_tokens + self._turns[-1].output_tokens if self._turns else 0
        self._drop([p for p in self._pieces if p.kind not in window.PREFIX])
        self._compactions.append((len(self._turns), trigger, before))
        self._cause = "compaction"
        return self._put(window.SUMMARY, summary)

    def clear_result(self, call: int) -> Self:
        """The client takes one result out of the window."""
        result = self._calls[call].result
        if result is not None:
            self._drop([result])
            self._cause = "cleared"
        return self

    # ── the end ────────────────────────────────────────────────────────────────────────────────

    def view(self) -> ThreadView:
        """What the detectors see of it."""
        count = len(self._turns)
        told = [p for p in self._pieces if p.entered >= 0 or p.author >= 0]
        seen = {id(p): self._seen(n, p, count) for n, p in enumerate(told)}
        session, thread = self._names
        return ThreadView(
            session=session,
            thread=thread,
            is_subagent=bool(thread),
            turns=tuple(self._turns),
            calls=tuple(_call(n, made, seen) for n, made in enumerate(self._calls)),
            seen=tuple(seen.values()),
            window_tokens=self._window_tokens,
            text_error_share=self._text_error,
            compactions=tuple(c for c in self._compactions if c[0] < count),
        )

    # ── inside ─────────────────────────────────────────────────────────────────────────────────

    def _put(
        self,
        kind: str,
        text: str,
        name: str = "",
        target: str = "",
        link: str = "",
        tokens: int | None = None,
        *,
        closes: bool = True,
    ) -> Self:
        piece = _Piece(
            kind, name, target, link, text, tokens_of(text) if tokens is None else tokens
        )
        self._line += 1
        piece.line = self._line
        self._pieces.append(piece)
        self._waiting.append(piece)
        if closes:
            self._open_calls = 0
        return self

    def _write(
        self, kind: str, text: str, name: str = "", target: str = "", tokens: int | None = None
    ) -> Self:
        if self._open_calls <= 0:
            self.asks()
        author = len(self._turns) - 1
        held, self._open_calls = self._open_calls, 0
        self._put(kind, text, name, target, self._turns[author].key, tokens)
        self._open_calls = held
        piece = self._pieces[-1]
        piece.author = author
        turn = self._turns[author]
        self._turns[author] = turn._replace(
            output_tokens=turn.output_tokens + piece.tokens,
            cost_usd=turn.cost_usd + piece.tokens * OUTPUT_USD,
        )
        return self

    def _begin(self, model: str) -> None:
        number = len(self._turns)
        cause = self._cause or ("model switch" if self._turns and model != self._model else "")
        is_cold = not self._turns or model != self._model
        is_cold = is_cold or self._now_ms + MINUTE_MS - self._asked_ms > EXPIRY_MS
        self._now_ms += MINUTE_MS
        self._asked_ms, self._model = self._now_ms, model
        held = [p for p in self._sent if p.left < 0]
        read = [] if is_cold else _common_start(self._sent, held)
        new, self._waiting = self._waiting, []
        for piece in new:
            piece.entered = number
        self._sent = held + new
        read_ids = {id(p) for p in read}
        for piece in self._sent:
            if self._is_owned:
                rate = READ_USD if id(piece) in read_ids else WRITE_USD
                piece.sent_tokens += piece.tokens
                piece.sent_usd += piece.tokens * rate
        sent = sum(p.tokens for p in self._sent)
        from_cache = sum(p.tokens for p in read)
        self._turns.append(
            Turn(
                number=number,
                key=f"msg_{number}",
                model=model,
                at_ms=self._now_ms,
                line=self._line + 1,
                prompt_tokens=sent,
                input_tokens=0,
                cache_write_5m_tokens=sent - from_cache,
                cache_write_1h_tokens=0,
                cache_read_tokens=from_cache,
                output_tokens=0,
                thinking_tokens=0,
                cost_usd=from_cache * READ_USD + (sent - from_cache) * WRITE_USD,
                read_usd=READ_USD,
                write_usd=WRITE_USD,
                output_usd=OUTPUT_USD,
                cause=cause,
                is_owned=self._is_owned,
            )
        )
        self._cause = ""

    def _drop(self, pieces: list[_Piece]) -> None:
        for piece in pieces:
            if piece.left < 0:
                piece.left = len(self._turns)
        self._waiting = [p for p in self._waiting if p.left < 0]

    def _seen(self, number: int, piece: _Piece, count: int) -> Seen:
        written = 0.0
        if piece.author >= 0 and self._turns[piece.author].is_owned:
            written = piece.tokens * OUTPUT_USD
        return Seen(
            number=number, kind=piece.kind, name=piece.name, target=piece.target, link=piece.link,
            text=piece.text, line=piece.line,
            entered=piece.entered if piece.entered >= 0 else piece.author + 1,
            left=piece.left if piece.left >= 0 else count,
            tokens=piece.tokens, sent_tokens=piece.sent_tokens, sent_usd=piece.sent_usd,
            written_usd=written, is_exact=False,
        )  # fmt: skip


def _common_start(before: list[_Piece], held: list[_Piece]) -> list[_Piece]:
    """What begins both windows; behind the first piece that is gone, nothing is cached."""
    count = 0
    while count < len(held) and held[count] is before[count]:
        count += 1
    return held[:count]


def _call(number: int, made: _Made, seen: Mapping[int, Seen]) -> Call:
    result = None if made.result is None else seen.get(id(made.result))
    command = made.arguments.get("command") if made.name == "Bash" else None
    file_lines, shown_lines, first_line = made.lines
    key = made.name + json.dumps(made.arguments, sort_keys=True)
    return Call(
        number=number, turn=made.turn, name=made.name, server=made.server, target=made.target,
        command=command if isinstance(command, str) else "", label=made.label,
        arguments=made.arguments, input_hash=hash_of(key),
        result_hash=0 if made.result is None else hash_of(made.result.text),
        is_error=made.is_error, duration_ms=made.duration_ms, called_at_ms=made.called_at_ms,
        answered_at_ms=made.answered_at_ms, line=made.use.line, use=seen.get(id(made.use)),
        result=result, file_lines=file_lines, shown_lines=shown_lines, first_line=first_line,
    )  # fmt: skip


def thread(name: str = "", **settings: object) -> Thread:
    """A new story; `name` is a subagent's id. Settings as `Thread` takes them."""
    return Thread(name, **settings)  # type: ignore[arg-type]
