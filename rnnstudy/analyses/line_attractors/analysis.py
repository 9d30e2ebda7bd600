"""Line attractors of networks that integrate: slow points, their modes and inputs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import NO_INPUTS, Cost, MemberAnalysis, MemberInputs, Section
from rnnstudy.analyses.line_attractors.exhibits import line_exhibits
from rnnstudy.analyses.line_attractors.record import MIN_SLOW_POINTS, LineAttractor, evenly_spaced
from rnnstudy.analyses.line_attractors.slow_states import (
    first_slow_states,
    line_alignment,
    pulse_response,
    selection,
    slow_gain,
)
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.linearisation.hankel import hankel_singular_values
from rnnstudy.dynamics.linearisation.impulse_response import mode_response
from rnnstudy.dynamics.linearisation.modes import Modes, modes
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.population.population import Population, readout_jacobian
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration


class LineAttractors(MemberAnalysis):
    """Slow points in each context of an integration, and the dynamics linearised there.

    Trajectories without stimulus start from states on probe trials in one context and end at slow
    points. The network is linearised there. The record holds eigenvalues and the input directions
    that the slowest left mode selects. For each point it holds the share of the response to a unit
    pulse that the k slowest modes predict, and the Hankel singular values.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> LineAttractors().applies(Integration())
    True
    """

    kind: ClassVar[str] = "line_attractor"
    chapter: ClassVar[str] = "linearisation"
    version: ClassVar[int] = 3
    yields: ClassVar[type[Record]] = LineAttractor

    samples: Annotated[int, Field(ge=1)] = 3
    """Number of starts from each probe trial, the last at its end."""

    speed: Annotated[float, Field(gt=0)] = 0.01
    """Largest speed |F(h) - h| of a slow point, as a share of the spread of the starts."""

    points: Annotated[int, Field(ge=MIN_SLOW_POINTS)] = 32
    """Number of slow points per context in the record, evenly by rank of their readout."""

    steps: Annotated[int, Field(ge=1)] = 100
    """Largest number of steps to a slow point."""

    pulse_steps: Annotated[int, Field(ge=1)] = 20
    """Number of steps of the response to a pulse."""

    slow_modulus: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Modulus above which a mode is slow."""

    horizon: Annotated[int, Field(ge=1)] | None = None
    """Number of past and future steps of the Hankel singular values; default: a trial's length."""

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def cost(self, cell: Cell, task: Task) -> Cost:
        contexts = len(task.static_inputs().values)
        starts, linearised = contexts * self.samples * task.probe_trials, contexts * self.points
        work = {"starts": starts, "linearisations": linearised}
        return Cost(work, 8 * 3 * linearised * cell.state_size)

    def run(self, population: Population, task: Task) -> Sequence[LineAttractor]:
        return [compute() for compute in self.record_functions(population, task)]

    def record_functions(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Callable[[], LineAttractor]]:
        if not isinstance(task, Integration):
            raise ValueError(
                f"the task of line_attractor must be integration, got {task.kind}. List the tasks "
                "of the analysis in 'tasks'."
            )
        starts = self._starts(population, task)
        networks = as_networks(population, None, None, population.inputs, None)
        exact = population.as_float64()
        contexts = task.static_inputs().values

        def of_member(member: int) -> LineAttractor:
            readout_of = partial(readout_jacobian, exact, member)
            systems = [
                AutonomousSystem(networks, member, value, context)
                for context, value in enumerate(contexts)
            ]
            each = [
                self._context(system, readout_of, visited, task)
                for system, visited in zip(systems, starts[member], strict=True)
            ]
            return self._record(each, task)

        return [partial(of_member, member) for member in range(len(population))]

    def _starts(self, population: Population, task: Integration) -> Array:
        """Return states on probe trials in each context, [member, context, start, state]."""
        inputs = np.asarray(task.probe().inputs)
        by_context = np.repeat(inputs[None], task.streams, axis=0)
        for context in range(task.streams):
            by_context[context, :, :, task.streams :] = np.eye(task.streams)[context]
        states = population.unroll(by_context.reshape(-1, *inputs.shape[1:]))
        count = min(self.samples, task.length)
        times = np.unique(np.rint(np.linspace(0, task.length, count + 1)[1:]).astype(int)) - 1
        starts = states[:, :, times].astype(np.float64)
        return starts.reshape(len(population), task.streams, -1, starts.shape[-1])

    def _context(
        self,
        system: AutonomousSystem,
        readout_of: Callable[[Array], Array],
        starts: Array,
        task: Integration,
    ) -> "_Context":
        """Linearise a network in one context.

        readout_of: states [point, state] -> derivatives of the outputs, see `readout_jacobian`.
        starts: [start, state].
        """
        context = system.input_index
        usable = starts[np.isfinite(starts).all(axis=1)]
        ends = first_slow_states(system, usable, self.speed, self.steps)
        slow = np.flatnonzero(ends.is_slow)
        ranked = slow[np.argsort(_outputs(system, ends.state[slow])[:, 0], kind="stable")]
        chosen = ranked[evenly_spaced(len(slow), self.points)]
        state = ends.state[chosen]
        readout = readout_of(state)
        _, jacobian = system.linearise(state)
        linear = modes(jacobian)
        streams = system.input_jacobian(state)[:, :, : task.streams]
        later = system.simulate(state, task.length, 1)[:, 0]
        return _Context(
            slow_share=len(slow) / len(starts),
            state=state,
            speed=ends.speed[chosen],
            outputs=[_outputs(system, states) for states in (usable[chosen], state, later)],
            eigenvalues=linear.eigenvalues,
            alignment=line_alignment(linear, state),
            selection=selection(linear, streams),
            gain=slow_gain(linear, streams, readout[..., 0]),
            responses=self._responses(linear, streams[:, :, context], readout),
            hankel=hankel_singular_values(
                jacobian, streams[:, :, [context]], readout, self.horizon or task.length
            ),
            fit=self._fit(system, readout, state, jacobian, streams[:, :, context]),
        )

    def _responses(self, linear: Modes, pulse: Array, readout: Array) -> tuple[Array, ...]:
        """Return shares of the readout and of the state, and errors of the mean: [point, mode]."""
        output, state = (mode_response(linear, pulse, r, self.pulse_steps) for r in (readout, None))
        return output.share, state.share, output.mean_error

    def _fit(
        self,
        system: AutonomousSystem,
        readout: Array,
        state: Array,
        jacobian: Array,
        displacement: Array,
    ) -> Array:
        """Return the share of the readout's response to a unit pulse that linearisation predicts.

        displacement: effect of the pulse on the state, [point, state]. The share is [point].
        """
        pulse, steps = np.eye(len(system.constant_input))[system.input_index], self.pulse_steps
        if readout.ndim == 2:
            actual = pulse_response(system, state, pulse, steps) @ readout
        else:
            actual = pulse_response(system, state, pulse, steps, partial(_outputs, system))
        predicted = []
        for _ in range(steps):
            predicted.append(_read(displacement, readout))
            displacement = np.einsum("pij,pj->pi", jacobian, displacement)
        error = np.sum((actual - np.stack(predicted, axis=1)) ** 2, axis=(1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            fit: Array = 1.0 - error / np.sum(actual**2, axis=(1, 2))
        return np.where(np.isfinite(fit), fit, np.nan)

    def _record(self, contexts: Sequence["_Context"], task: Integration) -> LineAttractor:
        def join(parts: Iterator[Array]) -> Array:
            return np.concatenate(list(parts))

        first, slow, later = (join(c.outputs[i] for c in contexts) for i in range(3))
        return LineAttractor(
            length=task.length,
            slow_modulus=self.slow_modulus,
            horizon=self.horizon or task.length,
            slow_share=np.array([c.slow_share for c in contexts]),
            context_of=join(np.full(len(c.state), i) for i, c in enumerate(contexts)),
            state=join(c.state for c in contexts),
            speed=join(c.speed for c in contexts),
            first_readout=first,
            readout=slow,
            later_readout=later,
            eigenvalues=join(c.eigenvalues for c in contexts),
            alignment=join(c.alignment for c in contexts),
            selection=join(c.selection for c in contexts),
            gain=join(c.gain for c in contexts),
            linear_fit=join(c.fit for c in contexts),
            readout_share=join(c.responses[0] for c in contexts),
            state_share=join(c.responses[1] for c in contexts),
            mean_error=join(c.responses[2] for c in contexts),
            hankel=join(c.hankel for c in contexts),
        )

    def show(self, section: Section) -> Iterable[Exhibit]:
        return line_exhibits(section, self.title)


def _outputs(system: AutonomousSystem, states: Array) -> Array:
    """Return the readout [point, ..., output] at states [point, ..., state]."""
    repeated = np.broadcast_to(states, (len(system.networks), *states.shape))
    outputs = system.networks.outputs_of(repeated)
    assert outputs is not None  # trained populations have a readout
    return outputs[system.member]


def _read(displacement: Array, readout: Array) -> Array:
    """Return changes [point, output] of a linearised readout by those of the state."""
    if readout.ndim == 2:
        return displacement @ readout
    change: Array = np.einsum("ps,pso->po", displacement, readout)
    return change


@dataclass(frozen=True, eq=False)
class _Context:
    """Results of one network in one context."""

    slow_share: float
    state: Array
    speed: Array
    outputs: Sequence[Array]
    """Readouts at the starts, at the slow points and later: [point, output] each."""
    eigenvalues: Array
    alignment: Array
    selection: Array
    gain: Array
    responses: tuple[Array, ...]
    hankel: Array
    fit: Array
