"""Commands that keep a run's store in order: `verify` and `clean`, and the sizes in `status`."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rnnstudy.report.fingerprint import changed_files
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.upkeep.clean import Leftover, is_elsewhere, leftovers, remove_leftovers
from rnnstudy.study.upkeep.recompute import recompute
from rnnstudy.study.upkeep.sizes import byte_label, sizes_of
from rnnstudy.study.upkeep.verify import verify


def size_line(run: Run, plan: Plan | None = None) -> str:
    """Return one line on the bytes of the parts of a run directory, the largest first."""
    sizes = sorted(sizes_of(run, plan).items(), key=lambda part: -part[1][1])
    total = sum(size for _, (_, size) in sizes)
    parts = ", ".join(f"{name} {byte_label(size)}" for name, (_, size) in sizes)
    return f"Size: {byte_label(total)}" + (f" ({parts})" if parts else "")


def verify_lines(run: Run, number: int) -> Iterator[tuple[str, bool]]:
    """Yield lines on the verification of a run, and whether each says that all is well.

    Parameters
    ----------
    run
        The run.
    number
        Number of results that are computed again.
    """
    result = verify(run)
    for problem in result.problems:
        yield problem, False
    for name in changed_files(run.directory / "report"):
        yield (
            f"report/{name} was changed after it was written; write it by `rnnstudy report`",
            False,
        )
    yield f"{count_label(result.records, 'record')} match their checksums", True
    if result.unbound:
        count = count_label(len(result.unbound), "record")
        yield f"{count} of an earlier version, not bound to an address", True
    for repetition in recompute(run, number) if number else ():
        words = repetition.difference or "the same bits"
        yield f"computed again: {repetition.title}: {words}", repetition.is_same


def clean_lines(runs: Sequence[Run], *, delete: bool, shared: bool = False) -> Iterator[str]:
    """Yield lines on what no spec of some run directories refers to, and remove that if told so.

    Parameters
    ----------
    runs
        Run directories that share a store.
    delete
        If true, it is removed. Default: it is only listed.
    shared
        If true, it is removed from a store outside of the run directories, too.

    Raises
    ------
    RunError
        If the store lies outside of the run directories, and `shared` is false.
    """
    unused = sorted(leftovers(runs), key=lambda each: each.reason)
    if not unused:
        yield "Nothing to clean"
        return
    if delete and not shared and is_elsewhere(runs):
        raise RunError(
            f"{runs[0].store.root} lies outside of the run directories, and other studies may use "
            "it. Name all run directories that use it, and add --shared to --delete"
        )
    if delete:
        remove_leftovers(runs[0].store, unused)
    for reason, group in groupby(unused, key=lambda each: each.reason):
        yield _summary(reason, list(group))
    total = byte_label(sum(each.bytes for each in unused))
    if delete:
        yield f"Removed {total}"
        return
    yield f"{total} would be removed; nothing is removed without --delete"
    if is_elsewhere(runs):
        yield (
            f"{runs[0].store.root} is shared: name all run directories that use it, or results of "
            "the others are removed. It takes --delete --shared"
        )


def _summary(reason: str, group: Sequence[Leftover]) -> str:
    size, shown = byte_label(sum(each.bytes for each in group)), 3
    names = ", ".join(each.path.name for each in group[:shown])
    more = ", ..." if len(group) > shown else ""
    return f"{count_label(len(group), 'folder')}, {size}: {reason} ({names}{more})"
