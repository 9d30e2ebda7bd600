"""Jobs as they travel to workers: references to parts of the plan, and no arrays.

A worker rebuilds the plan's index from the text of the study. A job names networks, results and
analyses by their places in the index, so that it takes some hundred bytes.
"""

import hashlib
import io
import pickle
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnstudy.core.source.plugins import allow_plugins, allowed_folders
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.compare_tiles import Block
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.spec.study import build_study, resolve_study
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.study.store import Store

Reference = tuple[Hashable, ...]
"""Name and places of a part of an index."""


@dataclass(frozen=True)
class Order:
    """All that the jobs of a plan have in common, for a worker that shares the store's folder."""

    study: bytes
    """Text of the study with all defaults, compressed; empty for jobs without a study."""
    store: str
    """Absolute path of the store."""
    runtime: Runtime
    run: str
    """Identity of the run, for its leases."""
    topic: str
    """Topic of the events that workers send."""
    level: int
    """Level of the log."""
    selecting: bool
    """Is true in the stage that selects training fields."""
    repairing: bool
    """Is true if damaged records are moved away."""
    plugins: tuple[str, ...] = ()
    """Folders of modules of users that may be imported."""

    @classmethod
    def of_plan(cls, plan: Plan, store: Store, runtime: Runtime, run: str, level: int) -> "Order":
        """Return the order of a plan."""
        index: Artefacts | None = plan.index
        text = "" if index is None else resolve_study(index.study)
        return cls(
            study=zlib.compress(text.encode()),
            store=str(Path(store.root).resolve()),
            runtime=runtime,
            run=run,
            topic=f"rnnstudy-{run}",
            level=level,
            selecting=plan.selecting,
            repairing=store.repairing,
            plugins=allowed_folders(),
        )

    @cached_property
    def digest(self) -> str:
        """Identity of the index: of the study, the store, the run, and its stage."""
        stage = f"{self.store} {self.run} {self.selecting}"
        return hashlib.sha256(self.study + stage.encode()).hexdigest()

    def index(self) -> Artefacts | None:
        """Return the index of the study's results, with what the store's results select."""
        text = zlib.decompress(self.study).decode()
        if self.plugins:
            allow_plugins(*self.plugins)
        if not text:
            return None
        study = build_study(parse_document(text, "the study of the run"))
        return Artefacts.from_store(study, Store(self.store))


@dataclass(frozen=True)
class PackedJob:
    """A job as bytes, with a proof of the addresses that it reads and yields."""

    data: bytes
    proof: str
    label: str
    number: int
    """Number of the job, in the events that workers send."""


class Packer:
    """Function from jobs to bytes and back, for one index.

    Parameters
    ----------
    index
        The index that references lead into; None without one.
    """

    def __init__(self, index: Artefacts | None) -> None:
        self.parts: dict[Reference, Any] = {} if index is None else dict(_parts(index))
        self.references = {id(part): reference for reference, part in self.parts.items()}

    def pack(self, job: Job, number: int) -> PackedJob:
        """Return a job as bytes."""
        file = io.BytesIO()
        _Pickler(file, self.references).dump(job)
        return PackedJob(file.getvalue(), proof(job), job.label, number)

    def unpack(self, packed: PackedJob) -> Job:
        """Return the job; RunError if it has other addresses in this process."""
        try:
            job: Job = _Unpickler(packed.data, self.parts).load()
            is_same = proof(job) == packed.proof
        except (KeyError, AttributeError, ImportError):
            is_same = False
        if not is_same:
            raise RunError(
                f"the worker must compute the addresses of the run, got others for "
                f"'{packed.label}'. Install the same version of rnnstudy on all machines, and "
                "share the folder of your own classes."
            )
        return job


def proof(job: Job) -> str:
    """Return a hash of the addresses that a job reads and yields."""
    addresses = "\n".join(map(str, [*job.results(), "from", *job.requires()]))
    return hashlib.sha256(addresses.encode()).hexdigest()[:32]


def _parts(index: Artefacts, name: str = "index") -> Iterator[tuple[Reference, Any]]:
    """Yield what jobs share with the index, each with its reference."""
    yield (name,), index
    yield (name, "study"), index.study
    for i, network in enumerate(index.networks):
        yield (name, "network", i), network
    for i, member in enumerate(index.members):
        yield (name, "member", i), member
    for i, bound in enumerate(index.member_analyses):
        yield (name, "analysis", i), bound
    for i, result in enumerate(index.results):
        yield (name, "result", i), result
    for i, group in enumerate(index.groups):
        yield (name, "group", i), group
        for j, (_, network) in enumerate(group.pilots):
            yield (name, "pilot", i, j), network
    if index.pending:
        yield from _parts(index.selected, "selected")


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, references: Mapping[int, Reference]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.references = references

    def persistent_id(self, value: Any) -> Reference | None:
        return self.references.get(id(value))

    def reducer_override(self, value: Any) -> Any:
        """Reduce jobs to their fields, without what they have cached."""
        if not isinstance(value, Job | Block):
            return NotImplemented
        return _rebuild, (type(value), {f.name: getattr(value, f.name) for f in fields(value)})


def _rebuild(kind: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    return kind(**values)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, parts: Mapping[Reference, Any]) -> None:
        super().__init__(io.BytesIO(data))
        self.parts = parts

    def persistent_load(self, reference: Reference) -> Any:
        return self.parts[reference]
