"""`python -m tests.store.writing FILE FIRST`: writes handshakes into a store until it is killed, and says how far it is."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from tests.store.stores import begin, handshake


def main(path: str, first: str) -> None:
    """One to four connections a tick. A line tells the last one that is safe."""
    tap = begin(Path(path))
    for number in count(int(first)):
        tap.see(handshake(number))
        if number % 5 % 3 == 0:
            tap.tick(number)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
