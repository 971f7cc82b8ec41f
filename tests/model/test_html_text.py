import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile import PAYLOADS

from tokenbudget.model.html_text import escaped, script_json
from tokenbudget.model.plain_text import one_line


class Seen(HTMLParser):
    """What a parser makes of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl!r}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data!r}")


def parsed(page: str) -> Seen:
    seen = Seen()
    seen.feed(page)
    seen.close()
    return seen


any_text = st.text(st.characters() | st.sampled_from("<>&\"'`/!-\u2028\ud83d"))


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_is_text_in_an_element_and_in_an_attribute(payload: str) -> None:
    for quote in "\"'":
        seen = parsed(f"<p title={quote}{escaped(payload)}{quote}>{escaped(payload)}</p>")

        assert seen.tags == ["p"]
        assert seen.attributes == [("title", one_line(payload))]
        assert seen.text == one_line(payload)


@given(any_text)
def test_any_text_is_text(text: str) -> None:
    seen = parsed(f'<p title="{escaped(text)}">{escaped(text)}</p>')

    assert (seen.tags, seen.attributes) == (["p"], [("title", one_line(text))])
    assert seen.text == one_line(text)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_does_not_end_a_script(payload: str) -> None:
    made = script_json({"rows": [payload, {payload: 1}]})

    assert made.isascii()
    assert not set("<>&") & set(made)
    assert json.loads(made) == {"rows": [one_line(payload), {one_line(payload): 1}]}


@given(st.recursive(st.none() | st.booleans() | st.integers() | any_text, st.lists, max_leaves=8))
def test_json_means_the_same(value: object) -> None:
    assert json.loads(script_json(value)) == cleaned(value)


def cleaned(value: object) -> object:
    if isinstance(value, list):
        return [cleaned(one) for one in value]
    return one_line(value) if isinstance(value, str) else value


def test_a_tuple_is_a_list_and_numbers_stay() -> None:
    assert script_json((1, 2.5, None, True)) == "[1,2.5,null,true]"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        script_json([bad])
