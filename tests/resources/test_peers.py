import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.peers import PEERS, tool_of


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("npx -y ccstatusline@latest", "ccstatusline"),
        ("bun x ccusage statusline", "ccusage"),
        ("/opt/homebrew/bin/rtk hook claude", "rtk"),
        ("rtk-ai wrap", "rtk"),
        ("node ~/.claude/plugins/cache/claude-hud/dist/index.js", "claude-hud"),
        ("TOKEN=s3cret node '/home/me/my tools/context-mode/hook.js'", "context-mode"),
        ("/opt/headroom/bin/python -m proxy", "headroom"),
        ("http://127.0.0.1:8787/headroom/hook", "headroom"),
    ],
)
def test_a_known_tool_is_known_by_its_command(command: str, name: str) -> None:
    found = tool_of(command)

    assert found.name == name
    assert found.peer in PEERS


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("bash ~/.claude/statusline.sh", "statusline.sh"),
        ("API_KEY=s3cret ./guard --token s3cret", "guard"),
        ("python3 -m guard --key=s3cret", "guard"),
        ("https://me:s3cret@hooks.example/x?key=s3cret", "hooks.example"),
        ("echo 'odd quote", "echo"),
        ("sh", "sh"),
        ("artkit run", "artkit"),
        ("rtkfoo", "rtkfoo"),
    ],
)
def test_another_is_told_by_its_program_alone(command: str, name: str) -> None:
    assert tool_of(command) == (name, None)


@given(st.text(max_size=200))
def test_any_command_has_a_short_name(command: str) -> None:
    assert len(tool_of(command).name) <= 40


def test_no_two_tools_share_a_mark() -> None:
    marks = [mark for peer in PEERS for mark in peer.marks]

    assert len(marks) == len(set(marks))
    assert all(peer.does for peer in PEERS)
