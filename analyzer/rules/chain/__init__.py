"""Rules about how the certificates of one side hang together."""
