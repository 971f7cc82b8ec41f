import re
import shutil
import subprocess

import pytest
from tests.cli.conftest import Home

from tokenbudget.cli import VERBS
from tokenbudget.cli.completion import script, words


def completed(line: str) -> list[str]:
    """What bash offers behind a command line."""
    typed = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in typed)
    test = (
        f"{script('bash')}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(typed) - 1}\n"
        '_tokens\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-uc", test], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_script_knows_every_verb_and_option(home: Home, shell: str) -> None:
    text = home.run("completion", shell).out

    known = set(re.findall(r"[\w-]+", text))
    for verb, options in words().items():
        assert {verb, *(option.removeprefix("--") for option in options)} <= {
            word.removeprefix("--") for word in known
        }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_accepts_it(home: Home, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    text = home.run("completion", shell).out

    done = subprocess.run([program, "-n"], input=text, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tokens us", {"usage"}),
        ("tokens s", {"select", "serve", "sessions", "skills", "statusline"}),
        ("tokens --v", {"--version"}),
        ("tokens usage --c", {"--check", "--compare"}),
        ("tokens usage --by m", {"month", "model"}),
        ("tokens sessions l", {"last"}),
        ("tokens alert un", {"unsilence"}),
        ("tokens alert 9", {"90"}),
        ("tokens completion ", {"bash", "zsh", "fish", "--help", "--json", "--no-color"}),
        ("tokens nonsense --j", set()),
    ],
)
def test_bash_offers(line: str, offered: set[str]) -> None:
    assert set(completed(line)) == offered


def test_bash_offers_all_verbs_at_first() -> None:
    shown = {verb.name for verb in VERBS if not verb.is_hidden}
    assert set(completed("tokens ")) == shown | {"--help", "--version"}


def test_bash_offers_files_behind_from(home: Home) -> None:
    (home.path / "session-one.jsonl").touch()

    assert completed(f"tokens usage --from {home.path}/ses") == [f"{home.path}/session-one.jsonl"]


def test_json_holds_the_same_script(home: Home) -> None:
    found = home.ask("completion", "bash")

    assert found == {
        "format": "tokenbudget/completion/1",
        "shell": "bash",
        "script": script("bash"),
    }


def test_the_parsers_work_on_afterwards(home: Home) -> None:
    words()

    assert home.run("usage").code == 0
