"""What of ours stands in the text of an agent's settings file, and the edits that put it there.

Pure: texts in, texts and edits out. How our own command is told from another tool's is handed in
(`Marks`), for whoever makes these commands knows. What is not ours is never changed: a status line
of another tool is chained behind ours, and hooks of others stay where they are.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.edit_json import dotted
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.json_text import is_blank, last, scanned
from tokenbudget.model.actions import SettingEdit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from tokenbudget.config.json_text import Node
    from tokenbudget.model.actions import Json

STATUSLINE, HOOKS, PLUGIN, RECALL = "statusline", "hooks", "plugin", "recall"
MARKED_PARTS = (STATUSLINE, HOOKS, PLUGIN)
"""What is known for ours wherever it stands."""
SETTINGS_PARTS = (*MARKED_PARTS, RECALL)
"""What is wired in a settings file; commands and skill are files of their own.

A rule for recall may be a person's own: ours is the one that the journal has.
"""

BOM = "\ufeff"
REFRESH_SECONDS = 5
"""So that time left and the cache's count-down go on while the agent waits."""
STATUSLINE_KEY, HOOKS_KEY = "statusLine", "hooks"
ENABLED_KEY, MARKETPLACES_KEY = "enabledPlugins", "extraKnownMarketplaces"
PERMISSIONS_KEY, ALLOW_KEY = "permissions", "allow"
RECALL_RULE = "Bash(tokens recall:*)"
"""With it the agent may have back what was shortened, and nobody is asked."""


class Marks(NamedTuple):
    """How our own entries are known, whatever version or place of ours made them."""

    is_statusline: Callable[[str], bool]
    chained: Callable[[str], str]
    """The other tool's command that a status line of ours runs after its own; '' for none."""
    is_hook: Callable[[Mapping[str, Json]], bool]
    plugin: str = ""
    """`name@marketplace`; '' where there is none."""

    @property
    def marketplace(self) -> str:
        """Where our plugin comes from, as settings name it."""
        return self.plugin.rpartition("@")[2]


class WiredHook(NamedTuple):
    """One hook of a settings file."""

    event: str
    matcher: str
    target: str
    """Its command or address."""
    is_ours: bool
    secret: str = ""
    """What it shows to whom it asks; never to be printed."""


class Seen(NamedTuple):
    """What of hooks, status line and plugin a settings file says."""

    statusline: str = ""
    """Our command there, whole; '' where it is another's or none."""
    other_statusline: str = ""
    """Another tool's command: there alone, or behind ours."""
    hooks: tuple[WiredHook, ...] = ()
    is_plugin_enabled: bool = False
    has_marketplace: bool = False
    is_all_disabled: bool = False
    """`disableAllHooks`, which stops the status line as well."""
    has_recall: bool = False
    """Whether `RECALL_RULE` stands there, whosever it is."""

    @property
    def ours(self) -> tuple[WiredHook, ...]:
        """Our hooks."""
        return tuple(hook for hook in self.hooks if hook.is_ours)

    @property
    def others(self) -> tuple[WiredHook, ...]:
        """Hooks of other tools."""
        return tuple(hook for hook in self.hooks if not hook.is_ours)

    @property
    def parts(self) -> tuple[str, ...]:
        """Which parts of ours are there, at least in part; of those that bear a mark."""
        there = (bool(self.statusline), bool(self.ours), self.has_plugin)
        return tuple(name for name, is_there in zip(MARKED_PARTS, there, strict=True) if is_there)

    @property
    def has_plugin(self) -> bool:
        """Whether anything of our plugin is said."""
        return self.is_plugin_enabled or self.has_marketplace


