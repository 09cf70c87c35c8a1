"""Findings and records -> text, JSON, ... One file here is one output."""
