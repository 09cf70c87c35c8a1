"""Standard input: what is there comes at once, and what comes in a row comes together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.capture.pipes import Gathering


def test_what_is_there_is_given_although_the_pipe_is_open() -> None:
    out, into = os.pipe()
    with os.fdopen(out, "rb", buffering=0) as reader, os.fdopen(into, "wb", buffering=0) as writer:
        stream, target = Gathering(cast(BinaryIO, reader)), bytearray(1000)
        writer.write(b"abc")
        assert stream.readinto(target) == 3
        writer.write(b"defg")
        writer.close()
        assert (stream.readinto(target), bytes(target[:4])) == (4, b"defg")
        assert stream.readinto(target) == 0


def test_a_fast_writer_fills_the_whole_buffer(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(300_000))
    with path.open("rb", buffering=0) as file:
        assert Gathering(cast(BinaryIO, file)).readinto(bytearray(200_000)) == 200_000


class InPieces:
    """Neither a file nor a socket, as a console of Windows."""

    def readinto(self, target: memoryview) -> int:
        target[:2] = b"xy"
        return 2


def test_what_cannot_be_waited_for_is_given_in_its_own_pieces() -> None:
    assert Gathering(cast(BinaryIO, InPieces())).readinto(bytearray(9)) == 2
