"""Running the command line inside the test process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from analyzer.__main__ import main


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


class Shell:
    """`shell("rules")` runs a command; stdout and stderr are captured."""

    def __init__(self, capture: pytest.CaptureFixture[Any]) -> None:
        self._capture = capture

    def __call__(self, *words: str) -> Done:
        self._capture.readouterr()
        code = main(list(words))
        said = self._capture.readouterr()
        return Done(int(code), said.out, said.err)
