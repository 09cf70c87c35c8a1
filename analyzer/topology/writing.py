"""A guessed topology as TOML, with a comment at everything that says from what it was guessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.topology.guess import EXTERNAL, INTERNAL, OTHER, Guess, GuessedHost

HEAD = """\
# A GUESS, made from what captures show: ports that are served, and names in certificates.
# Correct it before you give it to --topology. What every key means: docs/topology.md
"""
MAX_WHY = 160
"""Characters of a reason; names from certificates can be long."""


def guess_to_toml(guess: Guess) -> str:
    """The text. It can be read as a topology at once, whatever the capture held."""
    lines = [HEAD, '# product = "sfb-2019"  # not to be seen in a capture', f"sip_domains = {_list(guess.sip_domains)}"]
    urls = {key: hosts for key, hosts in guess.urls.items() if hosts}
    if urls:
        lines += ["", "[simple_urls]", *(f"{key} = {_list(hosts)}" for key, hosts in urls.items())]
    for pool in guess.pools:
        if pool.fqdn:
            lines += ["", "[[pool]]  # guessed: its servers show certificates with this name", f'fqdn = "{pool.fqdn}"']
            lines.append(f'role = "{pool.role}"' + _doubt(pool.hosts[0]))
        for host in pool.hosts:
            lines += _host(host, pool.fqdn)
    if not guess.pools:
        lines += ["", "# no server with a certificate or a TLS port of a deployment was seen"]
    if guess.plain:
        lines += ["", f"# servers of which nothing tells a role, left out: {guess.plain:,}"]
    if guess.left_out:
        lines += ["", f"# {guess.left_out:,} more addresses are left out"]
    return "\n".join(lines) + "\n"


def _host(host: GuessedHost, pool: str) -> Iterator[str]:
    yield ""
    yield f"[[host]]  # guessed from: {'; '.join(host.why)[:MAX_WHY]}"
    yield f'fqdn = "{host.fqdn}"' + ("  # made up: the capture does not show its name" if host.made_up else "")
    if pool:
        yield f'pool = "{pool}"'
    else:
        yield f'role = "{host.role}"' + _doubt(host)
    if host.access:
        yield f'access = "{host.access}"'
    if host.web_conferencing:
        yield f'web_conferencing = "{host.web_conferencing}"'
    side = host.side if host.side in (INTERNAL, EXTERNAL) else "addresses"
    yield f'{side} = ["{host.ip}"]'


def _doubt(host: GuessedHost) -> str:
    if host.side == EXTERNAL:
        return '  # or "partner", if it is not yours: then addresses instead of external, and no access'
    return "  # nothing tells its role" if host.role == OTHER else ""


def _list(names: Iterable[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"[{quoted}]"
