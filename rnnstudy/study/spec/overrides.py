"""Overrides of fields for a part of the grid."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_core import InitErrorDetails

from rnnstudy.analyses.conditions import as_tuple, equal_values, has_values
from rnnstudy.cells import Cell
from rnnstudy.cells.base import cell_error
from rnnstudy.core.component import Component
from rnnstudy.core.errors import reraise_below, spec_error, suggestion, unknown_key
from rnnstudy.study.spec.grid import Combination, as_text
from rnnstudy.study.spec.networks import Networks, title
from rnnstudy.study.spec_text.document import quote_value
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
        wrong = list(_where_mistakes(override, grid, networks.seeds))
        matched = [] if wrong else [c for c in grid if _matches(override, c, networks.seeds)]
        if matched:
            wrong = list(_set_mistakes(override.set, matched, networks))
        elif not wrong:
            message = "matches no network: no point of the grid has all these values"
            wrong = [spec_error("no_match", message, ("where",))]
        errors += [InitErrorDetails(**{**error, "loc": (i, *error["loc"])}) for error in wrong]
    return errors


def _matches(override: Override, combination: Combination, seeds: Sequence[int]) -> bool:
    return any(override.matches({**combination.fields, "seed": seed}) for seed in seeds)


def _where_mistakes(
    override: Override, grid: Sequence[Combination], seeds: Sequence[int]
) -> Iterator[InitErrorDetails]:
    known = {name: dict.fromkeys(c.fields[name] for c in grid) for name in grid[0].fields}
    known["seed"] = dict.fromkeys(seeds)
    for name, wanted in override.where.items():
        if name not in known:
            yield unknown_key(name, known, wanted, ("where",))
            continue
        for k, value in enumerate(as_tuple(wanted)):
            if not any(equal_values(value, other) for other in known[name]):
                loc = ("where", name, k) if isinstance(wanted, tuple) else ("where", name)
                yield spec_error("not_in_grid", _not_in_grid(value, list(known[name])), loc, value)


def _not_in_grid(value: Any, known: Sequence[Any]) -> str:
    listed = ", ".join(as_text(each) for each in known[:12])
    more = ", ..." if len(known) > 12 else ""
    words = [each for each in known if isinstance(each, str)]
    hint = suggestion(value, words) if isinstance(value, str) else ""
    return f"is {quote_value(value)}, which no network has; in the grid: {listed}{more}{hint}"


def _set_mistakes(
    change: Change, matched: Sequence[Combination], networks: Networks
) -> Iterator[InitErrorDetails]:
    if not change.cell and not change.training:
        yield spec_error("sets_nothing", "changes nothing; give it 'cell' or 'training'", ("set",))
    for name in change.training:
        if name in networks.training_axes:
            message = f"is an axis of the grid; change networks.{name}"
            yield spec_error("axis_set", message, ("set", "training", name))
    yield from _cell_mistakes(change.cell, matched)


def _cell_mistakes(
    fields: Mapping[str, Any], matched: Sequence[Combination]
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
        loc = ("set", "cell", name)
        without = [t for t, c in cells.items() if name not in type(c.cell).model_fields]
        if len(without) == len(cells):
            known = [known for known in all_fields if known not in axes]
            yield unknown_key(name, known, value, ("set", "cell"))
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
    yield from _value_mistakes(usable, matched)


def _value_mistakes(
    fields: Mapping[str, Any], matched: Sequence[Combination]
) -> Iterator[InitErrorDetails]:
    reported: set[tuple[str | int, ...]] = set()
    for combination in matched:
        try:
            cell = combination.cell.replace(**fields)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                if each["loc"] not in reported:
                    reported.add(each["loc"])
                    yield reraise_below(each, ("set", "cell"))
            continue
        wrong = cell_error(cell, combination.task.inputs) if fields else ""
        if wrong and () not in reported:
            reported.add(())
            yield spec_error("cell", f"makes a cell that cannot be used: {wrong}", ("set", "cell"))
