"""Rules about how the server asks for a client certificate and what became of the answer."""
