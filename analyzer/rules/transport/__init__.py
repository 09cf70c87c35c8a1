"""How the TCP connection came about and ended: refused, silent, reset, closed, stuck."""
