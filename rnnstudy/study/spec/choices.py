"""Analyses that the multiverses of a spec choose between."""

from collections.abc import Sequence

from rnnstudy.analyses import Analysis
from rnnstudy.claims.multiverse import Multiverse
from rnnstudy.claims.multiverse.specifications import derived_analyses
from rnnstudy.core.errors import spec_error, validation_error


def with_derived_analyses(analyses: Sequence[Analysis]) -> tuple[Analysis, ...]:
    """Return the analyses of a spec, and those with other settings that multiverses read.

    One that the spec lists under its name is used as it is.
    """
    titles = {analysis.title: analysis for analysis in analyses}
    errors = []
    for i, analysis in enumerate(analyses):
        if isinstance(analysis, Multiverse):
            try:
                derived = list(derived_analyses(analysis.claim, analysis.choices, analyses))
            except ValueError as error:
                errors.append(spec_error("choices", str(error), (i, "choices")))
                continue
            titles = {each.title: each for each in derived} | titles
    if errors:
        raise validation_error("analyses", errors)
    listed = {analysis.title for analysis in analyses}
    added = [analysis for title, analysis in titles.items() if title not in listed]
    return (*analyses, *added)
