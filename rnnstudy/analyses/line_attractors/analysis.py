"""How networks integrate: slow points along a line, what moves states along it, by which modes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.analyses.line_attractors.exhibits import line_exhibits
from rnnstudy.analyses.line_attractors.record import FEWEST, LineAttractor, evenly
from rnnstudy.analyses.line_attractors.slow_states import (
    alignment,
    pulse_response,
    selection,
    settled,
    slow_gain,
)
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.linearisation.impulse_response import mode_response
from rnnstudy.dynamics.linearisation.modes import Modes, modes
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.population.population import Population, full_readout
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration


class LineAttractors(MemberAnalysis):
    """Slow points in each context of an integration, and the dynamics linearised there.

    States on probe trials, all of them in the one context, are left to themselves without stimulus
    until they are slow. There the network is linearised: eigenvalues, the input directions that the
    slowest left mode selects, and how much of the response to a unit pulse of the relevant stream
    the k slowest modes predict (Maheswaranathan et al. 2019).
    """

    kind: ClassVar[str] = "line_attractor"
    version: ClassVar[int] = 2
    yields: ClassVar[type[Record]] = LineAttractor

    samples: Annotated[int, Field(ge=1)] = 3
    """States taken from each probe trial, the last at its end."""

    speed: Annotated[float, Field(gt=0)] = 0.01
    """Longest step of a slow point, as a share of the spread of the states."""

    points: Annotated[int, Field(ge=FEWEST)] = 32
    """Slow points kept per context and linearised, evenly by rank of what is read out."""

    steps: Annotated[int, Field(ge=1)] = 100
    """Steps within which a state has to become slow."""

    pulse_steps: Annotated[int, Field(ge=1)] = 20
    """Steps over which the response to a pulse is looked at."""

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def cost(self, cell: Cell, task: Task) -> Cost:
        contexts = len(task.static_inputs().values)
        starts, linearised = contexts * self.samples * task.probe_trials, contexts * self.points
        work = {"starts": starts, "linearisations": linearised}
        return Cost(work, 8 * 3 * linearised * cell.state_size)

    def run(self, population: Population, task: Task) -> Sequence[LineAttractor]:
        if not isinstance(task, Integration):
            raise ValueError(f"line_attractor is of the task integration, this one is {task.kind}")
        starts = self._starts(population, task)
        networks = as_networks(population, None, None, population.inputs, None)
        exact = population.as_float64()
        inputs = task.static_inputs().values
        return [
            _record(
                [
                    self._context(
                        AutonomousSystem(networks, member, inputs[context], context),
                        full_readout(exact, member),
                        visited,
                        task,
                    )
                    for context, visited in enumerate(starts[member])
                ],
                task,
            )
            for member in range(len(population))
        ]

    def _starts(self, population: Population, task: Integration) -> Array:
        """States on the probe's trials, all in one context: [member, context, start, state]."""
        inputs = np.asarray(task.probe().inputs)
        every = np.repeat(inputs[None], task.streams, axis=0)
        for context in range(task.streams):
            every[context, :, :, task.streams :] = np.eye(task.streams)[context]
        states = population.unroll(every.reshape(-1, *inputs.shape[1:]))
        count = min(self.samples, task.length)
        times = np.unique(np.rint(np.linspace(0, task.length, count + 1)[1:]).astype(int)) - 1
        taken = states[:, :, times].astype(np.float64)
        return taken.reshape(len(population), task.streams, -1, taken.shape[-1])

    def _context(
        self, system: AutonomousSystem, readout: Array, starts: Array, task: Integration
    ) -> "_Context":
        """Linearise a network with a readout [state, output] in one context, from its starts
        [start, state]."""
        context = system.input_index
        usable = starts[np.isfinite(starts).all(axis=1)]
        rest = settled(system, usable, self.speed, self.steps)
        slow = np.flatnonzero(rest.slow)
        ranked = slow[np.argsort(_outputs(system, rest.state[slow])[:, 0], kind="stable")]
        kept = ranked[evenly(len(slow), self.points)]
        state = rest.state[kept]
        _, jacobian = system.linearise(state)
        linear = modes(jacobian)
        streams = system.input_jacobian(state)[:, :, : task.streams]
        later = system.simulate(state, task.length, 1)[:, 0]
        return _Context(
            slow_share=len(slow) / len(starts),
            state=state,
            speed=rest.speed[kept],
            outputs=[_outputs(system, states) for states in (usable[kept], state, later)],
            eigenvalues=linear.eigenvalues,
            alignment=alignment(linear, state),
            selection=selection(linear, streams),
            gain=slow_gain(linear, streams, readout[:, 0]),
            shares=self._shares(linear, streams[:, :, context], readout),
            fit=self._fit(system, readout, state, jacobian, streams[:, :, context]),
        )

    def _shares(self, linear: Modes, pulse: Array, readout: Array) -> tuple[Array, Array]:
        """Of the readout's response, and of the state's: [mode] each."""
        if len(pulse) < FEWEST:
            unknown = np.full(pulse.shape[1], np.nan)
            return unknown, unknown
        responses = (mode_response(linear, pulse, r, self.pulse_steps) for r in (readout, None))
        of_readout, of_state = (response.share for response in responses)
        return of_readout, of_state

    def _fit(
        self,
        system: AutonomousSystem,
        readout: Array,
        state: Array,
        jacobian: Array,
        moved: Array,
    ) -> float:
        """Share of the readout's response to a unit pulse that the linearisation predicts."""
        if len(state) < FEWEST:
            return float("nan")
        pulse, steps = np.eye(len(system.constant_input))[system.input_index], self.pulse_steps
        actual, predicted = pulse_response(system, state, pulse, steps) @ readout, []
        for _ in range(steps):
            predicted.append(moved @ readout)
            moved = np.einsum("pij,pj->pi", jacobian, moved)
        missed = np.sum((actual - np.stack(predicted, axis=1)) ** 2)
        return float(1.0 - missed / np.sum(actual**2))

    def show(self, section: Section) -> Iterable[Exhibit]:
        return line_exhibits(section, self.title)


