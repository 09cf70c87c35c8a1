"""Giving up rights, in a process of its own. That no thread of a live run has any: tests/cli/live/test_command.py."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux")

TRY = """
import sys, threading
from analyzer.capture.live.privileges import drop
over = threading.Event()
threads = [threading.Thread(target=over.wait) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
print(drop())
over.set()
"""


@pytest.mark.parametrize(
    ("others", "said"),
    [
        pytest.param(0, "None", id="the only thread"),
        pytest.param(2, "2 other threads keep theirs", id="threads that were there before keep what they have"),
    ],
)
def test_rights_are_given_up_by_one_thread(others: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", TRY, str(others)], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (said, "")
