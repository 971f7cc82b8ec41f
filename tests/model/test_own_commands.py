"""The names by which a client credits a request to a command of ours."""

from tokenbudget.gateway.command_files import COMMANDS, PLUGIN
from tokenbudget.model.own_commands import OWN_COMMANDS


def test_every_command_file_is_known_with_and_without_the_plugin() -> None:
    names = {path.removeprefix("commands/").removesuffix(".md") for path in COMMANDS}
    typed = {name.replace("/", ":") for name in names}
    plugin = PLUGIN.partition("@")[0]
    assert typed | {f"{plugin}:{name}" for name in typed} == OWN_COMMANDS
