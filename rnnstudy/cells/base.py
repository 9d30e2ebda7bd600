"""The contract of a cell: one step of the dynamics, written once for every user of it."""

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.cells.initialisers import AnyInitialiser, Normal, Orthogonal
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import keras, tf

Weights = Mapping[str, Tensor]

Activation = Literal[
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip

LARGEST: dict[str, float] = {
    "tanh": 1.0, "sigmoid": 1.0, "softsign": 1.0, "hard_tanh": 1.0, "hard_sigmoid": 1.0,
    "sparse_sigmoid": 1.0, "relu6": 6.0,
}  # fmt: skip
"""Largest modulus of what an activation gives, of those that have one."""


@dataclass(frozen=True)
class Weight:
    """One weight array of a cell: `gates` blocks [rows, units] side by side, or a bias.

    A bias has `initialiser` None and starts at `values`, one number per block row.
    """

    shape: tuple[int, ...]
    initialiser: Any = None
    blocks: int = 1
    values: Array = field(default_factory=lambda: np.zeros(()))

    def draw(self, generator: np.random.Generator) -> Array:
        """The initial array of this weight, float64, of shape `shape`."""
        if self.initialiser is None:
            return np.broadcast_to(self.values, self.shape).astype(float)
        rows, columns = self.shape
        parts = [
            self.initialiser.draw(generator, rows, columns // self.blocks)
            for _ in range(self.blocks)
        ]
        return np.concatenate(parts, axis=1)


class Cell(Entry):
    """A recurrent cell: weights, and how the state moves.

    The state is one flat vector h [..., trial, state]; `visible` is the part that the readout sees.
    `step` is pure and takes any leading axes, so that a Keras layer ([trial, state]), a population
    ([member, trial, state]) and the fixed-point search ([member, point, state]) run the same lines.
    Weights carry Keras's names and layouts: kernel [input, gate x unit], recurrent_kernel
    [unit, gate x unit], bias. Only "kernel" [input, ...] is required: the number of inputs and the
    size of the drive are read off it. A whole cell, a leaky vanilla network:

        class Leaky(Cell):
            leak: float = 0.2

            def weights(self, inputs):
                return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

            def drive(self, w, x):
                return x @ w["kernel"] + row(w["bias"])

            def step(self, w, drive, h):
                new = self.nonlinearity(drive + h @ w["recurrent_kernel"])
                return (1.0 - self.leak) * h + self.leak * new
    """

    noun: ClassVar[str] = "cell"

    units: Annotated[int, Field(ge=1, le=65536)] = 32
    """Number of units that the readout sees."""

    activation: Activation = "tanh"
    """Nonlinearity of the candidate state (any Keras activation); gates stay sigmoid."""

    kernel_initializer: AnyInitialiser = Normal()
    """Initial input weights."""

    recurrent_initializer: AnyInitialiser = Orthogonal()
    """Initial recurrent weights, drawn for each gate's block."""

    @abstractmethod
    def weights(self, inputs: int) -> dict[str, Weight]:
        """Name -> shape and initial values of one network's weights, for so many inputs."""

    @abstractmethod
    def drive(self, w: Weights, x: Tensor) -> Tensor:
        """What the input adds, for a whole sequence at once.

        x [..., trial, input] -> [..., trial, drive].
        """

    @abstractmethod
    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        """Next state: drive [..., trial, drive], h [..., trial, state] -> [..., trial, state]."""

    rests: ClassVar[bool] = False
    """Whether the cell offers `rest`."""

    def rest(self, w: Weights, drive: Tensor, seen: Tensor) -> Tensor:
        """Where the state would settle if gates and candidate stayed as they are at `seen`.

        seen: the visible part [..., trial, unit], on which alone they depend; -> [..., trial,
        state]. Has the fixed points of `step`, and no gate that is nearly shut slows the way there.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say where it rests")

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """`step` and its Jacobian [..., trial, state, state], where a cell knows a faster way.

        Optional: without it, or where `step` is overridden below it, derivatives are automatic.
        """
        raise NotImplementedError(f"{type(self).__name__} leaves its Jacobian to be derived")

    def linearise_rest(self, w: Weights, drive: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """What is seen of `rest` and its Jacobian [..., trial, unit, unit]; optional likewise."""
        raise NotImplementedError(f"{type(self).__name__} leaves its Jacobian to be derived")

    def offers(self, derivative: str, of: str) -> bool:
        """Whether a method is the derivative of another: of that very one, not of one it hid."""
        lines = type(self).__mro__
        own, whole = (next(c for c in lines if name in c.__dict__) for name in (derivative, of))
        return own is not Cell and lines.index(own) <= lines.index(whole)

    @property
    def state_size(self) -> int:
        """Length of the flat state vector."""
        return self.units

    def visible(self, h: Tensor) -> Tensor:
        """The part of the state that the readout sees: [..., state] -> [..., unit]."""
        return h[..., : self.units]

    @property
    def bound(self) -> float | None:
        """Radius r of a box |visible(h)| <= r that no step leaves and that holds all fixed points,
        or None. With one, the search for fixed points can tell whether some are missing."""
        return None

    def kernels(self, inputs: int, blocks: int) -> dict[str, Weight]:
        """The input and recurrent kernel of a cell with so many gate blocks."""
        columns = blocks * self.units
        return {
            "kernel": Weight((inputs, columns), self.kernel_initializer, blocks),
            "recurrent_kernel": Weight((self.units, columns), self.recurrent_initializer, blocks),
        }

    @property
    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        """The activation as a function of tensors."""
        simple = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid"}
        if self.activation in simple:
            function: Callable[[Tensor], Tensor] = getattr(tf.nn, simple[self.activation])
            return function
        general: Callable[[Tensor], Tensor] = keras.activations.get(self.activation)
        return general


def row(bias: Tensor) -> Tensor:
    """A bias [..., unit] ready to be added along trials: [..., 1, unit]."""
    return bias[..., None, :]


def partials(function: Callable[..., Tensor], *arguments: Tensor) -> tuple[Tensor, list[Tensor]]:
    """An elementwise function of some tensors, and its derivative by each of them."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = function(*arguments)
    return value, tape.gradient(
        value, list(arguments), unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def through(slopes: Tensor, kernel: Tensor, blocks: int = 1) -> Tensor:
    """Jacobian [..., trial, unit, state] of units that the state reaches through a kernel alone.

    slopes [..., trial, block x unit]: derivatives of the units by their products with the kernel
    [..., state, block x unit], whose blocks of columns stand side by side.
    """

    if blocks == 1:  # no sum: five times as fast as a sum over one block
        return slopes[..., None] * tf.linalg.matrix_transpose(kernel)[..., None, :, :]

    def apart(values: Tensor) -> Tensor:
        shape = [*tf.unstack(tf.shape(values))[:-1], blocks, values.shape[-1] // blocks]
        return tf.reshape(values, shape)

    return tf.einsum("...pgi,...jgi->...pij", apart(slopes), apart(kernel))


def cell_mistake(cell: Cell, inputs: int) -> str:
    """What is wrong with the weights and the state that a cell declares; empty if nothing is."""
    name = type(cell).__name__
    try:
        found: Any = cell.weights(inputs)
        size: Any = cell.state_size
    except Exception as error:  # anybody's code may raise anything
        return f"{name} cannot tell its weights and state_size: {_reason(error)}"
    if not isinstance(found, dict) or not all(isinstance(w, Weight) for w in found.values()):
        return f"{name}.weights returns {_kinds(found)}, not a dict of names and Weight"
    for each, weight in found.items():
        if not _is_shape(weight.shape):
            return f"{name}.weights gives {each!r} the shape {weight.shape!r}, no tuple of integers"
    if "kernel" not in found:
        listed = ", ".join(map(str, found)) or "none"
        return f"{name}.weights lacks 'kernel' [input, ...]; there are: {listed}"
    shape = found["kernel"].shape
    if len(shape) < 2 or shape[0] != inputs:
        return f"{name}.weights gives 'kernel' the shape {shape}, not [{inputs} inputs, ...]"
    if not _is_shape((size,)):
        return f"{name}.state_size is {size!r}, not a number of at least 1"
    return ""


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(
        isinstance(n, int | np.integer) and n >= 1 for n in shape
    )


def _kinds(found: Any) -> str:
    if not isinstance(found, dict):
        return f"a {type(found).__name__}"
    return f"a dict of {', '.join(sorted({type(each).__name__ for each in found.values()}))}"


def _reason(error: Exception) -> str:
    """Class and first line of an error, without TensorFlow's name of the place in its graph."""
    lines = re.sub(r"\{\{.*?\}\}", "", str(error)).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def check_cell(cell: Cell, inputs: int) -> None:
    """ValueError if what a cell computes is not what its sizes promise; it may be anybody's.

    Tries one step, on its own and as a population takes it.
    """
    wrong = cell_mistake(cell, inputs)
    if wrong:
        raise ValueError(wrong)
    drawn = {name: _drawn(cell, name, weight) for name, weight in cell.weights(inputs).items()}
    # Axes of different lengths, so that a value added along the wrong one does not fit.
    for axes, lead in (("trial", (3,)), ("member, trial", (2, 3))):
        w = {n: tf.constant(np.broadcast_to(d, (*lead[:-1], *d.shape))) for n, d in drawn.items()}
        x, h = tf.ones([*lead, inputs]), tf.zeros([*lead, cell.state_size])
        drive = _tried(cell, "drive", f"[{axes}, input]", (*lead, "drive"), w, x)
        states = f"[{axes}, state]"
        new = _tried(cell, "step", states, (*lead, cell.state_size), w, drive, h)
        _tried(cell, "visible", states, (*lead, cell.units), new)
        if cell.bound is not None:
            _kept(cell, w, drive, h)


def _kept(cell: Cell, w: Weights, drive: Tensor, h: Tensor) -> None:
    """ValueError if a step leads out of the box that a cell says it never leaves."""
    bound = cell.bound
    if not (isinstance(bound, int | float) and bound > 0):
        raise ValueError(f"{type(cell).__name__}.bound is {bound!r}, no positive number or None")
    for corner in (bound, -bound):
        far = float(tf.reduce_max(tf.abs(cell.visible(cell.step(w, drive, h + corner)))))
        if far > bound * (1.0 + 1e-5):
            raise ValueError(
                f"{type(cell).__name__}.bound is {bound:g}, but a step from within it leads to "
                f"{far:.3g}"
            )


def _drawn(cell: Cell, name: str, weight: Weight) -> Array:
    try:
        return weight.draw(np.random.default_rng(0)).astype(np.float32)
    except Exception as error:
        said = f"{type(cell).__name__}.weights gives {name!r}, which cannot be drawn"
        raise ValueError(f"{said}: {_reason(error)}") from error


def _tried(cell: Cell, part: str, given: str, sizes: tuple[int | str, ...], *values: Any) -> Tensor:
    """What a method of a cell returns; ValueError unless of these sizes (a text: any), finite."""
    name = f"{type(cell).__name__}.{part}, given {given},"
    try:
        found = tf.convert_to_tensor(getattr(cell, part)(*values))
    except Exception as error:
        raise ValueError(f"{name} raises {_reason(error)}") from error
    shape = tuple(found.shape)
    fits = [isinstance(n, str) or n == m for n, m in zip(sizes, shape, strict=False)]
    if len(shape) != len(sizes) or not all(fits):
        raise ValueError(f"{name} returns shape {shape}, not ({', '.join(map(str, sizes))})")
    if found.dtype != tf.float32:
        raise ValueError(f"{name} returns {found.dtype.name}, not float32")
    if not bool(tf.reduce_all(tf.math.is_finite(found))):
        raise ValueError(f"{name} returns values that are not all finite")
    return found
