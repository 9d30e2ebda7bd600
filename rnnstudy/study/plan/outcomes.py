"""Outcomes of networks: small records beside the weights."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import numpy as np

from rnnstudy.analyses.base import NetworkChoice
from rnnstudy.core.record import Record
from rnnstudy.core.storage.errors import AbsentRecord, DamagedRecord
from rnnstudy.population.population import Population
from rnnstudy.study.spec.networks import NetworkSpec
from rnnstudy.study.store import Store
from rnnstudy.training.train import TrainedNetworks


@dataclass(frozen=True, eq=False)
class NetworkOutcome(Record):
    """Status, loss and accuracy of one network, without its weights.

    Examples
    --------
    >>> NetworkOutcome(
    ...     status="trained", loss=0.01, accuracy=0.98, solved=True, steps=500, attempt=0,
    ...     diverged_at=None,
    ... ).solved
    True
    """

    status: str
    """`trained` or `diverged`."""
    loss: float
    """Loss on the evaluation trials of the task."""
    accuracy: float
    """Accuracy on the evaluation trials, from 0 to 1."""
    solved: bool
    """Is true if the network has solved its task."""
    steps: int | None
    """Training steps; None for an imported network."""
    attempt: int | None
    """Number of the attempt, from 0; None for an imported network."""
    diverged_at: int | None
    """Step of divergence, if any."""

    @classmethod
    def from_trained(cls, trained: TrainedNetworks) -> Self:
        """Return the outcome of the one network of a record."""
        imported, diverged_at = trained.seed[0] < 0, int(trained.diverged_at[0])
        return cls(
            status=str(trained.status[0]),
            loss=float(trained.evaluation_loss[0]),
            accuracy=float(trained.evaluation_accuracy[0]),
            solved=bool(trained.solved[0]),
            steps=None if imported else int(trained.steps[0]),
            attempt=None if imported else int(trained.attempt[0]),
            diverged_at=diverged_at if diverged_at >= 0 else None,
        )


def write_network(store: Store, network: NetworkSpec, trained: TrainedNetworks) -> None:
    """Write the record of one network, and its outcome beside it."""
    store.remove(outcome_address(network))  # that of an earlier record, if it was damaged
    store.write(network.key(), trained)
    store.write(outcome_address(network), NetworkOutcome.from_trained(trained))


def network_outcome(store: Store, network: NetworkSpec) -> NetworkOutcome | None:
    """Return the outcome of a network; None if the store does not hold the network.

    A store of an earlier version has no outcomes. Then the network itself is read once.
    """
    return store.memoise((network.key(), "outcome"), lambda: _outcome(store, network))


def _outcome(store: Store, network: NetworkSpec) -> NetworkOutcome | None:
    if not store.has(network.key()):
        return None
    with suppress(AbsentRecord, DamagedRecord):
        return store.read(outcome_address(network), NetworkOutcome)
    try:
        outcome = NetworkOutcome.from_trained(store.read(network.key(), TrainedNetworks))
    except (AbsentRecord, DamagedRecord):
        return None
    if store.repairing:
        store.write(outcome_address(network), outcome)
    return outcome


def exclusion(store: Store, network: NetworkSpec, choice: NetworkChoice) -> str:
    """Return why a network is not among those that an analysis is about; empty if it is.

    A network that the store does not hold yet is among them.
    """
    outcome = network_outcome(store, network)
    if outcome is None:
        return ""
    if outcome.status == "diverged":
        is_usable = choice == "all" and _has_finite_weights(store, network)
        return "" if is_usable else "diverged"
    return "" if outcome.solved or choice != "solved" else "not solved"


def _has_finite_weights(store: Store, network: NetworkSpec) -> bool:
    return store.memoise(
        (network.key(), "finite"),
        lambda: _is_finite(store.read(network.key(), TrainedNetworks).population),
    )


def _is_finite(population: Population) -> bool:
    parts = (*population.weights.values(), *population.readout.values(), population.initial_state)
    return all(bool(np.isfinite(part).all()) for part in parts)


def outcome_address(network: NetworkSpec) -> str:
    """Return the address of the outcome of a network."""
    return network.key("outcome")
