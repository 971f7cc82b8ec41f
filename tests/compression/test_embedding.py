"""A sentence model by numpy, against the same written out in plain loops."""

import json
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from tests.compression.tiny_model import HEADS, LAYERS, WIDTH, tiny_arrays, tiny_model

from tokenbudget.compression import embedding
from tokenbudget.compression.embedding import EmbeddingRanker, SentenceModel
from tokenbudget.compression.embedding_weights import UnfitModel

Rows = list[list[float]]


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    return SentenceModel(tiny_model())


# ── the same model, written out ──────────────────────────────────────────────────────────────────


class Spelled:
    """The model as its paper has it: one text, lists of floats, the exact gelu."""

    def __init__(self) -> None:
        self._arrays = tiny_arrays()

    def vector(self, ids: Sequence[int], *, takes_mean: bool = True) -> list[float]:
        word, place, kind = (
            self._rows(f"embeddings.{one}_embeddings") for one in ("word", "position", "token_type")
        )
        state = [
            [a + b + c for a, b, c in zip(word[number], place[at], kind[0], strict=True)]
            for at, number in enumerate(ids)
        ]
        state = self._norm(state, "embeddings.LayerNorm")
        for number in range(LAYERS):
            state = self._layer(state, f"encoder.layer.{number}.")
        one = [sum(column) / len(state) for column in zip(*state, strict=True)]
        one = one if takes_mean else state[0]
        length = math.sqrt(sum(value * value for value in one))
        return [value / length for value in one]

    def _layer(self, state: Rows, base: str) -> Rows:
        query, key, value = (
            self._dense(state, base + "attention.self." + one) for one in ("query", "key", "value")
        )
        each = WIDTH // HEADS
        seen: Rows = [[] for _ in state]
        for first in range(0, WIDTH, each):
            part = slice(first, first + each)
            for at, mine in enumerate(query):
                looks = [
                    sum(a * b for a, b in zip(mine[part], other[part], strict=True)) / each**0.5
                    for other in key
                ]
                chances = [math.exp(look) for look in looks]
                seen[at] += [
                    sum(c * row[column] for c, row in zip(chances, value, strict=True))
                    / sum(chances)
                    for column in range(first, first + each)
                ]
        joined = self._dense(seen, base + "attention.output.dense")
        state = self._norm(_sum(joined, state), base + "attention.output.LayerNorm")
        inner = self._dense(state, base + "intermediate.dense")
        bent = [[x * (1 + math.erf(x / 2**0.5)) / 2 for x in row] for row in inner]
        outer = self._dense(bent, base + "output.dense")
        return self._norm(_sum(outer, state), base + "output.LayerNorm")

    def _rows(self, name: str) -> Rows:
        (count, width), numbers = self._arrays[name + ".weight"]
        return [list(numbers[at * width : (at + 1) * width]) for at in range(count)]

    def _dense(self, state: Rows, name: str) -> Rows:
        weight, bias = self._rows(name), self._arrays[name + ".bias"][1]
        return [
            [
                sum(a * b for a, b in zip(row, one, strict=True)) + shift
                for one, shift in zip(weight, bias, strict=True)
            ]
            for row in state
        ]

    def _norm(self, state: Rows, name: str) -> Rows:
        scale, shift = self._arrays[name + ".weight"][1], self._arrays[name + ".bias"][1]
        found = []
        for row in state:
            mean = sum(row) / len(row)
            spread = math.sqrt(sum((value - mean) ** 2 for value in row) / len(row))
            found.append(
                [(v - mean) / spread * a + b for v, a, b in zip(row, scale, shift, strict=True)]
            )
        return found


def _sum(one: Rows, other: Rows) -> Rows:
    return [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)]


TEXTS = ["bake the cake", "load", "parse the json file : a b c", ""]


def test_the_vectors_are_those_of_the_model_written_out(model: SentenceModel) -> None:
    """All in one batch: padding changes nothing."""
    for text, made in zip(TEXTS, model.vectors(TEXTS), strict=True):
        wanted = Spelled().vector(model.windows(text)[0])
        assert np.abs(made - wanted).max() < 2e-3  # the tanh formula of gelu


