"""`mtlscope plan FILE`: the certificates that a topology needs, to read, as a table, or as request files."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import places
from analyzer.cli.main import say, show
from analyzer.cli.parser import Parser, one_of, place
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.topology.plan import Plan, PlannedCertificate

WIDTH = 100
LABEL = 11
TABLES = {"text": "to read", "csv": "one row a certificate; the SAN with spaces between the names"}
REQUESTS = {"openssl": "configuration files for `openssl req`", "certreq": "files for `certreq -new` (Windows)"}
COLUMNS = ("role", "usage", "servers", "issuer", "common_name", "san", "eku", "exportable", "note")


def run(words: list[str]) -> int:
    """Print the plan or write the files. Raise UsageError for a topology with mistakes."""
    kinds = TABLES | REQUESTS
    parser = Parser(prog="mtlscope plan", description=__doc__)
    parser.add_argument("file", type=place, metavar="FILE", help="the topology, see docs/topology.md")
    listed = "; ".join(f"{name}: {text}" for name, text in kinds.items())
    parser.add_argument("-T", default="text", type=one_of(kinds), metavar="FORMAT", help=listed)
    parser.add_argument(
        "-o",
        dest="output",
        type=place,
        metavar="PATH",
        help="write there: text and csv to a file, requests into a folder",
    )
    args = parser.parse_args(words)
    from analyzer.topology.plan import plan
    from analyzer.topology.reading import read_topology

    planned = plan(read_topology(args.file))
    for remark in planned.remarks:
        say(remark)
    if not planned.certificates:
        raise UsageError(f"{args.file}: no pool or host with a role that needs a certificate; see docs/topology.md")
    if args.T in REQUESTS:
        _write_requests(planned, args.T, args.output)
    else:
        _write_table(_TABLES[args.T](planned), args.output, args.file)
    return 0


def text(planned: Plan) -> str:
    """The plan to read."""
    count = len(planned.certificates)
    blocks = [f"{count} certificate{'' if count == 1 else 's'}\n"]
    for number, certificate in enumerate(planned.certificates, 1):
        lines = [f"{number}. {certificate.role}, {certificate.usage}"]
        for label, value in _facts(certificate):
            lines += textwrap.wrap(
                value,
                WIDTH,
                initial_indent=f"   {label:<{LABEL}}",
                subsequent_indent=" " * (LABEL + 3),
                break_long_words=False,
                break_on_hyphens=False,
            )
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _facts(certificate: PlannedCertificate) -> list[tuple[str, str]]:
    """Label and value of each line; a SAN has a line for each name."""
    facts = [
        ("for", ", ".join(certificate.servers)),
        ("issuer", f"{certificate.issuer} CA"),
        ("CN", certificate.common_name),
        *(("SAN" if name == certificate.names[0] else "", name) for name in certificate.names),
        ("EKU", ", ".join(certificate.eku)),
    ]
    return [*facts, ("note", certificate.note)] if certificate.note else facts


def table(planned: Plan) -> str:
    """The plan as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in planned.certificates:
        lists = [" ".join(one.servers), one.issuer, one.common_name, " ".join(one.names), " ".join(one.eku)]
        writer.writerow([one.role, one.usage, *lists, "yes" if one.exportable else "no", one.note])
    return out.getvalue()


_TABLES: dict[str, Callable[[Plan], str]] = {"text": text, "csv": table}


def _write_table(told: str, target: str | None, source: str) -> None:
    if target is None or target == "-":
        show(told)
        return
    if places.is_file(target) and Path(target).samefile(source):
        raise UsageError(f"-o {target} is the topology; choose another file")
    try:
        Path(target).write_text(told, encoding="ascii", newline="")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None


def _write_requests(planned: Plan, kind: str, folder: str | None) -> None:
    """All on standard output, or each in a file of the folder. A file that was changed by hand is never overwritten."""
    from analyzer.topology.requests import REQUEST_FORMATS

    files = REQUEST_FORMATS[kind].files(planned)
    if folder is None or folder == "-":
        comment = {"openssl": "#", "certreq": ";"}[kind]
        show("\n".join(f"{comment} {file.name}\n{file.text}" for file in files))
        return
    line_end = "\r\n" if kind == "certreq" else "\n"
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for file in files:
            path, data = Path(folder, file.name), file.text.replace("\n", line_end).encode("ascii")
            if places.is_there(path) and path.read_bytes() != data:
                raise UsageError(f"{path} is there already with other contents; choose another folder")
            path.write_bytes(data)
            show(f"{path}\n")
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror or error}") from None
