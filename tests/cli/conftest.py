"""Fixtures of the command-line tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.commands import Shell


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[Any]) -> Shell:
    """Runs a command in this process."""
    return Shell(capfd)


@pytest.fixture
def heeds_control_c() -> Iterator[None]:
    """SIGINT interrupts this process and what it starts; where tests run in the background it may be ignored. A test that
    fails, or ends in between, leaves no handler behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
