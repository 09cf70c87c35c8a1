"""Sizes as people write them."""

from __future__ import annotations

import pytest

from analyzer.cli.live.evidence import size


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1GiB", 1 << 30),
        ("500MiB", 500 << 20),
        ("500MB", 500 << 20),
        ("2G", 2 << 30),
        ("1T", 1 << 40),
        ("4096KiB", 4 << 20),
        ("5000000", 5_000_000),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count
