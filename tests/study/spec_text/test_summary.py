"""A study shows itself in ten lines, as text and in a notebook."""

from pathlib import Path

from rnnstudy.study.spec.study import load_study, study_of

SPECS = Path(__file__).parents[3] / "specs"


def test_a_small_study_says_what_it_holds() -> None:
    study = study_of(
        {
            "study": "a",
            "tasks": ["flip_flop", "sine"],
            "networks": {"cells": ["gru", "lstm"], "units": [8, 16], "seeds": 2},
            "training": {"steps": 7, "batch": 3},
            "analyses": ["fixed_points"],
        }
    )
    lines = [line.split(maxsplit=1) for line in repr(study).splitlines()]
    assert lines == [
        ["study", "a: 16 networks"],
        ["tasks", "flip_flop, sine"],
        ["networks", "gru, lstm, tanh; 8, 16 units; 2 seeds"],
        ["training", "7 steps of 3 trials, learning rate 0.01"],
        ["analyses", "fixed_points"],
        ["claims", "none"],
    ]
    assert str(study) == repr(study)


def test_every_shipped_study_fits_ten_lines() -> None:
    for name in ("quickstart", "universality-small", "universality-confirmatory"):
        study = load_study(SPECS / f"{name}.yaml")
        lines = repr(study).splitlines()
        assert len(lines) <= 10
        assert max(map(len, lines)) <= 100
        assert study._repr_html_().count("<tr>") == len(lines)
        assert f"{len(study.expand())} networks" in study._repr_html_()
