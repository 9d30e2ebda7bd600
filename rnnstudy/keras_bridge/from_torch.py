"""Networks of PyTorch, Flax and Equinox as Keras models."""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.keras_file import KerasFileError
from rnnstudy.keras_bridge.named_weights.arrays import flatten_arrays, weights_of_checkpoint
from rnnstudy.keras_bridge.named_weights.files import read_arrays, read_bytes
from rnnstudy.keras_bridge.named_weights.layouts import Affine, NetworkWeights, Recurrence
from rnnstudy.keras_bridge.named_weights.parts import find_parts, select_weights
from rnnstudy.keras_bridge.recurrent_layers import require_tensorflow
from rnnstudy.keras_bridge.torch_modules import module_weights, torch_module

Layer = Any


def from_torch(
    network: Any,
    *,
    layer: str | Sequence[str] | None = None,
    readout: str | None = None,
    activation: str | None = None,
    dtype: str | None = None,
) -> Any:
    """Return a PyTorch network as a Keras model with the same outputs.

    The model is made of Keras's own layers: SimpleRNN, GRU or LSTM, and a Dense readout if there is
    one. Several recurrent layers are one layer of stacked cells, whose state is theirs, end to end.
    Weights of Flax and Equinox are taken in the same way. PyTorch is needed for modules only.

    Parameters
    ----------
    network
        An `nn.RNN`, `nn.GRU` or `nn.LSTM` of any number of layers, one of their cells, or a module
        with such parts and an `nn.Linear` readout. An `nn.Linear` before them, also with relu or
        tanh, is taken along. Or its weights: a state dict, a checkpoint with one, nested dicts of
        arrays as in Flax, `nnx.state(module)`, an Equinox module, or the path of a `.pt`, `.npz` or
        `.safetensors` file.
    layer
        Names of the recurrent parts in use, from inputs to outputs, as in a state dict. None: all
        of a module, the only one of weights.
    readout
        Name of the linear readout. None: the one with which a module's outputs are equal, or the
        only one that fits.
    activation
        Nonlinearity of the cells, which weights do not tell. None: tanh for GRU and LSTM. A module
        knows its own.
    dtype
        `float32` or `float64`. None: the type of the weights.

    Returns
    -------
    keras.Model
        Model `[trial, time, input]` -> `[trial, time, output]`, or the units without a readout. It
        has no dropout, and starts from zero.

    Raises
    ------
    ValueError
        If there is no such network, or its parts must be named. If it reads in both directions or
        has projections. If the outputs of a module are not those of its parts.

    References
    ----------
    Paszke et al. (2019), "PyTorch: an imperative style, high-performance deep learning library".

    Examples
    --------
    >>> import numpy as np
    >>> draw = np.random.default_rng(0).standard_normal
    >>> weights = {
    ...     "rnn.weight_ih_l0": draw((12, 2)), "rnn.weight_hh_l0": draw((12, 4)),
    ...     "rnn.bias_ih_l0": draw(12), "rnn.bias_hh_l0": draw(12),
    ...     "fc.weight": draw((1, 4)), "fc.bias": draw(1),
    ... }
    >>> from_torch(weights).output_shape
    (None, None, 1)
    """
    if dtype not in (None, "float32", "float64"):
        raise ValueError(f"dtype must be None, 'float32' or 'float64', got {dtype!r}")
    module = torch_module(network)
    if module is None:
        parts = find_parts(_arrays_of(network), dtype)
        return model_of(select_weights(parts, layer, readout, activation))
    if activation is not None:
        raise ValueError(
            f"activation must be None for a module, which knows its own, got {activation!r}. "
            "Pass its state_dict() to choose another."
        )
    return model_of(module_weights(module, layer, readout, dtype))


def _arrays_of(network: Any) -> dict[str, Array]:
    """Return weights by name, from containers of arrays or from a file."""
    if isinstance(network, str | Path):
        path = Path(network)
        try:
            return read_arrays(read_bytes(path), path.suffix)
        except KerasFileError as error:
            raise ValueError(
                f"network must be a readable file of weights, got {path}, which {error}"
            ) from error
    is_container = isinstance(network, Mapping | list | tuple) or is_dataclass(network)
    if not is_container or isinstance(network, type):
        raise ValueError(
            "network must be a PyTorch module, its weights by name, or a file of them, got a "
            f"{type(network).__name__}. Pass module.state_dict(), or nnx.state(module) of Flax."
        )
    return flatten_arrays(weights_of_checkpoint(network))


def model_of(weights: NetworkWeights) -> Any:
    """Return the Keras model of recurrent layers, their encoder and their readout."""
    require_tensorflow()
    chain, dtype = weights.chain, weights.dtype
    inputs = keras.Input((None, weights.inputs), name="inputs", dtype=dtype)
    layer = _recurrent_layer(chain, dtype)
    outputs = layer(_apply(weights.encoder, "encoder", inputs, dtype))
    outputs = _apply(weights.readout, "readout", outputs, dtype)
    model = keras.Model(inputs, outputs)
    cells = layer.cell.cells if len(chain) > 1 else [layer.cell]
    for cell, each in zip(cells, chain, strict=True):
        for variable, name in (
            (cell.kernel, "kernel"),
            (cell.recurrent_kernel, "recurrent_kernel"),
            (cell.bias, "bias"),
        ):
            variable.assign(each.weights[name])
    return model


def _apply(affine: Affine | None, name: str, values: Any, dtype: str) -> Any:
    """Return the outputs of a linear layer as a Dense layer of this name; None: the values."""
    if affine is None:
        return values
    units, activation = affine.kernel.shape[1], affine.activation
    dense = keras.layers.Dense(
        units, activation, use_bias=affine.bias is not None, name=name, dtype=dtype
    )
    outputs = dense(values)
    dense.set_weights([affine.kernel, *(() if affine.bias is None else (affine.bias,))])
    return outputs


def _recurrent_layer(chain: Sequence[Recurrence], dtype: str) -> Layer:
    if len(chain) == 1:
        kinds = {
            "vanilla": keras.layers.SimpleRNN,
            "gru": keras.layers.GRU,
            "lstm": keras.layers.LSTM,
        }
        return kinds[chain[0].kind](
            chain[0].units,
            activation=chain[0].activation,
            return_sequences=True,
            name="recurrent",
            dtype=dtype,
        )
    cells = {
        "vanilla": keras.layers.SimpleRNNCell,
        "gru": keras.layers.GRUCell,
        "lstm": keras.layers.LSTMCell,
    }
    stack = keras.layers.StackedRNNCells(
        [cells[each.kind](each.units, activation=each.activation, dtype=dtype) for each in chain],
        dtype=dtype,
    )
    return keras.layers.RNN(stack, return_sequences=True, name="recurrent", dtype=dtype)
