"""`mtlscope [analyze] PATH...`: read captures, report what they show."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING

from analyzer import places
from analyzer.cli import annotated
from analyzer.cli.main import COMMANDS, Exit, say
from analyzer.cli.parser import Once, Parser, add_color, at_least_one, number, one_of, place
from analyzer.cli.writing import open_output, wanted_output
from analyzer.errors import UsageError
from analyzer.report import outputs

if TYPE_CHECKING:
    from analyzer.connection import Connection
    from analyzer.findings import Verdict
    from analyzer.judgement.stores import Trust
    from analyzer.pipeline import Options, Run
    from analyzer.report.output import Item
    from analyzer.report.repro import Repro
    from analyzer.selection import Selection
    from analyzer.topology.model import Topology

FAIL_ON = {"error": 0, "warning": 1, "note": 2, "never": -1}
"""--fail-on -> worst severity rank that makes the exit code 1."""
SHOWN_COMMANDS = 25
"""Lines of --repro that are shown; all are in its file."""
CONFIGURED = (
    "ports",
    "timezone",
    "fail-on",
    "trust",
    "topology",
    "workers",
    "format",
    "color",
    "each",
    "progress",
    "quiet",
)
"""Settings that count here."""
_DESCRIPTION = "Tells why a mutual-TLS link does not come up, from captures (pcap, pcapng, Network Monitor; also .gz)."
_EXIT_CODES = """\
exit codes:
  0 nothing at or above --fail-on    1 findings at or above it    2 usage, or nothing to analyse
  3 an input is missing, unreadable or cut short (the rest was reported)    4 capture not possible
  5 a bug of ours    130 interrupted    141 closed pipe"""


def run(words: list[str]) -> int:
    """Analyse and report. Raise UsageError for arguments that make no sense."""
    args = _parser().parse(words)
    paths = [*args.read, *args.paths]
    if not paths:
        raise UsageError("nothing to analyse; try: mtlscope FILE.pcapng, or mtlscope --help")
    import numpy  # noqa: F401  before anything that is deep: Python maps and unmaps a piece of its stack 1,000 times there

    from analyzer.cli.interruption import Interruption
    from analyzer.cli.progress import Progress
    from analyzer.pipeline import Run

    output = wanted_output(args.T, args.output)
    progress = Progress(wanted=not (args.no_progress or args.quiet))
    chosen = options(args)
    analysis = Run(paths, chosen, progress.update if progress.on else None)
    copy = annotated.begin(args, paths, chosen)
    reading = Interruption(analysis)
    items = _started(reading)  # usage errors come before the output is opened
    repro = _repro(args.repro, paths)
    try:
        items = repro.watch(items) if repro is not None else items
        items = copy.watch(items) if copy is not None else items
        with open_output(output, args.output, paths, args.color, args.each, progress) as (write, how):
            write(items, replace(how, topology=chosen.topology, prompt="-" in paths))
        reading.end()
        if repro is not None:
            repro.finish()
            _say_repro(repro, args.quiet)
        if copy is not None:
            copy.finish()
    finally:
        reading.close()
        progress.clear()
        _tell(analysis, args)
        if reading.stopped and (args.output or args.T != "text"):  # else the report on the screen has said it
            say(reading.stopped)
    return _exit_code(analysis, args.fail_on)


def _parser() -> Parser:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  mtlscope {name:<{width}} {text}" for name, text in COMMANDS.items())
    parser = Parser(
        prog="mtlscope",
        configured=CONFIGURED,
        usage="mtlscope [analyze] [-r] PATH... [-T FORMAT] [-o FILE] [options]\n       mtlscope COMMAND ...",
        description=_DESCRIPTION,
        epilog=f"commands:\n{commands}\n\n{_EXIT_CODES}",
    )
    add = parser.add_argument
    add("paths", nargs="*", type=place, metavar="PATH", help="captures, folders, globs; '-' is standard input")
    add("-r", dest="read", action="append", default=[], type=place, metavar="PATH", help="the same, as in tshark")
    formats = "; ".join(f"{name}: {text}" for name, text in outputs().items())
    add(
        "--via",
        type=one_of(("tshark",)),
        metavar="TOOL",
        help="tshark: let it read the captures, for formats that only Wireshark knows",
    )
    add("-T", default="text", type=one_of(outputs()), metavar="FORMAT", help=formats)
    add(
        "-o",
        action=Once,
        dest="output",
        type=place,
        metavar="FILE",
        help="where to write (default: standard output); zeek, parquet: a folder too",
    )
    add("--version", action="store_true", help="print the version; with -v those of libraries and tools too")
    add_judging(parser)
    add_selecting(parser)
    add_showing(parser)
    annotated.add_options(parser)
    return parser


def add_judging(parser: Parser) -> None:
    """Options that say how to judge."""
    add = parser.add_argument_group("judging").add_argument
    add("--ports", metavar="LIST", help="where TLS is expected, e.g. 5061,443, or 'any' (TLS is found on every port)")
    add("--at", metavar="TIME", help="judge validity at this time instead of the capture's, e.g. 2026-11-21T09:30:00Z")
    add(
        "--timezone", metavar="ZONE", help="zone of captures with local time, e.g. Europe/Berlin, +02:00 (default: UTC)"
    )
    add(
        "--fail-on",
        default="error",
        type=one_of(FAIL_ON),
        metavar="LEVEL",
        help="error, warning, note or never: exit 1",
    )
    add(
        "--trust",
        action="append",
        default=[],
        type=place,
        metavar="[client=|server=]PATH",
        help="what a host trusts: a PEM, DER, .p7b or .sst file, or a folder of them. client=PATH is the store ON THE CLIENT'S "
        "host, which judges the server's certificates; server=PATH is the store ON THE SERVER'S host, which judges the "
        "clients' certificates; PATH alone is both. May be given several times; public roots are known without it",
    )
    add(
        "--topology",
        type=place,
        metavar="FILE",
        help="hosts, roles, pools and domains, see docs/topology.md; see also mtlscope plan",
    )
    add("-j", dest="workers", default=1, type=at_least_one, metavar="N", help="worker processes (default: 1)")


def add_selecting(parser: Parser) -> None:
    """Options that say what to report."""
    add = parser.add_argument_group("what to report").add_argument
    add(
        "--host",
        action="append",
        default=[],
        metavar="ADDR[:PORT]",
        help="either end; a network such as 10.0.0.0/8 too",
    )
    add("--name", action="append", default=[], metavar="GLOB", help="SNI or a name in a certificate")
    add("--stream", action="append", default=[], type=number, metavar="N", help="connection number, as in Wireshark")
    add("--since", metavar="TIME", help="alive at or after this time")
    add("--until", metavar="TIME", help="alive at or before this time")
    add("--troubled", action="store_true", help="only what failed or has an error or a warning")


def add_showing(parser: Parser) -> None:
    """Options that say how to show it."""
    add = parser.add_argument_group("how to show it").add_argument
    add("--each", action="store_true", help="text: every connection by itself instead of grouping equal troubles")
    add(
        "--repro",
        type=place,
        metavar="DIR",
        help="write the chains of what is in trouble as PEM files into DIR, with the openssl lines that try it again "
        "(repro.txt, and on standard error)",
    )
    add("--verdicts", action="store_true", help="on standard error: what each rule said of each connection, and why")
    add_color(add)
    add("--no-progress", action="store_true", help="no progress on standard error")
    add("-q", "--quiet", action="store_true", help="only errors on standard error")
    add(
        "-v",
        "--verbose",
        action="store_true",
        help="more on standard error: also what another verifier says of the chains of troubled connections",
    )


def options(args: argparse.Namespace) -> Options:
    """What the arguments of the three groups ask for. Raise UsageError for what makes no sense."""
    from analyzer.pipeline import Options

    if args.verdicts and args.workers > 1:
        raise UsageError("--verdicts needs one process: leave out -j")
    deployment = topology(args.topology)
    stores = any(host.trust for host in deployment.hosts) if deployment is not None else False
    trust = {"trust": _trust(args.trust, deployment, args.quiet, args.verbose)} if args.trust or stores else {}
    selection = _selection(args)
    return Options(
        ports=ports(args.ports),
        at_ns=_time(args.at, "--at"),
        today_ns=time_ns(),
        timezone=zone(args.timezone),
        topology=deployment,
        workers=args.workers,
        keep=selection,
        verdicts=_say_verdicts if args.verdicts else None,
        **trust,
        opinions=_say_opinions if args.verbose and args.workers == 1 else None,
        capture_verdicts=_say_capture_verdicts if args.verdicts else None,
        across=selection is None or not selection.narrows,
        via=getattr(args, "via", None),
    )


def _selection(args: argparse.Namespace) -> Selection | None:
    """What to report; None = everything."""
    if not (args.host or args.name or args.stream or args.since or args.until or args.troubled):
        return None
    from analyzer.selection import Selection, parse_host

    since, until = _time(args.since, "--since"), _time(args.until, "--until")
    if since is not None and until is not None and since > until:
        raise UsageError(f"--since {args.since} is after --until {args.until}: nothing can be alive then")
    return Selection(
        hosts=tuple(map(parse_host, args.host)),
        names=tuple(args.name),
        streams=frozenset(args.stream),
        since_ns=since,
        until_ns=until,
        troubled=args.troubled,
    )


def _time(text: str | None, option: str) -> int | None:
    from analyzer.selection import parse_time

    return parse_time(text, option) if text else None


def _trust(words: Sequence[str], topology: Topology | None, quiet: bool, verbose: bool) -> Trust:
    """The stores of --trust and of a topology. What in them cannot be read is said, with -v also what could.

    Raise UsageError for one without certificates.
    """
    from analyzer.certificates.stores.loading import SIDES, load_hosts, load_sides
    from analyzer.judgement.stores import Trust

    given: list[tuple[str | None, str]] = []
    for word in words:
        side, sign, path = word.partition("=")
        given.append((side, path) if sign and side in SIDES else (None, word))
    sides = load_sides(given)
    of_hosts = load_hosts((host.trust for host in topology.hosts), topology.file) if topology is not None else {}
    for store in () if quiet else dict.fromkeys(itertools.chain(*sides.values(), *of_hosts.values())):
        told = [f"certificates read: {len(store.certificates):,}"]
        if store.problems:
            more = f" (and {len(store.problems) - 1:,} more)" if len(store.problems) > 1 else ""
            told.insert(0, f"{store.problems[0]}{more}")
        if store.problems or verbose:
            say(f"{store.name}: {'; '.join(told)}")
    return Trust(sides["client"], sides["server"], topology, of_hosts)


def topology(file: str | None) -> Topology | None:
    """The topology of --topology. Raise UsageError for a mistake in it."""
    if file is None:
        return None
    from analyzer.topology.reading import read_topology

    return read_topology(file)


def ports(text: str | None) -> frozenset[int] | None:
    """The ports of --ports; None means any. Raise UsageError for what is no port."""
    from analyzer import knowledge

    if text is None:
        return knowledge.default_tls_ports()
    if text.strip().lower() == "any":
        return None
    found = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 65536 for part in found):
        raise UsageError(f"--ports {text!r} is no list of ports; expected e.g. 5061,443, or any")
    return frozenset(map(int, found))


def zone(text: str | None) -> str | None:
    """The zone of --timezone, checked. Raise UsageError with the nearest names for one that does not exist."""
    from analyzer.capture.zones import parse_zone

    try:
        parse_zone(text)
    except UsageError as error:
        raise UsageError(f"--timezone: {error}") from None
    return text


def _started(analysis: Iterable[Item]) -> Iterator[Item]:
    """The items, the first one fetched already: what is wrong with the arguments shows there."""
    items = iter(analysis)
    first = list(itertools.islice(items, 1))
    return itertools.chain(first, items)


def _repro(folder: str | None, paths: Sequence[str]) -> Repro | None:
    """Where --repro writes; None without it. Raise UsageError if the folder cannot be one, or its text is an input."""
    if folder is None:
        return None
    from pathlib import Path

    from analyzer.cli.sink import refuse_inputs
    from analyzer.report.repro import TEXT, Repro

    target = Path(folder)
    if places.is_there(target) and not places.is_folder(target):
        raise UsageError(f"--repro {folder} is no folder")
    refuse_inputs(str(target / TEXT), paths, "--repro")
    return Repro(target)


def _say_repro(repro: Repro, quiet: bool) -> None:
    """The first lines to try, on standard error."""
    if quiet:
        return
    commands = repro.commands()
    for command in commands[:SHOWN_COMMANDS]:
        say(command)
    more = f"{len(commands) - SHOWN_COMMANDS:,} more in " if len(commands) > SHOWN_COMMANDS else ""
    say(
        f"{more}{repro.folder}: repro.txt and the certificates"
        if commands
        else "nothing is in trouble: nothing to try again"
    )


def _say_verdicts(conn: Connection, verdicts: Sequence[Verdict]) -> None:
    _say_each(f"{conn.capture} stream {conn.stream}", verdicts)


def _say_capture_verdicts(capture: str, verdicts: Sequence[Verdict]) -> None:
    _say_each(capture, verdicts)


def _say_each(about: str, verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        reason = f": {verdict.reason}" if verdict.reason else ""
        say(f"{about}: {verdict.rule}: {verdict.outcome.value}{reason}")


def _say_opinions(conn: Connection, opinions: Sequence[str]) -> None:
    for opinion in opinions:
        say(f"{conn.capture} stream {conn.stream}: {opinion}")


def _tell(analysis: Run, args: argparse.Namespace) -> None:
    """What went wrong, one line each, on standard error."""
    for line in (*analysis.errors, *analysis.crashes):
        say(line)
    narrowed = analysis.options.keep is not None and not args.troubled  # nothing in trouble is good news
    if narrowed and analysis.passed_over and not analysis.kept and not args.quiet:
        say(f"nothing matches what was selected; TCP connections: {analysis.passed_over:,}, reported: 0")
    if args.verbose and sys.stderr is not None:
        for setting in getattr(args, "settings", ()):
            say(f"setting {setting}")
        say(f"paths given: {len(analysis.paths)}; captures not read to their end: {len(analysis.errors)}")


def _exit_code(analysis: Run, fail_on: str) -> int:
    if analysis.crashes:
        return Exit.BUG
    if analysis.errors:
        return Exit.INPUT
    if analysis.worst is not None and analysis.worst <= FAIL_ON[fail_on]:
        return Exit.FINDINGS
    return Exit.OK
