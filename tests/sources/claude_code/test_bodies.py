from pathlib import Path

import pytest
from tests.counting.transcripts import answer, counts, encoded, prompt

from tokenbudget.sources.claude_code import bodies
from tokenbudget.sources.claude_code.bodies import LiveTranscripts, prompt_text


def line_at(path: Path, offset: int) -> bytes | None:
    return LiveTranscripts().line(str(path), offset)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "s1.jsonl"
    found.write_bytes(b"first\nsecond\nthird")
    return found


@pytest.mark.parametrize(
    ("offset", "line"), [(0, b"first"), (6, b"second"), (13, b"third"), (18, None), (99, None)]
)
def test_a_line_is_given_back_by_its_position(path: Path, offset: int, line: bytes | None) -> None:
    assert line_at(path, offset) == line


def test_an_empty_line_is_empty_and_not_missing(path: Path) -> None:
    path.write_bytes(b"\n\n")
    assert line_at(path, 1) == b""


def test_a_line_longer_than_one_step_is_whole(path: Path) -> None:
    path.write_bytes(b"x" * 200_000 + b"\nrest")
    assert line_at(path, 1) == b"x" * 199_999


def test_a_line_that_is_too_long_is_not_given(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_LINE_BYTES", 100_000)
    path.write_bytes(b"x" * 200_000)
    assert line_at(path, 0) is None


def test_a_file_that_is_gone_or_no_file_gives_nothing(tmp_path: Path) -> None:
    assert line_at(tmp_path / "none", 0) is None
    assert line_at(tmp_path, 0) is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (encoded(prompt("Grüße\n")), "Grüße\n"),
        (encoded(prompt("WRONG")).replace(b"WRONG", b"a\\ud800"), "a?"),
        (encoded({"type": "summary"}), None),
        (encoded({"type": "user", "message": {"content": []}}), None),
        (encoded(answer(counts(1))), "Hello."),
        (b"half a li", None),
        (b"null", None),
        (b"", None),
    ],
)
def test_the_words_of_a_prompt(line: bytes, text: str | None) -> None:
    assert prompt_text(line) == text
