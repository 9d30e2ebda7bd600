"""Recurrent layers and readouts among named arrays."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from rnnstudy.cells.base import Activation
from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import suggestion
from rnnstudy.keras_bridge.named_weights.layouts import (
    Affine,
    NetworkWeights,
    Recurrence,
    from_columns,
    from_rows,
)

ROWS = re.compile(r"(?:(.*)\.)?((?:weight|bias)_(?:ih|hh|hr))(?:_l(\d+))?(_reverse)?")
"""Names in PyTorch's recurrent layers: prefix, weight, number of the layer, direction."""

MAX_LISTED = 6
"""Largest number of names in a message."""

BLACK_BOX = "Wrap one step of it in a function (inputs, state) -> state, and give state_size."
"""Remedy for networks that are none of the known kinds."""


@dataclass(frozen=True)
class LayerIndex:
    """Layers among named arrays.

    chains: recurrent layers by the names of their modules. linear: linear layers by name. others:
    names of the other arrays.

    Examples
    --------
    >>> find_parts({"fc.weight": np.ones((1, 3)), "gain": np.ones(3)}).others
    ('gain',)
    """

    chains: Mapping[str, tuple[Recurrence, ...]]
    linear: Mapping[str, Affine]
    others: tuple[str, ...]


def find_parts(arrays: Mapping[str, Array], dtype: str | None = None) -> LayerIndex:
    """Return the parts of a network among arrays by name.

    dtype: float32 or float64. Default: float64 if an array has it. Raises ValueError for weights
    that are not finite, for both directions, and for projections.
    """
    names = {a.dtype.name for a in arrays.values()}
    kind = np.dtype(dtype or ("float64" if "float64" in names else "float32"))
    floats = {n: a.astype(kind) for n, a in arrays.items() if a.dtype.kind == "f"}
    _require_finite(floats)
    unused = dict(floats)
    chains = {**_row_chains(floats, unused), **_column_chains(floats, unused)}
    linear = _linear(floats, unused)
    order = {name: i for i, name in enumerate(arrays)}
    others = sorted({*unused, *(set(arrays) - set(floats))}, key=lambda name: order[name])
    return LayerIndex(chains, linear, tuple(others))


def _require_finite(arrays: Mapping[str, Array]) -> None:
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            raise ValueError(
                f"weight '{name}' must be finite, got NaN or inf. Train the network anew."
            )


def _row_chains(
    arrays: Mapping[str, Array], unused: dict[str, Array]
) -> dict[str, tuple[Recurrence, ...]]:
    """Return the layers of PyTorch and Equinox by prefix, and remove their arrays from `unused`."""
    groups: dict[str, dict[int, dict[str, str]]] = {}
    for name in arrays:
        match = ROWS.fullmatch(name)
        if match is None:
            continue
        prefix, part, layer, reverse = match.groups()
        owner = f"the recurrent layer '{prefix}'" if prefix else "the recurrent layer"
        if reverse:
            raise ValueError(
                f"{owner} must read its inputs in one direction, got both. {BLACK_BOX}"
            )
        if part == "weight_hr":
            raise ValueError(f"{owner} must have no projection, got proj_size. {BLACK_BOX}")
        groups.setdefault(prefix or "", {}).setdefault(int(layer or 0), {})[part] = name
    chains = {}
    for prefix, layers in groups.items():
        if sorted(layers) != list(range(len(layers))) or not all(
            {"weight_ih", "weight_hh"} <= set(parts) for parts in layers.values()
        ):
            names = [name for parts in layers.values() for name in parts.values()]
            raise ValueError(
                f"the recurrent layer '{prefix}' must have weight_ih and weight_hh for each of its "
                f"layers, got {_list_names(names)}. "
                "Pass the module itself if its weights are parametrised."
            )
        single = layers[0]
        for part in ("bias", "bias_n"):  # of Equinox
            name = f"{prefix}.{part}" if prefix else part
            if name in arrays and "bias_ih" not in single and len(layers) == 1:
                single[part] = name
        chains[prefix] = tuple(
            from_rows(
                prefix if len(layers) == 1 else f"{prefix} layer {i}".strip(),
                {part: arrays[name] for part, name in layers[i].items()},
            )
            for i in range(len(layers))
        )
        for parts in layers.values():
            for name in parts.values():
                unused.pop(name, None)
    return chains


def _column_chains(
    arrays: Mapping[str, Array], unused: dict[str, Array]
) -> dict[str, tuple[Recurrence, ...]]:
    """Return the cells of Flax by prefix, and remove their arrays from `unused`."""
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for name in arrays:
        owner, _, part = name.rpartition(".")
        prefix, _, layer = owner.rpartition(".")
        if part in ("kernel", "bias") and layer:
            groups.setdefault(prefix, {}).setdefault(layer, {})[part] = name
    chains: dict[str, tuple[Recurrence, ...]] = {}
    for prefix, members in groups.items():
        gates = {k: parts for k, parts in members.items() if _is_gate(k) and "kernel" in parts}
        values = {k: {p: arrays[n] for p, n in parts.items()} for k, parts in gates.items()}
        cell = from_columns(prefix, values)
        if cell is None:
            continue
        chains[prefix] = (cell,)
        for parts in gates.values():
            for name in parts.values():
                unused.pop(name, None)
    return chains


def _is_gate(layer: str) -> bool:
    return layer in ("dense_i", "dense_h") or re.fullmatch(r"[ih][rznifgo]?_?", layer) is not None


