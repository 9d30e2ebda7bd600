"""Distances between the networks of a task, and maps of them."""
