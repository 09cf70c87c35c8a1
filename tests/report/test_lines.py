"""Lines reach a sink whole, in time, and also when the run is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest

from analyzer.report import lines
from analyzer.report.lines import AT_ONCE, write_lines


class Sink(BytesIO):
    """Remembers what each write brought."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[bytes] = []

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.blocks.append(data)
        return len(data)


def test_a_few_at_a_time() -> None:
    sink = Sink()
    write_lines((b"%d\n" % place for place in range(2 * AT_ONCE + 1)), sink)
    assert [block.count(b"\n") for block in sink.blocks] == [AT_ONCE, AT_ONCE, 1]


def test_none_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10))
    monkeypatch.setattr(lines, "monotonic", lambda: next(clock))
    sink = Sink()
    write_lines([b"a\n", b"b\n"], sink)
    assert sink.blocks == [b"a\n", b"b\n"]


def test_interrupted() -> None:
    def some() -> Iterator[bytes]:
        yield b"a\n"
        raise KeyboardInterrupt

    sink = Sink()
    with pytest.raises(KeyboardInterrupt):
        write_lines(some(), sink)
    assert sink.blocks == [b"a\n"]


def test_nothing_to_write() -> None:
    sink = Sink()
    write_lines([], sink)
    assert sink.blocks == []
