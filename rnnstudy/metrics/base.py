"""Base classes of metrics: preparation once per network, comparison once per pair."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arguments import as_real_array
from rnnstudy.core.arrays import Array
from rnnstudy.metrics.estimator import Estimator

Form = Array | Mapping[str, Array]
"""Reduced representation of one network: an array, or arrays by name."""

TWO_SAMPLES = "two centred samples are alike in every representation"
"""Reason why some metrics need three samples."""


class UndefinedMetric(ValueError):
    """Representation to which a metric gives no meaning, whatever it is compared with."""


class Metric(Estimator):
    """Similarity of two representations of the same samples.

    `similarity` is 1 and `distance` 0 between a representation and itself. A metric has two parts.
    `prepare` reduces the states of one network to a form. `compare` returns the similarity of two
    forms. It accepts leading axes, so that all pairs are computed in blocks. `fit` and `score` are
    those of scikit-learn's estimators. A complete metric, the cosine of the angle between two
    centred matrices of one shape:

        class Cosine(Metric):
            def prepare(self, states):
                x = centre_states(states)
                require_variation(x)
                return x / np.linalg.norm(x)

            def compare(self, a, b):
                return round_similarity((a * b).sum(axis=(-2, -1)))

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import CKA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> CKA().similarity(x, 2.0 * x), CKA().distance(x, x)
    (1.0, 0.0)
    """

    noun: ClassVar[str] = "metric"

    trajectories: ClassVar[bool] = False
    """True if states are [trial, time, unit], not [sample, unit]. Trials may then differ."""

    driven: ClassVar[bool] = False
    """True if a representation is a pair (states, inputs), not states alone."""

    @abstractmethod
    def prepare(self, states: Array) -> Form:
        """Return the form of one network.

        Parameters
        ----------
        states
            States of the network, [sample, unit], or [trial, time, unit] if `trajectories`.

        Returns
        -------
        Form
            An array, or a dict of arrays. Forms of different shapes are stacked with zeros at the
            end of their axes, which must not change `compare`.

        Raises
        ------
        UndefinedMetric
            The metric has no meaning for these states: there are too few samples, or the states do
            not vary. A study leaves such a network out of its matrix of distances.
        ValueError
            The states have the wrong axes or are not finite.
        """

    @abstractmethod
    def compare(self, a: Form, b: Form) -> Array:
        """Return the similarities [...] of forms a and b, each [..., *form], broadcast."""

    def table(self, a: Form, b: Form) -> Array:
        """Return the similarities [item, other] of forms a [item, *form] and b [other, *form]."""
        return self.compare(*_cross(a, b))

    def pair_bytes(self, form: Form) -> int:
        """Return the bytes of working memory for the comparison of one pair of forms."""
        return sum(part.nbytes for part in form_arrays(form).values())

    def stored_bytes(self, samples: int) -> int:
        """Return the bytes of a form of so many samples in a store; 0 if forms are not stored.

        Forms are stored if it takes many times longer to prepare one than to read it. By default
        they are not.
        """
        return 0

    @property
    def least_units(self) -> int:
        """Smallest number of units that a recording must have; by default 1.

        A representation of fewer units lacks directions that the metric compares.
        """
        return 1

    def similarity(self, x: Array, y: Array) -> float:
        """Return the similarity, at most 1, of x and y [sample, unit] on the same samples."""
        return float(self.compare(*self._both(x, y)))

    def distance(self, x: Array, y: Array) -> float:
        """Return the distance of x and y [sample, unit] on the same samples."""
        a, b = self._both(x, y)
        return float(self.to_distance(self.compare(a, b), a, b))

    def distances(self, a: Form, b: Form) -> Array:
        """Return the distances [item, other] of forms a [item, *form] and b [other, *form]."""
        return self.to_distance(self.table(a, b), *_cross(a, b))

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Return the distances of forms a and b from their similarities; default: 1 - similarity.

        Values below 0, from rounding, are 0.
        """
        return np.maximum(1.0 - similarity, 0.0)

    def check_states(self, name: str, states: Any) -> Any:
        """Return a representation as the arrays that `prepare` takes."""
        return as_real_array(name, states, finite=False)

    def check_pair(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return two representations as arrays; ValueError for different numbers of samples."""
        x, y = self.check_states("x", x), self.check_states("y", y)
        if not self.trajectories and x.ndim and y.ndim and len(x) != len(y):
            raise ValueError(
                f"x and y must have equal numbers of samples, got {len(x)} and {len(y)}. "
                "Pass states of the same trials."
            )
        return x, y

    def _both(self, x: Array, y: Array) -> tuple[Form, Form]:
        x, y = self.check_pair(x, y)
        return self.prepare(x), self.prepare(y)


class ProductMetric(Metric):
    """Metric that depends on the product of two matrices, one of each network.

    A form is {"rows": [row, sample], other arrays}. All products of two stacks of forms are one
    large matrix product, which is faster than many small ones.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import CKA
    >>> sorted(CKA().prepare(np.eye(3)))
    ['rows', 'total']
    """

    former_methods: ClassVar[Mapping[str, str]] = {"judge": "from_products"}

    @abstractmethod
    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...] from products [..., row, other row] and the other arrays."""

    def compare(self, a: Form, b: Form) -> Array:
        """Return the similarities [...] of forms a and b, broadcast."""
        a, b = form_arrays(a), form_arrays(b)
        return self.from_products(a["rows"] @ np.swapaxes(b["rows"], -1, -2), a, b)

    def table(self, a: Form, b: Form) -> Array:
        """Return the similarities [item, other] of stacked forms a and b."""
        a, b = form_arrays(a), form_arrays(b)
        (items, rows, samples), (others, columns, _) = a["rows"].shape, b["rows"].shape
        whole = a["rows"].reshape(-1, samples) @ b["rows"].reshape(-1, samples).T
        products = whole.reshape(items, rows, others, columns).swapaxes(1, 2)
        return self.from_products(products, *map(form_arrays, _cross(a, b)))

    def pair_bytes(self, form: Form) -> int:
        """Return the bytes of the product of two forms, and of its decomposition."""
        return 4 * 8 * len(form_arrays(form)["rows"]) ** 2


def form_arrays(form: Form) -> Mapping[str, Array]:
    """Return the arrays of a form by name; a single array has the name "form"."""
    return {"form": form} if isinstance(form, np.ndarray) else form


def stack_forms(forms: Sequence[Form]) -> Form:
    """Return forms as one form with a leading item axis, padded with zeros to the largest."""
    if isinstance(forms[0], np.ndarray):
        return _stack([form_arrays(form)["form"] for form in forms])
    return {name: _stack([form_arrays(form)[name] for form in forms]) for name in forms[0]}


def _stack(arrays: Sequence[Array]) -> Array:
    shape = np.max([array.shape for array in arrays], axis=0).astype(int)
    stack = np.zeros((len(arrays), *shape))
    for i, array in enumerate(arrays):
        region: tuple[int | slice, ...] = (i, *(slice(size) for size in array.shape))
        stack[region] = array
    return stack


def _cross(a: Form, b: Form) -> tuple[Form, Form]:
    """Return stacked forms with axes [item, 1, *form] and [1, other, *form]."""
    return _each(a, lambda part: part[:, None]), _each(b, lambda part: part[None])


def _each(form: Form, change: Callable[[Array], Array]) -> Form:
    if isinstance(form, np.ndarray):
        return change(form)
    return {name: change(part) for name, part in form.items()}


def centre_states(states: Array) -> Array:
    """Return states without each unit's mean, in float64; all 0 if no unit varies.

    Parameters
    ----------
    states
        [sample, unit], at least 2 samples.

    Raises
    ------
    ValueError
        The states have other axes, fewer than 2 samples, or values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics.base import centre_states
    >>> centre_states(np.array([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    """
    states = as_real_array("states", states, finite=False)
    if states.ndim != 2 or len(states) < 2 or states.shape[1] < 1:
        raise ValueError(
            f"states must be [sample, unit] with at least 2 samples, got shape {states.shape}. "
            "Join trials and time steps into one axis."
        )
    check_finite(states, ("sample", "unit"))
    moved = states - states.mean(axis=0, dtype=np.float64)
    return moved if np.linalg.norm(moved) > rounding_error(states) else np.zeros_like(moved)


def reduce_rows(rows: Array) -> Array:
    """Return rows [row, sample] with the same X'X, at most as many as samples (QR)."""
    if rows.shape[0] <= rows.shape[1]:
        return rows
    return np.asarray(np.linalg.qr(rows, mode="r"))


def require_samples(metric: str, states: Array, least: int, reason: str) -> None:
    """Raise UndefinedMetric if there are fewer samples than a metric needs."""
    if len(states) < least:
        raise UndefinedMetric(
            f"states for {metric} must have at least {least} samples, got {len(states)}: {reason}. "
            "Add trials or time steps."
        )


def require_variation(centred: Array) -> None:
    """Raise UndefinedMetric if centred states [sample, unit] do not vary.

    A similarity would divide 0 by 0.
    """
    if not centred.any():
        raise UndefinedMetric(
            f"states must vary, got {len(centred)} samples that are all alike. "
            "Leave this network out."
        )


def check_finite(states: Array, axes: tuple[str, ...]) -> None:
    """Raise ValueError with the first position of states that are not finite."""
    if np.isfinite(states).all():
        return
    broken = np.argwhere(~np.isfinite(states))
    position = ", ".join(f"{axis} {at}" for axis, at in zip(axes, broken[0], strict=True))
    raise ValueError(
        f"states must be finite, got {len(broken)} of {states.size} values that are not (first at "
        f"{position}). Leave diverged networks out."
    )


def rounding_error(states: Array) -> float:
    """Return the singular value below which a direction of `states` may be rounding error.

    Rounding errors of a matrix have singular values of about one machine epsilon times its norm.
    The norm is that before centring, and the epsilon that of the states' own precision.
    """
    states = np.asarray(states)
    epsilon = np.finfo(states.dtype if states.dtype.kind == "f" else np.float64).eps
    return float(10.0 * epsilon * np.linalg.norm(states.astype(np.float64)))


def round_similarity(similarity: Array, lowest: float = 0.0) -> Array:
    """Return similarities in [lowest, 1], rounded to 12 digits.

    A representation is thus exactly 1 to itself and to its rotations.
    """
    return np.clip(np.round(similarity, 12), lowest, 1.0)
