"""Symbol compression measured: prose rewritten at both levels, under two vocabularies.

    python tools/bench_symbols.py FOLDER [--files] [--steps] [--show FILE --level LEVEL]

FOLDER holds Markdown files (instructions, memory files, skills). For each level and vocabulary:
tokens of the prose outside protected spans before and after, tokens of whole files, and whether
every protected span stands in the output. Then the table of symbols with the gain of each.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

from tokenbudget.compression.passage import BALANCED, COMPRESSED
from tokenbudget.compression.prose import Rewritten, rewritten
from tokenbudget.compression.prose_blocks import PROSE, blocks_of
from tokenbudget.compression.prose_spans import free_parts, hidden
from tokenbudget.compression.prose_terse import EVERY_STEP
from tokenbudget.compression.symbols import Measured, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.prose_grammar import Step

_FUNCTION_WORDS = """
a an the and or but nor so yet for to of in on at by from with into onto via per as than that this
these those it its they their them he she his her you your we our us i me my is are was were be been
being am do does did has have had having will would which who whom whose what where how why there
here if when while also just very up out over under about between through across within during
against such some more most other same own too only then
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
VOCABULARIES = ("o200k_base", "deepseek_v3")


class Vocabulary:
    """A counter over one of the tokenizer's vocabularies, with a memory for short texts."""

    def __init__(self, name: str) -> None:
        from splintr import Tokenizer

        self.name = name
        encode = Tokenizer.from_pretrained(name).encode_ordinary
        self._count = lru_cache(1 << 18)(lambda text: len(encode(text)))

    def count(self, text: str) -> int:
        """Tokens of the text."""
        return int(self._count(text.encode("utf-8", "replace").decode()))


HEAD = (
    f"{'vocabulary':24} {'level':10} {'prose':>7} {'after':>7} {'less':>7}"
    f" {'whole':>8} {'after':>8} {'less':>7} {'spans':>6} {'lost':>4}"
)


def share(before: int, after: int) -> str:
    """How much less it is."""
    return f"{100 * (before - after) / before:5.1f} %" if before else "    -  "


def intact(text: str, done: Rewritten) -> int:
    """How many protected spans are missing from the output, in order."""
    at = missing = 0
    for span in done.protected:
        found = done.text.find(span, at)
        if found < 0:
            missing += 1
        else:
            at = found + len(span)
    return missing


def table(paths: list[Path], *, per_file: bool) -> None:
    """Each level under each vocabulary."""
    print(HEAD)
    for name in VOCABULARIES:
        counter = Vocabulary(name)
        for level in (BALANCED, COMPRESSED):
            texts = [path.read_text("utf-8") for path in paths]
            all_done = [rewritten(text, level, counter) for text in texts]
            if per_file:
                for path, one in zip(paths, all_done, strict=True):
                    row(path.name[:24], level, [one], 0)
            lost = sum(map(intact, texts, all_done))
            row(name, level, all_done, lost)


def row(name: str, level: str, done: list[Rewritten], lost: int) -> None:
    """One line of the table."""
    prose_before = sum(one.prose_before_tokens for one in done)
    prose_after = sum(one.prose_after_tokens for one in done)
    before, after = sum(o.before_tokens for o in done), sum(o.after_tokens for o in done)
    spans = sum(len(one.protected) for one in done)
    print(
        f"{name:24} {level:10} {prose_before:7,} {prose_after:7,}"
        f" {share(prose_before, prose_after)} {before:8,} {after:8,} {share(before, after)}"
        f" {spans:6,} {lost:4}"
    )


def steps(paths: list[Path]) -> None:
    """What each step of the grammar is worth: how much longer the prose is without it."""
    counter = Vocabulary(VOCABULARIES[0])
    texts = [path.read_text("utf-8") for path in paths]

    def after(some: Sequence[Step]) -> int:
        done = (rewritten(text, COMPRESSED, counter, some) for text in texts)
        return sum(one.prose_after_tokens for one in done)

    whole = after(EVERY_STEP)
    for step in EVERY_STEP:
        without = after([one for one in EVERY_STEP if one is not step])
        print(f"{step.name:36} {without - whole:7,}")


def ceiling(paths: list[Path]) -> None:
    """The kinds of tokens that the prose consists of: how far dropping words can go at all."""
    counter = Vocabulary(VOCABULARIES[0])
    kinds: Counter[str] = Counter()
    for path in paths:
        for block in blocks_of(path.read_text("utf-8")):
            found = hidden(block.text) if block.kind == PROSE else None
            for part in free_parts(found.text) if found else []:
                for word in re.findall(r" ?[A-Za-z][\w'-]*|\s+|[^\w\s]+| ?\w+", part):
                    kinds[kind_of(word)] += counter.count(word)
    for kind, tokens in kinds.most_common():
        print(f"{kind:36} {tokens:7,}  {100 * tokens / kinds.total():5.1f} %")


def kind_of(word: str) -> str:
    """What a word of the prose is."""
    if not re.search(r"\w", word):
        return "punctuation and marks"
    return "function words" if word.strip().lower() in FUNCTION_WORDS else "other words"


def symbols() -> None:
    """Each symbol with its cost and that of its phrase."""
    columns = [measured(Vocabulary(name)) for name in VOCABULARIES]
    print(f"\n{'symbol':8} {'phrase':28}" + "".join(f" {name:>20}" for name in VOCABULARIES))
    for rows in zip(*columns, strict=True):
        cells = "".join(f"   {verdict(one):>18}" for one in rows)
        print(f"{rows[0].symbol.sign:8} {rows[0].symbol.phrase:28}{cells}")


def verdict(one: Measured) -> str:
    """What a symbol costs against its phrase."""
    return f"{one.phrase_tokens} → {one.sign_tokens} {'gain' if one.gain > 0 else 'refused'}"


def main() -> int:
    """Parse the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", action="store_true", help="a line per file")
    parser.add_argument("--steps", action="store_true", help="what each rule is worth")
    parser.add_argument("--show", help="print one file rewritten")
    parser.add_argument("--level", default=BALANCED)
    told = parser.parse_args()
    if told.show:
        text = (told.folder / told.show).read_text("utf-8")
        sys.stdout.write(rewritten(text, told.level, Vocabulary(VOCABULARIES[0])).text)
        return 0
    paths = sorted(path for path in told.folder.rglob("*.md") if path.name != "README.md")
    table(paths, per_file=told.files)
    if told.steps:
        ceiling(paths)
        steps(paths)
    symbols()
    return 0


if __name__ == "__main__":
    sys.exit(main())
