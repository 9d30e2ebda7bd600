"""Branches of fixed points along a path of inputs, and their bifurcations."""
