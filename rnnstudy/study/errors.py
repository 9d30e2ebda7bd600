"""Errors of a run."""


class RunError(Exception):
    """What wat the target of a run is not there; the message, one sentence, is for the user."""
