"""The second opinion: what `cryptography` says about a certificate in which our reader found something odd."""

from __future__ import annotations

import warnings
from collections.abc import Callable

MAX_SIZE = 2**18  # bytes; ours: above it the library is not asked, so that a hostile certificate costs little
MAX_TEXT = 200  # characters of a library's message that are kept

_QUESTIONS = (
    "version",
    "serial_number",
    "issuer",
    "subject",
    "not_valid_before_utc",
    "not_valid_after_utc",
    "signature_algorithm_oid",
    "extensions",
)


def second_opinion(der: bytes) -> tuple[str, ...]:
    """What the library refuses, with its own words; () if it takes everything. Never raises.

    It is strict where we are not, and some of what it raises is no Exception (a panic of its Rust part).
    """
    if len(der) > MAX_SIZE:
        return ()
    from cryptography import x509

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded, refusal = _ask(lambda: x509.load_der_x509_certificate(der))
        if not isinstance(loaded, x509.Certificate):
            return (f"refused by the library: {refusal}",)
        answers = [(question, _ask(lambda question=question: getattr(loaded, question))[1]) for question in _QUESTIONS]  # type: ignore[misc]
        answers.append(("public key", _ask(loaded.public_key)[1]))
    return tuple([f"refused by the library: {question}: {refusal}" for question, refusal in answers if refusal])


def _ask(question: Callable[[], object]) -> tuple[object, str]:
    """The answer, or the words of the refusal."""
    try:
        return question(), ""
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as refusal:
        words = " ".join(str(refusal).split())[:MAX_TEXT]
        return None, f"{type(refusal).__name__}: {words}" if words else type(refusal).__name__
