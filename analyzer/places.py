"""What there is at a path, asked without raising: where it may not be looked at, nothing is there.

`Path.exists` and its like raise up to Python 3.13 for a folder that may not be entered, and for a name that is too long. What
is done with the path next raises as well, and its caller says then why it cannot be.
"""

from __future__ import annotations

import os
from pathlib import Path


def is_there(path: str | Path) -> bool:
    """Anything at all; a link must lead to something."""
    return os.path.exists(path)  # noqa: PTH110 - see above


def is_file(path: str | Path) -> bool:
    """A file with bytes of its own: no folder, no pipe, no device."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: str | Path) -> bool:
    """A folder, or a link to one."""
    return os.path.isdir(path)  # noqa: PTH112 - see above
