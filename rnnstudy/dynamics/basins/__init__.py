"""Basins of attraction: states followed to the attractors that they reach."""
