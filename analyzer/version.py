"""The version, and nothing else: `--version` must not import the rest."""

__version__ = "0.1.0"
