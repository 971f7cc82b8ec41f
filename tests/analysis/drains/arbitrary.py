"""Threads of any shape for Hypothesis: reads, edits, runs, images, compactions, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from tests.analysis.drains.threads import Thread, thread

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "xyzzySecret"
"""Stands in all that is said, read and printed: no detector may repeat it."""
PATHS = ("src/cart.py", "src/shop.ts", "docs/guide.md", "Makefile")
COMMANDS = (
    "pytest -v", "go test ./... | tail -9", "rg -n total src", "git checkout main", "sleep 5",
    "cat out.log", "cd app && npm run build", "sed -i s/a/b/ src/cart.py",
)  # fmt: skip
WORDS = ("total", "send_letter", "readAll", "def", "price", SECRET, "PASSED", "FAILED", "ok")
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5")

FILES = {
    path: "\n".join(f"def {path[4:8]}_{n}_{SECRET}(total): return {n}" for n in range(lines))
    for path, lines in zip(PATHS, (70, 400, 90, 20), strict=True)
}
LOG = "\n".join(f"tests/test_a.py::test_{SECRET}_{n} PASSED [ 50%]" for n in range(60))
FOUND = "\n".join(f"src/{SECRET}_{n}.py:{n}: total" for n in range(300))

_line = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=12)
_texts = st.builds(lambda lines, times: "\n".join(lines * times), st.lists(_line, max_size=6),
                   st.sampled_from((1, 1, 7, 90)))  # fmt: skip
_tokens = st.none() | st.sampled_from((0, 1, 600, 3_500, 9_000))
_ranges = st.none() | st.integers(1, 40)
_paths = st.sampled_from(PATHS)
_odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
_arguments = st.dictionaries(
    st.sampled_from(("file_path", "old_string", "edits", "command", "limit", "x")), _odd, max_size=4
)


def _step(method: str, /, **arguments: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    def doing(values: dict[str, object]) -> Callable[[Thread], object]:
        return lambda story: getattr(story, method)(**values)

    return st.fixed_dictionaries(arguments).map(doing)


_steps = st.one_of(
    _step("prompt", text=_texts, tokens=_tokens),
    _step("says", text=_texts, tokens=_tokens),
    _step("thinks", text=_texts),
    _step("read", path=_paths, text=_texts, offset=_ranges, limit=_ranges, tokens=_tokens,
          error=st.booleans()),
    _step("edit", path=_paths, old=_texts, new=_texts, error=st.sampled_from(("", "No."))),
    _step("write", path=_paths, text=_texts),
    _step("bash", command=st.sampled_from(COMMANDS), output=st.none() | _texts,
          error=st.booleans(), tokens=_tokens),
    _step("call", name=st.sampled_from(("Grep", "Read", "Edit", "Agent", "mcp__db__query")),
          arguments=_arguments, result=st.none() | _texts, target=st.sampled_from(("", *PATHS)),
          tokens=_tokens),
    _step("image", tokens=st.sampled_from((8, 700, 1_500))),
    _step("asks", calls=st.integers(1, 3), model=st.sampled_from(("", *MODELS)),
          owned=st.none() | st.booleans()),
    _step("goes_on", requests=st.sampled_from((1, 5, 12))),
    _step("waits", ms=st.sampled_from((0, 60_000, 4_000_000))),
    _step("compact"),
    _step("skill", name=st.just("tidy"), text=_texts),
)  # fmt: skip


_Scene = list["Callable[[Thread], object]"]


def _scene(path: str, rest: int, tokens: int) -> st.SearchStrategy[_Scene]:
    """What the detectors look for, whole: other steps come in between."""
    text = FILES[path]
    newer = text.replace("return 7", "return seven")
    read, again = (lambda s, t=t: s.read(path, t, tokens=tokens) for t in (text, newer))
    later = [lambda s: s.prompt("Next."), lambda s: s.goes_on(rest), lambda s: s.says("So. " * 900)]
    return st.sampled_from(
        (
            [read, read, *later],
            [read, lambda s: s.edit(path, "return 7", "return seven"), again, *later],
            [read, lambda s: s.edit(path, "return 7", "return seven"), *later],
            [read, *later, *later],
            [lambda s: s.bash("pytest -v", LOG, tokens=tokens), *later],
            [lambda s: s.bash("rg -n total src", FOUND, tokens=tokens), *later],
            [lambda s: s.prompt("See.").image(1_500), *later, *later],
        )
    )


_scenes = st.tuples(_paths, st.sampled_from((3, 11, 20)), st.sampled_from((600, 4_000))).flatmap(
    lambda drawn: _scene(*drawn)
)


def _told(name: str, scenes: list[_Scene]) -> Thread:
    story = thread(name, prefix_tokens=900)
    for scene in scenes:
        for step in scene:
            step(story)
    return story


_single_steps = _steps.map(lambda step: [step])
_any_scenes = st.lists(
    st.booleans().flatmap(lambda is_scene: _scenes if is_scene else _single_steps), max_size=12
)
stories = st.builds(_told, st.sampled_from(("", "a1")), _any_scenes)
"""Stories; `view()` gives what the detectors take."""
