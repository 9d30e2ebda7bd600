"""Summaries of plans and runs: for the terminal, and as JSON."""
