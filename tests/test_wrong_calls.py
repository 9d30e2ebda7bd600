"""Wrong calls of the public names: each is answered in one sentence of this package."""
# ruff: noqa: E501

import numpy as np
import pytest
import yaml
from refusals import check_refusal

import rnnstudy
from rnnstudy import exhibits
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.claims import CLAIMS
from rnnstudy.comparison.distances import embedding, graphs, out_of_sample, pairs, point_geometry
from rnnstudy.comparison.statistics import (
    equivalence,
    group_tests,
    informative,
    matching,
    multiple_testing,
    nearness,
    separation_scores,
    superiority,
)
from rnnstudy.comparison.statistics.variance import dispersion, explained_shares, permanova
from rnnstudy.metrics import METRICS
from rnnstudy.population.initialise import initial_population
from rnnstudy.study.spec.study import study_of
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

SPEC_DATA = {
    "study": "a",
    "tasks": ["flip_flop"],
    "networks": {"cells": "gru", "units": 4, "seeds": 2},
    "analyses": ["fixed_points", {"kind": "pairs", "metric": "svcca"}],
}

PUBLIC_NAMES = (
    "CircleSearch", "ContinuationSettings", "FixedPointSearch", "OrbitSearch", "Population", "grid",
    "load_study", "modes", "non_normality", "open_run", "pairwise", "plot", "run",
)  # fmt: skip
"""Public names that do not import TensorFlow."""

