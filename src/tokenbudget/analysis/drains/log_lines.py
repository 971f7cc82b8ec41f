"""Lines of a log that say only that something went well, or is going on."""

from __future__ import annotations

import re

_PATTERNS = (
    # pytest and unittest
    r"\S+::\S.* (?:PASSED|SKIPPED(?: \(.*\))?|XFAIL(?: \(.*\))?)(?:\s+\[ *\d+%\])?",
    r"(?:\[gw\d+\] )?(?:\[ *\d+%\] )?(?:PASSED|SKIPPED) \S+::.*",
    r"\S+\.py [.sx]+\s*(?:\[ *\d+%\])?",
    r"\S+::\S+ <- \S+ PASSED.*",
    r"test\w* \(\S+\)(?: \.\.\.|\n).* ok",
    r"(?:scheduling tests via|created: \d+/|collecting \.\.\.|cachedir: |platform \w+ -- Python"
    r"|rootdir: |plugins: |configfile: |asyncio: mode).*",
    # node: jest, vitest, mocha, tap
    r"\s*[✓✔√] .*",
    r"PASS\s+\S+.*",
    r"\s*ok \d+ - .*",
    r"\s*# Subtest: .*",
    r"\s*(?:RUN|RERUN)\s+v[\d.]+ .*",
    # go
    r"\s*=== (?:RUN|PAUSE|CONT|NAME)\b.*",
    r"\s*--- PASS: .*",
    r"ok\s+\S+\s+(?:[\d.]+s|\(cached\)).*",
    r"\?\s+\S+\s+\[no test files\]",
    r"go: (?:downloading|finding|extracting) .*",
    # cargo
    r"test \S+(?: - .+)? \.\.\. (?:ok|ignored)",
    r"\s+(?:Compiling|Checking|Downloading|Downloaded|Documenting|Fresh|Adding|Locking|Updating"
    r"|Unpacking|Blocking|Building|Running|Doc-tests|Installing|Installed|Replacing|PASS \[) .*",
    # npm, yarn, pnpm
    r"npm (?:http|info|timing|verb|sill|notice|warn deprecated|WARN deprecated)\b.*",
    r"\[\d/\d\] .*",
    r"➤ YN0000: .*",
    r"➤ YN0013: .*",
    r"Progress: resolved .*",
    r"(?:\.\.\. )?(?:resolving|fetching|extracting|linking|idealTree|reify)[: ].*",
    # bundlers
    r"\s*(?:dist|build|out|\.next)/\S+\s+[\d.,]+ (?:[kKM]i?B|bytes).*",
    r"(?:transforming|rendering chunks|computing gzip size).*",
    # python packages
    r"\s*(?:Collecting|Downloading|Using cached|Requirement already satisfied|Preparing metadata"
    r"|Building wheel|Created wheel|Stored in directory|Getting requirements|Installing build"
    r"|Obtaining|Attempting uninstall|Found existing installation|Uninstalling"
    r"|Successfully uninstalled|Looking in indexes|Prepared \d+ package|Resolved \d+ package"
    r"|Audited \d+ package)\b.*",
    r"\s*[━╸╺]{5,}.*",
    r" \+ [\w.\[\]-]+==\S+",
    r"\s*- (?:Installing|Updating|Downloading) \S+ \(.*\).*",
    # docker
    r"#\d+ (?:\[[^\]]+\]|sha256:|transferring|resolve|extracting|DONE|CACHED|exporting|naming"
    r"|writing|\d+\.\d+ (?:Get:|Fetched|Selecting|Preparing|Unpacking|Setting up|Collecting"
    r"|Downloading)).*",
    r"\s*=> .*",
    r"Step \d+/\d+ : .*",
    r" ---> .*",
    r"(?:Removing|Removed) intermediate container .*",
    r"[0-9a-f]{12}: (?:Pulling|Waiting|Verifying|Download|Extracting|Pull complete|Already).*",
    # make, cmake, ninja, compilers
    r"make(?:\[\d+\])?: (?:Entering|Leaving|Nothing to be done).*",
    r"\[ *\d+%\] (?:Building|Built|Linking|Generating|Completed|Performing|Scanning).*",
    r"\[\d+/\d+\] .*",
    r"-- (?:Looking for|Performing Test|Check for|Checking|Detecting|Found|The \w+ compiler).*",
    r"\s+(?:CC|CXX|LD|AR|AS|HOSTCC|HOSTLD|GEN|INSTALL)\s+\S+",
    r"(?:checking for|checking whether) .*\.\.\. .*",
    r"(?:/usr/bin/)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|ar|ranlib|install|mkdir) -\S.*",
    # gradle, maven, dotnet
    r"> Task :\S+(?: (?:UP-TO-DATE|NO-SOURCE|FROM-CACHE|SKIPPED))?",
    r"Download(?:ing|ed)? (?:from \S+: )?https?://.*",
    r"\[INFO\](?: .*)?",
    r"\s+(?:Determining projects|Restored|All projects are up-to-date).*",
    r"\s+Passed \S+ \[.*\]",
    # apt
    r"(?:Get:\d+|Hit:\d+|Ign:\d+|Selecting previously|Preparing to unpack|Unpacking|Setting up"
    r"|Processing triggers|Fetched|Reading package|Building dependency|Reading state)\b.*",
)
_QUIET = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))
_LOUD = re.compile(
    r"fail|error|panic|exception|traceback|fatal|warn(?!\w* deprecated)|denied|not found|cannot"
    r"|build (?:success|complete)|Tests run|vulnerab",
    re.IGNORECASE,
)
"""Words of what a quiet run still says; `deprecated` is said of packages nobody chose."""
_MARKED_PASSING = re.compile(
    r"PASSED|SKIPPED|--- PASS|=== (?:RUN|PAUSE|CONT|NAME)|[✓✔√] |^PASS |\.\.\. ok$|^\s*ok \d+ - "
    r"|Compiling |Checking |Downloading|Collecting |^\s+(?:CC|CXX)\s|^\[ *\d+%\] Building"
)
"""Passing, whatever the name of the test says: `test_error_is_raised PASSED`."""
LONGEST_LINE = 500
"""Characters; what is longer is no line of progress."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def is_quiet_line(line: str) -> bool:
    """Whether a quiet flag would drop the line: it passes, goes on, or is empty between such."""
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    line = line.rstrip()
    if not line or len(line) > LONGEST_LINE or _QUIET.fullmatch(line) is None:
        return False
    return _LOUD.search(line) is None or _MARKED_PASSING.search(line) is not None
