"""Pull one lever in the laboratory, and put what it did into a row."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

from lever_laboratory import Combination, Experiment, Laboratory, Place, Running, Sent
from lever_rows import (
    HARDLY,
    NEVER,
    NEXT_REQUEST,
    NEXT_START,
    Kept,
    Row,
    arrival_of,
    effect_of,
)
from levers import Lever, nothing

TRIALS = 2
"""A hook that is late on a busy machine lets a result pass as it is: the shortest counts."""


class Measuring:
    """Measures levers one after the other; what it compares them with is measured once."""

    def __init__(self, laboratory: Laboratory, kept: Kept, day: str) -> None:
        self._laboratory, self._kept, self._day = laboratory, kept, day
        self._plain: dict[tuple[str, Combination], tuple[Sent, Running]] = {}

    def rows(self, levers: Sequence[Lever], about: Combination) -> Iterator[tuple[Row, bool]]:
        """A row for each lever, and whether it was measured just now."""
        for lever in levers:
            row = self._kept.row(lever, about.release.version, about.model, about.search)
            is_new = row is None
            if row is None:
                row = self._measured(lever, about)
                self._kept.keep(row)
            yield row, is_new

    def _measured(self, lever: Lever, about: Combination) -> Row:
        by_kind: dict[str, Callable[[Lever, Combination], Row]] = {
            "clutter": self._in_clutter,
            "terseness": self._of_words,
            "gateway": self._of_gateway,
            "history": self._of_history,
            "reserve": self._of_reserve,
            "trimming": self._of_results,
        }
        return by_kind[lever.kind](lever, about)

    # ── what stands in every request ───────────────────────────────────────────────────────────

    def _in_clutter(self, lever: Lever, about: Combination) -> Row:
        return self._standing(lever, about, self._laboratory.place, effect_of)

    def _of_words(self, lever: Lever, about: Combination) -> Row:
        """What our own words add."""
        make = functools.partial(self._laboratory.hooked, about.release)
        return self._standing(lever, about, make, arrival_of)

    def _of_gateway(self, lever: Lever, about: Combination) -> Row:
        make = functools.partial(self._laboratory.with_program, about)
        return self._standing(lever, about, make, effect_of)

    def _standing(
        self,
        lever: Lever,
        about: Combination,
        make: Callable[[], Place],
        judged: Callable[[int, int, int], str],
    ) -> Row:
        plain, control = self._compared(lever, about, make)
        start, live = make(), make()
        for place in (start, live):
            lever.before(place.clutter)
        lever.pull(start.clutter)
        after = self._laboratory.first_request(start, about)
        running = self._laboratory.running(live, about, lever.pull)
        grown = (
            after.size_bytes - plain.size_bytes,
            running.next.size_bytes - control.next.size_bytes,
            running.compacted.size_bytes - control.compacted.size_bytes,
        )
        tokens = after.tokens - plain.tokens
        return self._row(lever, about, plain, grown, tokens, control, running, judged(*grown))

    def _compared(
        self, lever: Lever, about: Combination, make: Callable[[], Place]
    ) -> tuple[Sent, Running]:
        """The same without the lever; one for all that find nothing else there before."""
        key = (lever.name if lever.before is not nothing else lever.kind, about)
        if key not in self._plain:
            start, live = make(), make()
            for place in (start, live):
                lever.before(place.clutter)
            self._plain[key] = (
                self._laboratory.first_request(start, about),
                self._laboratory.running(live, about),
            )
        return self._plain[key]

    # ── what happens in a session ──────────────────────────────────────────────────────────────

    def _of_history(self, lever: Lever, about: Combination) -> Row:
        """The client compacts before the next request, or would in the next session."""
        control, running, begun = self._three(lever, about, self._laboratory.filled)
        effect = NEVER
        if begun.compactions > control.compactions:
            effect = NEXT_START
        if running.compactions > control.compactions:
            effect = NEXT_REQUEST
        return self._happening(lever, about, control, running, effect)

    def _of_reserve(self, lever: Lever, about: Combination) -> Row:
        """The client no longer compacts where it would have."""
        control, running, begun = self._three(lever, about, self._laboratory.filled)
        effect = NEVER
        if begun.compactions < control.compactions:
            effect = NEXT_START
        if running.compactions < control.compactions:
            effect = NEXT_REQUEST
        return self._happening(lever, about, control, running, effect)

    def _of_results(self, lever: Lever, about: Combination) -> Row:
        """What programs print comes back shorter."""
        control, running, begun = (
            min(times, key=lambda one: one.next.size_bytes)
            for times in zip(
                *(self._three(lever, about, self._laboratory.looking) for _ in range(TRIALS)),
                strict=True,
            )
        )
        effect = NEVER
        if begun.next.size_bytes < control.next.size_bytes - HARDLY:
            effect = NEXT_START
        if running.next.size_bytes < control.next.size_bytes - HARDLY:
            effect = NEXT_REQUEST
        return self._happening(lever, about, control, running, effect)

    def _three(
        self, lever: Lever, about: Combination, play: Experiment
    ) -> tuple[Running, Running, Running]:
        """Without the lever, with it pulled while the session ran, and pulled before it began."""
        found = []
        for first, then in ((nothing, nothing), (nothing, lever.pull), (lever.pull, nothing)):
            place = self._place_for(lever, about)
            lever.before(place.clutter)
            first(place.clutter)
            found.append(play(place, about, then))
        return found[0], found[1], found[2]

    def _place_for(self, lever: Lever, about: Combination) -> Place:
        is_ours = lever.kind == "trimming"
        return self._laboratory.hooked(about.release) if is_ours else self._laboratory.place()

    def _happening(
        self, lever: Lever, about: Combination, control: Running, running: Running, effect: str
    ) -> Row:
        grown = (0, running.next.size_bytes - control.next.size_bytes, 0)
        return self._row(lever, about, control.next, grown, 0, control, running, effect)

    def _row(
        self,
        lever: Lever,
        about: Combination,
        before: Sent,
        grown: tuple[int, int, int],
        tokens: int,
        control: Running,
        running: Running,
        effect: str,
    ) -> Row:
        start, now, compacted = grown
        return Row(
            lever=lever.name,
            release=about.release.version,
            model=about.model,
            search=about.search,
            day=self._day,
            before_bytes=before.size_bytes,
            start_bytes=start,
            start_tokens=tokens,
            next_bytes=now,
            compacted_bytes=compacted,
            changed=changed(control.next, running.next),
            rewrites=running.rewrites if running.rewrites != control.rewrites else "",
            effect=effect,
        )


def changed(control: Sent, running: Sent) -> str:
    """Which parts of the beginning of a request, which the cache holds, have another size."""
    pairs = (
        ("system", control.system_bytes, running.system_bytes),
        ("tools", control.tools_bytes, running.tools_bytes),
    )
    return ", ".join(name for name, was, now in pairs if was != now)
