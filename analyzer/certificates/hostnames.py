"""Does a certificate cover a host name or an address? RFC 6125 section 6.4, RFC 9525 section 6.3."""

from __future__ import annotations

from ipaddress import ip_address

MAX_HOST = 255  # characters; RFC 1035 section 2.3.4
MAX_U_LABEL = 63


def normal_host(host: str) -> str:
    """Lower case, without a trailing dot, U-labels as A-labels; addresses in their usual form, without brackets or zone.

    "" for what can be no host name (too long, or no A-labels for it).
    """
    if len(host) > MAX_HOST:
        return ""
    host = host.lower().removesuffix(".")
    address = _address(host)
    if address is not None:
        return address
    if host.isascii():
        return host
    if any(len(label) > MAX_U_LABEL for label in host.split(".")):
        return ""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def is_address(host: str) -> bool:
    """Is this an IPv4 or IPv6 address and no name?"""
    return _address(host) is not None


def coverage(host: str, dns: tuple[str, ...], addresses: tuple[str, ...], common_name: str | None) -> str | None:
    """ "exact", "wildcard", "common-name" or None: see `Certificate.covers`."""
    wanted = normal_host(host)
    if not wanted:
        return None
    if is_address(wanted):
        if wanted in addresses:
            return "exact"
        legacy = not dns and not addresses and common_name is not None and normal_host(common_name) == wanted
        return "common-name" if legacy else None
    wildcard = False
    for presented in dns:
        how = _match(wanted, presented)
        if how == "exact":
            return how
        wildcard = wildcard or how == "wildcard"
    if wildcard:
        return "wildcard"
    if not dns and common_name is not None and _match(wanted, common_name):
        return "common-name"
    return None


def _match(wanted: str, presented: str) -> str | None:
    presented = presented.lower().removesuffix(".") if presented.isascii() else normal_host(presented)
    if presented == wanted:
        return "exact"
    if not presented.startswith("*."):
        return None
    label, _, rest = wanted.partition(".")
    return "wildcard" if label and rest and rest == presented[2:] else None


def _address(host: str) -> str | None:
    text = host.removeprefix("[").removesuffix("]").partition("%")[0]
    if ":" not in text and not text[-1:].isdigit():
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None
