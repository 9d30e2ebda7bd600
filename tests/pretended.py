"""Networks in a store as if they had been trained: whole studies without training."""

import numpy as np

from rnnstudy.population.initialise import initial_population
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.store import Store
from rnnstudy.training.train import TrainedNetworks


def pretended_network(
    network: TrainedNetworkSpec, diverged_at: int = -1, solved: bool = True
) -> TrainedNetworks:
    """Return a network as if it had been trained; its losses are 0."""
    task = network.task
    return TrainedNetworks(
        population=initial_population(network.cell, task.inputs, task.outputs, [network.seed]),
        seed=np.array([network.seed]),
        attempt=np.array([0]),
        step=np.array([0]),
        loss=np.zeros((1, 1)),
        accuracy=np.zeros((1, 1)),
        steps=np.array([5]),
        diverged_at=np.array([diverged_at]),
        evaluation_loss=np.zeros(1),
        evaluation_accuracy=np.zeros(1),
        solved=np.array([solved]),
    )


def pretend(
    store: Store, network: TrainedNetworkSpec, diverged_at: int = -1, solved: bool = True
) -> None:
    """Put a network in the store as if it had been trained."""
    store.write(network.key(), pretended_network(network, diverged_at, solved))
