"""What Wireshark's dissectors and we say about the same connections, compared field by field."""
