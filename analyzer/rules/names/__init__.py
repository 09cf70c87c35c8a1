"""Rules about the names that a certificate speaks for."""
