"""What a shell command is called: one to three words without arguments, secrets or paths.

`cd app && FOO=1 timeout 60 npm test -- --watch | tail` is `npm test`.
"""

from __future__ import annotations

import re

LONGEST_LABEL = 40
UNNAMED = "shell"
"""Where no program can be made out."""

_TOKEN = re.compile(
    r"""(?P<to>\d*[<>]&[\d-]+)|(?P<sep>&&|\|\||[;&|\n()])|(?P<word>(?:[^\s'"\\;&|()]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)|.""",
    re.DOTALL,
)
_REDIRECT = re.compile(r"^\d*(?:>>?|<<?<?)(?:&\d*-?)?|^&>>?")
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\+?=")
_PLAIN = re.compile(r"^[A-Za-z][A-Za-z0-9:_.-]*$")
_PROGRAM = re.compile(r"^[A-Za-z0-9_.\[][A-Za-z0-9_.@\[-]*\+*$")
_DURATION = re.compile(r"^[0-9.]+[smhd]?$")
_LONGEST_COMMAND = 4_000
"""What comes later names nothing; a heredoc may be megabytes."""

_SKIPPED = frozenset(
    (
        "cd", "pushd", "popd", "export", "set", "unset", "source", ".", "true", ":", "umask",
        "ulimit", "for", "case", "select", "function", "[", "[[", "test", "in", "esac", "done",
        "fi", "local", "declare", "read", "shift", "trap", "wait",
    )
)  # fmt: skip
"""Commands that only prepare for the next one."""
_KEYWORDS = frozenset(("do", "then", "else", "if", "while", "until", "!", "{", "}", "time"))
_WRAPPERS = frozenset(
    (
        "sudo", "doas", "timeout", "gtimeout", "env", "nohup", "nice", "ionice", "stdbuf", "time",
        "exec", "command", "builtin", "xargs", "setsid", "unbuffer", "caffeinate", "chronic",
    )
)  # fmt: skip
"""Programs that run another one, named behind their own options."""
_WRAPPER_VALUES = frozenset(
    ("-u", "-g", "-n", "-s", "-k", "-o", "-e", "-i", "-C", "-I", "-P", "-L")
)
"""Options of theirs that take the word behind them."""
_WITH_VERB = frozenset(
    (
        "git", "npm", "pnpm", "yarn", "bun", "deno", "cargo", "go", "docker", "podman", "kubectl",
        "helm", "pip", "pip3", "uv", "poetry", "pdm", "hatch", "rye", "conda", "brew", "apt",
        "apt-get", "dnf", "yum", "make", "just", "task", "gradle", "gradlew", "mvn", "mvnw",
        "dotnet", "rustup", "terraform", "gh", "glab", "aws", "gcloud", "az", "systemctl", "bundle",
        "rails", "rake", "mix", "composer", "php", "swift", "flutter", "dart", "nx", "turbo",
        "lerna", "ansible", "vagrant", "heroku", "fly", "vercel", "tokens", "claude", "bazel",
        "cmake", "meson", "ninja", "tmux", "openssl", "jj", "hg", "svn", "alembic", "prisma",
    )
)  # fmt: skip
"""Programs whose first plain word is a verb worth naming."""
_TWO_VERBS = frozenset(
    ("npm run", "pnpm run", "yarn run", "bun run", "docker compose", "uv run", "poetry run",
     "bundle exec", "uv pip", "gh pr", "gh issue", "gh run", "gh api", "git stash", "cargo xtask",
     "npm exec", "pnpm exec", "kubectl get", "docker image", "docker container", "pdm run",
     "hatch run", "git worktree", "git submodule", "git remote")
)  # fmt: skip
_RUNNERS = frozenset(("npx", "bunx", "uvx", "pipx"))
_PYTHONS = re.compile(r"^(?:python|pypy)[0-9.]*$")
_VERB_VALUES = {"git": frozenset(("-C", "-c", "--git-dir", "--work-tree")),
                "npm": frozenset(("--prefix",)), "make": frozenset(("-C", "-f", "-j")),
                "docker": frozenset(("-f", "-H")), "go": frozenset(("-C",)),
                "pnpm": frozenset(("-C", "--filter")), "kubectl": frozenset(("-n", "--namespace")),
                "uv": frozenset(("--project", "--directory")),
                "yarn": frozenset(("--cwd",))}  # fmt: skip


