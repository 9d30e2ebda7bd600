"""Comparison of networks: arrays in, numbers out. It knows no network."""
