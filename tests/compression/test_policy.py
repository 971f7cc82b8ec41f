"""What is shortened at the door, and above all what is not."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.named_tools import is_named
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE
from tokenbudget.compression.policy import (
    MOST_NARROWED_CHARS,
    Call,
    Forgetful,
    MemoryInWindow,
    Wishes,
    at_the_door,
    first_line,
    label_of,
    narrowed,
    origin_of,
    subject_of,
)
from tokenbudget.compression.policy_rules import (
    OF_THE_WINDOW,
    OUTLINE,
    codecs_for,
    is_all_known,
    level_for,
)
from tokenbudget.compression.receipts import Receipt, Removed


class Words:
    """Counts words and signs; rough, and the same everywhere."""

    name = "words"

    def count(self, text: str) -> int:
        return len(text) // 4 + 1


COUNTER = Words()
SOURCE = "\n".join(f"def part_{n}(given: int) -> int:\n    return given * {n}\n" for n in range(90))
LOG = "\n".join(
    f"2026-11-20 10:00:{n % 60:02} INFO worker {n % 7} took job {n}" for n in range(400)
)


def read(path: str, text: str, **more: object) -> Call:
    return Call("Read", {"file_path": path, **more}, text)


def run(command: str, text: str) -> Call:
    return Call("Bash", {"command": command}, text)


def names(call: Call, level: str = BALANCED) -> set[str]:
    found = codecs_for(call.tool, call.told, call.text, origin_of(call), level)
    return {codec.name for codec in found}


def level(call: Call) -> str:
    return level_for(call.tool, call.text, origin_of(call), COMPRESSED)


ALL = {codec.name for codec in CODECS} - {OUTLINE}
WINDOW = set(OF_THE_WINDOW)


# ── what an agent must not lose ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["/a/cart.py", "/a/README.md", "/a/Makefile", "/a/x.json", ""])
def test_the_first_read_of_what_may_be_edited_goes_on_as_it_is(level: str, name: str) -> None:
    call = read(name, SOURCE[:9_000])
    assert at_the_door(call, Wishes(level), MemoryInWindow(), COUNTER) is None


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("part", [{"offset": 5}, {"limit": 100}, {"offset": 1, "limit": 2000}])
def test_lines_that_were_asked_for_by_number_are_given(level: str, part: dict[str, int]) -> None:
    for path in ("/a/app.log", "/a/uv.lock", "/a/cart.py", "/a/rows.json"):
        assert names(read(path, LOG, **part), level) <= WINDOW


@pytest.mark.parametrize(
    "command",
    [
        "git status", "git status --short", "cd /a/b && git status", "git add . && git status",
        "cat src/cart.py", "cd /a && cat src/cart.py", "sed -n '10,90p' src/cart.py",
        "head -200 README.md", "cat src/cart.py | head -50", "npm test; cat src/cart.py",
        "LANG=C cat src/cart.py", "/bin/cat src/cart.py", "tokens recall 123456789012",
    ],
)  # fmt: skip
def test_what_was_asked_for_to_the_letter_is_given(command: str) -> None:
    for level in LEVELS:
        assert names(run(command, SOURCE), level) <= WINDOW


@pytest.mark.parametrize("command", ["grep -rn total src", "rg total", "cd a && grep total x.py"])
def test_of_a_short_list_of_finds_nothing_is_lost(command: str) -> None:
    found = "\n".join(f"src/cart.py:{n}: total += {n}" for n in range(60))
    assert level(run(command, found)) == VERBOSE
    assert level(run(command, found * 40)) == COMPRESSED
    shortened = at_the_door(
        run(command, found), Wishes(COMPRESSED, min_tokens=9), Forgetful(), COUNTER
    )
    assert shortened is None or shortened.receipt.is_lossless


def test_of_a_short_search_nothing_is_lost() -> None:
    for tool in ("Grep", "Glob"):
        assert level(Call(tool, {"pattern": "x"}, "src/a.py\n" * 100)) == VERBOSE
        assert level(Call(tool, {"pattern": "x"}, "src/a.py\n" * 900)) == COMPRESSED
    assert level(run("make", "src/a.py\n" * 100)) == COMPRESSED


# ── what may be shortened ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path",
    ["/a/app.log", "/a/package-lock.json", "/a/Cargo.lock", "/a/go.sum", "/a/b.min.js", "/a/x.csv",
     "C:\\a\\yarn.lock", "/a/rows.jsonl"],
)  # fmt: skip
def test_what_programs_write_is_shortened_like_an_output(path: str) -> None:
    assert names(read(path, LOG)) == ALL
    assert names(run(f"cat {path}", LOG)) == ALL


def test_a_large_data_file_is_shortened_at_compressed_alone() -> None:
    assert names(read("/a/rows.json", "x" * 20_000), COMPRESSED) == ALL
    assert names(read("/a/rows.json", "x" * 20_000)) == WINDOW
    assert names(read("/a/package.json", "x" * 2_000), COMPRESSED) == WINDOW
    assert names(read("/a/page.html", "x" * 20_000), COMPRESSED) <= WINDOW | {OUTLINE}


def test_bodies_of_a_long_source_file_are_left_out_at_compressed_alone() -> None:
    long = "x = 1\n" * 2_000
    assert names(read("/a/cart.py", long)) == WINDOW
    assert names(read("/a/cart.py", long), COMPRESSED) <= WINDOW | {OUTLINE}


@pytest.mark.parametrize("command", ["npm test", "pytest -q 2>&1 | tail -80", "make", "docker ps"])
def test_what_a_program_puts_out_is_shortened(command: str) -> None:
    assert names(run(command, LOG)) == ALL


@pytest.mark.parametrize(
    "call",
    [run("npm run build", LOG), run("docker ps", LOG), run("npm test 2>&1 | tail -80", LOG),
     Call("mcp__logs__find", {}, LOG), Call("WebFetch", {}, LOG)],
)  # fmt: skip
def test_of_what_a_program_says_less_stays(call: Call) -> None:
    assert level_for(call.tool, call.text, origin_of(call), BALANCED) == COMPRESSED
    assert level_for(call.tool, call.text, origin_of(call), VERBOSE) == VERBOSE


@pytest.mark.parametrize(
    "call",
    [read("/a/app.log", LOG), run("cat a.log", LOG), run("sed -n 1,900p a.log", LOG),
     run("cd a && git diff", LOG), run("git -C a show HEAD", LOG), run("git log -3 | head", LOG),
     run("gh pr diff 5", LOG), run("gh api x | base64 -d", LOG), run("grep -rn job .", LOG),
     Call("Grep", {}, LOG), run("make", LOG)._replace(has_failed=True),
     run("review --wait", f"started\n# Review of the change\n{LOG}"),
     Call("WebFetch", {}, f"## What is new\n{LOG}")],
)  # fmt: skip
def test_files_differences_finds_failures_and_reports_keep_more(call: Call) -> None:
    assert level_for(call.tool, call.text, origin_of(call), BALANCED) == BALANCED


# ── wishes ────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_is_shortened_and_says_how_it_is_had_back() -> None:
    found = at_the_door(run("make", LOG), Wishes(COMPRESSED), Forgetful(), COUNTER)
    assert found is not None
    assert found.receipt.saved_tokens > 40
    assert found.receipt.is_lossless or "tokens recall " in found.text


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(COMPRESSED, is_on=False),
        Wishes(COMPRESSED, deny=("Bash",)),
        Wishes(COMPRESSED, deny=("*",)),
        Wishes(COMPRESSED, allow=("Read", "mcp__github__*")),
        Wishes(COMPRESSED, allow=()),
        Wishes(COMPRESSED, min_tokens=100_000),
    ],
)
def test_what_is_not_wanted_is_left_alone(wishes: Wishes) -> None:
    assert at_the_door(run("make", LOG), wishes, MemoryInWindow(), COUNTER) is None


@pytest.mark.parametrize(
    "tool",
    ["Edit", "Agent", "TaskOutput", "PowerShell", "mcp", "bash", "", "mcp__tokenbudget__run_code"],
)
def test_results_of_other_tools_go_on_as_they_are(tool: str) -> None:
    assert at_the_door(Call(tool, {}, LOG), Wishes(COMPRESSED), MemoryInWindow(), COUNTER) is None


def test_a_name_or_a_beginning_names_a_tool() -> None:
    assert is_named("mcp__github__list", ("Bash", "mcp__github__*"))
    assert is_named("Bash", ("*",))
    assert not is_named("BashOutput", ("Bash",))
    assert not is_named("mcp__github__list", ("mcp__gitlab__*", "mcp__github__"))
    assert not is_named("Bash", ())


# ── the window ────────────────────────────────────────────────────────────────────────────────────


def test_a_file_read_again_unchanged_is_a_reference_and_then_the_file() -> None:
    memory, call = MemoryInWindow(), read("/a/cart.py", SOURCE)
    wishes = Wishes(BALANCED)
    assert at_the_door(call, wishes, memory, COUNTER) is None
    again = at_the_door(call, wishes, memory, COUNTER)
    assert again is not None
    assert again.receipt.codec in OF_THE_WINDOW
    assert len(again.text) < 200
    assert "/a/cart.py above" in again.text
    assert at_the_door(call, wishes, memory, COUNTER) is None  # whoever asks again wants it
    assert at_the_door(call, wishes, memory, COUNTER) is not None  # there it stands whole


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
@pytest.mark.parametrize("part", [{}, {"offset": 1}])
def test_a_changed_file_is_given_whole(level: str, part: dict[str, int]) -> None:
    """What is edited next may begin in a line that is new and end in one that is referred to."""
    memory, wishes = MemoryInWindow(), Wishes(level)
    at_the_door(read("/a/cart.py", SOURCE, **part), wishes, memory, COUNTER)
    changed = SOURCE.replace("given * 40", "given * 41 + 1")
    assert at_the_door(read("/a/cart.py", changed, **part), wishes, memory, COUNTER) is None
    again = at_the_door(read("/a/cart.py", changed, **part), wishes, memory, COUNTER)
    assert again is not None  # now all of it stands above
    assert again.receipt.codec in OF_THE_WINDOW


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_what_is_partly_known_may_be_shortened_by_what_it_is(level: str) -> None:
    memory, wishes = MemoryInWindow(), Wishes(level)
    at_the_door(run("make", SOURCE), wishes, memory, COUNTER)
    found = at_the_door(run("make", SOURCE + LOG), wishes, memory, COUNTER)
    assert found is not None
    assert found.receipt.codec not in OF_THE_WINDOW


def test_all_is_known_where_nothing_but_blank_lines_is_left() -> None:
    def receipt(*ranges: tuple[int, int]) -> Receipt:
        return Receipt("seen", 9, 8, 9, 8, False, "[~", (Removed("seen", 1, ranges),))

    assert is_all_known("a\nb\n\n  \nc\n", receipt((0, 2), (4, 5)))
    assert not is_all_known("a\nb\nc", receipt((0, 2)))
    assert not is_all_known("a", receipt())


# ── what the client would cut ─────────────────────────────────────────────────────────────────────

PATHS = "\n".join(f"src/part_{n % 70}/deep/module_{n}.py" for n in range(3_000))
CHANGES = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,900 +1,900 @@\n" + "".join(
    f" x = {n}\n" if n % 3 else f"-y = {n}\n+y = {n + 1}\n" for n in range(3_000)
)


@pytest.mark.parametrize(
    ("command", "text"),
    [("find src", PATHS), ("git diff main", CHANGES), ("cat src/cart.py", SOURCE * 9),
     ("make", LOG * 3), ("cat rows.json", "[" + '{"id": 1, "name": "a"},' * 2_000 + "1]")],
)  # fmt: skip
@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_what_the_client_would_cut_is_narrowed_whatever_it_is(
    command: str, text: str, level: str
) -> None:
    found = narrowed(run(command, text), Wishes(level), MemoryInWindow(), COUNTER)
    assert found is not None
    assert len(found.text) <= MOST_NARROWED_CHARS
    assert found.receipt.is_lossless or "tokens recall " in found.text
    if command == "find src":
        shown = [line for line in found.text.split("\n") if found.receipt.opening not in line]
        assert len(shown) > 20


def test_what_was_narrowed_and_is_asked_for_again_is_not() -> None:
    memory, call = MemoryInWindow(), run("find src", PATHS)
    assert narrowed(call, Wishes(), memory, COUNTER) is not None
    assert narrowed(call, Wishes(), memory, COUNTER) is None
    assert not any(one.is_whole for one in memory.shown())  # nothing may refer to it


@pytest.mark.parametrize("wishes", [Wishes(VERBOSE), Wishes(deny=("Bash",)), Wishes(is_on=False)])
def test_what_is_not_wanted_is_not_narrowed(wishes: Wishes) -> None:
    assert narrowed(run("find src", PATHS), wishes, MemoryInWindow(), COUNTER) is None


def test_what_no_codec_brings_down_is_left_to_the_client() -> None:
    digests = [[sha256(b"%d %d" % (n, k)).hexdigest() for k in range(12)] for n in range(400)]
    plain = str.maketrans("0123456789abcdef", "ghijklmnop abcde")
    lines = [" ".join(line).translate(plain) for line in digests]
    assert narrowed(run("dump", "\n".join(lines)), Wishes(), MemoryInWindow(), COUNTER) is None


def test_after_a_compaction_nothing_is_referred_to() -> None:
    memory, wishes = MemoryInWindow(), Wishes(BALANCED)
    at_the_door(read("/a/cart.py", SOURCE), wishes, memory, COUNTER)
    memory.forget()
    assert at_the_door(read("/a/cart.py", SOURCE), wishes, memory, COUNTER) is None


def test_a_repeated_command_whose_output_was_shortened_gives_it_whole() -> None:
    memory, wishes = MemoryInWindow(), Wishes(COMPRESSED)
    first = at_the_door(run("make", LOG), wishes, memory, COUNTER)
    assert first is not None
    assert at_the_door(run("make", LOG), wishes, memory, COUNTER) is None
    assert at_the_door(run("make all", LOG + "\nmore"), wishes, memory, COUNTER) is not None


def test_the_memory_has_an_end() -> None:
    memory = MemoryInWindow(most_texts=3, most_chars=10_000)
    for n in range(9):
        at_the_door(read(f"/a/{n}.py", f"# {n}\n" + SOURCE[:3_000]), Wishes(), memory, COUNTER)
        assert len(memory.shown()) <= 3
        assert sum(len(memory.text(one) or "") for one in memory.shown()) <= 10_000
    at_the_door(read("/a/huge.py", "# huge\n" * 9_000), Wishes(), memory, COUNTER)
    assert all(memory.text(one) is not None for one in memory.shown() if one.is_whole)


def test_a_command_leaves_no_words_in_the_memory() -> None:
    call = run("curl -H 'token: secret' https://a.example", LOG)
    assert "secret" not in subject_of(call) + label_of(call)
    assert subject_of(call) == subject_of(run(call.told["command"], "other"))  # type: ignore[arg-type]
    assert subject_of(call) != subject_of(run("curl", LOG))


@pytest.mark.parametrize(
    ("told", "first"),
    [
        ({}, 1),
        ({"offset": 40}, 40),
        ({"offset": True}, 1),
        ({"offset": -2}, 1),
        ({"offset": "x"}, 1),
    ],
)
def test_the_first_line_of_a_part_is_its_own(told: dict[str, object], first: int) -> None:
    assert first_line(read("/a/cart.py", SOURCE, **told)) == first
    assert first_line(run("make", LOG)) == 0


@given(
    st.text(max_size=40), st.text(max_size=800), st.sampled_from(LEVELS),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3),
)  # fmt: skip
def test_any_call_is_decided(tool: str, text: str, level: str, told: dict[str, object]) -> None:
    wishes = Wishes(level, min_tokens=1)
    for name in (tool, "Bash", "Read", "mcp__x__y"):
        memory = MemoryInWindow()
        for _ in range(2):
            found = at_the_door(Call(name, told, text * 3), wishes, memory, COUNTER)
            assert found is None or found.receipt.after_tokens < found.receipt.before_tokens
