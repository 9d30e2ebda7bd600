"""Lyapunov exponents of driven and autonomous networks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_flag, check_number
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import (
    check_arguments,
    check_driving_inputs,
    check_first_states,
    check_layer,
    check_seed,
    positive,
    whole,
)
from rnnstudy.dynamics.networks.simulate import FlowAdvance, jacobians_along

JACOBIAN_BYTES = 64 * 2**20
"""Memory for the Jacobians of one batch of steps."""

STRETCHES = 20
"""Number of stretches of equal length whose means give the standard error."""

MAX_CURVES = 8
"""Largest number of leading exponents in a picture."""


@dataclass(frozen=True, eq=False)
class Lyapunov(Record):
    """Lyapunov exponents, largest first, one row per trajectory.

    They are in nats per step, or per unit of time of a vector field.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnstudy
    >>> def contract(inputs, state):
    ...     return 0.5 * state
    >>> record = rnnstudy.lyapunov_exponents(contract, np.ones(2), steps=100)
    >>> record.to_frame()["exponent"].round(4).tolist()
    [-0.6931, -0.6931]
    """

    exponents: Array = array("trajectory", "mode")
    """Exponents. NaN for a trajectory that is not finite. -inf for a direction that the Jacobians
    annihilate within rounding."""
    error: Array = array("trajectory", "mode")
    """Standard error of the mean over stretches of time. It is too small if stretches are shorter
    than correlations. Then `trace` has not converged."""
    trace: Array = array("trajectory", "stretch", "mode")
    """Exponents after each stretch of time."""
    end: Array = array("trajectory", "state")
    """Last state."""
    member: Array = array("trajectory")
    """Position of the network."""
    start: Array = array("trajectory")
    """Position of the start."""
    steps: int = 0
    """Number of steps that count, after the transient."""
    transient: int = 0
    """Number of steps that do not count."""
    dt: float | None = None
    """Seconds per step, or per unit of time of a vector field, if known."""
    continuous: bool = False
    """The trajectories are those of a vector field dh/dt = f(h; x)."""
    interval: float = 1.0
    """Units of time per step; 1 for a map."""

    def __len__(self) -> int:
        return len(self.exponents)

    def __repr__(self) -> str:
        largest = ", ".join(f"{first:.4g}" for first in self.exponents[:MAX_CURVES, 0])
        more = ", ..." if len(self) > MAX_CURVES else ""
        return (
            f"{self.exponents.shape[1]} Lyapunov exponents of each of {len(self)} trajectories, "
            f"the largest {largest}{more} nats per {self._unit}"
        )

    @property
    def _unit(self) -> str:
        return "unit of time" if self.continuous else "step"

    @property
    def _units(self) -> str:
        return "units of time" if self.continuous else "steps"

    @property
    def per_second(self) -> Array:
        """Exponents in nats per second; ValueError if dt is not known."""
        if self.dt is None:
            raise ValueError(
                "dt must be known for exponents per second, got None. "
                "Use lyapunov_exponents(..., dt=seconds)."
            )
        return self.exponents / self.dt

    @property
    def dimension(self) -> Array:
        """Kaplan-Yorke dimension, `[trajectory]`; NaN if it needs more exponents."""
        size = self.size("state")
        return np.array([kaplan_yorke(values, size) for values in self.exponents])

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per trajectory and exponent."""
        trajectories, modes = self.exponents.shape
        columns = {
            "member": np.repeat(self.member, modes),
            "start": np.repeat(self.start, modes),
            "mode": np.tile(np.arange(modes), trajectories),
            "exponent": self.exponents.ravel(),
            "error": self.error.ravel(),
        }
        if self.dt is not None:
            columns["per_second"] = self.per_second.ravel()
        return pd.DataFrame(columns)

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the convergence of the leading exponents, and a table of all."""
        stretches = self.trace.shape[1]
        time = self.steps * self.interval * np.arange(1, stretches + 1) / stretches
        curves = [
            Curve(x=time, y=trace[:, mode], label=f"exponent {mode + 1}", panel=panel)
            for trace, panel in zip(self.trace, self._names(), strict=True)
            for mode in range(min(trace.shape[1], MAX_CURVES))
        ]
        return (
            Curves(
                title="Lyapunov exponents",
                caption=f"As they stood after so many {self._units}, the first "
                f"{self.transient * self.interval:g} left out.",
                curves=curves,
                x_label=self._units,
                y_label=f"nats per {self._unit}",
            ),
            Table(
                title="Lyapunov exponents",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _names(self) -> list[str]:
        if len(self) == 1:
            return [""]
        pairs = zip(self.member, self.start, strict=True)
        return [f"member {member}, start {start}" for member, start in pairs]


def kaplan_yorke(exponents: Array, size: int) -> float:
    """Return the Kaplan-Yorke dimension of an attractor.

    Parameters
    ----------
    exponents
        Lyapunov exponents, largest first, `[mode]`.
    size
        Length of the state vector.

    Returns
    -------
    float
        Dimension, NaN if it needs more exponents.

    References
    ----------
    Kaplan & Yorke (1979), Chaotic behavior of multidimensional difference equations.

    Examples
    --------
    >>> import numpy as np
    >>> kaplan_yorke(np.array([0.5, -1.0]), 2)
    1.5
    """
    if np.isnan(exponents).any():
        return float("nan")
    sums = np.cumsum(exponents)
    whole = int((sums >= 0).sum())
    if whole == len(exponents):
        return float(whole) if whole == size else float("nan")
    return whole + (float(sums[whole - 1] / -exponents[whole]) if whole else 0.0)


@check_arguments(
    start=check_first_states,
    inputs=check_driving_inputs,
    steps=whole(least=1, remedy="Leave it out for all of inputs."),
    count=whole(least=1, remedy="Leave it out for all."),
    transient=whole(remedy="Leave it out for a tenth."),
    member=whole(remedy="Leave it out for all."),
    dt=positive("Give seconds per step."),
    seed=check_seed,
    layer=check_layer,
    continuous=check_flag,
    interval=positive("Give the time of a step of the field."),
)
@one_thread()
def lyapunov_exponents(
    network: Any,
    start: Array,
    inputs: Array | None = None,
    *,
    steps: int | None = None,
    count: int | None = None,
    transient: int | None = None,
    member: int | None = None,
    dt: float | None = None,
    seed: int = 0,
    layer: str | None = None,
    continuous: bool | None = None,
    interval: float | None = None,
) -> Lyapunov:
    """Compute the `count` largest Lyapunov exponents along trajectories, in float64.

    The Jacobians move a random orthonormal frame, which is made orthonormal again at every step.
    Exponents are the mean logarithms of the stretch of each direction. A vector field and its
    variational equation are integrated by Dormand and Prince's method of order 8. Its steps are so
    short that halving them changes no state by more than 1e-8 of its size per interval.

    Parameters
    ----------
    network
        Network or networks, as for `find_fixed_points`.
    start
        First states, `[state]` or `[start, state]`, of every member or of one.
    inputs
        Inputs `[time, input]` that drive all trajectories, or one constant input `[input]`. None:
        zeros.
    steps
        Number of steps. None: all of `inputs`, or 10,000 at a constant input.
    count
        Number of exponents. None: all.
    transient
        Number of first steps that do not count. In them states reach the attractor and directions
        align. None: a tenth.
    member
        Position of the network. None: all.
    dt
        Seconds per step, or per unit of time of a vector field.
    seed
        Seed of the first frame.
    layer
        Name of the recurrent layer of a model with several.
    continuous
        Whether a function is a vector field (inputs, states) -> dh/dt. None: it is a map, with a
        warning if it looks like a vector field.
    interval
        Time of a step of a vector field, for which its input is constant. None: the field's typical
        time, the inverse norm of its Jacobians.

    Returns
    -------
    Lyapunov
        Exponents with their standard errors.

    Raises
    ------
    ValueError
        If a shape or number does not fit.

    References
    ----------
    Benettin, Galgani, Giorgilli & Strelcyn (1980), Lyapunov characteristic exponents for smooth
    dynamical systems and for Hamiltonian systems. Meccanica 15.
    Engelken, Wolf & Abbott (2023), Lyapunov spectra of chaotic recurrent neural networks. Physical
    Review Research 5.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnstudy
    >>> def contract(inputs, state):
    ...     return 0.5 * state
    >>> rnnstudy.lyapunov_exponents(contract, np.ones(2), steps=100)
    2 Lyapunov exponents of each of 1 trajectories, the largest -0.6931 nats per step
    """
    channels = 0 if inputs is None else np.atleast_1d(inputs).shape[-1]
    first_states = np.atleast_2d(start)
    networks = as_networks(
        network, layer, first_states.shape[-1], channels, first_states, continuous
    )
    time = _interval(networks, interval)
    starts = _starts(start, networks.state_size)
    driving = _inputs(inputs, steps, networks.inputs)
    skip = len(driving) // 10 if transient is None else transient
    if skip < 0 or len(driving) - skip < STRETCHES:
        raise ValueError(
            f"steps must be at least {STRETCHES} after the transient, got {len(driving)} with a "
            f"transient of {skip}."
        )
    modes = networks.state_size if count is None else count
    if not 1 <= modes <= networks.state_size:
        raise ValueError(f"count must be 1 to {networks.state_size}, got {count}.")
    if member is not None and member not in range(len(networks)):
        raise ValueError(f"member must be 0 to {len(networks) - 1}, got {member}.")
    members = np.arange(len(networks)) if member is None else np.array([member])
    owners, origins = np.repeat(members, len(starts)), np.tile(np.arange(len(starts)), len(members))
    growth, end = _growth(networks, owners, starts[origins], driving, modes, seed, time)
    record = _record(growth[skip:] / time, end, owners, origins, skip, dt)
    return replace(record, continuous=networks.is_continuous, interval=time)


def _interval(networks: Networks, interval: float | None) -> float:
    """Return the time of a step: 1 for a map."""
    if interval is None:
        return networks.time_unit
    if not networks.is_continuous:
        raise ValueError(
            f"interval must be None for a map, whose steps have no length, got {interval}. "
            "Pass dt for exponents per second, or continuous=True for a vector field."
        )
    return check_number("interval", interval, above=0.0)


def _starts(start: Array, size: int) -> Array:
    starts = np.atleast_2d(as_float_array("start", start))
    if starts.ndim != 2 or starts.shape[1] != size or not len(starts):
        raise ValueError(
            f"start must have shape [{size}] or [start, {size}], got {np.shape(start)}."
        )
    return starts


def _inputs(inputs: Array | None, steps: int | None, channels: int) -> Array:
    """Return the input of every step, [time, input]."""
    values = np.zeros(channels) if inputs is None else as_float_array("inputs", inputs)
    if values.ndim not in (1, 2) or values.shape[-1] != channels:
        raise ValueError(
            f"inputs must have shape [{channels}] or [time, {channels}], got {values.shape}."
        )
    if values.ndim == 1:
        return np.broadcast_to(values, (10_000 if steps is None else steps, channels))
    if steps is not None and steps > len(values):
        raise ValueError(f"inputs must have {steps} steps, got {len(values)}.")
    return values[:steps]


def _growth(
    networks: Networks,
    members: Array,
    starts: Array,
    inputs: Array,
    modes: int,
    seed: int,
    time: float,
) -> tuple[Array, Array]:
    """Return the log of the stretch per step [time, trajectory, mode], and the last states."""
    size, trajectories = networks.state_size, len(members)
    generator = np.random.default_rng(seed)
    frame = np.linalg.qr(generator.standard_normal((size, modes)))[0]
    frames: Array = np.broadcast_to(frame, (trajectories, size, modes))
    h, logarithms = starts[:, None], []
    advance = FlowAdvance(networks, members, time) if networks.is_continuous else None
    for steps in batches(len(inputs), 8 * size**2 * trajectories, JACOBIAN_BYTES):
        part = np.broadcast_to(inputs[steps], (trajectories, *inputs[steps].shape))
        if advance is None:
            jacobians, states = jacobians_along(networks.state_map(members, part), h)
        else:
            jacobians, states = advance(part, h)
        h = states[:, -1:]
        for jacobian in np.moveaxis(jacobians, 1, 0):
            frames, stretch = _stretch(jacobian, frames)
            logarithms.append(stretch)
    growth, end = np.array(logarithms), h[:, 0]
    growth[:, ~np.isfinite(end).all(axis=1)] = np.nan
    return growth, end


def _stretch(jacobian: Array, frames: Array) -> tuple[Array, Array]:
    """Return the frames [trajectory, state, mode] a step later, and the logarithms of stretches."""
    # Values that are not finite stay so, and show in the last state.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        frames, upper = np.linalg.qr(jacobian @ frames)
        lengths = np.abs(np.diagonal(upper, axis1=1, axis2=2))
        rounding = np.finfo(float).eps * len(jacobian[0]) * lengths.max(axis=1, keepdims=True)
        return frames, np.log(np.where(lengths > rounding, lengths, 0.0))


def _record(
    growth: Array, end: Array, members: Array, origins: Array, transient: int, dt: float | None
) -> Lyapunov:
    """Return means and their errors over stretches of equal length.

    A remainder at the front counts as part of the transient.
    """
    extra = len(growth) % STRETCHES
    stretches = growth[extra:].reshape(STRETCHES, -1, *growth.shape[1:])
    means = np.moveaxis(stretches.mean(axis=1), 0, 1)
    trace = np.cumsum(means, axis=1) / np.arange(1, STRETCHES + 1)[:, None]
    with np.errstate(invalid="ignore"):
        error = means.std(axis=1, ddof=1) / np.sqrt(STRETCHES)
    # The frame sorts the directions itself, except for those of equal growth.
    order = np.argsort(-trace[:, -1], axis=1, kind="stable")
    return Lyapunov(
        exponents=np.take_along_axis(trace[:, -1], order, axis=1),
        error=np.take_along_axis(error, order, axis=1),
        trace=np.take_along_axis(trace, order[:, None], axis=2),
        end=end,
        member=members,
        start=origins,
        steps=len(growth) - extra,
        transient=transient + extra,
        dt=dt,
    )
