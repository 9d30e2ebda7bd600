"""Base of distances between the states of all networks, and the rows of their matrix."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rnnstudy.analyses.base import (
    OTHER_TASKS,
    Cost,
    Inputs,
    Member,
    Section,
    TaskAnalysis,
    overhead,
)
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.plants import plant_in_states
from rnnstudy.comparison.distances.tiles import PreparedForm, map_in_threads, tile_distances
from rnnstudy.comparison.distances.undefined import undefined_items
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix, Note
from rnnstudy.metrics import AnyMetric, UndefinedMetric
from rnnstudy.metrics.base import Form
from rnnstudy.recordings.windows import Between, steps_within
from rnnstudy.tasks import Task

COLOURED = ("cell", "activation", "protocol")
"""Fields of networks that colours show. There is a protocol if the study has several."""


LABEL_BYTES = 80
"""Bytes of the name of a row in the store, and of what is noted of it."""

INFINITE_ACTIVITY = "the activity on the probe trials is not finite"
"""Reason why a network has no distances."""

CONTROL_OF_NONE = "the trained network has no distances"
"""Reason why a control has no distances."""

MOST_NAMED = 12
"""Largest number of networks that a caption names for one reason."""


class DistanceRow(NamedTuple):
    """Row of a matrix of distances: a network and the input that its states are from."""

    member: Member
    part: int | None
    """Position in `member_inputs()`; None for a network of another task."""
    planted: bool = False
    """True for a planted copy of the states."""

    @property
    def is_control(self) -> bool:
        """True unless the row is a network of the task as the first input has it."""
        return self.part != 0 or self.planted


class AllPairs(TaskAnalysis):
    """Base of analyses of the distances between the states of all networks, under one metric.

    Examples
    --------
    >>> from rnnstudy.analyses.distances.pairs import Pairs
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> Pairs(metric="cka").cost(FlipFlop(), records=10).work
    {'pairs': 45}
    """

    added_fields: ClassVar[Mapping[str, Any]] = {"between": None}

    metric: AnyMetric
    """Metric: svcca, cka, ..."""

    between: Between | None = None
    """Window of the trial whose states are compared: names of its first and its last part, as
    `[stimulus, delay]`, or time steps or texts such as `80ms`, from the beginning of the trial. The
    end of the last part, and a number or time at the end, are left out. Default: all times."""

    @property
    def has_planted_copies(self) -> bool:
        """True if the matrix has a planted copy of each network's first input."""
        return False

    def run(self, task: Task, inputs: Inputs) -> Distances:
        records = list(self._records(inputs))
        rows, activities = [row for row, _ in records], [activity for _, activity in records]
        forms = map_in_threads(partial(self.form_or_reason, task), rows, activities)
        present = compared_rows(rows, [not isinstance(form, str) for form in forms])
        compared = [form for i in present if not isinstance(form := forms[i], str)]
        values = np.full((len(rows), len(rows)), np.nan)
        values[np.ix_(present, present)] = tile_distances(compared, compared, self.metric)
        reasons = [form if isinstance(form, str) else "" for form in forms]
        return self.collect(rows, values, reasons.__getitem__)

    def _records(self, inputs: Inputs) -> Iterable[tuple[DistanceRow, Activity]]:
        """Yield the rows input by input, then planted copies, then networks of other tasks."""
        parts = [inputs[analysis.title] for analysis in self.member_inputs()]
        for part, records in enumerate(parts):
            yield from ((DistanceRow(member, part), record) for member, record in records.items())
        if self.has_planted_copies:
            yield from (
                (DistanceRow(member, 0, planted=True), record)
                for member, record in parts[0].items()
            )
        others = inputs.get(OTHER_TASKS, {})
        yield from ((DistanceRow(member, None), record) for member, record in others.items())

    @abstractmethod
    def label(self, row: DistanceRow) -> str:
        """Return the name of a row of the matrix."""

    def annotate(self, values: Distances, rows: Sequence[DistanceRow]) -> Distances:
        """Return the distances with further properties of each row."""
        return values

    def cost(self, task: Task, records: int) -> Cost:
        return self._cost_of_items(task, records)

    def _cost_of_items(self, task: Task, items: int) -> Cost:
        """Return the cost of all pairs of so many items, and of forms that are stored."""
        samples = task.probe_trials * getattr(task, "probe_length", task.length)
        form = self.metric.stored_bytes(samples)
        stored = form and form + overhead(PreparedForm)
        return cost_of_pairs(items) + Cost(bytes=items * stored)

    def collect(
        self, rows: Sequence[DistanceRow], values: Array, reason: Callable[[int], str]
    ) -> Distances:
        """Return the distances of the rows that have some, and the reasons of the others.

        Parameters
        ----------
        rows
            All rows.
        values
            Distances [row, row]; NaN for a row that is not compared.
        reason
            Position of a row that is not compared -> why it has no form; empty if it has one.
        """
        reasons = {int(i): reason(int(i)) for i in np.flatnonzero(np.isnan(np.diag(values)))}
        present = [i for i in range(len(rows)) if i not in reasons]
        controls = [rows[i].is_control for i in present]
        undefined = undefined_items(values[np.ix_(present, present)], controls)
        reasons |= {present[k]: self._pair_reason(count) for k, count in undefined.items()}
        present = compared_rows(rows, [i not in reasons for i in range(len(rows))])
        left_out = sorted(set(range(len(rows))).difference(present))
        distances = Distances(
            tuple(self.label(rows[i]) for i in present),
            values[np.ix_(present, present)],
            {self.label(rows[i]): reasons.get(i) or CONTROL_OF_NONE for i in left_out},
        )
        return self.annotate(distances, [rows[i] for i in present])

    def _pair_reason(self, count: int) -> str:
        others = "another network" if count == 1 else f"{count} other networks"
        return f"the {self.metric_title} distance to {others} is undefined"

    def form_or_reason(self, task: Task, row: DistanceRow, activity: Activity) -> Form | str:
        """Return the metric's form of a row, or the reason why it has no distances.

        Networks may grow without bound, or stand still. Their distances are undefined.
        """
        if not np.isfinite(activity.states).all():
            return INFINITE_ACTIVITY
        try:
            return self.metric.prepare(self.states(task, activity, row.planted))
        except UndefinedMetric as error:
            sentence, _, _ = " ".join(str(error).split()).partition(". ")
            return f"{self.metric_title} is undefined: {sentence.rstrip('.') or 'no reason given'}"
        except ValueError as error:
            raise ValueError(f"{self.label(row)!r}: {error}") from error

    def states(self, task: Task, activity: Activity, planted: bool = False) -> Any:
        """Return a network's states, or a planted copy, in the shape that the metric takes.

        They keep their precision, from which a metric tells rounding. A metric of driven networks
        takes the inputs, too.
        """
        states, inputs = activity.states, activity.inputs
        if self.between is not None:
            steps = steps_within(self.between, task)
            states, inputs = states[:, steps], inputs[:, steps]
        states = plant_in_states(states) if planted else states
        if self.metric.driven:
            return states, inputs
        return states if self.metric.trajectories else states.reshape(-1, states.shape[-1])

    def window_words(self, task: Task) -> list[str]:
        """Return the part of a form's address that the window decides; none without a window."""
        if self.between is None:
            return []
        steps = steps_within(self.between, task)
        return [f"steps {steps.start} to {steps.stop}"]

    @property
    def metric_title(self) -> str:
        """Name of the metric."""
        return self.metric.kind.rpartition(":")[2].lower()