class Wanted(NamedTuple):
    """What a settings file is to say; '' and () leave a part alone."""

    statusline: str = ""
    """Our command, without another tool's behind it."""
    chain: Callable[[str], str] | None = None
    """Our command with another tool's behind it."""
    hooks: tuple[tuple[str, Json], ...] = ()
    """Event, and the group to put into its list."""
    plugin: str = ""
    plugin_folder: str = ""
    recall: bool = False
    """Whether the agent may call `tokens recall` unasked."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Which parts are wanted."""
        given = (self.statusline, self.hooks, self.plugin, self.recall)
        return tuple(name for name, one in zip(SETTINGS_PARTS, given, strict=True) if one)


# ── what is there ────────────────────────────────────────────────────────────────────────────────


def seen_in(text: str, marks: Marks) -> Seen:
    """What a settings file says of us and of others like us; '' is a file that is not there.

    Raises:
        NotEditable: a name on our way stands there twice: which one counts is the reader's choice.
        ValueError: it is no JSON object (comments apart).
    """
    plain = text.removeprefix(BOM)
    if is_blank(plain):
        return Seen()
    top = scanned(plain)
    if top.kind != "{":
        raise ValueError("it is no object")
    _refuse_doubles(top)
    document = table_of(top.value)
    command = _text(table_of(document.get(STATUSLINE_KEY)).get("command"))
    is_ours = marks.is_statusline(command)
    enabled = table_of(document.get(ENABLED_KEY))
    return Seen(
        statusline=command if is_ours else "",
        other_statusline=marks.chained(command) if is_ours else command,
        hooks=tuple(_hooks(document, marks)),
        is_plugin_enabled=bool(marks.plugin) and bool(enabled.get(marks.plugin)),
        has_marketplace=bool(marks.plugin)
        and marks.marketplace in table_of(document.get(MARKETPLACES_KEY)),
        is_all_disabled=document.get("disableAllHooks") is True,
        has_recall=RECALL_RULE in _allowed(document),
    )


def _allowed(document: Mapping[str, Json]) -> Sequence[Json]:
    found = table_of(document.get(PERMISSIONS_KEY)).get(ALLOW_KEY)
    return found if isinstance(found, list) else ()


def _hooks(document: Mapping[str, Json], marks: Marks) -> Iterator[WiredHook]:
    for event, groups in table_of(document.get(HOOKS_KEY)).items():
        for group in groups if isinstance(groups, list) else ():
            matcher = _text(table_of(group).get("matcher"))
            inner = table_of(group).get("hooks")
            for hook in inner if isinstance(inner, list) else ():
                found = table_of(hook)
                target = _text(found.get("command")) or _text(found.get("url"))
                yield WiredHook(event, matcher, target, marks.is_hook(found), _secret(found))


def _refuse_doubles(top: Node) -> None:
    """Look at every object on our way; elsewhere a name may stand twice, it is not ours to say."""
    _refuse_double_in(top, (STATUSLINE_KEY, HOOKS_KEY, ENABLED_KEY, MARKETPLACES_KEY))
    for key in (STATUSLINE_KEY, HOOKS_KEY):
        item = last(top, key)
        if item is not None:
            _refuse_double_in(item.node, [inner.key for inner in item.node.items])


def _refuse_double_in(node: Node, names: Collection[str]) -> None:
    found = [item.key for item in node.items if item.key in names]
    twice = next((name for name in found if found.count(name) > 1), None)
    if node.kind == "{" and twice is not None:
        raise NotEditable(f"{dotted((twice,))!r} stands there twice; remove one of them")


def is_current(seen: Seen, wanted: Wanted) -> bool:
    """Whether the wanted parts are there as they are wanted, and nothing else of ours beside them.

    How long an agent waits for a hook may have been changed by a person; that is theirs to say.
    """
    is_so = True
    if wanted.statusline:
        chain = wanted.chain if seen.other_statusline else None
        is_so &= seen.statusline == (
            chain(seen.other_statusline) if chain is not None else wanted.statusline
        )
    if wanted.hooks:
        there = sorted((one.event, one.matcher, one.target, one.secret) for one in seen.ours)
        is_so &= there == sorted(_shape(event, group) for event, group in wanted.hooks)
    if wanted.plugin:
        is_so &= seen.is_plugin_enabled and seen.has_marketplace
    if wanted.recall:
        is_so &= seen.has_recall
    return is_so


