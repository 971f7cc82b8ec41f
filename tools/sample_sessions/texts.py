"""What files and commands contain: bodies that are put together from small templates."""

from __future__ import annotations

import random
from dataclasses import dataclass
from string import Template
from typing import Final

from sample_sessions.projects import PROJECTS, Project

NOUNS: Final = (
    *("order", "batch", "note", "price", "region", "device"),
    *("event", "invoice", "queue", "record", "session", "basket"),
)
VERBS: Final = (
    *("collect", "settle", "resolve", "publish", "verify"),
    *("refresh", "convert", "schedule", "merge", "archive"),
)

TEMPLATES: Final = {
    "typescript": Template(
        "export function ${verb}${Noun}(items: ${Noun}[], limit = $n): ${Noun}[] {\n"
        "  const ready = items.filter((item) => item.state !== 'closed');\n"
        "  if (ready.length > limit) {\n"
        "    throw new RangeError(`too many ${noun}s to $verb`);\n"
        "  }\n"
        "  return ready.map((item) => ({ ...item, ${other}Count: item.${other}Count + $m }));\n"
        "}\n\n"
    ),
    "python": Template(
        "def ${verb}_${noun}s(${noun}s: list[${Noun}], *, limit: int = $n) -> list[${Noun}]:\n"
        '    """${Verb} each $noun that still has a $other, at most `limit` of them."""\n'
        "    ready = [$noun for $noun in ${noun}s if $noun.$other is not None]\n"
        "    if len(ready) > limit:\n"
        '        raise ValueError(f"{len(ready)} ${noun}s exceed {limit}")\n'
        "    return sorted(ready, key=lambda $noun: $noun.$other.weight + $m)\n\n\n"
    ),
    "kotlin": Template(
        "suspend fun ${verb}${Noun}s(${noun}s: List<${Noun}>, limit: Int = $n): List<${Noun}> {\n"
        "    val ready = ${noun}s.filterNot { it.$other.isExpired(after = $m) }\n"
        '    require(ready.size <= limit) { "more than ${n} ${noun}s" }\n'
        "    return withContext(io) { ready.map { repository.$verb(it) } }\n"
        "}\n\n"
    ),
    "log": Template("2026-01-01 03:$sec [$verb] $noun $n: $m rows in ${n}ms, $other ok\n"),
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it lies on disk and as the Read tool shows it."""

    path: str
    text: str
    numbered: str
    lines: int


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that tools can return, made once per run and reused."""

    files: dict[str, tuple[SourceFile, ...]]
    large: tuple[SourceFile, ...]
    log: str


def build_library(rng: random.Random, large_files: tuple[int, int]) -> Library:
    """Files of every project, fixtures of `large_files` bytes (from, to), and a log to quote."""
    files = {project.name: project_files(rng, project) for project in PROJECTS}
    large = tuple(
        source_file(f"fixtures/{noun}s.log", body(rng, "log", rng.randint(*large_files)))
        for noun in NOUNS
    )
    return Library(files, large, body(rng, "log", 160_000))


def project_files(rng: random.Random, project: Project) -> tuple[SourceFile, ...]:
    """The project's files with contents in its language, one to four kilobytes each."""
    return tuple(
        source_file(path, body(rng, project.language, rng.randint(700, 3_600)))
        for path in project.files
    )


def source_file(path: str, text: str) -> SourceFile:
    """A file together with its numbered form, which is dear to make for each Read anew."""
    lines = text.split("\n")
    numbered = "\n".join(f"{number}\t{line}" for number, line in enumerate(lines, 1))
    return SourceFile(path, text, numbered, len(lines))


def body(rng: random.Random, language: str, size: int) -> str:
    """Template after template until `size` characters are reached."""
    template, parts, length = TEMPLATES[language], [], 0
    while length < size:
        verb, noun, other = rng.choice(VERBS), rng.choice(NOUNS), rng.choice(NOUNS)
        part = template.substitute(
            verb=verb,
            Verb=verb.capitalize(),
            noun=noun,
            Noun=noun.capitalize(),
            other=other,
            n=rng.randint(2, 900),
            m=rng.randint(1, 40),
            sec=f"{rng.randrange(60):02}:{rng.randrange(60):02}",
        )
        parts.append(part)
        length += len(part)
    return "".join(parts)


def excerpt(rng: random.Random, text: str, size: int) -> str:
    """About `size` characters of a longer text, from anywhere in it."""
    start = rng.randrange(max(1, len(text) - size))
    return text[start : start + size]
