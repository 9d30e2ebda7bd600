"""Today's way to fixed points: Adam on the speed of all starts, in PyTorch and float32.

For a process of its own: PyTorch and TensorFlow do not live together in one.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Tensor = torch.Tensor
Step = Callable[[Tensor], Tensor]

RATE, FACTOR, PATIENCE = 1.0, 0.95, 2
"""First learning rate, and how it falls where the mean speed stalls, as in FixedPointFinder."""

TOLERANCE = 1e-12
"""Speed at which a start is done: about what float32 resolves."""


def step_of(cell: Any, weights: dict[str, np.ndarray]) -> Step:
    """h -> F(h) at zero input for a trained network of one of the benchmark's cells, in float32."""
    w = {name: torch.tensor(np.asarray(v), dtype=torch.float32) for name, v in weights.items()}
    recurrent, bias, units = w["recurrent_kernel"], w["bias"], cell.units
    act = torch.tanh if cell.activation == "tanh" else torch.relu

    def vanilla(h: Tensor) -> Tensor:
        return act(torch.addmm(bias, h, recurrent))

    def ugrnn(h: Tensor) -> Tensor:
        gate, new = torch.addmm(bias, h, recurrent).chunk(2, dim=1)
        return torch.lerp(act(new), h, torch.sigmoid(gate))

    def gru(h: Tensor) -> Tensor:
        gates = torch.sigmoid(torch.addmm(bias[: 2 * units], h, recurrent[:, : 2 * units]))
        keep, reset = gates.chunk(2, dim=1)
        new = act(torch.addmm(bias[2 * units :], reset * h, recurrent[:, 2 * units :]))
        return torch.lerp(new, h, keep)

    def lstm(state: Tensor) -> Tensor:
        h, c = state.chunk(2, dim=1)
        write, keep, new, show = torch.addmm(bias, h, recurrent).chunk(4, dim=1)
        c = torch.sigmoid(keep) * c + torch.sigmoid(write) * act(new)
        if cell.clip is not None:
            c = c.clamp(-cell.clip, cell.clip)
        return torch.cat([torch.sigmoid(show) * act(c), c], dim=1)

    return {"vanilla": vanilla, "ugrnn": ugrnn, "gru": gru, "lstm": lstm}[cell.kind]


def image(cell: Any, weights: dict[str, np.ndarray], state: np.ndarray) -> np.ndarray:
    """F(h) of states [start, state], to see that this is the network that is meant."""
    found: np.ndarray = step_of(cell, weights)(torch.tensor(state, dtype=torch.float32)).numpy()
    return found


def measured(
    cell: Any, weights: dict[str, np.ndarray], starts: np.ndarray, iterations: int
) -> tuple[tuple[np.ndarray, int], float, float]:
    """What `minimised` returns, and the seconds that it took: wall clock and processor."""
    step = step_of(cell, weights)
    wall, cpu = time.perf_counter(), time.process_time()
    result = minimised(step, starts, iterations)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def minimised(step: Step, starts: np.ndarray, iterations: int) -> tuple[np.ndarray, int]:
    """States [start, state] after Adam has brought down their speeds, and the steps that it took.

    It ends when the slowest start is done. The gradient of each start's speed is its own, so that
    the batch is one sum; no start waits for an optimiser of another's.
    """
    h = torch.tensor(starts, dtype=torch.float32, requires_grad=True)
    optimiser = torch.optim.Adam([h], lr=RATE, fused=True)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=FACTOR, patience=PATIENCE
    )
    for taken in range(iterations):
        optimiser.zero_grad(set_to_none=True)
        speed = 0.5 * (step(h) - h).square().sum(dim=1)
        if float(speed.detach().max()) < TOLERANCE:
            return h.detach().numpy(), taken
        speed.sum().backward()
        optimiser.step()
        schedule.step(float(speed.detach().mean()))
    return h.detach().numpy(), iterations
