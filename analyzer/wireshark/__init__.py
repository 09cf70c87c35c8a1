"""The bridge to an installed Wireshark: finding tshark, reading through it, and its packets as objects of pyshark."""
