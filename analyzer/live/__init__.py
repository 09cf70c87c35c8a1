"""Live traffic through the same pipeline as files: `run` is the loop, each other file is a tap on what it reports."""
