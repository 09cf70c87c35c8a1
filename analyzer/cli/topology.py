"""`mtlscope topology PATH...`: a guessed topology to start from, made from captures. Correct it, then give it to --topology."""

from __future__ import annotations

from pathlib import Path

from analyzer import places
from analyzer.cli.main import Exit, say, show
from analyzer.cli.parser import Parser, place
from analyzer.errors import UsageError


def run(words: list[str]) -> int:
    """Print the guess as TOML, or write it to a new file. Raise UsageError if there is nothing to read."""
    parser = Parser(prog="mtlscope topology", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", type=place, metavar="PATH", help="captures, folders, globs; '-' is standard input"
    )
    parser.add_argument(
        "-r", dest="read", action="append", default=[], type=place, metavar="PATH", help="the same, as in tshark"
    )
    parser.add_argument(
        "-o", dest="output", type=place, metavar="FILE", help="write to this file, which must not be there yet"
    )
    args = parser.parse_args(words)
    paths = [*args.read, *args.paths]
    if not paths:
        raise UsageError("no capture to guess from; try: mtlscope topology FILE.pcapng")
    if args.output not in (None, "-") and places.is_there(args.output):
        raise UsageError(f"{args.output} is there already; a guess never overwrites a topology")
    from analyzer import knowledge
    from analyzer.connection import Connection
    from analyzer.pipeline import Options, Run
    from analyzer.topology.guess import Guesser
    from analyzer.topology.writing import guess_to_toml

    guesser, analysis = Guesser(), Run(paths, Options(ports=knowledge.default_tls_ports()))
    for item in analysis:
        if isinstance(item, Connection):
            guesser.see(item)
    _write(guess_to_toml(guesser.guess()), args.output)
    for line in (*analysis.errors, *analysis.crashes):
        say(line)
    return Exit.BUG if analysis.crashes else Exit.INPUT if analysis.errors else Exit.OK


def _write(text: str, target: str | None) -> None:
    if target is None or target == "-":
        show(text)
        return
    try:
        Path(target).write_text(text, encoding="ascii", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
