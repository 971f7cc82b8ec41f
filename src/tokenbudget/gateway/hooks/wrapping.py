"""A test or a build is run so that its output can be shortened should it fail.

The response to a command that fails can be replaced by no hook. So, before it runs, it is set into
a few words of shell that put its output into a file and show it afterwards: whole where it
succeeded (then the usual way shortens it), shortened where it failed, with the very exit code. Only
commands of a known kind and of plain words are, and only where they run without a question anyway.
"""

import posix

from tokenbudget.compression.named_tools import is_named
from tokenbudget.gateway.hooks import words
from tokenbudget.gateway.hooks.moment import is_new
from tokenbudget.gateway.hooks.payload import WRAP_BEGIN, WRAP_END, WRAP_MIDDLE
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
LONGEST = 1_000
LEAST_FREE_BYTES = 1 << 28
"""A command whose output finds no room fails for that alone."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+=:,- ")
"""What in a command means nothing but itself."""
_STEPS = ("test", "build", "lint", "check", "type", "tsc", "spec", "e2e", "ci")
"""How steps of a project are called that end by themselves."""
_ALWAYS = (
    *("pytest", "py.test", "jest", "vitest", "mocha", "eslint", "tsc", "mypy", "ruff", "pyright"),
    *("flake8", "pylint", "tox", "nox", "rspec", "phpunit", "ctest", "ninja", "golangci-lint"),
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


def wrapped(moment: "Moment") -> Table | None:
    """The input that takes the place of this call's; None where it is left alone."""
    event, wishes = moment.event, moment.wishes
    command = event.command
    if not (wishes.is_trimming and wishes.is_wrapping and event.tool_use and command):
        return None
    if not is_named("Bash", wishes.trim_allow) or is_named("Bash", wishes.trim_deny):
        return None
    if event.input.get("run_in_background") is True or not is_of_a_kind(command):
        return None
    if not (event.is_as_given and is_new(event, moment.state)):
        return None  # an old client lets a hook's word pass rules that deny
    from tokenbudget.gateway.hooks.permission_rules import runs_unasked

    if not runs_unasked(event, command, moment.home):
        return None
    path = _new_file(moment.home, event)
    if not path:
        return None
    level, least = mode_of_project(event.cwd, wishes.mode), str(wishes.trim_min_tokens)
    return {**event.input, "command": around(command, path, moment.home, level, least)}


def is_of_a_kind(command: str) -> bool:
    """Whether it is a test or a build, in words that mean nothing but themselves."""
    if len(command) > LONGEST or "\n" in command or command.startswith(WRAP_BEGIN):
        return False
    plain = _without_quoted(command.strip()).removesuffix(" 2>&1")
    first, joint, rest = plain.partition(" && ")
    if joint and first.startswith("cd "):
        if not _PLAIN.issuperset(first):
            return False
        plain = rest
    return _PLAIN.issuperset(plain) and _is_known(plain.split())


def _without_quoted(command: str) -> str:
    """The command with what stands in quotes as one plain word; '' where that is not plain."""
    parts = command.replace('"', "'").split("'")
    if len(parts) % 2 == 0 or ('"' in command and "'" in command):
        return "\0"
    if any(sign in "\\$`!" or not sign.isprintable() for part in parts[1::2] for sign in part):
        return "\0"  # of spaces that are none of ASCII a client asks, whatever a rule allows
    return "_".join(parts[::2])


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
