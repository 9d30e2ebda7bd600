"""Distribution shifts: trials that differ from those of training in one property."""

from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import SHIFT_SEED, Shift, Task, Trials, split_seed

LONGER_DELAYS = (0.5, 1.0, 2.0, 5.0)
"""Lengths of delays within a trial, in lengths of those in training."""

DELAYS = (0.0, 1.0, 2.0, 5.0)
"""Lengths of delays after a trial, in lengths of a training trial."""


def other_values(task: Task, field: str, values: tuple[float, ...], name: str, unit: str) -> Shift:
    """Return the shift to other values of a task's field."""

    def sample(value: float, trials: int) -> Trials:
        return task.replace(**{field: value}).sample(tf.constant(SHIFT_SEED), trials)

    trained = float(getattr(task, field))
    every = tuple(sorted({trained, *values}))
    return Shift(name, unit, every, sample, trained=trained)


def scaled_inputs(
    task: Task, channels: slice, values: tuple[float, ...], name: str, unit: str
) -> Shift:
    """Return the shift to larger or smaller inputs on some channels; targets stay the same."""

    def sample(factor: float, trials: int) -> Trials:
        drawn = task.sample(tf.constant(SHIFT_SEED), trials)
        chosen = range(task.inputs)[channels]
        scale = [factor if channel in chosen else 1.0 for channel in range(task.inputs)]
        return drawn._replace(inputs=drawn.inputs * tf.constant(scale))

    return Shift(name, unit, values, sample, trained=1.0)


def delays(task: Task, signals: int, name: str, noise: float = 0.0) -> Shift:
    """Return the shift to delays after a trial, at the end of which the last target counts.

    Parameters
    ----------
    task
        Task of the trials.
    signals
        Number of the first inputs that carry signals. They are 0 during the delay; the others
        stay as they are.
    name
        Name of the shift.
    noise
        Standard deviation of white noise on the signals during the delay, which no target counts.
    """

    def sample(factor: float, trials: int) -> Trials:
        drawn = task.sample(tf.constant(SHIFT_SEED), trials)
        return add_delay(drawn, round(factor * task.length), signals, noise)

    return Shift(name, "lengths of a training trial", DELAYS, sample)


def longer_delays(task: Task) -> Shift:
    """Return the shift to longer and shorter delays of a task with a field `delay`."""

    def sample(factor: float, trials: int) -> Trials:
        delay = max(round(factor * getattr(task, "delay")), 1)  # noqa: B009 - not all have one
        return task.replace(delay=delay).sample(tf.constant(SHIFT_SEED), trials)

    return Shift("delay", "delays in training", LONGER_DELAYS, sample, trained=1.0)


def add_delay(trials: Trials, steps: int, signals: int, noise: float = 0.0) -> Trials:
    """Return trials with a delay, at the end of which the last target counts; see `delays`."""
    is_signal = tf.cast(tf.range(trials.inputs.shape[-1]) < signals, tf.float32)
    during = tf.repeat(trials.inputs[:, -1:] * (1.0 - is_signal), steps, axis=1)
    if noise:
        _, seed = split_seed(tf.constant(SHIFT_SEED), 2)
        drawn = tf.random.stateless_normal(during.shape, seed, alg="philox")
        during += noise * drawn * is_signal
    targets = tf.concat([trials.targets, tf.repeat(trials.targets[:, -1:], steps, axis=1)], axis=1)
    count, length = targets.shape[:2]
    last = tf.cast(tf.range(length) == length - 1, tf.float32)
    return Trials(
        inputs=tf.concat([trials.inputs, during], axis=1),
        targets=targets,
        mask=tf.repeat(last[None], count, axis=0),
    )
