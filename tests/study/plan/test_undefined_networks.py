"""Networks without distances in a study: absent from matrices and claims, named, and no failure."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pretended import pretend

from rnnstudy.analyses.distances.all_pairs import INFINITE_ACTIVITY
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan import compare_tiles as tiles
from rnnstudy.study.plan.compare_tiles import CompareTiles
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.files import write_members
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import Study, study_of

PROBE = (3, 12)
"""Trials and time steps."""

CONSTANT, BROKEN = "flip_flop-vanilla-tanh-4-s000", "flip_flop-gru-tanh-4-s000"

UNDEFINED = "cka is undefined: states must vary, got 36 samples that are all alike"

CLAIM = {"kind": "geometry_depends_on", "of": "cka", "factor": "cell", "permutations": 19}

SPEC: dict[str, Any] = {
    "study": "undefined",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "probe_trials": 3}],
    "networks": {"cells": ["vanilla", "gru"], "units": 4, "seeds": [0, 1, 2, 3]},
    "training": {"steps": 5, "batch": 4},
    "analyses": [
        {"kind": "pairs", "metric": "cka"},
        {"kind": "pairs", "metric": {"kind": "procrustes", "measure": "euclidean", "scaled": False},
         "name": "sizes"},
        {"kind": "embedding", "of": "cka"},
        {"kind": "factor_tests", "of": "cka", "permutations": 19},
        {"kind": "control_tests", "of": "cka_controls", "permutations": 19},
        {"kind": "controls", "metric": "cka", "planted": True},
        {"kind": "geometry_against_topology", "of": ["cka", "sizes"], "permutations": 19},
        {"kind": "multiverse", "claim": {**CLAIM, "name": "inner"}, "shuffles": 19,
         "choices": {"of": ["cka", "sizes"], "by": ["nearest_neighbour", "silhouette"]}},
        {"kind": "multiverse", "claim": {**CLAIM, "name": "same"}, "shuffles": 19,
         "choices": {"by": ["nearest_neighbour", "silhouette"]}},
    ],
    "claims": [
        CLAIM,
        {"kind": "alike_across", "of": "cka", "factor": "cell", "margin": 0.1, "permutations": 19,
         "justification": "a tenth"},
        {"kind": "nearer_untrained", "of": "cka_controls", "factor": "cell"},
    ],
    "runtime": {"workers": 1},
}  # fmt: skip

SMALL: dict[str, Any] = {**SPEC, "analyses": SPEC["analyses"][:1], "claims": [CLAIM]}


def study(spec: dict[str, Any], **networks: Any) -> Study:
    return study_of({**spec, "networks": {**spec["networks"], **networks}})


def made_up(study: Study, folder: Path, still: Iterable[str] = (CONSTANT,)) -> Run:
    """A run in whose store all networks and activities are made up, two of them without use."""
    run = Run(folder, study)
    addresses = dict.fromkeys(_reads(run))
    for member, network in run.index.pairs:
        assert isinstance(network, TrainedNetworkSpec)
        pretend(run.store, network)
        own = Representations().key(network.key())
        addresses.pop(own, None)
        states = drawn(own)
        if member.name in still:
            states[:] = 0.25
        if member.name == BROKEN:
            states[2, 5:] = np.nan
        run.store.write(own, activity(states))
    for address in addresses:
        run.store.write(address, activity(drawn(address)))
    return run


def _reads(run: Run) -> Iterable[str]:
    for result in run.index.results:
        yield from (address for reads in result.reads for address in reads)
        yield from (a for reads in result.control_reads.values() for a in reads if a is not None)


def drawn(address: str) -> np.ndarray:
    """States at random, the same for one address in every study."""
    generator = np.random.default_rng(int(address[:12], 16))
    return generator.standard_normal((*PROBE, 4)).astype(np.float32)


def activity(states: np.ndarray) -> Activity:
    other = np.zeros((*PROBE, 1))
    return Activity(inputs=other, targets=other, outputs=other, states=states)


def done(run: Run) -> dict[str, str | None]:
    """Execute; the failure of each job, by its label."""
    plan = make_plan(run.study, run.store)
    outcomes = execute(plan, run.store, run.study.runtime, NullListener())
    return {outcome.label: outcome.failure for outcome in outcomes}


def results(run: Run) -> dict[str, Record]:
    """The record of each analysis and claim, those over all trained networks too."""
    return {
        f"{result.analysis.step} {result.scope}": run.store.read(result.address(run.store), Record)
        for result in run.index.results
    }


def same(first: Record, second: Record) -> bool:
    (fields, arrays), (others, numbers) = first.describe(), second.describe()
    for each in (fields, others):
        each["fields"].pop("left_out", None)
    return repr(fields) == repr(others) and all(
        np.array_equal(arrays[name], numbers[name], equal_nan=arrays[name].dtype.kind == "f")
        for name in arrays
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    found = made_up(study(SPEC), tmp_path_factory.mktemp("run"))
    outcomes = done(found)
    assert set(outcomes.values()) == {None}, outcomes
    return found


def test_all_results_are_those_of_a_study_without_these_networks(run: Run, tmp_path: Path) -> None:
    """Both broken networks have seed 0. `sizes` is defined for the one that stands still."""
    less = made_up(study(SPEC, seeds=[1, 2, 3]), tmp_path)
    assert set(done(less).values()) == {None}
    found, without = results(run), results(less)
    assert found.keys() == without.keys()
    with_sizes = ("sizes", "geometry_against_topology", "multiverse_inner")
    for title, record in without.items():
        if not title.startswith(with_sizes):
            assert same(found[title], record), title
    sizes = run.distances("sizes")
    assert CONSTANT in sizes.columns
    assert BROKEN not in sizes.columns
    labels = list(less.distances("sizes").columns)
    assert (
        sizes.loc[labels, labels].to_numpy().tolist() == less.distances("sizes").to_numpy().tolist()
    )
    shares, fewer = (r["geometry_against_topology "].to_frame() for r in (found, without))  # type: ignore[attr-defined]
    of_cka = shares["distances"] == "cka"
    assert shares[of_cka].equals(fewer[of_cka])
    assert shares["networks"].tolist() == [6, 7]


def test_the_record_says_why(run: Run) -> None:
    record = run.task_record("cka")
    assert isinstance(record, Distances)
    assert record.left_out == {CONSTANT: UNDEFINED, BROKEN: INFINITE_ACTIVITY}
    assert not {CONSTANT, BROKEN} & set(record.labels)


def test_the_run_says_who_is_left_out(run: Run) -> None:
    words = {
        analysis.title: run.left_out(analysis, "flip_flop")
        for analysis in (*run.study.analyses, *run.study.claims)
    }
    both = f"1 because {UNDEFINED}, 1 because {INFINITE_ACTIVITY}"
    alone = dict.fromkeys(words, both)
    assert words == alone | {
        "sizes": f"1 because {INFINITE_ACTIVITY}",
        "geometry_against_topology": words["geometry_against_topology"],
        "multiverse_inner": words["multiverse_inner"],
    }
    assert words["multiverse_inner"] == words["geometry_against_topology"]
    assert words["multiverse_inner"] == (
        f"1 in cka because {UNDEFINED}, 1 because {INFINITE_ACTIVITY}"
    )


def test_the_table_of_members_says_why(run: Run) -> None:
    write_members(run)
    with open(run.directory / "members.csv", newline="") as file:
        rows = {row["member"]: row["left_out"] for row in csv.DictReader(file)}
    assert len(rows) == 8
    assert {name for name, text in rows.items() if text} == {CONSTANT, BROKEN}
    assert rows[CONSTANT] == f"cka: {UNDEFINED}; cka_controls: {UNDEFINED}"
    assert rows[BROKEN].split("; ") == [
        f"{n}: {INFINITE_ACTIVITY}" for n in ("cka", "sizes", "cka_controls")
    ]


def test_the_page_names_them(run: Run) -> None:
    section = run.section("flip_flop")
    for analysis in run.study.analyses:
        exhibits = list(analysis.show(run.section_of(analysis, section)))
        texts = " ".join(getattr(e, "caption", "") + getattr(e, "text", "") for e in exhibits)
        if analysis.kind in ("pairs", "embedding", "controls", "geometry_against_topology"):
            assert f"because {INFINITE_ACTIVITY}: {BROKEN}" in texts, analysis.title


def test_claims_count_the_others_alone(run: Run) -> None:
    for verdict in run.verdicts():
        assert verdict.evidence is not None
        assert verdict.evidence.networks.tolist() == [3, 3]
        assert verdict.left_out == f"1 because {UNDEFINED}, 1 because {INFINITE_ACTIVITY}"
    assert run.claims["networks"].tolist() == [6, 6, 6]


def test_a_group_that_loses_its_networks_has_not_enough(tmp_path: Path) -> None:
    lost = [f"flip_flop-vanilla-tanh-4-s00{seed}" for seed in range(4)]
    found = made_up(study(SMALL), tmp_path, lost)
    assert set(done(found).values()) == {None}
    (verdict,) = found.verdicts()
    assert verdict.word == "not enough networks"
    assert "vanilla has 0; it takes 3 of each" in verdict.note
    assert verdict.left_out == (
        f"4 because {UNDEFINED}, 1 because {INFINITE_ACTIVITY} (all of vanilla tanh)"
    )


def test_without_any_network_the_matrix_is_empty_and_nothing_fails(tmp_path: Path) -> None:
    names = [member.name for member, _ in study(SPEC).expand()]
    spec = {**SPEC, "analyses": [a for a in SPEC["analyses"] if a.get("name") != "sizes"]}
    spec["analyses"] = [
        {**a, "of": ["cka"]} if a["kind"] == "geometry_against_topology" else a
        for a in spec["analyses"]
        if a["kind"] != "multiverse"
    ]
    spec["analyses"].append(
        {"kind": "multiverse", "claim": {**CLAIM, "name": "inner"}, "shuffles": 19,
         "choices": {"by": ["nearest_neighbour", "silhouette"]}}
    )  # fmt: skip
    found = made_up(study(spec), tmp_path, names)
    outcomes = done(found)
    assert set(outcomes.values()) == {None}, outcomes
    assert found.distances("cka").shape == (0, 0)
    assert {verdict.word for verdict in found.verdicts()} == {"not enough networks"}
    section = found.section("flip_flop")
    for analysis in found.study.analyses:
        list(analysis.show(found.section_of(analysis, section)))


def stored(run: Run) -> dict[str, tuple[bytes, bytes]]:
    """Bytes of the records of all results."""
    folders = [run.store.folder(result.address(run.store)) for result in run.index.results]
    return {
        folder.name: ((folder / "meta.json").read_bytes(), (folder / "arrays.npz").read_bytes())
        for folder in folders
    }


@pytest.mark.parametrize("metric", ["cka", "rsa"])
def test_tiles_say_the_same_and_bytes_do_not_depend_on_resuming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    """The forms of rsa are stored, those of cka are prepared again."""
    spec = {**SMALL, "analyses": [{"kind": "pairs", "metric": metric}], "claims": []}
    spec["analyses"].append({"kind": "controls", "metric": metric, "planted": True})
    whole = made_up(study(spec), tmp_path / "whole")
    assert set(done(whole).values()) == {None}
    monkeypatch.setattr(tiles, "TILE_SIDE", 3)
    run = made_up(study(spec), tmp_path / "tiles")
    assert set(done(run).values()) == {None}
    for title in (metric, f"{metric}_controls"):
        one, other = (each.task_record(title) for each in (whole, run))
        assert isinstance(one, Distances)
        assert isinstance(other, Distances)
        assert (one.labels, one.left_out) == (other.labels, other.left_out)
        assert set(one.left_out) >= {CONSTANT, BROKEN}
        assert one.values == pytest.approx(other.values, abs=1e-9)
    before = stored(run)
    for result in run.index.results:
        matrix = CompareTiles(result)
        run.store.remove(matrix.tiles[1].address(run.store))
        run.store.remove(result.address(run.store))
    outcomes = done(run)
    assert len(outcomes) == 4
    assert set(outcomes.values()) == {None}
    assert stored(run) == before


def test_nothing_is_left_to_do(run: Run) -> None:
    assert make_plan(run.study, run.store).todo == ()
