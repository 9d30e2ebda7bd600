"""What every metric of the catalogue promises."""

import importlib
import inspect
import pkgutil
import re
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnstudy.metrics
from rnnstudy.core.component import restore
from rnnstudy.metrics import (
    CCA,
    CKA,
    DSA,
    METRICS,
    PWCCA,
    RSA,
    SVCCA,
    InputDSA,
    Metric,
    PrincipalAngles,
    Procrustes,
    UndefinedMetric,
)
from rnnstudy.metrics.base import form_arrays, stack_forms

TRIALS, TIME = 3, 20
SAMPLES = TRIALS * TIME

ALL_DIRECTIONS = {"cca", "pwcca"}
"""Metrics of all directions, undefined for states that have every direction of so few samples."""

OVER_UNITS = {"pwcca"}
"""Metrics that sum over units, and so know their axes."""


def representations(seed, widths=(4, 9, 17)):
    """[sample, unit] each: different widths that share three latent signals; offsets, scales."""
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((SAMPLES, 3)) * [3.0, 2.0, 1.0]
    return [
        latent @ generator.standard_normal((3, width))
        + 0.5 * generator.standard_normal((SAMPLES, width))
        + 5.0 * generator.standard_normal(width)
        for width in widths
    ]


INPUTS = np.random.default_rng(99).standard_normal((TRIALS, TIME, 2))


def given_to(metric, states):
    """States [sample, unit] in the shape that a metric wants, with inputs if it wants them."""
    shaped = states.reshape(TRIALS, TIME, -1) if metric.trajectories else states
    return (shaped, INPUTS) if metric.driven else shaped


def similarity(metric, x, y):
    return metric.similarity(given_to(metric, x), given_to(metric, y))


def distance(metric, x, y):
    return metric.distance(given_to(metric, x), given_to(metric, y))


def form(metric, x):
    return metric.prepare(given_to(metric, x))


@pytest.fixture(params=sorted(METRICS))
def metric(request):
    return METRICS[request.param]()


def test_the_catalogue_misses_no_metric():
    found = set()
    for module in pkgutil.walk_packages(rnnstudy.metrics.__path__, "rnnstudy.metrics."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(cls, Metric) and not inspect.isabstract(cls):
                found.add(cls)
    assert found == set(METRICS.values())


def test_the_catalogue_names_a_metric_by_its_kind():
    assert {name: cls.kind for name, cls in METRICS.items()} == {name: name for name in METRICS}


def test_the_shelf_offers_every_metric_by_name():
    assert {cls.__name__ for cls in METRICS.values()} < set(rnnstudy.metrics.__all__)


def test_every_field_is_described_and_every_metric_survives_storage(metric):
    assert all(field.description for field in type(metric).model_fields.values())
    assert restore(metric.serialise()) == metric


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(METRICS)))
def test_similarity_is_symmetric_and_at_most_1(seed, kind):
    metric = METRICS[kind]()
    x, y, _ = representations(seed)
    found = similarity(metric, x, y)
    assert -1.0 <= found < 1.0
    assert similarity(metric, y, x) == found
    a, b = form(metric, x), form(metric, y)
    assert distance(metric, x, y) == metric.to_distance(np.asarray(found), a, b) > 0.0


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 3, 30, 90])
def test_a_representation_is_exactly_like_itself(metric, width, precision):
    (x,) = representations(width, widths=(width,))
    x = x.astype(precision)
    if metric.kind in ALL_DIRECTIONS and width >= SAMPLES:
        with pytest.raises(UndefinedMetric, match="60 samples that vary in 59 directions"):
            similarity(metric, x, x)
        return
    assert similarity(metric, x, x.copy()) == 1.0
    assert distance(metric, x, x.copy()) == 0.0


def test_rotation_scale_and_offset_change_nothing(metric):
    x, y, _ = representations(1)
    rotation, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))
    assert distance(metric, x, 3.0 * x @ rotation + 7.0) == 0.0
    moved = similarity(metric, -0.2 * x @ rotation - 1.0, y)
    close = 0.05 if metric.kind in OVER_UNITS else 1e-9
    assert moved == pytest.approx(similarity(metric, x, y), abs=close)


def test_one_scale_and_an_offset_change_nothing(metric):
    x, y, _ = representations(1)
    moved = similarity(metric, -0.2 * x - 1.0, y)
    assert moved == pytest.approx(similarity(metric, x, y), abs=1e-11)


def test_the_order_of_samples_matters_only_if_it_differs(metric):
    if metric.trajectories:
        return
    x, y, _ = representations(1)
    order = np.random.default_rng(2).permutation(SAMPLES)
    assert metric.similarity(x[order], y[order]) == pytest.approx(metric.similarity(x, y))
    assert metric.similarity(x, y[order]) < metric.similarity(x, y) - 0.05


def test_a_table_of_pairs_equals_pairs_alone(metric):
    xs = representations(3, widths=(5, 2, 5, 8))
    forms = [form(metric, x) for x in xs]
    alone = [[similarity(metric, x, y) for y in xs[1:]] for x in xs[:3]]
    apart = [[distance(metric, x, y) for y in xs[1:]] for x in xs[:3]]
    first, second = stack_forms(forms[:3]), stack_forms(forms[1:])
    assert metric.table(first, second) == pytest.approx(np.array(alone), abs=1e-11)
    # Where cosines are 1 to their last digits, angles are right to half of these.
    assert metric.distances(first, second) == pytest.approx(np.array(apart), abs=1e-5)


