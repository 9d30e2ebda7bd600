"""Errors of a run."""


class RunError(Exception):
    """What was asked of a run is not there; the message, one sentence, is for the user."""
