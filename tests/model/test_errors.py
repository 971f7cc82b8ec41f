import re

import pytest

from tokenbudget.model import errors
from tokenbudget.model.errors import TokenBudgetError

KINDS = TokenBudgetError.__subclasses__()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_knows_its_exit_code_and_its_entry(kind: type[TokenBudgetError]) -> None:
    assert 1 <= kind.exit_code <= 4
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", kind.slug)


def test_no_two_errors_share_an_entry() -> None:
    assert len({kind.slug for kind in KINDS}) == len(KINDS)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert drawn == [kind.__name__ for kind in KINDS]


def test_a_message_is_what_is_said() -> None:
    assert str(errors.BadRequest("there is no verb 'x'")) == "there is no verb 'x'"
