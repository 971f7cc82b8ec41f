"""OPTIMIZATION-RECOMMENDATIONS.md: whatever a person does to it, their ticks and words stay."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.analysis.drains.studies import FIRST_DAY, SHOP, seen, session
from tests.cli.test_hostile_text import harmful
from tests.hostile import PAYLOADS

from tokenbudget.analysis.amounts import Amount
from tokenbudget.analysis.drains.catalogue import drain_of
from tokenbudget.analysis.drains.found import Findings
from tokenbudget.analysis.drains.ranking import Days, findings_from, total_of
from tokenbudget.analysis.findings import AppliedFix, Evidence, Fix, Price
from tokenbudget.reports.optimize_file import page_of
from tokenbudget.reports.optimize_old import (
    DONE,
    GONE,
    NOTHING_OLD,
    OWN,
    TITLE,
    TO_DO,
    mark_of,
    old_of,
)

DAY = "2026-11-20"


def found(*subjects: str, sent: int = 20_000) -> Findings:
    days = Days(FIRST_DAY, FIRST_DAY + 6)
    sightings = [seen(subject=f"{SHOP}/{name}", sent=sent - n) for n, name in enumerate(subjects)]
    rows = tuple(findings_from([session("s1", FIRST_DAY, *sightings)], days, drain_of))
    return Findings(rows, total_of(rows), (), SHOP, days, 1, 20, Amount(0, 0, 0, 10**6, 0, 10**12))


def page(now: Findings, before: str = "") -> str:
    return page_of(now, old_of(before) if before else NOTHING_OLD, DAY, "/home/kim")


def header(text: str, now: Findings, number: int = 0) -> str:
    """The line with the box of a finding."""
    return next(line for line in text.splitlines() if f"`{now.rows[number].id}`" in line)


def test_written_twice_it_is_the_same() -> None:
    now = found("a.py", "b.py")
    once = page(now)
    assert page(now, once) == once
    assert once.splitlines()[0] == TITLE
    assert old_of(once).is_sound
    assert old_of(once).loose == ()
    assert all(one.notes == () and not one.is_ticked for one in old_of(once).entries)


def test_a_tick_and_a_note_stay_with_their_finding_when_its_figures_change() -> None:
    now = found("a.py", "b.py")
    text = page(now)
    line = header(text, now, 1)
    noted = f"{line.replace('[ ]', '[x]')}\n  - asked Robin\n\n    and Alex"
    dearer = found("b.py", "a.py", sent=90_000)
    again = page(dearer, text.replace(line, noted))
    moved = again.splitlines()
    at = moved.index(header(again, dearer, 0))
    assert moved[at].startswith("- [x] **1.** b.py")
    rest = moved[at : moved.index(header(again, dearer, 1))]
    assert rest[-3:] == ["  - asked Robin", "", "    and Alex"]
    assert header(again, dearer, 1).startswith("- [ ] ")


def test_what_is_true_of_a_whole_drain_is_said_once() -> None:
    text = page(found("a.py", "b.py", "c.py"))
    assert text.count("  - Tip: ") == text.count("  - Instead of it: ") == 1
    assert (
        text.count("  - Do: ") == text.count("  - So far: $0.02 in 7 days".replace("$", "\\$")) == 3
    )


def test_what_was_ticked_and_is_gone_is_done() -> None:
    now = found("a.py", "b.py")
    text = page(now)
    line = header(text, now, 1)
    text = text.replace(line, line.replace("[ ]", "[X]") + "\n  - by Kim")
    later = page(found("a.py"), text)
    done = later[later.index(DONE) :]
    assert line.replace("[ ]", "[X]") in done
    assert "  - by Kim" in done
    assert page(found("a.py"), later) == later  # and stays so
    back = page(now, later)
    assert DONE not in back
    assert header(back, now, 1).startswith("- [x] ")


def test_what_is_gone_without_a_tick_goes_unless_somebody_wrote_about_it() -> None:
    now = found("a.py", "b.py")
    text = page(now)
    assert "b.py" not in page(found("a.py"), text)
    line = header(text, now, 1)
    later = page(found("a.py"), text.replace(line, line + "\n  - look at it again"))
    assert "  - look at it again" in later[later.index(GONE) :]


def test_own_parts_stay_at_the_end_and_a_code_block_in_one_piece() -> None:
    now = found("a.py")
    own = "## My plan\n\n```sh\n# no heading\n- [ ] `re-read/aaaaaa` no finding\n```\n\nLast words."
    text = page(now).replace("[tokens-1]", f"{own}\n\n[tokens-1]")
    again = page(found("b.py", "a.py"), text)
    assert own in again[again.index(OWN) :]
    assert page(found("b.py", "a.py"), again) == again


def test_an_edited_line_of_ours_is_kept_as_a_note() -> None:
    now = found("a.py")
    text = page(now)
    tip = next(line for line in text.splitlines() if line.startswith("  - Tip: "))
    box = header(text, now)
    edited = text.replace(tip, tip + " (agreed)").replace(box, box + " <- first!")
    again = page(now, edited)
    assert tip in again.splitlines()
    assert tip + " (agreed)" in again.splitlines()
    assert "<- first!" in again
    assert page(now, again) == again


def test_damaged_marks_are_noticed_and_nothing_is_doubled() -> None:
    now = found("a.py")
    text = page(now).replace("[ ]", "[x]")
    for broken in (
        text.replace("[tokens-end]", "[tokens-ende]"),
        text.replace('[tokens-1]: # "', '[tokens-1]: # "00'),
        "\n".join(line for line in text.splitlines() if not line.startswith("[tokens-")),
        text[: len(text) // 2],
    ):
        assert not old_of(broken).is_sound
        again = page(now, broken)
        assert again.count("  - Tip: ") == 1
        assert header(again, now).startswith("- [x] ")
        assert old_of(again).is_sound


def test_line_ends_of_another_system_are_no_edit() -> None:
    now = found("a.py")
    text = page(now)
    assert page(now, text.replace("\n", "\r\n")) == text


def test_hostile_words_are_inert() -> None:
    now = found("<script>x</script>|`${{y}}`@all\n# own](http://evil.example) www.evil.example.py")
    fix = Fix("command", "run <b>it</b>", "x `whoami`\x1b[2J", "", "")
    applied = AppliedFix(3, 0, Price(1, 1, None, None), 2.0, None, None, None, False)
    now = now._replace(rows=(now.rows[0]._replace(fix=fix, applied=applied),))
    text = page(now)
    for sign in ("<script", "<b>", "${", "@all", "\x1b", "www.", "\n# own", "`whoami`"):
        assert sign not in text
    assert re.search(r"(?<!\\)\]\(", text) is None
    assert "Applied as action 3" in text


def skeleton(text: str) -> list[str]:
    """The rendered page without its words: its tags, in order."""
    made = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    return re.findall(r"</?[a-z][a-z0-9]*", made)


def attacked(words: str) -> str:
    """The file where every text that is not ours is this one, but for our own command."""
    row = (
        found("a.py")
        .rows[0]
        ._replace(
            title=words,
            subject=words,
            project=words or "-",
            confidence_reason=words,
            fix=Fix("advice", words, "", "", ""),
            evidence=(Evidence(words, words, 3, 1, words),),
        )
    )
    now = found("a.py")._replace(rows=(row,), project=None)
    return page(now, page(now))


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_no_payload_changes_what_the_page_is_made_of(name: str) -> None:
    text = attacked(PAYLOADS[name])
    assert skeleton(text) == skeleton(attacked("plain"))
    assert "<" not in text.replace("<-", "")
    assert not harmful(text)
    assert old_of(text).is_sound
    assert old_of(text).loose == ()


def test_an_empty_result_is_a_valid_file() -> None:
    none = Findings((), Price(0, 0, None, None), ())
    text = page(none)
    assert TO_DO in text
    assert "Nothing" in text
    assert page(none, text) == text
    assert Decimal(0) == (none.weekly_total.usd or 0)


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n", exclude_categories=["Cs"]),
    min_size=1,
    max_size=30,
).filter(
    lambda text: text.strip() and not text.lstrip().startswith(("#", "`", "~", "[", "-", "*", "+"))
)
EDITS = st.lists(st.tuples(st.integers(0, 60), WORDS), max_size=8)
TICKS = st.sets(st.integers(0, 3))
NAMES = st.sets(st.sampled_from(["a.py", "b.py", "c.py", "d.py"]), min_size=1)


@settings(max_examples=150)
@given(NAMES, NAMES, EDITS, TICKS)
def test_nothing_that_a_person_writes_is_lost(
    before: set[str], after: set[str], edits: list[tuple[int, str]], ticks: set[int]
) -> None:
    first = found(*sorted(before))
    text = page(first)
    for number in ticks:
        if number < len(first.rows):
            box = header(text, first, number)
            text = text.replace(box, box.replace("[ ]", "[x]"))
    lines = text.splitlines()
    ours = {mark_of(line) for line in lines}
    end = next(n for n, line in enumerate(lines) if line.startswith("[tokens-"))
    for place, words in edits:
        lines.insert(min(place, end), words)
    second = found(*sorted(after))
    again = page(second, "\n".join(lines) + "\n")
    kept = again.split("\n")
    for _, words in edits:
        if mark_of(words) not in ours:
            assert words in kept
    for number in ticks:
        if number < len(first.rows):
            ticked = [line for line in kept if f"`{first.rows[number].id}`" in line]
            assert ticked
            assert all(line.startswith("- [x]") for line in ticked)
    assert page(second, again) == again
    assert old_of(again).is_sound