def command_label(command: str) -> str:
    """The label of a command; never empty, at most 40 characters, plain ASCII."""
    for words in _commands(command[:_LONGEST_COMMAND]):
        label = _label(words)
        if label:
            return label[:LONGEST_LABEL].rstrip()
    return UNNAMED


def _commands(text: str) -> list[list[str]]:
    """The words of each simple command, in order; what is quoted stays one word."""
    commands: list[list[str]] = [[]]
    for match in _TOKEN.finditer(text.replace("\\\n", " ")):
        if match["sep"]:
            commands.append([])
        elif match["word"]:
            commands[-1].append(match["word"])
    return commands


def _label(words: list[str]) -> str:
    """The label of one simple command; '' where it only prepares for another one."""
    words = _unwrapped(words)
    if not words:
        return ""
    program = _program(words[0])
    if program in _SKIPPED or not program or program.isdigit():
        return ""
    rest = words[1:]
    if _PYTHONS.match(program):
        return _python_label(program, rest)
    if program in _RUNNERS:
        verb = _plain_words(rest, frozenset(("-p", "--package", "--from", "--with")))[:1]
        return " ".join([program, *verb])
    if program in _WITH_VERB:
        verbs = _plain_words(rest, _VERB_VALUES.get(program, frozenset()))
        two = " ".join([program, *verbs[:1]])
        return " ".join([two, *verbs[1:2]]) if two in _TWO_VERBS else two
    return program


def _unwrapped(words: list[str]) -> list[str]:
    """Without assignments, keywords, redirections and programs that only run another one."""
    left = list(words)
    while left:
        first = left[0]
        if _ASSIGNMENT.match(first) or first in _KEYWORDS:
            left.pop(0)
        elif _REDIRECT.match(first):
            is_alone = _REDIRECT.fullmatch(first) is not None and "&" not in first
            del left[: 2 if is_alone else 1]
        elif first.rpartition("/")[2] in _WRAPPERS:
            left.pop(0)
            _drop_options(left)
        else:
            break
    return left


def _drop_options(words: list[str]) -> None:
    """Options of a wrapper, and the time that `timeout` takes."""
    while words and (words[0].startswith("-") or _DURATION.match(words[0])):
        option = words.pop(0)
        if option in _WRAPPER_VALUES and len(words) > 1:
            words.pop(0)


def _program(word: str) -> str:
    """The base name of a program, '' for what names none (a variable, a quotation)."""
    name = word.strip("\"'").rpartition("/")[2].rpartition("\\")[2]
    return name if _PROGRAM.match(name) and not _looks_secret(name) else ""


def _python_label(program: str, words: list[str]) -> str:
    if "-m" in words:
        module = words[words.index("-m") + 1 : words.index("-m") + 2]
        named = [word for word in module if _PLAIN.match(word) and not _looks_secret(word)]
        return " ".join([program, "-m", *named])
    return f"{program} -c" if "-c" in words[:2] else program


def _plain_words(words: list[str], with_value: frozenset[str]) -> list[str]:
    """The leading words that can only be verbs: no options, paths, values or secrets."""
    found: list[str] = []
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("-"):
            is_value = word in with_value
            if found and not is_value:
                break
        elif _PLAIN.match(word) and not _looks_secret(word):
            found.append(word)
        else:
            break
    return found


def _looks_secret(word: str) -> bool:
    """Long words, and words with many digits, are names of something, not verbs."""
    return len(word) > 24 or sum(letter.isdigit() for letter in word) > 4
