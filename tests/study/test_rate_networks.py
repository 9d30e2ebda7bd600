"""Networks whose readout reads a function of the state, from a spec to the report."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy import runner
from rnnstudy.study.spec.study import study_of

SEARCH = {"candidates": 32, "rounds": 2}
ANALYSES: list[dict[str, Any]] = [
    {"kind": "fixed_points", "search": SEARCH},
    {"kind": "representations"},
    {"kind": "pairs", "metric": "cka"},
    {"kind": "embedding", "of": "cka"},
    {"kind": "topology", "steps": 50},
    {"kind": "solution_classes"},
    {"kind": "generalisation", "trials": 4},
    {"kind": "line_attractor", "points": 8},
]
SPEC: dict[str, Any] = {
    "study": "rates",
    "tasks": [
        {"kind": "flip_flop", "bits": 1, "length": 12, "probe_length": 12, "probe_trials": 6},
        {"kind": "integration", "length": 12, "probe_trials": 4},
    ],
    "networks": {
        "cells": [
            {"kind": "rate", "tau": 40},
            {"kind": "dale", "activation": "relu", "tau": 40},
            "min_gru",
        ],
        "units": 4,
        "seeds": 2,
    },
    "training": {"steps": 8, "batch": 4, "state_noise": 0.05},
    # Networks of a few steps of training have not solved the task.
    "analyses": [{"networks": "trained", **analysis} for analysis in ANALYSES],
    "report": {"formats": "svg"},
}


@pytest.mark.slow
def test_rate_networks_go_through_a_study(tmp_path: Path) -> None:
    run = runner.run(study_of(SPEC), tmp_path / "run")
    assert run.failures() == []
    assert len(run.members) == 12
    page = (run.directory / "report" / "index.html").read_text(encoding="utf-8")
    assert "Fixed points of typical networks" in page
    assert "EagerTensor" not in page
    name = "flip_flop-rate-tanh-4-s000"
    activity = run.record("representations", name)
    states = run.trained_network(name).population.unroll(np.asarray(activity.inputs))[0]
    np.testing.assert_allclose(activity.states, np.tanh(states), atol=1e-6)