def _linear(arrays: Mapping[str, Array], unused: dict[str, Array]) -> dict[str, Affine]:
    """Return linear layers by prefix, and remove their arrays from `unused`."""
    linear = {}
    for name in list(unused):
        prefix, _, part = name.rpartition(".")
        if part not in ("weight", "kernel") or arrays[name].ndim != 2:
            continue
        kernel = arrays[name].T if part == "weight" else arrays[name]
        bias_name = f"{prefix}.bias" if prefix else "bias"
        bias = unused.get(bias_name)
        if bias is not None and bias.shape != (kernel.shape[1],):
            continue
        linear[prefix] = Affine(prefix, kernel, bias)
        unused.pop(name)
        unused.pop(bias_name, None)
    return linear


def choose_chain(
    parts: LayerIndex, layer: str | Sequence[str] | None, *, ordered: bool
) -> tuple[Recurrence, ...]:
    """Return the recurrent layers of these names, from inputs to outputs, or all of them.

    ordered: whether the arrays are in the order of use. Raises ValueError if there is none, if a
    name is unknown, if the order is unknown, or if the layers do not fit each other.
    """
    names = [layer] if isinstance(layer, str) else list(parts.chains if layer is None else layer)
    known = [name or "(the whole)" for name in parts.chains]
    if not parts.chains:
        raise ValueError(
            "weights must have a recurrent layer of PyTorch, Flax or Equinox (RNN, GRU, LSTM), got "
            f"{_list_names([*parts.linear, *parts.others]) or 'none'}. {BLACK_BOX}"
        )
    for name in names:
        if name not in parts.chains:
            raise ValueError(
                f"layer must be a recurrent layer of the network ({', '.join(known)}), got "
                f"{name!r}{suggestion(str(name), list(parts.chains))}"
            )
    if layer is None and len(names) > 1 and not ordered:
        raise ValueError(
            f"the network must have one recurrent layer, got {', '.join(known)}. Name those in "
            f"use, from inputs to outputs: layer={names}."
        )
    chain = tuple(each for name in names for each in parts.chains[name])
    for first, second in itertools.pairwise(chain):
        if first.units != second.inputs:
            raise ValueError(
                f"'{second.name}' must read the {first.units} units of '{first.name}', got a layer "
                f"of {second.inputs} inputs. Name the layers from inputs to outputs: layer=[...]."
            )
    return chain


def named_readout(parts: LayerIndex, name: str, units: int) -> Affine:
    """Return the linear layer of a name; ValueError if it is unknown or does not fit."""
    if name not in parts.linear:
        raise ValueError(
            f"readout must be a linear layer of the network "
            f"({', '.join(parts.linear) or 'there is none'}), got {name!r}"
            f"{suggestion(name, list(parts.linear))}"
        )
    readout = parts.linear[name]
    if readout.kernel.shape[0] != units:
        raise ValueError(
            f"readout '{name}' must read {units} units, got a layer of {readout.kernel.shape[0]} "
            "inputs. Name another linear layer."
        )
    return readout


def select_weights(
    parts: LayerIndex,
    layer: str | Sequence[str] | None = None,
    readout: str | None = None,
    activation: str | None = None,
) -> NetworkWeights:
    """Return the network of arrays by name.

    Without names, every array must belong to one recurrent layer or to one readout with a bias.
    Raises ValueError, with the names to give, otherwise.
    """
    chain = choose_chain(parts, layer, ordered=False)
    units = chain[-1].units
    if readout is not None:
        chosen: Affine | None = named_readout(parts, readout, units)
    else:
        fitting = [a for a in parts.linear.values() if len(a.kernel) == units]
        fitting = [a for a in fitting if layer is not None or a.bias is not None]
        if len(fitting) > 1:
            names = ", ".join(affine.name for affine in fitting)
            raise ValueError(
                f"the network must have one readout, got {names}. "
                f"Name it: readout={fitting[0].name!r}."
            )
        chosen = fitting[0] if fitting else None
    if layer is None and readout is None:
        others = [*(n for n in parts.linear if chosen is None or n != chosen.name), *parts.others]
        if others:
            raise ValueError(
                "the weights must be those of a recurrent layer and its linear readout, got "
                f"{_list_names(others)} beside them. {_encoder_remedy(parts, chain[0])}Pass the "
                "module, or name the parts to take: "
                f"layer={next(iter(parts.chains))!r}, readout=..."
            )
    return NetworkWeights(tuple(with_activation(each, activation) for each in chain), chosen)


def _encoder_remedy(parts: LayerIndex, first: Recurrence) -> str:
    """Return what to do about a linear layer that may process the inputs, else an empty text."""
    encoders = [name for name, each in parts.linear.items() if each.kernel.shape[1] == first.inputs]
    if not encoders:
        return ""
    return (
        f"If '{encoders[0]}' processes the inputs, only the module tells how. A spec takes the "
        "Keras file that from_torch(module).save('net.keras') writes. "
    )


def with_activation(layer: Recurrence, activation: str | None) -> Recurrence:
    """Return a layer with its nonlinearity. That of gated layers is tanh by default."""
    known = get_args(Activation)
    if activation is not None and activation not in known:
        raise ValueError(
            f"activation must be one of {', '.join(known)}, got {activation!r}"
            f"{suggestion(str(activation), known)}"
        )
    if layer.activation is None and activation is None and layer.kind == "vanilla":
        raise ValueError(
            f"activation must be given for '{layer.name or 'weights'}', since weights of an nn.RNN "
            'do not tell it. Use activation="tanh" or "relu".'
        )
    return replace(layer, activation=activation or layer.activation or "tanh")


def _list_names(names: Iterable[str]) -> str:
    each = list(names)
    more = f" and {len(each) - MAX_LISTED} more" if len(each) > MAX_LISTED else ""
    return ", ".join(each[:MAX_LISTED]) + more
