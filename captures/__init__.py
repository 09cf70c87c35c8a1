"""Captures of real TLS stacks, each made on purpose to show one case, and the programs that make them."""
