"""Rates of verdicts in simulated studies, for each claim on distances and for properties:

.venv/bin/python tools/bench/verdicts.py --studies 1000

Each study has networks, their untrained twins and planted copies, as points in a space or as
classes of solutions. In place of the distances stand noise, zeros and ones; labels are shuffled;
levels of a factor differ by nothing, by the margin, or by a planted amount. Each rate stands beside
its limit and its 95 % interval (Clopper & Pearson). Exit status: 0 done, 1 a rate is beyond its
limit by more than chance (one in a thousand), 2 the arguments are wrong.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.table import Table
from scipy.stats import binom, binomtest

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.controls import PLANTED, TRAINED, UNTRAINED
from rnnstudy.claims import CLAIMS, Claim, Measurements
from rnnstudy.claims.evidence.control_runs import is_informative
from rnnstudy.claims.evidence.measurements import class_distances
from rnnstudy.claims.evidence.negative import shuffle_training
from rnnstudy.cli.terminal import SafeConsole

CELLS, ACTIVATIONS = ("vanilla", "ugrnn", "gru", "lstm"), ("tanh", "relu")
SEEDS = 12
"""Networks of each combination, as in a confirmatory study."""

MARGIN = 0.1
LEVEL = 0.05
POWER = 0.8
CHANCE = 0.001
"""Probability of a rate that is beyond its limit by chance."""

DIMENSIONS = 6
"""Dimensions of the space of simulated networks."""


@dataclass(frozen=True)
class Rate:
    """How often something happened in simulated studies, and how often it may."""

    question: str
    claim: str
    count: int
    studies: int
    at_most: float = 1.0
    at_least: float = 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the rate."""
        low, high = binomtest(self.count, self.studies).proportion_ci()
        return float(low), float(high)

    @property
    def holds(self) -> bool:
        """True if the count is no rarer than CHANCE at the limit. A limit of 0 allows none."""
        most = binom.ppf(1 - CHANCE, self.studies, self.at_most)
        least = binom.ppf(CHANCE, self.studies, self.at_least)
        return bool(least <= self.count <= most)


def members(seeds: int = SEEDS) -> tuple[Member, ...]:
    """Networks of every cell and activation."""
    return tuple(
        Member(f"{c}-{a}-{s}", {"task": "t", "cell": c, "activation": a, "seed": s})
        for c in CELLS
        for a in ACTIVATIONS
        for s in range(seeds)
    )


NETWORKS = members()
GATED = np.array([m.fields["cell"] != "vanilla" for m in NETWORKS])


def space(
    generator: np.random.Generator, cell: float = 0.0, activation: float = 0.0
) -> Measurements:
    """Networks as normal points. Vanilla cells, activations, untrained and planted ones lie apart,
    each along an axis of its own."""
    count = len(NETWORKS)
    points = generator.standard_normal((3 * count, DIMENSIONS))
    points[:, 0] += cell * np.tile(~GATED, 3)
    points[:, 1] += activation * np.tile([m.fields["activation"] == "relu" for m in NETWORKS], 3)
    points[count : 2 * count, 2] += 8.0
    points[2 * count :, 3] += 8.0
    squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    return _measurements(np.sqrt(squares))


def _measurements(values: np.ndarray) -> Measurements:
    return Measurements(
        members=NETWORKS * 3,
        learnt=sum(((name,) * len(NETWORKS) for name in (TRAINED, UNTRAINED, PLANTED)), ()),
        values=values,
        is_distance=True,
    )


def classes(generator: np.random.Generator, share: float, vanilla_share: float) -> Measurements:
    """Networks of one class of solution with a share, else of another; untrained ones of a third.

    The difference of two levels is the squared difference of their shares: half the squared
    differences, summed over two classes."""
    shares = np.where(GATED, share, vanilla_share)
    has = generator.random(len(NETWORKS)) < shares
    trained = {m: "cube" if yes else "other" for m, yes in zip(NETWORKS, has, strict=True)}
    return class_distances({TRAINED: trained, UNTRAINED: dict.fromkeys(NETWORKS, "none")})


