"""Story of a task: its parts in chapters, each with one exhibit that leads it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from rnnstudy.analyses import Analysis
from rnnstudy.analyses.chapters import chapter_rank, chapter_title
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.report.contents import FindingRow, PageChapter, PagePart
from rnnstudy.report.figures.figures import is_drawable


def chapter_of(analysis: Analysis, analyses: Sequence[Analysis]) -> str:
    """Return the chapter of an analysis: its own, or that of the analysis that it reads.

    Parameters
    ----------
    analysis
        The analysis.
    analyses
        All analyses of the study.
    """
    by_title = {each.title: each for each in analyses}
    visited: set[str] = set()
    while not analysis.chapter and analysis.title not in visited:
        visited.add(analysis.title)
        inputs = [by_title[name] for name in analysis.needs() if name in by_title]
        if not inputs:
            break
        analysis = inputs[0]
    return analysis.chapter or "other"


def split_part(part: PagePart, chapter: str) -> list[tuple[str, PagePart]]:
    """Return a part by the chapters of its exhibits; what is missing of it is in its own chapter.

    Parameters
    ----------
    part
        Exhibits of one analysis.
    chapter
        Chapter of the analysis.
    """
    by_chapter: dict[str, list[Exhibit]] = {chapter: []}
    for exhibit in part.exhibits:
        name = getattr(exhibit, "chapter", "") or chapter
        by_chapter.setdefault(name, []).append(exhibit)
    is_elsewhere = part.exhibits and not by_chapter[chapter]
    if is_elsewhere and not (part.failure or part.fault):
        del by_chapter[chapter]
    whole = replace(part, failure="", fault="")
    return [
        (name, replace(part if name == chapter else whole, exhibits=exhibits))
        for name, exhibits in by_chapter.items()
    ]


def chapters(
    parts: Iterable[tuple[str, bool, PagePart]],
    rows: Mapping[str, Sequence[FindingRow]] = MappingProxyType({}),
) -> list[PageChapter]:
    """Return chapters in the order of the story.

    The first figure leads a chapter, in the order of the spec. Parts that do not lead come after
    those that do. Without a figure it is the first exhibit.

    Parameters
    ----------
    parts
        Chapter of each part, and whether its figures may lead.
    rows
        Chapter -> verdicts on its claims. Default: none.
    """
    by_chapter: dict[str, list[tuple[bool, PagePart]]] = {}
    for chapter, leads, part in parts:
        by_chapter.setdefault(chapter, []).append((leads, part))
    for chapter in rows:
        by_chapter.setdefault(chapter, [])
    return [
        PageChapter(
            chapter_title(chapter),
            [part for _, part in by_chapter[chapter]],
            _lead(by_chapter[chapter]),
            rows.get(chapter, ()),
        )
        for chapter in sorted(by_chapter, key=chapter_rank)
    ]


def _lead(parts: Sequence[tuple[bool, PagePart]]) -> tuple[int, int] | None:
    """Return the position of the part and of the exhibit that lead a chapter."""
    places = [
        (not _is_figure(exhibit), not leads, i, j)
        for i, (leads, part) in enumerate(parts)
        for j, exhibit in enumerate(part.exhibits)
    ]
    return min(places)[2:] if places else None


def _is_figure(exhibit: Exhibit) -> bool:
    """Return True for a picture with something in it."""
    return is_drawable(exhibit) and bool(getattr(exhibit, "exhibits", True))
