"""Record lengths come in rhythms: a bulk transfer is a run of one length, a handshake looks like the one before it.

`Rhythm` guesses the next lengths from the last ones, so that one look reads them all, at the places where they are if the guess
is right. A length read there is the file's own as long as all before it were guessed right: a wrong guess costs time only.
"""

from __future__ import annotations

from struct import Struct

import numpy as np

RUN = 64
"""Lengths guessed at once."""
TAIL = 3
"""A guess is made from so many lengths, and from the place in a run if they are all the same."""
MAX_GUESSES = 1_024
"""Guesses remembered; then all are forgotten."""

Lengths = tuple[int, ...]


class Guess:
    """What may come next.

    Attributes:
        lengths: of the records. array: the same. read: reads as many, at the places where they are if the guess is right.
        reach: bytes from the first length to the last one. span: to the one behind them.
    """

    __slots__ = ("array", "lengths", "reach", "read", "span")

    def __init__(self, lengths: Lengths, header: int, order: str) -> None:
        self.lengths = lengths
        self.array = np.array(lengths, np.int64)
        self.span = sum(lengths) + header * len(lengths)
        self.reach = self.span - lengths[-1] - header
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

    def after(self, context: Lengths) -> Guess | None:
        """What may come there; None if nothing is known yet. A long run goes on."""
        guess = self._guesses.get(context)
        if guess is None and context[TAIL:] == (RUN,):
            guess = self._keep(context, context[:1] * RUN)
        return guess

    def learn(self, context: Lengths, lengths: Lengths) -> None:
        """These lengths came there, where there was no guess. What came twice is expected again."""
        if len(context) < TAIL or len(lengths) < RUN or context in self._guesses:
            return
        if self._once.get(context) == lengths:
            self._keep(context, lengths)
        if len(self._once) >= MAX_GUESSES:
            self._once.clear()
        self._once[context] = lengths

    def _keep(self, context: Lengths, lengths: Lengths) -> Guess:
        if len(self._guesses) >= MAX_GUESSES:
            self._guesses.clear()
        guess = self._guesses[context] = Guess(lengths, self._header, self._order)
        return guess


def context_of(found: Lengths) -> Lengths:
    """What the next guess is made from: the last lengths; in a run of one length also the place in it, and what was before.

    `found`: the last RUN of them, as far as there are so many.
    """
    tail = found[-TAIL:]
    if len(tail) < TAIL or tail.count(tail[0]) < TAIL:
        return tail
    length, run, most = tail[0], TAIL, min(RUN, len(found))
    while run < most and found[-1 - run] == length:
        run += 1
    before = length if run == most else found[-1 - run]
    return (length, length, before, run)
