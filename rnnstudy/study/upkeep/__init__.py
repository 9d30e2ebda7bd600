"""Upkeep of a run's store: its index, its sizes, verification and removal of leftovers."""
