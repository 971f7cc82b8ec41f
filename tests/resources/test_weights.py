"""What things weigh: as a window showed it, as counted, or unknown."""

from pathlib import Path

import pytest
from tests.resources.projects import WordCounter

from tokenbudget.analysis.composition import Component, Item
from tokenbudget.analysis.session_window import Record, SessionWindow
from tokenbudget.analysis.window_size import WindowSize
from tokenbudget.model.actions import Weight
from tokenbudget.resources.weights import Shown, Weights, added, weights_of


def item(name: str, tokens: int, size_bytes: int = 0) -> Item:
    return Item(name, tokens, 1, size_bytes, 0, 0, ())


def component(key: str, provenance: str, *items: Item) -> Component:
    tokens = sum(one.tokens for one in items)
    return Component(key, key, tokens, tokens // 20, provenance, items)


def window(*components: Component) -> SessionWindow:
    return SessionWindow(
        agent="",
        model="claude-opus-5-5",
        size=WindowSize(1_000_000, "", 967_000, ""),
        calibration_steps=100,
        calibration_median_error=0.02,
        calibration_p90_error=0.1,
        prompt_tokens=1,
        answer_tokens=0,
        waiting_tokens=0,
        at_ms=0,
        changed_since="",
        called_servers=(),
        requests=1,
        unexplained_requests=0,
        record=None,
        components=components,
        samples=(),
        crossings=(),
        cost=None,
        notes=(),
        agents=(),
    )


def test_what_a_proven_record_does_not_explain_may_belong_to_any_part() -> None:
    files = component("memory_files", "calibrated", item("/p/CLAUDE.md", 800))
    hidden = component("hidden", "calibrated")._replace(tokens=200)
    said = Record(
        "", is_whole=True, is_proven=True, size_bytes=1, frame_bytes=1, bytes_by_component=()
    )
    seen = window(files, hidden)
    proven = weights_of(seen._replace(record=said), WordCounter(), 1.0, 0.05)
    # 200 of 800 may be the file's: a quarter more than the calibration's tenth.
    assert proven.of_memory_file("/p/CLAUDE.md", "x" * 10).error_tokens == 280
    assert proven.of_text("a b c d e f g h i j").error_tokens == 3
    assert weights_of(seen, None, 1.0).of_memory_file("/p/CLAUDE.md", "x" * 10).error_tokens == 80


def test_text_is_counted_with_its_error() -> None:
    weights = Weights(WordCounter(), 1.5, 0.1)
    assert weights.of_text("one two three four") == Weight(6, 1, "estimated")
    assert weights.of_text("") == Weight(0, 0, "exact")
    assert Weights().of_text("words") == Weight(None)
    assert Weights(ratio=1.0).of_bytes(360) == Weight(100, 30, "estimated")


def test_servers_are_added_up_by_the_name_in_their_tools() -> None:
    seen = window(
        component(
            "mcp_tools",
            "calibrated",
            item("we_ird", 100),
            item("we.ird", 20),
            item("all servers", 9),
        )
    )
    weights = weights_of(seen, None, 1.0)
    assert weights.of_server("we.ird") == Weight(120, 12, "calibrated")
    assert weights.of_server("other") == Weight(None)
    assert weights.servers == ("we_ird",)


def test_exact_stays_exact_and_errors_are_never_less_than_the_share() -> None:
    seen = window(component("mcp_tools", "exact", item("a", 100)))
    assert weights_of(seen, None, 1.0).of_server("a") == Weight(100, 0, "exact")


def test_a_memory_file_weighs_what_the_window_showed_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "CLAUDE.md"
    link = tmp_path / "link.md"
    path.write_text("x")
    link.symlink_to(path)
    text = "word " * 400
    seen = window(component("memory_files", "calibrated", item(str(path), 777, len(text))))
    weights = weights_of(seen, WordCounter(), 1.0, 0.1)

    assert weights.of_memory_file(str(path), text).tokens == 777
    assert weights.of_memory_file(str(link), text).basis == "calibrated"
    assert weights.of_memory_file(str(path), text * 2) == Weight(800, 80, "estimated")
    assert weights.of_memory_file(str(tmp_path / "other.md"), "a b").tokens == 2


def test_listings_and_the_size_of_the_window_are_taken_over() -> None:
    seen = window(
        component("skills", "calibrated", item("listing", 500, 2000), item("a-body", 90, 300)),
        component("agents", "calibrated", item("listing", 100, 400)),
    )
    weights = weights_of(seen, None, 1.0)
    assert weights.window_tokens == 1_000_000
    assert weights.listing("skills") == Shown("listing", Weight(500, 50, "calibrated"), 2000)
    assert weights.of_line("agents", "x" * 40).tokens == 10
    assert weights.listing("other") is None


def test_without_a_window_all_is_counted() -> None:
    weights = weights_of(None, WordCounter(), 2.0, 0.5)
    assert weights.of_line("skills", "one two") == Weight(4, 2, "estimated")
    assert weights.of_server("a") == Weight(None)
    assert weights.window_tokens is None


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], Weight(0, 0, "exact")),
        ([Weight(1, 0, "exact"), Weight(2, 1, "calibrated")], Weight(3, 1, "calibrated")),
        ([Weight(1, 1, "estimated"), Weight(2, 1, "calibrated")], Weight(3, 2, "estimated")),
        ([Weight(1, 0, "exact"), Weight(None)], Weight(None)),
    ],
)
def test_sums_are_as_good_as_their_worst_part(given: list[Weight], wanted: Weight) -> None:
    assert added(given) == wanted