def properties(generator: np.random.Generator, trained: float, untrained: float) -> Measurements:
    """A property that trained and untrained networks have with some shares."""
    values = generator.random(2 * len(NETWORKS))
    values = values < np.repeat([trained, untrained], len(NETWORKS))
    return Measurements(
        members=NETWORKS * 2,
        learnt=(TRAINED,) * len(NETWORKS) + (UNTRAINED,) * len(NETWORKS),
        values=values.astype(float),
    )


def noise(generator: np.random.Generator) -> Measurements:
    """Distances that are uniform from 0 to 1."""
    upper = np.triu(generator.random((3 * len(NETWORKS),) * 2), 1)
    return _measurements(upper + upper.T)


def constant(number: float, generator: np.random.Generator) -> Measurements:
    """Distances that are all equal."""
    count = 3 * len(NETWORKS)
    return _measurements(number * (np.ones((count, count)) - np.eye(count)))


def two_valued(generator: np.random.Generator) -> Measurements:
    """Distances of 0 among trained and planted networks, and of 1 to untrained ones."""
    untrained = np.repeat([0, 1, 0], len(NETWORKS))
    return _measurements((untrained[:, None] != untrained).astype(float))


def claim_of(kind: str) -> Claim:
    """A claim of the catalogue about the cell."""
    fields = {
        "geometry_depends_on": {"of": "d", "factor": "cell", "permutations": 199, "least": 0.0},
        "alike_across": {"of": "d", "factor": "cell", "margin": MARGIN, "justification": "bench",
                         "permutations": 199},
        "nearer_untrained": {"of": "d", "factor": "activation"},
        "cube": {},
    }  # fmt: skip
    return CLAIMS[kind](**fields[kind])


def word(claim: Claim, measurements: Measurements) -> str:
    """The verdict on one claim of a study that has no other."""
    if not is_informative(claim, measurements):
        return "uninformative"
    return word_of_test(claim, measurements)


def word_of_test(claim: Claim, measurements: Measurements) -> str:
    """The verdict of the test and the rule, without controls."""
    evidence = claim.test(measurements)
    if evidence.shortage:
        return "not enough networks"
    yes, undecided, opposite = claim.words
    if evidence.holds and evidence.p < claim.alpha:
        return yes
    return opposite if evidence.p_opposite < claim.alpha else undecided


Simulation = Callable[[np.random.Generator], Measurements]


@dataclass(frozen=True)
class Case:
    """A question about a claim: how often do simulated studies have one of some verdicts."""

    question: str
    kind: str
    simulate: Simulation
    words: tuple[str, ...]
    at_most: float = 1.0
    at_least: float = 0.0
    controls: bool = True
    shuffled: bool = False
    constant: bool = False
    """True if all studies have the same numbers, so that one is enough."""

    def verdict(self, seed: int) -> str:
        """The verdict of the study of a number."""
        generator = np.random.default_rng(seed)
        claim, measurements = claim_of(self.kind), self.simulate(generator)
        if self.shuffled:
            measurements = claim.shuffle(measurements, generator)
        return (word if self.controls else word_of_test)(claim, measurements)


VERDICTS = ("supported", "not supported", "alike", "different", "undecided")


