"""Methods of a study in words, generated from its resolved spec."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from rnnstudy.analyses.conditions import condition_text
from rnnstudy.analyses.training_summary import solved_criterion
from rnnstudy.core.component import Component, lower_first, upper_first
from rnnstudy.report.methods.bibliography import Source, known_sources
from rnnstudy.report.methods.sentences import (
    UNSAID,
    claim_sentence,
    join_sentences,
    method_sentence,
    purpose_in_words,
    settings_in_words,
    training_sentence,
    value_in_words,
)
from rnnstudy.report.methods.sources import sources_of
from rnnstudy.study.results.failures import attempt, words_of
from rnnstudy.study.spec.networks import Networks
from rnnstudy.study.spec.overrides import Override
from rnnstudy.study.spec.study import Study
from rnnstudy.study.spec_text.messages import article
from rnnstudy.tasks import Task

CITATION = re.compile(r"\[(@[^\]]+)\]")
"""Citation in a text, as in pandoc: `[@holm1979; @kingma2015]`."""


class Paragraph(NamedTuple):
    """Paragraph of the methods."""

    title: str
    text: str
    """Sentences, with citations as in pandoc."""


@dataclass(frozen=True)
class Methods:
    """Methods of a study, and their sources."""

    paragraphs: Sequence[Paragraph]
    sources: Sequence[Source]
    """Cited sources, by author and year."""

    @property
    def markdown(self) -> str:
        """The text in Markdown, with citations as pandoc reads them."""
        parts = [f"## {title}\n\n{text}\n" for title, text in self.paragraphs]
        return "\n".join(["# Methods\n", *parts])

    @property
    def bibtex(self) -> str:
        """The sources in BibTeX."""
        return "".join(f"{source.bibtex}\n\n" for source in self.sources)

    @property
    def readable(self) -> list[Paragraph]:
        """The paragraphs with citations in words: `(Holm 1979)`."""
        by_key = {source.key: source for source in self.sources}

        def words(match: re.Match[str]) -> str:
            keys = [key.strip(" @") for key in match[1].split(";")]
            return f"({'; '.join(by_key[key].citation for key in keys if key in by_key)})"

        return [Paragraph(title, CITATION.sub(words, text)) for title, text in self.paragraphs]


def methods_of(study: Study, networks: int) -> Methods:
    """Return the methods of a study.

    Parameters
    ----------
    study
        The study, every default filled in.
    networks
        Number of its networks.
    """
    cited: dict[str, Source] = {}
    cite = partial(_cite, cited)
    paragraphs = [
        Paragraph("Tasks", join_sentences(_task(task, cite) for task in study.tasks)),
        Paragraph("Networks", _networks(study, networks, cite)),
        *_training(study, cite),
    ]
    if study.analyses:
        paragraphs.append(Paragraph("Analyses", join_sentences(_analyses(study, cite))))
    if study.claims:
        paragraphs.append(Paragraph("Claims", join_sentences(_claims(study, cite))))
    order = sorted(cited.values(), key=lambda source: (source.surnames, source.key))
    return Methods([each for each in paragraphs if each.text], order)


def _cite(cited: dict[str, Source], components: Iterable[Component], *keys: str) -> str:
    """Return the citation of the sources of components, and of further ones, after a space."""
    none: list[Source] = []
    sources = [s for each in components for s in attempt(partial(sources_of, each), none)[0]]
    sources += [known_sources()[key] for key in keys]
    cited.update({source.key: source for source in sources})
    listed = "; ".join(dict.fromkeys(f"@{source.key}" for source in sources))
    return f" [{listed}]" if listed else ""


def _task(task: Task, cite: Any) -> str:
    sizes, _ = attempt(lambda: f" It has {task.inputs} inputs and {task.outputs} outputs.", "")
    settings = settings_in_words(task, {*UNSAID, "solved_loss", "solved_accuracy",
                                        "evaluation_trials", "probe_trials"})  # fmt: skip
    purpose, criterion = lower_first(purpose_in_words(task)), solved_criterion(task)
    return (
        f"{upper_first(words_of(task))}{cite([task])}: {purpose}.{sizes} "
        f"Settings: {settings}. A network has solved the task at {article(criterion)} "
        f"on {task.evaluation_trials} fresh trials without noise. Networks are compared on "
        f"{task.probe_trials} probe trials, which are the same for all."
    )


def _networks(study: Study, networks: int, cite: Any) -> str:
    grid = study.networks
    sentences = []
    if grid is not None:
        cells = [f"{lower_first(words_of(cell))}{cite([cell])}" for cell in grid.cells]
        sentences += [
            (
                f"On each task, networks of {len(cells)} kinds of cells were trained: "
                f"{', '.join(cells)}."
            ),
            (
                f"Activations were {_axis_in_words(grid, 'activation')}, and networks had "
                f"{_axis_in_words(grid, 'units')} units."
            ),
            (
                f"Each combination was trained from {len(grid.seeds)} seeds, which determine its "
                "initial weights and its trials."
            ),
            *(
                f"Settings of {lower_first(words_of(cell))} cells: {settings}."
                for cell in grid.cells
                if (settings := settings_in_words(cell))
            ),
            "A linear readout of the visible units gives the outputs.",
        ]
    if study.models:
        sentences.append(f"{len(study.models)} trained networks were read from files.")
    return join_sentences([*sentences, f"There were {networks} networks in all."])


def _axis_in_words(grid: Networks, name: str) -> str:
    """Return the activations or units of the cells, each with its cells if they differ."""
    by_cell = [grid.values_of(cell, name) for cell in grid.cells]
    if len(set(by_cell)) == 1:
        return value_in_words(by_cell[0])
    cells: dict[Any, list[str]] = {}
    for cell, values in zip(grid.cells, by_cell, strict=True):
        for value in values:
            cells.setdefault(value, []).append(lower_first(words_of(cell)))
    parts = [f"{value_in_words(value)} ({', '.join(names)})" for value, names in cells.items()]
    return " and ".join(parts)


def _training(study: Study, cite: Any) -> Iterator[Paragraph]:
    if study.networks is None:
        return
    sentences = [training_sentence(study.training, cite([study.training]))]
    axes = study.networks.training_axes
    sentences += [f"The grid varies {value_in_words(name)}: {value_in_words(tuple(values))}."
                  for name, values in axes.items()]  # fmt: skip
    if study.selection is not None:
        sentences.append(
            "Pilot networks, which serve nothing else, chose fields of the training for each "
            f"combination by their validation loss ({settings_in_words(study.selection)})."
        )
    sentences += map(_override, study.overrides)
    yield Paragraph("Training", join_sentences(sentences))
    for protocol in study.protocols:
        fields = {**protocol.training, **protocol.cell}
        start = f"Fields: {value_in_words(fields)}." if fields else ""
        yield Paragraph(
            f"Training protocol {protocol.name}",
            join_sentences([start, *map(_override, protocol.overrides)]),
        )


def _override(override: Override) -> str:
    fields = {**override.set.training, **override.set.cell}
    where = condition_text(override.where) or "all networks"
    return f"For {where.replace('_', ' ')}: {value_in_words(fields)}." if fields else ""


def _analyses(study: Study, cite: Any) -> Iterator[str]:
    titles = {analysis.title: words_of(analysis) for analysis in study.analyses}
    yield "All analyses were computed in double precision."
    for analysis in study.analyses:
        yield method_sentence(analysis, titles, cite([analysis], *FURTHER.get(analysis.kind, ())))


FURTHER: Mapping[str, tuple[str, ...]] = {
    "fixed_points": ("sussillo2013", "farrell2015", "chao1984", "levenberg1944", "marquardt1963"),
    "graph_distances": ("mirsky1960",),
    "point_geometry": ("tenenbaum2000",),
    "factor_tests": ("anderson2001", "mcardle2001", "freedman1983"),
    "geometry_against_topology": ("olejnik2003",),
}
"""Kind of an analysis -> sources of the functions that it calls."""


def _claims(study: Study, cite: Any) -> Iterator[str]:
    titles = {analysis.title: words_of(analysis) for analysis in study.analyses}
    for claim in study.claims:
        citation = cite([claim], *CLAIM_SOURCES.get(claim.kind, ()))
        yield claim_sentence(claim, study.tasks, titles, citation)
    holm = cite([], "holm1979")
    yield (
        f"p values were corrected over all tests of the study{holm}. Each claim was also tested "
        "with untrained networks, with noise, zeros and ones in place of the measure, and with "
        "shuffled labels. A claim has a verdict only if its measure sees differences that are "
        "known to be there. Intervals are of 95 %, over networks."
    )


CLAIM_SOURCES: Mapping[str, tuple[str, ...]] = {
    "cube": ("clopper1934", "agresti2005"),
    "cube_graph": ("clopper1934", "agresti2005"),
    "frequency_follows": ("clopper1934", "agresti2005"),
    "line_attractor": ("clopper1934", "agresti2005"),
    "alike_across": ("szekely2013", "berger1982"),
    "one_mode_or_several": ("vargha2000",),
}
"""Kind of a claim -> sources of the functions that it calls."""
