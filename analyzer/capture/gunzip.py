"""Gzip-compressed captures, unpacked while they are read: constant memory, whatever the file unpacks to."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

from analyzer.errors import CaptureError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"\x1f\x8b"
PIECE = 256 * 1024  # packed bytes read at once
MAX_RATIO = 1_000
"""Unpacked to packed bytes. Deflate cannot exceed 1,032, and no capture of traffic comes near: such a file is a bomb."""
RATIO_FROM = 64 * 1024 * 1024  # unpacked bytes before the ratio is looked at


class Gunzip(io.RawIOBase):
    """The unpacked bytes of a gzip stream of one or more members. Zero bytes after the last member are padding.

    `readinto` gives every byte before the damage, and raises CaptureError at it.

    Attributes:
        packed_position: compressed bytes consumed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._member = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._between = False
        self._unpacked = 0
        self._damage: CaptureError | None = None
        self.packed_position = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()

    def readinto(self, target: WriteableBuffer) -> int:
        """Fill some of `target`; 0 at the end. Raise CaptureError, each time, where the compressed bytes are damaged or cut."""
        if self._damage is not None:
            raise self._damage
        with memoryview(target).cast("B") as view:
            if not len(view):
                return 0
            while True:
                if not self._packed and not self._fetch():
                    return 0
                if self._between and not self._next_member():
                    continue
                data = self._unpack(len(view))
                if data:
                    view[: len(data)] = data
                    return len(data)

    def _fetch(self) -> bool:
        """More packed bytes. False at a clean end."""
        self._packed = self._stream.read(PIECE) or b""
        self.packed_position += len(self._packed)
        if self._packed:
            return True
        if self._between:
            return False
        raise CaptureError(f"the gzip stream is cut after {self.packed_position:,} bytes")

    def _next_member(self) -> bool:
        self._packed = self._packed.lstrip(b"\0")
        if not self._packed:
            return False
        if not MAGIC.startswith(self._packed[:2]):
            at = self.packed_position - len(self._packed)
            raise CaptureError(f"byte {at:,} is neither the end of the gzip stream nor another member")
        self._member, self._between = zlib.decompressobj(wbits=31), False
        return True

    def _unpack(self, room: int) -> bytes:
        before = self._member.copy()
        try:
            data = self._member.decompress(self._packed, room)
        except zlib.error as error:
            data = self._salvage(before, room, str(error).rpartition(": ")[2])  # zlib puts its own number before it
            if self._damage is not None and not data:
                raise self._damage from None
            return data
        self._packed = self._member.unconsumed_tail
        if self._member.eof:
            self._packed, self._between = self._member.unused_data, True
        self._unpacked += len(data)
        if self._unpacked > RATIO_FROM and self._unpacked > MAX_RATIO * self.packed_position:
            said = f"unpacks to more than {MAX_RATIO:,} times its size; unpack it with gunzip if that is right"
            self._damage = CaptureError(said)
            raise self._damage
        return data

    def _salvage(self, member: zlib._Decompress, room: int, why: str) -> bytes:
        """What comes before the damage in the piece at hand, byte by byte: zlib drops the output of a call that fails."""
        self._member = member
        out, at = bytearray(), 0
        for at in range(len(self._packed)):
            try:
                out += member.decompress(self._packed[at : at + 1], room - len(out))
            except zlib.error:
                break
            if len(out) == room:
                self._packed = member.unconsumed_tail + self._packed[at + 1 :]
                return bytes(out)
        # Bytes that were changed are often noticed later, sometimes only by the checksum.
        place = self.packed_position - len(self._packed) + at
        self._damage = CaptureError(f"the gzip stream is damaged at byte {place:,} or before it: {why}")
        return bytes(out)
