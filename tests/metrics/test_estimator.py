"""Metrics as estimators of scikit-learn: against scikit-learn itself, and against theory."""

import copy
import pickle

import numpy as np
import pytest
from sklearn import cross_decomposition
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from rnnstudy.metrics import (
    CCA,
    CKA,
    DSA,
    METRICS,
    PWCCA,
    RSA,
    SVCCA,
    PrincipalAngles,
    Procrustes,
)
from rnnstudy.metrics.alignment import AligningMetric

SAMPLES = 400

ALIGNING = [
    CCA(),
    CCA(divide_by="smaller"),
    SVCCA(dimensions=3),
    SVCCA(dimensions=None, variance=0.9),
    PWCCA(),
    PrincipalAngles(dimensions=3),
    PrincipalAngles(dimensions=5),
    Procrustes(),
    Procrustes(alpha=0.5),
    Procrustes(alpha=0.0),
    Procrustes(measure="euclidean"),
    Procrustes(measure="euclidean", scaled=False),
]


def correlated(seed=0, correlations=(0.95, 0.8, 0.5), widths=(4, 6), samples=SAMPLES):
    """Two representations whose canonical correlations are known, [sample, unit] each.

    Units are random mixtures of latent signals. The first signals of both sides have the given
    correlations, the others none.
    """
    generator = np.random.default_rng(seed)
    first, second = (generator.standard_normal((samples, width)) for width in widths)
    for k, correlation in enumerate(correlations):
        second[:, k] = correlation * first[:, k] + np.sqrt(1 - correlation**2) * second[:, k]
    mixed = [z @ generator.standard_normal((z.shape[1], z.shape[1])) for z in (first, second)]
    return mixed[0] + 3.0, mixed[1] - 1.0


@pytest.mark.parametrize("metric", ALIGNING, ids=str)
def test_on_training_samples_the_score_is_the_similarity(metric):
    x, y = correlated()
    for pair in ((x, y), (y, x)):
        fitted = metric.replace().fit(*pair)
        assert fitted.score(*pair) == pytest.approx(metric.similarity(*pair), abs=1e-9)


@pytest.mark.parametrize("metric", ALIGNING, ids=str)
def test_the_score_of_other_samples_needs_no_fit_to_them(metric):
    """An exact relation carries over: y is a rotation of x, larger, elsewhere."""
    x, _ = correlated(widths=(6, 6))
    y = 2.0 * x @ np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0] + 4.0
    fitted = metric.replace().fit(x[:300], y[:300])
    exact = 0.8 if metric == Procrustes(measure="euclidean", scaled=False) else 1.0
    assert fitted.score(x[300:], y[300:]) == pytest.approx(exact, abs=1e-6)
    # The same numbers in another order are no relation.
    assert abs(fitted.score(x[300:], y[:100])) < 0.5


def test_variates_are_those_of_scikit_learns_cca():
    x, y = correlated()
    theirs = cross_decomposition.CCA(n_components=4, scale=False, max_iter=20_000, tol=1e-14).fit(
        x, y
    )
    ours = CCA().fit(x, y)
    for part in (slice(0, 300), slice(300, 400)):
        (a, b), (c, d) = ours.transform(x[part], y[part]), theirs.transform(x[part], y[part])
        for k in range(4):
            # Up to one sign for both sides. Theirs iterates to its tolerance.
            assert abs(np.corrcoef(a[:, k], c[:, k])[0, 1]) == pytest.approx(1.0, abs=1e-4)
            assert np.corrcoef(a[:, k], b[:, k])[0, 1] == pytest.approx(
                np.corrcoef(c[:, k], d[:, k])[0, 1], abs=1e-3
            )
    a, b = ours.transform(x, y)
    assert np.cov(a.T) == pytest.approx(np.eye(4), abs=1e-9)
    assert np.cov(b.T) == pytest.approx(np.eye(4), abs=1e-9)
    assert a.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)


def test_cross_validation_finds_planted_correlations():
    """Mean of 0.95, 0.8, 0.5 and 0; each fold's correlation has a deviation of about 1/sqrt(n)."""
    x, y = correlated(samples=4000, widths=(4, 4))
    scores = cross_val_score(CCA(), x, y, cv=5)
    assert scores.mean() == pytest.approx((0.95 + 0.8 + 0.5) / 4, abs=0.03)


