"""Numbers of rsatoolbox, where it is installed (extra `peers`)."""

import numpy as np
import pytest

from rnnstudy.metrics import RSA

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