def test_zeros_appended_to_a_form_change_nothing(metric):
    x, y, _ = representations(3)
    a, b = form(metric, x), form(metric, y)
    padded = {name: np.pad(part, [(0, 3 * (name != "rows" or axis == 0))
                                  for axis in range(part.ndim) for _ in [0]][: part.ndim])
              if part.ndim else part
              for name, part in form_arrays(a).items()}  # fmt: skip
    assert metric.compare(padded, b) == pytest.approx(metric.compare(a, b), abs=1e-11)
    assert metric.compare(padded, a) == 1.0


CONSTANT = np.full((SAMPLES, 6), 0.1, np.float32) * np.arange(6, dtype=np.float32)


@pytest.mark.parametrize("other", ["varying", "constant", "zeros"])
def test_of_a_constant_representation_no_number_is_made(metric, other):
    """0 / 0 is neither 0 nor 1."""
    x, _, _ = representations(4)
    y = {"varying": x, "constant": 2.0 * CONSTANT, "zeros": np.zeros((SAMPLES, 2))}[other]
    for pair in ((CONSTANT, y), (y, CONSTANT)):
        for measure in (similarity, distance):
            with pytest.raises(UndefinedMetric, match="must vary"):
                measure(metric, *pair)


@pytest.mark.parametrize(
    "metric",
    [
        CKA(debiased=True),
        Procrustes(measure="euclidean"),
        Procrustes(scaled=False),
        Procrustes(alpha=0.5),
        RSA(correlation="pearson"),
        DSA(delays=2, measure="euclidean"),
        InputDSA(part="state"),
        SVCCA(divide_by="smaller"),
    ],
    ids=str,
)
def test_settings_make_a_constant_representation_no_better(metric):
    with pytest.raises(UndefinedMetric, match="must vary"):
        form(metric, CONSTANT)


def test_the_difference_of_sizes_is_defined_for_a_size_of_0():
    x, _, _ = representations(4)
    metric = Procrustes(measure="euclidean", scaled=False)
    assert metric.distance(x, np.zeros_like(x)) == pytest.approx(np.linalg.norm(x - x.mean(axis=0)))
    assert metric.distance(CONSTANT, np.zeros((SAMPLES, 2))) == 0.0


def test_an_unbiased_criterion_of_0_gives_no_number():
    """One-hot samples: all pairs are equally far, so that HSIC_1 with themselves is 0."""
    with pytest.raises(UndefinedMetric, match="HSIC_1 of states with themselves must be above 0"):
        CKA(debiased=True).prepare(np.eye(6))


def test_units_that_do_not_move_and_copies_of_units_change_nothing(metric):
    x, y, _ = representations(5)
    still = np.concatenate([x, np.full((SAMPLES, 3), 0.3)], axis=1)
    assert distance(metric, x, still) == 0.0
    twice = np.concatenate([x, x], axis=1)
    assert similarity(metric, twice, y) == pytest.approx(similarity(metric, x, y), abs=1e-9)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (np.ones(5), "must be [sample, unit] with at least 2 samples, got shape (5,)"),
        (np.ones((1, 5)), "at least 2 samples, got shape (1, 5)"),
        (np.ones((5, 0)), "at least 2 samples, got shape (5, 0)"),
        (np.array([[1.0, 2.0], [1.0, np.nan], [np.inf, 0.0]]),
         "states must be finite, got 2 of 6 values that are not (first at sample 1, unit 1)"),
    ],
)  # fmt: skip
def test_unusable_states_are_refused(metric, states, message):
    if metric.trajectories:
        return
    with pytest.raises(ValueError, match=re.escape(message)):
        metric.prepare(states)


@pytest.mark.parametrize(
    "metric", [CCA(), SVCCA(), PWCCA(), PrincipalAngles(), Procrustes(alpha=0.0)], ids=str
)
def test_a_subspace_of_all_directions_has_no_angles(metric):
    """Any 6 units on 4 samples vary in 3 directions, and so does every other representation."""
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 4, 6))
    with pytest.raises(UndefinedMetric, match="got 4 samples that vary in 3 directions"):
        metric.similarity(x, y)
    x, y = generator.standard_normal((2, 60, 6))
    assert 0.0 < metric.similarity(x, y) < 0.9


@pytest.mark.parametrize("kind", ["cka", "procrustes", "rsa"])
def test_two_samples_are_too_few(kind):
    x, y = np.random.default_rng(0).standard_normal((2, 2, 6))
    with pytest.raises(UndefinedMetric, match=f"{kind} must have at least 3 samples, got 2"):
        METRICS[kind]().distance(x, y)


def test_different_samples_are_refused(metric):
    if metric.trajectories:
        return
    with pytest.raises(ValueError, match="must have equal numbers of samples, got 60 and 59"):
        metric.similarity(np.ones((60, 2)), np.ones((59, 2)))


def test_the_example_of_the_contract_is_a_metric():
    _, _, example = inspect.getdoc(Metric).partition("    class Cosine")
    example = example.partition("\n\nExamples\n")[0]
    names = {"np": np, "__name__": "example"} | vars(rnnstudy.metrics.base)
    exec(textwrap.dedent("    class Cosine" + example), names)
    cosine = names["Cosine"]()
    x, y = representations(6, widths=(4, 4))
    flat_x, flat_y = ((z - z.mean(axis=0)).ravel() for z in (x, y))
    expected = max(np.corrcoef(flat_x, flat_y)[0, 1], 0.0)
    assert cosine.similarity(x, y) == pytest.approx(expected)
    assert cosine.distance(x, x) == 0.0
    forms = stack_forms([cosine.prepare(x), cosine.prepare(y)])
    assert cosine.distances(forms, forms)[0, 1] == pytest.approx(1.0 - expected)
