"""`tokens alert`: be told when something runs out, and handle what was told."""

from __future__ import annotations

from tokenbudget.alerts.delivery import REMOTE_KINDS
from tokenbudget.alerts.rules import CONTEXT, DEFAULT_PERCENT, PERCENTS, SCOPES
from tokenbudget.cli.options import Parser, parser, settings, whole_number
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

SET = "set"
ACTIONS = ("list", "test", "ack", "silence", "unsilence", "history", "why", "remove")
ALL = "all"

_BELONGS = {
    "scope": (SET,),
    "usd": (SET,),
    "session": (SET,),
    "email": (SET,),
    "slack": (SET,),
    "discord": (SET,),
    "url": (SET,),
    "desktop": (SET,),
    "bell": (SET,),
    "for_": ("silence",),
    "until_resolved": ("silence",),
    "n": ("history",),
}
"""Which action an option goes with: one that is passed over would be a surprise."""

EPILOG = """\
An address given as an option can be seen by other users of this machine while the command runs;
'-' reads it from standard input instead. It is kept in the keyring of the desktop, or in a file
that only you can read, and never shown. Alerts are evaluated by tokens monitor and by the status
line (tokens statusline --print-command). More: docs/alerts.md
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _parser().parse_args(arguments)
    action, percent = _action(options.what)
    _refuse_strays(options, action, percent)
    if action == SET:
        from tokenbudget.cli.alert_setting import set_rule

        return set_rule(options, percent, settings())
    if action == "remove":
        from tokenbudget.cli.alert_setting import remove

        return remove(options, settings())
    if action in ("list", "why", "history"):
        from tokenbudget.cli import alert_asking as asking

        ask = {"list": asking.show_list, "why": asking.why, "history": asking.history}
        return ask[action](options, settings())
    from tokenbudget.cli import alert_handling as handling

    handle = {
        "test": handling.test,
        "ack": handling.ack,
        "silence": handling.silence,
        "unsilence": handling.unsilence,
    }
    return handle[action](options, settings())


def _parser() -> Parser:
    made = parser(
        "alert", "Be told when something runs out; handle what was told.", reads_sessions=False
    )
    made.epilog = EPILOG
    made.usage = (
        "tokens alert [50|70|80|90] [--scope S] [channels]\n"
        "       tokens alert list|test|ack|silence|unsilence|history|why|remove [RULE]"
    )
    made.add_argument(
        "what",
        nargs="?",
        metavar="WHAT",
        help=f"tell from so many percent on: {', '.join(map(str, PERCENTS))} (default:"
        f" {DEFAULT_PERCENT}); or one of {', '.join(ACTIONS)}",
    )
    made.add_argument("rule", nargs="?", metavar="RULE", help="one rule, as list names it; 'all'")
    made.add_argument("--scope", metavar="SCOPE", help=f"{', '.join(SCOPES)} (default: {CONTEXT})")
    made.add_argument("--usd", metavar="AMOUNT", help="US dollars, for the scopes of cost")
    made.add_argument("--session", metavar="ID", help="only this session (id or its beginning)")
    made.add_argument("--bell", action="store_true", help="the bell of tokens monitor")
    made.add_argument("--desktop", action="store_true", help="a notification of the desktop")
    helps = {
        "email": "a mailto(s):// URL, or an address for the mail server of this machine",
        "slack": "the webhook of a Slack channel",
        "discord": "the webhook of a Discord channel",
        "url": "any URL that apprise knows",
    }
    for kind in REMOTE_KINDS:
        made.add_argument(f"--{kind}", metavar="URL", action="append", help=helps[kind])
    made.add_argument("--for", dest="for_", metavar="TIME", help="silence: so long, such as 2h")
    made.add_argument(
        "--until-resolved", action="store_true", help="silence: what fires now, until it is over"
    )
    made.add_argument("-n", type=whole_number, metavar="N", help="history: rows (default: 20)")
    return made


def _action(what: str | None) -> tuple[str, int | None]:
    """What is to be done, and the percent that was given."""
    if what is None:
        return SET, None
    digits = what.removesuffix("%").strip()
    if digits.isdecimal() and len(digits) < 5:
        return SET, _percent(int(digits))
    if what in ACTIONS:
        return what, None
    import difflib

    near = difflib.get_close_matches(what.lower(), ACTIONS, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise BadRequest(
        f"'{what}' is neither a percent nor an action of tokens alert{hint};"
        f" use {', '.join(map(str, PERCENTS))}, {', '.join(ACTIONS)}"
    )


def _percent(given: int) -> int:
    if given not in PERCENTS:
        nearest = min(PERCENTS, key=lambda step: (abs(step - given), step))
        allowed = ", ".join(map(str, PERCENTS))
        raise BadRequest(
            f"an alert at {given} % cannot be set; use one of {allowed} (the nearest is {nearest})"
        )
    return given


def _refuse_strays(options: Namespace, action: str, percent: int | None) -> None:
    given = {name for name in _BELONGS if getattr(options, name) not in (None, False)}
    for name in sorted(given):
        if action not in _BELONGS[name]:
            option = "-n" if name == "n" else f"--{name.rstrip('_').replace('_', '-')}"
            does = "setting an alert" if action == SET else f"tokens alert {action}"
            raise BadRequest(f"{option} does not go with {does}; tokens alert --help says more")
    if action == SET and options.rule is not None:
        raise BadRequest(f"'{options.rule}' is one word too many; tokens alert --help says more")
    if action == "list" and options.rule is not None:
        raise BadRequest("tokens alert list takes no rule; tokens alert why RULE says more of one")
    if action == "remove" and options.rule is None:
        raise BadRequest("tokens alert remove takes the name of a rule, or 'all'")
