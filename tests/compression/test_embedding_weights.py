"""Weights from anywhere: read to the number, or refused with what is wrong."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.tiny_model import safetensors, tiny_arrays, tiny_model

from tokenbudget.compression.embedding import SentenceModel
from tokenbudget.compression.embedding_weights import UnfitModel, arrays_of

GOOD = safetensors({"one": ((2, 2), [1.0, 2.0, 3.0, 4.0])})


def headed(header: object, body: bytes = bytes(16)) -> bytes:
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + body


def test_arrays_come_as_they_were_written() -> None:
    assert arrays_of(GOOD)["one"].tolist() == [[1, 2], [3, 4]]
    assert arrays_of(safetensors({"one": ((2,), [0.5, -2])}, "F16"))["one"].tolist() == [0.5, -2]


def test_a_model_of_half_precision_is_read() -> None:
    files = tiny_model() | {"model.safetensors": safetensors(tiny_arrays(), "F16")}
    assert SentenceModel(files).vectors(["bake the cake"]) == pytest.approx(
        SentenceModel(tiny_model()).vectors(["bake the cake"]), abs=0.02
    )


def test_arrays_of_other_kinds_are_left_out() -> None:
    """`position_ids`, whole numbers, is in many files."""
    assert arrays_of(headed({"a": {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]}})) == {}


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 20]},
        {"dtype": "F32", "shape": [5], "data_offsets": [0, 20]},  # beyond the end
        {"dtype": "F32", "shape": [3], "data_offsets": [4, 20]},
        {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]},
        {"dtype": "F32", "shape": [-2, -2], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [1] * 64, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": "4", "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [4], "data_offsets": [16]},
        {"dtype": 7, "shape": [4], "data_offsets": [0, 16]},
        {},
        [],
    ],
)
def test_an_entry_that_does_not_fit_its_bytes_is_refused(entry: object) -> None:
    with pytest.raises(UnfitModel):
        arrays_of(headed({"one": entry}))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x02", bytes(8), (2**63).to_bytes(8, "little") + b"{}", GOOD[:-1], GOOD[:40],
     (4).to_bytes(8, "little") + b"\x80abc", (2).to_bytes(8, "little") + b"[]"],
)  # fmt: skip
def test_a_file_cut_off_or_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(UnfitModel):
        arrays_of(data)


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_any_bytes_are_arrays_or_refused(noise: bytes, at: int) -> None:
    for data in (noise, GOOD[:at] + noise, GOOD[:at] + noise + GOOD[at + len(noise) :]):
        try:
            found = arrays_of(data)
        except UnfitModel:
            continue
        assert sum(one.nbytes for one in found.values()) <= len(data) * len(found)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_weights_that_lead_to_no_number_are_refused(number: float) -> None:
    arrays = tiny_arrays()
    sizes, numbers = arrays["encoder.layer.1.output.LayerNorm.bias"]
    arrays["encoder.layer.1.output.LayerNorm.bias"] = (sizes, [number, *numbers[1:]])
    with pytest.raises(UnfitModel, match="lead to none"):
        SentenceModel(tiny_model() | {"model.safetensors": safetensors(arrays)})
