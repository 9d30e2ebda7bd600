"""Overrides of fields for a part of the grid."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field, field_validator
from pydantic_core import InitErrorDetails

from rnnstudy.analyses.conditions import has_values
from rnnstudy.cells import Cell
from rnnstudy.cells.check import cell_error
from rnnstudy.core.component import Component
from rnnstudy.core.errors import SettingError, reraise_below, spec_error, unknown_key
from rnnstudy.study.spec.grid import NO_POINT, Combination, where_mistakes
from rnnstudy.study.spec.networks import Networks, title
from rnnstudy.training.protocol import Training


class Change(Component):
    """Fields that an override gives new values.

    Examples
    --------
    >>> from rnnstudy.study.spec.overrides import Change
    >>> Change(training={"steps": 100}).training
    {'steps': 100}
    """

    cell: dict[str, Any] = Field({})
    """Fields of the cell."""

    training: dict[str, Any] = Field({})
    """Fields of the training protocol."""

    @field_validator("training")
    @classmethod
    def _training_exists(cls, training: dict[str, Any]) -> dict[str, Any]:
        return known_training(training)


def known_training(training: dict[str, Any]) -> dict[str, Any]:
    """Return training fields under their current names; ValidationError if one is wrong."""
    training = dict(Training.current_fields(training))
    Training.model_validate(training)
    return training


class Override(Component):
    """Other fields for a part of the grid; later overrides win over earlier ones.

    Examples
    --------
    >>> from rnnstudy.study.spec.overrides import Override
    >>> override = Override(where={"cell": "gru"}, set={"training": {"steps": 100}})
    >>> override.matches({"cell": "gru", "units": 32})
    True
    """

    where: dict[str, Any] = Field({})
    """Networks to change: fields that the grid varies (task, cell, units, seed, ...), each with
    a value or a list of values; empty for all networks."""

    set: Change
    """New values of fields."""

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """Return whether a network with these grid fields matches `where`."""
        return has_values(fields, self.where)


def apply_overrides(
    combination: Combination, overrides: Sequence[Override]
) -> tuple[Cell, Training]:
    """Return cell and training protocol of a combination after the overrides that match it."""
    cell: dict[str, Any] = {}
    training: dict[str, Any] = {}
    for override in overrides:
        cell |= override.set.cell
        training |= override.set.training
    return combination.cell.replace(**cell), combination.training.replace(**training)


def override_errors(
    overrides: Sequence[Override], grid: Sequence[Combination], networks: Networks
) -> list[InitErrorDetails]:
    """Return the errors of overrides: fields that the grid lacks, values that no network has."""
    errors: list[InitErrorDetails] = []
    for i, override in enumerate(overrides):
        known = _known_values(grid, networks.seeds)
        wrong = list(where_mistakes(override.where, known, ("where",)))
        matched = [] if wrong else [c for c in grid if _matches(override, c, networks.seeds)]
        if matched:
            wrong = list(set_mistakes(override.set, matched, networks, ("set",)))
            if not override.set.cell and not override.set.training:
                message = "changes nothing; give it 'cell' or 'training'"
                wrong = [spec_error("sets_nothing", message, ("set",))]
        elif not wrong:
            wrong = [spec_error("no_match", NO_POINT, ("where",))]
        errors += [InitErrorDetails(**{**error, "loc": (i, *error["loc"])}) for error in wrong]
    return errors


def _matches(override: Override, combination: Combination, seeds: Sequence[int]) -> bool:
    return any(override.matches({**combination.fields, "seed": seed}) for seed in seeds)


def _known_values(grid: Sequence[Combination], seeds: Sequence[int]) -> dict[str, dict[Any, None]]:
    """Return the fields of the networks of a grid -> their values."""
    known = {name: dict.fromkeys(c.fields[name] for c in grid) for name in grid[0].fields}
    return known | {"seed": dict.fromkeys(seeds)}


def set_mistakes(
    change: Change, matched: Sequence[Combination], networks: Networks, loc: tuple[str, ...]
) -> Iterator[InitErrorDetails]:
    """Yield the errors of new values of fields for some combinations, below a location."""
    for name in change.training:
        if name in networks.training_axes:
            message = f"is an axis of the grid; change networks.{name}"
            yield spec_error("axis_set", message, (*loc, "training", name))
    yield from _cell_mistakes(change.cell, matched, (*loc, "cell"))


def _cell_mistakes(
    fields: Mapping[str, Any], matched: Sequence[Combination], at: tuple[str, ...]
) -> Iterator[InitErrorDetails]:
    cells = {title(c.cell): c for c in matched}
    all_fields = dict.fromkeys(n for c in cells.values() for n in type(c.cell).model_fields)
    axes = {"units": "networks.units", "activation": "networks.activations"}
    for c in cells.values():
        axes |= dict.fromkeys(
            c.named & type(c.cell).model_fields.keys() - axes.keys(), "networks.cells"
        )
    usable: dict[str, Any] = {}
    for name, value in fields.items():
        loc = (*at, name)
        without = [t for t, c in cells.items() if name not in type(c.cell).model_fields]
        if len(without) == len(cells):
            known = [known for known in all_fields if known not in axes]
            yield unknown_key(name, known, value, at)
        elif without:
            others = ", ".join(t for t in cells if t not in without)
            message = (
                f"is not a field of {', '.join(without)}, which 'where' also matches; "
                f"add 'cell: [{others}]' to it"
            )
            yield spec_error("lacks_field", message, loc)
        elif name in axes:
            yield spec_error("axis_set", f"is an axis of the grid; change {axes[name]}", loc)
        else:
            usable[name] = value
    yield from _value_mistakes(usable, matched, at)


def _value_mistakes(
    fields: Mapping[str, Any], matched: Sequence[Combination], at: tuple[str, ...]
) -> Iterator[InitErrorDetails]:
    reported: set[tuple[str | int, ...]] = set()
    for combination in matched:
        try:
            cell = combination.cell.replace(**fields)
        except SettingError as error:
            for each in error.validation.errors(include_url=False):
                if each["loc"] not in reported:
                    reported.add(each["loc"])
                    yield reraise_below(each, at)
            continue
        wrong = cell_error(cell, combination.task.inputs) if fields else ""
        if wrong and () not in reported:
            reported.add(())
            yield spec_error("cell", f"makes a cell that cannot be used: {wrong}", at)
