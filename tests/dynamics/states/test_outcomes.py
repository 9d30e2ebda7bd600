"""Outcomes: codes, names, sentences with remedies, counts."""

import importlib

import numpy as np
import pytest

from rnnstudy.dynamics.states.outcomes import Outcomes

OUTCOMES = Outcomes({"done": "It ended.", "limit": ("It was cut off.", "Raise `limit`.")})

TABLES = {
    "fixed_points.record:FIXED_POINT_OUTCOMES": (
        "converged", "slow", "degenerate", "outside", "diverged", "limit",
    ),
    "periodic_orbits.record:ORBIT_OUTCOMES": (
        "converged", "fixed point", "shorter period", "degenerate", "outside", "not converged",
        "diverged",
    ),
    "invariant_circles.record:CIRCLE_OUTCOMES": (
        "circle", "fixed point", "periodic", "unsettled", "escaped",
    ),
    "basins.follow:BASIN_OUTCOMES": ("attractor", "elsewhere", "cycling", "escaped", "moving"),
    "connections.arrivals:ARRIVAL_OUTCOMES": ("point", "elsewhere", "cycling", "escaped", "moving"),
    "continuation.pseudo_arclength:BRANCH_OUTCOMES": (
        "end", "beginning", "closed", "points", "diverged", "lost", "no fixed point", "",
    ),
}  # fmt: skip
"""Names in the order of their codes, which are stored: an order never changes."""


def test_codes_count_from_zero_in_order():
    assert [outcome.code for outcome in OUTCOMES.values()] == [0, 1] == list(OUTCOMES.codes)
    assert OUTCOMES.name_of(1) == "limit"
    assert OUTCOMES.names_of(np.array([[1], [0]])).tolist() == [["limit"], ["done"]]


def test_an_outcome_prints_its_sentence_and_its_remedy():
    assert str(OUTCOMES["limit"]) == repr(OUTCOMES["limit"])
    assert str(OUTCOMES["limit"]) == "limit: It was cut off. Raise `limit`."
    assert repr(OUTCOMES) == "done: It ended.\nlimit: It was cut off. Raise `limit`."


def test_counts_are_a_dict_that_explains_itself():
    counts = OUTCOMES.count(np.array([1, 1]))
    assert counts == {"done": 0, "limit": 2}
    assert str(counts) == "2 limit: It was cut off. Raise `limit`."
    assert str(OUTCOMES.count(np.zeros(0, int))) == "no outcomes"


@pytest.mark.parametrize("where", TABLES)
def test_the_codes_of_stored_records_stay(where):
    module, name = where.split(":")
    table = getattr(importlib.import_module(f"rnnstudy.dynamics.{module}"), name)
    assert table.names == TABLES[where]
    assert all(outcome.sentence.endswith(".") for outcome in table.values())
