"""Numbers of scikit-bio, where it is installed (extra `peers`)."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from rnnstudy.comparison.distances.embedding import classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.variance.permanova import permanova

skbio = pytest.importorskip("skbio")

POINTS = np.random.default_rng(0).normal(size=(24, 5)) * [3.0, 2.0, 1.0, 1.0, 1.0]
LABELS = ["a", "b", "c"] * 8
VALUES = squareform(pdist(POINTS, "cityblock"))


def test_pseudo_f_is_scikit_bios() -> None:
    matrix = skbio.DistanceMatrix(VALUES)
    theirs = skbio.stats.distance.permanova(matrix, LABELS, permutations=0)
    ours = permanova(VALUES, {"label": LABELS}, permutations=0)
    assert ours.terms[0].pseudo_f.statistic == pytest.approx(theirs["test statistic"])


def test_classical_scaling_is_scikit_bios() -> None:
    theirs = skbio.stats.ordination.pcoa(skbio.DistanceMatrix(VALUES), method="eigh")
    ours = classical_mds(Distances(tuple(map(str, range(24))), VALUES), dimensions=3)
    kept = theirs.samples.to_numpy()[:, :3]
    assert np.abs(ours.points) == pytest.approx(np.abs(kept))
