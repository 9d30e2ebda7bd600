"""Networks in Keras files that no study can analyse, recognised by their configuration."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnstudy.keras_bridge.keras_layers.encoders import ENCODERS

INACTIVE = ("InputLayer", "Dropout", "GaussianNoise", "GaussianDropout")
"""Layers of Keras that do nothing in inference."""

RECURRENT = ("SimpleRNN", "GRU", "LSTM", "RNN")
"""Recurrent layers of Keras."""

MODEL_CLASSES = ("Sequential", "Functional", "Model")
"""Models of Keras, which may be layers of another one."""


def refusal(config: Any, layer: str | None = None) -> str:
    """Return why a run would refuse the network of a file; empty if nothing is known against it.

    The sentence follows the file's name. Layers of other people are not known, so that only
    Keras can tell.

    Parameters
    ----------
    config
        Configuration of the model, as its file has it.
    layer
        Name of the recurrent layer that the spec names, if any.

    Examples
    --------
    >>> masking = {"class_name": "Masking", "config": {"name": "pad"}}
    >>> refusal({"config": {"layers": [masking]}})[:38]
    "has the layer Masking 'pad', which mas"
    """
    for part in _parts(config):
        if reason := _rule_broken(part):
            return f"has the layer {_label(part)}, {reason}"
    listed = value(config, "config", "layers")
    layers = [each for each in listed if isinstance(each, Mapping)] if listed else []
    for ends, noun in (("input_layers", "inputs"), ("output_layers", "outputs")):
        if (count := len(list(_names(value(config, "config", ends))))) > 1:
            return f"has {count} {noun}. Save a model with one, [trial, time, channel]"
    active = [each for each in layers if each.get("class_name") not in INACTIVE]
    for each in active:
        if each.get("class_name") in MODEL_CLASSES:
            return f"has the model {_label(each)} as a layer. Save one model of its layers"
    if layer is None and active and all(_is_known(each) for each in active):
        return _wrong_order(active)
    return ""


def _parts(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the layers in a configuration, at any depth."""
    if isinstance(config, Mapping):
        if "class_name" in config and isinstance(config.get("config"), Mapping):
            yield config
        for inner in config.values():
            yield from _parts(inner)
    elif isinstance(config, list):
        for inner in config:
            yield from _parts(inner)


def _rule_broken(part: Mapping[str, Any]) -> str:
    """Return why the state does not follow one rule from step to step; empty if it may."""
    kind, settings = part["class_name"], part["config"]
    is_recurrent = kind in RECURRENT or isinstance(settings.get("cell"), Mapping)
    if kind == "Bidirectional":
        return "which reads its inputs in both directions. Save its forward_layer in a model alone"
    if kind == "Masking" or (kind == "Embedding" and settings.get("mask_zero") is True):
        return "which masks time steps. Save the model without it"
    if is_recurrent and settings.get("stateful") is True:
        return "which is stateful. Set its stateful to False"
    if is_recurrent and settings.get("go_backwards") is True:
        return "which reads its inputs backwards. Save it with go_backwards=False"
    for name in ("dropout", "recurrent_dropout"):
        rate = settings.get(name)
        if isinstance(rate, int | float) and rate > 0:
            return f"whose {name} is {rate:g}. Set it to 0"
    return ""


def _names(ends: Any) -> Iterator[str]:
    """Yield the names of the layers at the ends of a model, at any depth."""
    if isinstance(ends, str):
        yield ends
    elif isinstance(ends, Mapping | list):
        for inner in ends.values() if isinstance(ends, Mapping) else ends:
            yield from _names(inner)


def _wrong_order(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return why layers of Keras are no encoder, recurrent layers and readout; else empty."""
    kinds = [_kind(each) for each in layers]
    at = [i for i, kind in enumerate(kinds) if kind in RECURRENT]
    if not at:
        listed = ", ".join(_label(each) for each in layers)
        return f"must have a layer {', '.join(RECURRENT[:-1])} or RNN, but its layers are {listed}"
    before, inside, after = kinds[: at[0]], kinds[at[0] : at[-1] + 1], kinds[at[-1] + 1 :]
    wrong = [i for i, kind in enumerate(before) if kind not in ENCODERS]
    if wrong:
        return (
            f"has the layer {_label(layers[wrong[0]])} before its recurrent layer, which cannot be "
            f"taken along. Only {', '.join(ENCODERS)} can stand there"
        )
    if len(inside) != len(at) or after != ["Dense"]:
        listed = ", ".join(_label(each) for each in layers)
        return f"must be recurrent layers and a Dense readout, but its layers are {listed}"
    readout = value(layers[-1], "config", "layer") or layers[-1]
    activation = value(readout, "config", "activation")
    if isinstance(activation, str) and activation != "linear":
        return f"must have a readout with a linear activation, but its activation is {activation}"
    return ""


def _is_known(part: Mapping[str, Any]) -> bool:
    return str(part.get("module", "")).startswith("keras.layers")


def _kind(part: Mapping[str, Any]) -> str:
    """Return the class of a layer, or of the layer that is applied to each time step."""
    inner = value(part, "config", "layer") if part["class_name"] == "TimeDistributed" else part
    return str(value(inner, "class_name"))


def _label(part: Mapping[str, Any]) -> str:
    return f"{part['class_name']} '{value(part, 'config', 'name') or '?'}'"


def value(part: Any, *names: str) -> Any:
    """Return the value under nested names of a configuration; None if there is none."""
    for name in names:
        part = part.get(name) if isinstance(part, Mapping) else None
    return part
