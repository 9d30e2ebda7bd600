"""How networks oscillate at each cue: the cycle, the fixed point inside, the pair behind it."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
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
from rnnstudy.population.population import Population, full_readout
from rnnstudy.tasks import Task
from rnnstudy.tasks.sine import Sine

SHOWN_TIMES = 128
"""States of each cycle that the record keeps."""


class Oscillations(MemberAnalysis):
    """Cycles at the sine's constant cues and the dynamics linearised inside them.

    Each cue is held until the network has settled; fixed points are sought from the means of
    cycles, and the one nearest its own cycle's mean is taken (Sussillo & Barak 2013). Of its modes
    the complex pair that carries most of the cycle to the readout says how fast the linearised
    network turns.
    """

    kind: ClassVar[str] = "oscillations"
    version: ClassVar[int] = 2
    yields: ClassVar[type[Record]] = Oscillation

    transient: Annotated[int, Field(ge=0)] = 1000
    """Steps before a cycle is looked at."""

    steps: Annotated[int, Field(ge=256)] = 2000
    """Steps that are looked at; twenty rounds of the slowest sine."""

    search: FixedPointSearch = FixedPointSearch(candidates=64, rounds=2)
    """How fixed points are looked for."""

    def applies(self, task: Task) -> bool:
        return isinstance(task, Sine)

    def cost(self, cell: Cell, task: Task) -> Cost:
        cues = len(task.static_inputs().values)
        work = {"searches for fixed points": cues, "steps": cues * (self.transient + self.steps)}
        return Cost(work, 8 * cues * SHOWN_TIMES * cell.state_size)

    def run(self, population: Population, task: Task) -> Sequence[Oscillation]:
        if not isinstance(task, Sine):
            raise ValueError(f"oscillations are of the task sine, this one is {task.kind}")
        return [
            self._of_member(population.select("member", [member]), task)
            for member in range(len(population))
        ]

    def _of_member(self, network: Population, task: Sine) -> Oscillation:
        networks = as_networks(network, None, None, network.inputs, None)
        held = task.static_inputs().values
        cycles = self._cycles(networks, network.initial_state[0], held)
        readout = full_readout(network.as_float64(), 0)
        signal = cycles @ readout[:, 0]
        with np.errstate(invalid="ignore", over="ignore"):
            centres = cycles.mean(axis=1)
            radius = np.sqrt(np.mean(np.sum((cycles - centres[:, None]) ** 2, axis=2), axis=1))
            amplitude = np.sqrt(2.0) * signal.std(axis=1)
        points = self._points(network, held, np.stack([centres, cycles[:, -1]], axis=1))
        nearest = central_points(points, centres) if points else np.full(len(held), -1)
        there = np.flatnonzero(nearest >= 0)
        state = np.full(centres.shape, np.nan)
        pair = {name: np.full(len(held), np.nan) for name in ("frequency", "modulus", "turns")}
        counts = {name: np.full(len(held), -1) for name in ("n_unstable", "rank")}
        if points and len(there):
            chosen = points[nearest[there]]
            state[there] = chosen.state
            counts["n_unstable"][there] = chosen.n_unstable
            linear = modes(chosen)
            carrying = carrying_pairs(linear, cycles[there], chosen.state, readout)
            pair["turns"][there] = turns(linear, cycles[there], chosen.state, carrying)
            for cue, values, position in zip(there, linear.eigenvalues, carrying, strict=True):
                if position >= 0:
                    pair["frequency"][cue] = frequencies(values[position])
                    pair["modulus"][cue] = np.abs(values[position])
                    counts["rank"][cue] = np.sum(values[:position].imag > 0.0)
        with np.errstate(invalid="ignore", over="ignore"):
            offset = np.linalg.norm(state - centres, axis=1) / radius
        found = points.input_index if points else np.zeros(0, int)
        kept = cycles[:, -min(SHOWN_TIMES, cycles.shape[1]) :]
        return Oscillation(
            cue=held[:, 0],
            target=task.frequency(held[:, 0]),
            cycle_frequency=frequencies_of(signal),
            amplitude=amplitude,
            radius=radius,
            points=np.bincount(found, minlength=len(held)),
            state=state,
            offset=offset,
            cycle=kept.astype(np.float32),
            **pair,
            **counts,
        )

    def _cycles(self, networks: Networks, start: Array, held: Array) -> Array:
        """States [cue, time, state] after the transient, each cue held from the first step on."""
        begun = np.broadcast_to(start.astype(np.float64), (len(held), 1, len(start)))
        systems = [AutonomousSystem(networks, 0, cue) for cue in held]
        return simulate_systems(systems, begun, self.transient, self.steps)[:, 0]

    def _points(self, network: Population, held: Array, seen: Array) -> FixedPoints | None:
        """Fixed points at the cues, sought from the mean of each second cycle and a state on it,
        seen [cue, 2, state]; None if there is no finite one.

        All starts serve all cues. States on the cycles tell the search how large states are, which
        means alone would not if all of them were zero.
        """
        starts = seen[::2].reshape(-1, seen.shape[2])
        starts = starts[np.isfinite(starts).all(axis=1)]
        if not len(starts):
            return None
        return find_fixed_points(network, inputs=held, starts=starts, search=self.search)

    def show(self, section: Section) -> Iterable[Exhibit]:
        return oscillation_exhibits(section, self.title)
