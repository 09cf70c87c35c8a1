"""Frames -> TCP segments in columns: links, IP, tunnels, fragments; what is not decoded is counted by reason."""
