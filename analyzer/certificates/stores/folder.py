"""A folder of certificate files, with its subfolders: all files in it, by name."""

from __future__ import annotations

import os
from pathlib import Path

MAX_FILES = 20_000
"""Ours: a folder with more is no trust store; the first ones by name are read."""


def files_in(folder: str) -> list[str]:
    """Paths of the ordinary files below the folder, relative to it, sorted; what begins with a dot is passed over.

    Links to files are followed, as in /etc/ssl/certs; links to folders are not.
    """
    found: list[str] = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root) / name
            if not name.startswith(".") and path.is_file():
                found.append(str(path.relative_to(folder)))
        if len(found) >= MAX_FILES:
            break
    return sorted(found)[:MAX_FILES]
