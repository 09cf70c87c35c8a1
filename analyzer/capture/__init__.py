"""Captures: files (and later interfaces) -> batches of frames. One file here reads one format."""
