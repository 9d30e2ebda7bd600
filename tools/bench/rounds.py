"""Measuring: every contender in turn, round after round, so that all meet the same machine."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from contenders import CONTENDERS, OURS
from contenders.case import Case
from workers import Failed, Variant, Worker

AGREEMENT = 1e-4
"""Relative difference of losses that float32 in another order of sums may show after 5 steps."""

REHEARSED = 6
"""Losses that are compared: before the first step, and after each of five."""

SLOW = 1.3
"""A variant this much slower than its contender's best in the first round is not timed again."""

SMALL = {"units": 8, "batch": 4, "time": 12, "members": 1}
"""The shape on which contenders are compared number by number."""


@dataclass
class Entry:
    """What became of one variant in one case."""

    variant: Variant
    workers: list[Worker]
    networks: int = 0
    first: float = 0.0
    """Seconds until the first training steps were done."""
    first_steps: int = 1
    steps: int = 0
    samples: list[float] = field(default_factory=list)
    """Milliseconds per network and step, one per round."""
    outside: list[float | None] = field(default_factory=list)
    """Shares of the rounds outside compiled code, where they are known."""
    skipped: str = ""

    @property
    def ms(self) -> float:
        """Median milliseconds per network and step."""
        return statistics.median(self.samples)

    @property
    def compile(self) -> float:
        """Seconds that building and compiling took, usual steps apart."""
        return max(0.0, self.first - self.first_steps * self.ms * self.networks / 1000)


@dataclass(frozen=True)
class Plan:
    """How measuring is done."""

    contenders: Sequence[str]
    threads: int
    gpu: bool
    repeats: int
    seconds: float

    def variants(self) -> list[Variant]:
        """Each contender in one process, and spread over the cores in the way that suits it."""
        found = []
        for name in self.contenders:
            found.append(Variant(name))
            if self.threads > 1 and not self.gpu:
                spread = {"jobs": self.threads} if name in OURS else {"processes": self.threads}
                found.append(Variant(name, **spread))
        return found


