"""A sentence model of a few kilobytes with weights by chance, in the files of a real one."""

import json
import random
import struct
from array import array
from collections.abc import Mapping, Sequence
from math import prod

WIDTH, HEADS, LAYERS, INNER, PLACES = 8, 2, 2, 12, 20
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "load", "##er", "##s", "parse", "the", "json", "file"),
    *("cake", "bake", "_", "(", ")", ":", ".", "a", "b", "c", "cafe", "日"),
]

CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": len(PIECES),
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": PLACES,
    "layer_norm_eps": 1e-12,
}

Arrays = Mapping[str, tuple[Sequence[int], Sequence[float]]]


def tiny_arrays(seed: int = 7) -> dict[str, tuple[Sequence[int], Sequence[float]]]:
    """Every array of the model by its name: sizes, and numbers in C order."""
    chance = random.Random(seed)
    sizes: dict[str, Sequence[int]] = {
        "embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": (PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for number in range(LAYERS):
        base = f"encoder.layer.{number}."
        for name, made, given in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH),
            ("output.dense", WIDTH, INNER),
        ):
            sizes[base + name + ".weight"] = (made, given)
            sizes[base + name + ".bias"] = (made,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            sizes[base + name + ".weight"] = (WIDTH,)
            sizes[base + name + ".bias"] = (WIDTH,)
    return {
        name: (size, [_number(chance, name) for _ in range(prod(size))])
        for name, size in sizes.items()
    }


def _number(chance: random.Random, name: str) -> float:
    """Near what training leads to: else all texts would be alike."""
    if name.endswith("LayerNorm.weight"):
        return chance.gauss(1, 0.2)
    return chance.gauss(0, 0.1 if name.endswith(".bias") else 0.7)


def safetensors(arrays: Arrays, kind: str = "F32") -> bytes:
    """The arrays as a safetensors file."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, (sizes, numbers) in arrays.items():
        packed = (
            array("f", numbers).tobytes()
            if kind == "F32"
            else struct.pack(f"<{len(numbers)}e", *numbers)
        )
        place = [len(body), len(body) + len(packed)]
        header[name] = {"dtype": kind, "shape": list(sizes), "data_offsets": place}
        body += packed
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + body


def tiny_model(**config: object) -> dict[str, bytes]:
    """The files of the model; `config` changes what `config.json` says."""
    return {
        "config.json": json.dumps({**CONFIG, **config}).encode(),
        "vocab.txt": ("\n".join(PIECES) + "\n").encode(),
        "model.safetensors": safetensors(tiny_arrays()),
    }
