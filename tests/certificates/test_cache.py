"""The cache forgets before it grows."""

from __future__ import annotations

from analyzer.certificates.cache import BoundedCache


def test_the_oldest_entries_go_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(max_entries=2, max_weight=100)
    for number, letter in enumerate("abc"):
        assert cache.put(letter, number) == number
    assert [cache.get(letter) for letter in "abc"] == [None, 1, 2]


def test_weight_counts_too() -> None:
    cache: BoundedCache[str, int] = BoundedCache(max_entries=10, max_weight=100)
    cache.put("a", 1, 60)
    cache.put("b", 2, 60)
    assert (cache.get("a"), cache.get("b"), len(cache)) == (None, 2, 1)


def test_what_is_too_heavy_is_given_back_and_not_kept() -> None:
    cache: BoundedCache[str, int] = BoundedCache(max_entries=10, max_weight=100)
    cache.put("a", 1, 60)
    assert cache.put("b", 2, 101) == 2
    assert (cache.get("a"), cache.get("b")) == (1, None)


def test_the_first_of_two_with_one_key_stays() -> None:
    cache: BoundedCache[str, int] = BoundedCache(max_entries=10, max_weight=100)
    cache.put("a", 1)
    cache.put("a", 2)
    assert (cache.get("a"), len(cache)) == (1, 1)