def compared_rows(rows: Sequence[DistanceRow], has_form: Sequence[bool]) -> list[int]:
    """Return the positions of the rows that are compared.

    They have a form. The network of a control that is made of it has one, too.
    """
    pairs = list(zip(rows, has_form, strict=True))
    lost = {row.member.name for row, has in pairs if not (has or row.is_control)}
    return [
        i
        for i, (row, has) in enumerate(pairs)
        if has and (row.part is None or row.member.name not in lost)
    ]


def cost_of_pairs(items: int) -> Cost:
    """Return the cost of all pairs of so many items, and of their distances in the store."""
    return Cost({"pairs": items * (items - 1) // 2}, 8 * items**2 + LABEL_BYTES * items)


def distance_matrix_exhibit(section: Section, title: str, caption: str) -> Iterable[Exhibit]:
    """Yield the matrix of the distances that the analysis `title` computed.

    If no network has distances, there is a note in its place.
    """
    distances = section.shared[title]
    if not isinstance(distances, Distances):
        return
    heading, left_out = f"{section.words(title)} between networks", left_out_sentences(distances)
    if not distances.labels:
        yield Note(title=heading, text=f"No network has distances.{left_out}")
    else:
        groups = cells_and_activations(section, distances.labels)
        yield Matrix(
            title=heading,
            caption=caption + left_out,
            values=distances.values,
            labels=distances.labels,
            groups=groups,
            value_label="distance",
            finding=nearness_sentence(distances.values, groups),
        )


def nearness_sentence(values: Array, groups: Mapping[str, Sequence[str]]) -> str:
    """Return the mean distances within and between the levels of groupings, as a sentence.

    Parameters
    ----------
    values
        Distances [row, row].
    groups
        Name of a grouping -> level of each row.

    Returns
    -------
    str
        Empty if no grouping has two levels, one of them of two networks.

    Examples
    --------
    >>> distances = np.array([[0, 1, 3], [1, 0, 3], [3, 3, 0.0]])
    >>> nearness_sentence(distances, {"cell": ["gru", "gru", "lstm"]})
    'Mean distance of two networks: 1 with the same cell, 3 with another cell.'
    """
    parts, others = [], ~np.eye(len(values), dtype=bool)
    for name, levels in groups.items():
        # Comparing numbers is much faster than comparing texts, of which there are millions.
        _, code = np.unique(np.array(levels, dtype=str), return_inverse=True)
        same = np.equal.outer(code, code)
        within, between = values[same & others], values[~same]
        if len(within) and len(between):
            parts.append(
                f"{within.mean():.2g} with the same {name}, {between.mean():.2g} with another "
                f"{name}"
            )
    return f"Mean distance of two networks: {'; '.join(parts)}." if parts else ""


def left_out_sentences(distances: Distances) -> str:
    """Return sentences on the items without distances, each after a space; empty if all have some.

    Examples
    --------
    >>> one = Distances(("a",), np.zeros((1, 1)), {"b": "the activity is not finite"})
    >>> left_out_sentences(one)
    ' Left out, because the activity is not finite: b.'
    """
    names: dict[str, list[str]] = {}
    for name, reason in distances.left_out.items():
        names.setdefault(reason, []).append(name)
    return "".join(
        f" Left out, because {reason}: {', '.join(group[:MOST_NAMED])}"
        + f" and {len(group) - MOST_NAMED} more" * (len(group) > MOST_NAMED)
        + "."
        for reason, group in names.items()
    )


def cells_and_activations(section: Section, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the cell, the activation and the protocol of the named members, for colours."""
    fields = {member.name: member.fields for member in section.members}
    keys = [key for key in COLOURED if all(key in fields[name] for name in names)]
    return {key: [str(fields[name][key]) for name in names] for key in keys}
