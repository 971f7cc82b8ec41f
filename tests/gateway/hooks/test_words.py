"""What the agent reads is short whatever stands in it, by the vocabulary that we count with."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tokenbudget.gateway.hook_client import PLAIN_WORDS
from tokenbudget.gateway.hooks import words
from tokenbudget.metering.tokenizer import BytePairCounter

COUNTER = BytePairCounter()
TEXTS = st.text(max_size=300) | st.text("abcXYZ/._-0129 ", max_size=300)
TOKENS = st.integers(1, 1_000_000)

HARD_PATHS = (
    "/srv/webshop/src/components/checkout/cart_rounding_test.py",
    "/" + "Ω漢字" * 60,
    "/x" * 500,
    "/A7F3E9C0D1B2/9E8D7C6B5A49.QXZJ",
    "/a\u202eb\x1b[2Jc\ud800\U000e0041",
    "",
)


def tokens_of(text: str) -> int:
    return COUNTER.count(text.encode("utf-8", "replace").decode())


@given(
    st.integers(1, 2_000_000), st.integers(100, 1_000).map(lambda size: size * 1_000), TEXTS, TOKENS
)
@example(1_006, 100_000, "0A0A0A0000A00", 4_021)
@example(11_600, 507_000, "Yj4jZqX0A0q2", 310_800)
def test_a_crossing_takes_forty_tokens_at_most(
    used: int, size: int, command: str, chars: int
) -> None:
    for label in (words.command_label(command) + words.OUTPUT, words.tail_of("/" + command)):
        assert tokens_of(words.crossing(used, size, [(label, chars)])) <= 40


def test_a_crossing_names_a_path_by_its_end_and_a_command_by_its_beginning() -> None:
    path = words.tail_of("/srv/webshop/src/components/checkout/cart_rounding_test.py")
    said = words.crossing(101_000, 200_000, [(path, 8_000)])
    assert said.endswith('; largest: "\u2026ing_test.py" ~2K.'), said
    label = words.command_label("pytest tests/components/checkout") + words.OUTPUT
    said = words.crossing(101_000, 200_000, [(label, 8_000)])
    assert said.endswith('; largest: "pytest test\u2026 output" ~2K.'), said


@given(TEXTS, TOKENS)
@settings(deadline=None)
def test_so_does_a_denied_read(path: str, tokens: int) -> None:
    assert tokens_of(words.read_again("/" + path, tokens)) <= 40


@pytest.mark.parametrize("path", HARD_PATHS)
def test_so_does_one_of_a_path_that_takes_many(path: str) -> None:
    assert tokens_of(words.read_again(path, 123_456)) <= 40
    assert tokens_of(words.huge_output(29_999)) <= 40


@given(st.none() | TOKENS, st.none() | st.integers(1_000, 1_000_000))
@settings(deadline=None)
def test_so_does_the_summary_of_a_budget(used: int | None, size: int | None) -> None:
    eight = tuple(one / 10 for one in range(1, 9))
    assert tokens_of(words.session_begins(used, size, eight, "180000")) <= 40
    assert tokens_of(words.stopped(used, size, "180000")) <= 40


@given(TEXTS, TEXTS, TOKENS)
@settings(deadline=None)
def test_so_does_a_switch_and_a_compaction(one: str, other: str, tokens: int) -> None:
    assert tokens_of(words.switched(one, other, tokens, 12.345)) <= 80  # for the person
    assert tokens_of(words.resumed_cold(tokens, 12.345)) <= 80
    assert tokens_of(words.compacted(tokens, tokens // 2)) <= 40
    assert tokens_of(words.level_changed(tokens, 200_000, 2)) <= 40


@given(st.lists(TEXTS, max_size=8), TEXTS, TEXTS)
@settings(deadline=None)
def test_what_is_kept_over_a_compaction_takes_120_at_most(
    files: list[str], label: str, error: str
) -> None:
    failure = [words.command_label(label), words.cut(error, words.ERROR_COST)]
    freed = words.compacted(900_000, 12_345)
    said = f"{freed} {words.kept([f'/{one}' for one in files], failure)}"
    assert tokens_of(said) <= 120


@given(TEXTS, TEXTS)
@example("0\u0871\u0871\u0871\u0871\u1400", "\u0870\u0871\u0871\u0871\u0871\u1400\u1400")
@settings(deadline=None)
def test_what_was_stored_is_not_believed_either(one: str, other: str) -> None:
    """Somebody may have written into our file."""
    assert tokens_of(words.crossing(162_000, 200_000, [(one, 10**15)])) <= 45
    assert tokens_of(words.kept([one] * 8, [one, other])) <= 120


@given(TEXTS)
def test_a_label_is_one_line_without_quotes_and_never_longer_than_the_text(text: str) -> None:
    for label in (words.cut(text, 12), words.tail_of(text), words.command_label(text)):
        assert '"' not in label
        assert "\n" not in label
        assert label.isprintable()
        assert len(label) <= max(len(text) + 1, len(words.SOME_COMMAND))


@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("npm test -- --watch=false", "npm test --"),
        ("python -m venv x", "python -m venv"),
        ("API_KEY=hunter2 DEBUG=1 npm test", "npm test"),
        ("API_KEY='hunter 2' npm test", "command"),
        ("mysql -phunter2 shop", "mysql"),
        ("sshpass -p hunter2 ssh host", "sshpass"),
        ("curl https://me:hunter2@example.com/", "curl"),
        ('curl -H "Authorization: Bearer hunter2"', "curl"),
        ("export API_KEY=hunter2", "export"),
        ("", "command"),
    ],
)
def test_a_commands_label_leaves_out_where_passwords_stand(command: str, label: str) -> None:
    assert words.command_label(command) == label


def test_the_words_are_a_fact_a_number_and_an_action() -> None:
    largest = [("npm test output", 56_000)]
    assert words.crossing(810_000, 1_000_000, largest) == (
        'ctx 81% (810K/1M). Delegate searches to a subagent; largest: "npm test output" ~14K.'
    )
    assert words.crossing(104_000, 200_000, []) == ("ctx 52% (104K/200K). Read ranges, not files.")
    assert words.crossing(142_000, 200_000, largest).startswith(
        "ctx 71% (142K/200K). Filter output (grep, tail); largest:"
    )
    assert words.crossing(180_000, 200_000, largest) == (
        "ctx 90% (180K/200K). You must compact or start anew: finish this step, note what is open,"
        " ask for /compact."
    )


@pytest.mark.parametrize(
    ("used", "size", "is_said"),
    [
        (156_999, 200_000, False),
        (157_000, 200_000, True),
        (166_999, 200_000, True),
        (167_000, 200_000, False),  # it did not compact there
        (162_000, 1_000_000, False),
        (162_000, 201_000, False),  # a size that somebody wrote
    ],
)
def test_where_90_per_cent_are_never_reached_it_is_told_before(
    used: int, size: int, is_said: bool
) -> None:
    said = words.crossing(used, size, [("npm test output", 56_000)])
    assert said.endswith(f"K/200K). {words.NEARLY_FULL}") is is_said
    assert "Usable to ~167K: finish this step" in words.NEARLY_FULL


def test_the_per_cent_are_those_that_are_reached() -> None:
    assert words.window_share(179_999, 200_000).startswith("89%")
    assert words.window_share(180_000, 200_000).startswith("90%")


def test_a_session_begins_with_what_is_known() -> None:
    assert words.session_begins(None, 200_000, (0.5, 0.9), "95%") == (
        "Context window 200K; you are told at 50/90%; hard stop at 95%."
    )
    assert words.session_begins(84_000, 200_000, (0.5,), "") == (
        "ctx 42% (84K/200K); you are told at 50%."
    )
    assert words.session_begins(None, None, (0.5,), "") == "", "nothing is known"
    assert words.session_begins(None, None, (), "") == ""


def test_a_path_is_cut_from_its_beginning() -> None:
    assert words.tail_of("/srv/a.py") == "/srv/a.py"
    shown = words.tail_of("/a/very/long/path/" * 9 + "cart.py")
    assert shown.startswith("…")
    assert shown.endswith("cart.py")


def test_a_compaction_says_only_what_is_known() -> None:
    assert words.compacted(167_000, 23_000) == "Compacted: 167K to 23K, 144K freed."
    assert words.compacted(167_000, 0) == "Compacted at 167K."
    assert words.compacted(0, 0) == ""
    assert words.compacted(1_000, 2_000) == "Compacted at 1K."


def test_a_switch_says_what_going_cold_costs() -> None:
    assert words.switched("claude-opus-5-5", "claude-sonnet-5-5", 14_581, 0.0365) == (
        "tokens: claude-opus-5-5 to claude-sonnet-5-5: the warm cache is lost, 14.6K tokens are"
        " written again, about $0.04."
    )


@given(st.lists(TEXTS, max_size=8), TEXTS, TEXTS)
@settings(deadline=None)
def test_what_a_summary_is_asked_for_is_one_short_line_of_plain_names(
    files: list[str], label: str, folder: str
) -> None:
    said = words.to_be_kept(files, label, folder)
    assert len(said) <= 480
    assert said.isprintable()
    assert not said or said.startswith(words.KEEP)
    assert said.count('"') % 2 == 0


def test_the_client_knows_the_words_for_a_summary_by_their_beginning() -> None:
    assert words.KEEP.encode() == PLAIN_WORDS
