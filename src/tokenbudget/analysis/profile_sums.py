"""Studies added up: one pass over all spends of a period, keyed by what they were for."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.amounts import Amount
from tokenbudget.analysis.profile_names import AGENT_TOOLS, What, part_of, title_of, tool_of
from tokenbudget.analysis.study import UNATTRIBUTED
from tokenbudget.analysis.study_agents import agent_types
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from tokenbudget.analysis.study import FileStudy, Spend, ThreadStudy

    Weekly: TypeAlias = dict[int, dict[tuple[str, str, str], list[int]]]

FIRST_DAY, LAST_DAY = 0, 1 << 40
"""All of time, undated requests included."""
UNKNOWN_AGENT = "(type not recorded)"


class Days(NamedTuple):
    """A period in local days since 1970, both included; day 0 is what has no usable time."""

    first: int = FIRST_DAY
    last: int = LAST_DAY

    def holds(self, day: int) -> bool:
        """Whether a day is in it."""
        return self.first <= day <= self.last


class Cell:
    """The sums of one thing, and the sessions that it was seen in."""

    __slots__ = ("added_tokens", "figures", "pieces", "sessions")

    def __init__(self) -> None:
        self.pieces = self.added_tokens = 0
        self.figures = [0] * 7
        self.sessions: set[str] = set()

    @property
    def amount(self) -> Amount:
        """What was billed for it."""
        return Amount(*self.figures)

    def take(self, other: Cell) -> None:
        """Add the sums of another."""
        self.pieces += other.pieces
        self.added_tokens += other.added_tokens
        own = self.figures
        for place, figure in enumerate(other.figures):
            if figure:
                own[place] += figure
        self.sessions |= other.sessions

    def take_amount(self, amount: Amount, session: str = "") -> None:
        """Add what was billed without pieces of its own."""
        self.figures = [a + b for a, b in zip(self.figures, amount, strict=True)]
        if session:
            self.sessions.add(session)


class Sums(NamedTuple):
    """Everything that was spent in a period, by what it was for."""

    cells: dict[tuple[str, What], Cell]
    """By project and thing."""
    agents: dict[str, Cell]
    """By type of subagent: what its threads were billed, and what its results carry elsewhere."""
    prompts: dict[str, Cell]
    """The prompts of each session."""
    weekly: Weekly
    """Money and tokens by week (its Monday's number) and (component, kind, name)."""

    def total(self) -> Amount:
        """Everything together."""
        whole = Cell()
        for cell in self.cells.values():
            whole.take_amount(cell.amount)
        return whole.amount


def monday_of(day: int) -> int:
    """The number of the Monday that the week of this day begins with."""
    return day - (day + 3) % 7  # day 0 was a Thursday


def sums_of(files: Iterable[FileStudy], days: Days) -> Sums:
    """Add up what the studies say of a period."""
    studied = list(files)
    sums = Sums({}, {}, {}, {})
    by_project: dict[str, dict[tuple[str, str, str, str], Cell]] = {}
    for file in studied:
        cells = by_project.setdefault(file.project, {})
        for thread in file.threads:
            _add_all(thread.spends, file.session, days, cells, sums.weekly)
    for project, cells in by_project.items():
        sums.cells.update({(project, What(*key)): cell for key, cell in cells.items()})
    _add_agents(studied, days, sums.agents)
    _add_prompts(studied, days, sums.prompts)
    return sums


def _add_all(
    spends: Iterable[Spend],
    session: str,
    days: Days,
    cells: dict[tuple[str, str, str, str], Cell],
    weekly: Weekly,
) -> None:
    """The one loop over all spends (a hundred thousand of them): by place, not by name."""
    first, last = days
    for spend in spends:
        day = spend[0]
        if not first <= day <= last:
            continue
        key = spend[2:6]
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = Cell()
        cell.pieces += spend[6]
        cell.added_tokens += spend[7]
        cell.sessions.add(session)
        figures = cell.figures
        figures[0] += spend[8]
        figures[1] += spend[9]
        figures[2] += spend[10]
        figures[3] += spend[11]
        figures[4] += spend[12]
        figures[5] += spend[13]
        figures[6] += spend[14]
        week = weekly.setdefault(day - (day + 3) % 7 if day else 0, {})
        short = key[:3]
        sums = week.get(short)
        if sums is None:
            sums = week[short] = [0, 0]
        sums[0] += spend[13]
        sums[1] += spend[8] + spend[9] + spend[10] + spend[11] + spend[12]


def _add_agents(files: Iterable[FileStudy], days: Days, agents: dict[str, Cell]) -> None:
    """What a result carries is counted in main threads only: a subagent's bill is its own."""
    told, known = agent_types(files), _only_types(files)
    for file in files:
        for thread in file.threads:
            if is_subagent(file, thread):
                name = told.get((file.session, thread.thread)) or known.get(file.session)
                name = name or UNKNOWN_AGENT
                for spend in thread.spends:
                    _add(agents, name, spend, file.session, days)
                continue
            for spend in thread.spends:
                if spend[4] in AGENT_TOOLS and tool_of(What(*spend[2:6])):
                    _add(agents, spend.target or UNKNOWN_AGENT, spend, file.session, days)


def is_subagent(file: FileStudy, thread: ThreadStudy) -> bool:
    """Whether a thread is a subagent's."""
    return file.is_subagent or bool(thread.thread)


def _only_types(files: Iterable[FileStudy]) -> dict[str, str]:
    """The type of a session's subagents, where it called one type only."""
    types: dict[str, set[str]] = {}
    for file, thread in threads_of(files):
        for spend in thread.spends:
            if spend[4] in AGENT_TOOLS and spend[5] and tool_of(What(*spend[2:6])):
                types.setdefault(file.session, set()).add(spend.target)
    return {session: next(iter(names)) for session, names in types.items() if len(names) == 1}


def threads_of(files: Iterable[FileStudy]) -> Iterator[tuple[FileStudy, ThreadStudy]]:
    """Every thread with its file."""
    for file in files:
        for thread in file.threads:
            yield file, thread


def _add_prompts(files: Iterable[FileStudy], days: Days, prompts: dict[str, Cell]) -> None:
    for file, thread in threads_of(files):
        if is_subagent(file, thread):
            continue  # what a subagent was asked is nothing that a person typed
        for spend in thread.spends:
            if spend[3] == window.PROMPT:
                _add(prompts, file.session, spend, file.session, days)


def _add(into: dict[str, Cell], name: str, spend: Spend, session: str, days: Days) -> None:
    if not days.holds(spend[0]):
        return
    cell = into.setdefault(name, Cell())
    cell.pieces += spend.pieces
    cell.added_tokens += spend.added_tokens
    cell.take_amount(Amount(*spend[8:15]), session)


def tops_of(sums: Sums) -> dict[int, str]:
    """What took most in each week, by its Monday's number; 0 is what has no usable time.

    Of the money; of the tokens, where nothing has a price.
    """
    tops: dict[int, str] = {}
    for week, taken in sums.weekly.items():
        by_label: dict[str, tuple[int, int]] = {}
        for (component, kind, name), (money, tokens) in taken.items():
            if component == UNATTRIBUTED:
                continue
            label = part_of(What(component, kind, name, "")) or title_of(component)
            before = by_label.get(label, (0, 0))
            by_label[label] = (before[0] + money, before[1] + tokens)
        tops[week] = max(sorted(by_label), key=lambda label: by_label[label], default="")
    return tops
