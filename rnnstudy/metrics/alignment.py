"""Metrics that align two representations: affine maps into common coordinates."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnstudy.core.arguments import as_real_array
from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import (
    ProductMetric,
    UndefinedMetric,
    centre_states,
    check_finite,
    form_arrays,
)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Affine maps of two representations into common coordinates, learnt from training samples.

    Attributes
    ----------
    means : pair of arrays [unit]
        Means of the units of both representations.
    maps : pair of arrays [unit, coordinate]
        Linear maps of the centred states of both.
    weights : array [coordinate]
        Weights of the coordinates in a score.
    missing : int
        Number of directions of the larger subspace that the smaller lacks.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics.alignment import Alignment
    >>> same = Alignment((np.ones(2), np.zeros(2)), (np.eye(2), np.eye(2)), np.ones(2))
    >>> same.coordinates(np.array([[1.0, 3.0]]), 0).tolist()
    [[0.0, 2.0]]
    """

    means: tuple[Array, Array]
    maps: tuple[Array, Array]
    weights: Array
    missing: int = 0

    def coordinates(self, states: Any, side: int) -> Array:
        """Return the coordinates [sample, coordinate] of states of one side, 0 (x) or 1 (y)."""
        name, units = "xy"[side], len(self.means[side])
        states = as_real_array(name, states, finite=False)
        if states.ndim != 2 or states.shape[1] != units:
            raise ValueError(
                f"{name} must be [sample, unit] with the {units} units of the fit, got shape "
                f"{states.shape}. Pass states of the same network."
            )
        check_finite(states, ("sample", "unit"))
        placed: Array = (states - self.means[side]) @ self.maps[side]
        return placed

    def correlations(self, x: Array, y: Array) -> Array:
        """Return the correlations of the coordinates of x and y over their samples, [coordinate].

        They are signed: coordinates that agree in training samples may be opposed in others.
        """
        first, second = (self._unit_coordinates(part, side) for side, part in enumerate((x, y)))
        return np.clip((first * second).sum(axis=0), -1.0, 1.0)

    def _unit_coordinates(self, states: Array, side: int) -> Array:
        """Return coordinates with mean 0 and length 1 over the samples."""
        placed = self.coordinates(states, side)
        moved = placed - placed.mean(axis=0)
        sizes = np.linalg.norm(moved, axis=0)
        if not (sizes > 1e-12 * np.linalg.norm(placed, axis=0)).all():
            raise UndefinedMetric(
                f"{'xy'[side]} must vary in each of {moved.shape[1]} directions of the fit, got "
                f"{len(moved)} samples that do not. Score more samples, or fit fewer directions."
            )
        return np.asarray(moved / sizes)


