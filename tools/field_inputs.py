"""Train two PyTorch GRUs on a memory of two bits, and save one, and a recording of the other:

python tools/field_inputs.py specs
"""

import sys
from pathlib import Path

import numpy as np
import torch

from rnnstudy.tasks.flip_flop import FlipFlop

UNITS, BATCH = 24, 32
NEURONS, REPEATS = 60, 8


class Memory(torch.nn.Module):
    """A GRU with a linear readout."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.rnn = torch.nn.GRU(inputs, UNITS, batch_first=True)
        self.readout = torch.nn.Linear(UNITS, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return outputs `[trial, time, output]` of inputs `[trial, time, input]`."""
        return self.readout(self.rnn(x)[0])


def train(network: Memory, inputs: torch.Tensor, targets: torch.Tensor, steps: int) -> None:
    """Train a network by Adam, batch after batch."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    batches = len(inputs) // BATCH
    for step in range(steps):
        rows = slice(BATCH * (step % batches), BATCH * (step % batches + 1))
        optimiser.zero_grad()
        ((network(inputs[rows]) - targets[rows]) ** 2).mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()


def record(network: Memory, inputs: torch.Tensor) -> dict[str, np.ndarray]:
    """Return the arrays of a recording: noisy random neurons that read the units of a network."""
    generator = np.random.default_rng(0)
    with torch.no_grad():
        states = network.rnn(inputs)[0].numpy()  # [sequence, time, unit]
    weights = generator.standard_normal((UNITS, NEURONS)) / np.sqrt(UNITS)
    activity = (states @ weights).repeat(REPEATS, axis=0)  # [trial, time, neuron]
    activity += 0.3 * generator.standard_normal(activity.shape)
    sequence = np.arange(len(inputs)).repeat(REPEATS)
    repeated = inputs.numpy().repeat(REPEATS, axis=0)
    return {"activity": activity.astype("float32"), "inputs": repeated, "sequence": sequence}


def main(folder: str, steps: str = "400") -> None:
    """Write the weights of a network, and the recording of another one."""
    torch.set_num_threads(1)  # A small network is trained fastest by one thread.
    task = FlipFlop(bits=2, length=40)
    trials = task.sample((0, 0), 1024)
    inputs, targets = (torch.tensor(np.asarray(a)) for a in (trials.inputs, trials.targets))
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        networks.append(Memory(task.inputs, task.outputs))
        train(networks[-1], inputs, targets, int(steps))
    weights = {name: values.numpy() for name, values in networks[0].state_dict().items()}
    np.savez(Path(folder, "field-gru.npz"), **weights)
    np.savez(Path(folder, "field-recording.npz"), **record(networks[1], inputs[:8]))


if __name__ == "__main__":
    main(*sys.argv[1:])
