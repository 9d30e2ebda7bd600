"""Files of run directories that are compared, and what the comparison comes to."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

COMPARED = (
    "members.csv",
    "resolved.yaml",
    "models",
    "store/index.csv",
    "report/tables",
    "report/figures",
)
"""Files and folders that are compared. `provenance.json` is about one call, with its times."""

Snapshot = dict[str, int]
"""File of a stored result -> time of its last change."""

Phase = Literal["start", "jobs", "report", "done"]
"""Phase of a run: before the first result, with some results, with all of them, or at the end."""

PHASES: dict[Phase, str] = {
    "start": "before the first result",
    "jobs": "between results",
    "report": "after the last result",
    "done": "after the run",
}


@dataclass
class Outcome:
    """Outcome of one repetition."""

    kind: str
    phases: list[Phase] = field(default_factory=list)
    """Phase of each break."""
    lost: list[str] = field(default_factory=list)
    """Stored results that were whole at a break and were made again, or are gone."""
    differing: list[str] = field(default_factory=list)
    """Files that differ from those of the unbroken run, or that one of the two lacks."""
    problems: list[str] = field(default_factory=list)
    """Anything else: a run that does not end, an exit code that it must not have."""
    seconds: float = 0.0

    @property
    def breaks(self) -> int:
        """Number of breaks."""
        return len(self.phases)

    @property
    def is_broken(self) -> bool:
        """Is true if the run did not end as an unbroken one."""
        return bool(self.lost or self.differing or self.problems)


def is_of_record(path: Path) -> bool:
    """Return whether a path is a file of a stored result, not of a checkpoint or of the store."""
    return path.is_file() and len(path.parent.name) == 40


def stored(directory: Path) -> Snapshot:
    """Return the stored results, by their names in the directory."""
    return {
        str(path.relative_to(directory)): path.stat().st_mtime_ns
        for path in (directory / "store").rglob("*")
        if is_of_record(path)
    }


def contents(directory: Path) -> dict[str, bytes]:
    """Return the files that are compared."""
    files: dict[str, bytes] = {}
    for name in COMPARED:
        path = directory / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                files[str(file.relative_to(directory))] = _lasting(file)
    return files


def _lasting(file: Path) -> bytes:
    """Return the content of a file, without the times at which Keras has written it."""
    if file.suffix != ".keras":
        return file.read_bytes()
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(set(archive.namelist()) - {"metadata.json"})
            return archive.comment + b"".join(archive.read(name) for name in names)
    except zipfile.BadZipFile:
        return file.read_bytes()


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Return the names of files that differ, or that one side lacks."""
    return sorted(name for name in expected | found if expected.get(name) != found.get(name))


def losses(whole: Snapshot, after: Snapshot) -> list[str]:
    """Return the results that were whole and have another time, or are gone; time 0 is any."""
    return [n for n, when in whole.items() if after.get(n, 0) != (when or after.get(n))]


def line(outcome: Outcome) -> str:
    """Return one line on an outcome."""
    faults = [*outcome.problems, *(f"lost {n}" for n in outcome.lost[:3])]
    faults += [f"{name} differs" for name in outcome.differing[:3]]
    words = "; ".join(faults) or "the same"
    return f"{outcome.kind}, {outcome.breaks} breaks, {outcome.seconds:.0f} s: {words}"


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table for the docs, one row for each kind of break."""
    heads = ["break", "runs", "breaks", *PHASES.values(), "results lost", "files that differ",
             "other problems"]  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for kind in dict.fromkeys(outcome.kind for outcome in outcomes):
        row = _counts([outcome for outcome in outcomes if outcome.kind == kind])
        lines.append(f"| {kind} | " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines)


def _counts(outcomes: Sequence[Outcome]) -> list[Any]:
    phases = Counter(phase for outcome in outcomes for phase in outcome.phases)
    faults = [sum(len(getattr(o, name)) for o in outcomes) for name in FAULTS]
    return [len(outcomes), sum(o.breaks for o in outcomes), *(phases[p] for p in PHASES), *faults]


FAULTS = ("lost", "differing", "problems")


def summary(outcomes: Sequence[Outcome], compared: int) -> str:
    """Return one sentence on all outcomes: breaks, losses, and files that are equal."""
    runs, breaks, *rest = _counts(outcomes)
    phases = ", ".join(f"{n} {words}" for n, words in zip(rest, PHASES.values(), strict=False) if n)
    lost, differing, problems = rest[len(PHASES) :]
    equal = sum(not outcome.differing for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes) / max(breaks, 1)
    return (
        f"{breaks} breaks of {runs} runs ({phases}): {lost} results lost, all {compared} files "
        f"equal in {equal} of {runs} runs ({differing} differ), {problems} other problems, "
        f"{seconds:.1f} s a break."
    )
