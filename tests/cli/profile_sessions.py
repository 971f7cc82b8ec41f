"""A home with two projects, three weeks, tools, files, a subagent and errors: for `profile`."""

from datetime import UTC, datetime

from tests.cli.conftest import PRICES, Home
from tests.cli.window_sessions import Talk, words

HAIKU_PRICES = """
[prices."claude-haiku*"]
input = 1
output = 5
cache_write_5m = 1.25
cache_write_1h = 2
cache_read = 0.1
"""


def worked(session: str, begin: datetime, cwd: str = "/srv/shop", turns: int = 12) -> Talk:
    """A session that reads, edits and tests."""
    talk = Talk(session, cwd=cwd, begin=begin)
    talk.ask(words(300)).read(f"{cwd}/src/cart.py", 2_000)
    for number in range(turns):
        talk.call("Bash", words(400 + 10 * number), command="npm test -- --run cart")
        talk.read(f"{cwd}/src/web/page_{number % 4}.py", 500)
        talk.call("Edit", words(30), file_path=f"{cwd}/src/cart.py", old_string="a", new_string="b")
    talk.call("mcp__github__list_issues", words(800), repo="shop")
    return talk.answer(words(120))


def profiled_home(home: Home) -> Home:
    """Three sessions in two projects and two weeks."""
    home.config.parent.mkdir(parents=True, exist_ok=True)
    home.config.write_text(PRICES.partition('[prices."claude-haiku')[0] + HAIKU_PRICES)
    for name, day, cwd in (
        ("aaaa1111", 2, "/srv/shop"),
        ("bbbb2222", 10, "/srv/shop"),
        ("cccc3333", 17, "/srv/api"),
    ):
        worked(name, datetime(2026, 11, day, 9, tzinfo=UTC), cwd).write(home)
    return home
