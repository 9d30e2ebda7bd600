"""Banks of trials: arrays of equal length that are drawn once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.tasks.neurogym.environment import DECISION, Environment, Trial

MOST_CONDITIONS = 8
"""Most constant inputs of a period, and most values of an input that is not noisy."""


@dataclass(frozen=True, eq=False)
class Bank:
    """Trials of an environment, padded to the longest of them."""

    inputs: Array
    """Inputs [trial, time, input]; 0 after the end of a trial."""
    targets: Array
    """One-hot classes or real numbers, [trial, time, output]."""
    within: Array
    """True before the end of a trial, [trial, time]."""
    decides: Array
    """True in the decision period, [trial, time]."""
    conditions: dict[str, Array]
    """Name of a period -> its constant inputs, averaged over noise: [condition, input]."""
    fixed_periods: dict[str, int]
    """Name of a period -> its number of time steps, in order, until one differs between trials."""
    varying_periods: tuple[str, ...]
    """Names of all other periods."""

    @property
    def length(self) -> int:
        """Number of time steps of the longest trial."""
        return int(self.inputs.shape[1])

    def mask(self, fixation_weight: float) -> Array:
        """Return the mask [trial, time]: 1 in the decision period, a weight before and after it."""
        weights = np.where(self.decides, 1.0, fixation_weight) * self.within
        return weights.astype(np.float32)


def draw_bank(environment: Environment, count: int, decision: Sequence[str] | None) -> Bank:
    """Return the next trials of an environment.

    Parameters
    ----------
    environment
        The environment.
    count
        Number of trials.
    decision
        Names of the periods in which choices count. Default: `decision`, or if there is none, the
        periods in which a choice other than the first is correct in some trial.

    Raises
    ------
    ValueError
        There is no period of such a name, or no decision period.
    """
    trials = list(environment.trials(count))
    names = _decision_periods(environment, trials, decision)
    shape = (count, max(len(trial.inputs) for trial in trials))
    bank = Bank(
        np.zeros((*shape, environment.inputs), np.float32),
        np.zeros((*shape, environment.outputs), np.float32),
        np.zeros(shape, bool),
        np.zeros(shape, bool),
        _conditions(trials),
        *_divided_periods(trials),
    )
    if environment.classes:
        bank.targets[:, :, 0] = 1.0  # padding has a class, too
    for i, trial in enumerate(trials):
        steps = len(trial.inputs)
        bank.inputs[i, :steps], bank.within[i, :steps] = trial.inputs, True
        truth = np.eye(environment.classes)[trial.truth] if environment.classes else trial.truth
        bank.targets[i, :steps] = truth
        for name in names & set(trial.periods):
            bank.decides[i, trial.periods[name]] = True
    return bank


def _decision_periods(
    environment: Environment, trials: Sequence[Trial], decision: Sequence[str] | None
) -> set[str]:
    known = {name for trial in trials for name in trial.periods}
    if decision is not None:
        if unknown := set(decision) - known:
            raise ValueError(
                f"decision must name periods of '{environment.name}', got {sorted(unknown)}. Its "
                f"periods are {', '.join(sorted(known))}."
            )
        return set(decision)
    if DECISION in known:
        return {DECISION}
    if not environment.classes:
        return known
    choosing = {
        name
        for trial in trials
        for name, steps in trial.periods.items()
        if (trial.truth[steps] != 0).any()
    }
    if not choosing:
        raise ValueError(
            f"env must have a decision, got '{environment.name}', in which the first choice is "
            f"always correct. Name periods in decision: {', '.join(sorted(known))}."
        )
    return choosing


def _divided_periods(trials: Sequence[Trial]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the time steps of the periods that all trials begin with, and the other periods."""
    spans = [{name: (p.start, p.stop) for name, p in trial.periods.items()} for trial in trials]
    in_order = sorted(spans[0].items(), key=lambda item: item[1])
    fixed: dict[str, int] = {}
    for name, (start, stop) in in_order:
        is_next = start == sum(fixed.values())
        if not is_next or any(each.get(name) != (start, stop) for each in spans):
            break
        fixed[name] = int(stop - start)
    names = dict.fromkeys(name for each in spans for name in each)
    return fixed, tuple(name for name in names if name not in fixed)


def _conditions(trials: Sequence[Trial]) -> dict[str, Array]:
    """Return the constant inputs [condition, input] of each period that has time steps."""
    parts: dict[str, list[Array]] = {}
    for trial in trials:
        for name, steps in trial.periods.items():
            parts.setdefault(name, []).append(trial.inputs[steps])
    joined = {name: np.concatenate(each) for name, each in parts.items()}
    return {name: _means(steps) for name, steps in joined.items() if len(steps)}


def _means(steps: Array) -> Array:
    """Return the mean inputs [condition, input] of time steps [step, input].

    Inputs with few values divide the time steps. The others, which are noisy, are averaged.
    """
    quiet = np.array([len(np.unique(values)) <= MOST_CONDITIONS for values in steps.T])
    if quiet.any():
        patterns, of = np.unique(steps[:, quiet], axis=0, return_inverse=True)
        if len(patterns) <= MOST_CONDITIONS:
            of = of.reshape(-1)
            return np.stack([steps[of == i].mean(axis=0) for i in range(len(patterns))])
    mean: Array = steps.mean(axis=0, keepdims=True)
    return mean
