"""The damping rule: one step by hand, and the same numbers from NumPy and TensorFlow."""

import numpy as np
import pytest

from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.root_finding.damping import DampedState, DampingRule
from rnnstudy.dynamics.root_finding.solvers import LevenbergMarquardt

RULE = DampingRule(patience=2)


def state(damping=1.0, reference=4.0, stagnation=0.0):
    """Three points of objective 4."""
    ones = np.ones(3)
    return DampedState(4.0 * ones, damping * ones, ones, reference * ones, stagnation * ones)


def test_damping_falls_after_a_lower_objective_and_rises_after_others():
    is_lower, after = RULE.next_state(state(), np.array([1.0, 3.0, np.nan]), np.ones(3), np)
    assert is_lower.tolist() == [True, True, False]
    assert after.objective.tolist() == [1.0, 3.0, 4.0]
    np.testing.assert_array_equal(after.damping, [0.2, 0.2, 6.0])
    assert after.reference.tolist() == [1.0, 4.0, 4.0]
    assert after.stagnation.tolist() == [0.0, 1.0, 1.0]


def test_a_point_is_stuck_for_three_reasons():
    assert not RULE.is_stuck(state()).any()
    assert RULE.is_stuck(state(damping=1e13)).all()
    assert RULE.is_stuck(state(stagnation=2.0)).all()
    assert RULE.is_stuck(state()._replace(relative_gradient=np.full(3, 1e-10))).all()


def test_numpy_and_tensorflow_give_the_same_numbers():
    tried, gradient = np.array([1.0, 3.0, np.nan]), np.array([0.3, 1e-12, 0.1])
    expected = RULE.next_state(state(), tried, gradient, np)[1]
    tensors = DampedState(*map(tf.constant, state()))
    after = RULE.next_state(tensors, tf.constant(tried), tf.constant(gradient), tf)[1]
    for ours, theirs in zip(after, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_former_names_of_the_settings_are_accepted_for_one_version():
    with pytest.warns(DeprecationWarning, match="most_damping was renamed to .*max_damping"):
        solver = LevenbergMarquardt(most_damping=1e6)
    assert solver == LevenbergMarquardt(max_damping=1e6)
    assert solver.rule.max_damping == 1e6
