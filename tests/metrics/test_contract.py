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
from rnnstudy.component import restore
from rnnstudy.metrics import METRICS, Metric

SAMPLES = 60


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


@pytest.fixture(params=sorted(METRICS))
def metric(request):
    return METRICS[request.param]()


def test_the_catalogue_misses_no_metric():
    found = set()
    for module in pkgutil.iter_modules(rnnstudy.metrics.__path__, "rnnstudy.metrics."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(cls, Metric) and not inspect.isabstract(cls):
                found.add(cls)
    assert found == set(METRICS.values())


def test_the_catalogue_names_a_metric_by_its_kind():
    assert {name: cls.kind for name, cls in METRICS.items()} == {name: name for name in METRICS}


def test_every_field_is_described_and_every_metric_survives_storage(metric):
    assert all(field.description for field in type(metric).model_fields.values())
    assert restore(metric.stored()) == metric


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(METRICS)))
def test_similarity_is_symmetric_and_between_0_and_1(seed, kind):
    metric = METRICS[kind]()
    x, y, _ = representations(seed)
    similarity = metric.similarity(x, y)
    assert 0.0 <= similarity <= 1.0
    assert metric.similarity(y, x) == similarity
    assert metric.distance(x, y) == 1.0 - similarity


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 3, 30, 90])
def test_a_representation_is_exactly_like_itself(metric, width, precision):
    (x,) = representations(width, widths=(width,))
    x = x.astype(precision)
    assert metric.similarity(x, x.copy()) == 1.0
    assert metric.distance(x, x.copy()) == 0.0


def test_rotation_scale_and_offset_change_nothing(metric):
    x, y, _ = representations(1)
    rotation, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))
    assert metric.distance(x, 3.0 * x @ rotation + 7.0) == 0.0
    moved = metric.similarity(-0.2 * x @ rotation - 1.0, y)
    assert moved == pytest.approx(metric.similarity(x, y), abs=1e-11)


def test_the_order_of_samples_matters_only_if_it_differs(metric):
    x, y, _ = representations(1)
    order = np.random.default_rng(2).permutation(SAMPLES)
    assert metric.similarity(x[order], y[order]) == pytest.approx(metric.similarity(x, y))
    assert metric.similarity(x, y[order]) < metric.similarity(x, y) - 0.2


def test_prepared_pairs_in_blocks_equal_pairs_alone(metric):
    xs = representations(3, widths=(5, 5, 5, 5))
    forms = np.stack([metric.prepare(x) for x in xs])
    block = metric.compare(forms[:3, None], forms[None, 1:])
    alone = [[metric.similarity(x, y) for y in xs[1:]] for x in xs[:3]]
    assert block == pytest.approx(np.array(alone), abs=1e-11)


def test_zeros_appended_to_a_form_change_nothing(metric):
    x, y, _ = representations(3)
    a, b = metric.prepare(x), metric.prepare(y)
    padded = np.pad(a, [(0, 0), (0, 4)])
    assert metric.compare(padded, b) == pytest.approx(metric.compare(a, b), abs=1e-11)
    assert metric.compare(padded, a) == 1.0


def test_a_constant_representation_is_like_a_constant_one_only(metric):
    x, y, _ = representations(4)
    constant = np.full((SAMPLES, 6), 0.1, np.float32) * np.arange(6, dtype=np.float32)
    assert metric.similarity(constant, x) == 0.0
    assert metric.distance(y, constant) == 1.0
    assert metric.similarity(constant, constant) == 1.0
    assert metric.similarity(constant, np.zeros((SAMPLES, 2))) == 1.0


def test_units_that_do_not_move_and_copies_of_units_change_nothing(metric):
    x, y, _ = representations(5)
    still = np.concatenate([x, np.full((SAMPLES, 3), 0.3)], axis=1)
    assert metric.distance(x, still) == 0.0
    twice = np.concatenate([x, x], axis=1)
    assert metric.similarity(twice, y) == pytest.approx(metric.similarity(x, y), abs=1e-11)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (np.ones(5), "should be [sample, unit] with at least 2 samples, not of shape (5,)"),
        (np.ones((1, 5)), "at least 2 samples, not of shape (1, 5)"),
        (np.ones((5, 0)), "at least 2 samples, not of shape (5, 0)"),
        (np.array([[1.0, 2.0], [1.0, np.nan], [np.inf, 0.0]]),
         "states should be finite, 2 of 6 values are not (first at sample 1, unit 1)"),
    ],
)  # fmt: skip
def test_unusable_states_are_refused(metric, states, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        metric.prepare(states)


def test_different_samples_are_refused(metric):
    with pytest.raises(ValueError, match="x has 60 samples, y has 59; they should be the same"):
        metric.similarity(np.ones((60, 2)), np.ones((59, 2)))


def test_the_example_of_the_contract_is_a_metric():
    _, _, example = inspect.getdoc(Metric).partition("    class Cosine")
    names = {"np": np, "__name__": "example"} | vars(rnnstudy.metrics.base)
    exec(textwrap.dedent("    class Cosine" + example), names)
    cosine = names["Cosine"]()
    x, y = representations(6, widths=(4, 4))
    flat_x, flat_y = ((z - z.mean(axis=0)).ravel() for z in (x, y))
    expected = np.corrcoef(flat_x, flat_y)[0, 1]
    assert cosine.similarity(x, y) == pytest.approx(max(expected, 0.0))
    assert cosine.distance(x, x) == 0.0