def test_unrelated_representations_have_no_score_although_they_seem_alike():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 60, 20))
    assert CCA().similarity(x, y) > 0.4
    # Five folds of 12 samples and 20 variates: a deviation of about 1 / sqrt(5 * 12 * 20) = 0.03.
    assert abs(cross_val_score(CCA(), x, y).mean()) < 0.12


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_the_score_of_a_noisy_rotation_is_its_theory(noise):
    """y = x R + noise: the cosine is 1 / sqrt(1 + noise^2) for units of variance 1."""
    generator = np.random.default_rng(3)
    x = generator.standard_normal((2000, 6))
    rotation = np.linalg.qr(generator.standard_normal((6, 6)))[0]
    y = 5.0 * (x @ rotation + noise * generator.standard_normal(x.shape)) - 2.0
    scores = cross_val_score(Procrustes(), x, y, cv=KFold(5))
    # 12,000 numbers in all; the rotation costs about 15 parameters of 1600 rows.
    assert scores.mean() == pytest.approx(1.0 / np.sqrt(1.0 + noise**2), abs=0.02)
    placed = Procrustes().fit(x, y).transform(x)
    ratio = 5.0 * np.sqrt(1.0 + noise**2)
    assert placed == pytest.approx(ratio * (x - x.mean(axis=0)) @ rotation, abs=0.6 * ratio)


@pytest.mark.parametrize("metric", [CKA(), RSA(), CKA(debiased=True)], ids=str)
def test_a_metric_without_alignment_scores_the_similarity_of_each_fold(metric):
    x, y = correlated(samples=60)
    folds = KFold(4)
    scores = cross_val_score(metric, x, y, cv=folds)
    expected = [metric.similarity(x[held], y[held]) for _, held in folds.split(x)]
    assert scores == pytest.approx(expected, abs=1e-12)
    assert not hasattr(metric, "transform")
    with pytest.raises(AttributeError, match=f"{metric.kind} must align states to have a trans"):
        _ = metric.transform


def test_trials_of_dsa_are_held_out_as_wholes():
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 8, 20, 3)).cumsum(axis=2)
    metric = DSA(delays=2, rank=3)
    scores = cross_val_score(metric, x, y, cv=KFold(2))
    assert scores == pytest.approx([metric.similarity(x[4:], y[4:]) if k else
                                    metric.similarity(x[:4], y[:4]) for k in range(2)])  # fmt: skip


@pytest.mark.parametrize("kind", sorted(METRICS))
def test_clones_have_equal_parameters_and_no_fit(kind):
    metric = METRICS[kind]()
    if isinstance(metric, AligningMetric):
        metric.fit(*correlated())
        check_is_fitted(metric)
    copied = clone(metric)
    assert copied == metric
    assert copied is not metric
    assert "alignment_" not in vars(copied)
    assert copied.get_params() == metric.get_params()
    assert type(metric)(**metric.get_params()) == metric


def test_a_fit_is_no_part_of_a_metrics_value():
    x, y = correlated()
    metric, fitted = SVCCA(), SVCCA().fit(x, y)
    assert fitted == metric
    assert SVCCA().fit(y, x) == fitted
    assert hash(fitted) == hash(metric)
    assert fitted.key() == metric.key()
    assert fitted.serialise() == metric.serialise()
    assert repr(fitted) == repr(metric)
    assert "alignment_" not in vars(fitted.replace(dimensions=2))
    for same in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert same.score(x, y) == fitted.score(x, y)


def test_parameters_change_in_place_with_their_address_and_without_the_fit():
    x, y = correlated()
    metric = SVCCA(dimensions=2).fit(x, y)
    former = metric.key()
    assert metric.set_params(dimensions=3) is metric
    assert metric == SVCCA(dimensions=3)
    assert metric.key() == SVCCA(dimensions=3).key() != former
    assert "alignment_" not in vars(metric)


def test_a_grid_search_chooses_the_dimensions_that_carry_over():
    """Three strong shared directions among weak private ones."""
    generator = np.random.default_rng(0)
    shared = 5.0 * generator.standard_normal((200, 3))
    x, y = (
        np.hstack([shared @ turn, generator.standard_normal((200, 9))])
        for turn in np.linalg.qr(generator.standard_normal((2, 3, 3)))[0]
    )
    search = GridSearchCV(SVCCA(), {"dimensions": [1, 3, 9]}, cv=4).fit(x, y)
    scores = dict(zip((1, 3, 9), search.cv_results_["mean_test_score"], strict=True))
    assert scores[3] > 0.99
    assert scores[9] == pytest.approx(3 / 9, abs=0.15)
    assert search.best_params_ in ({"dimensions": 1}, {"dimensions": 3})


def test_pipelines_before_and_after():
    x, y = correlated(correlations=(1.0, 1.0, 1.0, 1.0), widths=(4, 4))
    scaled = make_pipeline(StandardScaler(), CCA()).fit(x[:300], y[:300])
    assert scaled.score(x[300:], y[300:]) == pytest.approx(1.0, abs=1e-9)
    regression = make_pipeline(Procrustes(), LinearRegression()).fit(x[:300], y[:300])
    assert regression.score(x[300:], y[300:]) == pytest.approx(1.0, abs=1e-9)