def _outputs(system: AutonomousSystem, states: Array) -> Array:
    """Readout [point, output] at states [point, state]."""
    every = np.broadcast_to(states, (len(system.networks), *states.shape))
    outputs = system.networks.outputs_of(every)
    assert outputs is not None  # trained populations have a readout
    return outputs[system.member]


@dataclass(frozen=True, eq=False)
class _Context:
    """What one network does in one context."""

    slow_share: float
    state: Array
    speed: Array
    outputs: Sequence[Array]
    """First, at the slow points, later: [point, output] each."""
    eigenvalues: Array
    alignment: Array
    selection: Array
    gain: Array
    shares: tuple[Array, ...]
    fit: float


def _record(contexts: Sequence[_Context], task: Integration) -> LineAttractor:
    def joined(parts: Iterator[Array]) -> Array:
        return np.concatenate(list(parts))

    first, here, later = (joined(c.outputs[i] for c in contexts) for i in range(3))
    return LineAttractor(
        length=task.length,
        slow_share=np.array([c.slow_share for c in contexts]),
        linear_fit=np.array([c.fit for c in contexts]),
        readout_share=np.stack([c.shares[0] for c in contexts]),
        state_share=np.stack([c.shares[1] for c in contexts]),
        context_of=joined(np.full(len(c.state), i) for i, c in enumerate(contexts)),
        state=joined(c.state for c in contexts),
        speed=joined(c.speed for c in contexts),
        first_readout=first,
        readout=here,
        later_readout=later,
        eigenvalues=joined(c.eigenvalues for c in contexts),
        alignment=joined(c.alignment for c in contexts),
        selection=joined(c.selection for c in contexts),
        gain=joined(c.gain for c in contexts),
    )
