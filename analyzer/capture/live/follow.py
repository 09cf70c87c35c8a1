"""Following a ring of files while it is written: the newest file as it grows, then the one that comes after it.

A file is known again by its inode and its first bytes, so that a name that is used again (tcpdump -W), a file that is cut
to nothing, and one that was deleted are told apart without a clock. Files that belong to no ring of that name are left alone.
"""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer import places
from analyzer.capture.inputs import WILDCARDS, looks_like_capture, missing
from analyzer.capture.live.relay import Relay
from analyzer.capture.rings import family
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

POLL = 0.5
"""Seconds between two looks at a file that does not grow."""
HEAD = 1024
"""First bytes of a file that tell it from another one: the time of the first packet is among them."""
STRANGE = ("",)
"""The family of all names that are no ring's."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file that was read or passed over, as it was then; `head`: digest of its first HEAD bytes, b"" if it was shorter."""

    inode: int
    size: int
    changed_ns: int
    head: bytes

    def is_still(self, path: str, status: os.stat_result) -> bool:
        """Is it that file, and not one that took its name or its place?"""
        if status.st_ino != self.inode:
            return False
        if (status.st_size, status.st_mtime_ns) == (self.size, self.changed_ns):
            return True
        return self.head != b"" and _digest(_head_of(path)) == self.head


class Ring:
    """The files of one ring, in the order in which they are written.

    Attributes:
        reading: path and inode of what is read now.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[str, Known] = {}
        self._family: tuple[str, ...] | None = None
        self.reading: tuple[str, int] | None = None

    def _newest(self) -> str | None:
        """The newest capture; older ones are passed over. None may be there yet."""
        found = self._files()
        at = next((at for at in reversed(range(len(found))) if looks_like_capture(found[at][0])), None)
        if at is None:
            return None
        newest = found[at][0]
        self._family = _family(newest)
        for path, status in found[:at]:
            self.leave(path, status)
        return newest

    def leave(self, path: str, status: os.stat_result) -> None:
        """It has been read, or is not to be."""
        head = _head_of(path)
        digest = _digest(head) if len(head) == HEAD else b""
        self._known[path] = Known(status.st_ino, status.st_size, status.st_mtime_ns, digest)

    def following(self) -> str | None:
        """The next file: neither known nor the one that is read now."""
        if self._family is None:
            return self._newest()
        found = self._files()
        for gone in self._known.keys() - {path for path, _ in found}:
            del self._known[gone]
        for path, status in found:
            known = self._known.get(path)
            if not status.st_size or (path, status.st_ino) == self.reading:
                continue
            if known is None or not known.is_still(path, status):
                return path
        return None

    def _files(self) -> list[tuple[str, os.stat_result]]:
        """All files of the ring, the one that was written last at the end."""
        found: list[tuple[str, os.stat_result]] = []
        for path in self._names():
            if self._family is not None and _family(path) != self._family:
                continue
            try:
                status = Path(path).stat()
            except OSError:
                continue  # deleted meanwhile
            if stat.S_ISREG(status.st_mode):
                found.append((path, status))
        return sorted(found, key=lambda file: (file[1].st_mtime_ns, _natural(file[0])))

    def _names(self) -> list[str]:
        path = self._path
        if not places.is_folder(path):
            if not places.is_there(path) and any(sign in path for sign in WILDCARDS):
                return glob.glob(path)  # noqa: PTH207 - Path would change what the user wrote
            path = os.path.dirname(path)  # noqa: PTH120 - as above
        try:
            return [os.path.join(path, name) for name in os.listdir(path or ".")]  # noqa: PTH118, PTH208 - as above
        except OSError:
            return []  # the folder is gone; it may come again


class Growing(io.RawIOBase):
    """One file of a ring as a stream: waits for more until another file has begun, or the file is no longer what it was."""

    def __init__(self, ring: Ring, path: str, stopping: threading.Event) -> None:
        self._ring, self._path, self._stopping = ring, path, stopping
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed in `close`
        ring.reading = (path, os.fstat(self._file.fileno()).st_ino)
        self._head = b""
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: WriteableBuffer) -> int:
        """What is there now; 0 only when nothing more can come."""
        last = False
        while True:
            got = self._file.readinto(target) or 0
            if not self._is_the_same():
                return 0
            self._at += got
            if got or last or self._stopping.is_set():
                return got
            if self._ring.following() is not None:
                last = True  # what was written before the other file began may have come since we looked
            self._stopping.wait(POLL)

    def _is_the_same(self) -> bool:
        """Neither cut nor written anew from its beginning."""
        if os.fstat(self._file.fileno()).st_size < self._at:
            return False
        place = self._file.tell()
        self._file.seek(0)
        head = self._file.read(HEAD) or b""
        self._file.seek(place)
        same = head.startswith(self._head)
        if same:
            self._head = head
        return same

    def close(self) -> None:
        """Remember it as read, as it is now; one that was written anew is a file that comes next."""
        if self.closed:
            return
        super().close()
        self._ring.reading = None
        status = os.fstat(self._file.fileno())
        if status.st_size >= self._at and self._is_the_same():
            self._ring.leave(self._path, status)
        self._file.close()


def _family(path: str) -> tuple[str, ...]:
    found = family(path)
    return found if len(found) > 1 else STRANGE


def _natural(path: str) -> list[tuple[int, str]]:
    """Sorts lab.pcap10 behind lab.pcap2."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path)]


def _head_of(path: str) -> bytes:
    try:
        with Path(path).open("rb", buffering=0) as file:
            return file.read(HEAD) or b""
    except OSError:
        return b""


def _digest(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=16).digest()


def follow(path: str) -> tuple[Relay, str | None]:
    """The packets of a ring, and its newest file if there is one.

    Raise UsageError if there is no such place, or it may not be read.
    """
    if not places.is_there(path) and not any(sign in path for sign in WILDCARDS):
        raise UsageError(missing(path))
    if places.is_folder(path):
        try:
            os.scandir(path).close()
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    ring = Ring(path)
    first = ring.following()

    def files(stopping: threading.Event) -> Iterator[tuple[str, BinaryIO]]:
        ready = first
        while not stopping.is_set():
            if ready is None:
                stopping.wait(POLL)
            else:
                yield from _one(ring, ready, stopping)
            ready = ring.following()

    return Relay(path, files, lenient=True), first


def _one(ring: Ring, path: str, stopping: threading.Event) -> Iterator[tuple[str, BinaryIO]]:
    try:
        stream = Growing(ring, path, stopping)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from None
    with stream:
        yield path, cast(BinaryIO, stream)
