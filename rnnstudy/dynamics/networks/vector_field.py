"""Vector fields dh/dt = f(h; x) as networks: maps with the same roots, and maps along the flow.

Searches for roots use the map h -> h + f(h; x) / rate. Its fixed points are the zeros of f, and
its index sign det(I - J) is the field's sign det(-df/dh). The rate is a power of two, so that it
adds no rounding, and makes tolerances independent of the unit of time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.dynamics.networks.single_network import SingleNetwork
from rnnstudy.dynamics.networks.state_map import (
    StateMap,
    StepFunction,
    TiledJacobian,
    WrappedStep,
    run_compiled,
)
from rnnstudy.keras_bridge.invariant_box import largest_radius

FACE_SAMPLES = 256
"""Number of states on the faces of a box at which a field must point inwards."""


@dataclass(frozen=True)
class EulerStep(WrappedStep):
    """Map h -> h + time f(h; x) of a vector field f. Its fixed points are the zeros of f."""

    time: float

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        return h + self.time * self.step_function.step(w, drive, h)


@dataclass(frozen=True)
class RungeKuttaStep(WrappedStep):
    """Map along the flow of a vector field for a time, by so many steps of equal length.

    The steps are those of Dormand and Prince's method of order 8. The derivative of the map is the
    same method on the variational equation.

    References
    ----------
    Hairer, Norsett & Wanner (1993), Solving ordinary differential equations I, section II.5.
    """

    time: float
    substeps: int

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        size, (rows, weights) = self.time / self.substeps, _tableau()
        for _ in range(self.substeps):
            rates: list[Tensor] = []
            for row in rows:
                now = _move(h, size, row, rates)
                rates.append(self.step_function.step(w, drive, now))
            h = _move(h, size, weights, rates)
        return h


def _move(h: Tensor, size: float, weights: Sequence[float], rates: Sequence[Tensor]) -> Tensor:
    """Return h plus weighted rates times a step's size."""
    parts = [size * weight * rate for weight, rate in zip(weights, rates, strict=False) if weight]
    return h + sum(parts[1:], parts[0]) if parts else h


@cache
def _tableau() -> tuple[list[list[float]], list[float]]:
    """Return the coefficients of the stages and of the step of SciPy's DOP853."""
    # Imported late: a plan is checked without it and it takes a while to import.
    from scipy.integrate import DOP853

    return DOP853.A.tolist(), DOP853.B.tolist()


class VectorField(SingleNetwork):
    """A vector field dh/dt = f(h; x) of other people's code.

    Parameters
    ----------
    name
        Name of the field in messages.
    step_function
        The field, in the form of a step: it returns f in place of the next state.
    inputs
        Number of input channels.
    start
        State `[state]` around which the field is sampled.
    probes
        States `[point, state]` where the field is defined; None for states near the start.
    radii
        Radii `[state]` of a box on whose faces the field points inwards; None if none is known.
    """

    is_continuous = True

    def __init__(
        self,
        name: str,
        step_function: StepFunction,
        inputs: int,
        start: Array,
        probes: Array | None = None,
        radii: Array | None = None,
    ) -> None:
        super().__init__(name, step_function, inputs, start, probes=probes)
        self.rate_function = self.step_function
        h, x = self.probes
        one = np.array([0])
        jacobian = run_compiled(StateMap.linearise, self.rate_map(one, x), h)[1].numpy()[0]
        self.time_unit = 1.0 / _typical_rate(jacobian)
        self.step_function = self._wrap(EulerStep, self.time_unit)
        if radii is not None:
            _check_faces(name, self, radii)
            self.radii = radii

    def _wrap(self, step: Callable[..., WrappedStep], *arguments: float) -> StepFunction:
        """Return a step around the field, with Jacobians as those of the field are computed."""
        field = self.rate_function
        if isinstance(field, TiledJacobian):
            return TiledJacobian(step(field.step_function, *arguments))
        return step(field, *arguments)

    def rate_map(self, members: Array, inputs: Array) -> StateMap:
        return self.map_of(self.rate_function, members, inputs)

    def flow_map(self, members: Array, inputs: Array, time: float, substeps: int) -> StateMap:
        step_function = self._wrap(RungeKuttaStep, time, substeps)
        return self.map_of(step_function, members, inputs)

    def visiting_map(self, members: Array, inputs: Array) -> StateMap:
        return self.flow_map(members, inputs, self.time_unit, 1)


def _typical_rate(jacobian: Array) -> float:
    """Return the power of two nearest to the median norm of Jacobians `[point, state, state]`."""
    norms = np.linalg.norm(jacobian[np.isfinite(jacobian).all(axis=(1, 2))], 2, axis=(1, 2))
    norms = norms[norms > 0]
    return float(2.0 ** np.rint(np.log2(np.median(norms)))) if len(norms) else 1.0


def _check_faces(name: str, field: VectorField, radii: Array) -> None:
    """Raise ValueError if the field points out of the box `radii` `[state]` at one of its faces."""
    generator = np.random.default_rng(0)
    edge = np.where(np.isfinite(radii), radii, 1.0)
    states = edge * generator.uniform(-1.0, 1.0, (FACE_SAMPLES, len(edge)))
    face = np.resize(np.flatnonzero(np.isfinite(radii)), FACE_SAMPLES)
    side = np.where(np.arange(FACE_SAMPLES) // len(edge) % 2 == 0, 1.0, -1.0)
    rows = np.arange(FACE_SAMPLES)
    states[rows, face] = side * edge[face]
    inputs = np.zeros((1, FACE_SAMPLES, field.inputs))
    rates = run_compiled(StateMap.__call__, field.rate_map(np.array([0]), inputs), states[None])
    outward = side * rates.numpy()[0, rows, face]
    if not (outward <= 0).all():
        raise ValueError(
            f"{name} has bound {largest_radius(radii):g} and must point into that box on its faces,"
            f" got an outward rate of {np.nanmax(outward):.3g}. Raise or remove the bound."
        )
