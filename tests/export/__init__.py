"""Tests of captures written anew."""
