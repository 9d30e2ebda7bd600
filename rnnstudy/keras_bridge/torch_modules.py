"""PyTorch modules as named weights, compared with the module's own outputs.

PyTorch is never imported here. A module of it shows that it has been.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.arrays import Array
from rnnstudy.keras_bridge.float64_copies import reason
from rnnstudy.keras_bridge.named_weights.arrays import flatten_arrays
from rnnstudy.keras_bridge.named_weights.layouts import (
    ENCODER_ACTIVATIONS,
    Affine,
    NetworkWeights,
    Recurrence,
)
from rnnstudy.keras_bridge.named_weights.parts import (
    BLACK_BOX,
    LayerIndex,
    choose_chain,
    find_parts,
    named_readout,
    with_activation,
)
from rnnstudy.population.population import population_of_one

INPUT_SCALES, TIME = (0.3, 1.0, 10.0), 4
"""Trials and length of the random sequences on which a module is compared with its parts. Large
inputs show a nonlinearity after the readout."""

MODULE_TOLERANCES = {"float64": 1e-10, "float32": 3e-5}
"""Largest difference there, as a share of the largest output, by the type of the module. Half
precision has 0.03."""


def torch_module(network: Any) -> Any:
    """Return the network if it is a module of PyTorch, else None."""
    torch = sys.modules.get("torch")
    module_class = getattr(getattr(torch, "nn", None), "Module", None)
    return network if module_class is not None and isinstance(network, module_class) else None


def module_weights(
    module: Any,
    layer: str | Sequence[str] | None = None,
    readout: str | None = None,
    dtype: str | None = None,
) -> NetworkWeights:
    """Return the recurrent layers of a PyTorch module, with its linear readout and encoder.

    Without names, the module's own outputs must equal those of its parts. With names, the outputs
    of each named part must, and an encoder is left out. Raises ValueError otherwise, or for a kind
    that cannot be converted.
    """
    torch = sys.modules["torch"]
    recurrent = recurrent_parts(module)
    if not recurrent:
        raise ValueError(
            f"{module_label(module)} must have an nn.RNN, nn.GRU or nn.LSTM, or their cells, got "
            f"none. {BLACK_BOX}"
        )
    parts = _parts(torch, module, recurrent, dtype)
    chain = tuple(with_activation(each, None) for each in choose_chain(parts, layer, ordered=True))
    units = chain[-1].units
    if layer is None and readout is None:
        return match_parts(torch, module, recurrent, [*parts.linear.values()], chain)
    used = parts.chains if layer is None else [layer] if isinstance(layer, str) else layer
    for name in used:
        layers = tuple(with_activation(each, None) for each in parts.chains[name])
        match_parts(torch, recurrent[name], {name: recurrent[name]}, (), layers)
    if readout is not None:
        return NetworkWeights(chain, named_readout(parts, readout, units))
    fitting = [affine for affine in parts.linear.values() if len(affine.kernel) == units]
    if len(fitting) > 1:
        names = ", ".join(affine.name for affine in fitting)
        raise ValueError(
            f"{module_label(module)} must have one readout, got {names}. "
            f"Name it: readout={fitting[0].name!r}."
        )
    return NetworkWeights(chain, fitting[0] if fitting else None)


def recurrent_parts(module: Any) -> dict[str, Any]:
    """Return the recurrent layers and cells of PyTorch in a module, by name."""
    nn = sys.modules["torch"].nn
    kinds = (nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell)
    return {name: part for name, part in module.named_modules() if isinstance(part, kinds)}


def _parts(torch: Any, module: Any, recurrent: Mapping[str, Any], dtype: str | None) -> LayerIndex:
    """Return the parts of a module. Parametrised weights have their effective values."""
    arrays: dict[str, Any] = {}
    for name, part in module.named_modules():
        if name in recurrent:
            names = _names(part)
        elif isinstance(part, torch.nn.Linear):
            names = ["weight"] if part.bias is None else ["weight", "bias"]
        else:
            continue
        arrays |= {f"{name}.{each}" if name else each: getattr(part, each) for each in names}
    parts = find_parts(flatten_arrays(arrays), dtype)
    known = {
        name: tuple(replace(each, activation=_activation(recurrent[name])) for each in chain)
        for name, chain in parts.chains.items()
    }
    return replace(parts, chains={name: known[name] for name in recurrent})


def _names(part: Any) -> list[str]:
    """Return the names of the weights of a recurrent module."""
    if not hasattr(part, "num_layers"):
        return ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if part.bias else [])]
    kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if part.bias else [])]
    kinds += ["weight_hr"] if getattr(part, "proj_size", 0) else []
    ends = ["", "_reverse"] if part.bidirectional else [""]
    return [f"{kind}_l{i}{end}" for i in range(part.num_layers) for end in ends for kind in kinds]


def _activation(part: Any) -> str:
    return str(getattr(part, "nonlinearity", "tanh"))


def match_parts(
    torch: Any,
    module: Any,
    recurrent: Mapping[str, Any],
    linear: Sequence[Affine],
    chain: tuple[Recurrence, ...],
) -> NetworkWeights:
    """Return the network of these parts that computes the module's outputs.

    A linear layer may process the inputs, and another one may read the last units. Raises
    ValueError if no combination computes what the module does.
    """
    readouts = [each for each in linear if len(each.kernel) == chain[-1].units]
    is_first = all(getattr(part, "batch_first", True) for part in recurrent.values())
    failures: list[str] = []
    encoders = list(_encoders(linear, chain[0].inputs))
    for encoder, batch_first in product((None, *encoders), (is_first, not is_first)):
        x = _sequences(chain[0].inputs if encoder is None else len(encoder.kernel))
        try:
            outputs = list(_outputs(torch, module, x, batch_first))
        except Exception as error:  # A user's code may raise anything.
            failures.append(reason(error))
            continue
        visible = simulate_chain(chain, x if encoder is None else encoder(x))
        for readout in (*readouts, None):
            expected = visible if readout is None else readout(visible)
            if any(_is_equal(values, expected, kind) for values, kind in outputs):
                return NetworkWeights(chain, readout, encoder)
    names = ", ".join([*map(module_label, recurrent.values()), *_linear_names(linear)])
    got = f"'{failures[0]}'" if len(failures) == 2 + 2 * len(encoders) else "other outputs"
    raise ValueError(
        f"{module_label(module)} must compute what its parts compute ({names}), got {got}. "
        "Before them one Linear is taken along, also with relu or tanh. Name the parts to take: "
        f"layer={next(iter(recurrent))!r}, readout=... {BLACK_BOX}"
    )


def _encoders(linear: Sequence[Affine], units: int) -> Iterator[Affine]:
    """Yield linear layers of as many outputs, with each nonlinearity that may follow them."""
    for each in linear:
        if each.kernel.shape[1] == units:
            yield from (replace(each, activation=name) for name in ENCODER_ACTIVATIONS)


def _sequences(inputs: int) -> Array:
    """Return random sequences `[trial, time, input]` of several scales."""
    x = np.random.default_rng(0).standard_normal((len(INPUT_SCALES), TIME, inputs))
    return x * np.array(INPUT_SCALES)[:, None, None]


def _linear_names(linear: Any) -> list[str]:
    return [f"Linear '{each.name}'" for each in linear]


def simulate_chain(chain: Sequence[Recurrence], x: Array) -> Array:
    """Return the last layer's units `[trial, time, unit]` under inputs `[trial, time, input]`."""
    for each in chain:
        cell = equal_cell_of(each)
        weights = {name: values.astype(np.float64) for name, values in each.weights.items()}
        population = population_of_one(cell, weights, np.zeros(cell.state_size))
        x = population.visible(population.unroll(x))[0]
    return x


