"""Internationalised host names for people: the name as sent, and what it means, with a warning where scripts are mixed."""

from __future__ import annotations

import unicodedata

PREFIX = "xn--"
"""Start of an encoded label (RFC 5890 section 2.3.1)."""


def explained(name: str) -> str:
    """ "xn--mnchen-3ya.example (münchen.example)". A name without encoded labels, or with broken ones only, stays."""
    if PREFIX not in name.lower():
        return name
    meant = ".".join(map(_decoded, name.split(".")))
    if meant == name:
        return name
    mixed = ", mixed scripts" if any(len(_scripts(label)) > 1 for label in meant.split(".")) else ""
    return f"{name} ({meant}{mixed})"


def _decoded(label: str) -> str:
    if not label.lower().startswith(PREFIX):
        return label
    try:
        return label[len(PREFIX) :].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _scripts(label: str) -> set[str]:
    """The scripts of its letters, from the first words of their names: LATIN, CYRILLIC, GREEK ..."""
    return {unicodedata.name(char, "UNKNOWN").split()[0] for char in label if char.isalpha()}
