"""A run of the confirmatory study whose networks, records and verdicts are made up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from pretended import pretended_network

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.factors.geometry_against_topology import FactorShares
from rnnstudy.analyses.generalisation.record import Generalisation
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.solution_classes.exhibits import DECIDING
from rnnstudy.analyses.solution_classes.record import SolutionClass
from rnnstudy.claims import Claim
from rnnstudy.claims.alike_across import AlikeAcross
from rnnstudy.claims.base import no_evidence
from rnnstudy.claims.evidence.record import (
    ControlResult,
    Evidence,
    Part,
    collect_controls,
    collect_parts,
)
from rnnstudy.claims.multiverse.record import MultiverseResult
from rnnstudy.core.record import Record
from rnnstudy.study.plan.outcomes import write_network
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import TrainedNetworkSpec, load_study, resolve_study
from rnnstudy.study.store import StoreSnapshot

SPEC = Path(__file__).parents[1] / "specs" / "universality-confirmatory.yaml"

SAMENESS = ("alike", "different", "undecided", "uninformative", "not enough networks")
DIFFERENCE = ("supported", "not supported", "uninformative", "not enough networks")

SHARE = {"supported": 0.97, "not supported": 0.4, "alike": 0.02, "different": 0.31}
"""Verdict -> effect; 0.1 for other verdicts."""


def pretended_run(
    folder: Path, seeds: int = 1, words: Mapping[tuple[str, str], str] | None = None
) -> Run:
    """Return a run of the confirmatory study with all records that its pages read.

    Verdicts go round through all words, but for those that `words` gives by claim and task. The
    networks of relu LSTMs do not solve their task under the standard protocol.
    """
    study = load_study(SPEC, ["networks.units=[4]", f"networks.seeds={list(range(seeds))}"])
    run = Run(folder, study)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("spec.yaml", "resolved.yaml"):
        (folder / name).write_text(resolve_study(study), encoding="utf-8")
    for member, network in run.index.pairs:
        assert isinstance(network, TrainedNetworkSpec)
        _write_network(run, network, solved=member.combination != "lstm relu standard")
        for title, record in member_records(member).items():
            bound = run.index.by_title[title]
            run.store.write(run.index.records(bound)[network.key()], record)
    # The address of a verdict depends on the records that exist: tuned and standard must differ.
    absent = {key for result in run.index.results for reads in result.reads for key in reads}
    for key in sorted(absent):
        if not run.store.has(key):
            run.store.write(key, generalisation(0.5))
    run = Run(folder, run.study)
    for (title, task), record in task_records(run, words or {}):
        result = run.index.selected.shared[title, task]
        run.store.write(result.address(StoreSnapshot(run.store)), record)
    return Run(folder, run.study)


def _write_network(run: Run, network: TrainedNetworkSpec, solved: bool) -> None:
    trained = replace(
        pretended_network(network, solved=solved),
        evaluation_loss=np.array([0.002 if solved else 0.3]),
        evaluation_accuracy=np.ones(1),
    )
    write_network(run.store, network, trained)


def member_records(member: Member) -> dict[str, Record]:
    """Return records of one network by analysis: points of a cube, or a line of slow points."""
    task, is_tanh = member.fields["task"], member.fields["activation"] == "tanh"
    records: dict[str, Record] = {
        "solution_classes": solution([8, 12, 6, 1] if is_tanh else [8, 11]),
        "generalisation": generalisation(0.9 if is_tanh else 0.7),
    }
    if task == "integration":
        records["solution_classes"] = solution(None)
        records["line_attractor"] = line(1 if member.fields["cell"] == "vanilla" else 3)
    return records


def solution(counts: Sequence[int] | None) -> SolutionClass:
    """Return the class of a network with so many points of each number of unstable directions.

    None: a line of slow points.
    """
    n_unstable = np.repeat(np.arange(len(counts or ())), counts or ()).astype(int)
    stable = np.flatnonzero(n_unstable == 0)
    none = np.zeros(0, int)
    return SolutionClass(
        conditions=("no input",),
        is_ordered=False,
        detail="points",
        unit=50,
        kind=np.array([1 if counts is None else 0]),
        measures={name: np.zeros(1) for name in DECIDING},
        points={
            "condition": np.zeros(len(n_unstable), int),
            "n_unstable": n_unstable,
            "word": np.zeros((len(n_unstable), 0), int),
        },
        attractors={
            "condition": np.zeros(len(stable), int),
            "kind": np.zeros(len(stable), int),
            "point": stable,
            "period": np.ones(len(stable), int),
        },
        links={"source": none, "target": none, "ways": none},
    )


def generalisation(accuracy: float) -> Generalisation:
    """Return the performance of a network on trials five times as long."""
    return Generalisation(
        shifts=("longer trials",),
        units=("lengths of a training trial",),
        trained=np.ones(1),
        shift_of=np.zeros(2, int),
        value=np.array([1.0, 5.0]),
        loss=np.array([0.01, 0.1]),
        accuracy=np.array([1.0, accuracy]),
        last_error=np.array([0.1, 0.3]),
        words=np.zeros(2, int),
        kept_words=np.zeros(2, int),
    )


def line(modes: int) -> LineAttractor:
    """Return a line of 20 slow points whose readout takes so many modes."""
    numbers = np.linspace(-1.0, 1.0, 20)
    points = np.zeros((20, 4))
    points[:, 0] = numbers
    ones, enough = np.ones((20, 4)), np.arange(1, 5) >= modes
    share = np.where(enough, 1.0, 0.1) * ones
    return LineAttractor(
        length=50,
        slow_modulus=0.8,
        horizon=50,
        slow_share=np.ones(1),
        context_of=np.zeros(20, int),
        state=points,
        speed=np.zeros(20),
        first_readout=points[:, :1],
        readout=points[:, :1],
        later_readout=points[:, :1],
        eigenvalues=np.where(enough, 0.5, 0.99) * ones,
        alignment=np.ones(20),
        selection=ones[:, :2],
        gain=ones[:, :2],
        linear_fit=np.ones(20),
        readout_share=share,
        state_share=share,
        mean_error=1.0 - share,
        hankel=ones,
    )


def task_records(
    run: Run, words: Mapping[tuple[str, str], str]
) -> Iterator[tuple[tuple[str, str], Record]]:
    """Yield records of analyses of tasks, and evidence that leads to each verdict in turn."""
    sameness, difference = cycle(SAMENESS), cycle(DIFFERENCE)
    for (title, task), result in run.index.selected.shared.items():
        analysis = result.analysis
        if analysis.yields is FactorShares:
            yield (title, task), shares()
        elif analysis.yields is MultiverseResult:
            yield (title, task), choices(title)
        elif isinstance(analysis, Claim):
            turn = sameness if isinstance(analysis, AlikeAcross) else difference
            word = words.get((analysis.title, task)) or next(turn)
            yield (title, task), evidence(word, analysis)


def shares() -> FactorShares:
    """Return shares of two kinds of distances."""
    rows = [(d, f) for d in ("svcca", "cka") for f in ("cell", "activation", "cell x activation")]
    share = np.linspace(0.4, 0.05, len(rows))
    ratio = np.array([np.nan if " x " in f else 1.2 for _, f in rows])
    return FactorShares(
        distances=tuple(d for d, _ in rows),
        factor=tuple(f for _, f in rows),
        networks=np.full(len(rows), 24),
        share=share,
        low=share - 0.04,
        high=share + 0.04,
        p=np.full(len(rows), 0.001),
        dispersion=ratio,
        dispersion_p=np.where(np.isnan(ratio), np.nan, 0.02),
        permutations=999,
    )


def choices(title: str) -> MultiverseResult:
    """Return a multiverse of four specifications: two support, one is below, one cannot be."""
    return MultiverseResult(
        claim=title,
        effect_label="effect",
        exchange="values of cell are exchanged",
        shuffles=99,
        choices=tuple({"of": of, "by": by} for of in ("svcca", "cka") for by in ("a", "b")),
        reasons=("", "", "uninformative", "not enough networks"),
        median=0.3,
        median_p=0.01,
        effect=np.array([0.4, 0.3, 0.1, np.nan]),
        low=np.array([0.3, 0.2, 0.0, np.nan]),
        high=np.array([0.5, 0.4, 0.2, np.nan]),
        p=np.array([0.001, 0.001, 0.4, np.nan]),
        supports=np.array([True, True, False, False]),
    )


def evidence(word: str, claim: Claim) -> Evidence:
    """Return evidence that leads to a verdict."""
    if word == "not enough networks":
        return no_evidence("lstm relu has 0; it takes 3 of each")
    passes, opposite = word in ("alike", "supported"), word == "different"
    effect, p = SHARE.get(word, 0.1), 1e-9 if passes else 0.9
    parts = [
        Part(name, effect, effect - 0.02, effect + 0.02, p, passes, 12) for name in ("tanh", "relu")
    ]
    return Evidence(
        statistic=effect,
        effect=effect,
        low=effect - 0.02,
        high=effect + 0.02,
        p=p,
        floor=0.0,
        holds=passes,
        p_opposite=(1e-9 if opposite else 0.9) if isinstance(claim, AlikeAcross) else np.nan,
        uninformative="the measure does not tell them apart" if word == "uninformative" else "",
        groups=("tanh", "relu"),
        networks=np.array([12, 12]),
        values=np.array([effect, effect]),
        parts=collect_parts(parts if claim.judged_parts else []),
        controls=collect_controls(
            [
                ControlResult("trained against untrained", "positive", 0.9, p=1e-6, holds=True),
                ControlResult("noise", "negative", 0.01, p=0.5, informative=False),
                ControlResult("before training", "untrained", 0.05, 0.0, 0.1),
                ControlResult("trained minus untrained", "learnt", effect - 0.05, 0.0, 0.9),
            ],
            shuffled_p=[0.5, 0.01],
        ),
    )


def pretended_provenance() -> dict[str, Any]:
    """Return the provenance of a run."""
    return {
        "command": ["rnnstudy", "run", "spec.yaml"],
        "begun": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T01:00:00+00:00",
        "seconds": 3600.0,
        "cores": 2,
        "jobs": {"train a": 60.0, "train b": 30.0, "claim c": 6.0},
        "failures": [],
        "versions": {"rnnstudy": "0"},
    }