def _shape(event: str, group: Json) -> tuple[str, str, str, str]:
    found = table_of(group)
    inner = found.get("hooks")
    hook = table_of(inner[0]) if isinstance(inner, list) and inner else {}
    target = _text(hook.get("command")) or _text(hook.get("url"))
    return event, _text(found.get("matcher")), target, _secret(hook)


def _secret(hook: Mapping[str, Json]) -> str:
    return _text(table_of(hook.get("headers")).get("Authorization"))


def alone(wanted: Wanted, parts: Sequence[str]) -> Wanted:
    """What is wanted, but of these parts alone."""
    return wanted._replace(
        statusline=wanted.statusline if STATUSLINE in parts else "",
        hooks=wanted.hooks if HOOKS in parts else (),
        plugin=wanted.plugin if PLUGIN in parts else "",
        recall=wanted.recall and RECALL in parts,
    )


# ── edits ────────────────────────────────────────────────────────────────────────────────────────


def wiring_edits(text: str, wanted: Wanted, marks: Marks) -> tuple[SettingEdit, ...]:
    """The edits that wire what is wanted into a text in which nothing of it is.

    Raises:
        NotEditable, ValueError: as by `seen_in`; or a status line is of a kind we do not know.
    """
    seen_in(text, marks)
    plain = text.removeprefix(BOM)
    document = {} if is_blank(plain) else table_of(scanned(plain).value)
    edits: list[SettingEdit] = []
    if wanted.statusline:
        edits += _statusline_edits(document, wanted)
    edits += [SettingEdit((HOOKS_KEY, event), group, True) for event, group in wanted.hooks]
    if wanted.plugin:
        source: Json = {"source": {"source": "directory", "path": wanted.plugin_folder}}
        marketplace = wanted.plugin.rpartition("@")[2]
        edits.append(SettingEdit((MARKETPLACES_KEY, marketplace), source, False))
        edits.append(SettingEdit((ENABLED_KEY, wanted.plugin), True, False))
    if wanted.recall and RECALL_RULE not in _allowed(document):
        _refuse_double_rules(plain)
        edits.append(SettingEdit((PERMISSIONS_KEY, ALLOW_KEY), RECALL_RULE, True))
    return tuple(edits)


def _refuse_double_rules(text: str) -> None:
    if is_blank(text):
        return
    top = scanned(text)
    _refuse_double_in(top, (PERMISSIONS_KEY,))
    item = last(top, PERMISSIONS_KEY)
    if item is not None:
        _refuse_double_in(item.node, (ALLOW_KEY,))


def _statusline_edits(document: Mapping[str, Json], wanted: Wanted) -> list[SettingEdit]:
    """One edit: the whole where there is none, else the command alone, the other tool's kept."""
    if STATUSLINE_KEY not in document:
        whole: Json = {
            "type": "command",
            "command": wanted.statusline,
            "refreshInterval": REFRESH_SECONDS,
        }
        return [SettingEdit((STATUSLINE_KEY,), whole, False)]
    there = document[STATUSLINE_KEY]
    command = table_of(there).get("command")
    if not isinstance(command, str) or not command or table_of(there).get("type") != "command":
        raise NotEditable(f"{STATUSLINE_KEY} is no command; change it by hand")
    ours = wanted.statusline if wanted.chain is None else wanted.chain(command)
    return [SettingEdit((STATUSLINE_KEY, "command"), ours, False)]


def part_of(edit: SettingEdit) -> str:
    """The part that an edit of ours belongs to."""
    if edit.keys[0] == STATUSLINE_KEY:
        return STATUSLINE
    named = {HOOKS_KEY: HOOKS, PERMISSIONS_KEY: RECALL}
    return named.get(edit.keys[0], PLUGIN)


def table_of(value: Json) -> Mapping[str, Json]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
