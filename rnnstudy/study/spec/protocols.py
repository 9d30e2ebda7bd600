"""Protocols: named ways to initialise and train networks, which are a factor of the grid."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, core_schema

from rnnstudy.cells import Cell
from rnnstudy.core.component import Component
from rnnstudy.core.errors import spec_error, suggestion, validation_error
from rnnstudy.study.spec.grid import (
    Combination,
    combinations,
    differing_fields,
    too_many,
)
from rnnstudy.study.spec.networks import NETWORK_LIMIT, Networks, title
from rnnstudy.study.spec.overrides import (
    Change,
    Override,
    known_training,
    override_errors,
    set_mistakes,
)
from rnnstudy.tasks import Task
from rnnstudy.training.protocol import Training

BUILT_IN = ("standard",)
"""Protocols of this package."""

STANDARD_TRAINING = (
    "steps",
    "batch",
    "learning_rate",
    "final_rate",
    "clip_norm",
    "l2",
    "state_noise",
    "train_initial_state",
)
"""Training fields that the standard protocol gives."""


class NamedProtocol(Component):
    """A named way to initialise and train networks: a value of the grid's factor `protocol`.

    It begins with the fields of `training` and `overrides` of the spec, which all protocols have in
    common. Its own fields win over these. Its own overrides win over its fields.

    Examples
    --------
    >>> from rnnstudy.study.spec.study import study_of
    >>> spec = {"study": "a", "tasks": ["flip_flop"], "networks": {"cells": "gru"}}
    >>> spec["protocols"] = [{"name": "noisy", "training": {"state_noise": 0.05}}, "standard"]
    >>> for member, network in study_of(spec).expand():
    ...     print(member.name, network.training.state_noise, network.cell.gate_bias)
    flip_flop-gru-tanh-32-noisy-s000 0.05 1.0
    flip_flop-gru-tanh-32-standard-s000 0.0 0.0
    """

    kind: Literal["standard"] | None = None
    """`standard`: the protocol of this package, with the fields below in addition. It is written
    out as overrides when the spec is read."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=50)]
    """Name in names of networks, tables and conditions; default: the kind."""

    training: dict[str, Any] = Field({})
    """Fields of the training protocol."""

    cell: dict[str, Any] = Field({})
    """Fields of the cells, such as initialisers. Cells without a field stay as they are."""

    overrides: tuple[Override, ...] = ()
    """Other fields for parts of the protocol's networks; later ones win."""

    @model_validator(mode="before")
    @classmethod
    def _named_by_kind(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("kind") in BUILT_IN:
            return {"name": data["kind"], **data}
        return data

    @field_validator("training")
    @classmethod
    def _training_exists(cls, training: dict[str, Any]) -> dict[str, Any]:
        return known_training(training)

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: part for name, part in handler(self).items() if part}

    def layers(self, cells: Sequence[Cell]) -> tuple[Override, ...]:
        """Return all changes of the protocol as overrides, in order, for the cells of a grid."""
        common = [Override(set=Change(training=self.training))] if self.training else []
        parts = [_of_cells(name, {name: value}, cells) for name, value in self.cell.items()]
        return (*common, *parts, *self.overrides)

    def written_out(self, grid: Sequence[Combination], networks: Networks) -> "NamedProtocol":
        """Return the same protocol without a kind: its fields and those of the kind as overrides.

        Axes of the grid keep their values.

        Parameters
        ----------
        grid
            Combinations of the protocol.
        networks
            The axes.
        """
        if self.kind is None:
            return self
        changes = [*_standard_training(grid, networks), *_standard_cells(grid, networks)]
        return NamedProtocol(
            name=self.name, overrides=(*changes, *self.layers([c.cell for c in grid]))
        )


def _of_cells(name: str, fields: dict[str, Any], cells: Sequence[Cell]) -> Override:
    """Return the override of fields for the cells that have a field."""
    having = dict.fromkeys(title(cell) for cell in cells if name in type(cell).model_fields)
    where = {} if len(having) == len({title(cell) for cell in cells}) else {"cell": tuple(having)}
    return Override(where=where, set=Change(cell=fields))


def _standard_training(grid: Sequence[Combination], networks: Networks) -> Iterator[Override]:
    """Yield the standard training of each task."""
    defaults = {name: Training.model_fields[name].default for name in STANDARD_TRAINING}
    for task in {c.task.title: c.task for c in grid}.values():
        fields = {**defaults, **task.standard_training}
        free = {name: v for name, v in fields.items() if name not in networks.training_axes}
        if free:
            yield Override(where={"task": task.title}, set=Change(training=free))


