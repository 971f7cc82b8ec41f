"""The gateway put together as far as the first answer needs it.

An agent waits a second for its servers, so what takes time (servers, sandbox, vocabulary) is put
together by `app` when something first needs it, in the engine's thread.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget import __version__
from tokenbudget.config.gateway import GatewaySettings
from tokenbudget.gateway.mcp.audit import Audit
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.engine import Engine
from tokenbudget.gateway.mcp.front_answers import Desk
from tokenbudget.gateway.mcp.server_config import ConfigRefused, configs_from, fingerprint
from tokenbudget.gateway.mcp.shelf import Shelf
from tokenbudget.gateway.mcp.taken import FOLDER, catalogues_path, is_gateway, taken_for
from tokenbudget.gateway.mcp.uses import Uses
from tokenbudget.model.errors import BadConfig, BadRequest, SourceUnreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.backroom import Backroom
    from tokenbudget.gateway.mcp.front_answers import Skills
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.model.protocols import Clock

SESSION = "CLAUDE_CODE_SESSION_ID"
"""The agent's session, as its newer versions tell the servers that they start."""
MOST_CONFIG_BYTES = 4_000_000
USES = "uses.json"
CAREFUL = GatewaySettings(ask=("*",))
"""What holds where config.toml cannot be read: a rule that stands in it may be a refusal."""


class Parts(NamedTuple):
    """What both the front and the room behind it are made of."""

    settings: Settings
    wishes: GatewaySettings
    environment: Mapping[str, str]
    clock: Clock
    desk: Desk
    cache: CatalogueCache
    fingerprints: Mapping[str, str]
    uses: Uses
    folder: str
    """The gateway's own: `<home>/gateway`."""


class Gateway(NamedTuple):
    """One gateway, not yet open."""

    desk: Desk
    engine: Engine


def gateway_of(
    settings: Settings,
    environment: Mapping[str, str],
    clock: Clock,
    furnish: Callable[[Parts], Backroom],
    config_file: str = "",
) -> Gateway:
    """The gateway over the servers of a file, or over those that `install` recorded.

    Raises:
        BadRequest, SourceUnreadable: the file is no `mcpServers`, or cannot be read.
    """
    wishes = _wishes(settings)
    configs = _configs(settings, wishes, config_file)
    folder = os.path.join(settings.data_dir, FOLDER)
    cache = CatalogueCache(catalogues_path(settings.data_dir))
    uses = Uses(os.path.join(folder, USES))
    fingerprints = {one.name: fingerprint(one, environment) for one in configs if not one.trouble}
    shelf = Shelf(configs, fingerprints, cache, uses.counts)
    audit = Audit(folder, clock, environment.get(SESSION, ""))
    skills = _skills(settings) if wishes.skills else None
    desk = Desk(shelf, audit, __version__, wishes.find_limit, skills)
    parts = Parts(settings, wishes, environment, clock, desk, cache, fingerprints, uses, folder)
    return Gateway(desk, Engine(lambda: furnish(parts)))


def _wishes(settings: Settings) -> GatewaySettings:
    try:
        return settings.gateway_settings()
    except BadConfig:
        return CAREFUL


def _configs(
    settings: Settings, wishes: GatewaySettings, config_file: str
) -> tuple[ServerConfig, ...]:
    lost: Mapping[str, str] = {}
    if config_file:
        document, modes = _document(config_file), wishes.modes
    else:
        taken = taken_for(settings.data_dir, settings.working_dir)
        if taken is None:
            return ()
        document, modes = taken.document, {**wishes.modes, **taken.modes}  # type: ignore[dict-item]
        lost = taken.lost
    try:
        return (*configs_from(document, modes), *map(_unusable, lost.items()))
    except ConfigRefused as exc:
        named = config_file or "what install recorded"
        raise BadRequest(f"{named} names no servers that can be served: {exc}") from exc


def _unusable(lost: tuple[str, str]) -> ServerConfig:
    """A server that was taken and whose definition is gone: the agent is told of it."""
    from tokenbudget.gateway.mcp.server_config import ServerConfig

    return ServerConfig(lost[0], "stdio", "", (), {}, "", "", {}, "code", lost[1])


def _document(path: str) -> object:
    """What a file of servers says, without the gateway itself."""
    from tokenbudget.config.files import read_regular

    try:
        text = read_regular(path, MOST_CONFIG_BYTES)
        document: object = None if text is None else json.loads(text)
    except OSError as exc:
        raise SourceUnreadable(f"cannot read {path}: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise SourceUnreadable(f"{path} is not JSON: {exc}") from exc
    if text is None:
        raise SourceUnreadable(f"there is no file {path}; --config names one with mcpServers")
    if not isinstance(document, dict):
        return document
    servers = document.get("mcpServers")
    if isinstance(servers, dict):
        kept = {name: one for name, one in servers.items() if not is_gateway(one)}
        return {**document, "mcpServers": kept}
    return document


def _skills(settings: Settings) -> Skills:
    """Finding and loading the project's skills and the person's, as they are at that moment."""
    from tokenbudget.gateway.mcp.front_answers import Skills
    from tokenbudget.gateway.mcp.skill_tools import find_skills, load_skill, skill_texts

    project = [os.path.join(settings.working_dir, ".claude")] if settings.working_dir else []
    folders = [os.path.join(top, "skills") for top in (*project, *settings.claude_dirs)]

    def find(task: str) -> str:
        return find_skills(skill_texts(folders), task)

    def load(name: str, reference: str) -> str:
        return load_skill(skill_texts(folders), name, reference or None)

    return Skills(find, load)
