import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile import PAYLOADS

from tokenbudget.model.redaction import MOST_REMEMBERED, Redactor

KEY = bytes(range(32))
METHODS = ("path", "title", "prompt", "name", "branch", "session", "key", "tool", "word")
HIDING = METHODS[:-1]
parts = st.text(st.sampled_from("abcxyz-_ 019"), min_size=3, max_size=8)


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(KEY)


def test_a_path_keeps_its_depth_and_its_ending(redactor: Redactor) -> None:
    shown = redactor.path("/home/ann/shop/src/pay.py")

    assert shown.count("/") == 5
    assert shown.endswith(".py")
    assert not any(word in shown for word in ("home", "ann", "shop", "src", "pay"))


@given(st.lists(parts, min_size=1, max_size=5), st.lists(parts, min_size=1, max_size=3))
def test_what_lies_below_a_folder_lies_below_its_pseudonym(
    folder: list[str], below: list[str]
) -> None:
    redactor = Redactor(KEY)
    top = "/" + "/".join(folder)

    assert redactor.path(f"{top}/{'/'.join(below)}").startswith(redactor.path(top) + "/")


def test_the_same_folder_name_elsewhere_is_another_pseudonym(redactor: Redactor) -> None:
    one, other = redactor.path("/a/src").split("/")[2], redactor.path("/b/src").split("/")[2]

    assert one != other


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("", ""),
        ("/", "/"),
        ("./..//~", "./..//~"),
        ("secret.ann", "P"),
        ("pay.PY", "P.py"),
        ("a/", "P/"),
        ("C:\\a\\b.txt", "P\\P\\P.txt"),
        ("https://ann.example/x?y=1", "https://P/P"),
        ("HTTPS://ann.example", "https://P"),
        (".env", "P.env"),
    ],
)
def test_shapes(redactor: Redactor, path: str, shape: str) -> None:
    assert re.sub(r"p[0-9a-f]{10}", "P", redactor.path(path)) == shape


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_leaves_nothing_but_its_shape(
    redactor: Redactor, method: str, payload: str
) -> None:
    shown = getattr(redactor, method)(payload)

    assert shown == getattr(Redactor(KEY), method)(payload)
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-_./\\~:")
    assert set(shown) <= allowed or (method == "word" and shown == payload)
    assert len(payload) < 12 or payload not in shown or method in ("path", "word")


@pytest.mark.parametrize("method", HIDING)
def test_another_key_gives_another_pseudonym(redactor: Redactor, method: str) -> None:
    other = Redactor(bytes(32))

    assert getattr(redactor, method)("secret") != getattr(other, method)("secret")


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_text_stays_empty(redactor: Redactor, method: str) -> None:
    assert getattr(redactor, method)("") == ""


def test_kinds_are_told_apart(redactor: Redactor) -> None:
    kinds = [getattr(redactor, method)("secret") for method in HIDING if method != "tool"]

    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("tool", "shape"),
    [("Read", "Read"), ("mcp__github__get_issue", "mcp__N__N"), ("Reader", "N"), ("mcp__", "N")],
)
def test_the_agents_own_tools_stay(redactor: Redactor, tool: str, shape: str) -> None:
    assert re.sub(r"name-[0-9a-f]{10}", "N", redactor.tool(tool)) == shape


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-4-8[1m]", "claude-opus-4-8[1m]"),
        ("2.1.329", "2.1.329"),
        ("arn:aws:bedrock:us-east-1:123456789012:model/x", "N"),
        ("-x", "N"),
        ("a\n", "N"),
        ("", ""),
    ],
)
def test_a_model_or_version_stays_and_an_accounts_address_does_not(
    redactor: Redactor, word: str, shape: str
) -> None:
    assert re.sub(r"name-[0-9a-f]{10}", "N", redactor.word(word)) == shape


def test_a_branch_that_everybody_has_stays(redactor: Redactor) -> None:
    assert redactor.branch("main") == "main"
    assert redactor.branch("ann/secret").startswith("branch-")


def test_forgetting_changes_nothing(redactor: Redactor) -> None:
    first = redactor.title("0")
    for number in range(MOST_REMEMBERED + 5):
        redactor.title(str(number))

    assert redactor.title("0") == first


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        Redactor(b"guess")
