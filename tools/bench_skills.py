"""Does `tokens skills match` find the skill that an agent really called? Recorded calls, measured.

`python tools/bench_skills.py SESSIONS… [--skills FOLDER|FILE.tar.zst] [--misses] [--json FILE]`

SESSIONS are folders of transcripts. A task is one call of the tool `Skill`; what is searched with
is what stood there before it: the person's last prompt and the agent's last words (text, thinking,
and the words it gives its calls), never the call itself. Candidates are all skills that the
session's listing held at that moment, as the agent saw them; with `--skills` others are mixed in.
Past uses are those of calls that were earlier by the clock, whatever their session. A call whose
session has no listing, or whose skill is not in it, cannot be found: it is told and left out. Where
a call stands in several files (resumed, forked sessions) it counts once.
Exit code 1 where the goal is missed.
"""

from __future__ import annotations

import argparse
import collections
import io
import json
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tokenbudget.resources import skill_matching
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.skill_listed import listed_in
from tokenbudget.resources.skill_matching import Candidate, matched

GOAL, GOAL_AT = 0.95, 3
LAST_TEXTS = 4
"""So many texts before the call are searched with, and the person's prompt."""
AT = (1, 3, 5, 10)
_INJECTED = ("<command-", "<local-command", "<system-reminder", "Caveat:")


class Said(NamedTuple):
    """One text of a talk."""

    is_prompt: bool
    is_call: bool
    """Words that the agent gave a call."""
    text: str


class Call(NamedTuple):
    """One recorded call of a skill."""

    at: str
    session: str
    skill: str
    candidates: tuple[Candidate, ...]
    said: tuple[Said, ...]

    def texts(self, most: int = LAST_TEXTS, *, has_calls: bool = True) -> list[str]:
        """The person's prompt, then the last texts, in order."""
        last = [one for one in self.said if has_calls or not one.is_call]
        tail = last[-most:] if most else []
        prompts = [one for one in self.said if one.is_prompt]
        if not any(one.is_prompt for one in tail):
            tail = [*prompts[-1:], *tail]
        return [one.text for one in tail]

    @property
    def is_named(self) -> bool:
        """Whether the texts spell the skill's name."""
        bare = self.skill.rpartition(":")[2].lower()
        said = " ".join(self.texts()).lower()
        return bare in said or bare.replace("-", " ") in said


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def calls_in(folders: Sequence[Path]) -> list[Call]:
    """Every call of a skill, the earliest first."""
    found: dict[str, Call] = {}
    listings: dict[str, tuple[Candidate, ...]] = {}
    paths = sorted(path for folder in folders for path in folder.rglob("*.jsonl"))
    for path in paths:
        for key, call in _calls_of(path, listings):
            found.setdefault(key, call)
    done = [
        call if call.candidates else call._replace(candidates=listings.get(call.session, ()))
        for call in found.values()
    ]
    return sorted(done, key=lambda call: (call.at, call.session))


def _calls_of(path: Path, listings: dict[str, tuple[Candidate, ...]]) -> Iterator[tuple[str, Call]]:
    listing: dict[str, str] = {}
    said: list[Said] = []
    for line in _lines(path):
        attachment = _table(line.get("attachment"))
        session = str(line.get("sessionId") or path.stem)
        if attachment.get("type") == "skill_listing":
            if attachment.get("isInitial"):
                listing = {}
            for name, about in listed_in(str(attachment.get("content", ""))):
                listing[name] = f"{listing[name]}\n{about}" if name in listing else about
            listings[session] = _candidates(listing)
        for block in _blocks(line):
            given = _table(block.get("input"))
            is_skill = block.get("type") == "tool_use" and block.get("name") == "Skill"
            if is_skill and given.get("skill"):
                at, skill = str(line.get("timestamp", "")), str(given["skill"])
                call = Call(at, session, skill, _candidates(listing), tuple(said))
                yield str(block.get("id")), call
            said += _said(line, block)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for raw in file:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                yield line


