"""What all tests share: golden files (`pytest --update-golden` writes them anew; then read the diff)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"
_NO_SETTINGS = tempfile.TemporaryDirectory(prefix="mtlscope-tests-", ignore_cleanup_errors=True)
# The settings of whoever runs the tests are not ours; browsers write there.
os.environ["XDG_CONFIG_HOME"] = _NO_SETTINGS.name
settings.register_profile("mtlscope", deadline=None)  # a timing is a benchmark, never a test
settings.load_profile("mtlscope")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of `make golden`."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/NAME, or write that file."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.exists(), f"{path} is missing: pytest --update-golden writes it"
        assert text == path.read_text(encoding="utf-8")

    return compare
