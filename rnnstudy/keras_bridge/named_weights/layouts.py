"""Layouts of recurrent weights: PyTorch's, Equinox's and Flax's to that of Keras."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array

CELL_KINDS = {1: "vanilla", 3: "gru", 4: "lstm"}
"""Number of blocks in the kernels -> kind of the cell."""

FLAX_GATES = {"gru": ("r", "z", "n"), "lstm": ("i", "f", "g", "o")}
"""Gates in the order of PyTorch. Flax has one layer for each of them and each side."""


@dataclass(frozen=True)
class Recurrence:
    """One recurrent layer in Keras's layout.

    weights: `kernel` `[input, gate x unit]`, `recurrent_kernel` `[unit, gate x unit]` and `bias`. A
    GRU has its reset gate after the product, and the bias `[2, gate x unit]`. activation: None if
    the weights do not tell it.
    """

    name: str
    kind: str
    weights: Mapping[str, Array]
    activation: str | None = None

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weights["kernel"].shape[0])

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.weights["recurrent_kernel"].shape[0])


ENCODER_ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "linear": lambda values: values,
    "relu": lambda values: np.maximum(values, 0.0),
    "tanh": np.tanh,
}
"""Nonlinearities that may follow a linear layer before the recurrent ones."""


@dataclass(frozen=True)
class Affine:
    """A linear layer: kernel `[input, output]`, and bias `[output]` or None.

    activation: one of `ENCODER_ACTIVATIONS`, which follows it.
    """

    name: str
    kernel: Array
    bias: Array | None
    activation: str = "linear"

    def __call__(self, values: Array) -> Array:
        """Return outputs `[..., output]` of values `[..., input]`."""
        products = values @ self.kernel
        sums = products if self.bias is None else products + self.bias
        return ENCODER_ACTIVATIONS[self.activation](sums)


@dataclass(frozen=True)
class NetworkWeights:
    """Recurrent layers that read each other in order, with readout and encoder, if there are any.

    encoder: layer that processes the inputs of the recurrent layers.
    """

    chain: tuple[Recurrence, ...]
    readout: Affine | None
    encoder: Affine | None = None

    @property
    def inputs(self) -> int:
        """Number of inputs of the whole network."""
        return self.chain[0].inputs if self.encoder is None else len(self.encoder.kernel)

    @property
    def dtype(self) -> str:
        """Name of the type of all weights."""
        return str(self.chain[0].weights["kernel"].dtype)


def as_keras(
    name: str,
    kernel: Array,
    recurrent: Array,
    bias: Array | None = None,
    recurrent_bias: Array | None = None,
) -> Recurrence:
    """Return a layer whose gates are in PyTorch's order: r, z, n of a GRU; i, f, g, o of an LSTM.

    kernel `[input, gate x unit]`, recurrent `[unit, gate x unit]`. The biases `[gate x unit]` are
    added to the two products. Raises ValueError for shapes of no GRU, LSTM or plain layer.
    """
    if kernel.ndim != 2 or recurrent.ndim != 2 or not recurrent.size:
        raise ValueError(
            f"kernels of {_noun(name)} must be matrices, got shapes {kernel.shape[::-1]} and "
            f"{recurrent.shape[::-1]}. Pass the weights of a whole layer."
        )
    units, columns = recurrent.shape
    blocks = columns // units
    if columns % units or blocks not in CELL_KINDS or kernel.shape[1] != columns:
        raise ValueError(
            f"{_noun(name)} must have 1, 3 or 4 rows of weights per unit (RNN, GRU, LSTM), got "
            f"weight_ih of shape {kernel.shape[::-1]} and weight_hh of shape "
            f"{recurrent.shape[::-1]}. Wrap one step of it in a function (inputs, state) -> state."
        )
    biases = [_bias(name, values, columns, kernel) for values in (bias, recurrent_bias)]
    if blocks == 3:
        kernel, recurrent = _update_first(kernel), _update_first(recurrent)
        whole = np.stack([_update_first(values) for values in biases])
    else:
        whole = biases[0] + biases[1]
    weights = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": whole}
    return Recurrence(name, CELL_KINDS[blocks], weights)


def _noun(name: str) -> str:
    return f"the recurrent layer '{name}'" if name else "the recurrent layer"


def _bias(name: str, values: Array | None, size: int, like: Array) -> Array:
    values = np.zeros(size, like.dtype) if values is None else values
    if values.shape != (size,):
        raise ValueError(
            f"biases of {_noun(name)} must have {size} entries, got shape {values.shape}. "
            "Pass the weights of a whole layer."
        )
    return values


def _update_first(values: Array) -> Array:
    """Return blocks r, z, n of the last axis as z, r, n."""
    reset, update, new = np.split(values, 3, axis=-1)
    return np.concatenate([update, reset, new], axis=-1)


def from_rows(name: str, parts: Mapping[str, Array]) -> Recurrence:
    """Return a layer of PyTorch (`weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`) or Equinox.

    Equinox has one `bias` and, for a GRU, `bias_n` of the recurrent product.
    """
    bias, recurrent_bias = parts.get("bias_ih", parts.get("bias")), parts.get("bias_hh")
    if "bias_n" in parts:
        recurrent_bias = np.concatenate([np.zeros_like(parts["bias_n"])] * 2 + [parts["bias_n"]])
    return as_keras(name, parts["weight_ih"].T, parts["weight_hh"].T, bias, recurrent_bias)


def from_columns(name: str, sides: Mapping[str, Mapping[str, Array]]) -> Recurrence | None:
    """Return a cell of Flax from its layers' `kernel` and `bias`, by name; None if it is none.

    Names: `ir` .. `hn` of a GRU, `ii` .. `ho` of an LSTM (`if_` too), `i` and `h` of a plain cell,
    and `dense_i` and `dense_h`, whose columns are all gates.
    """
    layers = {key.removesuffix("_"): layer for key, layer in sides.items()}
    names = set(layers)
    for gates in FLAX_GATES.values():
        if names == {side + gate for side in "ih" for gate in gates}:
            joined = [_join([layers[side + gate] for gate in gates]) for side in "ih"]
            return as_keras(name, joined[0][0], joined[1][0], joined[0][1], joined[1][1])
    for pair in (("i", "h"), ("dense_i", "dense_h")):
        if names == set(pair):
            first, second = (layers[key] for key in pair)
            biases = first.get("bias"), second.get("bias")
            return as_keras(name, first["kernel"], second["kernel"], *biases)
    return None


def _join(layers: list[Mapping[str, Array]]) -> tuple[Array, Array | None]:
    """Return kernels and biases of layers side by side. A missing bias is zero."""
    kernel = np.concatenate([layer["kernel"] for layer in layers], axis=1)
    if not any("bias" in layer for layer in layers):
        return kernel, None
    zeros = [np.zeros(layer["kernel"].shape[1], kernel.dtype) for layer in layers]
    biases = [layer.get("bias", zero) for layer, zero in zip(layers, zeros, strict=True)]
    return kernel, np.concatenate(biases)
