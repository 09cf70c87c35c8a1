"""Cached look-ups of names that the outside world gave to codes. The data is in the csv and toml files beside this one."""
