"""The page of the benches is written by several of them; none takes another's section away."""

from __future__ import annotations

from bench import with_other_sections

OTHERS = "\n## Explaining\n\n| a | b |\n\n## Archive\n\n### Sizes\n"


def test_the_sections_of_other_benches_stay_as_they_are() -> None:
    old = "# Benchmarks\n\n| old | 1 |\n" + OTHERS
    assert with_other_sections("# Benchmarks\n\n| new | 2 |\n", old) == (
        "# Benchmarks\n\n| new | 2 |\n" + OTHERS
    )


def test_a_first_page_and_one_without_other_sections_are_the_new_page_alone() -> None:
    for old in ("", "# Benchmarks\n\n| old | 1 |\n"):
        assert with_other_sections("# Benchmarks\n", old) == "# Benchmarks\n"
