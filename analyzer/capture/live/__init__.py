"""Capturing from an interface: one file an engine. Every engine gives pcapng, so that one reader serves files and interfaces."""
