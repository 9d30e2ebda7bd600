"""Methods of a study in words, generated from its resolved spec."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from rnnstudy.analyses import Analysis
from rnnstudy.analyses.base import Member
from rnnstudy.analyses.training_summary import solved_criterion
from rnnstudy.core.component import Component, lower_first, upper_first
from rnnstudy.report.methods.bibliography import Source, known_sources
from rnnstudy.report.methods.sentences import (
    UNSAID,
    claim_sentence,
    condition_in_words,
    join_sentences,
    method_sentence,
    networks_in_words,
    purpose_in_words,
    settings_in_words,
    title_in_words,
    value_in_words,
)
from rnnstudy.report.methods.sources import sources_of
from rnnstudy.report.methods.training import (
    Values,
    override_sentence,
    seeds_sentence,
    selection_sentences,
    training_sentences,
    training_values,
)
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.results.failures import attempt, words_of
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.spec.networks import Networks as Grid
from rnnstudy.study.spec.networks import NetworkSpec
from rnnstudy.study.spec.study import Study
from rnnstudy.study.spec_text.messages import article
from rnnstudy.tasks import Task

Networks = Sequence[tuple[Member, NetworkSpec]]
"""Networks of a study with their names."""

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


def methods_of(study: Study, networks: Networks) -> Methods:
    """Return the methods of a study.

    Parameters
    ----------
    study
        The study, every default filled in.
    networks
        Its networks with their names, with the fields of the training that pilots chose.
    """
    cited: dict[str, Source] = {}
    cite = partial(_cite, cited)
    values = training_values(network for _, network in networks)
    paragraphs = [
        Paragraph("Tasks", join_sentences(_task(task, cite) for task in study.tasks)),
        Paragraph("Networks", join_sentences(_networks(study, len(networks), values, cite))),
        *_training(study, networks, values, cite),
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
    sizes, _ = attempt(
        lambda: (
            f" It has {count_label(task.inputs, 'input')} and "
            f"{count_label(task.outputs, 'output')}."
        ),
        "",
    )
    settings = settings_in_words(task, {*UNSAID, "solved_loss", "solved_accuracy",
                                        "evaluation_trials", "probe_trials"})  # fmt: skip
    purpose, criterion = lower_first(purpose_in_words(task)), solved_criterion(task)
    return (
        f"{upper_first(words_of(task))}{cite([task])}: {purpose}.{sizes} "
        f"Settings: {settings}. A network has solved the task at {article(criterion)} "
        f"on {count_label(task.evaluation_trials, 'fresh trial')} without state noise. Networks "
        f"are compared on {count_label(task.probe_trials, 'probe trial')}, which are the same for "
        "all."
    )


def _networks(study: Study, count: int, values: Values, cite: Any) -> Iterator[str]:
    if study.networks is not None:
        yield from _grid(study.networks, cite)
        yield seeds_sentence(len(study.networks.seeds), values)
        for cell in study.networks.cells:
            if settings := settings_in_words(cell):
                cells = f"{lower_first(words_of(cell))} cells{_unless_changed(study)}"
                yield f"Settings of {cells}: {settings}."
        yield "A linear readout of the visible units gives the outputs."
    if len(study.models) == 1:
        yield "1 trained network was read from a file."
    elif study.models:
        yield f"{len(study.models)} trained networks were read from files."
    yield f"There {'was' if count == 1 else 'were'} {count_label(count, 'network')} in all."


def _unless_changed(study: Study) -> str:
    """Return that settings of cells have exceptions; empty if they have none."""
    layers = [*study.overrides, *(o for protocol in study.protocols for o in protocol.overrides)]
    changed = any(o.set.cell for o in layers) or any(p.cell for p in study.protocols)
    return ", but for changes that the training below makes" if changed else ""


def _grid(grid: Grid, cite: Any) -> Iterator[str]:
    """Yield the cells of a grid, their sizes, and its combinations that were left out."""
    cells = [f"{lower_first(words_of(cell))}{cite([cell])}" for cell in grid.cells]
    kinds = f"{count_label(len(cells), 'kind')} of cells"
    if grid.include or grid.exclude:
        yield f"The grid of networks has {kinds}: {', '.join(cells)}."
    else:
        yield f"On each task, networks of {kinds} were trained: {', '.join(cells)}."
    units = _axis_in_words(grid, "units")
    yield (
        f"Activations were {_axis_in_words(grid, 'activation')}, and networks had {units} "
        f"unit{'' if units == '1' else 's'}."
    )
    for conditions, start in (
        (grid.include, "Of the combinations of the grid, only these were trained"),
        (grid.exclude, "These combinations of the grid were left out"),
    ):
        if conditions:
            yield f"{start}: {'; '.join(map(condition_in_words, conditions))}."


def _axis_in_words(grid: Grid, name: str) -> str:
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


def _training(study: Study, networks: Networks, values: Values, cite: Any) -> Iterator[Paragraph]:
    if study.networks is None:
        return
    sentences = [*training_sentences(values, cite([study.training]))]
    axes = study.networks.training_axes
    sentences += [f"The grid varies {value_in_words(name)}: {value_in_words(tuple(values))}."
                  for name, values in axes.items()]  # fmt: skip
    if study.selection is not None:
        sentences += selection_sentences(study.selection, networks)
    sentences += map(override_sentence, study.overrides)
    yield Paragraph("Training", join_sentences(sentences))
    for protocol in study.protocols:
        fields = {**protocol.training, **protocol.cell}
        start = f"Fields: {value_in_words(fields)}." if fields else ""
        yield Paragraph(
            f"Training protocol {protocol.name}",
            join_sentences([start, *map(override_sentence, protocol.overrides)]),
        )


def _analyses(study: Study, cite: Any) -> Iterator[str]:
    titles = _titles(study)
    if study.networks is not None:
        yield "States, outputs and losses of trained networks were computed in single precision."
    if study.models:
        yield "States of networks from files were computed in the precision of their weights."
    yield "Distances of states, and fixed points and other dynamics, were in double precision."
    for analysis in study.analyses:
        citation = cite([analysis], *FURTHER.get(analysis.kind, ()))
        networks = networks_in_words(analysis, _tasks_of(analysis, study), len(study.tasks))
        yield method_sentence(analysis, networks, titles, citation)


def _titles(study: Study) -> Mapping[str, str]:
    """Return name of an analysis -> its title in words."""
    return {analysis.title: title_in_words(analysis) for analysis in study.analyses}


def _tasks_of(analysis: Analysis, study: Study) -> list[Task]:
    """Return the tasks of a study to which an analysis or a claim, and all it reads, applies."""
    return [
        task
        for task in study.tasks
        if attempt(partial(applies, analysis, task, study.analyses), True)[0]
    ]


FURTHER: Mapping[str, tuple[str, ...]] = {
    "fixed_points": ("sussillo2013", "farrell2015", "chao1984", "levenberg1944", "marquardt1963"),
    "graph_distances": ("mirsky1960",),
    "point_geometry": ("tenenbaum2000",),
    "factor_tests": ("anderson2001", "mcardle2001", "freedman1983"),
    "geometry_against_topology": ("olejnik2003",),
}
"""Kind of an analysis -> sources of the functions that it calls."""


def _claims(study: Study, cite: Any) -> Iterator[str]:
    titles = _titles(study)
    for claim in study.claims:
        citation = cite([claim], *CLAIM_SOURCES.get(claim.kind, ()))
        tasks = _tasks_of(claim, study)
        networks = networks_in_words(claim, tasks, len(study.tasks))
        yield claim_sentence(claim, networks, tasks, titles, citation)
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
