"""Distances between the networks of a task and recordings of neurons."""
