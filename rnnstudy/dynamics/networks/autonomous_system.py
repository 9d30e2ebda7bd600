"""Networks at constant inputs as autonomous systems h -> F(h; x)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.dynamics.networks.interface import Networks
from rnnstudy.dynamics.networks.simulate import simulate
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled
from rnnstudy.dynamics.states.sampling import finite_states, scale_of

JACOBIAN_COPIES = 4
"""Matrices [state, state] that a linearisation holds per state at its peak."""


@dataclass(frozen=True, eq=False)
class AutonomousSystem:
    """One network at one constant input.

    Parameters
    ----------
    networks
        Networks of one shape, in float64.
    member
        Position of the network among them.
    constant_input
        Input at every step, `[input]`.
    input_index
        Position of the input among those of an analysis.
    scale
        Typical root mean square of the network's states.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.dynamics.networks.adapters import as_networks
    >>> networks = as_networks(lambda inputs, states: 0.5 * states, state_size=2)
    >>> system = AutonomousSystem(networks, 0, np.zeros(0))
    >>> system.step(np.array([[1.0, -2.0]]))
    array([[ 0.5, -1. ]])
    """

    networks: Networks
    member: int
    constant_input: Array
    input_index: int = 0
    scale: float = 1.0

    def map(self, points: int) -> StateMap:
        """Return the map of states `[1, point, state]` for so many points."""
        return joint_map([self], points)

    def step(self, states: Array) -> Array:
        """Return F(h) at states `[point, state]`."""
        image: Array = run_compiled(StateMap.__call__, self.map(len(states)), states[None]).numpy()[
            0
        ]
        return image

    def linearise(self, states: Array) -> tuple[Array, Array]:
        """Return F(h) and dF/dh `[point, state, state]` at states `[point, state]`."""
        size = states.shape[1]
        none = np.empty((0, size)), np.empty((0, size, size))
        parts = list(zip(none, *self._in_batches(StateMap.linearise, states), strict=True))
        return np.concatenate(parts[0]), np.concatenate(parts[1])

    def rates(self, states: Array) -> Array:
        """Return f(h) of a vector field at states `[point, state]`."""
        state_map = self._rate_map(len(states))
        rates: Array = run_compiled(StateMap.__call__, state_map, states[None]).numpy()[0]
        return rates

    def linearise_rates(self, states: Array) -> tuple[Array, Array]:
        """Return f(h) and df/dh of a vector field at states `[point, state]`."""
        rates, jacobians = np.empty_like(states), np.empty((*states.shape, states.shape[1]))
        for part in batches(len(states), 8 * JACOBIAN_COPIES * states.shape[1] ** 2):
            block = states[part]
            values = run_compiled(StateMap.linearise, self._rate_map(len(block)), block[None])
            rates[part], jacobians[part] = (each.numpy()[0] for each in values)
        return rates, jacobians

    def _rate_map(self, points: int) -> StateMap:
        """Return f(h) for so many points, the same each time: integrators need it often."""
        if points not in self._rate_maps:
            at = np.broadcast_to(self.constant_input, (1, points, len(self.constant_input)))
            self._rate_maps[points] = self.networks.rate_map(np.array([self.member]), at)
        return self._rate_maps[points]

    @cached_property
    def _rate_maps(self) -> dict[int, StateMap]:
        return {}

    def input_jacobian(self, states: Array) -> Array:
        """Return dF/dx `[point, state, input]` at states `[point, state]`."""
        none = np.empty((0, states.shape[1], len(self.constant_input)))
        parts = self._in_batches(_by_input, states)
        return np.concatenate([none, *(part for (part,) in parts)])

    def simulate(self, starts: Array, skip: int, steps: int) -> Array:
        """Return states `[start, time, state]` from starts `[start, state]`.

        Recording begins after `skip` steps. Time 0 is the first recorded state.
        """
        member, inputs = np.array([self.member]), self.constant_input[None]
        states: Array = simulate(self.networks, member, inputs, starts[None], skip, steps)[0]
        return states

    def _in_batches(
        self, function: Callable[[StateMap, Tensor], tuple[Tensor, ...]], states: Array
    ) -> list[tuple[Array, ...]]:
        bytes_each = 8 * JACOBIAN_COPIES * states.shape[1] ** 2
        blocks = (states[part] for part in batches(len(states), bytes_each))
        return [
            tuple(
                values.numpy()[0]
                for values in run_compiled(function, self.map(len(block)), block[None])
            )
            for block in blocks
        ]


def systems_of(
    networks: Networks, inputs: Array, starts: Array | None
) -> Iterator[tuple[AutonomousSystem, Array]]:
    """Yield the system of each network at each of inputs `[input point, input]`.

    With it comes what sets its scale: the starts `[start, state]`, or states that the network
    visits if there are none.
    """
    pool = networks.sample_visited() if starts is None else None
    for member in range(len(networks)):
        visited = np.asarray(starts, np.float64) if pool is None else pool[member]
        scale = scale_of(finite_states(visited))
        for position, constant_input in enumerate(inputs):
            yield AutonomousSystem(networks, member, constant_input, position, scale), visited


def joint_map(systems: Sequence[AutonomousSystem], points: int) -> StateMap:
    """Return the map of states `[system, point, state]` for so many points of each system."""
    members = np.array([system.member for system in systems])
    inputs = np.stack([system.constant_input for system in systems])
    return systems[0].networks.state_map(members, np.repeat(inputs[:, None], points, axis=1))


def simulate_systems(
    systems: Sequence[AutonomousSystem], starts: Array, skip: int, steps: int
) -> Array:
    """Return states `[system, start, time, state]` from starts `[system, start, state]`.

    Recording begins after `skip` steps. Time 0 is the first recorded state.
    """
    members = np.array([system.member for system in systems])
    inputs = np.stack([system.constant_input for system in systems])
    return simulate(systems[0].networks, members, inputs, starts, skip, steps)


def _by_input(state_map: StateMap, h: Tensor) -> tuple[Tensor, ...]:
    return (state_map.by_input(h),)
