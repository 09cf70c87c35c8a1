"""A reader of DER that forgives: BER lengths are read too, and what is odd is noted, once each.

Source: ITU-T X.690. No recursion, every loop moves forward, nothing is copied but what is asked for.
"""

from __future__ import annotations

import re
from functools import lru_cache

from analyzer.errors import ParseError

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
BOOLEAN, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 0x01, 0x30, 0x31, 0x17, 0x18

_PADDED_ARC = re.compile(rb"[\x00-\x7f]\x80")

MAX_OID = 128  # bytes; ours: a longer one is shown as hex, so its arcs never become huge decimal numbers

Element = tuple[int, int, int, int]
"""Tag octet, offset of the tag, offset of the content, offset behind the content."""


class Der:
    """One buffer of DER and what is odd in it.

    Attributes:
        data: the whole buffer; offsets of elements count in it.
        notes: what is odd so far, in order of appearance (a dict used as an ordered set).
    """

    __slots__ = ("data", "notes")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.notes: dict[str, None] = {}

    def note(self, oddity: str) -> None:
        """Remember what is odd; the same words twice count once."""
        self.notes[oddity] = None

    def element(self, at: int, end: int, clip: bool = False) -> Element:
        """The element that starts at `at` and must end by `end`.

        With `clip` an announced length that runs past `end` is noted and cut; otherwise it raises ParseError.
        """
        start = at + 2
        if start > end:
            raise ParseError(f"DER: {end - at} bytes left where an element should start", at)
        data = self.data
        tag, length = data[at], data[at + 1]
        if tag & 0x1F == 0x1F:
            start = self._long_tag(at + 1, end)
            length = data[start - 1]
        if length >= 0x80:
            if length == 0x80:
                return tag, at, start, self._end_of_contents(start, end)
            start, length = self._long_length(start, length & 0x7F, end)
        stop = start + length
        if stop > end:
            if not clip:
                raise ParseError(f"DER: an element claims {min(length, 2**32):,} bytes, {end - start:,} are there", at)
            self.note("cut short: a length runs past the end")
            stop = end
        return tag, at, start, stop

    def children(self, parent: Element, clip: bool = False) -> list[Element]:
        """The elements inside `parent`. Trouble is noted and ends the list."""
        at, end = parent[2], parent[3]
        found: list[Element] = []
        element = self.element
        while at < end:
            try:
                child = element(at, end, clip)
            except ParseError as trouble:
                self.note(trouble.reason)
                break
            found.append(child)
            at = child[3]
            if child[1] + 2 <= end and self.data[child[1] + 1] == 0x80:
                at = min(end, at + 2)  # behind the end-of-contents octets
        return found

    def content(self, element: Element) -> bytes:
        """The content octets."""
        return self.data[element[2] : element[3]]

    def whole(self, element: Element) -> bytes:
        """Tag, length and content."""
        return self.data[element[1] : element[3]]

    def _long_tag(self, at: int, end: int) -> int:
        """Skip a tag number of several octets and the length octet; offset behind that one."""
        data = self.data
        while at < end and data[at] & 0x80:
            at += 1
        if at + 2 > end:
            raise ParseError("DER: a tag runs past the end", at)
        return at + 2

    def _long_length(self, start: int, size: int, end: int) -> tuple[int, int]:
        if start + size > end:
            raise ParseError("DER: a length runs past the end", start)
        octets = self.data[start : start + size]
        length = int.from_bytes(octets)
        if length < 0x80 or octets[0] == 0:
            self.note("length not in its shortest form")
        return start + size, length

    def _end_of_contents(self, start: int, end: int) -> int:
        """Offset of the end-of-contents octets that close an indefinite length (BER)."""
        self.note("indefinite length")
        data, at, depth = self.data, start, 1
        while at + 2 <= end:
            if data[at] == 0 and data[at + 1] == 0:
                depth -= 1
                if depth == 0:
                    return at
                at += 2
            elif data[at] & 0x1F == 0x1F:
                break  # a tag of several octets inside BER: nobody sends that in a certificate
            elif data[at + 1] == 0x80:
                depth += 1
                at += 2
            else:
                try:
                    at = self.element(at, end)[3]
                except ParseError:
                    break
        self.note("cut short: an indefinite length has no end")
        return end


def oid_text(content: bytes) -> str:
    """ "2.5.4.3" from the content octets of an OBJECT IDENTIFIER; "#" and hex if they are none."""
    return _oid_text(content) if len(content) <= MAX_OID else "#" + content.hex()


@lru_cache(maxsize=2048)
def _oid_text(content: bytes) -> str:
    if not content or content[-1] & 0x80:
        return "#" + content.hex()
    arcs: list[int] = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - first * 40, *arcs[1:])))


def is_shortest_oid(content: bytes) -> bool:
    """X.690 section 8.19.2: no arc starts with the octet 0x80, the last one ends."""
    return bool(content) and content[0] != 0x80 and content[-1] < 0x80 and not _PADDED_ARC.search(content)


def integer_hex(content: bytes) -> str | None:
    """An INTEGER's content in lower hex without leading zeros, "-" in front if negative; None if empty.

    Hex and not decimal: a decimal number of more than 4,300 digits is refused by Python itself.
    """
    return f"{int.from_bytes(content, signed=True):x}" if content else None


def is_shortest_integer(content: bytes) -> bool:
    """X.690 section 8.3.2: the first nine bits are neither all zero nor all one."""
    return len(content) == 1 or (
        len(content) > 1
        and not ((content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80))
    )
