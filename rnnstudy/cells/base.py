"""Base class of cells: one step of the dynamics, defined once for all uses."""

import functools
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from rnnstudy.cells.initialisers import AnyInitialiser, GlorotUniform, Normal, Orthogonal
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

ACTIVATION_BOUNDS: dict[str, float] = {
    "tanh": 1.0, "sigmoid": 1.0, "softsign": 1.0, "hard_tanh": 1.0, "hard_sigmoid": 1.0,
    "sparse_sigmoid": 1.0, "relu6": 6.0,
}  # fmt: skip
"""Largest modulus of each bounded activation."""


@dataclass(frozen=True)
class Weight:
    """Shape and initial values of one weight array of a cell, without a member axis.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells import Weight
    >>> Weight((3,), values=np.ones(3)).draw(np.random.default_rng(0)).tolist()
    [1.0, 1.0, 1.0]
    """

    shape: tuple[int, ...]
    """Shape of the array: [row, block x unit] for a kernel, [block x unit] for a bias."""
    initialiser: Any = None
    """Initialiser of each block of columns; None for a bias, which starts at `values`."""
    blocks: int = 1
    """Number of blocks of columns (gates) that are drawn separately."""
    values: Array = field(default_factory=lambda: np.zeros(()))
    """Initial values of a bias, broadcast to `shape`."""
    distribution: Callable[[np.random.Generator], Array] | None = None
    """Function that draws an array that is no kernel. The L2 penalty leaves it out."""

    def draw(self, generator: np.random.Generator) -> Array:
        """Return the initial array, float64, of shape `shape`."""
        if self.distribution is not None:
            return np.broadcast_to(self.distribution(generator), self.shape).astype(float)
        if self.initialiser is None:
            return np.broadcast_to(self.values, self.shape).astype(float)
        rows, columns = self.shape
        parts = [
            self.initialiser.draw(generator, rows, columns // self.blocks)
            for _ in range(self.blocks)
        ]
        return np.concatenate(parts, axis=1)


class Cell(Entry):
    """Base class of recurrent cells: the weights, and one step of the state.

    The state is one flat vector h [..., trial, state]; `visible` is the part of it, or the function
    of it, that enters the readout. `step` is a pure function with any leading axes. A Keras layer
    ([trial, state]), a population ([member, trial, state]) and the fixed-point search ([member,
    point, state]) use the same code. Weights have Keras's names and layouts: kernel [input, gate x
    unit], recurrent_kernel [unit, gate x unit], bias. Only "kernel" [input, ...] is required, since
    it determines the number of inputs and the size of the drive. A subclass defines `weights`,
    `drive` and `step`. A complete cell, a leaky vanilla network:

        class Leaky(Cell):
            leak: float = 0.2

            def weights(self, inputs):
                return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

            def drive(self, w, x):
                return x @ w["kernel"] + row(w["bias"])

            def step(self, w, drive, h):
                new = self.nonlinearity(drive + h @ w["recurrent_kernel"])
                return (1.0 - self.leak) * h + self.leak * new

    Examples
    --------
    >>> from rnnstudy.cells.gru import GRU
    >>> cell = GRU(units=8, activation="relu")
    >>> cell.state_size, cell.weights(inputs=2)["recurrent_kernel"].shape
    (8, (8, 24))
    """

    noun: ClassVar[str] = "cell"
    former_methods: ClassVar[dict[str, str]] = {
        "rest": "ungated",
        "rests": "has_ungated_map",
        "linearise_rest": "linearise_ungated",
        "offers": "has_derivative",
    }

    standard_fields: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"kernel_initializer": GlorotUniform(), "recurrent_initializer": Orthogonal()}
    )
    """Fields of the cell in the standard protocol. A gate's block counts as a layer of its own."""

    units: Annotated[int, Field(ge=1, le=65536)] = 32
    """Number of units in the readout."""

    activation: Activation = "tanh"
    """Nonlinearity of the candidate state (any Keras activation); gates are sigmoid."""

    kernel_initializer: AnyInitialiser = Normal()
    """Initialiser of the input weights."""

    recurrent_initializer: AnyInitialiser = Orthogonal()
    """Initialiser of the recurrent weights, for each gate's block."""

    @abstractmethod
    def weights(self, inputs: int) -> dict[str, Weight]:
        """Return the shapes and initial values of one network's weights by name.

        Parameters
        ----------
        inputs
            Number of input channels.

        Returns
        -------
        dict
            Name to `Weight`. "kernel" [input, ...] is required.
        """

    @abstractmethod
    def drive(self, w: Weights, x: Tensor) -> Tensor:
        """Return the contribution of the input, computed for a whole sequence at once.

        Parameters
        ----------
        w
            Weights by name, each [..., row, column] or [..., column].
        x
            Input [..., trial, input].

        Returns
        -------
        Tensor
            [..., trial, drive].
        """

    @abstractmethod
    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state.

        Parameters
        ----------
        w
            Weights by name, as in `drive`.
        drive
            Contribution of the input, [..., trial, drive].
        h
            State [..., trial, state].

        Returns
        -------
        Tensor
            [..., trial, state].
        """

    has_ungated_map: ClassVar[bool] = False
    """True if the cell defines `ungated`."""

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return the state at which the step would end if gates and candidate were constant.

        The map has the fixed points of `step`. Its residual does not vanish at closed gates.
        Optional: a cell that defines it sets `has_ungated_map`.

        Parameters
        ----------
        w, drive
            As in `step`.
        visible
            Visible part of the state, [..., trial, unit], which determines gates and candidate.

        Returns
        -------
        Tensor
            [..., trial, state].
        """
        raise NotImplementedError(f"{type(self).__name__} has no ungated map")

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return `step` and its Jacobian [..., trial, state, state], by formulas of the cell.

        Optional: without it, or if a subclass overrides `step` alone, the Jacobian is derived
        automatically.
        """
        raise NotImplementedError(f"{type(self).__name__} has no formula of its Jacobian")

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the visible part of `ungated` and its Jacobian [..., trial, unit, unit].

        Optional, as `linearise`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no formula of its ungated Jacobian")

    def has_derivative(self, derivative: str, of: str) -> bool:
        """Return True if the method `derivative` belongs to the method `of` of this cell.

        It does not if a subclass overrides `of` alone.
        """
        classes = type(self).__mro__
        first, second = (next(c for c in classes if n in c.__dict__) for n in (derivative, of))
        return first is not Cell and classes.index(first) <= classes.index(second)

    def standard(self) -> Self:
        """Return the cell with the fields of the standard protocol.

        Examples
        --------
        >>> from rnnstudy.cells.gru import GRU
        >>> GRU(units=8).standard().gate_bias
        0.0
        """
        return self.replace(**self.standard_fields)

    @property
    def state_size(self) -> int:
        """Length of the flat state vector."""
        return self.units

    def visible(self, h: Tensor) -> Tensor:
        """Return the input of the readout: [..., state] -> [..., unit].

        It is the first part of the state, or any smooth function of each state, such as its rates.
        h is a tensor or a NumPy array, in float32 or float64.
        """
        return h[..., : self.units]

    @property
    def bound(self) -> float | None:
        """Radius r of an invariant box |visible(h)| <= r that contains all fixed points, or None.

        A search with a box has a certificate of completeness. It is infinite if each network has
        such a box, whose radius depends on its weights.
        """
        return None

    @property
    def noise_scale(self) -> float | Array:
        """Standard deviation of the noise of a step as a multiple of `state_noise`.

        It is one number, or one for each entry of the state.
        """
        return 1.0

    def kernels(self, inputs: int, blocks: int) -> dict[str, Weight]:
        """Return the input and recurrent kernel of a cell with a number of gate blocks."""
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


@functools.lru_cache(maxsize=256)
def visible_entries(cell: Cell) -> Array | None:
    """Return the positions [unit] in the state of what the readout reads.

    They are None if `visible` does not select entries of the state, but computes a function of it.

    Examples
    --------
    >>> from rnnstudy.cells.base import visible_entries
    >>> from rnnstudy.cells.lstm import LSTM
    >>> visible_entries(LSTM(units=3)).tolist()
    [0, 1, 2]
    """
    positive = np.random.default_rng(0).uniform(0.5, 1.5, cell.state_size)
    states = np.stack([positive, -positive])
    values = np.asarray(cell.visible(states))
    distances = np.abs(values[0][:, None] - positive)
    entries = distances.argmin(axis=1)
    return entries if np.array_equal(states[:, entries], values) else None


def row(bias: Tensor) -> Tensor:
    """Return a bias with a trial axis, which broadcasts over trials.

    Parameters
    ----------
    bias
        [..., unit].

    Returns
    -------
    Tensor
        [..., 1, unit].

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.cells import row
    >>> row(np.zeros((2, 8))).shape
    (2, 1, 8)
    """
    return bias[..., None, :]


def partials(function: Callable[..., Tensor], *arguments: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return an elementwise function of tensors, and its derivative by each of them."""
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = function(*arguments)
    return value, tape.gradient(
        value, list(arguments), unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def jacobian_through(slopes: Tensor, kernel: Tensor, blocks: int = 1) -> Tensor:
    """Return the Jacobian [..., trial, unit, state] of units that depend on state x kernel.

    slopes [..., trial, block x unit]: derivatives of the units by their products with the kernel
    [..., state, block x unit], whose blocks are adjacent columns.
    """

    if blocks == 1:  # faster than a sum over one block
        return slopes[..., None] * tf.linalg.matrix_transpose(kernel)[..., None, :, :]

    def split_blocks(values: Tensor) -> Tensor:
        shape = [*tf.unstack(tf.shape(values))[:-1], blocks, values.shape[-1] // blocks]
        return tf.reshape(values, shape)

    return tf.einsum("...pgi,...jgi->...pij", split_blocks(slopes), split_blocks(kernel))