def _blocks(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = _table(line.get("message")).get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []


def _said(line: Mapping[str, Any], block: Mapping[str, Any]) -> Iterator[Said]:
    kind, is_agent = block.get("type"), line.get("type") == "assistant"
    if line.get("isMeta") or line.get("type") not in ("assistant", "user"):
        return
    if kind == "text":
        text = str(block.get("text", ""))
        if text and (is_agent or not text.startswith(_INJECTED)):
            yield Said(not is_agent, False, text)
    elif kind == "thinking" and block.get("thinking"):
        yield Said(False, False, str(block["thinking"]))
    elif kind == "tool_use" and _table(block.get("input")).get("description"):
        yield Said(False, True, str(block["input"]["description"]))


def _candidates(listing: Mapping[str, str]) -> tuple[Candidate, ...]:
    return tuple(Candidate(name, about) for name, about in listing.items())


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def skills_at(place: Path) -> list[Candidate]:
    """The skills of a folder, or of a packed one, by their front matter."""
    found = []
    for name, text in sorted(_texts(place)):
        matter = front_matter(text)
        words = " - ".join(filter(None, (matter.words("description"), matter.words("when_to_use"))))
        found.append(Candidate(name, words))
    return found


def _texts(place: Path) -> Iterator[tuple[str, str]]:
    if place.is_dir():
        for path in place.rglob("SKILL.md"):
            yield path.parent.name, path.read_text(encoding="utf-8", errors="replace")
        return
    import zstandard

    with place.open("rb") as packed:
        data = zstandard.ZstdDecompressor().stream_reader(packed).read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith("/SKILL.md") else None
            if file is not None:
                yield Path(member.name).parent.name, file.read().decode("utf-8", "replace")


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


class Result(NamedTuple):
    """How often the called skill was among the first."""

    ranks: tuple[int, ...]
    calls: tuple[Call, ...]
    candidates: float
    """Mean number of them."""

    def share(self, at: int) -> float:
        """Of the calls whose skill was among the first `at`."""
        return sum(rank <= at for rank in self.ranks) / max(1, len(self.ranks))

    @property
    def reciprocal(self) -> float:
        """The mean of 1/rank."""
        return sum(1 / rank for rank in self.ranks) / max(1, len(self.ranks))


def measured(
    calls: Sequence[Call],
    others: Sequence[Candidate] = (),
    *,
    most: int = LAST_TEXTS,
    has_calls: bool = True,
    has_uses: bool = True,
    has_texts: bool = True,
) -> Result:
    """The rank of each called skill, with what was known at its moment."""
    uses: collections.Counter[str] = collections.Counter()
    ranks: list[int] = []
    sizes: list[int] = []
    for call in calls:
        known = {one.name for one in call.candidates}
        candidates = [*call.candidates, *(one for one in others if one.name not in known)]
        texts = call.texts(most, has_calls=has_calls) if has_texts else [""]
        found = matched(texts, candidates, uses if has_uses else {})
        ranks.append(next(at for at, one in enumerate(found, 1) if one.name == call.skill))
        sizes.append(len(candidates))
        uses[call.skill] += 1
    return Result(tuple(ranks), tuple(calls), sum(sizes) / max(1, len(sizes)))


def neighbours(calls: Sequence[Call], others: Sequence[Candidate]) -> tuple[float, float]:
    """The lowest and the highest share in the first three with other constants around ours.

    They were looked for on these calls; how much hangs on that shows in this range.
    """
    own = {name: getattr(skill_matching, name) for name in ("NAME", "USED", "OLDER", "FIRST")}
    shares = []
    for name, factor in [(n, f) for n in own for f in (0.75, 0.9, 1.1, 1.25)]:
        setattr(skill_matching, name, own[name] * factor)
        shares.append(measured(calls, others).share(GOAL_AT))
        setattr(skill_matching, name, own[name])
    return min(shares), max(shares)


def table(rows: Mapping[str, Result]) -> list[str]:
    """A Markdown table."""
    lines = [
        "| searched with | calls | candidates | top 1 | top 3 | top 5 | top 10 | mean 1/rank |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in rows.items():
        shares = " | ".join(f"{row.share(at):.1%}" for at in AT)
        counts = f"{len(row.ranks)} | {row.candidates:.0f}"
        lines.append(f"| {name} | {counts} | {shares} | {row.reciprocal:.2f} |")
    return lines


def results(calls: Sequence[Call], others: Sequence[Candidate]) -> dict[str, Result]:
    """Every row of the table."""
    unnamed = [call for call in calls if not call.is_named]
    rows = {
        "prompt, last texts, past uses (`tokens skills match`)": measured(calls),
        "the same without past uses": measured(calls, has_uses=False),
        "the same without the words of calls": measured(calls, has_calls=False),
        "the person's prompt alone": measured(calls, most=0),
        "past uses alone (the most used first)": measured(calls, has_texts=False),
        "all, of calls whose skill no text names": measured(unnamed),
    }
    if others:
        mixed = f"others mixed in ({len(others)})"
        rows[f"all, {mixed}"] = measured(calls, others)
        rows[f"without past uses, {mixed}"] = measured(calls, others, has_uses=False)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where the goal is missed."""
    made = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    made.add_argument("sessions", nargs="+", type=Path, metavar="SESSIONS")
    made.add_argument("--skills", type=Path, help="mix these skills in")
    made.add_argument("--misses", action="store_true", help="tell each call that was not found")
    made.add_argument("--json", type=Path, help="write the shares there as well")
    options = made.parse_args(arguments)
    every = calls_in(options.sessions)
    calls = [call for call in every if call.skill in {one.name for one in call.candidates}]
    others = skills_at(options.skills) if options.skills else []
    if not calls:
        print("no call of a skill with a listing in these sessions", file=sys.stderr)
        return 2
    rows = results(calls, others)
    print("\n".join(table(rows)))
    for call in every:
        if call not in calls:
            why = "not in its listing" if call.candidates else "no listing in its session"
            print(f"left out: {call.skill} in {call.session[:8]}, {why}")
    low, high = neighbours(calls, [])
    print(
        f"with each constant 10 and 25 % larger and smaller: top {GOAL_AT} {low:.1%} to {high:.1%}"
    )
    first = next(iter(rows.values()))
    if options.misses:
        for call, rank in zip(first.calls, first.ranks, strict=True):
            if rank > GOAL_AT:
                print(f"missed: {call.skill} was {rank}. for {call.texts()[-1][:100]!r}")
    if options.json:
        told = {name: {str(at): row.share(at) for at in AT} for name, row in rows.items()}
        options.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return 0 if first.share(GOAL_AT) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
