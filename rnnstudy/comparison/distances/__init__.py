"""Distances between networks: all pairs, maps of them, graphs, ordered points."""