def _standard_cells(grid: Sequence[Combination], networks: Networks) -> Iterator[Override]:
    """Yield the standard fields of each cell, but for those in which cells of the grid differ."""
    differing = differing_fields(networks.cells)
    for name, cell in {title(c.cell): c.cell for c in grid}.items():
        standard = {n: _plain_data(value) for n, value in cell.standard_fields.items()}
        fields = {n: value for n, value in standard.items() if n not in differing[name]}
        if fields:
            yield Override(where={"cell": name}, set=Change(cell=fields))


def _plain_data(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Component) else value


class Protocols:
    """Marker of the field of protocols: a list of mappings, or of names of built-in ones."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_read, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema)
        item = {"anyOf": [{"enum": list(BUILT_IN), "type": "string"}, listed["items"]]}
        return listed | {"items": item}


def _read(value: Any) -> Any:
    """Return a list in which the names of built-in protocols are mappings."""
    if not isinstance(value, list | tuple):
        return value
    unknown = [i for i, each in enumerate(value) if isinstance(each, str) and each not in BUILT_IN]
    errors = [
        spec_error(
            "unknown_protocol",
            f"is {value[i]!r}; protocols of this package: {', '.join(BUILT_IN)}"
            f"{suggestion(value[i], BUILT_IN)}; write one of your own as {{name: {value[i]}, ...}}",
            (i,),
        )
        for i in unknown
    ]
    if errors:
        raise validation_error("protocols", errors)
    return tuple({"kind": each} if isinstance(each, str) else each for each in value)


def protocol_errors(
    protocols: Sequence[NamedProtocol],
    tasks: Sequence[Task],
    networks: Networks,
    training: Training,
) -> Iterator[InitErrorDetails]:
    """Yield the errors of protocols: namesakes, and fields that do not fit the grid."""
    names = [protocol.name for protocol in protocols]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield spec_error("namesake", f"is a second protocol called {name!r}", (i, "name"))
    count = networks.size * len(tasks) * max(1, len(names))
    if count > NETWORK_LIMIT:
        yield spec_error("too_many", too_many(count))
    elif len(set(names)) == len(names):
        grid = combinations(tasks, networks, training, names)
        for i, protocol in enumerate(protocols):
            matched = [c for c in grid if c.fields["protocol"] == protocol.name]
            for error in _errors_of(protocol, matched, networks):
                yield InitErrorDetails(**{**error, "loc": (i, *error["loc"])})


def _errors_of(
    protocol: NamedProtocol, grid: Sequence[Combination], networks: Networks
) -> Iterator[InitErrorDetails]:
    """Yield the errors of one protocol on its part of the grid."""
    if not grid:
        yield spec_error("no_match", "has no network: the grid leaves out all of its combinations")
        return
    yield from set_mistakes(Change(training=protocol.training), grid, networks, ())
    for name, value in protocol.cell.items():
        having = [c for c in grid if name in type(c.cell).model_fields]
        yield from set_mistakes(Change(cell={name: value}), having or grid, networks, ())
    for error in override_errors(protocol.overrides, grid, networks):
        yield InitErrorDetails(**{**error, "loc": ("overrides", *error["loc"])})


def written_out(
    protocols: Sequence[NamedProtocol],
    tasks: Sequence[Task],
    networks: Networks,
    training: Training,
) -> tuple[NamedProtocol, ...]:
    """Return protocols without kinds."""
    grid = combinations(tasks, networks, training, [protocol.name for protocol in protocols])
    return tuple(
        protocol.written_out([c for c in grid if c.fields["protocol"] == protocol.name], networks)
        for protocol in protocols
    )


def ordered_overrides(
    overrides: Sequence[Override], protocols: Sequence[NamedProtocol], cells: Sequence[Cell]
) -> dict[str, tuple[Override, ...]]:
    """Return protocol -> all overrides of its networks, in order; "" without protocols.

    First come those that all protocols share, then the protocol's own, then those of the spec
    whose condition names a protocol.
    """
    common = [each for each in overrides if "protocol" not in each.where]
    special = [each for each in overrides if "protocol" in each.where]
    if not protocols:
        return {"": tuple(overrides)}
    return {p.name: (*common, *p.layers(cells), *special) for p in protocols}
