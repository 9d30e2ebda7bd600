"""Methods of a study in words: the numbers of the spec, and sources with entries in BibTeX."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import pytest

from rnnstudy.analyses import ANALYSES
from rnnstudy.cells import CELLS
from rnnstudy.claims import CLAIMS
from rnnstudy.metrics import METRICS
from rnnstudy.report.methods.bibliography import known_sources
from rnnstudy.report.methods.sources import sources_in
from rnnstudy.report.methods.text import CLAIM_SOURCES, FURTHER, Methods, methods_of
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import study_of
from rnnstudy.tasks import TASKS

SPEC = {
    "study": "a",
    "tasks": [{"kind": "flip_flop", "bits": 2, "length": 77}],
    "networks": {"cells": ["vanilla", "gru"], "units": 12, "seeds": 3},
    "training": {"steps": 123, "learning_rate": 0.02, "state_noise": 0.07},
    "analyses": [{"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 9}},
                 {"kind": "embedding", "of": "svcca"}],
    "claims": [{"kind": "geometry_depends_on", "of": "svcca", "factor": "cell", "alpha": 0.01}],
}  # fmt: skip


def methods_of_spec(spec: Mapping[str, Any]) -> Methods:
    study = study_of(spec)
    return methods_of(study, study.expand())


def texts_of(**changes: Any) -> dict[str, str]:
    """Return the readable paragraphs of the spec with other sections, without claims."""
    return dict(methods_of_spec({**SPEC, "claims": [], **changes}).readable)


def test_the_numbers_of_the_spec_are_in_the_text() -> None:
    methods = methods_of_spec(SPEC)
    texts = dict(methods.readable)
    assert list(texts) == ["Tasks", "Networks", "Training", "Analyses", "Claims"]
    assert "length 77" in texts["Tasks"]
    assert texts["Tasks"].startswith("2-bit flip-flop memory (Sussillo and Barak 2013): ")
    assert "vanilla (Elman 1990), GRU (Cho et al. 2014)" in texts["Networks"]
    assert "12 units" in texts["Networks"]
    assert "6 networks in all" in texts["Networks"]
    assert "for 123 steps of 32 trials" in texts["Training"]
    assert "from 0.02 to 0.002" in texts["Training"]
    assert "deviation 0.07" in texts["Training"]
    assert "dimensions 9" in texts["Analyses"]
    assert "Map of networks (SVCCA distances)" in texts["Analyses"]
    assert "corrected p below 0.01" in texts["Claims"]


def test_activations_of_cells_are_told_apart() -> None:
    cells = [{"kind": "dale", "activation": "relu"}, "rate", {"kind": "gru", "units": 5}]
    grid = {"cells": cells, "activations": ["tanh"], "units": 12, "seeds": 3}
    networks = dict(methods_of_spec({**SPEC, "networks": grid}).readable)["Networks"]
    assert "Activations were relu (dale) and tanh (rate, GRU), and" in networks
    assert "networks had 12 (dale, rate) and 5 (GRU) units." in networks


def test_a_task_that_is_solved_by_accuracy_has_its_article() -> None:
    task = {"kind": "flip_flop", "solved_loss": None, "solved_accuracy": 0.9}
    text = dict(methods_of_spec({**SPEC, "tasks": [task]}).readable)["Tasks"]
    assert "A network has solved the task at an accuracy above 0.9 on" in text


def test_trials_of_the_evaluation_may_have_noise_of_the_input() -> None:
    text = texts_of(tasks=["integration"])["Tasks"]
    assert "fresh trials without state noise" in text


def test_the_text_says_what_was_computed_in_which_precision() -> None:
    text = texts_of()["Analyses"]
    assert "States, outputs and losses of trained networks were computed in single pre" in text
    assert "Distances of states, and fixed points and other dynamics, were in double" in text


def test_single_things_are_not_in_the_plural() -> None:
    grid = {"cells": "gru", "units": 1, "seeds": 1}
    task = {"kind": "flip_flop", "bits": 1}
    texts = texts_of(tasks=[task], networks=grid, training={"retry": 1})
    assert "It has 1 input and 1 output." in texts["Tasks"]
    assert "networks of 1 kind of cells" in texts["Networks"]
    assert "networks had 1 unit." in texts["Networks"]
    assert "from 1 seed, which determines" in texts["Networks"]
    assert "There was 1 network in all." in texts["Networks"]
    assert "anew up to 1 time." in texts["Training"]


def test_adam_has_its_constants() -> None:
    text = texts_of()["Training"]
    assert "Adam's moments decayed by 0.9 and 0.999, and its epsilon was 1e-08." in text


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        ({"include": [{"cell": "gru", "units": 12}, {"cell": "vanilla"}]},
         "only these were trained: cell=gru, units=12; cell=vanilla."),
        ({"exclude": [{"cell": "gru", "units": [8, 12]}]},
         "These combinations of the grid were left out: cell=gru, units=8 or 12."),
    ],
)  # fmt: skip
def test_combinations_that_were_not_trained_are_said(grid: dict[str, Any], sentence: str) -> None:
    networks = {"cells": ["vanilla", "gru"], "units": [8, 12, 16], **grid}
    text = texts_of(networks=networks)["Networks"]
    assert sentence in text
    assert "On each task, networks of" not in text
    assert "On each task, networks of" in texts_of()["Networks"]


def test_shared_trials_do_not_come_from_the_seeds() -> None:
    assert "determine its initial weights and its trials." in texts_of()["Networks"]
    shared = texts_of(training={"data": "shared"})["Networks"]
    assert "initial weights. All networks of a task were trained on the same trials." in shared
    both = {"cells": "gru", "data": ["shared", "per_member"], "seeds": 3}
    assert "but for networks with shared trials" in texts_of(networks=both)["Networks"]


def test_training_fields_with_several_values_have_them_all() -> None:
    grid = {
        "cells": ["vanilla", "gru"],
        "learning_rate": [0.02, 0.01],
        "stop": ["budget", "solved"],
    }
    overrides = [{"where": {"cell": "gru"}, "set": {"training": {"steps": 200}}}]
    protocols = [
        {"name": "quiet"},
        {"name": "noisy", "training": {"state_noise": 0.07, "train_initial_state": True}},
    ]
    text = texts_of(networks=grid, training={"steps": 100}, overrides=overrides,
                    protocols=protocols)["Training"]  # fmt: skip
    assert "by Adam (Kingma and Ba 2015) for 100 or 200 steps of 32 trials" in text
    assert "from 0.01 or 0.02 to 0.1 times this value" in text
    assert "standard deviation 0 or 0.07 was added" in text
    assert "was trained, too, in some networks, and was zero in the others" in text
    assert "Training of some networks ended early" in text
    assert "the sentences below say which networks had which" in text
    assert "The grid varies learning rate: 0.02 and 0.01." in text
    assert "For cell=gru: steps 200." in text


def test_settings_of_cells_have_exceptions_where_protocols_change_them() -> None:
    assert "Settings of GRU cells: " in texts_of()["Networks"]
    text = texts_of(training={}, protocols=["standard"])["Networks"]
    assert "Settings of GRU cells, but for changes that the training below makes: " in text


def test_values_that_pilots_chose_are_said() -> None:
    spec = {**SPEC, "training": {"steps": 10}, "selection": {"learning_rate": [0.02, 0.01]}}
    study = study_of(spec)
    waiting = dict(methods_of(study, study.expand()).readable)["Training"]
    assert "decays exponentially from a value that is not chosen yet to 0.1 times" in waiting
    assert "They chose between these values: learning rate 0.01 or 0.02." in waiting
    assert "were trained with" not in waiting
    chosen = [
        (member, network.with_selected({"learning_rate": 0.01}))
        for member, network in study.expand()
        if isinstance(network, PendingNetwork)
    ]
    text = dict(methods_of(study, chosen).readable)["Training"]
    assert "from 0.01 to 0.001" in text
    assert (
        "The networks were trained with learning rate 0.01 for flip flop-vanilla-tanh-12, "
        "flip flop-gru-tanh-12."
    ) in text


def test_analyses_say_their_weights_and_tasks() -> None:
    analyses = [
        "fixed_points",
        {"kind": "fixed_points", "weights": "untrained", "tasks": ["flip_flop"]},
        {"kind": "fixed_points", "weights": "standard", "networks": "all"},
        {"kind": "topology", "of": "fixed_points_untrained", "weights": "untrained"},
        "line_attractor",
    ]
    text = texts_of(tasks=["flip_flop", "integration"], analyses=analyses)["Analyses"]
    alone = ", on 3-bit flip-flop memory alone."
    assert "Fixed points of untrained networks (" in text
    assert f"networks that solved their task, with their weights before training{alone}" in text
    assert "of all networks, with weights from the initialisers of the standard protocol." in text
    assert "(fixed points of untrained networks)" in text
    assert text.count(f", with their weights before training{alone}") == 2
    assert "networks that solved their task, on context-dependent integration of 2 str" in text


def test_claims_say_their_networks() -> None:
    claims = [{"kind": "cube", "networks": "trained", "where": {"cell": "gru"}}]
    texts = texts_of(tasks=["flip_flop", "integration"], analyses=["fixed_points"], claims=claims)
    start = "Claim about all trained networks with cell=gru, on 3-bit flip-flop memory alone: "
    assert texts["Claims"].startswith(start)


def test_every_citation_has_an_entry_and_every_entry_is_cited() -> None:
    methods = methods_of_spec(SPEC)
    keys = {key for group in re.findall(r"\[(@[^]]+)\]", methods.markdown)
            for key in re.findall(r"@(\w+)", group)}  # fmt: skip
    assert keys == {source.key for source in methods.sources}
    assert {"kingma2015", "raghu2017", "torgerson1952", "holm1979", "maheswaranathan2019"} <= keys
    assert set(re.findall(r"^@\w+\{(\w+),$", methods.bibtex, re.MULTILINE)) == keys


def test_each_line_of_the_bibliography_is_an_entry() -> None:
    sources = known_sources()
    text = (sources["holm1979"], sources["szekely2013"], sources["molano2022"])
    assert [each.citation for each in text] == [
        "Holm 1979", "Székely and Rizzo 2013", "Molano-Mazón et al. 2022",
    ]  # fmt: skip
    for source in sources.values():
        assert {"author", "title", "year"} <= set(source.fields), source.key
        assert source.key.endswith(source.fields["year"])
        assert all(text.count("{") == text.count("}") for text in source.fields.values())
    named = [key for keys in (*FURTHER.values(), *CLAIM_SOURCES.values()) for key in keys]
    assert set(named) <= set(sources)


CATALOGUES = {**TASKS, **CELLS, **METRICS, **ANALYSES, **CLAIMS}


@pytest.mark.parametrize("kind", CATALOGUES)
def test_references_of_docstrings_are_read(kind: str) -> None:
    docstring = CATALOGUES[kind].__doc__ or ""
    if "References\n" in docstring:
        sources = sources_in(inspect.cleandoc(docstring))
        assert sources
        assert all(source.fields["title"] for source in sources)
        for name in (name for source in sources for name in source.fields["author"].split(" and ")):
            # BibTeX reads "Last, First" and "Last, Jr, First".
            assert name.count(",") <= 2, name
            assert not re.search("&|et al", name), name


@pytest.mark.parametrize("kind", CATALOGUES)
def test_every_source_of_this_package_is_in_its_bibliography(kind: str) -> None:
    listed = sources_in(inspect.cleandoc(CATALOGUES[kind].__doc__ or ""))
    assert [source.key for source in listed if source.key not in known_sources()] == []


@pytest.mark.parametrize(
    ("reference", "author", "citation"),
    [
        ("Doe (1999), On a.", "Doe", "Doe 1999"),
        ("Doe & Roe (1999), On a.", "Doe and Roe", "Doe and Roe 1999"),
        ("Doe, Roe & Poe (1999), On a.", "Doe and Roe and Poe", "Doe et al. 1999"),
        ("Doe, Roe, and Poe (1999), On a.", "Doe and Roe and Poe", "Doe et al. 1999"),
        ("Doe, Roe, Poe 1999, On a.", "Doe and Roe and Poe", "Doe et al. 1999"),
        ("Doe et al. (1999), On a.", "Doe and others", "Doe et al. 1999"),
        ("Doe, Roe et al. (1999), On a.", "Doe and Roe and others", "Doe et al. 1999"),
        ("Doe, Jane & Roe, Richard (1999), On a.", "Doe, Jane and Roe, Richard",
         "Doe and Roe 1999"),
    ],
)  # fmt: skip
def test_authors_of_other_sources_are_as_bibtex_reads_them(
    reference: str, author: str, citation: str
) -> None:
    (source,) = sources_in(f"A class.\n\nReferences\n----------\n{reference}")
    assert source.fields["author"] == author
    assert source.citation == citation


def test_the_method_of_driven_networks_is_cited_by_all_its_authors() -> None:
    pairs = {"kind": "pairs", "metric": {"kind": "input_dsa"}}
    methods = methods_of_spec({**SPEC, "analyses": [pairs], "claims": []})
    assert "Huang et al. 2025; Proctor et al. 2016" in dict(methods.readable)["Analyses"]
    assert "Singh, Satpreet H." in methods.bibtex
