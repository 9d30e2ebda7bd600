"""Numbers of rsatoolbox and of the authors' DSA, where they are installed."""

import numpy as np
import pytest

from rnnstudy.metrics import DSA, RSA

RNG = np.random.default_rng


def test_rsa_is_rsatoolboxs() -> None:
    data = pytest.importorskip("rsatoolbox.data")
    rdm = pytest.importorskip("rsatoolbox.rdm")
    x, y = RNG(0).normal(size=(30, 7)), RNG(1).normal(size=(30, 4))
    y[:, 0] += 2.0 * x[:, 0]
    first, second = (rdm.calc_rdm(data.Dataset(z), method="euclidean") for z in (x, y))
    # Its distances are squared, which ranks do not see.
    theirs = float(rdm.compare(first, second, method="spearman")[0, 0])
    assert RSA(correlation="spearman").similarity(x, y) == pytest.approx(theirs, abs=1e-9)


def test_dsa_is_its_authors() -> None:
    """Their package: dsa-metric, which needs PyTorch. Its ascent stops within about a per cent."""
    theirs = pytest.importorskip("DSA")
    noise = RNG(0).normal(size=(2, 20, 40, 3))
    states = np.zeros((2, 20, 40, 3))
    for side, angle in enumerate((0.2, 0.7)):
        field = 0.9 * np.eye(3)
        field[:2, :2] = 0.9 * np.array([[np.cos(angle), -np.sin(angle)],
                                        [np.sin(angle), np.cos(angle)]])  # fmt: skip
        for t in range(1, 40):
            states[side, :, t] = states[side, :, t - 1] @ field.T + noise[side, :, t]
    # Theirs does not centre states.
    states -= states.mean(axis=(1, 2), keepdims=True)
    found = DSA(delays=2, rank=4).distance(*states)
    expected = theirs.DSA(*states, n_delays=2, rank=4, score_method="angular").fit_score()
    assert found == pytest.approx(float(expected), rel=0.05)
    assert found <= float(expected) + 1e-3
