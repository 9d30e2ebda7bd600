"""How fast neighbouring trajectories part: Lyapunov exponents, driven or autonomous."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Table
from rnnstudy.core.lazy_imports import pd, tf
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import as_float_array
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled

BLOCK_BYTES = 64 * 2**20
"""Memory for the Jacobians of one stretch of time."""

BLOCKS = 20
"""Stretches of equal length from whose means the standard error comes."""

SHOWN = 8
"""Leading exponents that are drawn."""


@dataclass(frozen=True, eq=False)
class Lyapunov(Record):
    """Lyapunov exponents, largest first, in nats per step; one row per trajectory."""

    exponents: Array = array("trajectory", "mode")
    """NaN where the trajectory left the finite numbers; -inf where the Jacobians annihilate a
    direction within rounding."""
    error: Array = array("trajectory", "mode")
    """Standard error of the mean over the stretches, which are longer than the correlations that
    they hide only if the whole is long enough: see whether `trace` has settled."""
    trace: Array = array("trajectory", "stretch", "mode")
    """The exponents as they stood after each stretch of time."""
    end: Array = array("trajectory", "state")
    """The last state."""
    member: Array = array("trajectory")
    start: Array = array("trajectory")
    """Which of the starts it came from."""
    steps: int = 0
    """Steps that count, after the transient."""
    transient: int = 0
    dt: float | None = None
    """Seconds per step, if known."""

    def __len__(self) -> int:
        return len(self.exponents)

    def __repr__(self) -> str:
        largest = ", ".join(f"{first:.4g}" for first in self.exponents[:SHOWN, 0])
        more = ", ..." if len(self) > SHOWN else ""
        return (
            f"{self.exponents.shape[1]} Lyapunov exponents of each of {len(self)} trajectories, "
            f"the largest {largest}{more} nats per step"
        )

    @property
    def per_second(self) -> Array:
        """The exponents in nats per second; ValueError if dt is not known."""
        if self.dt is None:
            raise ValueError("the length of a step in seconds is not known: give dt")
        return self.exponents / self.dt

    @property
    def dimension(self) -> Array:
        """Kaplan-Yorke dimension [trajectory]; NaN if more exponents are needed to tell."""
        size = self.size("state")
        return np.array([kaplan_yorke(values, size) for values in self.exponents])

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row per trajectory and exponent."""
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
        """How the leading exponents settled, and a table of all."""
        stretches = self.trace.shape[1]
        time = self.steps * np.arange(1, stretches + 1) / stretches
        curves = [
            Curve(x=time, y=trace[:, mode], label=f"exponent {mode + 1}", panel=panel)
            for trace, panel in zip(self.trace, self._names(), strict=True)
            for mode in range(min(trace.shape[1], SHOWN))
        ]
        return (
            Curves(
                title="Lyapunov exponents",
                caption=f"As they stood after so many steps, the first {self.transient} left out.",
                curves=curves,
                x_label="steps",
                y_label="nats per step",
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
    """Dimension of the attractor from its exponents [mode], largest first (Kaplan & Yorke 1979).

    size: length of the state vector; NaN if fewer exponents are known than it takes.
    """
    if np.isnan(exponents).any():
        return float("nan")
    sums = np.cumsum(exponents)
    whole = int((sums >= 0).sum())
    if whole == len(exponents):
        return float(whole) if whole == size else float("nan")
    return whole + (float(sums[whole - 1] / -exponents[whole]) if whole else 0.0)


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
) -> Lyapunov:
    """The `count` largest Lyapunov exponents along trajectories of a network, in float64.

    network, layer: as for `find_fixed_points`.
    start: [state] or [start, state], from each of which every member (or one) sets out.
    inputs: [time, input], what drives them all; [input], the same for `steps` steps (default
    10,000); None: zeros. The first `transient` steps (default: a tenth) are not counted: the state
    comes to the attractor and the directions align in them.
    A random orthonormal frame is moved by the Jacobians and made orthonormal again at every step;
    exponents are the mean logarithms of what each direction was stretched by (Benettin et al. 1980;
    for recurrent networks Engelken, Wolf & Abbott 2023). ValueError for wrong shapes or numbers.
    """
    channels = 0 if inputs is None else np.atleast_1d(inputs).shape[-1]
    tried = np.atleast_2d(start)
    networks = as_networks(network, layer, tried.shape[-1], channels, tried)
    starts = _starts(start, networks.state_size)
    driven = _drive(inputs, steps, networks.inputs)
    skipped = len(driven) // 10 if transient is None else transient
    if skipped < 0 or len(driven) - skipped < BLOCKS:
        raise ValueError(
            f"{len(driven)} steps with a transient of {skipped} leave fewer than {BLOCKS} to count"
        )
    modes = networks.state_size if count is None else count
    if not 1 <= modes <= networks.state_size:
        raise ValueError(f"count should be 1 to {networks.state_size}, it is {count}")
    if dt is not None and not dt > 0:
        raise ValueError(f"dt should be a number of seconds above 0, it is {dt}")
    members = np.arange(len(networks)) if member is None else np.array([member])
    if member is not None and member not in range(len(networks)):
        raise ValueError(f"member should be 0 to {len(networks) - 1}, it is {member}")
    owners, origins = np.repeat(members, len(starts)), np.tile(np.arange(len(starts)), len(members))
    growth, end = _growth(networks, owners, starts[origins], driven, modes, seed)
    return _record(growth[skipped:], end, owners, origins, skipped, dt)


def _starts(start: Array, size: int) -> Array:
    starts = np.atleast_2d(as_float_array("start", start))
    if starts.ndim != 2 or starts.shape[1] != size or not len(starts):
        raise ValueError(f"start should be [{size}] or [start, {size}], it is {np.shape(start)}")
    return starts


def _drive(inputs: Array | None, steps: int | None, channels: int) -> Array:
    given = np.zeros(channels) if inputs is None else as_float_array("inputs", inputs)
    if given.ndim not in (1, 2) or given.shape[-1] != channels:
        raise ValueError(
            f"inputs should be [{channels}] or [time, {channels}], their shape is {given.shape}"
        )
    if given.ndim == 1:
        return np.broadcast_to(given, (10_000 if steps is None else steps, channels))
    if steps is not None and steps > len(given):
        raise ValueError(f"{steps} steps need as many inputs, there are {len(given)}")
    return given[:steps]


def _growth(
    networks: Networks, members: Array, starts: Array, inputs: Array, modes: int, seed: int
) -> tuple[Array, Array]:
    """Logarithm of the stretch per step [time, trajectory, mode], and the last states."""
    size, trajectories = networks.state_size, len(members)
    generator = np.random.default_rng(seed)
    frame = np.linalg.qr(generator.standard_normal((size, modes)))[0]
    frames: Array = np.broadcast_to(frame, (trajectories, size, modes))
    h, found = starts[:, None], []
    stretch = max(1, BLOCK_BYTES // (8 * size**2 * trajectories))
    for begin in range(0, len(inputs), stretch):
        part = inputs[begin : begin + stretch]
        state_map = networks.state_map(members, np.broadcast_to(part, (trajectories, *part.shape)))
        jacobians, h = (values.numpy() for values in run_compiled(_along, state_map, h))
        for jacobian in np.moveaxis(jacobians, 1, 0):
            frames, logarithms = _stretched(jacobian, frames)
            found.append(logarithms)
    growth, end = np.array(found), h[:, 0]
    growth[:, ~np.isfinite(end).all(axis=1)] = np.nan
    return growth, end


def _along(state_map: StateMap, h: Tensor) -> tuple[Tensor, Tensor]:
    """Jacobians along the trajectory [member, time, state, state] whose inputs are the flow's
    points, from h [member, 1, state], and the state after it, like h."""
    steps = tf.shape(state_map.drive)[1]

    def turn(time: Tensor, h: Tensor, seen: Any) -> tuple[Tensor, Tensor, Any]:
        drive = state_map.drive[:, time : time + 1]
        return (
            time + 1,
            state_map.step_function.step(state_map.weights, drive, h),
            seen.write(time, h[:, 0]),
        )

    seen = tf.TensorArray(h.dtype, steps, element_shape=h[:, 0].shape)
    _, end, seen = tf.while_loop(lambda time, *_: time < steps, turn, (0, h, seen))
    _, jacobians = state_map.linearise(tf.transpose(seen.stack(), [1, 0, 2]))
    return jacobians, end


def _stretched(jacobian: Array, frames: Array) -> tuple[Array, Array]:
    """The frames [trajectory, state, mode] a step later, and the logarithm of each's stretch."""
    # What is not finite stays so, and is told by the last state.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        frames, upper = np.linalg.qr(jacobian @ frames)
        lengths = np.abs(np.diagonal(upper, axis1=1, axis2=2))
        rounding = np.finfo(float).eps * len(jacobian[0]) * lengths.max(axis=1, keepdims=True)
        return frames, np.log(np.where(lengths > rounding, lengths, 0.0))


def _record(
    growth: Array, end: Array, members: Array, origins: Array, transient: int, dt: float | None
) -> Lyapunov:
    """Means and their errors over stretches of equal length; a remainder is left out at the front,
    with the transient."""
    extra = len(growth) % BLOCKS
    counted = growth[extra:].reshape(BLOCKS, -1, *growth.shape[1:])
    means = np.moveaxis(counted.mean(axis=1), 0, 1)
    trace = np.cumsum(means, axis=1) / np.arange(1, BLOCKS + 1)[:, None]
    with np.errstate(invalid="ignore"):
        error = means.std(axis=1, ddof=1) / np.sqrt(BLOCKS)
    # The frame sorts the directions itself, but for those that grow alike.
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
