"""A test, a build or a long search is run so that its output can be shortened should it fail.

The response to a command that fails can be replaced by no hook. So, before it runs, it is set into
a few words of shell that put its output into a file and show it afterwards: whole where it
succeeded (then the usual way shortens it), shortened where it failed, with the very exit code. Only
commands of a known kind and of plain words are, and only where they run without a question anyway.
So is what looks through whole trees and is known to print much (`huge_commands`).
"""

import posix

from tokenbudget.compression.named_tools import is_named
from tokenbudget.gateway.hooks import replies, words
from tokenbudget.gateway.hooks.huge_commands import is_huge
from tokenbudget.gateway.hooks.moment import is_new
from tokenbudget.gateway.hooks.payload import WRAP_BEGIN, WRAP_END, WRAP_MIDDLE
from tokenbudget.gateway.hooks.plain_commands import plain_words
from tokenbudget.gateway.hooks.project_mode import mode_of_project
from tokenbudget.gateway.hooks.session_state import WRAPPED_FOLDER
from tokenbudget.gateway.hooks.small_files import make_folders, stamp_of
from tokenbudget.gateway.statusline_values import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.moment import Moment
    from tokenbudget.gateway.hooks.payload import HookEvent

_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import wrapped_output as w;"
    " del sys.path[0]; w.main()"
)
LEAST_FREE_BYTES = 1 << 28
"""A command whose output finds no room fails for that alone."""

_STEPS = ("test", "build", "lint", "check", "type", "tsc", "spec", "e2e", "ci")
"""How steps of a project are called that end by themselves."""
_ALWAYS = (
    *("pytest", "py.test", "jest", "vitest", "mocha", "eslint", "tsc", "mypy", "ruff", "pyright"),
    *("flake8", "pylint", "tox", "nox", "rspec", "phpunit", "ctest", "ninja", "golangci-lint"),
    *("markdownlint", "markdownlint-cli2", "vale", "stylelint", "shellcheck", "yamllint"),
)
"""Of these every call is one; what watches is left out below."""
_BY_VERB = {
    "cargo": ("test", "build", "check", "clippy", "nextest"),
    "go": ("test", "build", "vet"),
    "dotnet": ("test", "build"),
    "mvn": ("test", "verify", "package", "compile", "install"),
    "gradle": ("test", "build", "check", "assemble"),
    "gradlew": ("test", "build", "check", "assemble"),
    "swift": ("test", "build"),
    "mix": ("test", "compile"),
}
_BEFORE = (
    ("npx",), ("bunx",), ("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("bundle", "exec"),
    ("python", "-m"), ("python3", "-m"), ("pnpm", "exec"), ("yarn", "exec"),
)  # fmt: skip
_SCRIPTS = ("npm", "pnpm", "yarn", "bun")


def wrapped(moment: "Moment") -> Table:
    """The reply that has another input take the place of this call's; {} leaves it alone."""
    event, wishes = moment.event, moment.wishes
    command = event.command
    if not (wishes.is_trimming and wishes.is_wrapping and event.tool_use and command):
        return {}
    if not is_named("Bash", wishes.trim_allow) or is_named("Bash", wishes.trim_deny):
        return {}
    is_work = is_of_a_kind(command)
    if event.input.get("run_in_background") is True or not (is_work or is_huge(command)):
        return {}
    if not (event.is_as_given and is_new(event, moment.state)):
        return {}  # an old client lets a hook's word pass rules that deny
    from tokenbudget.gateway.hooks.permission_rules import runs_unasked

    if not runs_unasked(event, command, moment.home, is_looking=not is_work):
        return {}
    path = _new_file(moment.home, event)
    if not path:
        return {}
    level, least = mode_of_project(event.cwd, wishes.mode), str(wishes.trim_min_tokens)
    updated = {**event.input, "command": around(command, path, moment.home, level, least)}
    return replies.rewritten(updated, is_allowed=is_work)


def is_of_a_kind(command: str) -> bool:
    """Whether it is a test or a build, in words that mean nothing but themselves."""
    return not command.startswith(WRAP_BEGIN) and _is_known(plain_words(command))


def _is_known(words: "list[str]") -> bool:
    while words and "=" in words[0] and words[0][:1].isupper():
        words = words[1:]  # a variable before the program
    for before in _BEFORE:
        if tuple(words[: len(before)]) == before:
            words = words[len(before) :]
            break
    if not words:
        return False
    program, verb = words[0].rpartition("/")[2], words[1] if len(words) > 1 else ""
    if "--watch" in words or "-w" in words or "--watchAll" in words:
        return False  # it does not end by itself
    if program in _SCRIPTS:
        script = words[2] if verb == "run" and len(words) > 2 else verb
        return script.startswith(_STEPS)
    if program == "make":
        return not verb or verb.startswith((*_STEPS, "all"))
    return program in _ALWAYS or verb in _BY_VERB.get(program, ())


def _new_file(home: str, event: "HookEvent") -> str:
    """An empty file for its owner alone; '' where there can be none."""
    path = file_of(home, event)
    flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    try:
        make_folders(home, home + "/run", home + WRAPPED_FOLDER)
        if not _has_room(home):
            return ""
        posix.close(posix.open(path, flags, 0o600))
    except (OSError, ValueError):
        return ""
    return path


def _has_room(folder: str) -> bool:
    found = posix.statvfs(folder)
    return found.f_bavail * found.f_frsize >= LEAST_FREE_BYTES


def file_of(home: str, event: "HookEvent") -> str:
    """Where the output of this call goes."""
    return f"{home}{WRAPPED_FOLDER}/{event.session[:64]}.{event.tool_use}"


def going_on(moment: "Moment") -> str:
    """Where to look for the output of a command that took so long that it goes on behind."""
    path = file_of(moment.home, moment.event)
    return "" if stamp_of(path) is None else words.output_goes_to(path)


def rescued(moment: "Moment") -> str:
    """What was put out by a command that was ended from outside, as words for the agent."""
    path = file_of(moment.home, moment.event)
    if stamp_of(path) is None:
        return ""
    from tokenbudget.gateway.hooks.wrapped_output import kept

    handle, lines = kept(moment.home, path, moment.event.command)
    if lines < 0:
        return words.output_is_in(path)
    return words.output_until_then(lines, handle) if handle else ""


def around(command: str, path: str, home: str, level: str, least: str) -> str:
    """The command in our words of shell; each of them stands in bash, zsh and sh alike."""
    from sys import executable

    here = __file__.rpartition("/")[0]
    told = (executable, "-IS", "-c", _START, here, home, path, command, level, least)
    show = " ".join(map(_quoted, told))
    file = _quoted(path)
    cat = f"command cat {file}"  # not what a person may have put in its place: `alias cat=bat`
    return (
        f"{WRAP_BEGIN}{command}{WRAP_MIDDLE}{file} 2>&1; tokens_code=$?;"
        f" if [ $tokens_code = 0 ]; then {cat}; else {show} || {cat}; fi;"
        f" command rm -f {file}{WRAP_END}"
    )


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\"'\"'") + "'"
