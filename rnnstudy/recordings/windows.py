"""Windows of a trial between two parts of it, or between two times."""

from typing import Any

from rnnstudy.core.arguments import summarise_value
from rnnstudy.core.arguments.durations import as_milliseconds
from rnnstudy.core.errors import suggestion
from rnnstudy.tasks import Task

Between = tuple[str | int, str | int]
"""Beginning and end of a window: names of parts of a trial, time steps, or text such as `80ms`."""


def onset_of(task: Task, part: str) -> int:
    """Return the first time step of a part of a trial; ValueError if there is no such part."""
    steps = task.epochs
    if part in task.varying_parts:
        raise ValueError(
            f"part {part!r} of {task.title} must be at the same time steps in all trials, got "
            "others in some. Name another part, or fix the durations of the task."
        )
    if part not in steps:
        raise ValueError(
            f"{task.title} must have the part {part!r}, got a task whose parts are: "
            f"{', '.join(steps) or 'none'}{suggestion(part, list(steps))}. Name another part."
        )
    names = list(steps)
    return sum(steps[name] for name in names[: names.index(part)])


def window_of(between: Between, task: Task) -> tuple[float, float]:
    """Return the first time step of a window, and the one after its last.

    The window begins with the first part and ends with the last one. A number is a time step from
    the beginning of the trial. A text with a unit is a time from the beginning of the trial.

    Parameters
    ----------
    between
        Beginning and end.
    task
        Task whose trials have the window.

    Raises
    ------
    ValueError
        The task has no such part, no known `dt`, or the window is empty.

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.go_no_go import GoNoGo
    >>> window_of(("stimulus", "delay"), GoNoGo(fixation=5, stimulus=10, delay=15))
    (5.0, 30.0)
    """
    start, stop = (_time_step(bound, task, is_end=bool(i)) for i, bound in enumerate(between))
    if not 0.0 <= start < stop:
        raise ValueError(
            f"between must begin before it ends, got time steps {start:g} to {stop:g} of "
            f"{task.title}. Name the first part first."
        )
    return start, stop


def _time_step(bound: Any, task: Task, is_end: bool) -> float:
    if isinstance(bound, int | float) and not isinstance(bound, bool):
        return float(bound)
    if not isinstance(bound, str):
        raise ValueError(
            f"between must have names of parts or times, got {summarise_value(bound)}. "
            "Write [stimulus, delay], [10, 40] or ['100ms', '400ms']."
        )
    duration = as_milliseconds(bound)
    if duration is None:
        onset = onset_of(task, bound)
        return float(onset + task.epochs[bound] if is_end else onset)
    return duration / milliseconds_per_step(task, f"between has {bound!r}")


def milliseconds_per_step(task: Task, reason: str) -> float:
    """Return the `dt` of a task; ValueError if it is unknown, with a reason why it is needed."""
    if task.dt is None:
        raise ValueError(
            f"{task.title} must have a 'dt', the milliseconds of a time step, got none, and "
            f"{reason}. Add 'dt' to the task."
        )
    return float(task.dt)


def steps_within(between: Between | None, task: Task) -> slice:
    """Return the time steps of the probe within a window; all without one.

    A step is within if it begins in the window.

    Raises
    ------
    ValueError
        The window holds fewer than two time steps of the probe.
    """
    length = getattr(task, "probe_length", task.length)
    if between is None:
        return slice(0, length)
    first, last = window_of(between, task)
    start, stop = _ceiling(first), min(_ceiling(last), length)
    if stop - start < 2:
        raise ValueError(
            f"between must hold at least 2 time steps of {task.title}, got {max(stop - start, 0)} "
            f"of {length}. Widen the window."
        )
    return slice(start, stop)


def _ceiling(step: float) -> int:
    """Return the next whole number; one that differs by rounding is that number."""
    return -int(-(step - 1e-9) // 1)
