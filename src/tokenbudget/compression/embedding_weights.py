"""A sentence model out of its files' bytes, each checked: what does not fit is said, never run.

The weights are `safetensors`: a length, a JSON header, plain numbers. Nothing in it is executed,
and no array is larger than the bytes that came.
"""

from __future__ import annotations

import json
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

MOST_HEADER_BYTES = 4_000_000
_KINDS = {"F32": ("<f4", 4), "F16": ("<f2", 2)}


class UnfitModel(ValueError):
    """The model's files are damaged, or of a kind that is not understood."""


class Shape(NamedTuple):
    """The measures of a BERT-like model."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float


class Layer(NamedTuple):
    """The weights of one layer, each ready to be multiplied from the right."""

    attend: Floats
    """Query, key and value in one: width x 3 widths."""
    attend_bias: Floats
    joined: Floats
    joined_bias: Floats
    joined_scale: Floats
    joined_shift: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats
    outer_scale: Floats
    outer_shift: Floats


class Weights(NamedTuple):
    """All weights of a model."""

    words: Floats
    places: Floats
    """Of each position, the first token type included."""
    scale: Floats
    shift: Floats
    layers: tuple[Layer, ...]


def read_json(content: bytes, name: str) -> dict[str, object]:
    """The object in a settings file of the model.

    Raises:
        UnfitModel: it is none.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise UnfitModel(f"{name} is no JSON") from exc
    if not isinstance(found, dict):
        raise UnfitModel(f"{name} holds no object")
    return found


def shape_of(config: Mapping[str, object]) -> Shape:
    """The measures that a `config.json` tells.

    Raises:
        UnfitModel: one is missing or beyond reason, or the model is of another kind.
    """
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise UnfitModel("config.json tells of no BERT model with gelu")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise UnfitModel("config.json tells of positions that are not absolute")

    def measure(key: str, most: int) -> int:
        value = config.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            raise UnfitModel(f"config.json has no {key} between 1 and {most}")
        return value

    epsilon = config.get("layer_norm_eps", 1e-12)
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise UnfitModel("config.json has no layer_norm_eps between 0 and 1")
    shape = Shape(
        measure("vocab_size", 1_000_000),
        measure("hidden_size", 2048),
        measure("num_hidden_layers", 48),
        measure("num_attention_heads", 64),
        measure("intermediate_size", 16_384),
        measure("max_position_embeddings", 8192),
        epsilon,
    )
    if shape.width % shape.heads:
        raise UnfitModel("config.json has heads that do not divide the width")
    return shape


def weights_of(data: bytes, shape: Shape) -> Weights:
    """The weights in a `model.safetensors`.

    Raises:
        UnfitModel: the file is damaged, or its arrays are not what the shape asks for.
    """
    import numpy as np

    arrays = arrays_of(data)

    def take(name: str, *sizes: int) -> Floats:
        found = arrays.get(name, arrays.get(f"bert.{name}"))
        if found is None or found.shape != sizes:
            raise UnfitModel(f"model.safetensors has no {name} of {' x '.join(map(str, sizes))}")
        return found

    width, inner = shape.width, shape.inner

    def dense(name: str, given: int, made: int) -> tuple[Floats, Floats]:
        turned = np.ascontiguousarray(take(f"{name}.weight", made, given).T)
        return turned, take(f"{name}.bias", made)

    def norm(name: str) -> tuple[Floats, Floats]:
        return take(f"{name}.weight", width), take(f"{name}.bias", width)

    def layer(number: int) -> Layer:
        base = f"encoder.layer.{number}"
        three = [
            dense(f"{base}.attention.self.{one}", width, width) for one in ("query", "key", "value")
        ]
        return Layer(
            np.concatenate([one for one, _ in three], axis=1),
            np.concatenate([one for _, one in three]),
            *dense(f"{base}.attention.output.dense", width, width),
            *norm(f"{base}.attention.output.LayerNorm"),
            *dense(f"{base}.intermediate.dense", width, inner),
            *dense(f"{base}.output.dense", inner, width),
            *norm(f"{base}.output.LayerNorm"),
        )

    kinds = arrays.get("embeddings.token_type_embeddings.weight", np.zeros((0, 0), np.float32))
    types = take("embeddings.token_type_embeddings.weight", max(1, len(kinds)), width)
    places = take("embeddings.position_embeddings.weight", shape.positions, width) + types[0]
    return Weights(
        take("embeddings.word_embeddings.weight", shape.vocabulary, width),
        places,
        *norm("embeddings.LayerNorm"),
        tuple(layer(number) for number in range(shape.layers)),
    )


def arrays_of(data: bytes) -> dict[str, Floats]:
    """The arrays of floats in a safetensors file; others are left out.

    Raises:
        UnfitModel: the file is cut off, or its header does not fit its bytes.
    """
    import numpy as np

    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 2 <= size <= min(MOST_HEADER_BYTES, len(data) - 8):
        raise UnfitModel("model.safetensors is cut off or no safetensors file")
    header = read_json(data[8 : 8 + size], "the header of model.safetensors")
    start = 8 + size
    found: dict[str, Floats] = {}
    for name, entry in header.items():
        kind, sizes, begin, end = _entry(entry) if name != "__metadata__" else ("", (), 0, 0)
        if kind not in _KINDS:
            continue
        code, width = _KINDS[kind]
        count = 1
        for one in sizes:
            count *= one
        if not 0 <= begin <= end <= len(data) - start or end - begin != count * width:
            raise UnfitModel("model.safetensors is cut off, or its header is wrong")
        flat = np.frombuffer(data, code, count, start + begin)
        found[name] = flat.reshape(sizes).astype(np.float32, copy=False)
    return found


def _entry(entry: object) -> tuple[str, tuple[int, ...], int, int]:
    """Kind, sizes, begin and end of one array, as the header tells them."""
    wrong = UnfitModel("model.safetensors has a header that cannot be understood")
    if not isinstance(entry, dict):
        raise wrong
    kind, sizes, place = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or not isinstance(sizes, list) or not isinstance(place, list):
        raise wrong
    numbers = [*sizes, *place]
    if len(sizes) > 4 or len(place) != 2 or any(type(one) is not int for one in numbers):
        raise wrong
    if any(one < 0 for one in numbers):
        raise wrong
    return kind, tuple(sizes), place[0], place[1]
