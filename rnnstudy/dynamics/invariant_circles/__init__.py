"""Invariant circles of quasi-periodic motion, with rotation numbers."""
