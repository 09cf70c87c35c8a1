"""Rules about how several machines fit together."""
