"""Bytes that the parts of a run directory take."""

from collections.abc import Mapping
from pathlib import Path

from rnnstudy.core.files import DRAFT
from rnnstudy.study.execution.checkpoints import CHECKPOINT
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import DAMAGED, folder_size
from rnnstudy.study.upkeep.index import read_index
from rnnstudy.study.upkeep.references import References, references_of

OTHER = "not of this study"
"""Part of a store that the study does not refer to."""


def sizes_of(run: Run, plan: Plan | None = None) -> Mapping[str, tuple[int, int]]:
    """Return part of the run directory -> number of its records or files, and their bytes.

    The index of the store says what records are, unless it lacks some.

    Parameters
    ----------
    run
        The run.
    plan
        A plan of its study. Default: a new one.
    """
    store = run.store
    keys, index = list(store.keys()), read_index(store)
    is_indexed = all(key in index or key.startswith(CHECKPOINT) for key in keys)
    references = References() if is_indexed else references_of(run.study, store, plan)
    sizes: dict[str, tuple[int, int]] = {}

    def add(part: str, size: int) -> None:
        count, total = sizes.get(part, (0, 0))
        sizes[part] = (count + 1, total + size)

    for key in keys:
        row = index.get(key)
        title = row.holds if row else references.title(key)
        title = "checkpoints" if key.startswith(CHECKPOINT) else title
        add(_part(title), row.bytes if row else store.size(key))
    for path in store.root.iterdir() if store.root.is_dir() else ():
        if path.name == DAMAGED:
            add("damaged", folder_size(path))
        elif path.name.startswith(DRAFT):
            add("drafts", folder_size(path))
    for name in ("report", "models"):
        if (run.directory / name).is_dir():
            add(name, folder_size(Path(run.directory, name)))
    return sizes


def _part(title: str) -> str:
    """Return the part of a store that a record belongs to: `networks`, or an analysis."""
    first = title.partition(" ")[0]
    networks = dict.fromkeys(("network", "outcome", "pilot"), "networks")
    return {"": OTHER, **networks}.get(first, first)


def byte_label(number: int) -> str:
    """Return `1.2 MB`, with three digits at most."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if size >= 100 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
