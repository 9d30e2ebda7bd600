"""Environments of NeuroGym, and their trials as arrays."""

import importlib
import importlib.metadata
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import suggestion

DECISION = "decision"
"""Name of the period in which most environments of NeuroGym want a choice."""


@dataclass(frozen=True)
class Trial:
    """A trial of an environment, without padding."""

    inputs: Array
    """Observations [time, input]."""
    truth: Array
    """Ground truth: classes [time], or real numbers [time, output]."""
    periods: Mapping[str, slice]
    """Name of each part -> its time steps."""


def installed_version() -> str:
    """Return the version of NeuroGym. ValueError if it is not installed."""
    try:
        return importlib.metadata.version("neurogym")
    except importlib.metadata.PackageNotFoundError:
        raise ValueError(
            "neurogym must be installed, got no package of this name. "
            "Run: pip install 'rnnstudy[neurogym]'."
        ) from None


class Environment:
    """An environment of NeuroGym whose trials are drawn in order from a seed.

    Parameters
    ----------
    name
        Name in NeuroGym's registry, such as `PerceptualDecisionMaking-v0`.
    dt
        Milliseconds of a time step.
    arguments
        Further arguments of the environment.
    seed
        Seed of its random numbers.

    Raises
    ------
    ValueError
        NeuroGym is not installed, or the environment is unknown, cannot be made, or has no trials.

    Examples
    --------
    >>> from rnnstudy.tasks.neurogym.environment import Environment
    >>> Environment("GoNogo-v0", 100.0, {}, seed=0).classes  # doctest: +SKIP
    2
    """

    def __init__(self, name: str, dt: float, arguments: Mapping[str, Any], seed: int) -> None:
        self.name = name
        with _quietly():
            self._top = _make(name, dt, arguments)
            self._top.seed(seed)

    @property
    def inputs(self) -> int:
        """Number of observations at a time step."""
        return int(np.prod(self._top.observation_space.shape))

    @property
    def classes(self) -> int:
        """Number of choices; 0 if actions are real numbers."""
        return int(getattr(self._top.action_space, "n", 0))

    @property
    def outputs(self) -> int:
        """Number of choices, or of real numbers of an action."""
        return self.classes or int(np.prod(self._top.action_space.shape))

    def trials(self, count: int) -> Iterator[Trial]:
        """Yield the next trials. ValueError if they have no ground truth."""
        for _ in range(count):
            with _quietly():
                self._top.new_trial()
            # Of environments that take turns, this is the one of the trial.
            core = self._top.unwrapped
            inputs, truth = getattr(core, "ob", None), getattr(core, "gt", None)
            if inputs is None or truth is None:
                raise ValueError(
                    f"env must be an environment with ground truth, got '{self.name}'. "
                    "Choose one with NeuroGym's tag 'supervised'."
                )
            steps = len(inputs)
            flat = np.reshape(inputs, (steps, -1)).astype(np.float32)
            real = np.reshape(truth, (steps, -1)).astype(np.float32)
            yield Trial(flat, self._classes_of(truth) if self.classes else real, _periods(core))

    def _classes_of(self, truth: Array) -> Array:
        """Return a copy of classes. ValueError if one of them is no choice."""
        if not ((truth >= 0) & (truth < self.classes)).all():
            raise ValueError(
                f"env must have a ground truth from 0 to {self.classes - 1}, got one from "
                f"{truth.min()} to {truth.max()} in '{self.name}'. Choose another environment."
            )
        return np.array(truth)


def _periods(core: Any) -> dict[str, slice]:
    return {name: slice(core.start_ind[name], core.end_ind[name]) for name in core.start_ind}


def _make(name: str, dt: float, arguments: Mapping[str, Any]) -> Any:
    """Return the environment, without the wrappers of Gymnasium that know no trials."""
    installed_version()
    try:
        library = importlib.import_module("neurogym")
        registration = importlib.import_module("neurogym.envs.registration")
        registered = importlib.import_module("gymnasium").registry
    except ImportError as error:  # it imports PyTorch, which it does not require
        raise ValueError(
            f"neurogym must be importable, got: {error}. Run: pip install 'rnnstudy[neurogym]'."
        ) from error
    if name not in registered:
        known = sorted(registration.ALL_EXTENDED_ENVS)
        raise ValueError(
            f"env must be an environment of NeuroGym, got {name!r}. "
            f"neurogym.envs.registration.all_envs() lists them{suggestion(name, known)}"
        )
    step = int(dt) if float(dt).is_integer() else dt
    try:
        environment = library.make(name, dt=step, **arguments)
    except Exception as error:  # the environment may raise anything
        raise ValueError(f"kwargs must be arguments of '{name}', got: {error}") from error
    core = importlib.import_module("neurogym.core")
    while not isinstance(environment, core.TrialEnv | core.TrialWrapper):
        if environment is environment.unwrapped:
            raise ValueError(f"env must be an environment with trials, got '{name}'.")
        environment = environment.env
    return environment


@contextmanager
def _quietly() -> Iterator[None]:
    """Ignore warnings of libraries, of which users of a study can change nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
