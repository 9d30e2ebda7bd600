"""Training of the networks of a study in sentences, with the values that they were trained by."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rnnstudy.analyses.base import Member
from rnnstudy.report.methods.sentences import (
    condition_in_words,
    settings_in_words,
    value_in_words,
)
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.overrides import Override
from rnnstudy.study.spec.selection import PendingNetwork, Selection
from rnnstudy.training.optimiser import BETA1, BETA2, EPSILON
from rnnstudy.training.protocol import Training

Values = Mapping[str, Sequence[Any]]
"""Training field -> its different values, in the order of the networks."""

NOT_CHOSEN = "a value that is not chosen yet"


def training_values(networks: Iterable[NetworkSpec]) -> Values:
    """Return the values of each training field that networks have; none of those to be chosen.

    Parameters
    ----------
    networks
        The networks. Imported ones have no training.

    Examples
    --------
    >>> from rnnstudy.study.spec.study import study_of
    >>> grid = {"cells": "gru", "learning_rate": [0.01, 0.001]}
    >>> study = study_of({"study": "a", "tasks": ["flip_flop"], "networks": grid})
    >>> training_values(network for _, network in study.expand())["learning_rate"]
    [0.01, 0.001]
    """
    trained = [network for network in networks if isinstance(network, TrainedNetworkSpec)]
    protocols = list(dict.fromkeys((network.training, _pending(network)) for network in trained))
    return {
        name: list(
            dict.fromkeys(getattr(each, name) for each, free in protocols if name not in free)
        )
        for name in Training.model_fields
    }


def _pending(network: TrainedNetworkSpec) -> tuple[str, ...]:
    return network.pending_fields if isinstance(network, PendingNetwork) else ()


def training_sentences(values: Values, citation: str = "") -> Iterator[str]:
    """Yield the training of networks in words.

    Parameters
    ----------
    values
        Training field -> its values among the networks.
    citation
        Citation of the optimiser, after a space. Default: none.

    Examples
    --------
    >>> values = {name: [part] for name, part in dict(Training(steps=10)).items()}
    >>> next(training_sentences(values)).partition(",")[0]
    'Each network was trained by Adam for 10 steps of 32 trials'
    """

    def of(name: str) -> str:
        return _alternatives(values[name]) or NOT_CHOSEN

    yield (
        f"Each network was trained by Adam{citation} for {_numbers_of(values['steps'], 'step')} of "
        f"{_numbers_of(values['batch'], 'trial')}, with a learning rate that decays exponentially "
        f"from {of('learning_rate')} to {_last_rate(values, of('final_rate'))}, a largest norm of "
        f"the gradient of {of('clip_norm')} and a penalty of {of('l2')} on squared weights."
    )
    yield f"Adam's moments decayed by {BETA1:g} and {BETA2:g}, and its epsilon was {EPSILON:g}."
    if any(values["rate_l2"]):
        yield f"A penalty of {of('rate_l2')} was on the mean squared activity."
    if any(values["state_noise"]):
        yield (
            f"Normal noise of standard deviation {of('state_noise')} was added to the state at "
            "each time step of training."
        )
    yield _initial_state(values["train_initial_state"])
    if "solved" in values["stop"]:
        subject = "Training" if len(values["stop"]) == 1 else "Training of some networks"
        yield f"{subject} ended early once a network had solved its task."
    if any(values["retry"]):
        yield f"A diverged network was trained anew up to {_numbers_of(values['retry'], 'time')}."
    yield f"Computations of the training were in {of('precision')}."
    if any(values["tf32"]):
        yield "GPUs rounded factors of products to TensorFloat-32."
    if any(len(values[name]) != 1 for name in values if name not in Training.labels):
        yield "Where there are several values, the sentences below say which networks had which."


def _numbers_of(numbers: Sequence[int], noun: str) -> str:
    """Return numbers with their noun: `1 step`, `100 or 200 steps`."""
    return f"{_alternatives(numbers)} {noun}{'' if list(numbers) == [1] else 's'}"


def _alternatives(values: Sequence[Any]) -> str:
    """Return different values in words, numbers in order: `7, 100 or 200`."""
    in_order = values if any(isinstance(value, str) for value in values) else sorted(values)
    *others, last = map(value_in_words, in_order) if values else [""]
    return f"{', '.join(others)} or {last}" if others else last


def _last_rate(values: Values, share: str) -> str:
    """Return the last learning rate in words: a number if all networks have one schedule."""
    firsts, shares = values["learning_rate"], values["final_rate"]
    if len(firsts) == len(shares) == 1:
        return f"{firsts[0] * shares[0]:g}"
    return f"{share} times this value"


def _initial_state(trained: Sequence[bool]) -> str:
    if len(trained) == 1:
        return f"The initial state {'was trained, too' if trained[0] else 'was zero'}."
    return "The initial state was trained, too, in some networks, and was zero in the others."


def selection_sentences(
    selection: Selection, pairs: Iterable[tuple[Member, NetworkSpec]]
) -> Iterator[str]:
    """Yield how pilots chose fields of the training, and what they chose.

    Parameters
    ----------
    selection
        The rule.
    pairs
        The networks with their names, chosen fields filled in.
    """
    offered = "; ".join(
        f"{value_in_words(name)} {_alternatives(values)}" for name, values in selection.grid.items()
    )
    yield (
        "Pilot networks, which serve nothing else, chose fields of the training for each "
        f"combination by their validation loss. They chose between these values: {offered}. "
        f"Settings: {settings_in_words(selection, selection.grid)}."
    )
    chosen: dict[str, dict[str, None]] = {}
    for member, network in pairs:
        if isinstance(network, TrainedNetworkSpec) and not _pending(network):
            names = chosen.setdefault(_values_of(network, selection.grid), {})
            names[re.sub(r"-s\d+$", "", member.name).replace("_", " ")] = None
    if chosen:
        listed = "; ".join(f"{words} for {', '.join(names)}" for words, names in chosen.items())
        yield f"The networks were trained with {listed}."


def _values_of(network: TrainedNetworkSpec, names: Iterable[str]) -> str:
    fields = {name: getattr(network.training, name) for name in names}
    return ", ".join(
        f"{value_in_words(name)} {value_in_words(value)}" for name, value in fields.items()
    )


def override_sentence(override: Override) -> str:
    """Return an override in words; empty if it changes nothing."""
    fields = {**override.set.training, **override.set.cell}
    where = condition_in_words(override.where) or "all networks"
    return f"For {where}: {value_in_words(fields)}." if fields else ""


def seeds_sentence(seeds: int, values: Values) -> str:
    """Return the number of seeds of a combination, and what they determine.

    Parameters
    ----------
    seeds
        The number.
    values
        Training field -> its values among the networks.
    """
    start = (
        f"Each combination was trained from {count_label(seeds, 'seed')}, which "
        f"{'determines' if seeds == 1 else 'determine'} its initial weights"
    )
    if "shared" not in values["data"]:
        return f"{start} and its trials."
    if "per_member" not in values["data"]:
        return f"{start}. All networks of a task were trained on the same trials."
    return f"{start} and its trials, but for networks with shared trials, which all had the same."
