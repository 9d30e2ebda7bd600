"""Combinations of the axes of a grid, and names of its networks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from pydantic_core import InitErrorDetails

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.conditions import Where, as_tuple, equal_values, has_values
from rnnstudy.cells import Cell
from rnnstudy.cells.check import cell_error
from rnnstudy.core.component import Component, Entry
from rnnstudy.core.errors import SettingError, spec_error, suggestion, unknown_key
from rnnstudy.study.spec.networks import CELL_AXES, NETWORK_LIMIT, Networks, title
from rnnstudy.study.spec_text.document import quote_value
from rnnstudy.tasks import Task
from rnnstudy.training.protocol import Training

ALWAYS_NAMED = frozenset({"task", "cell", "activation", "units", "protocol"})
"""Fields whose values stand in a network's name without the name of the field."""


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
    tasks: Sequence[Task],
    networks: Networks,
    training: Training,
    protocols: Sequence[str] = (),
) -> list[Combination]:
    """Return all combinations in a fixed order.

    The order of the axes is: tasks, cells, activations, units, protocols, training axes.
    """
    differing, tabled = differing_fields(networks.cells), tabled_fields(networks)
    varied = _varied_axes(networks)
    return [
        Combination(
            task=point.task,
            cell=point.cell.replace(
                activation=point.fields["activation"], units=point.fields["units"]
            ),
            training=training.replace(**{n: point.fields[n] for n in networks.training_axes}),
            fields=point.fields,
            named=frozenset(ALWAYS_NAMED | varied | differing[title(point.cell)].keys()),
            tabled=tabled,
        )
        for point in grid_points(tasks, networks, protocols)
        if is_included(point.fields, networks)
    ]


def _varied_axes(networks: Networks) -> frozenset[str]:
    """Return the training axes with several values."""
    return frozenset(name for name, values in networks.training_axes.items() if len(values) > 1)


def tabled_fields(networks: Networks) -> frozenset[str]:
    """Return the fields of a grid that are columns of the table of networks, but for the seed."""
    special = {name for names in differing_fields(networks.cells).values() for name in names}
    return ALWAYS_NAMED | _varied_axes(networks) | special


