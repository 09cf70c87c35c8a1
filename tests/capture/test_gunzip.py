"""Gzip: any slices, several members, and every byte before damage is given."""

from __future__ import annotations

import gzip
import io
import random
import re
import zlib
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.capture import gunzip
from analyzer.capture.gunzip import Gunzip
from analyzer.errors import CaptureError
from tests.capture.reading import Pipe


def unpack(raw: bytes, *, piece: int = 1 << 20, room: int = 1000) -> tuple[bytes, str | None]:
    """What came out, and how it ended."""
    out, target = b"", bytearray(room)
    stream = Gunzip(cast(BinaryIO, Pipe(raw, piece)))
    try:
        while got := stream.readinto(target):
            out += target[:got]
    except CaptureError as error:
        with pytest.raises(CaptureError, match=re.escape(str(error))):
            stream.readinto(target)  # who reads ahead meets it first
        return out, str(error)
    assert stream.packed_position == len(raw)
    return out, None


@settings(max_examples=60)
@given(
    members=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    piece=st.integers(1, 50),
    room=st.integers(1, 400),
)
def test_slices_and_members_do_not_matter(members: list[bytes], piece: int, room: int) -> None:
    raw = b"".join(gzip.compress(member) for member in members)
    assert unpack(raw, piece=piece, room=room) == (b"".join(members), None)


@pytest.mark.parametrize(
    ("raw", "out", "error"),
    [
        pytest.param(gzip.compress(b"x") + bytes(600), b"x", None, id="padding after the last member"),
        pytest.param(gzip.compress(b"x")[:-1], b"x", "the gzip stream is cut after 20 bytes", id="cut in the trailer"),
        pytest.param(gzip.compress(b"x")[:12], b"x", "the gzip stream is cut after 12 bytes", id="cut before the data's end"),
        pytest.param(gzip.compress(b"x") + b"junk", b"x", "byte 21 is neither the end", id="something after the last member"),
        pytest.param(gzip.compress(b"x") + b"\x1f\x8b\x09" + bytes(9), b"x", "damaged at byte 24 or before it: unknown",
                     id="a bad second member"),
        pytest.param(gzip.compress(b"x")[:-8] + b"00000000", b"x", "at byte 16 or before it: incorrect data check",
                     id="wrong checksum"),
        pytest.param(b"\x1f\x8b\x08\x00" + bytes(6) + b"\xff\xff", b"", "damaged at byte 10 or before it: invalid block type",
                     id="garbage"),
    ],
)  # fmt: skip
def test_damage(raw: bytes, out: bytes, error: str | None) -> None:
    got, said = unpack(raw, piece=4)
    assert got == out[: len(got)]
    assert (said is None) == (error is None)
    assert (error or "") in (said or "")


def test_what_came_before_a_cut_is_given() -> None:
    data = bytes(range(256)) * 400
    whole = gzip.compress(data, 1)
    got, error = unpack(whole[: len(whole) // 2])
    assert error is not None
    assert data.startswith(got)
    assert len(got) > len(data) // 4


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gunzip, "RATIO_FROM", 1_000_000)
    packer = zlib.compressobj(9, wbits=31)
    raw = packer.compress(bytes(4_000_000)) + packer.flush()
    got, error = unpack(raw, piece=1000, room=100_000)
    assert error is not None
    assert "unpacks to more than 1,000 times its size" in error
    assert len(got) < 4_000_000


@settings(max_examples=100)
@given(raw=st.binary(max_size=100), piece=st.integers(1, 20))
def test_any_bytes_end_in_bytes_or_a_capture_error(raw: bytes, piece: int) -> None:
    unpack(b"\x1f\x8b\x08" + raw, piece=piece)


def test_closing_closes_the_file() -> None:
    file = io.BytesIO(gzip.compress(b"x"))
    Gunzip(file).close()
    assert file.closed


@pytest.mark.parametrize("room", [100, 1_000, 1 << 20])
@pytest.mark.parametrize("at", [20, 3_000, 6_000, -8])
def test_every_byte_before_the_damage_is_given_in_pieces_of_any_size(at: int, room: int) -> None:
    whole = bytearray(gzip.compress(bytes(range(256)) * 40 + random.Random(1).randbytes(6_000), 9))
    whole[at] ^= 0xFF
    one_by_one, error = unpack(bytes(whole), piece=1, room=1)
    assert error is not None
    assert unpack(bytes(whole), room=room) == (one_by_one, error)  # the place, too
    assert len(one_by_one) == 16_240 or at > 0
