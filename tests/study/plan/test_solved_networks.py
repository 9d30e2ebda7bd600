"""Analyses and claims on solved networks: left out, counted, and compared with all trained ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.stats import binomtest

from rnnstudy import runner
from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import Analysis, Inputs, Member
from rnnstudy.claims.base import Claim, average_by_group, group_size_error
from rnnstudy.claims.evidence.measurements import Measurements, values_of
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.core.record import Record
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.report.build import page
from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.left_out import left_out_words, with_lost_groups
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks

SPEC: dict[str, Any] = {
    "study": "solved",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "probe_trials": 4}],
    "networks": {"cells": ["vanilla", "gru"], "units": 3, "seeds": 4},
    "training": {"steps": 2, "batch": 4},
    "analyses": [{"kind": "pairs", "metric": "cka"}],
    "runtime": {"workers": 2},
}


class Positive(MemberAnalysis):
    """A record of each network, with its number of units."""

    kind: ClassVar[str] = "tests:Positive"

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        return [Record()] * len(population)


class Most(Claim):
    """A claim that holds for networks of an even seed."""

    kind: ClassVar[str] = "tests:Most"
    of: str = "positive"

    @property
    def statistic(self) -> str:
        return "share of networks with an even seed"

    @property
    def null(self) -> str:
        return "at most a tenth of the networks have an even seed"

    @property
    def rule(self) -> str:
        return "most networks of each combination have an even seed"

    def statement(self, task: Task) -> str:
        return f"Networks that learn {task.title} have even seeds."

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        even = {member: member.fields["seed"] % 2 == 0 for member in inputs[self.of]}
        return values_of(even, {"untrained": dict.fromkeys(even, False)})

    def test(self, measurements: Measurements) -> Evidence:
        trained = measurements.of("trained")
        even = [bool(value) for value in trained.values]
        groups, count, share = average_by_group([m.combination for m in trained.members], even)
        low, high = binomtest(sum(even), len(even)).proportion_ci()
        return Evidence(
            statistic=float(np.mean(even)), effect=float(np.mean(even)), low=low, high=high,
            p=binomtest(sum(even), len(even), 0.1, alternative="greater").pvalue,
            floor=0.1 ** len(even), holds=bool(min(share) > 0.5),
            shortage=group_size_error(groups, count, self.min_networks),
            groups=groups, networks=count, values=share,
        )  # fmt: skip


def study(*analyses: Analysis, claims: Sequence[Claim] = (), **fields: Any) -> Study:
    asked = study_of(SPEC | fields)
    return asked.replace(analyses=(*asked.analyses, *analyses), claims=tuple(claims))


def pretended(asked: Study, directory: Path, **outcomes: set[str]) -> Run:
    """Return a run whose networks are solved, but for those that are named by their outcome."""
    run = Run(directory, asked)
    for member, network in asked.expand():
        assert isinstance(network, TrainedNetworkSpec)
        lost = member.name in outcomes.get("diverged", set()) | outcomes.get("infinite", set())
        population = initial_population(network.cell, 1, 1, [network.seed])
        if member.name in outcomes.get("infinite", ()):
            population.readout["kernel"][:] = np.nan
        one, curve = np.zeros(1), np.zeros((1, 1))
        trained = TrainedNetworks(
            population=population, seed=np.array([network.seed]), attempt=np.array([0]),
            step=np.array([0]), loss=curve, accuracy=curve, steps=np.array([2]),
            diverged_at=np.array([1 if lost else -1]), evaluation_loss=one,
            evaluation_accuracy=one,
            solved=np.array([not lost and member.name not in outcomes.get("unsolved", ())]),
        )  # fmt: skip
        run.store.write(network.key(), trained)
    return run


def done(run: Run) -> list[str]:
    outcomes = execute(make_plan(run.study, run.store), run.store, run.study.runtime,
                       NullListener())  # fmt: skip
    assert [outcome.failure for outcome in outcomes if outcome.failure] == []
    return [outcome.label for outcome in outcomes]


def names(cell: str, *seeds: int) -> set[str]:
    return {f"flip_flop-{cell}-tanh-3-s{seed:03d}" for seed in seeds}


def labels(run: Run, analysis: str) -> set[str]:
    return set(run.distances(analysis).index)


EVERYONE = names("vanilla", 0, 1, 2, 3) | names("gru", 0, 1, 2, 3)


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ("solved", EVERYONE - names("gru", 0, 1, 2, 3)),
        ("trained", EVERYONE - names("gru", 2, 3)),
        ("all", EVERYONE - names("gru", 3)),
    ],
)
def test_an_analysis_is_about_the_networks_that_it_names(
    choice: str, kept: set[str], tmp_path: Path
) -> None:
    analyses = [{"kind": "pairs", "metric": "cka", "networks": choice}]
    run = pretended(
        study(Positive(networks=choice), analyses=analyses), tmp_path,  # type: ignore[arg-type]
        unsolved=names("gru", 0, 1), diverged=names("gru", 2), infinite=names("gru", 3),
    )  # fmt: skip
    done(run)
    assert labels(run, "cka") == kept
    for name in EVERYONE - kept:
        with pytest.raises(RunError, match=f"'positive' leaves out '{name}'"):
            run.record("positive", name)
    for name in kept:
        run.record("positive", name)
    assert make_plan(run.study, run.store).todo == ()


def test_all_networks_solved_is_computed_once(tmp_path: Path) -> None:
    asked = study(Positive(), claims=[Most(min_networks=1)])
    run = pretended(asked, tmp_path)
    seen = done(run)
    index = make_plan(asked, run.store).index
    claim, companion = (
        index.shared["claim most", "flip_flop"],
        index.companions["claim most", "flip_flop"],
    )
    assert claim.address(run.store) == companion.address(run.store)
    assert len([label for label in seen if label.startswith("claim most")]) == 2
    (row,) = run.claims.to_dict("records")
    assert row["verdict"] == row["verdict_all_trained"]
    assert row["left_out"] == ""
    assert make_plan(asked, run.store).todo == ()
    assert page(run).banner == ""


def test_a_verdict_over_all_trained_networks_stands_beside_it(tmp_path: Path) -> None:
    """Solved networks have even seeds. Of all networks, only half have."""
    # Enough networks for a positive control with a p below 1e-4.
    networks = SPEC["networks"] | {"seeds": 40}
    asked = study(Positive(), claims=[Most()], networks=networks, analyses=[])
    odd = range(1, 40, 2)
    unsolved = names("vanilla", *odd) | names("gru", *odd)
    run = pretended(asked, tmp_path, unsolved=unsolved)
    done(run)
    (result,) = run.verdicts()
    assert result.evidence is not None
    assert result.evidence.effect == 1.0
    assert result.evidence.networks.tolist() == [20, 20]
    assert result.left_out == "40 not solved"
    companion = run.index.companions["claim most", "flip_flop"]
    evidence = run.store.read(companion.address(run.store), Evidence)
    assert (evidence.effect, evidence.networks.tolist()) == (0.5, [40, 40])
    (row,) = run.claims.to_dict("records")
    assert row["verdict"] == "supported"
    assert row["verdict_all_trained"] == "not supported"


def test_an_analysis_that_a_claim_reads_has_the_networks_of_the_claim(tmp_path: Path) -> None:
    asked = study(Positive(networks="all"), claims=[Most(min_networks=1, networks="trained")])
    run = pretended(asked, tmp_path, unsolved=names("gru", 0), diverged=names("gru", 1))
    done(run)
    (result,) = run.verdicts()
    assert result.evidence is not None
    assert result.evidence.networks.tolist() == [4, 3]
    assert result.left_out == "1 diverged"
    assert result.companion_word == ""
    # Its own networks are others.
    run.record("positive", "flip_flop-gru-tanh-3-s001")


def test_too_few_solved_networks_are_no_evidence(tmp_path: Path) -> None:
    asked = study(Positive(), claims=[Most(min_networks=2)])
    run = pretended(asked, tmp_path, unsolved=names("gru", 0, 1, 2))
    done(run)
    (result,) = run.verdicts()
    assert (result.word, result.left_out) == ("not enough networks", "3 not solved")
    assert result.note == "gru tanh has 1; it takes 2 of each"


def test_a_group_that_loses_all_its_networks_is_too_small(tmp_path: Path) -> None:
    asked = study(Positive(), claims=[Most(min_networks=2)])
    run = pretended(asked, tmp_path, unsolved=names("gru", 0, 1, 2, 3))
    done(run)
    (result,) = run.verdicts()
    assert result.word == "not enough networks"
    assert result.note.startswith("gru tanh has 0; it takes 2 of each")
    assert result.left_out == "4 not solved (all of gru tanh)"


def test_a_page_without_a_solved_network_says_so(tmp_path: Path) -> None:
    asked = study(Positive(), claims=[Most()])
    run = pretended(asked, tmp_path, unsolved=EVERYONE)
    done(run)
    (result,) = run.verdicts()
    assert (result.word, result.note) == ("not enough networks", "no network is solved")
    contents = page(run)
    assert contents.banner.startswith("Only 0 of 8 networks (0 %) solved their task: 0 of 8 on")
    task = next(section for section in contents.sections if section.label == "flip_flop")
    remark = next(part.remark for part in task.all_parts if part.label == "cka")
    assert remark.startswith(
        "There is nothing to analyse, because no network is solved: 8 not solved."
    )
    with pytest.raises(RunError, match="there is no 'cka' of task 'flip_flop': no network is sol"):
        run.distances("cka")


def test_unequal_rates_are_a_finding(tmp_path: Path) -> None:
    run = pretended(study(), tmp_path, unsolved=names("gru", 0, 1, 2, 3))
    rates = run.solved_rates.set_index("combination")
    assert rates["rate"].to_dict() == {"vanilla tanh": 1.0, "gru tanh": 0.0}
    # Two tables of 70 are as unequal: 4 against 0, and 0 against 4.
    assert rates["p"].tolist() == pytest.approx([2 / 70] * 2)
    contents = page(run)
    assert "Solved networks" in [section.title for section in contents.sections]
    assert contents.summary[1] == (
        "Combinations differ in how many of their networks solve the task: on flip_flop from 0 of "
        "4 (gru tanh) to 4 of 4 (vanilla tanh), p 0.029."
    )
    # One network less is no difference beyond chance.
    few = pretended(study(), tmp_path / "few", unsolved=names("gru", 0))
    assert not any("Combinations" in sentence for sentence in page(few).summary)


def test_results_over_all_trained_networks_follow_those_over_the_solved(tmp_path: Path) -> None:
    asked = study(Positive(), claims=[Most()])
    plan = make_plan(asked, Run(tmp_path, asked).store)
    groups = {group: total for group, _, total in plan.done}
    assert groups["over all trained networks"] == 1
    (claim,) = (job for job in plan.todo if job.group == "claims")
    (companion,) = (job for job in plan.todo if job.group == "over all trained networks")
    assert claim.key in companion.requires()
    assert companion.key != claim.key


def test_the_field_is_no_part_of_an_address() -> None:
    assert Positive(networks="all").key() == Positive().key()
    assert Most(networks="trained").key() == Most().key()
    with pytest.raises(TypeError, match=r"Own.networks must be one of solved, trained, all, as of"):

        class Own(Positive):
            networks: int = 3  # type: ignore[assignment]


def test_words_on_what_is_left_out() -> None:
    def member(name: str, cell: str) -> Member:
        return Member(name, {"cell": cell, "activation": "tanh", "seed": 0})

    members = [member("a", "gru"), member("b", "gru"), member("c", "lstm")]
    left_out = [(members[0], "not solved"), (members[2], "diverged")]
    assert left_out_words(left_out, members) == "1 not solved, 1 diverged (all of lstm tanh)"
    assert left_out_words([], members) == ""
    evidence = Evidence(
        statistic=1.0, effect=1.0, low=0.0, high=1.0, p=0.1, floor=0.1, holds=True,
        groups=("gru",), networks=np.array([1]), values=np.array([1.0]),
    )  # fmt: skip
    lost = with_lost_groups(evidence, [members[1]], [members[0], members[2]], 3)
    assert lost.shortage == "lstm has 0; it takes 3 of each"
    # Another seed is no other group of a claim on cells.
    assert with_lost_groups(evidence, [members[1]], [members[0]], 3).shortage == ""


def test_a_study_with_unsolved_networks_end_to_end(tmp_path: Path) -> None:
    asked = study_of(
        SPEC
        | {
            "tasks": [SPEC["tasks"][0] | {"solved_loss": 0.5, "solved_accuracy": 0.7}],
            # At the second rate a network stays as it was.
            "networks": {"cells": "vanilla", "units": 6, "learning_rate": [0.01, 1e-9], "seeds": 3},
            "training": {"steps": 200, "batch": 16, "record_every": 50},
            "analyses": [
                {"kind": "fixed_points", "search": {"candidates": 16, "rounds": 1}},
                {"kind": "pairs", "metric": "cka"},
            ],
            "claims": [{"kind": "geometry_depends_on", "factor": "learning_rate", "of": "cka"}],
            "report": {"formats": "svg"},
        }
    )
    run = runner.run(asked, tmp_path / "run")
    assert run.failures() == []
    assert run.members["solved"].tolist() == [True, True, True, False, False, False]
    assert run.distances("cka").shape == (3, 3)
    (row,) = run.claims.to_dict("records")
    assert row["verdict"] == "not enough networks"
    assert row["left_out"] == "3 not solved"
    assert row["verdict_all_trained"] != "not computed"
    html = (tmp_path / "run" / "report" / "index.html").read_text()
    assert "Only 3 of 6 networks (50 %) solved their task" in html
    assert "Left out: 3 not solved." in html
    again = make_plan(asked, run.store)
    assert again.todo == ()
