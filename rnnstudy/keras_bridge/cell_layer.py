"""Base class of this package's cells as Keras cells.

This module imports Keras. Use `rnnstudy.core.lazy_imports.keras_models` to import it late.
"""

import operator
import random
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, get_args

from rnnstudy.cells import Cell, Initialiser, Weight
from rnnstudy.cells.base import Activation
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.errors import SettingError, suggestion
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.recurrent_layers import require_tensorflow
from rnnstudy.population.initialise import generator

PREFIXES = {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}
"""Weight -> prefix of Keras's arguments about it."""

DEFAULT = "default"
"""Activation of the cell's own definition."""


class CellLayer(keras.layers.Layer):
    """A cell of ours as a Keras cell: what all of them do; a subclass says which cell it `wraps`.

    units, activation and the fields of the wrapped cell (such as gate_bias, reset_after, tau) are
    arguments by name; the default activation is that of the cell. kernel_initializer and
    recurrent_initializer take any Keras initialiser or one of `rnnstudy.cells.INITIALISERS`, as an
    object or as `{"kind": name, ...}`; by default the cell's own are drawn, gate by gate. {kernel,
    recurrent, bias}_{regularizer, constraint} are as in Keras. seed: draws the weights of the
    study's network with this seed. The state is one flat vector; with train_initial_state the state
    before the first step is a weight.
    """

    wraps: ClassVar[type[Cell]]

    def __init__(
        self,
        units: int,
        activation: str | Callable[[Tensor], Tensor] | None = DEFAULT,
        *,
        kernel_initializer: Any = None,
        recurrent_initializer: Any = None,
        bias_initializer: Any = None,
        train_initial_state: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        require_tensorflow()
        initialisers = {
            "kernel": kernel_initializer,
            "recurrent_kernel": recurrent_initializer,
            "bias": bias_initializer,
        }
        if activation == DEFAULT:
            activation = self.wraps.model_fields["activation"].default
        fields = {"units": _as_integer(units), "activation": _activation_name(activation)}
        fields |= {
            name: options.pop(name) for name in list(options) if name in self.wraps.model_fields
        }
        for weight, initialiser in list(initialisers.items()):
            if initialiser is None or _is_ours(initialiser):
                del initialisers[weight]
            if _is_ours(initialiser):
                fields[f"{PREFIXES[weight]}_initializer"] = initialiser
        cell = _make_cell(type(self).__name__, self.wraps, fields)
        regularisers = _pop_by_weight("regularizer", options)
        constraints = _pop_by_weight("constraint", options)
        _refuse_absent_weights(type(self).__name__, cell, initialisers, regularisers, constraints)
        super().__init__(**options)
        self.cell = cell
        self.state_size = cell.state_size
        self.output_size = self.units = cell.units
        self.train_initial_state = train_initial_state
        self.seed = seed
        # Like Keras's initialisers, the cell draws its seed at construction.
        self._drawn_from = random.randint(0, 2**31 - 1) if seed is None else seed
        self._initialisers = {w: self._keras_initialiser(w, i) for w, i in initialisers.items()}
        self._regularisers = {w: keras.regularizers.get(r) for w, r in regularisers.items()}
        self._constraints = {w: keras.constraints.get(c) for w, c in constraints.items()}
        self.initial_state: Any = None

    def _keras_initialiser(self, weight: str, identifier: Any) -> Any:
        initialiser = keras.initializers.get(identifier)
        config = initialiser.get_config() if hasattr(initialiser, "get_config") else {}
        if self.seed is None or config.get("seed", 0) is not None:
            return initialiser
        return type(initialiser).from_config(config | {"seed": _stream(self.seed, weight)})

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights of a cell with `input_shape[-1]` inputs."""
        inputs = input_shape[-1]
        if inputs is None:
            raise ValueError(
                f"{self._label()} must have inputs of known width, got shape {input_shape}"
            )
        self.inputs = int(inputs)
        weights = self.cell.weights(self.inputs)
        self._weight_names = tuple(weights)
        for name, weight in weights.items():
            variable = self.add_weight(
                name=name,
                shape=weight.shape,
                initializer=self._initialisers.get(name) or self._draw(name, weight),
                regularizer=self._regularisers.get(name),
                constraint=self._constraints.get(name),
            )
            setattr(self, name, variable)
        if self.train_initial_state:
            self.initial_state = self.add_weight(
                name="initial_state", shape=(self.state_size,), initializer="zeros"
            )

    def _draw(self, name: str, weight: Weight) -> Callable[..., Tensor]:
        def draw(shape: Sequence[int], dtype: Any = None) -> Tensor:
            values = weight.draw(generator(self._drawn_from, name))
            return keras.ops.convert_to_tensor(values, dtype)

        return draw

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """Return output `[trial, unit]` and new states of inputs `[trial, input]` and states."""
        if inputs.shape[-1] != self.inputs:
            raise ValueError(
                f"{self._label()} must have {self.inputs} inputs, got {inputs.shape[-1]}"
            )
        listed = isinstance(states, list | tuple)
        h = states[0] if listed else states
        w = {name: keras.ops.convert_to_tensor(getattr(self, name)) for name in self._weight_names}
        new = self.cell.step(w, self.cell.drive(w, inputs), h)
        return self.cell.visible(new), [new] if listed else new

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Return the state before the first step, `[trial, state]`: zero, or the trained one."""
        shape = (batch_size, self.state_size)
        if self.initial_state is None:
            return [keras.ops.zeros(shape, self.compute_dtype)]
        start = keras.ops.cast(self.initial_state, self.compute_dtype)
        return [keras.ops.broadcast_to(start, shape)]

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, from which `from_config` rebuilds this cell."""
        fields = self.cell.model_dump(mode="json")
        del fields["kind"]
        foreign = {
            "initializer": (self._initialisers, keras.initializers.serialize),
            "regularizer": (self._regularisers, keras.regularizers.serialize),
            "constraint": (self._constraints, keras.constraints.serialize),
        }
        options = {
            f"{PREFIXES[weight]}_{ending}": serialise(value)
            for ending, (values, serialise) in foreign.items()
            for weight, value in values.items()
        }
        options |= {"train_initial_state": self.train_initial_state, "seed": self.seed}
        return {**super().get_config(), **fields, **options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the cell of a configuration by `get_config`."""
        for value in config.values():
            kind = value.get("kind", "") if isinstance(value, Mapping) else ""
            # Like Keras, refuse to import modules that a model file names.
            if ":" in kind and kind.partition(":")[0] not in sys.modules:
                raise ValueError(
                    f"the module of '{kind}' must be imported before the model is loaded"
                )
        return super().from_config(config)

    def _label(self) -> str:
        return f"{type(self).__name__} '{self.name}'"


def _is_ours(initialiser: Any) -> bool:
    """Return whether an initialiser is one of this package, as an object or a mapping."""
    is_mapping = isinstance(initialiser, Mapping) and "kind" in initialiser
    return isinstance(initialiser, Initialiser) or is_mapping


def _as_integer(units: Any) -> Any:
    """Convert NumPy's integers to int. Booleans and other values stay."""
    try:
        return units if isinstance(units, bool) else operator.index(units)
    except TypeError:
        return units


def _activation_name(activation: Any) -> str:
    """Return the name of a Keras activation; ValueError if this package's cells lack it."""
    known = list(get_args(Activation))
    name = "linear" if activation is None else activation
    if callable(activation):
        name = keras.activations.serialize(activation)
    if name in known:
        return str(name)
    hint = suggestion(name, known) if isinstance(name, str) else ""
    raise ValueError(f"activation must be one of {', '.join(known)}, got {activation!r}{hint}")


def _make_cell(name: str, wraps: type[Cell], fields: dict[str, Any]) -> Cell:
    """Return a cell of class `wraps`; ValueError, with the Keras cell's name, for a wrong field."""
    try:
        return wraps(**fields)
    except SettingError as error:
        first = error.validation.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        text = first["msg"][0].lower() + first["msg"][1:]
        raise ValueError(f"{name}: {field} is {first['input']!r}; {text}") from None


def _pop_by_weight(ending: str, options: dict[str, Any]) -> dict[str, Any]:
    """Remove Keras's arguments with one ending from the options, and return them by weight."""
    values = {
        weight: options.pop(f"{prefix}_{ending}", None) for weight, prefix in PREFIXES.items()
    }
    return {weight: value for weight, value in values.items() if value is not None}


def _refuse_absent_weights(name: str, cell: Cell, *arguments: Mapping[str, Any]) -> None:
    """Raise ValueError for arguments, by weight, about a weight that the cell does not have."""
    named = {weight for values in arguments for weight in values}
    absent = named - set(cell.weights(1)) if named else set()
    if absent:
        first = min(absent)
        raise ValueError(
            f"{name}: Keras arguments must be about weights of the cell, got {PREFIXES[first]}_*, "
            f"but it has no weight '{first}'. Its weights are {', '.join(cell.weights(1))}."
        )


def _stream(seed: int, purpose: str) -> int:
    return zlib.crc32(f"{seed} {purpose}".encode()) & 0x7FFFFFFF
