"""Networks against a recording, from Python."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arguments import check_flag, check_instance, summarise_value
from rnnstudy.core.arrays import Array
from rnnstudy.keras_bridge.from_torch import from_torch
from rnnstudy.keras_bridge.keras_cell import population_of
from rnnstudy.keras_bridge.torch_modules import torch_module
from rnnstudy.metrics import Metric, as_metric
from rnnstudy.population.population import Population
from rnnstudy.recordings.ceiling import SPLITS
from rnnstudy.recordings.distances import RecordingDistances, recording_distances
from rnnstudy.recordings.files import read_recording
from rnnstudy.recordings.matching import RecordingMatch, match_recording
from rnnstudy.recordings.record import Recording
from rnnstudy.recordings.windows import Between
from rnnstudy.tasks import Task


def compare(
    networks: Any,
    data: Recording | str | Path,
    metric: Metric | str = "svcca",
    *,
    task: Task | None = None,
    condition: Sequence[str] | None = None,
    average: bool = True,
    align: str | None = None,
    between: Between | None = None,
    splits: int = SPLITS,
    seed: int = 0,
) -> RecordingDistances:
    """Compute the distances between networks and a recording of neurons, with a noise ceiling.

    All are compared on the conditions and times of the recording. If the recording has inputs of
    the task, these drive the networks. Otherwise the task's probe drives them, and its trials are
    averaged by the fields that the recording has, too.

    Parameters
    ----------
    networks : dict, list, Population or network
        Networks: a dict of names, or a list. Each is a Keras model, a PyTorch module that
        `from_torch` takes, a `Population`, or an array of states [row, time, unit] in the rows and
        at the times of the recording.
    data : Recording or path
        The recording, or its file.
    metric : Metric or str, default "svcca"
        Metric, or its name with default settings.
    task : Task, optional
        Task of the networks. It is needed if the recording has no inputs.
    condition : sequence of str, optional
        Fields that make a condition. Default: all.
    average : bool, default True
        True for averages over conditions, False for single trials.
    align : str, optional
        Part of the task's trials at whose beginning the time of the recording is 0. Default: the
        beginning of the trial.
    between : pair, optional
        Window that is compared, as `("stimulus", "delay")`. Default: all times.
    splits : int, default 10
        Number of splits of the trials in halves.
    seed : int, default 0
        Seed of the splits.

    Returns
    -------
    RecordingDistances
        Distances of all networks and the recording, cross-validated ones, and the noise ceiling.
        Its `nearest()` is a table of the networks.

    Raises
    ------
    ValueError
        Recording, task and networks do not fit together, or the recording has too few neurons,
        conditions or trials for the metric.
    TypeError
        An argument has another type.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> own, other = generator.standard_normal((2, 4, 20, 3))
    >>> neurons = (own @ generator.standard_normal((3, 9))).repeat(6, axis=0)
    >>> neurons += 0.1 * generator.standard_normal(neurons.shape)
    >>> recording = Recording.of(
    ...     neurons, {"choice": np.arange(4).repeat(6)}, inputs=np.zeros((24, 20, 1)), name="ape"
    ... )
    >>> compare({"own": own, "other": other}, recording, "procrustes").nearest().index.tolist()
    ['own', 'other']
    """
    recording = data if isinstance(data, Recording) else read_recording(data)
    metric = as_metric(metric)
    if task is not None:
        check_instance("task", task, Task, "Pass a task, like FlipFlop().")  # type: ignore[type-abstract]
    match = match_recording(
        recording,
        task,
        condition,
        average=check_flag("average", average),
        align=align,
        between=between,
    )
    states = dict(_named_states(networks, match))
    if recording.name in states:
        raise ValueError(
            f"a network must have another name than the recording, got {recording.name!r} for "
            "both. Give the recording a name."
        )
    rows = match.rows_for(metric)
    return recording_distances(states, rows, metric, splits=splits, seed=seed, strict=True)


def _named_states(networks: Any, match: RecordingMatch) -> Iterator[tuple[str, Array]]:
    """Yield name and states [row, time, unit] of each network."""
    if isinstance(networks, Mapping):
        named = [(str(name), each) for name, each in networks.items()]
    elif isinstance(networks, list | tuple):
        named = [(str(i), each) for i, each in enumerate(networks)]
    else:
        named = [("", networks)]
    if not named:
        raise ValueError("networks must be at least one, got none. Pass {'name': model}.")
    for name, network in named:
        members = _states(network, match, name)
        for i, states in enumerate(members):
            parts = [name] if len(members) == 1 and name else [name, str(i)]
            yield "-".join(part for part in parts if part), states


def _states(network: Any, match: RecordingMatch, name: str) -> Array:
    """Return the states of one or several networks, [member, row, time, unit]."""
    if isinstance(network, np.ndarray):
        return match.crop(network, name)[None]
    if torch_module(network) is not None:
        network = from_torch(network)
    if not isinstance(network, Population):
        if not hasattr(network, "layers"):
            raise TypeError(
                f"network {name!r} must be a Keras model, a PyTorch module, a Population or an "
                f"array of states, got {summarise_value(network)}. Convert it."
            )
        network = population_of(network)
    return match.states(network)
