"""Fixed points of a PyTorch GRU that has learnt to remember two bits.

- You learn: that every function of rnnstudy takes a module of PyTorch as it is.
- It prints: the fixed points, the outputs at the stable ones (the four pairs of bits), and how far
  one step of PyTorch moves them.
- It takes: half a minute.
- Picture: trajectories of the network and its fixed points.

    pip install 'rnnstudy[torch]'
    python examples/pytorch_gru.py [pytorch_gru.png [STEPS]]

STEPS of training are 300 without it; 5 show in seconds that everything runs.
"""

import sys

import numpy as np
import torch

import rnnstudy
from rnnstudy.tasks import FlipFlop


class Memory(torch.nn.Module):
    """A GRU with a linear readout."""

    def __init__(self, inputs, units, outputs):
        super().__init__()
        self.rnn = torch.nn.GRU(inputs, units, batch_first=True)
        self.readout = torch.nn.Linear(units, outputs)

    def forward(self, x):
        """Return outputs `[trial, time, output]` of inputs `[trial, time, input]`."""
        return self.readout(self.rnn(x)[0])


def train(network, task, steps):
    """Train a network by plain PyTorch. Return its last loss."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    trials = task.sample((0, 0), 64 * 40)
    inputs, targets = (torch.tensor(np.asarray(a)) for a in (trials.inputs, trials.targets))
    for step in range(steps):
        rows = slice(64 * (step % 40), 64 * (step % 40 + 1))
        optimiser.zero_grad()
        loss = ((network(inputs[rows]) - targets[rows]) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    return float(loss.detach())


def main(picture="pytorch_gru.png", steps="300"):
    """Train the network, find its fixed points, and print what it remembers at each."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # A small network is trained fastest by one thread.
    task = FlipFlop(bits=2, length=20)
    network = Memory(task.inputs, 16, task.outputs)
    print(f"loss after {steps} steps of PyTorch: {train(network, task, int(steps)):.4f}")

    # The module is taken as it is. Inputs are zero, as between the pulses of the task.
    points = rnnstudy.find_fixed_points(network)
    print(points.to_frame()[["kind", "n_unstable", "speed"]].to_string())
    print(points.certificate.to_string())

    # Every stable point is a memory: the readout there is one of the four pairs of bits.
    model = rnnstudy.from_torch(network)
    kernel, bias = model.get_layer("readout").get_weights()
    for state in points.state[points.kind == "stable"]:
        print("stable point with outputs", np.round(state @ kernel + bias, 2))

    # The same point in PyTorch: one step of its GRU does not move it.
    with torch.no_grad():
        states = torch.tensor(points.state[None], dtype=torch.float64)
        still = torch.zeros((states.shape[1], 1, task.inputs), dtype=torch.float64)
        moved = network.double().rnn(still, states)[1]
    print(f"largest move in PyTorch: {float((moved - states).abs().max()):.1e}")

    inputs = torch.tensor(np.asarray(task.sample((1, 0), 16).inputs), dtype=torch.float64)
    trajectories = network.rnn(inputs)[0].detach().numpy()  # [trial, time, unit]
    rnnstudy.plot(points, trajectories=trajectories).savefig(picture)
    print("picture:", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