def fields_of_networks(
    tasks: Sequence[Task], networks: Networks, protocols: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield the fields of all networks, as `Member.fields`, without building their cells."""
    tabled = tabled_fields(networks)
    for point in grid_points(tasks, networks, protocols):
        if is_included(point.fields, networks):
            fields = {name: v for name, v in point.fields.items() if name in tabled}
            yield from ({**fields, "seed": seed} for seed in networks.seeds)


class GridPoint(NamedTuple):
    """One point of the product of the axes, included or not."""

    task: Task
    cell: Cell
    """Cell as the spec lists it."""
    fields: dict[str, Any]
    """Every grid field but the seed -> its value here, in the order of names and tables."""


def grid_points(
    tasks: Sequence[Task], networks: Networks, protocols: Sequence[str] = ()
) -> Iterator[GridPoint]:
    """Yield all points of the grid, excluded ones too. Fields have no protocol without any."""
    axes = networks.training_axes
    special = {n: None for names in differing_fields(networks.cells).values() for n in names}
    for task, cell in product(tasks, networks.cells):
        of_cell = {name: _plain(getattr(cell, name, None)) for name in special}
        activations, units = (networks.values_of(cell, name) for name in CELL_AXES)
        for activation, size, protocol, *values in product(
            activations, units, protocols or ("",), *axes.values()
        ):
            named = {"task": task.title, "cell": title(cell)}
            named |= {"activation": activation, "units": size}
            named |= {"protocol": protocol} if protocols else {}
            chosen = dict(zip(axes, values, strict=True))
            yield GridPoint(task, cell, named | of_cell | chosen)


def is_included(fields: Mapping[str, Any], networks: Networks) -> bool:
    """Return whether a point of the grid is included and not excluded."""
    if networks.include and not any(_matches(fields, where) for where in networks.include):
        return False
    return not any(_matches(fields, where) for where in networks.exclude)


def _matches(fields: Mapping[str, Any], where: Where) -> bool:
    return where.keys() <= fields.keys() and has_values(fields, where)


def differing_fields(cells: Sequence[Cell]) -> dict[str, dict[str, None]]:
    """Return title -> fields in which cells of that title differ, in order (without values)."""
    differing: dict[str, dict[str, None]] = {}
    for cell in cells:
        alike = [other for other in cells if title(other) == title(cell)]
        differing[title(cell)] = {
            name: None
            for name in type(cell).model_fields
            if name not in CELL_AXES
            and any(getattr(other, name) != getattr(cell, name) for other in alike)
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
        as_text(value) if name in ALWAYS_NAMED else f"{name}={as_text(value)}"
        for name, value in combination.fields.items()
        if name in combination.named
    ]
    fields = {n: value for n, value in combination.fields.items() if n in combination.tabled}
    return Member("-".join([*words, f"s{seed:03d}"]), {**fields, "seed": seed})


def grid_errors(networks: Networks, tasks: Sequence[Task] | None) -> Iterator[InitErrorDetails]:
    """Yield the errors of a grid for these tasks. None: the tasks are wrong themselves."""
    count = networks.size * (1 if tasks is None else len(tasks))
    if count > NETWORK_LIMIT:
        yield spec_error("too_many", too_many(count))
        return
    yield from _axis_errors(networks)
    inputs = sorted({task.inputs for task in tasks or ()})
    for i, cell in enumerate(networks.cells):
        wrong = _cell_mistake(cell, networks, inputs)
        if wrong:
            yield spec_error("cell", f"cannot be used: {wrong}", ("cells", i))
    if tasks is not None:
        yield from condition_errors(tasks, networks, None)


def too_many(count: int) -> str:
    """Return the error of a grid with too many networks."""
    return f"asks for {count} networks; a study has at most {NETWORK_LIMIT}"


def _axis_errors(networks: Networks) -> Iterator[InitErrorDetails]:
    """Yield errors of cells that give the same networks, and of axes that no cell takes."""
    for name, plural in CELL_AXES.items():
        if plural in networks.model_fields_set and all(
            name in cell.model_fields_set for cell in networks.cells
        ):
            yield spec_error("elsewhere", f"is not used: every cell has {name}", (plural,))
    first: dict[str, int] = {}
    for i, cell in enumerate(networks.cells):
        points = [repr(fields) for fields in _fields_of(cell, networks)]
        others = [first[point] for point in points if first.setdefault(point, i) != i]
        if others:
            message = f"gives networks that networks.cells[{others[0]}] gives, too"
            yield spec_error("twice", message, ("cells", i))


def _fields_of(cell: Cell, networks: Networks) -> Iterator[dict[str, Any]]:
    """Yield the fields of the networks of one cell, without tasks and training axes."""
    special = {n: None for names in differing_fields(networks.cells).values() for n in names}
    for activation, units in _axes_of(cell, networks):
        fields = {"cell": title(cell), "activation": activation, "units": units}
        yield fields | {name: _plain(getattr(cell, name, None)) for name in special}


def _axes_of(cell: Cell, networks: Networks) -> Iterator[tuple[Any, Any]]:
    """Yield the activations and units of a cell."""
    return product(*(networks.values_of(cell, name) for name in CELL_AXES))


def condition_errors(
    tasks: Sequence[Task], networks: Networks, protocols: Sequence[str] | None
) -> Iterator[InitErrorDetails]:
    """Yield the errors of `include` and `exclude`.

    protocols: names of the protocols; None if they are not known yet. Then conditions on them are
    not checked, otherwise only these.
    """
    listed = [
        (section, i, where)
        for section in ("include", "exclude")
        for i, where in enumerate(getattr(networks, section))
        if ("protocol" in where) == (protocols is not None)
    ]
    points = [p.fields for p in grid_points(tasks, networks, protocols or ())] if listed else []
    for section, i, where in listed:
        known = {name: dict.fromkeys(point[name] for point in points) for name in points[0]}
        wrong = list(where_mistakes(where, known, (section, i)))
        if not wrong and not any(has_values(point, where) for point in points):
            wrong = [spec_error("no_match", NO_POINT, (section, i))]
        yield from wrong


NO_POINT = "matches no network: no point of the grid has all these values"


def where_mistakes(
    where: Where, known: Mapping[str, Iterable[Any]], loc: tuple[str | int, ...]
) -> Iterator[InitErrorDetails]:
    """Yield the errors of a condition: unknown fields, and values that no network has."""
    for name, wanted in where.items():
        if name not in known:
            yield unknown_key(name, list(known), wanted, loc)
            continue
        values = list(known[name])
        for k, value in enumerate(as_tuple(wanted)):
            if not any(equal_values(value, other) for other in values):
                at = (*loc, name, k) if isinstance(wanted, tuple) else (*loc, name)
                yield spec_error("not_in_grid", _not_in_grid(value, values), at, value)


def _not_in_grid(value: Any, known: Sequence[Any]) -> str:
    listed = ", ".join(as_text(each) for each in known[:12])
    more = ", ..." if len(known) > 12 else ""
    words = [each for each in known if isinstance(each, str)]
    hint = suggestion(value, words) if isinstance(value, str) else ""
    return f"is {quote_value(value)}, which no network has; in the grid: {listed}{more}{hint}"


def _cell_mistake(cell: Cell, networks: Networks, inputs: Sequence[int]) -> str:
    """Return why a cell cannot be used somewhere in the grid; empty if it can."""
    for activation, units in _axes_of(cell, networks):
        try:
            built = cell.replace(activation=activation, units=units)
        except SettingError as error:
            first = error.validation.errors(include_url=False)[0]
            return str(first.get("ctx", {}).get("error", first["msg"]))
        wrong = next(filter(None, (cell_error(built, each) for each in inputs)), "")
        if wrong:
            return wrong
    return ""
