"""What we say that a real client sends of a project is what it sends."""

import json
import re
from pathlib import Path

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import Release
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Step, text, tool_use
from tests.resources.projects import StillClock

from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.definitions import DESCRIPTION_CHARACTERS, agents_in, skills_in
from tokenbudget.resources.kind import Place
from tokenbudget.resources.made_folders import Made
from tokenbudget.resources.memory_loading import loaded

pytestmark = pytest.mark.e2e

_HEADING = re.compile(
    r"^Contents of (.+?) \([^\n]*\):\n\n(.*?)(?=\n\nContents of |\n</system)",
    re.MULTILINE | re.DOTALL,
)
_LINE = re.compile(r"^- .*\n", re.MULTILINE)
MEMORY = {
    "CLAUDE.md": "# Shop\n@docs/one.md @../outside.md\n`@docs/code.md`\n```\n@docs/fenced.md\n```\n"
    "<!-- a comment -->\n\n<!--\nanother\n-->\nthe end",
    "docs/one.md": "one @two.md",
    "docs/two.md": "two @three.md",
    "docs/three.md": "three @four.md",
    "docs/four.md": "four @five.md",
    "docs/five.md": "five",
    "docs/code.md": "code",
    "docs/fenced.md": "fenced",
    ".claude/CLAUDE.md": "inner",
    ".claude/rules/a.md": "---\ntitle: x\n---\nrule a",
    ".claude/rules/sub/b.md": "rule b",
    ".claude/rules/for-paths.md": "---\npaths: src/**\n---\nrule for paths",
    ".claude/rules/a.md.bak": "never",
    ".claude/rules/a.old.md": "sent all the same",
    ".claude/rules/left-out.md": "left out",
    "CLAUDE.local.md": "local",
    "src/CLAUDE.md": "with the files beside it",
}
SKILLS = {
    "plain": "description: Plain words.",
    "titled": "name: Another title\ndescription: With a title.",
    "slugged": "name: another-name\ndescription: With a name.",
    "folded": "description: >\n  Folded\n  words.",
    "quoted": 'description: "Quoted: words."',
    "timed": "description: Words.\nwhen_to_use: At times.",
    "silent": "description: Silent.\ndisable-model-invocation: true",
    "for-paths": "description: For paths.\npaths: src/**",
    "plain.bak": "name: plain\ndescription: A copy.",
    "not-typed": "description: Not typed.\nuser-invocable: false",
    "hidden": "description: Hidden by a setting.",
}
AGENTS = {
    "critic.md": "name: critic\ndescription: Criticises.\ntools: Read, Grep",
    "critic copy.md": "name: critic\ndescription: A copy.",
    "file.md": "name: by-name\ndescription: Goes by its name.",
    "sub/deep.md": "name: deep\ndescription: Lies deep.\ntools: [Read]",
    "nameless.md": "description: Has no name.",
}


@pytest.fixture
def place(sandbox: Sandbox) -> Place:
    """A project with everything that is loaded, and much that is not."""
    files = dict(MEMORY)
    for name, matter in SKILLS.items():
        files[f".claude/skills/{name}/SKILL.md"] = f"---\n{matter}\n---\nHow to.\n"
    for name, matter in AGENTS.items():
        files[f".claude/agents/{name}"] = f"---\n{matter}\n---\nYou are.\n"
    files[".claude/commands/ship.md"] = "---\ndescription: Ships it.\n---\nShip.\n"
    files[".claude/commands/sub/check.md"] = "Check all.\n\nMore words.\n"
    files[".claude/settings.local.json"] = (
        f'{{"claudeMdExcludes": ["{sandbox.project}/.claude/rules/left-out.md"],'
        ' "skillOverrides": {"hidden": "off"}}'
    )
    for name, words in files.items():
        put(sandbox.project / name, words)
    put(sandbox.project.parent / "outside.md", "outside")
    put(sandbox.project.parent / "CLAUDE.md", "above")
    put(sandbox.config / "CLAUDE.md", "of the person")
    put(sandbox.config / "rules/u.md", "a rule of the person")
    put(sandbox.config / "skills/mine/SKILL.md", "---\ndescription: Mine.\n---\n")
    put(sandbox.config / "agents/mine.md", "---\nname: mine\ndescription: Mine.\n---\n")
    folders = (str(sandbox.config),)
    return Place(str(sandbox.project), folders, str(sandbox.home), StillClock())


def put(path: Path, words: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)


@pytest.fixture
def request_text(place: Place, newest_client: Release, sandbox: Sandbox, tmp_path: Path) -> str:
    """All words of the messages of the client's first request."""
    with serving({}, tmp_path / "api") as api:
        ClaudeClient(newest_client, sandbox, api).run("Hello.", "--model=claude-opus-5-5")
        return "\n".join(_words(message) for message in api.exchanges()[0].body["messages"])