class Arena:
    """The processes of all contenders, kept from case to case."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._teams = {v: self._team(v) for v in plan.variants()}
        self._machine = Worker(Variant("machine"), 0, plan.threads, plan.gpu)
        self._broken: dict[Variant, str] = {}

    def _team(self, variant: Variant) -> list[Worker]:
        return [
            Worker(variant, k, self.plan.threads, self.plan.gpu) for k in range(variant.processes)
        ]

    def close(self) -> None:
        """End all processes."""
        for worker in [self._machine, *(w for team in self._teams.values() for w in team)]:
            worker.end()

    def devices(self) -> dict[str, str]:
        """What each contender runs on, or why it does not."""
        found = {}
        for variant, team in self._teams.items():
            try:
                found[variant.contender] = _all(team, "device")[0]
            except Failed as failure:
                found[variant.contender] = self._broken[variant] = str(failure)
        return found

    def peak(self) -> float:
        """Operations per second of a large product on a GPU; 0 without one."""
        return float(_all([self._machine], "peak")[0])

    def agreement(self, case: Case) -> dict[str, list[float]]:
        """Losses of the same small network under each contender; Failed if they disagree."""
        small, found = replace(case, **SMALL), {}
        for variant, team in self._teams.items():
            if variant.contender in found or variant in self._broken:
                continue
            if not _all(team[:1], "unfit", small)[0]:
                found[variant.contender] = _all(team[:1], "losses", small, REHEARSED)[0]
        _agree(case, found)
        return found

    def measure(self, case: Case, note: Callable[[str], None]) -> tuple[list[Entry], float]:
        """Every variant's time in a case, and the machine's rate of products in operations/s."""
        entries = [Entry(variant, team) for variant, team in self._teams.items()]
        for entry in entries:
            note(f"{entry.variant.contender}, {entry.variant.title}: compiling")
            with _skipping(entry):
                self._prepare(entry, case)
        rates = []
        for turn in range(self.plan.repeats):
            rates += _all([self._machine], "rate", case)
            for entry in _racing(entries, turn):
                note(f"round {turn + 1}: {entry.variant.contender}, {entry.variant.title}")
                with _skipping(entry):
                    entry.samples.append(_seconds(entry) * 1000 / entry.steps / entry.networks)
                    entry.outside += _all(entry.workers, "outside")
        _dismiss(entries)
        return entries, statistics.median(rates)

    def _prepare(self, entry: Entry, case: Case) -> None:
        team = entry.workers
        if entry.variant in self._broken:
            raise Failed(self._broken[entry.variant])
        share = replace(case, members=case.members // len(team))
        shy = _all(team, "unfit", share)[0] if share.members else "fewer members than processes"
        if shy:
            raise Failed(shy)
        one_by_one, multiple, least, entry.first = max(_all(team, "begin", share))
        counted = _all(team, "parameters")[0]
        if counted != case.parameters():
            raise Failed(f"trains {counted} parameters instead of {case.parameters()}")
        entry.networks = len(team) * (1 if one_by_one else share.members)
        entry.first_steps = entry.steps = multiple
        calls = self.plan.seconds / _seconds(entry)
        entry.steps = max(least, multiple * round(calls))
        # Not timed: whatever depends on the number of steps is made now.
        _seconds(entry)


def _racing(entries: list[Entry], turn: int) -> list[Entry]:
    able = [entry for entry in entries if not entry.skipped]
    if turn == 0:
        return able
    best = {
        name: min((e.samples[0] for e in able if e.variant.contender == name), default=0.0)
        for name in CONTENDERS
    }
    return [e for e in able if e.samples[0] <= SLOW * best[e.variant.contender]]


def _dismiss(entries: list[Entry]) -> None:
    for entry in entries:
        if not entry.samples and not entry.skipped:
            entry.skipped = "not measured"


def _seconds(entry: Entry) -> float:
    return float(max(_all(entry.workers, "run", entry.steps)))


def _all(team: Sequence[Worker], what: str, *arguments: Any) -> list[Any]:
    """Ask all workers at once, then wait for all."""
    for worker in team:
        worker.ask(what, *arguments)
    found, failures = [], []
    for worker in team:
        try:
            found.append(worker.answer())
        except Failed as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return found


@contextmanager
def _skipping(entry: Entry) -> Iterator[None]:
    try:
        yield
    except Failed as failure:
        entry.skipped = str(failure)


def _agree(case: Case, found: dict[str, list[float]]) -> None:
    """Compare each contender's losses with the first's."""
    for name, losses in found.items():
        first, other = next(iter(found.values()))[-1], losses[-1]
        if not abs(other - first) <= AGREEMENT * abs(first):
            raise Failed(
                f"{case.cell} {case.activation}: after {REHEARSED - 1} steps {name} has loss "
                f"{other:.7g} where {next(iter(found))} has {first:.7g}"
            )


def as_data(case: Case, entries: Sequence[Entry], rate: float, peak: float) -> dict[str, Any]:
    """One case as plain data."""
    floor = 1000 * case.flops() / rate
    return asdict(case) | {
        "flops": case.flops(),
        "product_rate": rate,
        "floor_ms": floor,
        "entries": [_entry(entry, case, floor, peak) for entry in entries],
        **standing(entries),
    }


def _entry(entry: Entry, case: Case, floor: float, peak: float) -> dict[str, Any]:
    named = {"contender": entry.variant.contender, "variant": entry.variant.title}
    if entry.skipped:
        return named | {"skipped": entry.skipped}
    rate = 1000 * case.flops() / entry.ms
    known = [share for share in entry.outside if share is not None]
    return named | {
        "compile_s": entry.compile,
        "ms": entry.ms,
        "samples_ms": entry.samples,
        "steps": entry.steps,
        "networks": entry.networks,
        "network_steps_per_s": 1000 / entry.ms,
        "share_of_floor": floor / entry.ms,
        "share_outside_compiled_code": statistics.median(known) if known else None,
        "share_of_peak": rate / peak if peak else None,
    }


def standing(entries: Sequence[Entry]) -> dict[str, Any]:
    """Our best against the best alternative, and against the best one that takes one process."""
    timed = [entry for entry in entries if not entry.skipped]
    ours = [entry for entry in timed if entry.variant.contender == "ours"]
    others = [entry for entry in timed if entry.variant.contender not in OURS]
    single = [entry for entry in others if entry.variant.processes == 1]
    return {
        "ratio_to_best_alternative": _ratio(ours, others),
        "ratio_to_best_alternative_in_one_process": _ratio(ours, single),
    }


def _ratio(ours: list[Entry], others: list[Entry]) -> float | None:
    if not ours or not others:
        return None
    return min(e.ms for e in others) / min(e.ms for e in ours)
