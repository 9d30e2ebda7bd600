"""Metrics of linear dynamics that are fitted to trajectories."""
