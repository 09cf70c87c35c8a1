"""The exceptions that we raise, as a tree.

    MtlscopeError
    |- UsageError      the user's arguments or configuration: one line, exit 2
    |- CaptureError    a capture cannot be read, or not to its end: one line, exit 3
    |  `- LiveError    capturing from an interface is not possible, or no longer: one line, exit 4
    `- ParseError      a peer's bytes break a rule; never leaves `tls/` and `certificates/`, where it becomes a fact

A message says where, what was found, what was expected, and what to do.
"""


class MtlscopeError(Exception):
    """Everything that we raise on purpose."""


class UsageError(MtlscopeError):
    """The user's arguments or configuration are wrong. Exit code 2."""


class CaptureError(MtlscopeError):
    """A capture cannot be read, is cut off, or lies about a length. Exit code 3.

    A reader yields every frame before the damage first, and raises this afterwards.
    """


class LiveError(CaptureError):
    """Capturing from an interface is not possible: a tool, a driver or a right is missing. Exit code 4."""


class ParseError(MtlscopeError):
    """A peer's bytes do not follow the format. Caught where the bytes were read and kept as `Malformed`.

    Attributes:
        reason: what was found and what was expected, in one clause.
        at: offset in the bytes given to the parser, where the trouble starts.
    """

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at