MODULES = (
    embedding, graphs, out_of_sample, pairs, point_geometry, equivalence, group_tests,
    informative, matching, multiple_testing, nearness, superiority, dispersion, explained_shares,
    permanova,
)  # fmt: skip
"""Modules whose public functions the calls use by their names."""


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Names that the calls use: public functions, and arguments that fit."""
    folder = tmp_path_factory.mktemp("calls")
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC_DATA))
    study = study_of(SPEC_DATA)
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((20, 3)), generator.standard_normal((20, 4))
    points = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    distances, labels = np.abs(points[:, None] - points), ["a"] * 3 + ["b"] * 3
    broken = np.arange(20)[:, None] == 3
    curve = exhibits.Curve(x=np.arange(3), y=np.arange(3), label="line")
    return {name: getattr(module, name) for module in MODULES for name in dir(module)} | {
        **{name: getattr(rnnstudy, name) for name in PUBLIC_NAMES},
        **{cls.__name__: cls for cls in METRICS.values()},
        "np": np, "rnnstudy": rnnstudy, "exhibits": exhibits, "CLAIMS": CLAIMS,
        "FlipFlop": FlipFlop, "Sine": Sine, "Integration": Integration,
        "GRU": GRU, "LSTM": LSTM, "Vanilla": Vanilla,
        "NEAREST": separation_scores.NEAREST_NEIGHBOUR,
        "X": x, "Y": y, "NAN": np.where(broken, np.nan, x), "INF": np.where(broken, np.inf, x),
        "FEW": generator.standard_normal((4, 6)), "FEW2": generator.standard_normal((4, 6)),
        "T": generator.standard_normal((3, 20, 4)).cumsum(axis=1),
        "D": distances, "L": labels, "KINDS": ["trained"] * 3 + ["untrained"] * 3,
        "EVEN": (np.arange(6) % 2 == 0) & np.ones((6, 6), bool),
        "LEVELS": equivalence.level_differences(distances, labels),
        "DIST": pairs.Distances(tuple("abcdef"), distances),
        "LINK": (np.array([[[1.0], [-1.0]]]), np.ones(1), np.zeros(1)),
        "LINK6": (np.ones((1, 2, 6)), np.ones(1), np.zeros(1)),
        "CURVES": exhibits.Curves(title="A line", curves=[curve], x_label="x", y_label="y"),
        "TABLE": exhibits.Table(title="a", columns={"a": [1]}),
        "FOLDER": folder, "SPEC": folder / "spec.yaml", "SPEC_FILE": folder / "spec.yaml",
        "STUDY": study, "RUN": rnnstudy.Run(folder, study),
        "MEMBER": "flip_flop-gru-tanh-4-s000",
        "POPULATION": initial_population(GRU(units=4), inputs=2, outputs=1, seeds=[0, 1, 2]),
    }  # fmt: skip


WRONG_CALLS = [
    ("pairwise(X, CKA())", "TypeError", "must be a list of arrays [sample, unit], one for each"),
    (
        'pairwise("states", CKA())',
        "TypeError",
        "must be a list of arrays [sample, unit], one for each",
    ),
    ("pairwise(3, CKA())", "TypeError", "must be a list of arrays [sample, unit], one for each"),
    ("pairwise(None, CKA())", "TypeError", "must be a list of arrays [sample, unit], one for each"),
    ("pairwise({}, CKA())", "ValueError", "must have at least one array, got an empty list. Pass"),
    ("pairwise([X], CKA(), others=3)", "TypeError", "others must be a list of arrays"),
    (
        "pairwise([T, T], InputDSA())",
        "TypeError",
        "must be a pair of arrays (states, inputs), got an array of type float64",
    ),
    (
        "InputDSA().distance((T, T[:, :5]), (T, T))",
        "ValueError",
        "inputs must be [trial, time, input] for states of shape (3, 20, 4), got shape (3, 5, 4).",
    ),
    (
        "InputDSA(delays=30).prepare((T, T))",
        "ValueError",
        "must have at least 31 time steps, got 20. Lower 'delays' or 'input_delays'.",
    ),
    ("InputDSA().prepare((T, T[..., :0]))", "UndefinedMetric", "inputs must be at least 1, got"),
    ("InputDSA(input_lag=2)", "SettingError", "input_lag"),
    ("CKA().transform(X)", "AttributeError", "cka must align states to have a transform, got a"),
    ("CCA().transform(X)", "NotFittedError", "cca must be fitted first, got no fit. Call fit(x"),
    ("CCA().score(X, Y)", "NotFittedError", "cca must be fitted first, got no fit. Call fit(x"),
    (
        "CCA().fit(X, Y).transform(Y)",
        "ValueError",
        "x must be [sample, unit] with the 3 units of the fit, got shape (20, 4). Pass states of",
    ),
    ("CCA().fit(X, Y[:5])", "ValueError", "must have equal numbers of samples, got 20 and 5."),
    (
        "SVCCA(dimensions=2).fit(X, Y).score(X[:1], Y[:1])",
        "UndefinedMetric",
        "x must vary in each of 2 directions of the fit, got 1 samples that do not. Score more",
    ),
    ("CCA().set_params(size=3)", "SettingError", "size"),
    ("pairwise([], CKA())", "ValueError", "must have at least one array, got an empty list. Pass"),
    ('pairwise([X, Y], "ckaa")', "ValueError", "did you mean 'cka'?"),
    ("pairwise([X, Y], 3)", "TypeError", "must be a Metric, got 3. Construct one,"),
    ("pairwise([X, Y], None)", "TypeError", "must be a Metric, got None. Construct one,"),
    ("pairwise([X, Y], CKA)", "TypeError", "must be a Metric, got the class CKA."),
    ('pairwise([X, Y], {"kind": "cka"})', "TypeError", "must be a Metric, got {'kind': 'cka'}."),
    (
        'pairwise([X, Y], CKA(), ["a"])',
        "ValueError",
        "must be 2, one for each representation, got 1. Give all.",
    ),
    ('pairwise([X, Y], CKA(), ["a", "a"])', "ValueError", "must differ, got 'a' for more than"),
    (
        'pairwise([X, Y], CKA(), "ab")',
        "TypeError",
        "must be a list of labels, got 'ab'. Give one label",
    ),
    ("pairwise([X, Y], CKA(), 3)", "TypeError", "must be a list of labels, got 3. Give one label"),
    (
        "pairwise([X, X[:10]], CKA())",
        "ValueError",
        "must be of the same samples, got 10 samples of '1'",
    ),
    ("pairwise([X, NAN], CKA())", "ValueError", "must be finite, got 3 of 60 values that"),
    ("pairwise([X, INF], CKA())", "ValueError", "must be finite, got 3 of 60 values that"),
    (
        "pairwise([X, X[0]], CKA())",
        "ValueError",
        "must be of the same samples, got 3 samples of '1' and",
    ),
    ("pairwise([X, X[:, :0]], CKA())", "ValueError", "must be [sample, unit] with at least 2"),
    ("pairwise([X[:1], Y[:1]], CKA())", "ValueError", "must be [sample, unit] with at least 2"),
    (
        "pairwise([X, Y.astype(str)], CKA())",
        "ValueError",
        "must be an array of real numbers, got an array of type",
    ),
    (
        "pairwise([X, Y > 0], CKA())",
        "ValueError",
        "must be an array of real numbers, got booleans. Write 0.0",
    ),
    (
        "pairwise([X, Y + 1j], CKA())",
        "ValueError",
        "must be an array of real numbers, got an array of type",
    ),
    (
        "pairwise([X, None], CKA())",
        "ValueError",
        "must be an array of real numbers, got None. Pass lists of",
    ),
    (
        'pairwise([X, "text"], CKA())',
        "ValueError",
        "must be an array of real numbers, got 'text'. Pass lists",
    ),
    (
        "pairwise([X, [[1.0, 2.0], [3.0]]], CKA())",
        "ValueError",
        "must be an array of real numbers, got [[1.0, 2.0], [3.0]].",
    ),
    (
        'pairwise([X, {"a": 1}], CKA())',
        "ValueError",
        "must be an array of real numbers, got {'a': 1}. Pass lists",
    ),
    ("pairwise([X[None], Y[None]], CKA())", "ValueError", "must be [sample, unit] with at least 2"),
    (
        "pairwise([X, Y], DSA())",
        "ValueError",
        "must be [trial, time, unit], got shape (20, 3). Pass",
    ),
    (
        "pairwise([FEW, FEW2], CCA())",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "pairwise([FEW, FEW2], SVCCA())",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "pairwise([FEW, FEW2], PWCCA())",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "pairwise([FEW, FEW2], PrincipalAngles())",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "pairwise([FEW, FEW2], Procrustes(alpha=0.0))",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "pairwise([X[:2], Y[:2]], RSA())",
        "UndefinedMetric",
        "must have at least 3 samples, got 2: the correlation",
    ),
    (
        "CCA().distance(FEW, FEW2)",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "CCA().similarity(FEW, FEW)",
        "UndefinedMetric",
        "must have more samples than directions by 2, got 4 samples that vary",
    ),
    (
        "RSA().distance(X[:2], Y[:2])",
        "UndefinedMetric",
        "must have at least 3 samples, got 2: the correlation",
    ),
    (
        "CKA(debiased=True).distance(X[:3], Y[:3])",
        "UndefinedMetric",
        "must have at least 4 samples, got 3. Add samples, or",
    ),
    (
        "CKA().distance(X, Y[:5])",
        "ValueError",
        "must have equal numbers of samples, got 20 and 5. Pass",
    ),
    ("CKA().distance(X, 3)", "ValueError", "must be [sample, unit] with at least 2"),
    (
        'CKA().distance("a", "b")',
        "ValueError",
        "must be an array of real numbers, got 'a'. Pass lists of",
    ),
    (
        "CKA().distance(X, None)",
        "ValueError",
        "must be an array of real numbers, got None. Pass lists of",
    ),
    ("CKA().similarity(X, NAN)", "ValueError", "must be finite, got 3 of 60 values that"),
    (
        "CKA().distance([[1, 2], [3]], X)",
        "ValueError",
        "must be an array of real numbers, got [[1, 2], [3]]. Pass",
    ),
    (
        "CKA().distance(X > 0, Y > 0)",
        "ValueError",
        "must be an array of real numbers, got booleans. Write 0.0",
    ),
    (
        'CKA().prepare("states")',
        "ValueError",
        "must be an array of real numbers, got 'states'. Pass lists",
    ),
    ("CKA().prepare(X[:1])", "ValueError", "must be [sample, unit] with at least 2"),
    ("DSA().distance(X, Y)", "ValueError", "must be [trial, time, unit], got shape (20, 3). Pass"),
    (
        "DSA().distance(T, T[:, :5])",
        "ValueError",
        "must have at least 11 time steps, got 5. Lower 'delays'.",
    ),
    ("DSA().distance(T, T * np.nan)", "ValueError", "must be finite, got 240 of 240 values"),
    (
        "DSA().distance(T > 0, T)",
        "ValueError",
        "must be an array of real numbers, got booleans. Write 0.0",
    ),
    (
        "DSA(delays=50).prepare(T)",
        "ValueError",
        "must have at least 51 time steps, got 20. Lower 'delays'.",
    ),
    ("SVCCA(dimensions=0)", "SettingError", "must be at least 1, got 0"),
    ("SVCCA(dimensions=2.5)", "SettingError", "must be an integer, got"),
    ("SVCCA(dimensions=True)", "SettingError", "must be an integer, got"),
    ('SVCCA(dimensions="ten")', "SettingError", "must be an integer, got 'ten'"),
    ("SVCCA(dimension=3)", "SettingError", "did you mean 'dimensions'?"),
    ("SVCCA(variance=1.5)", "SettingError", "must be at most 1, got 1.5"),
    ('SVCCA(variance=float("nan"))', "SettingError", "must be a finite number, got"),
    ('SVCCA(divide_by="large")', "SettingError", "did you mean 'larger'?"),
    ("Procrustes(alpha=2)", "SettingError", "must be at most 1, got 2"),
    ('Procrustes(alpha=float("nan"))', "SettingError", "must be a finite number, got"),
    ('Procrustes(measure="angle")', "SettingError", "did you mean 'angular'?"),
    ("RSA(samples=1)", "SettingError", "must be at least 3, got 1"),
    (
        'RSA(correlation="kendall")',
        "SettingError",
        "must be one of spearman, pearson, got 'kendall'",
    ),
    ("RSA(seed=-1)", "SettingError", "must be at least 0, got -1"),
    ("DSA(delays=0)", "SettingError", "must be at least 1, got 0"),
    ("DSA(rank=0)", "SettingError", "must be at least 1, got 0"),
    ("CKA(debiased=1)", "SettingError", "must be true or false, got"),
    ('CKA(debiased="yes")', "SettingError", "must be true or false, got 'yes'"),
    ("PrincipalAngles(dimensions=-1)", "SettingError", "must be at least 1, got -1"),
    ("SVCCA().replace(dimensions=0)", "SettingError", "must be at least 1, got 0"),
    ("SVCCA().replace(dimension=1)", "SettingError", "did you mean 'dimensions'?"),
    (
        "agreement_test(NEAREST, D, L[:5])",
        "ValueError",
        "must be [item, item] for 5 labels, got shape [6, 6]. Give",
    ),
    (
        "agreement_test(NEAREST, D[:5], L)",
        "ValueError",
        "must be square [item, item], got shape [5, 6].",
    ),
    (
        "agreement_test(NEAREST, X, L)",
        "ValueError",
        "must be square [item, item], got shape [20, 3].",
    ),
    (
        "agreement_test(NEAREST, D * np.nan, L)",
        "ValueError",
        "must be finite, got NaN or infinity.",
    ),
    (
        "agreement_test(NEAREST, 1.0 - D, L)",
        "ValueError",
        "must be 0 or more, got -11. Check the metric.",
    ),
    (
        "agreement_test(NEAREST, np.triu(D), L)",
        "ValueError",
        "must be symmetric, got different values for",
    ),
    (
        "agreement_test(NEAREST, -D, L)",
        "ValueError",
        "must be 0 or more, got -12. Check the metric.",
    ),
    (
        "agreement_test(NEAREST, D.astype(str), L)",
        "ValueError",
        "must be an array of real numbers, got an array of type",
    ),
    (
        'agreement_test(NEAREST, "distances", L)',
        "ValueError",
        "must be an array of real numbers, got 'distances'. Pass",
    ),
    (
        'agreement_test(NEAREST, D, "aabbcc")',
        "TypeError",
        "must be a list of labels, got 'aabbcc'. Give one",
    ),
    (
        "agreement_test(NEAREST, D, 3)",
        "TypeError",
        "must be a list of labels, got 3. Give one label",
    ),
    (
        "agreement_test(NEAREST, D, [[1], [1], [2], [2], [3], [3]])",
        "TypeError",
        "must be texts or numbers, got [1]. Give one label",
    ),
    (
        'agreement_test(NEAREST, D, ["a"] * 6)',
        "ValueError",
        "must have two labels or more, got one",
    ),
    (
        'agreement_test(NEAREST, D, list("abcdef"))',
        "ValueError",
        "must have two networks, got a different label",
    ),
    (
        "agreement_test(NEAREST, D[:0, :0], [])",
        "ValueError",
        "must have two labels or more, got no",
    ),
    (
        'agreement_test("silhouette", D, L)',
        "TypeError",
        "must be a SeparationScore, got 'silhouette'. Use",
    ),
    (
        "agreement_test(NEAREST, D, L, permutations=-1)",
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    (
        "agreement_test(NEAREST, D, L, permutations=2.5)",
        "ValueError",
        "must be a whole number of at least 0, got 2.5.",
    ),
    (
        "agreement_test(NEAREST, D, L, permutations=True)",
        "ValueError",
        "must be a whole number of at least 0, got True.",
    ),
    (
        "agreement_test(NEAREST, D, L, seed=-1)",
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    (
        'agreement_test(NEAREST, D, L, seed="zero")',
        "ValueError",
        "must be a whole number of at least 0, got 'zero'.",
    ),
    (
        'agreement_test(NEAREST, D, L, strata=["a"])',
        "ValueError",
        "must be one for each of 6 items, got 1. Give all.",
    ),
    (
        'agreement_test(NEAREST, D, L, strata="aabbcc")',
        "TypeError",
        "must be a list of labels, got 'aabbcc'. Give one",
    ),
    (
        "separation_test(D, L, bootstraps=-1)",
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    (
        'separation_test(D, L, permutations="many")',
        "ValueError",
        "must be a whole number of at least 0, got 'many'.",
    ),
    ("separation_test(X, L)", "ValueError", "must be square [item, item], got shape [20, 3]."),
    (
        "paired_test(D, D[:4, :4], L)",
        "ValueError",
        "must be [item, item] for 6 labels, got shape [4, 4]. Give",
    ),
    ("paired_test(D, NAN, L)", "ValueError", "must be square [item, item], got shape [20, 3]."),
    (
        'paired_test(D, D, L, "nearest")',
        "TypeError",
        "must be a SeparationScore, got 'nearest'. Use",
    ),
    (
        "level_differences(D, L, bound=-1.0)",
        "ValueError",
        "must be a finite number at least 0, got -1.0. It is 1 for",
    ),
    (
        'level_differences(D, L, bound=float("nan"))',
        "ValueError",
        "must be a finite number at least 0, got nan. It is 1 for",
    ),
    (
        "level_differences(D, L, bound=True)",
        "ValueError",
        "must be a finite number at least 0, got True. It is 1 for",
    ),
    (
        "level_differences(D[0], L)",
        "ValueError",
        "must be square [item, item], got shape [6]. Compute",
    ),
    ('level_differences(D, L, ["a"])', "ValueError", "must be one for each of 6 items, got"),
    (
        'level_differences(D, "aabbcc")',
        "TypeError",
        "must be a list of labels, got 'aabbcc'. Give one",
    ),
    (
        "level_differences(D, L, permutations=-3)",
        "ValueError",
        "must be a whole number of at least 0, got -3.",
    ),
    ('level_differences(D, ["a"] * 6)', "ValueError", "must have at least two levels, got"),
    (
        "equivalence_test(LEVELS, margin=0)",
        "ValueError",
        "must be a finite number above 0, got 0. Give the largest",
    ),
    (
        "equivalence_test(LEVELS, margin=-0.1)",
        "ValueError",
        "must be a finite number above 0, got -0.1. Give the",
    ),
    (
        'equivalence_test(LEVELS, margin=float("inf"))',
        "ValueError",
        "must be a finite number above 0, got inf. Give the",
    ),
    (
        'equivalence_test(LEVELS, margin=float("nan"))',
        "ValueError",
        "must be a finite number above 0, got nan. Give the",
    ),
    (
        'equivalence_test(LEVELS, margin="0.1")',
        "ValueError",
        "must be a finite number above 0, got '0.1'. Give the",
    ),
    (
        "equivalence_test(LEVELS, margin=True)",
        "ValueError",
        "must be a finite number above 0, got True. Give the",
    ),
    (
        "equivalence_test(LEVELS, margin=0.1, alpha=0)",
        "ValueError",
        "must be a number between 0 and 1, got 0. 95 % is 0.95.",
    ),
    (
        "equivalence_test(LEVELS, margin=0.1, alpha=5)",
        "ValueError",
        "must be a number between 0 and 1, got 5. 95 % is 0.95.",
    ),
    (
        'equivalence_test(LEVELS, margin=0.1, alpha=float("nan"))',
        "ValueError",
        "must be a number between 0 and 1, got nan. 95 % is 0.95.",
    ),
    (
        "equivalence_test(D, margin=0.1)",
        "TypeError",
        "must be a LevelDifferences, got an array of type",
    ),
    ("permanova(D, {})", "ValueError", "must have at least one factor, got none. Pass {'cell':"),
    (
        "permanova(D, L)",
        "TypeError",
        "must be a mapping from names to labels, got ['a', 'a', 'a', 'b', '",
    ),
    ('permanova(D, {"cell": L[:3]})', "ValueError", "must have 6 values, one per network, got"),
    (
        'permanova(D, {"cell": "aabbcc"})',
        "TypeError",
        "must be a list of labels, got 'aabbcc'. Give one",
    ),
    (
        'permanova(D, {"cell": list("abcdef")})',
        "ValueError",
        "must be at most 4 for 6 networks, got 5. Add seeds, or",
    ),
    (
        'permanova(D, {"cell": L}, covariates={"size": [1.0]})',
        "ValueError",
        "must have 6 values, one per network, got",
    ),
    (
        'permanova(D, {"cell": L}, covariates={"size": [1.0, 2, 3, 4, 5, float("nan")]})',
        "ValueError",
        "must be finite, got 1 of 6 values that",
    ),
    (
        'permanova(D, {"cell": L}, covariates={"size": "123456"})',
        "ValueError",
        "must be an array of real numbers, got '123456'. Pass lists",
    ),
    (
        'permanova(D, {"cell": L}, order=-1)',
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    (
        'permanova(D, {"cell": L}, order=1.5)',
        "ValueError",
        "must be a whole number of at least 0, got 1.5.",
    ),
    ('permanova(D, {"cell": L}, sums="margin")', "ValueError", "did you mean 'marginal'?"),
    (
        'permanova(D, {"cell": L}, permutations=-1)',
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    ('permanova(X, {"cell": L})', "ValueError", "must be square [item, item], got shape [20, 3]."),
    ('permanova(D, {"cell": L}).term("units")', "KeyError", "must be one of cell, got 'units'"),
    (
        "explained_shares(D, {})",
        "ValueError",
        "must have at least one factor, got none. Pass {'cell':",
    ),
    (
        'explained_shares(D, {"cell": L[:2]})',
        "ValueError",
        "must have 6 values, one per network, got",
    ),
    (
        'explained_shares(D, {"cell": L}, bound=-1.0)',
        "ValueError",
        "must be a finite number at least 0, got -1.0. It is 1 for",
    ),
    (
        'explained_shares(X, {"cell": L})',
        "ValueError",
        "must be square [item, item], got shape [20, 3].",
    ),
    ('dispersion_test(D, ["a"] * 6)', "ValueError", "must have at least two levels, got"),
    (
        "dispersion_test(D, L[:3])",
        "ValueError",
        "must be one for each of 6 items, got 3. Give all.",
    ),
    ("dispersion_test(X, L)", "ValueError", "must be square [item, item], got shape [20, 3]."),
    (
        "informative_tests(D, KINDS[:3], range(6))",
        "ValueError",
        "must be one for each of 6 items, got",
    ),
    ("informative_tests(D, KINDS, [1, 2])", "ValueError", "must be one for each of 6 items, got"),
    (
        "informative_tests(D, KINDS, range(6), alpha=2)",
        "ValueError",
        "must be a number between 0 and 1, got 2. 95 % is 0.95.",
    ),
    (
        'informative_tests(D, "trained", range(6))',
        "TypeError",
        "must be a list of labels, got 'trained'. Give one",
    ),
    (
        "informative_tests(X, KINDS, range(6))",
        "ValueError",
        "must be square [item, item], got shape [20, 3].",
    ),
    (
        "informative_tests(D, KINDS, range(6), permutations=-1)",
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    (
        'informative_values(["a"] * 6, KINDS, range(6))',
        "ValueError",
        "must be an array of real numbers, got ['a', 'a', 'a', 'a', '",
    ),
    (
        "informative_values([1.0] * 5, KINDS, range(6))",
        "ValueError",
        "must be one for each of 5 items, got",
    ),
    (
        "informative_values([1.0] * 6, KINDS, range(6), alpha=0.0)",
        "ValueError",
        "must be a number between 0 and 1, got 0.0. 95 % is 0.95.",
    ),
    (
        "detection_test(D, L, [True], margin=0.1)",
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        "detection_test(D, L, [False] * 6, margin=-0.1)",
        "ValueError",
        "must be a finite number above 0, got -0.1. Give the",
    ),
    (
        'detection_test(D, L, "planted", margin=0.1)',
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        "detection_test(X, L, [False] * 6, margin=0.1)",
        "ValueError",
        "must be square [item, item], got shape [20, 3].",
    ),
    (
        "detection_test(D, L, [False] * 6, margin=0.1, alpha=2.0)",
        "ValueError",
        "must be a number between 0 and 1, got 2.0. 95 % is 0.95.",
    ),
    (
        "nearness_test(D, D > 0, D < 0, (np.arange(6), np.arange(6)), np.zeros(6, int))",
        "ValueError",
        "must have a neighbour of each kind, got item 0 without one",
    ),
    (
        "nearness_test(D * np.nan, EVEN, ~EVEN, (np.arange(6), np.arange(6)), np.zeros(6, int))",
        "ValueError",
        "must be finite, got 36 of 36 values that",
    ),
    (
        "nearness_test(D, EVEN[:2], ~EVEN, (np.arange(6), np.arange(6)), np.zeros(6, int))",
        "ValueError",
        "must be True or False for each item, of shape (6,",
    ),
    (
        "nearness_test(D, EVEN, ~EVEN, (np.arange(3), np.arange(6)), np.zeros(6, int))",
        "ValueError",
        "must be of (6, 6) items and neighbours, got numbers of (3, 6).",
    ),
    (
        "nearness_test(D, EVEN, ~EVEN, np.arange(6), np.zeros(6, int))",
        "ValueError",
        "must be of (6, 6) items and neighbours, got numbers of (1, 1, 1,",
    ),
    (
        "nearness_test(D, EVEN.astype(float), ~EVEN, (np.arange(6), np.arange(6)), np.zeros(6, int))",
        "ValueError",
        "must be True or False for each item, of shape (6,",
    ),
    (
        'superiority([1.0, float("nan")], [True, False])',
        "ValueError",
        "must be numbers, got NaN for values[1].",
    ),
    (
        "superiority([1.0, 2.0], [True, True])",
        "ValueError",
        "must have items, got 2 of 2 above. Mark",
    ),
    (
        "superiority([1.0, 2.0], [True])",
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        'superiority(["a", "b"], [True, False])',
        "ValueError",
        "must be an array of real numbers, got ['a', 'b']. Pass",
    ),
    (
        'superiority([1.0, 2.0], "ab")',
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        "superiority([1.0, 2.0], [1, 0])",
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        'superiority([1.0, 2.0], [True, False], strata=["a"])',
        "ValueError",
        "must be one for each of 2 items, got 1. Give all.",
    ),
    ("superiority([], [])", "ValueError", "must have items, got 0 of 0 above. Mark"),
    (
        "superiority_test(np.array([1.0, 2.0]), np.array([True, False]), permutations=-1)",
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    (
        "superiority_test(np.array([1.0, 2.0]), np.array([True, False]), seed=-1)",
        "ValueError",
        "must be a whole number of at least 0, got -1.",
    ),
    ('match_groups([1.0, 2.0], ["a"])', "ValueError", "must be one for each of 2 values, got"),
    (
        'match_groups(["x", "y"], ["a", "b"])',
        "ValueError",
        "must be an array of real numbers, got ['x', 'y']. Pass",
    ),
    (
        'match_groups([1.0, 2.0], "ab")',
        "TypeError",
        "must be a list of labels, got 'ab'. Give one label",
    ),
    (
        'match_groups([1.0, 2.0], ["a", "b"], caliper=-1.0)',
        "ValueError",
        "must be a finite number at least 0, got -1.0. 0.2 is",
    ),
    (
        'match_groups([1.0, 2.0], ["a", "b"], caliper=float("nan"))',
        "ValueError",
        "must be a finite number at least 0, got nan. 0.2 is customary.",
    ),
    (
        'match_groups([[1.0], [2.0]], ["a", "b"])',
        "ValueError",
        "must be [item], got shape (2, 1). Pass",
    ),
    ("holm([1.2])", "ValueError", "must be between 0 and 1, got 1.2. NaN stands for"),
    ("holm([-0.1])", "ValueError", "must be between 0 and 1, got -0.1. NaN stands for"),
    ('holm(["a"])', "ValueError", "must be an array of real numbers, got ['a']. Pass lists of"),
    ("holm([[0.1, 0.2]])", "ValueError", "must be p values [test], got shape (1, 2). Pass a"),
    ("holm(0.1)", "ValueError", "must be p values [test], got shape (). Pass a list."),
    ('holm("0.1")', "ValueError", "must be an array of real numbers, got '0.1'. Pass lists of"),
    (
        "holm([True, False])",
        "ValueError",
        "must be an array of real numbers, got booleans. Write 0.0",
    ),
    (
        "benjamini_hochberg([2.0])",
        "ValueError",
        "must be between 0 and 1, got 2. NaN stands for no",
    ),
    (
        'benjamini_hochberg("p")',
        "ValueError",
        "must be an array of real numbers, got 'p'. Pass lists of",
    ),
    (
        "benjamini_hochberg([[0.1]])",
        "ValueError",
        "must be p values [test], got shape (1, 1). Pass a",
    ),
    (
        'Distances(("a",), np.zeros((2, 2)))',
        "ValueError",
        "must be one for each item, got 1 labels for 2",
    ),
    ('Distances(("a", "a"), np.zeros((2, 2)))', "ValueError", "must differ, got 'a' for more than"),
    ('Distances(("a", "b"), np.full((2, 2), np.nan))', "ValueError", "must be finite, got nan"),
    (
        'Distances(("a", "b"), np.array([[0, -1.0], [-1.0, 0]]))',
        "ValueError",
        "must be 0 or more, got -1",
    ),
    ('Distances(("a", "b"), np.ones((2, 2)))', "ValueError", "must be 0 on the diagonal, got"),
    (
        'Distances(("a", "b"), np.array([[0, 1.0], [2.0, 0]]))',
        "ValueError",
        "must be equal to its mirror image, got",
    ),
    (
        'Distances("ab", np.zeros((2, 2)))',
        "TypeError",
        "must be a list of labels, got 'ab'. Give one label",
    ),
    (
        'Distances(("a", "b"), [[0.0, 1.0], [1.0, 0.0]])',
        "TypeError",
        "must be an array, got [[0.0, 1.0], [1.0,",
    ),
    (
        'Distances(("a", "b"), np.zeros((2, 2), complex))',
        "ValueError",
        "must be an array of real numbers, got an array of type",
    ),
    ("classical_mds(D)", "TypeError", "must be a Distances, got an array of type"),
    ('classical_mds("distances")', "TypeError", "must be a Distances, got 'distances'. Use"),
    (
        "classical_mds(DIST, dimensions=0)",
        "ValueError",
        "must be a whole number of at least 1, got 0. A map has 2 or 3.",
    ),
    (
        "classical_mds(DIST, dimensions=2.5)",
        "ValueError",
        "must be a whole number of at least 1, got 2.5. A map has 2 or 3.",
    ),
    (
        "classical_mds(DIST, dimensions=True)",
        "ValueError",
        "must be a whole number of at least 1, got True. A map has 2 or",
    ),
    ("stress_mds(D)", "TypeError", "must be a Distances, got an array of type"),
    (
        "stress_mds(DIST, dimensions=-1)",
        "ValueError",
        "must be a whole number of at least 1, got -1. A map has 2 or 3.",
    ),
    (
        "reference_map(DIST, np.array([True]), 1)",
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        "reference_map(DIST, np.zeros(6, bool), 1)",
        "ValueError",
        "must have an item of the map, got none. Mark them with",
    ),
    (
        "reference_map(DIST, np.ones(6, bool), 0)",
        "ValueError",
        "must be a whole number of at least 1, got 0. A map has 2 or 3.",
    ),
    (
        "reference_map(DIST, np.arange(6), 1)",
        "ValueError",
        "must be True or False for each item, of shape",
    ),
    (
        "reference_map(D, np.ones(6, bool), 1)",
        "TypeError",
        "must be a Distances, got an array of type",
    ),
    (
        'point_geometry_distances([X, X[:5]], ["a", "b"])',
        "ValueError",
        "must be of equally many points, got [5, 20]. Mark",
    ),
    (
        'point_geometry_distances([X, Y], ["a"])',
        "ValueError",
        "must be one for each item, got 1 labels for 2",
    ),
    (
        'point_geometry_distances([X, Y], ["a", "b"], neighbours=0)',
        "ValueError",
        "must be a whole number of at least 1, got 0.",
    ),
    (
        'point_geometry_distances([X[0], Y[0]], ["a", "b"])',
        "ValueError",
        "must be [point, axis], got shape (3,). Pass one",
    ),
    (
        'point_geometry_distances(["x", "y"], ["a", "b"])',
        "ValueError",
        "must be an array of real numbers, got 'x'. Pass lists of",
    ),
    (
        "geodesic_distances(X, neighbours=0)",
        "ValueError",
        "must be a whole number of at least 1, got 0.",
    ),
    (
        "geodesic_distances(X, neighbours=1.5)",
        "ValueError",
        "must be a whole number of at least 1, got 1.5.",
    ),
    ("geodesic_distances(X[0])", "ValueError", "must be [point, axis], got shape (3,). Pass one"),
    (
        'geodesic_distances("points")',
        "ValueError",
        "must be an array of real numbers, got 'points'. Pass lists",
    ),
    (
        'labelled_distances([LINK], ["a", "b"])',
        "ValueError",
        "must be one for each item, got 2 labels for 1",
    ),
    (
        'isomorphic_distances([LINK6, LINK6], ["a", "b"])',
        "ValueError",
        "must have at most 5 bits, got 6. Compare by",
    ),
    ("grid(0.0, 1.0, 0, 2)", "ValueError", "must be a whole number of at least 1, got 0."),
    ("grid(0.0, 1.0, 2.5, 2)", "ValueError", "must be a whole number of at least 1, got 2.5."),
    ("grid(0.0, 1.0, True, 2)", "ValueError", "must be a whole number of at least 1, got True."),
    ("grid(0.0, 1.0, 2, 0)", "ValueError", "must be a whole number of at least 1, got 0."),
    ('grid(0.0, 1.0, 2, "two")', "ValueError", "must be a whole number of at least 1, got 'two'."),
    (
        "grid(0.0, 1.0, 10, 10)",
        "ValueError",
        "must have 1 to 1000000 starts, got 10 values along 10",
    ),
    (
        "grid([0.0, 0.0, 0.0], 1.0, 2, 2)",
        "ValueError",
        "must be one number or 2, one per entry of the",
    ),
    (
        'grid("low", 1.0, 2, 2)',
        "ValueError",
        "must be an array of real numbers, got 'low'. Pass lists of",
    ),
    ('grid(0.0, float("nan"), 2, 2)', "ValueError", "must be finite, got 1 of 1 values that"),
    ('grid(0.0, float("inf"), 2, 2)', "ValueError", "must be finite, got 1 of 1 values that"),
    ("FixedPointSearch(rounds=0)", "SettingError", "must be at least 1, got 0"),
    ("FixedPointSearch(round=2)", "SettingError", "did you mean 'rounds'?"),
    ('FixedPointSearch(solver="newtn")', "SettingError", "did you mean 'newton'?"),
    ("FixedPointSearch(noise=-1.0)", "SettingError", "must be at least 0, got"),
    ("FixedPointSearch(tolerance=0)", "SettingError", "must be above 0, got 0"),
    ('FixedPointSearch(tolerance=float("nan"))', "SettingError", "must be a finite number, got"),
    ("FixedPointSearch(seed=-1)", "SettingError", "must be at least 0, got -1"),
    ("FixedPointSearch(candidates=True)", "SettingError", "must be an integer, got"),
    ('FixedPointSearch(candidates="many")', "SettingError", "must be an integer, got 'many'"),
    ("OrbitSearch(candidate=3)", "SettingError", "did you mean 'candidates'?"),
    ("CircleSearch(harmonics=1)", "SettingError", "must be at least 2, got 1"),
    ("CircleSearch(steps=10)", "SettingError", "must be at least 256, got"),
    ("ContinuationSettings(ds=0)", "SettingError", "must be above 0, got 0"),
    ('ContinuationSettings(ds_max=float("inf"))', "SettingError", "must be a finite number, got"),
    (
        "ContinuationSettings(steps=3)",
        "SettingError",
        "is not a known key; known keys: ds, ds_max, ds_min, max_points,",
    ),
    ("modes(X)", "ValueError", "must be [point, state, state], got shape (20, 3). Pass"),
    ('modes("jacobian")', "ValueError", "must be an array of real numbers, got 'jacobian'. Pass"),
    ("modes(None)", "ValueError", "must be an array of real numbers, got None. Pass lists of"),
    ("modes(np.full((1, 2, 2), np.nan))", "ValueError", "must be finite, got 1 of 1 that are"),
    (
        "modes(np.eye(2)[None], dt=0)",
        "ValueError",
        "must be a finite number above 0, got 0. It is the number",
    ),
    (
        "modes(np.eye(2)[None], dt=-0.1)",
        "ValueError",
        "must be a finite number above 0, got -0.1. It is the",
    ),
    (
        'modes(np.eye(2)[None], dt="fast")',
        "ValueError",
        "must be a finite number above 0, got 'fast'. It is the",
    ),
    (
        "modes(np.eye(2)[None], dt=True)",
        "ValueError",
        "must be a finite number above 0, got True. It is the",
    ),
    (
        "modes(np.eye(2)[None], margin=-1.0)",
        "ValueError",
        "must be a finite number at least 0, got -1.0. 1e-6 is the",
    ),
    (
        "modes(np.eye(2)[None] > 0)",
        "ValueError",
        "must be an array of real numbers, got booleans. Write 0.0",
    ),
    (
        "modes(np.eye(2)[None]).seconds",
        "ValueError",
        "must be known for seconds, got None. Use modes(...,",
    ),
    (
        "non_normality(np.eye(2))",
        "ValueError",
        "must be [point, state, state], got shape (2, 2). Pass",
    ),
    (
        "non_normality(np.eye(2)[None], limit=0)",
        "ValueError",
        "must be a whole number of at least 1, got 0.",
    ),
    (
        "non_normality(np.eye(2)[None], limit=2.5)",
        "ValueError",
        "must be a whole number of at least 1, got 2.5.",
    ),
    (
        'non_normality(np.eye(2)[None], margin=float("nan"))',
        "ValueError",
        "must be a finite number at least 0, got nan. 1e-6 is the",
    ),
    ("plot(3)", "ValueError", "must have exhibits, got int. Pass a record"),
    ("plot(None)", "ValueError", "must have exhibits, got NoneType. Pass a"),
    ('plot("figure")', "ValueError", "must have exhibits, got str. Pass a record"),
    ('plot(CURVES, ax="axes")', "TypeError", "must be matplotlib axes, got 'axes'. Leave it out"),
    ("plot(CURVES, dimensions=2)", "ValueError", "must be none, got 'dimensions'"),
    ('plot(CURVES, interactive="yes")', "TypeError", "must be True or False, got 'yes'."),
    ("plot(TABLE)", "ValueError", "must be a picture to be drawn, got a"),
    (
        "load_study(3)",
        "TypeError",
        "must be a path as text or pathlib.Path, got 3. Pass 'folder/name'.",
    ),
    ("load_study(None)", "TypeError", "must be a path as text or pathlib.Path, got None. Pass"),
    (
        "load_study([])",
        "TypeError",
        "must be a path as text or pathlib.Path, got []. Pass 'folder/name'",
    ),
    ('load_study("nowhere.yaml")', "SpecError", "no such file"),
    (
        'load_study(b"spec.yaml")',
        "TypeError",
        "must be a path as text or pathlib.Path, got b'spec.yaml'. Pass",
    ),
    ('load_study("/")', "SpecError", "/: is a directory; name the YAML file in"),
    ('load_study("")', "ValueError", "must be a path, got an empty text. Pass '."),
    (
        'load_study(SPEC, "training.steps=3")',
        "TypeError",
        "must be a list of labels, got 'training.steps=3'.",
    ),
    ("load_study(SPEC, [3])", "TypeError", "must be text, got 3. Pass a list, like"),
    (
        'load_study(SPEC, ["steps"])',
        "SpecError",
        "--set steps: should read path.to.key=value, like",
    ),
    (
        'load_study(SPEC, {"training": 3})',
        "SpecError",
        "--set training: should read path.to.key=value, like",
    ),
    ("load_study(SPEC, 3)", "TypeError", "must be a list of labels, got 3. Give one label"),
    (
        "open_run(3)",
        "TypeError",
        "must be a path as text or pathlib.Path, got 3. Pass 'folder/name'.",
    ),
    ("open_run(None)", "TypeError", "must be a path as text or pathlib.Path, got None. Pass"),
    (
        'open_run("nowhere")',
        "RunError",
        "is not a run directory: it has no resolved.yaml. Name the folder that",
    ),
    (
        "open_run(SPEC_FILE)",
        "RunError",
        "is not a run directory: it has no resolved.yaml. Name the folder that",
    ),
    ('open_run("")', "ValueError", "must be a path, got an empty text. Pass '."),
    ('open_run("nowhere", code="yes")', "TypeError", "must be True or False, got 'yes'."),
    ("run(None)", "TypeError", "must be a Study, got None. Use"),
    ('run(3, "runs/a")', "TypeError", "must be a Study, got 3. Use"),
    (
        "run(STUDY, 3)",
        "TypeError",
        "must be a path as text or pathlib.Path, got 3. Pass 'folder/name'.",
    ),
    ("run(STUDY, SPEC_FILE)", "RunError", "must be a folder, got a file"),
    (
        "run(STUDY, FOLDER, progress=3)",
        "TypeError",
        "must be a function of a plan, got 3. Leave it out.",
    ),
    (
        'RUN.model("flip_flop-gru-tanh-4-s01")',
        "RunError",
        "did you mean 'flip_flop-gru-tanh-4-s001'?",
    ),
    ("RUN.model(3)", "TypeError", "must be text, got 3. Give the name of"),
    ("RUN.model(None)", "TypeError", "must be text, got None. Give the name"),
    ('RUN.key("gru")', "RunError", "no network 'gru' in"),
    ('RUN.key(["a"])', "TypeError", "must be text, got ['a']. Give the name"),
    ('RUN.trained_network("nobody")', "RunError", "no network 'nobody' in"),
    ('RUN.fixed_points("nobody")', "RunError", "no network 'nobody' in"),
    ("RUN.fixed_points(0)", "TypeError", "must be text, got 0. Give the name of"),
    ('RUN.record("fixed_point", MEMBER)', "RunError", "did you mean 'fixed_points'?"),
    ("RUN.record(3, MEMBER)", "TypeError", "must be text, got 3. Give the name of"),
    ('RUN.record("fixed_points", 3)', "TypeError", "must be text, got 3. Give the name of"),
    ('RUN.task_record("svca")', "RunError", "did you mean 'svcca'?"),
    ("RUN.task_record(3)", "TypeError", "must be text, got 3. Give the name of"),
    ('RUN.task_record("svcca", task="flipflop")', "RunError", "did you mean 'flip_flop'?"),
    ('RUN.task_record("svcca", task=3)', "TypeError", "must be text, got 3. Give the name of"),
    ('RUN.distances("svca")', "RunError", "did you mean 'svcca'?"),
    (
        'RUN.distances("svcca", task="sines")',
        "RunError",
        "no task 'sines' in the study; there are:",
    ),
    ("RUN.distances(None)", "TypeError", "must be text, got None. Give the name"),
    ('RUN.selections(task="sines")', "RunError", "no task 'sines' in the study; there are:"),
    ('RUN.section("sines")', "RunError", "no task 'sines' in the study; there are:"),
    ("RUN.section(3)", "TypeError", "must be text, got 3. Give the name of"),
    (
        'RUN.left_out("svcca", "flip_flop")',
        "TypeError",
        "must be an Analysis, got 'svcca'. Use one of",
    ),
    (
        'RUN.left_out(STUDY.analyses[0], "sines")',
        "RunError",
        "no task 'sines' in the study; there are:",
    ),
    ("RUN.failures(task=3)", "TypeError", "must be text, got 3. Give the name of"),
    (
        "POPULATION.unroll(np.zeros((5, 10, 3)))",
        "ValueError",
        "must have 2 channels, got 3. Pass [trial,",
    ),
    (
        "POPULATION.unroll(np.zeros((10, 2)))",
        "ValueError",
        "must be [trial, time, 2] or [3 members, trial, time,",
    ),
    (
        'POPULATION.unroll("inputs")',
        "ValueError",
        "must be an array of real numbers, got 'inputs'. Pass lists",
    ),
    (
        "POPULATION.unroll(np.full((5, 10, 2), np.nan))",
        "ValueError",
        "must be finite, got 100 of 100 values",
    ),
    (
        "POPULATION.unroll(np.zeros((7, 5, 10, 2)))",
        "ValueError",
        "must be [trial, time, 2] or [3 members, trial, time,",
    ),
    (
        "POPULATION.unroll(np.zeros((5, 10, 2)), start=np.zeros((3, 9, 4)))",
        "ValueError",
        "must be [member, trial, state], of shape (3, 5,",
    ),
    (
        'POPULATION.unroll(np.zeros((5, 10, 2)), start="zero")',
        "ValueError",
        "must be an array of real numbers, got 'zero'. Pass lists",
    ),
    (
        "POPULATION.outputs_of(np.zeros((3, 5, 7)))",
        "ValueError",
        "must be [3 members, ..., 4], got shape (3, 5, 7).",
    ),
    (
        'POPULATION.outputs_of("states")',
        "ValueError",
        "must be an array of real numbers, got 'states'. Pass lists",
    ),
    (
        "POPULATION.outputs_of(np.zeros((9, 5, 4)))",
        "ValueError",
        "must be [3 members, ..., 4], got shape (9, 5, 4).",
    ),
    ('POPULATION.select("members", [0])', "KeyError", "no axis 'members'"),
    ('POPULATION.select("member", [99])', "IndexError", "must be 0 to 2, got 99. Choose one of"),
    (
        'POPULATION.select("member", ["a"])',
        "IndexError",
        "must be chosen by whole numbers or a mask, got ['a']. Pass a list",
    ),
    (
        'POPULATION.select("member", [True])',
        "IndexError",
        "must have 3 values, one for each, got 1. Pass a list of",
    ),
    (
        'POPULATION.select("member", [0.5])',
        "IndexError",
        "must be chosen by whole numbers or a mask, got [0.5]. Pass a list",
    ),
    ('POPULATION.size("unit")', "KeyError", "no axis 'unit'"),
    ("POPULATION.model(99)", "ValueError", "must be a whole number from -3 to 2, got 99."),
    ("POPULATION.model(True)", "ValueError", "must be a whole number from -3 to 2, got True."),
    (
        'POPULATION.model("first")',
        "ValueError",
        "must be a whole number from -3 to 2, got 'first'.",
    ),
    ("POPULATION.model(1.5)", "ValueError", "must be a whole number from -3 to 2, got 1.5."),
    ('Population.join([], "member")', "ValueError", "must have at least one record, got"),
    (
        'Population.join([POPULATION, 3], "member")',
        "TypeError",
        "must have a list of records, got [Population: 3",
    ),
    (
        'Population.join(POPULATION, "member")',
        "TypeError",
        "must have a list of records, got Population: 3",
    ),
    ("Population.from_models([])", "ValueError", "must have at least one Keras model, got"),
    (
        'Population.from_models("model.keras")',
        "ValueError",
        "must be a list of Keras models, got a",
    ),
    (
        "Population.from_models([3])",
        "ValueError",
        "must be Keras models or PyTorch modules, got a int",
    ),
    ('Population.load("nowhere")', "AbsentRecord", "no record nowhere"),
    ("FlipFlop(bits=0)", "SettingError", "must be at least 1, got 0"),
    ('FlipFlop(bits="3")', "SettingError", "must be an integer, got '3'"),
    ("FlipFlop(bits=True)", "SettingError", "must be an integer, got"),
    ("FlipFlop(bit=3)", "SettingError", "did you mean 'bits'?"),
    ("FlipFlop(length=-1)", "SettingError", "must be at least 2, got -1"),
    ("FlipFlop(pulse_probability=2.0)", "SettingError", "must be at most 1, got 2.0"),
    ('FlipFlop(solved_accuracy=float("nan"))', "SettingError", "must be a finite number, got"),
    ('FlipFlop(name="9 x")', "SettingError", "must be a text that matches"),
    ("Sine(frequencies=0)", "SettingError", "must be at least 2, got 0"),
    (
        'Integration(contexts="two")',
        "SettingError",
        "is not a known key; known keys: name, probe_trials, evaluation_trials,",
    ),
    ("GRU(units=0)", "SettingError", "must be at least 1, got 0"),
    ("GRU(units=2.5)", "SettingError", "must be an integer, got"),
    ("GRU(units=True)", "SettingError", "must be an integer, got"),
    ("GRU(unit=3)", "SettingError", "did you mean 'units'?"),
    ('GRU(activation="tanhh")', "SettingError", "did you mean 'tanh'?"),
    ("LSTM(clip=-1.0)", "SettingError", "must be above 0, got -1.0"),
    ('Vanilla(kernel_initializer="glorot")', "SettingError", "did you mean 'glorot_uniform'?"),
    (
        'CLAIMS["geometry_depends_on"](of="svcca", factor="cell", least=2.0)',
        "SettingError",
        "must be below 1, got 2.0",
    ),
    (
        'CLAIMS["geometry_depends_on"](of="svcca", factor="cell", permutations=1)',
        "SettingError",
        "must be at least 19, got 1",
    ),
    (
        'CLAIMS["geometry_depends_on"](of="svcca", factor="cell", by="nearest")',
        "SettingError",
        "must be one of nearest_neighbour, silhouette,",
    ),
    ('CLAIMS["geometry_depends_on"](of="svcca")', "SettingError", "must be given, got nothing"),
    ('CLAIMS["cube"](min_networks=0)', "SettingError", "must be at least 1, got 0"),
    ('CLAIMS["cube"](min_network=1)', "SettingError", "did you mean 'min_networks'?"),
    (
        'CLAIMS["alike_across"](of="svcca", factor="cell", margin=-1.0)',
        "SettingError",
        "must be above 0, got -1.0;",
    ),
    (
        'exhibits.Table(title="a", columns={"a": [1], "b": [1, 2]})',
        "ValueError",
        "must have equal lengths, got {'a': 1, 'b':",
    ),
    ('exhibits.Curve(x=[1, 2], y=[1], label="a")', "ValueError", "must have 2 entries, got 1"),
    (
        'exhibits.Matrix(title="a", values=np.zeros((2, 3)), labels=["a", "b"])',
        "ValueError",
        "must have shape [n, 2], got [2,",
    ),
]
"""Call, class of the error, and words of its sentence."""


@pytest.mark.parametrize(("call", "kind", "words"), WRONG_CALLS, ids=[c for c, _, _ in WRONG_CALLS])
def test_a_wrong_call_is_answered_in_one_sentence(names, call, kind, words):
    check_refusal(call, names, kind, words)


def test_the_calls_are_many_and_differ():
    calls = [call for call, _, _ in WRONG_CALLS]
    assert len(set(calls)) == len(calls) >= 240
