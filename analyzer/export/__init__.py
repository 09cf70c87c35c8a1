"""Captures written anew: what was analysed, with its packets chosen, commented, and made safe to be given away."""
