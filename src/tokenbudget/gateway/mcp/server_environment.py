"""Which variables a server behind the gateway is given.

The client hands a server its whole environment, and servers rely on it: on `HTTPS_PROXY`,
`SSH_AUTH_SOCK`, `NODE_EXTRA_CA_CERTS`, a token exported in the shell. A server that worked directly
has to work here, so it gets what the gateway itself was given, less the agent's own credentials:
those are no server's business, and one that wants them says so in its `env`, where `${VAR}` fills
them in. Nothing is handed on that the server would not have had without the gateway.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_AGENT_SECRET = re.compile(
    r"(?:ANTHROPIC|CLAUDE)_.*(?:KEY|TOKEN|SECRET|PASSW|CREDENTIAL|HEADERS|AUTH).*", re.IGNORECASE
)


def environment_of(own: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: the gateway's without the agent's secrets, then its own."""
    handed_on = {
        name: value
        for name, value in environment.items()
        if not _AGENT_SECRET.fullmatch(name) and not value.startswith("()")  # a shell's function
    }
    return {**handed_on, **own}
