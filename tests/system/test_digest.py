"""The quick digest is the digest that everybody else computes."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.system.digest import sha256


@given(st.binary(max_size=5_000))
def test_it_is_sha_256(data: bytes) -> None:
    assert sha256(data).hexdigest() == hashlib.sha256(data).hexdigest()
