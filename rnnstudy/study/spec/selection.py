"""Selection of training fields by pilot networks, and networks that wait for it."""

import math
from collections.abc import Collection, Mapping
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails

from rnnstudy.core.component import Component
from rnnstudy.core.errors import reraise_below, spec_error, validation_error
from rnnstudy.study.spec.networks import (
    NETWORK_LIMIT,
    SEED_LIMIT,
    Networks,
    TrainedNetworkSpec,
    axis,
)
from rnnstudy.training.protocol import Training

SELECTABLE = tuple(name for name in Training.model_fields if name in Training.per_member)
"""Training fields that may differ between the members of a cohort: candidates train together."""


class _Selection(Component):
    """Training fields chosen for every combination of the grid, before its networks are trained.

    Every combination of the listed values is a candidate. Pilot networks are trained with each,
    and the candidate of the lowest loss on validation trials is what the networks get; of equal
    ones the first. A pilot that diverges counts as an infinite loss. Where an override sets a
    listed field, it keeps that value, and the others are chosen.
    """

    # The addresses of the pilots, which a choice reads, say the rest.
    labels: ClassVar[frozenset[str]] = frozenset({*SELECTABLE, "seeds", "steps"})

    former_fields: ClassVar[Mapping[str, str]] = {"by": "statistic"}

    seeds: Annotated[int, Field(ge=1, le=1000)] = 2
    """Number of pilot networks per candidate, from seeds that no network of the grid has."""

    steps: Annotated[int, Field(ge=1)] | None = None
    """Training steps of a pilot, which stops at nothing else; default: those of the networks."""

    statistic: Literal["mean", "median"] = "mean"
    """Statistic of the validation losses of a candidate's pilots that ranks the candidates."""

    @model_validator(mode="wrap")
    @classmethod
    def _fields_of_members(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        others = Training.model_fields.keys() - cls.model_fields.keys()
        fields = data if isinstance(data, Mapping) else {}
        unfit = f"cannot be selected; fields that can: {', '.join(SELECTABLE)}"
        errors = [spec_error("elsewhere", unfit, (name,)) for name in fields if name in others]
        try:
            rest = {name: part for name, part in fields.items() if name not in others}
            selection = handler(rest if errors else data)
        except ValidationError as error:
            # A wrong field still counts as a field to select.
            wrong = [e for e in error.errors(include_url=False) if not errors or e["loc"]]
            errors += [reraise_below(each) for each in wrong]
        if errors:
            raise validation_error("selection", errors)
        return selection

    @model_validator(mode="after")
    def _something_to_choose(self) -> Self:
        if not self.grid:
            message = "names no field to choose; list values, like learning_rate: [1e-2, 1e-3]"
            raise validation_error("selection", [spec_error("nothing", message)])
        message = "is one value, which leaves nothing to choose; give it in 'training'"
        alone = [name for name, values in self.grid.items() if len(values) == 1]
        if alone:
            raise validation_error(
                "selection", [spec_error("elsewhere", message, (name,)) for name in alone]
            )
        return self

    @model_serializer(mode="wrap")
    def _without_unused_axes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self).items()
        return {name: part for name, part in fields if name not in SELECTABLE or part is not None}

    @property
    def grid(self) -> dict[str, tuple[Any, ...]]:
        """The fields that are chosen -> their values, in the order of the protocol."""
        values = {name: getattr(self, name) for name in SELECTABLE}
        return {name: listed for name, listed in values.items() if listed is not None}

    @property
    def size(self) -> int:
        """Number of pilots of one combination."""
        return self.seeds * math.prod(len(values) for values in self.grid.values())

    @property
    def pilot_seeds(self) -> tuple[int, ...]:
        """Seeds of the pilots of each candidate: the highest that there are."""
        return tuple(SEED_LIMIT - 1 - i for i in range(self.seeds))

    def candidates(self, free: Collection[str]) -> tuple[dict[str, Any], ...]:
        """Return all combinations of values of some fields, the last field innermost."""
        axes = {name: values for name, values in self.grid.items() if name in free}
        return tuple(dict(zip(axes, values, strict=True)) for values in product(*axes.values()))

    def pilot_protocol(self, training: Training, candidate: Mapping[str, Any]) -> Training:
        """Return the training protocol of a candidate's pilots, with a fixed number of steps."""
        steps = self.steps or training.steps
        return training.replace(**candidate, steps=steps, stop="budget", retry=0)


if TYPE_CHECKING:
    Selection = _Selection
else:
    Selection = create_model(
        "Selection",
        __base__=_Selection,
        __doc__=_Selection.__doc__,
        __module__=__name__,
        **{name: axis(Training, name, "Values to choose from.") for name in SELECTABLE},
    )


def selection_errors(
    selection: Selection, networks: Networks, training: Training, combinations: int
) -> list[InitErrorDetails]:
    """Return the errors of a selection: fields set twice, seeds in use, too many pilots."""
    owners = dict.fromkeys(training.model_fields_set, "training")
    owners |= dict.fromkeys(networks.training_axes, "networks")
    errors = [
        spec_error("elsewhere", f"is also given by {owners[n]}.{n}; keep one of the two", (n,))
        for n in selection.grid
        if n in owners
    ]
    in_use = sorted(set(selection.pilot_seeds) & set(networks.seeds))
    if in_use:
        message = f"trains pilots from the seed {in_use[0]}, which networks.seeds has too"
        errors.append(spec_error("seed", message))
    pilots = selection.size * combinations
    if pilots > NETWORK_LIMIT:
        message = f"asks for {pilots} pilots; a study has at most {NETWORK_LIMIT} networks"
        errors.append(spec_error("too_many", message))
    return errors


class PendingNetwork(TrainedNetworkSpec):
    """A network that waits for some of its training fields to be chosen; it has no address yet.

    Examples
    --------
    >>> from rnnstudy.study.spec.study import study_of
    >>> spec = {"study": "a", "tasks": ["flip_flop"], "networks": {"cells": "gru"}}
    >>> spec["selection"] = {"learning_rate": [1e-2, 1e-3]}
    >>> ((member, network),) = study_of(spec).expand()
    >>> network.pending_fields
    ('learning_rate',)
    """

    pending_fields: tuple[str, ...]
    """Fields that are to be chosen; `training` says nothing of them."""

    def recipe(self) -> dict[str, Any]:
        """Raise ValueError, since results must not be filed under fields that may change."""
        fields = ", ".join(self.pending_fields)
        raise ValueError(
            f"{fields} of this network must be chosen before it has an address, got no values. "
            "Run the study to choose them."
        )

    def with_selected(self, values: Mapping[str, Any]) -> TrainedNetworkSpec:
        """Return the network with the chosen fields."""
        training = self.training.replace(**values)
        return TrainedNetworkSpec(task=self.task, cell=self.cell, training=training, seed=self.seed)
