"""Signs that a function that is taken for a map is a vector field."""

import warnings

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.single_network import SingleNetwork
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled

FAR = 1e3
"""Distance of far states, as a multiple of 1 + |h| of the states where the function is defined."""

FAR_STATES = 16
"""Number of far states. All of them must show the sign, so that chance does not."""

MIN_DECAY = 1e-4
"""Least decay of a unit by itself that counts, in 1 / unit of time."""


def warn_of_vector_field(name: str, network: SingleNetwork) -> None:
    """Warn if the function of a network looks like a vector field dh/dt.

    Far out, where nonlinearities saturate, a vector field with bounded trajectories contracts: its
    divergence is negative, mostly by the leak -h / tau of each unit. A map of a network does not:
    its units keep a share of their state, or forget it.
    """
    decay = _least_decay(network)
    if decay >= MIN_DECAY:
        warnings.warn(
            f"{name} is taken for a map, but looks like a vector field dh/dt, since far out units "
            f"change by -{decay:.3g} of their own state or more on average: pass continuous=True, "
            "or continuous=False if it is a map.",
            UserWarning,
            stacklevel=2,
        )


def _least_decay(network: SingleNetwork) -> float:
    """Return the least of -trace(J) / size at far states; negative if there is none."""
    h, x = _far_states(network)
    try:
        state_map = network.state_map(np.array([0]), x)
        jacobian = run_compiled(StateMap.linearise, state_map, h)[1].numpy()[0]
    except Exception:  # A user's code may raise anything far from where it is defined.
        return -1.0
    decay = -np.trace(jacobian, axis1=1, axis2=2) / jacobian.shape[-1]
    return float(decay.min()) if np.isfinite(decay).all() else -1.0


def _far_states(network: SingleNetwork) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    size = FAR * (1.0 + np.abs(network.probes[0]).max())
    states = size * generator.standard_normal((1, FAR_STATES, network.state_size))
    return states, np.zeros((1, FAR_STATES, network.inputs))
