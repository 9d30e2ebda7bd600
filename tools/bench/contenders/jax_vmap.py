"""JAX: all members as one program by `vmap`, the time loop a `lax.scan`, Adam by hand."""

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from contenders.base import Contender
from contenders.case import BETA1, BETA2, CLIP, EPSILON, RATE, Case
from rnnstudy.core.arrays import Tensor

POOL = 2
"""Batches per member; a training goes round and round."""

Weights = dict[str, Tensor]
Step = Callable[[Weights, Tensor, Tensor], Tensor]


class JaxVmap(Contender):
    """Gradients, clipping and Adam per member inside one compiled step."""

    def __init__(self, threads: int, jobs: int) -> None:
        super().__init__(threads, jobs)
        jax.config.update("jax_default_matmul_precision", "highest")

    def unfit(self, case: Case) -> str:
        return ""

    def prepare(self, case: Case) -> None:
        self._step = _training_step(case)
        self._state = _start(case.weights(case.members))
        drawn = [case.batches(case.members, seed) for seed in range(POOL)]
        self._pool = [tuple(jnp.asarray(part) for part in pair) for pair in drawn]
        self._done = 0
        self.run(1)

    def run(self, steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            self._state, _ = self._step(self._state, *self._pool[self._done % POOL])
            self._done += 1
        jax.block_until_ready(self._state)
        return time.perf_counter() - start

    def parameters(self) -> int:
        return int(sum(np.prod(w.shape[1:]) for w in self._state[0].values()))

    def losses(self, case: Case, steps: int) -> list[float]:
        step, state, batch = _training_step(case), _start(case.weights(1)), case.batches(1)
        found = []
        for _ in range(steps):
            state, loss = step(state, *batch)
            found.append(float(loss[0]))
        return found

    def device(self) -> str:
        return f"{jax.devices()[0].device_kind}, JAX {jax.__version__}"


def _start(weights: dict[str, np.ndarray]) -> tuple[Any, ...]:
    """Weights, both moments, and the number of steps done."""
    zeros = {name: jnp.zeros_like(w) for name, w in weights.items()}
    return {n: jnp.asarray(w) for n, w in weights.items()}, zeros, jax.tree.map(jnp.copy, zeros), 0


def _training_step(case: Case) -> Any:
    loss = functools.partial(_loss, _cell(case), 2 if case.cell == "lstm" else 1, case.units)
    gradients = jax.vmap(jax.value_and_grad(loss))

    def step(state: tuple[Any, ...], inputs: Tensor, targets: Tensor) -> tuple[Any, Tensor]:
        weights, first, second, done = state
        found, grads = gradients(weights, inputs, targets)
        return (*jax.vmap(_adam, (0, 0, 0, 0, None))(weights, grads, first, second, done),
                done + 1), found  # fmt: skip

    return jax.jit(step, donate_argnums=0)


def _loss(
    cell: Step, parts: int, units: int, w: Weights, inputs: Tensor, targets: Tensor
) -> Tensor:
    """Mean squared error of one network; inputs and targets [trial, time, channel]."""
    bias = w["bias"][0] if w["bias"].ndim == 2 else w["bias"]
    drive = jnp.swapaxes(inputs, 0, 1) @ w["kernel"] + bias

    def turn(h: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        new = cell(w, now, h)
        return new, new[0]

    start = (jnp.zeros((inputs.shape[0], units)),) * parts
    _, states = jax.lax.scan(turn, start, drive)
    outputs = states @ w["readout_kernel"] + w["readout_bias"]
    return jnp.mean((outputs - jnp.swapaxes(targets, 0, 1)) ** 2)


def _adam(
    weights: Weights, grads: Weights, first: Weights, second: Weights, done: Tensor
) -> tuple[Weights, Weights, Weights]:
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in grads.values()))
    scale = jnp.minimum(1.0, CLIP / jnp.maximum(norm, 1e-30))
    first = {n: BETA1 * m + (1 - BETA1) * scale * grads[n] for n, m in first.items()}
    second = {n: BETA2 * m + (1 - BETA2) * (scale * grads[n]) ** 2 for n, m in second.items()}
    rate, root = RATE / (1 - BETA1 ** (done + 1)), jnp.sqrt(1 - BETA2 ** (done + 1))
    moved = {
        n: w - rate * first[n] / (jnp.sqrt(second[n]) / root + EPSILON) for n, w in weights.items()
    }
    return moved, first, second


def _cell(case: Case) -> Step:
    """(weights, drive, state parts) -> new state parts, the one that the readout sees first."""
    nonlinearity = {"tanh": jnp.tanh, "relu": jax.nn.relu}[case.activation]
    cells = {
        "vanilla": _vanilla,
        "ugrnn": _ugrnn,
        "gru": _gru,
        "gru_before": _gru_before,
        "lstm": _lstm,
    }
    return functools.partial(cells[case.cell], nonlinearity)


def _vanilla(f: Any, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
    return (f(drive + h[0] @ w["recurrent_kernel"]),)


def _ugrnn(f: Any, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
    gate, new = jnp.split(drive + h[0] @ w["recurrent_kernel"], 2, axis=-1)
    keep = jax.nn.sigmoid(gate)
    return (keep * h[0] + (1 - keep) * f(new),)


def _gru(f: Any, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
    product = h[0] @ w["recurrent_kernel"] + w["bias"][1]
    (z, r, c), (to_z, to_r, to_c) = (jnp.split(part, 3, axis=-1) for part in (drive, product))
    keep = jax.nn.sigmoid(z + to_z)
    return (keep * h[0] + (1 - keep) * f(c + jax.nn.sigmoid(r + to_r) * to_c),)


def _gru_before(f: Any, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
    units = h[0].shape[-1]
    kernel = w["recurrent_kernel"]
    gates = jax.nn.sigmoid(drive[..., : 2 * units] + h[0] @ kernel[:, : 2 * units])
    keep, reset = jnp.split(gates, 2, axis=-1)
    new = f(drive[..., 2 * units :] + (reset * h[0]) @ kernel[:, 2 * units :])
    return (keep * h[0] + (1 - keep) * new,)


def _lstm(f: Any, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
    product = drive + h[0] @ w["recurrent_kernel"]
    write, keep, new, show = jnp.split(product, 4, axis=-1)
    memory = jax.nn.sigmoid(keep) * h[1] + jax.nn.sigmoid(write) * f(new)
    return jax.nn.sigmoid(show) * f(memory), memory
