"""Combinations of the axes of a grid, and names of its networks."""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from pydantic_core import InitErrorDetails

from rnnstudy.analyses.base import Member
from rnnstudy.cells import Cell
from rnnstudy.cells.base import cell_error
from rnnstudy.core.component import Component, Entry
from rnnstudy.core.errors import spec_error
from rnnstudy.study.spec.networks import NETWORK_LIMIT, Networks, title
from rnnstudy.tasks import Task
from rnnstudy.training.protocol import Training


class Combination(NamedTuple):
    """One point of the grid but for the seed, before overrides."""

    task: Task
    cell: Cell
    training: Training
    fields: dict[str, Any]
    """Every grid field but the seed -> its value here, in the order of names and tables."""
    named: frozenset[str]
    """Fields that a network's name lists."""
    tabled: frozenset[str]
    """Fields that differ in the grid, which are columns of the table of networks."""


def combinations(
    tasks: Sequence[Task], networks: Networks, training: Training
) -> list[Combination]:
    """Return all combinations in a fixed order: tasks, cells, activations, units, training axes."""
    axes = networks.training_axes
    always = {"task", "cell", "activation", "units"}
    varied = {name for name, values in axes.items() if len(values) > 1}
    differing = _differing(networks.cells)
    all_special = {name: None for names in differing.values() for name in names}
    grid = []
    for task, cell, activation, units, *values in product(
        tasks, networks.cells, networks.axis("activations"), networks.axis("units"), *axes.values()
    ):
        chosen = dict(zip(axes, values, strict=True))
        named = {"task": task.title, "cell": title(cell), "activation": activation, "units": units}
        special = {name: _plain(getattr(cell, name, None)) for name in all_special}
        grid.append(
            Combination(
                task=task,
                cell=cell.replace(activation=activation, units=units),
                training=training.replace(**chosen),
                fields=named | special | chosen,
                named=frozenset(always | varied | differing[title(cell)].keys()),
                tabled=frozenset(always | varied | all_special.keys()),
            )
        )
    return grid


def _differing(cells: Sequence[Cell]) -> dict[str, dict[str, None]]:
    """Return title -> fields in which cells of that title differ, in order (without values)."""
    differing: dict[str, dict[str, None]] = {}
    for cell in cells:
        alike = [other for other in cells if title(other) == title(cell)]
        differing[title(cell)] = {
            name: None
            for name in type(cell).model_fields
            if any(getattr(other, name) != getattr(cell, name) for other in alike)
        }
    return differing


def _plain(value: Any) -> Any:
    """Return the value of a field for a table or a name: components and tuples as text."""
    if isinstance(value, Component):
        changed = {
            name: getattr(value, name)
            for name, field in type(value).model_fields.items()
            if getattr(value, name) != field.default
        }
        words = [f"{name}={as_text(part)}" for name, part in changed.items()]
        return "_".join([*([value.kind] if isinstance(value, Entry) else []), *words])
    if isinstance(value, tuple | list):
        return "_".join(as_text(part) for part in value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def as_text(value: Any) -> str:
    """Return a value as part of a file name."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"[^A-Za-z0-9_.=+-]", "_", str(_plain(value)))


def member(combination: Combination, seed: int) -> Member:
    """Return name and fields of the network at a grid point with a seed."""
    words = [
        as_text(value)
        if name in ("task", "cell", "activation", "units")
        else f"{name}={as_text(value)}"
        for name, value in combination.fields.items()
        if name in combination.named
    ]
    fields = {n: value for n, value in combination.fields.items() if n in combination.tabled}
    return Member("-".join([*words, f"s{seed:03d}"]), {**fields, "seed": seed})


def grid_errors(networks: Networks, tasks: Sequence[Task] | None) -> Iterator[InitErrorDetails]:
    """Yield the errors of a grid for these tasks. None: the tasks are wrong themselves."""
    count = networks.size * (1 if tasks is None else len(tasks))
    if count > NETWORK_LIMIT:
        yield spec_error(
            "too_many", f"asks for {count} networks; a study has at most {NETWORK_LIMIT}"
        )
        return
    inputs = sorted({task.inputs for task in tasks or ()})
    for i, cell in enumerate(networks.cells):
        wrong = _cell_mistake(cell, networks, inputs)
        if wrong:
            yield spec_error("cell", f"cannot be used: {wrong}", ("cells", i))


def _cell_mistake(cell: Cell, networks: Networks, inputs: Sequence[int]) -> str:
    """Return why a cell cannot be used somewhere in the grid; empty if it can."""
    for activation, units in product(networks.axis("activations"), networks.axis("units")):
        built = cell.replace(activation=activation, units=units)
        wrong = next(filter(None, (cell_error(built, each) for each in inputs)), "")
        if wrong:
            return wrong
    return ""
