"""Run by test_sharding in a process of its own, whose CPU is several logical devices.

Usage: python on_devices.py LOGICAL_DEVICES FILE.npz
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf

from rnnstudy.cells.gru import GRU
from rnnstudy.population import unroll as loop
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training import train as training
from rnnstudy.training.kernels import per_member
from rnnstudy.training.protocol import Training
from rnnstudy.training.sharding import devices_of
from rnnstudy.training.train import train

MEMORY = FlipFlop(bits=2, length=5, pulse_probability=0.3, evaluation_trials=8, solved_loss=0.45)
PROTOCOL = Training(steps=40, batch=4, record_every=10, learning_rate=1e-1, state_noise=0.05)
SEEDS = (11, 12, 13, 14, 15)


class Gappy(FlipFlop):
    """Only some time steps count, in some trials none: shares of a batch differ in weight."""

    def sample(self, seed, trials):
        whole = super().sample(seed, trials)
        drawn = tf.random.stateless_uniform([trials, self.length], seed, alg="philox")
        empty = tf.random.stateless_uniform([trials, 1], seed + 1, alg="philox") < 0.4
        mask = tf.cast((drawn < 0.5) & ~empty, tf.float32)
        return whole._replace(mask=tf.concat([mask[:-1], mask[-1:] * 0.0 + 1.0], axis=0))


def protocols(**fields):
    """Five members of which one diverges in its second step."""
    common = PROTOCOL.replace(**fields)
    return [common, common, common.replace(learning_rate=1e30), common.replace(l2=0.1), common]


def cohort(kernel, devices, units=5, **fields):
    """Weights, curves and fates of a cohort trained with a kernel on some devices."""
    training.kernel_for = lambda *given: kernel
    given = protocols(**fields)
    task = Gappy(**dict(MEMORY)) if given[0].data_parallel else MEMORY
    found = train(GRU(units=units), task, given, SEEDS, devices=devices)
    names = ("loss", "accuracy", "diverged_at", "steps", "evaluation_loss")
    return found.population.weights | {name: getattr(found, name) for name in names}


STOPPING = {"stop": "solved", "solved_for": 1}
CASES = {
    2: {
        "per_member": (0, 2, "per_member", {}),
        "penalised": (0, 2, "batched", {"data_parallel": True, "rate_l2": 0.5}),
    },
    4: {
        "per_member": (3, 4, "per_member", {}),
        "batched": (0, 2, "batched", {"units": 16}),
        "shared": (0, 2, 3, 4, "batched", {"data_parallel": True}),
        "shared one by one": (0, 4, "per_member", {"data_parallel": True, "batch": 2}),
        "stopping": (0, 4, "per_member", STOPPING),
    },
}
"""By the number of logical devices: name of a case -> counts of devices, kernel, fields."""


def main(logical, file):
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration() for _ in range(logical)]
    tf.config.set_logical_device_configuration(cpu, devices)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    loop.STEPS_PER_TURN = per_member.BLOCK_STEPS = 2
    found = {}
    for name, (*counts, kernel, fields) in CASES[logical].items():
        for count in counts:
            made = cohort(kernel, devices_of(count) if count else (), **fields)
            found |= {f"{name}/{count}/{part}": values for part, values in made.items()}
    np.savez(file, **found)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
