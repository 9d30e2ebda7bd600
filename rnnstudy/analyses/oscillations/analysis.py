"""Oscillations of each network at each cue, and the dynamics linearised at their fixed points."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import NO_INPUTS, Cost, MemberAnalysis, MemberInputs, Section
from rnnstudy.analyses.oscillations.carrying_modes import (
    carrying_pairs,
    central_points,
    frequencies_of,
    turns,
)
from rnnstudy.analyses.oscillations.exhibits import oscillation_exhibits
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.linearisation.modes import frequencies, modes
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem, simulate_systems
from rnnstudy.population.population import Population, readout_jacobian
from rnnstudy.tasks import Task
from rnnstudy.tasks.sine import Sine

RECORDED_STEPS = 128
"""States of each cycle in the record."""


class Oscillations(MemberAnalysis):
    """Cycles at the sine's constant cues and the dynamics linearised at the fixed points inside.

    Each cue is constant until the network is on its cycle. The search for fixed points starts from
    the means of the cycles, and the point nearest the mean of its own cycle is linearised. Its
    complex pair of modes that carries most of the cycle to the readout gives the linearised
    frequency.

    References
    ----------
    Sussillo & Barak 2013, Opening the black box. Maheswaranathan et al. 2019.

    Examples
    --------
    >>> Oscillations().applies(Sine())
    True
    """

    kind: ClassVar[str] = "oscillations"
    chapter: ClassVar[str] = "linearisation"
    version: ClassVar[int] = 2
    yields: ClassVar[type[Record]] = Oscillation

    transient: Annotated[int, Field(ge=0)] = 1000
    """Steps before the recorded part of a cycle."""

    steps: Annotated[int, Field(ge=256)] = 2000
    """Recorded steps; the default is twenty periods of the slowest sine."""

    search: FixedPointSearch = FixedPointSearch(candidates=64, rounds=2)
    """Settings of the search for fixed points."""

    def applies(self, task: Task) -> bool:
        return isinstance(task, Sine)

    def cost(self, cell: Cell, task: Task) -> Cost:
        cues = len(task.static_inputs().values)
        work = {"searches for fixed points": cues, "steps": cues * (self.transient + self.steps)}
        return Cost(work, 8 * cues * RECORDED_STEPS * cell.state_size)

    def run(self, population: Population, task: Task) -> Sequence[Oscillation]:
        return [compute() for compute in self.record_functions(population, task)]

    def record_functions(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Callable[[], Oscillation]]:
        if not isinstance(task, Sine):
            raise ValueError(
                f"the task of oscillations must be sine, got {task.kind}. List the tasks of the "
                "analysis in 'tasks'."
            )
        return [
            partial(self._of_member, population.select("member", [member]), task)
            for member in range(len(population))
        ]

    def _of_member(self, network: Population, task: Sine) -> Oscillation:
        networks = as_networks(network, None, None, network.inputs, None)
        inputs = task.static_inputs().values
        cycles = self._cycles(networks, network.initial_state[0], inputs)
        readout_of = partial(readout_jacobian, network.as_float64(), 0)
        # Untrained relu networks may grow without bound.
        with np.errstate(invalid="ignore", over="ignore"):
            signal = _signal(network.as_float64(), cycles)
            centres = cycles.mean(axis=1)
            radius = np.sqrt(np.mean(np.sum((cycles - centres[:, None]) ** 2, axis=2), axis=1))
            amplitude = np.sqrt(2.0) * signal.std(axis=1)
        points = self._points(network, inputs, np.stack([centres, cycles[:, -1]], axis=1))
        state, linear = _linearised_oscillation(points, cycles, centres, readout_of)
        recorded = cycles[:, -min(RECORDED_STEPS, cycles.shape[1]) :]
        with np.errstate(invalid="ignore", over="ignore"):
            offset = np.linalg.norm(state - centres, axis=1) / radius
            recorded = recorded.astype(np.float32)
        input_index = points.input_index if points else np.zeros(0, int)
        return Oscillation(
            cue=inputs[:, 0],
            target=task.frequency(inputs[:, 0]),
            cycle_frequency=frequencies_of(signal),
            amplitude=amplitude,
            radius=radius,
            points=np.bincount(input_index, minlength=len(inputs)),
            state=state,
            offset=offset,
            cycle=recorded,
            **linear,
        )

    def _cycles(self, networks: Networks, start: Array, inputs: Array) -> Array:
        """Return states [cue, time, state] after the transient, at constant inputs [cue, input]."""
        starts = np.broadcast_to(start.astype(np.float64), (len(inputs), 1, len(start)))
        systems = [AutonomousSystem(networks, 0, cue) for cue in inputs]
        return simulate_systems(systems, starts, self.transient, self.steps)[:, 0]

    def _points(self, network: Population, inputs: Array, states: Array) -> FixedPoints | None:
        """Return the fixed points at the cues; None without a finite start.

        states [cue, 2, state]: the mean of each cycle and a state on it. The starts are those of
        every second cue, and all starts serve all cues. States on the cycles set the scale of
        states for the search, also if all means are zero.
        """
        starts = states[::2].reshape(-1, states.shape[2])
        starts = starts[np.isfinite(starts).all(axis=1)]
        if not len(starts):
            return None
        return find_fixed_points(network, inputs=inputs, starts=starts, search=self.search)

    def show(self, section: Section) -> Iterable[Exhibit]:
        return oscillation_exhibits(section, self.title)


def _signal(network: Population, cycles: Array) -> Array:
    """Return the first output [cue, time] on cycles [cue, time, state], without its bias."""
    readout = readout_jacobian(network, 0, cycles[0, :0])
    if readout.ndim == 2:
        return cycles @ readout[:, 0]
    outputs: Array = network.outputs_of(cycles[None])[0, :, :, 0]
    return outputs


def _linearised_oscillation(
    points: FixedPoints | None,
    cycles: Array,
    centres: Array,
    readout_of: Callable[[Array], Array],
) -> tuple[Array, dict[str, Array]]:
    """Return the fixed point of each cue, [cue, state], and fields of its carrying pair of modes.

    cycles [cue, time, state]; centres [cue, state]. readout_of: states [point, state] ->
    derivatives of the outputs, see `readout_jacobian`.
    """
    nearest = central_points(points, centres) if points else np.full(len(centres), -1)
    cues = np.flatnonzero(nearest >= 0)
    state = np.full(centres.shape, np.nan)
    numbers = {name: np.full(len(centres), np.nan) for name in ("frequency", "modulus", "turns")}
    counts = {name: np.full(len(centres), -1) for name in ("n_unstable", "rank")}
    if points and len(cues):
        chosen = points[nearest[cues]]
        state[cues] = chosen.state
        counts["n_unstable"][cues] = chosen.n_unstable
        linear = modes(chosen)
        pairs = carrying_pairs(linear, cycles[cues], chosen.state, readout_of(chosen.state))
        numbers["turns"][cues] = turns(linear, cycles[cues], chosen.state, pairs)
        for cue, values, pair in zip(cues, linear.eigenvalues, pairs, strict=True):
            if pair >= 0:
                numbers["frequency"][cue] = frequencies(values[pair])
                numbers["modulus"][cue] = np.abs(values[pair])
                counts["rank"][cue] = np.sum(values[:pair].imag > 0.0)
    return state, numbers | counts
