"""Batches of networks that an analysis computes together."""
