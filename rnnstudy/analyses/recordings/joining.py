"""Analyses by which recordings join the distances and the maps of a study."""

from collections.abc import Iterator, Sequence

from rnnstudy.analyses.base import Analysis
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.recordings.pairs import RecordingPairs
from rnnstudy.recordings.source import RecordingSource


def with_recordings(
    analyses: Sequence[Analysis], sources: Sequence[RecordingSource]
) -> tuple[Analysis, ...]:
    """Return the analyses of a study, and those by which recordings join distances and maps.

    For each recording and each `pairs` of trained networks there are distances with the recording.
    Each `embedding` of this `pairs` has a map with it. One that the spec lists under the name of
    such an analysis is used as it is.
    """
    titles = {analysis.title: analysis for analysis in analyses}
    for source in sources:
        for analysis in _analyses_with(analyses, source):
            titles.setdefault(analysis.title, analysis)
    listed = {analysis.title for analysis in analyses}
    return (*analyses, *(each for title, each in titles.items() if title not in listed))


def without_recordings(analyses: Sequence[Analysis]) -> list[int]:
    """Return the positions of the analyses that `with_recordings` did not add."""
    added = {each.title for each in analyses if isinstance(each, RecordingPairs)}
    return [
        i
        for i, each in enumerate(analyses)
        if each.title not in added and not (isinstance(each, Embedding) and each.of in added)
    ]


def _analyses_with(analyses: Sequence[Analysis], source: RecordingSource) -> Iterator[Analysis]:
    """Yield the distances and the maps that a recording joins."""
    task = () if source.task is None else (source.task,)
    for pairs in analyses:
        if not (isinstance(pairs, Pairs) and pairs.weights == "trained"):
            continue
        if not _is_about(pairs, source):
            continue
        distances = RecordingPairs(
            metric=pairs.metric,
            recording=source,
            between=pairs.between,
            tasks=task,
            where=pairs.where,
            networks=pairs.networks,
            name=f"{pairs.title}_{source.title}",
        )
        yield distances
        for embedding in analyses:
            if (
                isinstance(embedding, Embedding)
                and embedding.of == pairs.title
                and _is_about(embedding, source)
            ):
                name = f"{embedding.title}_{source.title}"
                yield embedding.replace(of=distances.title, tasks=task, name=name)


def _is_about(analysis: Analysis, source: RecordingSource) -> bool:
    return analysis.tasks is None or source.task in analysis.tasks