def equal_cell_of(layer: Recurrence) -> Cell:
    """Return the cell of this package that equals a recurrent layer."""
    kinds: dict[str, type[Cell]] = {"vanilla": Vanilla, "gru": GRU, "lstm": LSTM}
    fields: dict[str, Any] = {"units": layer.units, "activation": layer.activation or "tanh"}
    return kinds[layer.kind](**fields)


def _outputs(torch: Any, module: Any, x: Array, batch_first: bool) -> Iterator[tuple[Array, str]]:
    """Yield the arrays of a module's result, with trials first, and the name of their type."""
    like = next(module.parameters())
    inputs = torch.tensor(x, dtype=like.dtype, device=like.device)
    is_cell = not hasattr(module, "num_layers") and hasattr(module, "weight_ih")
    inputs = inputs[:, 0] if is_cell else inputs if batch_first else inputs.transpose(0, 1)
    with inference(torch, module):
        result = module(inputs)
    kind = str(like.dtype).removeprefix("torch.")
    for values in flatten_arrays({"result": result}).values():
        is_sequence = values.ndim == 3 and not batch_first
        yield (np.swapaxes(values, 0, 1) if is_sequence else values).astype(np.float64), kind


@contextmanager
def inference(torch: Any, module: Any) -> Iterator[None]:
    """Switch dropout off in a module, and gradients, in this context."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def _is_equal(values: Array, expected: Array, kind: str) -> bool:
    """Return whether outputs are those of all times, or of the last or the first."""
    tolerance = MODULE_TOLERANCES.get(kind, 0.03)
    return any(
        values.shape == each.shape
        and bool(np.abs(values - each).max() <= tolerance * np.abs(each).max())
        for each in (expected, expected[:, -1], expected[:, 0])
    )


def module_label(module: Any) -> str:
    """Return the name of a module in messages."""
    return f"PyTorch module {type(module).__name__}"
