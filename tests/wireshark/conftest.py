"""Fixtures of the tests of the bridge to Wireshark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.commands import Shell


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[Any]) -> Shell:
    """Runs a command in this process."""
    return Shell(capfd)
