import re
from decimal import Decimal

import pytest
from tests.hostile import PAYLOADS

from tokenbudget.analysis.usage import Sums
from tokenbudget.model.spelled import spelled, unspelled
from tokenbudget.reports.exporters.prometheus_text import prometheus_chunks

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\})')
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")

Series = dict[tuple[str, tuple[tuple[str, str], ...]], Decimal]


def parsed(text: str) -> tuple[dict[str, str], Series]:
    """(type of each family, value of each series); by the words of the exposition format."""
    types: dict[str, str] = {}
    helped: set[str] = set()
    series: Series = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helped
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name in helped
            assert name not in types
            assert kind in ("counter", "gauge")
            types[name] = kind
        else:
            key, value = parsed_sample(line)
            assert key[0] == list(types)[-1]  # a family stands together
            assert key not in series
            series[key] = value
    return types, series


def parsed_sample(line: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], Decimal]:
    name = _NAME.match(line)
    assert name, line
    at, labels = name.end(), []
    if line[at] == "{":
        at += 1
        while True:
            label = _LABEL.match(line, at)
            assert label, line[at:]
            labels.append((label[1], unescaped(label[2])))
            at = label.end()
            if label[3] == "}":
                break
    assert line[at] == " "
    assert _NUMBER.fullmatch(line[at + 1 :]), line
    return (name[0], tuple(labels)), Decimal(line[at + 1 :])


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


def sums(number: int) -> Sums:
    made = Sums()
    made.input_tokens, made.output_tokens = number, 2**60 + number
    made.cost_usd, made.requests = Decimal(number) / 10**9, 1
    return made


def test_every_payload_is_a_label_that_can_be_had_back() -> None:
    totals = {
        ("claude-code", spelled(payload), spelled(payload)): sums(number)
        for number, payload in enumerate(dict.fromkeys(PAYLOADS.values()))
    }
    types, series = parsed("".join(prometheus_chunks(totals, 1_795_262_400_123)))

    assert all(kind == "counter" for name, kind in types.items() if name.endswith("_total"))
    for number, payload in enumerate(dict.fromkeys(PAYLOADS.values())):
        labels = [
            ("agent", "claude-code"),
            ("project", spelled(payload)),
            ("model", spelled(payload)),
        ]
        assert unspelled(labels[1][1]) == payload
        tokens = ("tokenbudget_tokens_total", (*labels, ("kind", "output")))
        assert series[tokens] == 2**60 + number
        cost = ("tokenbudget_cost_usd_total", tuple(labels))
        assert series[cost] == Decimal(number) / 10**9
    assert types.keys() == {name for name, _ in series}


def test_without_use_it_is_still_valid() -> None:
    types, series = parsed("".join(prometheus_chunks({}, 1)))

    assert len(types) == 7
    assert list(series.values()) == [Decimal("0.001")]


@pytest.mark.parametrize("line", ["a b", 'a{x="\n"} 1', 'a{x="\\t"} 1', "a 0x1", "1a 1"])
def test_this_parser_takes_nothing_else(line: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        parsed_sample(line)