class AligningMetric(ProductMetric):
    """Metric of products that aligns two representations, and so has `transform`.

    `fit` learns affine maps of both representations into common coordinates. `transform` applies
    them. `score` is the similarity of other samples under these maps, which are not fitted again.
    On the training samples it equals `similarity`. The attribute `alignment_` holds the maps.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import Procrustes
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> metric = Procrustes().fit(x[:40], 2.0 * x[:40, ::-1])
    >>> round(metric.score(x[40:], 2.0 * x[40:, ::-1]), 6)
    1.0
    """

    @abstractmethod
    def align(self, x: Array, y: Array) -> Alignment:
        """Return the maps that align x and y [sample, unit] on the same samples."""

    @abstractmethod
    def agreement(self, alignment: Alignment, x: Array, y: Array) -> float:
        """Return the similarity, at most 1, of x and y [sample, unit] under given maps."""

    @property
    def alignment_(self) -> Alignment:
        """Maps that `fit` learnt."""
        alignment = vars(self).get("alignment_")
        if not isinstance(alignment, Alignment):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"{self.kind} must be fitted first, got no fit. Call fit(x, y) before."
            )
        return alignment

    def fit(self, x: Any, y: Any) -> Self:
        """Compute the maps that align x with y.

        Parameters
        ----------
        x, y : array [sample, unit]
            Training samples of two representations. Numbers of units may differ.

        Returns
        -------
        Metric
            This metric, with the attribute `alignment_`.

        Raises
        ------
        ValueError
            The samples do not fit, or the metric is undefined for them.

        Examples
        --------
        >>> import numpy as np
        >>> from rnnstudy.metrics import CCA
        >>> x = np.random.default_rng(0).standard_normal((50, 2))
        >>> CCA().fit(x, x[:, ::-1]).alignment_.weights.tolist()
        [0.5, 0.5]
        """
        alignment = self.align(*self.check_pair(x, y))
        # A component is frozen. Like a cached property, this is no field and no part of its value.
        vars(self)["alignment_"] = alignment
        return self

    def transform(self, x: Any, y: Any = None) -> Any:
        """Return x, or x and y, in the common coordinates.

        Parameters
        ----------
        x : array [sample, unit]
            Samples of the first representation.
        y : array [sample, unit], optional
            Samples of the second representation.

        Returns
        -------
        array [sample, coordinate], or a pair of them
            Coordinates of x, or of x and y.

        Raises
        ------
        ValueError
            The units are not those of the fit, or there was no fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rnnstudy.metrics import Procrustes
        >>> x = np.random.default_rng(0).standard_normal((50, 4))
        >>> turned = Procrustes().fit(x, x[:, ::-1]).transform(x)
        >>> bool(np.allclose(turned, (x - x.mean(axis=0))[:, ::-1]))
        True
        """
        alignment = self.alignment_
        placed = alignment.coordinates(x, 0)
        return placed if y is None else (placed, alignment.coordinates(y, 1))

    def score(self, x: Any, y: Any) -> float:
        """Return the similarity, at most 1, of x and y under the maps of `fit`.

        Parameters
        ----------
        x, y : array [sample, unit]
            Samples of both representations, such as those of a held-out fold.

        Returns
        -------
        float
            1 if the maps align the samples exactly, near 0 if they do not carry over.

        Raises
        ------
        ValueError
            The units are not those of the fit, or there was no fit.

        Examples
        --------
        >>> import numpy as np
        >>> from rnnstudy.metrics import SVCCA
        >>> x = np.random.default_rng(0).standard_normal((50, 4))
        >>> round(SVCCA().fit(x, 2.0 * x).score(x[:10], 2.0 * x[:10]), 6)
        1.0
        """
        return self.agreement(self.alignment_, *self.check_pair(x, y))


class CorrelationMetric(AligningMetric):
    """Metric of canonical correlations: `fit` learns the canonical variates of both sides.

    `transform` returns the variates, which have mean 0 and variance 1 on the training samples.
    `score` is made of the signed correlations of the variates of other samples, each over these
    samples alone.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import CCA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> variates = CCA().fit(x, 2.0 * x).transform(x)
    >>> bool(np.allclose(np.cov(variates.T), np.eye(4)))
    True
    """

    @abstractmethod
    def variate_weights(
        self, a: Mapping[str, Array], b: Mapping[str, Array], left: Array, right: Array
    ) -> Array:
        """Return the weights of the canonical correlations in a score, [canonical].

        left, right: canonical directions [canonical, direction] in the bases of forms a and b.
        """

    def align(self, x: Array, y: Array) -> Alignment:
        """Return the maps to the canonical variates of x and y [sample, unit]."""
        a, b = form_arrays(self.prepare(x)), form_arrays(self.prepare(y))
        left, _, right = np.linalg.svd(a["rows"] @ b["rows"].T, full_matrices=False)
        scale = np.sqrt(len(x) - 1.0)
        maps = (
            scale * _map_to_rows(x, a["rows"]) @ left,
            scale * _map_to_rows(y, b["rows"]) @ right.T,
        )
        means = x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)
        weights = self.variate_weights(a, b, left.T, right)
        return Alignment(means, maps, weights, abs(len(a["rows"]) - len(b["rows"])))

    def agreement(self, alignment: Alignment, x: Array, y: Array) -> float:
        """Return the weighted sum of the correlations of the variates of x and y."""
        return float(alignment.weights @ alignment.correlations(x, y))


def _map_to_rows(states: Array, rows: Array) -> Array:
    """Return the map [unit, direction] of centred states to a basis [direction, sample] of them."""
    inverse: Array = np.linalg.pinv(rows @ centre_states(states), rcond=0.0)
    return inverse
