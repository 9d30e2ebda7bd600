"""Methods of a study in words: the numbers of the spec, and sources with entries in BibTeX."""

import inspect
import re

import pytest

from rnnstudy.analyses import ANALYSES
from rnnstudy.cells import CELLS
from rnnstudy.claims import CLAIMS
from rnnstudy.metrics import METRICS
from rnnstudy.report.methods.bibliography import known_sources
from rnnstudy.report.methods.sources import sources_in
from rnnstudy.report.methods.text import CLAIM_SOURCES, FURTHER, methods_of
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


def test_the_numbers_of_the_spec_are_in_the_text() -> None:
    methods = methods_of(study_of(SPEC), 6)
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
    networks = dict(methods_of(study_of({**SPEC, "networks": grid}), 9).readable)["Networks"]
    assert "Activations were relu (dale) and tanh (rate, GRU), and" in networks
    assert "networks had 12 (dale, rate) and 5 (GRU) units." in networks


def test_a_task_that_is_solved_by_accuracy_has_its_article() -> None:
    task = {"kind": "flip_flop", "solved_loss": None, "solved_accuracy": 0.9}
    text = dict(methods_of(study_of({**SPEC, "tasks": [task]}), 6).readable)["Tasks"]
    assert "A network has solved the task at an accuracy above 0.9 on" in text


def test_every_citation_has_an_entry_and_every_entry_is_cited() -> None:
    methods = methods_of(study_of(SPEC), 6)
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
    methods = methods_of(study_of({**SPEC, "analyses": [pairs], "claims": []}), 6)
    assert "Huang et al. 2025; Proctor et al. 2016" in dict(methods.readable)["Analyses"]
    assert "Singh, Satpreet H." in methods.bibtex
