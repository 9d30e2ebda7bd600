"""One network whose step is other people's code."""

from collections.abc import Mapping, Sequence

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.checks import check_bound, check_step
from rnnstudy.dynamics.networks.interface import Networks
from rnnstudy.dynamics.networks.state_map import StateMap, StepFunction, run_compiled
from rnnstudy.dynamics.states.sampling import default_trials, flatten_trajectories
from rnnstudy.keras_bridge.invariant_box import is_inside, largest_radius
from rnnstudy.keras_bridge.readout import Readout

PROBES = 6
"""Number of states at which the step of other people's code is checked."""

EXPLOSION = 1e3
"""Size at which a default trajectory starts anew, as a multiple of 1 + |h| at its start."""


def probes_near(start: Array, inputs: int, states: Array | None = None) -> tuple[Array, Array]:
    """Return states `[1, point, state]` and inputs `[1, point, input]` for checks of a step."""
    generator = np.random.default_rng(0)
    near = start + generator.uniform(-0.5, 0.5, (PROBES, len(start)))
    h = (near if states is None else states[:PROBES])[None]
    return h, generator.uniform(-1.0, 1.0, (1, h.shape[1], inputs))


class SingleNetwork(Networks):
    """One network whose step is other people's code: a Keras cell or a plain function.

    Parameters
    ----------
    name
        Name of the network in messages.
    step_function
        The step.
    inputs
        Number of input channels.
    start
        State `[state]` before the first step.
    weights
        By name, as the step takes them, without a member axis.
    output_slice
        Entries of the state that the readout reads; None if they are unknown.
    readout
        Readout of these entries; None for none.
    probes
        States `[point, state]` where the step is defined; None for states near the start.
    radii
        Radii `[state]` of a box that no step leaves; None if no box is known.
    """

    def __init__(
        self,
        name: str,
        step_function: StepFunction,
        inputs: int,
        start: Array,
        weights: Mapping[str, Array] | None = None,
        output_slice: slice | None = None,
        readout: Readout | None = None,
        probes: Array | None = None,
        radii: Array | None = None,
    ) -> None:
        self.step_function, self.start = step_function, start
        self.output_slice, self.readout, self.radii = output_slice, readout, radii
        self.weights = dict(weights or {})
        self._inputs = inputs
        h, x = self.probes = probes_near(start, inputs, probes)
        self.step_function = check_step(name, self.state_map(np.array([0]), x), h)
        if radii is not None:
            check_bound(name, self.state_map(np.array([0]), x), h, radii)

    def __len__(self) -> int:
        return 1

    @property
    def inputs(self) -> int:
        return self._inputs

    @property
    def state_size(self) -> int:
        return len(self.start)

    @property
    def bound(self) -> float | None:
        return largest_radius(self.radii)

    def within(self, states: Array) -> Array:
        return is_inside(states, np.inf if self.radii is None else self.radii)

    def state_map(self, members: Array, inputs: Array) -> StateMap:
        return self.map_of(self.step_function, members, inputs)

    def map_of(self, step_function: StepFunction, members: Array, inputs: Array) -> StateMap:
        """Return the map of a step with this network's weights, as `state_map` does."""
        weights = {
            name: tf.constant(np.broadcast_to(w, (len(members), *w.shape)))
            for name, w in self.weights.items()
        }
        x = tf.constant(inputs, tf.float64)
        return StateMap(step_function, weights, step_function.drive(weights, x), x)

    def visiting_map(self, members: Array, inputs: Array) -> StateMap:
        """Return the map that default trajectories follow, as `state_map` does."""
        return self.state_map(members, inputs)

    def sample_visited(self, members: Sequence[int] | None = None) -> Array:
        inputs, first = default_trials(self.inputs, self.start[None])
        limit = EXPLOSION * (1.0 + np.abs(first).max(axis=-1, keepdims=True))
        states = [first]
        for now in np.moveaxis(inputs, 1, 0):
            state_map = self.visiting_map(np.array([0]), now[None])
            new = run_compiled(StateMap.__call__, state_map, states[-1]).numpy()
            is_near = (np.abs(new) <= limit).all(axis=-1, keepdims=True)
            states.append(np.where(is_near, new, first))
        return flatten_trajectories(np.stack(states[1:], axis=2))

    def visible(self, states: Array) -> Array:
        return states if self.output_slice is None else states[..., self.output_slice]

    def outputs_of(self, states: Array) -> Array | None:
        if self.readout is None or self.output_slice is None:
            return None
        return self.readout(self.visible(states))
