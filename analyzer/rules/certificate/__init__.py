"""Rules about one certificate by itself."""
