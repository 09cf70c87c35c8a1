"""TLS from bytes to messages: sans-IO, in this order: names, messages, extensions, handshake, stream, fingerprints."""
