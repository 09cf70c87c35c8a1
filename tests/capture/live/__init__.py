"""Tests of the engines that capture from an interface."""
