"""A SQLite database that a live run writes and notebooks read meanwhile: `schema`, `writer` and `pruning`, `tap`, `reader`."""
