"""PyTorch: its own recurrent layers and a training loop, one network at a time."""

import time
from typing import Any

import numpy as np
import torch

from contenders.base import Contender
from contenders.case import BETA1, BETA2, CHANNELS, CLIP, EPSILON, RATE, Case

POOL = 20
"""Batches that the data hold; a training goes round and round."""

GATES = {"vanilla": (0,), "gru": (1, 0, 2), "lstm": (0, 1, 2, 3)}
"""Where PyTorch's gates, in its order, stand in ours."""


class TorchLoop(Contender):
    """One network at a time; the number of members makes no difference to each."""

    one_by_one = True

    def __init__(self, threads: int, jobs: int) -> None:
        super().__init__(threads, jobs)
        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = False
        self._device = "cuda" if torch.cuda.is_available() else "cpu"

    def unfit(self, case: Case) -> str:
        if case.cell not in GATES:
            return f"PyTorch has no {case.cell}"
        if case.cell != "vanilla" and case.activation != "tanh":
            return f"PyTorch's {case.cell} is tanh only"
        return ""

    def prepare(self, case: Case) -> None:
        self._network = Network(case).to(self._device)
        self._adam = _adam(self._network)
        parts = (np.swapaxes(part, 1, 2) for part in case.batches(POOL))
        self._data = [torch.tensor(part.copy(), device=self._device) for part in parts]
        self._done = 0
        self.run(1)

    def run(self, steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            inputs, targets = (part[self._done % POOL] for part in self._data)
            _step(self._network, self._adam, inputs, targets)
            self._done += 1
        if self._device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    def parameters(self) -> int:
        return sum(p.numel() for p in self._network.parameters() if p.requires_grad)

    def losses(self, case: Case, steps: int) -> list[float]:
        network = Network(case)
        adam = _adam(network)
        inputs, targets = (torch.tensor(part[0].swapaxes(0, 1).copy()) for part in case.batches(1))
        return [float(_step(network, adam, inputs, targets)) for _ in range(steps)]

    def device(self) -> str:
        name = torch.cuda.get_device_name() if self._device == "cuda" else "CPU"
        return f"{name}, PyTorch {torch.__version__}"


class Network(torch.nn.Module):
    """A recurrent layer and a linear readout; [time, trial, channel] -> the same axes."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        kinds = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
        self.recurrent = (
            torch.nn.RNN(CHANNELS, case.units, nonlinearity=case.activation)
            if case.cell == "vanilla"
            else kinds[case.cell](CHANNELS, case.units)
        )
        self.readout = torch.nn.Linear(case.units, CHANNELS)
        self._load(case)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Readout over time."""
        return self.readout(self.recurrent(inputs)[0])

    def _load(self, case: Case) -> None:
        w = {name: array[0] for name, array in case.weights(1).items()}
        bias = np.atleast_2d(w["bias"])
        given = {
            "weight_ih_l0": _gates(case, w["kernel"]).T,
            "weight_hh_l0": _gates(case, w["recurrent_kernel"]).T,
            "bias_ih_l0": _gates(case, bias)[0],
            "bias_hh_l0": _gates(case, bias)[1] if len(bias) == 2 else 0.0 * _gates(case, bias)[0],
        }
        with torch.no_grad():
            for name, array in given.items():
                getattr(self.recurrent, name).copy_(torch.tensor(np.ascontiguousarray(array)))
            self.readout.weight.copy_(torch.tensor(w["readout_kernel"].T.copy()))
            self.readout.bias.copy_(torch.tensor(w["readout_bias"]))
        # PyTorch adds two biases where the others have one.
        self.recurrent.bias_hh_l0.requires_grad_(len(bias) == 2)


def _gates(case: Case, array: np.ndarray) -> np.ndarray:
    """Blocks [row, unit], side by side, in PyTorch's order."""
    blocks = np.split(array, len(GATES[case.cell]), axis=-1)
    return np.concatenate([blocks[k] for k in GATES[case.cell]], axis=-1)


def _adam(network: Network) -> Any:
    moving = [p for p in network.parameters() if p.requires_grad]
    return torch.optim.Adam(moving, RATE, (BETA1, BETA2), EPSILON, fused=True)


def _step(network: Network, adam: Any, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    adam.zero_grad(set_to_none=True)
    loss = torch.nn.functional.mse_loss(network(inputs), targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    adam.step()
    return loss.detach()
