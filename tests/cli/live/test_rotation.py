"""Sizes and times of --rotate, names of files put away, and which of them are removed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from analyzer.cli.live.rotation import SECOND_NS, Limit, Rotation, limit, old_files, put_away, remove_old

HOUR, DAY = 3600, 86_400
NOON = 1_795_262_400  # 2026-11-21 12:00 UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("100MB", Limit(bytes=100_000_000), id="bytes as people count them"),
        pytest.param("2GiB", Limit(bytes=2**31), id="bytes as machines count them"),
        pytest.param("64kb", Limit(bytes=64_000), id="in small letters"),
        pytest.param("15m", Limit(seconds=900), id="m is minutes, for megabytes have a B"),
        pytest.param("1h", Limit(seconds=HOUR), id="hours"),
        pytest.param("7d", Limit(seconds=7 * DAY), id="days"),
    ],
)
def test_a_limit(text: str, expected: Limit) -> None:
    assert limit(text) == expected


@pytest.mark.parametrize("text", ["", "100", "0h", "-1h", "1x", "1.5h", "hourly", "9999999999d", "١h"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected e\.g\. 100MB"):
        limit(text)


@pytest.mark.parametrize(
    ("limits", "size", "begun", "now", "due"),
    [
        pytest.param([], 10**12, 0, NOON, False, id="no limit"),
        pytest.param(["1kB"], 999, NOON, NOON, False, id="not full"),
        pytest.param(["1kB"], 1000, NOON, NOON, True, id="full"),
        pytest.param(["1GB", "1kB"], 1000, NOON, NOON, True, id="the smaller one of two sizes"),
        pytest.param(["1GB", "1h"], 1, NOON, NOON + HOUR, True, id="whichever comes first"),
        pytest.param(["1h"], 1, NOON, NOON + HOUR - 1, False, id="the hour goes on"),
        pytest.param(["1h"], 1, NOON - 1, NOON, True, id="a full hour, however young the file is"),
        pytest.param(["1d"], 1, NOON, NOON + DAY // 2, True, id="a day ends at midnight, UTC"),
        pytest.param(["1h"], 0, NOON, NOON + HOUR, False, id="an empty file is left"),
        pytest.param(["1h"], 1, NOON, NOON - 1, False, id="the clock was set back a little"),
        pytest.param(["1h"], 1, NOON, NOON - DAY, True, id="the clock was set back by a day"),
    ],
)
def test_when_a_file_is_put_away(limits: list[str], size: int, begun: int, now: int, due: bool) -> None:
    rotation = Rotation.of([limit(text) for text in limits], None)
    assert rotation.due(size, rotation.period(begun * SECOND_NS), now * SECOND_NS) is due


def test_names_say_when_and_are_never_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    names = []
    for _ in range(11):
        target = put_away(path, NOON * SECOND_NS)
        target.touch()
        names.append(target.name)
    assert names[:2] == ["out-20261121T120000Z.jsonl", "out-20261121T120000Z-1.jsonl"]
    later = put_away(path, (NOON + 1) * SECOND_NS)
    later.touch()
    assert [file.name for file in old_files(path)] == [*names, later.name]


def test_the_oldest_are_removed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    others = [
        "out.jsonl",
        "out-put.jsonl",
        "out-20261121T120000Z.json",
        "about-20261121T120000Z.jsonl",
        "out-2026.jsonl",
    ]
    ours = [f"out-2026112{day}T000000Z.jsonl" for day in range(5)]
    for name in (*others, *ours):
        (tmp_path / name).touch()
    remove_old(path, None)
    assert len(old_files(path)) == 5
    remove_old(path, 2)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*others, *ours[-2:]])
    remove_old(path, 2)
    assert len(old_files(path)) == 2
