"""Chapters of the story that a report tells of each task."""

from collections.abc import Mapping

CHAPTERS: Mapping[str, str] = {
    "training": "Training: do the networks solve the task?",
    "geometry": "Geometry: do architectures represent the task alike?",
    "recordings": "Recordings: which networks are nearest to the data?",
    "fixed_points": "Fixed points",
    "linearisation": "Linearised dynamics",
    "solutions": "Classes of solutions",
    "generalisation": "Beyond the training distribution",
    "other": "Further analyses",
    "choices": "Choices: how far do the verdicts depend on them?",
    "controls": "Controls",
}
"""Chapter -> its title, in the order of the story: that of Maheswaranathan et al. (2019)."""


def chapter_title(chapter: str) -> str:
    """Return the title of a chapter. A chapter of a user is its own title.

    Examples
    --------
    >>> chapter_title("fixed_points"), chapter_title("Energy")
    ('Fixed points', 'Energy')
    """
    return CHAPTERS.get(chapter, chapter)


def chapter_rank(chapter: str) -> int:
    """Return the position of a chapter in the story. Those of users come before the controls."""
    known = list(CHAPTERS)
    return known.index(chapter if chapter in CHAPTERS else "other")
