"""Networks in a store as if they had been trained: whole studies without training."""

import numpy as np

from rnnstudy.population.initialise import initial_population
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.store import Store
from rnnstudy.training.train import TrainedNetworks


def pretend(store: Store, network: TrainedNetworkSpec, diverged: bool = False) -> None:
    """Put a network in the store as if it had been trained."""
    task, one = network.task, np.zeros(1)
    store.write(
        network.key(),
        TrainedNetworks(
            population=initial_population(network.cell, task.inputs, task.outputs, [network.seed]),
            seed=np.array([network.seed]),
            attempt=np.array([0]),
            step=np.array([0]),
            loss=np.zeros((1, 1)),
            accuracy=np.zeros((1, 1)),
            steps=np.array([5]),
            diverged_at=np.array([3 if diverged else -1]),
            evaluation_loss=one,
            evaluation_accuracy=one,
            solved=np.array([True]),
        ),
    )
