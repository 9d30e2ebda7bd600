"""From the axes of a study to its networks, each with a name."""

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
    """Those that a network's name lists."""
    tabled: frozenset[str]
    """Those that differ somewhere in the grid and enter the table of networks."""


def combinations(
    tasks: Sequence[Task], networks: Networks, training: Training
) -> list[Combination]:
    """In a fixed order: tasks, cells, activations, units, training axes."""
    axes = networks.training_axes
    always = {"task", "cell", "activation", "units"}
    varied = {name for name, values in axes.items() if len(values) > 1}
    differing = _differing(networks.cells)
    everywhere = {name: None for names in differing.values() for name in names}
    found = []
    for task, cell, activation, units, *values in product(
        tasks, networks.cells, networks.axis("activations"), networks.axis("units"), *axes.values()
    ):
        chosen = dict(zip(axes, values, strict=True))
        own = {"task": task.title, "cell": title(cell), "activation": activation, "units": units}
        special = {name: _plain(getattr(cell, name, None)) for name in everywhere}
        found.append(
            Combination(
                task=task,
                cell=cell.changed(activation=activation, units=units),
                training=training.changed(**chosen),
                fields=own | special | chosen,
                named=frozenset(always | varied | differing[title(cell)].keys()),
                tabled=frozenset(always | varied | everywhere.keys()),
            )
        )
    return found


def _differing(cells: Sequence[Cell]) -> dict[str, dict[str, None]]:
    """Title -> fields in which cells of that title differ, in order (the values mean nothing)."""
    found: dict[str, dict[str, None]] = {}
    for cell in cells:
        alike = [other for other in cells if title(other) == title(cell)]
        found[title(cell)] = {
            name: None
            for name in type(cell).model_fields
            if any(getattr(other, name) != getattr(cell, name) for other in alike)
        }
    return found


def _plain(value: Any) -> Any:
    """A field's value as a table or a name can hold it: components and tuples as text."""
    if isinstance(value, Component):
        given = {
            name: getattr(value, name)
            for name, field in type(value).model_fields.items()
            if getattr(value, name) != field.default
        }
        words = [f"{name}={as_text(part)}" for name, part in given.items()]
        return "_".join([*([value.kind] if isinstance(value, Entry) else []), *words])
    if isinstance(value, tuple | list):
        return "_".join(as_text(part) for part in value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def as_text(value: Any) -> str:
    """A value as part of a file's name."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"[^A-Za-z0-9_.=+-]", "_", str(_plain(value)))


def member(combination: Combination, seed: int) -> Member:
    """Who the network at a grid point with this seed is."""
    words = [
        as_text(value)
        if name in ("task", "cell", "activation", "units")
        else f"{name}={as_text(value)}"
        for name, value in combination.fields.items()
        if name in combination.named
    ]
    fields = {n: value for n, value in combination.fields.items() if n in combination.tabled}
    return Member("-".join([*words, f"s{seed:03d}"]), {**fields, "seed": seed})


def grid_mistakes(networks: Networks, tasks: Sequence[Task] | None) -> Iterator[InitErrorDetails]:
    """What is wrong with a grid of networks for these tasks; None: they are wrong themselves."""
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
    """What is wrong with a cell, which may be the user's own, at some place of the grid."""
    for activation, units in product(networks.axis("activations"), networks.axis("units")):
        built = cell.changed(activation=activation, units=units)
        wrong = next(filter(None, (cell_error(built, each) for each in inputs)), "")
        if wrong:
            return wrong
    return ""
