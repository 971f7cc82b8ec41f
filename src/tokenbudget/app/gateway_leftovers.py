"""What is still ours in the client, or away from it, once the journal has taken its part back.

The journal may be lost, or somebody has edited since: then the record says what stood where.
"""

from __future__ import annotations

import json
import os

from tokenbudget.app.gateway_place import (
    NAME,
    local_settings,
    project_file,
    project_text,
    servers_in,
    state_path,
)
from tokenbudget.config.edit_json import with_value, without_item, without_key
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.json_text import is_blank, last, scanned
from tokenbudget.gateway.mcp.taken import LOCAL, PROJECT, USER, is_gateway
from tokenbudget.model.actions import ClientServer, RestoreText
from tokenbudget.model.errors import Refused, TokenBudgetError
from tokenbudget.resources.client_servers import own_servers
from tokenbudget.resources.settings import BOM
from tokenbudget.system.kept import Kept
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.taken import Record, TakenServer
    from tokenbudget.model.actions import Step


def steps_left(
    settings: Settings, record: Record, project: str, *, is_journalled: bool
) -> Iterator[Step]:
    """Whatever is still ours, or still away, once the journal's part is taken back."""
    kept = Kept(settings.data_dir)
    if project:
        yield from _project_steps(record, project, kept, is_journalled=is_journalled)
    scope, folder = (LOCAL, project) if project else (USER, os.path.realpath(settings.home_dir))
    there = own_servers(state_path(settings), scope, folder)
    entry = there.get(NAME)
    if entry is not None and is_gateway(entry):
        sha256 = kept.put(json.dumps(entry).encode())
        yield ClientServer(folder, scope, NAME, sha256, "remove")
    for one in record.servers:
        if one.origin in (LOCAL, USER) and one.name not in there:
            yield ClientServer(folder, scope, one.name, kept.put(one.text.encode()), "add")


def _project_steps(
    record: Record, project: str, kept: Kept, *, is_journalled: bool
) -> Iterator[Step]:
    yield from _shared_steps(record, project, kept)
    if is_journalled:  # then it is known which words in the lists are ours, and they are out
        return
    settings = local_settings(project)
    found = Rooted([project]).read(settings)
    before = _decoded(found.content, settings) if found else ""
    ours = {one.name for one in record.servers if one.origin == PROJECT and not one.text}
    after = without_members(before, "disabledMcpjsonServers", ours, settings)
    after = without_members(after, "enabledMcpjsonServers", {NAME}, settings)
    if after != before:
        yield _restored(settings, before, after, kept)


def _shared_steps(record: Record, project: str, kept: Kept) -> Iterator[Step]:
    """What is to be put right in `.mcp.json`; damage matters only where something was taken."""
    try:
        text = project_text(project)
        after = with_servers(text or "", record.servers, project_file(project))
        after = without_entry(after, project_file(project))
    except TokenBudgetError:
        if any(one.origin == PROJECT and one.text for one in record.servers):
            raise
        return
    if after != (text or ""):
        yield _restored(project_file(project), text, after, kept)


def _restored(path: str, before: str | None, after: str, kept: Kept) -> Step:
    """The step that writes it; the journal gets no word of what may be secret."""
    old = None if before is None else kept.put(before.encode())
    return RestoreText(path, old, kept.put(after.encode()))


def with_servers(text: str, servers: Sequence[TakenServer], path: str) -> str:
    """The text of `.mcp.json` with those of these servers that were taken out of it."""
    there = {one.name for one in servers_in(text, path)}
    mark, text = _without_mark(text)
    for one in servers:
        if one.origin == PROJECT and one.text and one.name not in there:
            value = scanned(one.text).value
            text = with_value(text, ("mcpServers", one.name), value, raw=one.text)
    return mark + text


def without_entry(text: str, path: str) -> str:
    """The text of `.mcp.json` without our own entry."""
    there = {one.name: one.definition for one in servers_in(text, path)}
    if not is_gateway(there.get(NAME)):
        return text
    mark, text = _without_mark(text)
    return mark + without_key(text, ("mcpServers", NAME))


def without_members(text: str, key: str, names: set[str], path: str) -> str:
    """The text of a settings file without these words in one of its lists. Raises Refused."""
    mark, text = _without_mark(text)
    try:
        while not is_blank(text):
            item = last(scanned(text), key)
            values = item.node.value if item is not None else None
            known = values if isinstance(values, list) else []
            at = [n for n, value in enumerate(known) if value in names]
            if not at:
                break
            is_whole = len(known) == 1
            text = without_key(text, (key,)) if is_whole else without_item(text, (key,), at[-1])
    except (ValueError, NotEditable) as wrong:
        raise Refused(f"{quoted(path)} cannot be changed safely: {wrong}") from wrong
    return mark + text


def _decoded(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as wrong:
        raise Refused(f"{quoted(path)} is no UTF-8 text; change it by hand") from wrong


def _without_mark(text: str) -> tuple[str, str]:
    """The byte order mark that some editors begin a file with, and the text behind it."""
    mark = BOM if text.startswith(BOM) else ""
    return mark, text.removeprefix(BOM)


def not_back(settings: Settings, record: Record) -> list[str]:
    """Servers that neither the client nor the project has again; the record stays for them."""
    faults = []
    folder = record.project or os.path.realpath(settings.home_dir)
    for one in record.servers:
        if one.origin == PROJECT:
            is_back = not one.text or _is_in_project(record.project, one.name)
        else:
            is_back = one.name in own_servers(state_path(settings), one.origin, folder)
        if not is_back:
            faults.append(f"{quoted(one.name)} is not back; its definition is kept")
    return faults


def _is_in_project(project: str, name: str) -> bool:
    try:
        text = project_text(project) or ""
        return any(one.name == name for one in servers_in(text, project_file(project)))
    except TokenBudgetError:
        return False


def has_entry(settings: Settings, project: str) -> bool:
    """Whether an entry of ours stands where the journal and the record know of none."""
    scope, folder = (LOCAL, project) if project else (USER, os.path.realpath(settings.home_dir))
    if is_gateway(own_servers(state_path(settings), scope, folder).get(NAME)):
        return True
    if not project:
        return False
    try:
        text = project_text(project) or ""
        found = servers_in(text, project_file(project))
    except (TokenBudgetError, NotEditable):
        return False
    return any(one.name == NAME and is_gateway(one.definition) for one in found)
