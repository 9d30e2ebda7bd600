"""Batches of networks that an analysis computes together, and addresses of incomplete batches.

The last digits of a result depend on the networks that are computed together. So the plan fixes
the batches. A network that could not be trained, or lacks a record that the analysis reads, is left
out of its batch. The results of the others then have addresses that name it. If it is trained
later, the whole batch is computed under the usual addresses, with the digits of an unbroken run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rnnstudy.analyses.base import Member, NetworkChoice
from rnnstudy.core.component import Address
from rnnstudy.study.plan.member_analyses import BoundAnalysis
from rnnstudy.study.plan.outcomes import exclusion, network_outcome
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store


class NetworkTable(Protocol):
    """Index of a study's networks and analyses, as far as batches need it."""

    @property
    def study(self) -> Study:
        """The study."""

    @property
    def networks(self) -> tuple[NetworkSpec, ...]:
        """The networks."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Names and fields of the networks."""

    @property
    def member_analyses(self) -> tuple[BoundAnalysis, ...]:
        """Analyses of single networks."""

    @property
    def choices(self) -> Mapping[tuple[Address, str], NetworkChoice]:
        """(Member analysis, task) -> the widest choice of networks that it is needed for."""

    @property
    def batch_of(self) -> Mapping[Address, tuple["Batch", NetworkSpec]]:
        """Address of a record -> batch that it is computed in, and its network."""

    def records(self, analysis: BoundAnalysis) -> Mapping[str, Address]:
        """Return the addresses of an analysis of single networks, by address of the network."""

    def sources(self, analysis: BoundAnalysis) -> Mapping[Address, Address]:
        """Return address of a network -> address of the weights that an analysis reads."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Networks of one task and cell that an analysis computes together."""

    index: NetworkTable
    bound: BoundAnalysis
    networks: tuple[NetworkSpec, ...]
    names: tuple[str, ...]

    @property
    def choice(self) -> NetworkChoice:
        """Networks that are analysed, by the outcomes of their training."""
        return choice_of(self.index, self.bound, self.networks[0])

    def address_without(self, address: Address, left_out: Sequence[Address]) -> Address:
        """Return the address of a result of the batch that is computed without some networks."""
        return self.bound.analysis.key(address, "without", *left_out) if left_out else address

    def lacking(self, store: Store) -> Mapping[Address, str]:
        """Return the networks that cannot be analysed -> why, as the end of a sentence.

        They could not be trained, or lack a record that the analysis needs. Networks that the
        analysis is not about, such as those that diverged, are not among them.
        """
        return store.memoise((self, "lacking"), lambda: self._lacking(store))

    def _lacking(self, store: Store) -> dict[Address, str]:
        reasons = {network.key(): self._lack(store, network) for network in self.networks}
        return {key: reason for key, reason in reasons.items() if reason}

    def _lack(self, store: Store, network: NetworkSpec) -> str:
        if network_outcome(store, network) is None:
            verb = "trained" if isinstance(network, TrainedNetworkSpec) else "read"
            return f", which could not be {verb}"
        if not self.bound.needs or exclusion(store, network, self.choice):
            return ""
        key = network.key()
        absent = (
            need.title
            for need in self.bound.needs
            if not store.has(address_in(self.index, store, self.index.records(need)[key]))
        )
        title = next(absent, "")
        return f": it needs {title!r}, which failed" if title else ""

    def left_out(self, store: Store) -> tuple[Address, ...]:
        """Return the networks without which the batch, or a record that it reads, is computed."""
        return store.memoise((self, "left out"), lambda: self._left_out(store))

    def _left_out(self, store: Store) -> tuple[Address, ...]:
        lacking = self.lacking(store)
        behind = set(lacking)
        for network in self.networks if self.bound.needs else ():
            if network.key() in lacking or exclusion(store, network, self.choice):
                continue
            for need in self.bound.needs:
                address = self.index.records(need)[network.key()]
                if not store.has(address) and address in self.index.batch_of:
                    behind.update(self.index.batch_of[address][0].left_out(store))
        return tuple(sorted(behind))


def address_in(index: NetworkTable, store: Store, address: Address) -> Address:
    """Return where a store holds a record, or would hold it as things are.

    That is the address itself unless its batch lacks networks.

    Parameters
    ----------
    index
        Index of the study.
    store
        The store.
    address
        Address of the record in a complete batch.
    """
    if store.has(address) or address not in index.batch_of:
        return address
    batch, network = index.batch_of[address]
    if network_outcome(store, network) is None or network.key() in batch.lacking(store):
        return address
    return batch.address_without(address, batch.left_out(store))


def choice_of(index: NetworkTable, bound: BoundAnalysis, network: NetworkSpec) -> NetworkChoice:
    """Return which networks an analysis is about in the batch of a network.

    Initial weights that networks have in common are analysed whatever one of them came to.
    """
    if bound.analysis.weights != "trained":
        return "all"
    return index.choices[bound.address, network.task.title]
