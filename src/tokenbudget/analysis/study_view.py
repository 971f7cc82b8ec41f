"""One thread as the detectors see it, made of its replay, its words and the ledger's calls."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.study_bill import classes_of
from tokenbudget.analysis.study_calls import shown_file
from tokenbudget.analysis.thread_view import Call, Seen, ThreadView, Turn
from tokenbudget.analysis.window_pieces import READING_TOOLS
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.analysis.carrying import Carrying
    from tokenbudget.analysis.carrying_accounts import Account, Sent
    from tokenbudget.analysis.study_bill import Biller
    from tokenbudget.analysis.study_calls import Place, Use
    from tokenbudget.ledger.windows import PieceRow
    from tokenbudget.model.window import LineFacts, ShownFile


class Words(NamedTuple):
    """What only the transcript itself tells; empty where it is gone."""

    texts: Mapping[Place, str]
    facts: LineFacts


class Thread(NamedTuple):
    """One thread of a transcript: its pieces and calls in order, and who carried what."""

    session: str
    name: str
    is_subagent: bool
    rows: Sequence[PieceRow]
    uses: Sequence[Use]
    carrying: Carrying
    window_tokens: int
    text_error_share: float


def view_of(thread: Thread, words: Words, biller: Biller) -> ThreadView:
    """The thread with its words, for as long as it is studied."""
    carrying = thread.carrying
    turns = _turns(thread, words.facts, biller)
    seen = [_seen(account, words, len(turns)) for account in carrying.accounts]
    by_place = {
        (account.offset, account.position): piece
        for account, piece in zip(carrying.accounts, seen, strict=True)
    }
    first_ms = next((turn.at_ms for turn in turns if turn.at_ms), 0)
    compactions = [
        (number, trigger, tokens)
        for number, (trigger, tokens) in zip(
            carrying.compacted_before, carrying.compactions, strict=True
        )
    ]
    return ThreadView(
        session=thread.session,
        thread=thread.name,
        is_subagent=thread.is_subagent,
        turns=turns,
        calls=_calls(thread, words, turns, by_place),
        seen=seen,
        window_tokens=thread.window_tokens,
        text_error_share=thread.text_error_share,
        compactions=compactions,
        shift_ms=biller.shift_ms(first_ms),
    )


def _turns(thread: Thread, facts: LineFacts, biller: Biller) -> list[Turn]:
    offsets: dict[str, int] = {}
    for row in thread.rows:
        if row.link:
            offsets.setdefault(row.link, row.byte_offset)
    return [
        _turn(number, sent, facts.line_of(offsets[sent.request.key]), thread.carrying, biller)
        for number, sent in enumerate(thread.carrying.sent)
    ]


def _turn(number: int, sent: Sent, line: int, carrying: Carrying, biller: Biller) -> Turn:
    request = sent.request
    rates = [usd or 0.0 for usd in biller.rates(biller.tag(request))]
    tokens = classes_of(request)
    is_hourly = request.cache_write_1h_tokens > request.cache_write_5m_tokens
    return Turn(
        number=number,
        key=request.key,
        model=request.model,
        at_ms=request.started_at_ms,
        line=line,
        prompt_tokens=request.prompt_tokens or 0,
        input_tokens=tokens[0],
        cache_write_5m_tokens=tokens[1],
        cache_write_1h_tokens=tokens[2],
        cache_read_tokens=tokens[3],
        output_tokens=tokens[4],
        thinking_tokens=_thinking(sent, carrying),
        cost_usd=sum(usd * count for usd, count in zip(rates, tokens, strict=True)),
        read_usd=rates[3],
        write_usd=rates[2] if is_hourly else rates[1],
        output_usd=rates[4],
        cause=sent.cause,
        is_owned=sent.is_owned,
    )


def _thinking(sent: Sent, carrying: Carrying) -> int:
    """As reported; else what the answer's other blocks leave for it."""
    if sent.request.thinking_tokens is not None:
        return sent.request.thinking_tokens
    parts = carrying.written.get(sent.request.key, ())
    thought = sum(tokens for account, tokens in parts if account.consumer.kind == window.THINKING)
    return min(round(thought), sent.request.output_tokens)


def _seen(account: Account, words: Words, turns: int) -> Seen:
    who = account.consumer
    return Seen(
        number=account.number,
        kind=who.kind,
        name=who.name,
        target=who.target,
        link=account.link,
        text=words.texts.get((account.offset, account.position), ""),
        line=words.facts.line_of(account.offset),
        entered=account.entered,
        left=turns if account.left is None else account.left,
        tokens=round(account.tokens),
        sent_tokens=round(account.sent_tokens),
        sent_usd=account.sent_usd,
        written_usd=account.written_usd,
        is_exact=account.is_exact,
    )


def _calls(
    thread: Thread, words: Words, turns: Sequence[Turn], by_place: Mapping[Place, Seen]
) -> list[Call]:
    numbers = {turn.key: turn.number for turn in turns}
    results: dict[str, Seen] = {}
    for row in thread.rows:
        piece = by_place.get((row.byte_offset, row.position))
        if row.kind == window.TOOL_RESULT and piece is not None and piece.entered < len(turns):
            results.setdefault(row.link, piece)
    found: list[Call] = []
    for use in thread.uses:
        turn = numbers.get(use.row.link)
        if turn is not None:
            piece = by_place.get((use.row.byte_offset, use.row.position))
            line = words.facts.line_of(use.row.byte_offset)
            found.append(_call(len(found), turn, use, piece, results, line, words))
    return found


def _call(
    number: int,
    turn: int,
    use: Use,
    piece: Seen | None,
    results: Mapping[str, Seen],
    line: int,
    words: Words,
) -> Call:
    known = use.call
    result = None if known is None else results.get(known.tool_use_id)
    shown = None if known is None else _shown(known.tool_use_id, use.row.name, result, words)
    return Call(
        number=number,
        turn=turn,
        name=use.row.name,
        server=window.mcp_server(use.row.name),
        target=use.row.target,
        command=use.command,
        label=use.label,
        arguments=use.arguments,
        input_hash=0 if known is None else known.input_hash,
        result_hash=0 if known is None else known.result_hash,
        is_error=known is not None and known.is_error,
        duration_ms=None if known is None else known.duration_ms,
        called_at_ms=0 if known is None else known.called_at_ms,
        answered_at_ms=0 if known is None else known.answered_at_ms,
        line=line,
        use=piece,
        result=result,
        file_lines=shown.file_lines or None if shown is not None else None,
        shown_lines=None if shown is None else shown.shown_lines,
        first_line=None if shown is None else shown.first_line,
    )


def _shown(call_id: str, tool: str, result: Seen | None, words: Words) -> ShownFile | None:
    told = words.facts.shown_files.get(call_id)
    if told is not None:
        return told
    if tool not in READING_TOOLS or result is None:
        return None
    return shown_file(result.text)


def standing_at_once(pieces: Iterable[tuple[int, int, int]]) -> int:
    """The largest sum at one time of (first request, first request without it, amount)."""
    changes: dict[int, int] = {}
    for entered, left, amount in pieces:
        changes[entered] = changes.get(entered, 0) + amount
        changes[left] = changes.get(left, 0) - amount
    most = here = 0
    for moment in sorted(changes):
        here += changes[moment]
        most = max(most, here)
    return most