def _words(message: JsonObject) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content)


def test_memory_files_are_those_that_the_client_reads(place: Place, request_text: str) -> None:
    sent = {path: words.strip() for path, words in _HEADING.findall(request_text)}
    files = [file for file in loaded(place, said_by(place)).files if not file.is_conditional]

    assert {file.path for file in files} == set(sent)
    said = {file.path: file.sent.replace("\n\n", "\n") for file in files}
    assert said == {path: words.replace("\n\n", "\n") for path, words in sent.items()}


def test_lines_of_skills_and_agents_are_those_that_the_client_sends(
    place: Place, request_text: str
) -> None:
    lines = set(_LINE.findall(request_text))
    skills = [one for one in skills_in(place, DESCRIPTION_CHARACTERS) if one.line]
    agents = agents_in(place)

    listed = {one.name for one in skills} - {"hidden"}
    assert {one.line for one in skills if one.name != "hidden"} <= lines
    assert not any(line.startswith("- hidden:") for line in lines)
    # Which of two agents with one name is sent depends on the folder; that it is one does not.
    assert {one.line for one in agents if one.name != "critic"} <= lines
    assert sum(line.startswith("- critic:") for line in lines) == 1
    told = " ".join(lines)
    for name in ("silent", "for-paths", "nameless"):
        assert f"- {name}" not in told
        assert name not in listed
    assert {one.name for one in agents} == {"critic", "by-name", "deep", "mine"}


def test_deny_rules_hide_what_they_mean_and_nothing_beside_it(
    newest_client: Release, sandbox: Sandbox, tmp_path: Path
) -> None:
    names = (
        *("node_modules/a/x.js", "web/node_modules/y.js", "dist/x.js", "src/dist/own.py"),
        *("static/z.min.js", "src/static/z.min.js", "node_modules.md"),
    )
    for name in names:
        put(sandbox.project / name, f"words of {name}\n")
    anywhere = Made("node_modules", (), is_folder=True, is_anywhere=True)
    here = Made("dist", (), is_folder=True, is_anywhere=False)
    bundle = Made("static/z.min.js", (), is_folder=False, is_anywhere=False)
    denied = {"permissions": {"deny": [anywhere.rule, here.rule, bundle.rule]}}
    put(sandbox.project / ".claude/settings.local.json", json.dumps(denied))
    put(sandbox.project / ".claudeignore", "src/\nnode_modules.md\n")
    reads = tuple(tool_use("Read", file_path=str(sandbox.project / name)) for name in names)
    scripts = {"look": [Step(reads), Step((text("Seen."),))]}
    with serving(scripts, tmp_path / "api") as api:
        client = ClaudeClient(newest_client, sandbox, api)
        client.run("SCRIPT:look", "--model=claude-opus-5-5")
        told = json.dumps(api.exchanges()[-1].body["messages"])

    seen = [name for name in names if f"words of {name}" in told]
    # .claudeignore hides nothing: two of these stand in it
    assert seen == ["src/dist/own.py", "src/static/z.min.js", "node_modules.md"]


def test_of_one_name_the_persons_skill_and_command_and_the_projects_agent_are_told(
    newest_client: Release, sandbox: Sandbox, tmp_path: Path
) -> None:
    def matter(words: str) -> str:
        return f"---\nname: twin\ndescription: Words of {words}.\n---\nDo.\n"

    for top, who in ((sandbox.project / ".claude", "project"), (sandbox.config, "person")):
        put(top / "skills/twin/SKILL.md", matter(f"the skill of the {who}"))
        put(top / "commands/ship.md", matter(f"the command of the {who}"))
        put(top / "agents/twin.md", matter(f"the agent of the {who}"))
    put(sandbox.project / ".claude/skills/mixed/SKILL.md", matter("a skill"))
    put(sandbox.config / "commands/mixed.md", matter("a command"))
    with serving({}, tmp_path / "api") as api:
        ClaudeClient(newest_client, sandbox, api).run("Hello.", "--model=claude-opus-5-5")
        told = json.dumps(api.exchanges()[0].body["messages"])

    place = Place(str(sandbox.project), (str(sandbox.config),), str(sandbox.home), StillClock())
    ours = {one.about for one in (*skills_in(place, DESCRIPTION_CHARACTERS), *agents_in(place))}
    assert set(re.findall(r"Words of [a-z ]+\.", told)) == ours
    assert ours == {
        "Words of the skill of the person.",
        "Words of the command of the person.",
        "Words of the agent of the project.",
        "Words of a skill.",
    }
