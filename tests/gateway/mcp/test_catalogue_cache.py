"""The cache: gives back what it was given under the same fingerprint, and never anything else."""

import os
from pathlib import Path

import pytest
from tests.gateway.mcp.catalogues import catalogue, listed

from tokenbudget.gateway.mcp.catalogue_cache import INDEX, CatalogueCache
from tokenbudget.gateway.mcp.finding_index import index_of

SHOP = catalogue("shop", [listed("buy", "Buy \ud800 it.", what={"type": "string"})])


@pytest.fixture
def cache(tmp_path: Path) -> CatalogueCache:
    return CatalogueCache(str(tmp_path / "catalogues"))


def test_a_catalogue_comes_back_under_its_fingerprint_alone(cache: CatalogueCache) -> None:
    assert cache.get("shop", "f") is None
    assert cache.put(SHOP, "f")
    assert cache.get("shop", "f") == SHOP
    assert cache.get("shop", "g") is None
    assert cache.get("shop2", "f") is None


def test_the_index_belongs_to_exactly_its_catalogue(cache: CatalogueCache) -> None:
    cache.put(SHOP, "f")
    assert cache.index(SHOP) == index_of(SHOP)
    other = catalogue("shop", [listed("sell", "Sell it.")])
    assert cache.index(other) is None


def test_servers_whose_names_differ_only_in_signs_do_not_meet(cache: CatalogueCache) -> None:
    names = ["a/b", "a\\b", "a:b", "../a", "\ud800", "", "n" * 300]
    for name in names:
        assert cache.put(catalogue(name, [listed(f"t{len(name)}")]), name)
    assert [cache.get(name, name) is not None for name in names] == [True] * len(names)
    assert {os.path.dirname(cache.path_of(name)) for name in names} == {cache.folder}


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b'{"fingerprint": "f"}', b"[" * 9_000]
)
def test_a_damaged_file_is_as_good_as_none(cache: CatalogueCache, damage: bytes) -> None:
    cache.put(SHOP, "f")
    Path(cache.path_of("shop")).write_bytes(damage)
    Path(cache.path_of("shop", INDEX)).write_bytes(damage)
    assert cache.get("shop", "f") is None
    assert cache.index(SHOP) is None


def test_a_flipped_bit_in_an_index_is_noticed(cache: CatalogueCache) -> None:
    cache.put(SHOP, "f")
    path = Path(cache.path_of("shop", INDEX))
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    assert cache.index(SHOP) is None


def test_files_are_the_owners_alone(cache: CatalogueCache) -> None:
    cache.put(SHOP, "f")
    assert os.stat(cache.folder).st_mode & 0o777 == 0o700
    assert os.stat(cache.path_of("shop")).st_mode & 0o777 == 0o600


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not CatalogueCache(str(tmp_path / "file" / "x")).put(SHOP, "f")