def cases() -> Iterator[Case]:
    """All questions, from the cheapest to the most expensive."""
    for kind in ("geometry_depends_on", "alike_across", "nearer_untrained"):
        for name, simulate in (("noise", noise), ("zeros", partial(constant, 0.0)),
                               ("ones", partial(constant, 1.0))):  # fmt: skip
            yield Case(f"{name} earn a verdict", kind, simulate, VERDICTS, at_most=0.0,
                       constant=name != "noise")  # fmt: skip
    yield Case("0 among trained, 1 to untrained: a verdict", "alike_across", two_valued, VERDICTS,
               at_most=0.0, constant=True)  # fmt: skip
    yield Case("0 among trained, 1 to untrained: supported", "geometry_depends_on", two_valued,
               ("supported",), at_most=0.0, constant=True)  # fmt: skip
    for share in (0.5, 0.9):
        yield Case(f"coin flips of {share:.0%} in both earn a verdict", "cube",
                   partial(properties, trained=share, untrained=share), VERDICTS,
                   at_most=0.0)  # fmt: skip
    yield Case("trained and untrained exchanged: a verdict", "cube", _exchanged, VERDICTS,
               at_most=0.0)  # fmt: skip
    apart = partial(space, cell=1.0, activation=2.0)
    yield Case("shuffled labels: supported", "geometry_depends_on", apart, ("supported",),
               at_most=LEVEL, controls=False, shuffled=True)  # fmt: skip
    yield Case("shuffled labels: supported", "nearer_untrained", apart, ("supported",),
               at_most=LEVEL, controls=False, shuffled=True)  # fmt: skip
    yield Case("shuffled labels: different", "alike_across",
               partial(classes, share=0.95, vanilla_share=0.3), ("different",), at_most=LEVEL,
               controls=False, shuffled=True)  # fmt: skip
    yield Case("a planted gap of 3 standard deviations: supported", "geometry_depends_on",
               partial(space, cell=3.0), ("supported",), at_least=POWER,
               controls=False)  # fmt: skip
    yield Case("no difference (one class, 97 % of networks): alike", "alike_across",
               partial(classes, share=0.97, vanilla_share=0.97), ("alike",), at_least=POWER,
               controls=False)  # fmt: skip
    at_margin = 0.97 - np.sqrt(MARGIN)
    yield Case("a difference of the margin: alike", "alike_across",
               partial(classes, share=0.97, vanilla_share=at_margin), ("alike",), at_most=LEVEL,
               controls=False)  # fmt: skip
    yield Case("a difference of three margins: different", "alike_across",
               partial(classes, share=0.97, vanilla_share=0.97 - np.sqrt(3 * MARGIN)),
               ("different",), at_least=POWER, controls=False)  # fmt: skip


def _exchanged(generator: np.random.Generator) -> Measurements:
    return shuffle_training(properties(generator, trained=0.9, untrained=0.0), generator)


def rate(case: Case, studies: int, workers: int = 1) -> Rate:
    """The rate of a case over so many studies; over one if all are the same."""
    studies = 1 if case.constant else studies
    if workers > 1 and studies > 1:
        with ProcessPoolExecutor(workers) as pool:
            found = list(pool.map(case.verdict, range(studies), chunksize=20))
    else:
        found = [case.verdict(seed) for seed in range(studies)]
    count = sum(each in case.words for each in found)
    return Rate(case.question, case.kind, count, studies, case.at_most, case.at_least)


def show(console: SafeConsole, rates: Sequence[Rate], seconds: float) -> None:
    """The rates as a table."""
    table = Table(
        title=f"{len(NETWORKS)} networks per study, {seconds:.0f} s", title_justify="left"
    )
    for heading in ("claim", "question", "count", "rate", "95 % interval", "limit", ""):
        table.add_column(heading)
    for each in rates:
        limit = f"at most {each.at_most:g}" if each.at_most < 1 else f"at least {each.at_least:g}"
        low, high = each.interval
        table.add_row(each.claim, each.question, f"{each.count} of {each.studies}",
                      f"{each.count / each.studies:.3f}", f"{low:.3f} to {high:.3f}", limit,
                      "" if each.holds else "BEYOND")  # fmt: skip
    console.print(table)


def main(arguments: Sequence[str]) -> int:
    """Run all cases and print their rates."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=1000, help="studies of each case")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="cases whose question contains this")
    parser.add_argument("--json", type=Path, help="file for the rates")
    options = parser.parse_args(arguments)
    if options.studies < 1 or options.workers < 1:
        parser.error("--studies and --workers must be at least 1. Pass larger numbers.")
    start, rates, progress = time.perf_counter(), [], SafeConsole(stderr=True)
    for case in (each for each in cases() if options.only in each.question):
        rates.append(rate(case, options.studies, options.workers))
        progress.print(f"{case.kind}: {case.question}: {rates[-1].count}", highlight=False)
    show(SafeConsole(), rates, time.perf_counter() - start)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in rates], indent=1) + "\n")
    return int(not all(each.holds for each in rates))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
