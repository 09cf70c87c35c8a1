"""Certificates and chains as facts. `cryptography` is imported only in this folder; a bad DER is a fact too."""