def test_a_model_may_take_the_first_piece_in_place_of_the_mean() -> None:
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    files = tiny_model() | {embedding.POOLING: json.dumps(pooling).encode()}
    made = SentenceModel(files).vectors(["bake the cake"])[0]
    ids = SentenceModel(files).windows("bake the cake")[0]
    assert np.abs(made - Spelled().vector(ids, takes_mean=False)).max() < 2e-3


def test_however_texts_are_batched_their_vectors_stay(
    model: SentenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = model.vectors(TEXTS * 5)
    monkeypatch.setattr(embedding, "BATCH_PIECES", 8)
    assert np.allclose(whole, model.vectors(TEXTS * 5), atol=1e-5)
    assert np.allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)


# ── ranking ──────────────────────────────────────────────────────────────────────────────────────


def test_what_the_task_says_itself_is_nearest(model: SentenceModel) -> None:
    pieces = ["bake the cake", "parse the json file", "load ( a )"]
    scores = EmbeddingRanker(model).relevance("parse the json file", pieces)
    assert max(scores) == scores[1] == pytest.approx(1, abs=1e-5)
    assert all(score >= 0 for score in scores)


def test_a_long_text_counts_by_its_best_window(model: SentenceModel) -> None:
    """The model has 20 places: 18 pieces a window."""
    ranker = EmbeddingRanker(model)
    beginning, place = "a " * 18, "parse the json file"
    alone = ranker.relevance(place, [beginning])[0]
    assert ranker.relevance(place, [beginning + place])[0] == pytest.approx(1, abs=1e-5)
    assert alone < 0.99
    assert len(model.windows("a " * 1000)) == embedding.MOST_WINDOWS


def test_a_text_is_read_once(model: SentenceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    ranker = EmbeddingRanker(model)
    pieces = ["bake the cake", "load", "bake the cake"]
    first = ranker.relevance("the cake", pieces)
    read: list[int] = []
    of_windows = model.of_windows

    def counted(windows: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        read.append(len(windows))
        return of_windows(windows)

    monkeypatch.setattr(model, "of_windows", counted)
    assert ranker.relevance("the cake", pieces) == first
    assert sum(read) == 1  # the task
    assert ranker.relevance("the cake", []) == []


def test_of_too_many_texts_those_whose_words_fit_are_read(
    model: SentenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "MOST_READ", 2)
    pieces = ["load", "bake the cake", "parse", "cake"]
    scores = EmbeddingRanker(model).relevance("bake a cake", pieces)
    assert [score > 0 for score in scores] == [False, True, False, True]


def test_halves_that_are_no_text_are_ranked_too(model: SentenceModel) -> None:
    assert len(EmbeddingRanker(model).relevance("\udcff", ["\ud800", "", "\x00"])) == 3


# ── files that do not fit ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "gpt2"}, "no BERT"),
        ({"hidden_act": "relu"}, "no BERT"),
        ({"position_embedding_type": "relative_key"}, "positions"),
        ({"hidden_size": 16}, "has no embeddings.token_type_embeddings.weight of 2 x 16"),
        ({"hidden_size": True}, "hidden_size"),
        ({"hidden_size": 10**9}, "hidden_size"),
        ({"num_hidden_layers": 3}, "encoder.layer.2"),
        ({"num_hidden_layers": None}, "num_hidden_layers"),
        ({"num_attention_heads": 3}, "heads"),
        ({"vocab_size": 10}, "more pieces"),
        ({"layer_norm_eps": "x"}, "layer_norm_eps"),
    ],
)
def test_a_model_of_another_shape_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(UnfitModel, match=said):
        SentenceModel(tiny_model(**changed))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", b"{", "no JSON"),
        ("config.json", b"[" * 100_000, "no JSON"),
        ("config.json", b"\xff\xfe", "no JSON"),
        ("config.json", b"[]", "no object"),
        ("vocab.txt", b"a\nb\n", r"has no \[CLS\]"),
        ("vocab.txt", b"", r"has no \[CLS\]"),
        (embedding.POOLING, b'{"pooling_mode_max_tokens": true}', "neither"),
        (embedding.CASING, b"3", "no object"),
    ],
)
def test_a_damaged_file_beside_the_weights_is_named(name: str, content: bytes, said: str) -> None:
    with pytest.raises(UnfitModel, match=said):
        SentenceModel(tiny_model() | {name: content})
