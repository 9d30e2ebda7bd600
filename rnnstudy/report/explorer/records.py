"""Records of a run that the explorer shows, and their addresses."""

from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from typing import TypeVar, cast

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.core.files import DRAFT
from rnnstudy.core.record import Record
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import snapshot_of

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, eq=False)
class Explorer:
    """Networks of a run and the addresses of all records about them.

    The records are read when the files are written. The addresses tell one explorer from another.
    """

    run: InitVar[Run]
    names: tuple[str, ...]
    """Name of each network."""
    addresses: tuple[str, ...]
    """Addresses of the records that the store holds."""
    models: tuple[str, ...]
    """Names of the Keras files in the folder `models`."""

    def __post_init__(self, run: Run) -> None:
        object.__setattr__(self, "_run", run)
        object.__setattr__(self, "_known_models", frozenset(self.models))

    @property
    def results(self) -> Run:
        """The run."""
        return cast(Run, getattr(self, "_run"))  # noqa: B009 - no field, so no part of a fingerprint

    def has_model(self, file: str) -> bool:
        """Return whether the folder `models` has a Keras file."""
        return bool(file in getattr(self, "_known_models"))  # noqa: B009 - no field, as above


def explorer_of(run: Run) -> Explorer | None:
    """Return the explorer of a run; None if it has no network.

    Parameters
    ----------
    run
        The results.
    """
    names = tuple(member.name for member in run.index.members)
    if not names:
        return None
    store = snapshot_of(run.store)
    models = sorted(
        path.name
        for path in (run.directory / "models").glob("*.keras")
        if not path.name.startswith(DRAFT)
    )
    addresses = tuple(address for address in _addresses(run) if store.has(address))
    return Explorer(run, names, addresses, tuple(models))


def _addresses(run: Run) -> Iterator[str]:
    store, index = snapshot_of(run.store), run.index.selected
    for network in index.networks:
        key = network.key()
        yield key
        for bound in index.listed:
            yield index.address_in(store, index.records(bound)[key])
    for result in index.shared.values():
        if result.has_networks(store):
            yield result.address(store)


def analysis_of(run: Run, task: str, kind: type[Record]) -> MemberAnalysis | None:
    """Return the first analysis of trained networks of a task that yields a class of records.

    Parameters
    ----------
    run
        The results.
    task
        Name of the task.
    kind
        Class of the records.
    """
    for analysis in run.study.analyses:
        if (
            isinstance(analysis, MemberAnalysis)
            and issubclass(analysis.yields, kind)
            and analysis.weights == "trained"
            and (analysis.tasks is None or task in analysis.tasks)
        ):
            return analysis
    return None
