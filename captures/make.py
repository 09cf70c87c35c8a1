"""Make the captures anew: `python -m captures.make [NAME ...]` as root, from the root of the repository.

Without names all are made. `--list` shows them; `--notes` only writes the .toml files anew (no root needed).
"""

from __future__ import annotations

import argparse
import datetime as dt
import fnmatch
import importlib
import pkgutil
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from captures.makers import cases
from captures.makers.case import CASES, Case, notes_in, read_head, stem, toml, topology_name
from captures.makers.hosts import LabError
from captures.makers.lab import Lab, version
from captures.makers.pki import Pki
from captures.makers.table import renew

HERE = Path(__file__).parent


def load_cases() -> None:
    """Import every module of makers/cases; each registers its cases."""
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")


def make(case: Case, pki: Pki, folder: Path, into: Path) -> None:
    """Make one capture and its .toml; nothing is replaced unless the case worked."""
    folder.mkdir(parents=True)
    made = folder / Path(case.name).name
    lab = Lab(pki, made, folder, case.wires)
    try:
        case.make(lab)
    finally:
        lab.close()
    size = place(made, into / case.name)
    write_notes(case, into, [version(stack) for stack in case.stacks], dt.datetime.now(dt.UTC).date().isoformat())
    print(f"{case.name}: {size:,} bytes")


def place(made: Path, target: Path) -> int:
    """Put a capture, or the folder of a ring, where it belongs; return its bytes."""
    if not made.is_dir():
        target.parent.mkdir(exist_ok=True)
        return target.write_bytes(made.read_bytes())
    target.mkdir(exist_ok=True)
    for old in target.glob("*.pcap"):
        old.unlink()
    return sum((target / path.name).write_bytes(path.read_bytes()) for path in sorted(made.iterdir()))


def notes_path(case: Case, into: Path) -> Path:
    """The .toml beside a capture, or in the folder of a ring."""
    target = into / case.name
    return target / f"{target.name}.toml" if target.is_dir() else target.with_name(f"{stem(case.name)}.toml")


def write_notes(case: Case, into: Path, stacks: list[str], made: str) -> None:
    """Write the .toml, and the topology beside it if there is one."""
    notes = notes_path(case, into)
    notes.write_text(toml(case, stacks, made), encoding="utf-8")
    if case.topology:
        notes.with_name(topology_name(case)).write_text(case.topology, encoding="utf-8")


def renew_notes(case: Case, into: Path) -> None:
    """Write the .toml anew, with the stacks and the day that are in it."""
    path = notes_path(case, into)
    if not path.exists():
        return
    head = read_head(path)
    write_notes(case, into, head["stacks"], head["made"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="cases or patterns; all if there are none")
    parser.add_argument("--list", action="store_true", help="show the cases")
    parser.add_argument("--notes", action="store_true", help="write the .toml files only")
    parser.add_argument("--keep", action="store_true", help="keep the work folder with keys and logs")
    parser.add_argument("--into", type=Path, default=HERE, metavar="FOLDER", help="write there instead of captures/")
    options = parser.parse_args()
    load_cases()
    chosen = [
        item
        for stem, item in CASES.items()
        if not options.names or any(fnmatch.fnmatch(stem, n) for n in options.names)
    ]
    if options.list:
        for item in chosen:
            print(f"{item.name:45} {item.title}")
        return 0
    if options.notes:
        for item in chosen:
            renew_notes(item, options.into)
    broken = 0 if options.notes else make_all(chosen, options.into, options.keep)
    if options.into == HERE:
        renew(HERE / "README.md", notes_in(HERE))
    return broken


def make_all(chosen: list[Case], into: Path, keep: bool) -> int:
    """Make them one after another; a failure is told and the rest goes on."""
    broken = []
    work = Path(tempfile.mkdtemp(prefix="mtlscope-captures-"))
    pki = Pki(work / "pki")
    for case in chosen:
        try:
            make(case, pki, work / case.name, into)
        except (LabError, OSError, ValueError):
            traceback.print_exc()
            broken.append(case.name)
    if not keep and not broken:
        shutil.rmtree(work)
    else:
        print(f"keys and logs: {work}", file=sys.stderr)
    if broken:
        print(f"not made: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
