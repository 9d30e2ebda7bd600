"""Grid of networks, with crossed axes, and the identity of one network."""

import math
from functools import cached_property
from operator import getitem
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    create_model,
    field_serializer,
    field_validator,
    model_serializer,
)
from pydantic_core import PydanticCustomError, core_schema

from rnnstudy.cells import AnyCell, Cell
from rnnstudy.core.component import Address, Component
from rnnstudy.core.errors import spec_error, validation_error
from rnnstudy.tasks import AnyTask
from rnnstudy.training.protocol import Training

SEED_LIMIT = 2**31
NETWORK_LIMIT = 100_000


class Axis:
    """Marker of a tuple field, which is one value or a list of different values in a spec."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        checked = core_schema.no_info_after_validator_function(_different, handler(source))
        return core_schema.no_info_before_validator_function(_as_tuple, checked)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema) | {"minItems": 1, "uniqueItems": True}
        return {"anyOf": [listed["items"], listed]}


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise PydanticCustomError("empty_axis", "is empty; it should list at least one value")
    first: dict[str, int] = {}
    twice = [i for i, value in enumerate(values) if first.setdefault(_identity(value), i) < i]
    if twice:
        raise validation_error(
            "axis", [spec_error("twice", "is listed twice", (i,), values[i]) for i in twice]
        )
    return values


def _identity(value: Any) -> str:
    """Return a text that equal values have in common. A cell may have axes of its own."""
    axes = [
        name for name in CELL_AXES if isinstance(value, Cell) and name in value.model_fields_set
    ]
    return f"{value!r} {axes}"


def axis(
    owner: type[Component],
    name: str,
    note: str = "One value, or a list for an axis of the grid.",
) -> tuple[Any, Any]:
    """Return an axis over a field of another component; the note follows its description."""
    field = owner.model_fields[name]
    alone = Field(description=field.description)
    item: Any = getitem(Annotated, (field.annotation, *field.metadata, alone))
    default = (field.default,) if owner is Cell else None
    described = f"{field.description} {note}"
    return Annotated[tuple[item, ...], Axis()], Field(default, description=described)


CELL_AXES = {"activation": "activations", "units": "units"}
"""Field of a cell -> axis of the grid that gives it, unless the cell does."""

Seed = Annotated[int, Field(ge=0, lt=SEED_LIMIT)]


class _Networks(Component):
    """The grid: every cell with every activation, number of units, seed, and training axis.

    A cell with an activation or units of its own has these alone.
    """

    former_fields: ClassVar[dict[str, str]] = Training.former_fields

    cells: Annotated[tuple[AnyCell, ...], Axis()]
    """Cells by name, or as mappings with fields of their own: `{kind: gru, reset_after: false}`."""

    seeds: Annotated[tuple[Seed, ...], Axis()] = (0,)
    """Seeds of the networks in each combination: a number of them (from 0 on), or a list."""

    include: tuple[dict[str, Any], ...] = ()
    """Combinations to train, each as fields with a value or a list of values; default: all."""

    exclude: tuple[dict[str, Any], ...] = ()
    """Combinations to leave out, each as fields with a value or a list of values."""

    @field_validator("cells")
    @classmethod
    def _cells_are_told_apart(cls, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        errors = []
        classes: dict[str, type] = {}
        for i, cell in enumerate(cells):
            if classes.setdefault(title(cell), type(cell)) is not type(cell):
                message = f"is another class called {title(cell)!r}; rename one of the two"
                errors.append(spec_error("namesake", message, (i,)))
        if errors:
            raise validation_error("cells", errors)
        return cells

    @field_serializer("cells", mode="wrap")
    def _cells_without_axes(
        self, cells: tuple[Cell, ...], handler: SerializerFunctionWrapHandler
    ) -> list[dict[str, Any]]:
        return [
            {
                name: part
                for name, part in fields.items()
                if name not in CELL_AXES or name in cell.model_fields_set
            }
            for cell, fields in zip(cells, handler(cells), strict=True)
        ]

    @field_serializer("seeds")
    def _number_of_seeds(self, seeds: tuple[int, ...]) -> int | list[int]:
        return len(seeds) if seeds == tuple(range(len(seeds))) else list(seeds)

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_by_number(cls, seeds: Any) -> Any:
        if type(seeds) is not int:
            return seeds
        if not 1 <= seeds <= NETWORK_LIMIT:
            message = f"is {seeds}; a number of seeds should be at least 1, at most {NETWORK_LIMIT}"
            raise validation_error("seeds", [spec_error("seeds", message)])
        return tuple(range(seeds))

    @model_serializer(mode="wrap")
    def _without_unused_axes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self).items()
        return {name: values for name, values in fields if values is not None and values != []}

    @property
    def training_axes(self) -> dict[str, tuple[Any, ...]]:
        """Training fields that the grid gives -> their values."""
        values = {name: getattr(self, name) for name in Training.model_fields}
        return {name: axis for name, axis in values.items() if axis is not None}

    @property
    def size(self) -> int:
        """Number of networks per task and protocol, with the excluded ones."""
        count = len(self.seeds) * sum(
            math.prod(len(self.values_of(cell, name)) for name in CELL_AXES) for cell in self.cells
        )
        return count * math.prod(map(len, self.training_axes.values()))

    def values_of(self, cell: Cell, name: str) -> tuple[Any, ...]:
        """Return the activations or the units of a cell: its own, or those of the grid."""
        if name in cell.model_fields_set:
            return (getattr(cell, name),)
        return self.axis(CELL_AXES[name])

    def axis(self, name: str) -> tuple[Any, ...]:
        """Return the values of an axis."""
        values: tuple[Any, ...] = getattr(self, name)
        return values


if TYPE_CHECKING:
    Networks = _Networks
else:
    Networks = create_model(
        "Networks",
        __base__=_Networks,
        __doc__=_Networks.__doc__,
        __module__=__name__,
        activations=axis(Cell, "activation"),
        units=axis(Cell, "units"),
        **{name: axis(Training, name) for name in Training.model_fields},
    )


def title(cell: Cell) -> str:
    """Return the name of a cell in names of networks and in the report."""
    return cell.kind.rpartition(":")[2].lower()


class NetworkSpec(Component):
    """Identity of one network. Its key is the address of the network.

    Examples
    --------
    >>> from rnnstudy.study.spec.networks import NetworkSpec
    >>> from rnnstudy.tasks import FlipFlop
    >>> NetworkSpec(task=FlipFlop()).key() == NetworkSpec(task=FlipFlop(bits=2)).key()
    False
    """

    task: AnyTask
    """Its task."""

    def key(self, *inputs: str) -> Address:
        """Return the address of the network, or of a result with further inputs."""
        return super().key(*inputs) if inputs else self._address

    @cached_property
    def _address(self) -> Address:
        return super().key()


class TrainedNetworkSpec(NetworkSpec):
    """Identity of one trained network. Its key is the address of the training's result.

    Examples
    --------
    >>> from rnnstudy.study.spec.study import study_of
    >>> spec = {"study": "a", "tasks": ["flip_flop"], "networks": {"cells": "gru"}}
    >>> ((member, network),) = study_of(spec).expand()
    >>> network.seed, network.cell.units
    (0, 32)
    """

    version: ClassVar[int] = 2

    cell: AnyCell
    """Its cell."""

    training: Training
    """Its training protocol."""

    seed: Seed
    """Seed of its initial weights, data and noise."""

    def initial_key(self) -> Address:
        """Return the address of the network before training, which protocols have in common.

        A training that may be tried again with other seeds has initial weights of its own.
        """
        if self.training.retry:
            return self.key()
        return InitialNetworkSpec(task=self.task, cell=self.cell, seed=self.seed).key()


class InitialNetworkSpec(NetworkSpec):
    """Identity of one network before training.

    Examples
    --------
    >>> from rnnstudy.cells.gru import GRU
    >>> from rnnstudy.tasks import FlipFlop
    >>> fields = {"task": FlipFlop(), "cell": GRU(units=4), "seed": 0}
    >>> initial = InitialNetworkSpec(**fields)
    >>> network = TrainedNetworkSpec(**fields, training=Training(steps=1))
    >>> network.initial_key() == initial.key()
    True
    """

    cell: AnyCell
    """Its cell."""

    seed: Seed
    """Seed of its initial weights."""
