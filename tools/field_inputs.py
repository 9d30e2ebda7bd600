"""Train a PyTorch GRU on a memory of two bits, and save what specs/field.yaml reads:

python tools/field_inputs.py specs
"""

import sys
from pathlib import Path

import numpy as np
import torch

from rnnstudy.tasks.flip_flop import FlipFlop

UNITS, BATCH = 24, 32


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


def main(folder: str, steps: str = "400") -> None:
    """Write the weights of the network."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # A small network is trained fastest by one thread.
    task = FlipFlop(bits=2, length=40)
    trials = task.sample((0, 0), 1024)
    inputs, targets = (torch.tensor(np.asarray(a)) for a in (trials.inputs, trials.targets))
    network = Memory(task.inputs, task.outputs)
    train(network, inputs, targets, int(steps))
    arrays = {name: values.numpy() for name, values in network.state_dict().items()}
    np.savez(Path(folder, "field-gru.npz"), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
