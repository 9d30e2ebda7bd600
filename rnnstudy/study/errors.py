"""Errors of a run."""


class RunError(Exception):
    """A run cannot do or does not hold what was requested. The message is for the user."""
