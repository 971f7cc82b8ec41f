"""What a person types so that the agent compacts its conversation and keeps what matters.

The line is read by a model, and it is made of what stands in transcripts: file names, the first
words of a prompt. So nothing goes into it but short plain names in quotes; a name that could be
read as a sentence is left out.
"""

from __future__ import annotations

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMMAND = "/compact"
LONGEST = 300
"""Characters of the whole line."""
LONGEST_NAME = 60
LONGEST_TASK = 80
MOST_WORDS = 12
MOST_FILES = 4
MOST_FAILED = 2
_NAME_SIGNS = "._-/@+"
_TASK_SIGNS = " .,-_/'"


def focus_line(
    task: str, edited: Sequence[str], failed: Sequence[tuple[str, str]], project: str
) -> str:
    """The command with a focus; without any when nothing can be named.

    Args:
        task: The last prompt.
        edited: Paths of files that are being edited, the last one first.
        failed: (tool, target) of what failed and was not put right since.
        project: The folder that paths are named from.
    """
    words = plain_words(task)
    errors = [f"{tool} {name}".strip() for tool, name in _failures(failed, project)]
    parts = [
        f'the task "{words}"' if words else "",
        _listed("the edited files", _names(edited, project)[:MOST_FILES]),
        _listed("the unresolved errors of", errors[:MOST_FAILED]),
    ]
    line = COMMAND
    for part in filter(None, parts):
        longer = f"{line}; {part}" if line != COMMAND else f"{line} Keep {part}"
        if len(longer) <= LONGEST:
            line = longer
    return line


def plain_name(path: str, project: str) -> str:
    """The path from the project on, if it is a plain name that nobody reads as words; else ''."""
    name = path
    if project and path.startswith(project.rstrip("/") + "/"):
        name = path[len(project.rstrip("/")) + 1 :]
    name = name if len(name) <= LONGEST_NAME else name.rpartition("/")[2]
    is_plain = all(char.isalnum() or char in _NAME_SIGNS for char in name)
    return name if name and is_plain and len(name) <= LONGEST_NAME else ""


def plain_words(prompt: str) -> str:
    """The first words of a prompt, without anything that ends a quotation or begins a command."""
    text = one_line(prompt[: 4 * LONGEST])
    if text.lstrip().startswith(("/", "<", "!")):
        return ""
    plain = "".join(char if char.isalnum() or char in _TASK_SIGNS else " " for char in text)
    found = ""
    for word in plain.split()[:MOST_WORDS]:
        longer = f"{found} {word}" if found else word
        if len(longer) > LONGEST_TASK:
            break
        found = longer
    return found


def _names(paths: Iterable[str], project: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (plain_name(path, project) for path in paths))))


def _failures(failed: Iterable[tuple[str, str]], project: str) -> Iterable[tuple[str, str]]:
    for tool, target in failed:
        if plain_name(tool, ""):
            yield plain_name(tool, ""), plain_name(target, project)


def _listed(title: str, names: Sequence[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{title} {quoted}" if names else ""
