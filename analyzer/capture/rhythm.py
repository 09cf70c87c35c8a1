"""Record lengths come in rhythms: a bulk transfer is a run of one length, a handshake looks like the one before it.

`Rhythm` guesses the next lengths from the last ones, so that one look reads them all, at the places where they are if the guess
is right. A length read there is the file's own as long as all before it were guessed right: a wrong guess costs time only.
"""

from __future__ import annotations

from struct import Struct

RUN = 32
"""Lengths guessed at once."""
TAIL = 3
"""A guess is made from so many lengths."""
MAX_GUESSES = 1_024
"""Guesses remembered; then all are forgotten."""

Lengths = tuple[int, ...]


class Guess:
    """What may come next.

    Attributes:
        lengths: of the records. read: reads as many, at the places where they are if the guess is right.
        reach: bytes from the first length to the last one.
    """

    __slots__ = ("lengths", "reach", "read")

    def __init__(self, lengths: Lengths, header: int, order: str) -> None:
        self.lengths = lengths
        self.reach = sum(lengths[:-1]) + header * (len(lengths) - 1)
        self.read = Struct(f"{order}I" + "".join(f"{length + header - 4}xI" for length in lengths[:-1])).unpack_from

    def agreeing(self, lengths: Lengths) -> int:
        """How many of the first lengths are as guessed."""
        count = 0
        for length, guessed in zip(lengths, self.lengths, strict=True):
            if length != guessed:
                break
            count += 1
        return count


class Rhythm:
    """The memory of one file, whose record headers have `header` bytes; `order` is struct's character for its byte order."""

    def __init__(self, header: int, order: str) -> None:
        self._header, self._order = header, order
        self._guesses: dict[Lengths, Guess] = {}
        self._once: dict[Lengths, Lengths] = {}

    def after(self, tail: Lengths) -> Guess | None:
        """What may come behind these last lengths; None if nothing is known yet."""
        guess = self._guesses.get(tail)
        if guess is None and tail.count(tail[0] if tail else 0) == TAIL:
            guess = self._keep(tail, tail[:1] * RUN)
        return guess

    def learn(self, tail: Lengths, lengths: Lengths) -> None:
        """These lengths came behind that tail, for which there was no guess. What came twice is expected again."""
        if len(tail) < TAIL or len(lengths) < RUN or tail in self._guesses:
            return
        if self._once.get(tail) == lengths:
            self._keep(tail, lengths)
        if len(self._once) >= MAX_GUESSES:
            self._once.clear()
        self._once[tail] = lengths

    def _keep(self, tail: Lengths, lengths: Lengths) -> Guess:
        if len(self._guesses) >= MAX_GUESSES:
            self._guesses.clear()
        guess = self._guesses[tail] = Guess(lengths, self._header, self._order)
        return guess
