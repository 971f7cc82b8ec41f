"""Lines of tests and builds that say that all went well: what can be cut, tool by tool.

Each pattern fits a whole line as the tool prints it, so a test that is named after an error is
still known to have passed. What failed, was skipped or is only expected to fail never matches.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_CHARS = 600
"""A longer line is no such line; and patterns with two stars stay linear."""

PASSED = "passed"
STEPS = "steps"


class Noise(NamedTuple):
    """One form of line that can be cut."""

    kind: str
    tool: str
    pattern: str


NOISE: tuple[Noise, ...] = (
    Noise(PASSED, "pytest -v", r"[^:\s]++::.* PASSED(?: +\[ *\d+%\])?"),
    Noise(PASSED, "pytest-xdist", r"\[gw\d+\] (?:\[ *\d+%\] )?PASSED \S+::.*"),
    Noise(PASSED, "pytest -rA", r"PASSED \S+::.*"),
    Noise(PASSED, "pytest", r"\S+\.py [.]+(?: +\[ *\d+%\])?"),
    Noise(PASSED, "pytest -q", r"[.]+ +\[ *\d+%\]"),
    Noise(PASSED, "unittest -v, cargo test", r"(?:test \S.*|\w+ \([\w.<>]+\).*) \.\.\. ok"),
    Noise(PASSED, "deno test", r"\S.* \.\.\. ok \([\d.]+m?s\)"),
    Noise(PASSED, "nextest", r" +PASS \[ *[\d.]+s\] \S.*"),
    Noise(PASSED, "bun test", r"(?:\(pass\)|✓) \S.* \[[\d.]+m?s\]"),
    Noise(PASSED, "xctest", r"Test Case '[^']+' passed \([\d.]+ seconds\)\.?"),
    Noise(PASSED, "jest", r"PASS [\w@./\\\[\]() -]+\.[cm]?[jt]sx?(?: \([\d.]+ m?s\))?"),
    Noise(
        PASSED,
        "jest, vitest, mocha, node",
        r"(?: +[✓✔√] |[✓✔√] (?=.* \([\d.]+ ?m?s\)$))(?!.*\d (?:fail|error|warn|skip)).+",
    ),
    Noise(PASSED, "go test -v", r" *--- PASS: \S+ \([\d.]+s\)"),
    Noise(PASSED, "go test", r"ok  ?\t\S+\t(?:[\d.]+s|\(cached\))"),
    Noise(PASSED, "TAP", r" *ok \d+ - (?!.*# (?:SKIP|TODO)).*"),
    Noise(PASSED, "googletest", r"\[       OK \] \S+ \(\d+ ms\)"),
    Noise(PASSED, "ctest", r" *\d+/\d+ Test +#\d+: \S+ \.+ +Passed +[\d.]+ sec"),
    Noise(PASSED, "gradle", r"\S+ > .+ PASSED"),
    Noise(PASSED, "dotnet", r"  Passed \S.* \[[<\d][^\]]*\]"),
    Noise(STEPS, "go test", r"\?   \t\S+\t\[no test files\]"),
    Noise(STEPS, "go", r"go: (?:downloading|extracting) \S+ v\S+"),
    Noise(
        STEPS,
        "cargo",
        r" +(?:Compiling|Checking|Downloaded|Downloading|Fresh|Unpacking) \S+ v?\d\S*(?: \(.*\))?",
    ),
    Noise(STEPS, "cmake", r"\[ *\d+%\] (?:Building|Linking|Built target|Generating|Scanning) .*"),
    Noise(STEPS, "ninja", r"\[\d+/\d+\] (?:Building|Linking|Compiling|Generating|Copying) .*"),
    Noise(STEPS, "kbuild", r"  (?:CC|CXX|LD|AR|AS|GEN|HOSTCC|HOSTLD|CCLD|CXXLD)(?: \[M\])? +\S+"),
    Noise(STEPS, "make", r"make(?:\[\d+\])?: (?:Entering|Leaving) directory .*"),
    Noise(STEPS, "make", r"(?:\S*/)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+) .* -c .*"),
    Noise(
        STEPS,
        "pip",
        r" *(?:Requirement already satisfied: |Collecting |Using cached |Downloading |Obtaining "
        r"|Installing build dependencies|Getting requirements to build|Preparing metadata"
        r"|Building wheel|Created wheel|Stored in directory).*",
    ),
    Noise(STEPS, "npm", r"npm http (?:fetch|cache) .*"),
    Noise(
        STEPS,
        "apt",
        r"(?:(?:Get|Hit|Ign):\d+ |Selecting previously unselected |Preparing to unpack |Unpacking "
        r"|Setting up |Processing triggers for |\(Reading database).*",
    ),
    Noise(
        STEPS,
        "docker",
        r"(?:[0-9a-f]{12}: (?:Pulling fs layer|Waiting|Verifying Checksum|Download complete"
        r"|Pull complete|Already exists)|#\d+ (?:sha256:|extracting sha256:|resolve ).*"
        r"| ---> [0-9a-f]{12}|Removing intermediate container [0-9a-f]+)",
    ),
    Noise(STEPS, "maven", r"(?:\[INFO\] )?Download(?:ed|ing)(?: from \S+)?: .*"),
    Noise(STEPS, "gradle", r"> Task \S+(?: (?:UP-TO-DATE|NO-SOURCE|FROM-CACHE))?"),
    Noise(STEPS, "git", r"remote: (?:Counting|Compressing|Enumerating) objects: .*"),
    Noise(STEPS, "terraform", r".+: (?:Still \w+\.\.\. \[.*\]|Refreshing state\.\.\..*)"),
)
"""In the order of the tests that agents run most."""

STARTED = re.compile(r"=== (?:RUN|PAUSE|CONT|NAME) +(\S+)|\[ RUN      \] (\S+)")
"""A test begins: can be cut where a line says that the same test passed."""
FINISHED = re.compile(r" *--- (?:PASS|SKIP): (\S+) |\[       OK \] (\S+) \(")

_NOISE = re.compile(
    "|".join(
        f"(?P<{kind}>{forms})"
        for kind, forms in (
            (kind, "|".join(one.pattern for one in NOISE if one.kind == kind))
            for kind in (PASSED, STEPS)
        )
    )
)

_LOUD = re.compile(r"(?<![A-Za-z])(?:X?FAIL(?:ED|URES?)?|ERRORS?|panicked)(?![A-Za-z])|\bnot ok\b")
"""Words that tools shout when something failed. A test that is merely named so stays too: whoever
reads, or counts again, need not wonder."""

_WENT_WRONG = re.compile(r"(?i)\b(?:error'?$|failed\b|fatal\b|exit (?:status|code)\b|conflict)")
"""A step may tell in small letters that it did not go on."""

_WHOLE: tuple[tuple[str, str], ...] = (
    (
        r"=+ (?:FAILURES|ERRORS) =+",
        r"=+ (?:warnings summary|short test summary info|X?PASSES|slowest .+) =+"
        r"|(?:=+ )?\d+ (?:failed|passed|error).* in [\d.]+s.*",
    ),  # pytest
    (r"failures:", r"test result: .*"),  # cargo
    (r"(?:FAIL|ERROR): .+", r"Ran \d+ tests? in .*"),  # unittest
    (r"\s+● .+", r"(?:PASS|FAIL) .+|Test Suites: .*"),  # jest
    (r"⎯+ Failed (?:Tests|Suites) \d+ ⎯+", r"\s+Test Files .*"),  # vitest
    (r"panic: .*", r"(?:FAIL|ok)\s.*"),  # go
    (r"\s+\d+ failing|✖ failing tests:", r"(?!)"),  # mocha, node: to the end
)
"""Where failures are told: nothing between these lines is cut."""

_OPENS = re.compile("|".join(f"(?P<s{at}>{opens})" for at, (opens, _) in enumerate(_WHOLE)))
_CLOSES = tuple(re.compile(closes) for _, closes in _WHOLE)


def kind_of(line: str) -> str:
    """`passed`, `steps`, or '' for a line that stays."""
    if len(line) > LONGEST_CHARS:
        return ""
    found = _NOISE.fullmatch(line)
    kind = (found.lastgroup or "") if found and not _LOUD.search(line) else ""
    return "" if kind == STEPS and _WENT_WRONG.search(line) else kind


def reports_of_failures(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where failures are told, from the first line to before the one that ends the report.

    What begins like one and never ends (`ERROR: …` in a log) is none.
    """
    start, section = 0, -1
    for number, line in enumerate(lines):
        if section < 0:
            start, section = number, section_opened(line)
        elif closes_section(line, section):
            yield start, number
            start, section = number, section_opened(line)


def section_opened(line: str) -> int:
    """Which report of failures this line begins; -1 for none."""
    if len(line) > LONGEST_CHARS:
        return -1
    found = _OPENS.fullmatch(line)
    return int((found.lastgroup or "s-1")[1:]) if found else -1


def closes_section(line: str, section: int) -> bool:
    """Whether the report of failures ends at this line."""
    return len(line) <= LONGEST_CHARS and _CLOSES[section].fullmatch(line) is not None
