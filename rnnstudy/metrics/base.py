"""The contract of a metric: prepare once per network, compare per pair."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Entry

Form = Array | Mapping[str, Array]
"""What `prepare` makes of one network: an array, or several by name."""


class Metric(Entry):
    """How alike two representations of the same samples are.

    `similarity` is 1 and `distance` 0 between a representation and itself. A metric has two parts:
    `prepare`, what can be done once per network, and `compare`, what a pair costs; `compare` takes
    leading axes, so that all pairs run as blocks. A whole metric, the cosine of the angle between
    two centred matrices of one shape:

        class Cosine(Metric):
            def prepare(self, states):
                x = centred(states)
                return x / max(np.linalg.norm(x), 1e-300)

            def compare(self, a, b):
                return settled((a * b).sum(axis=(-2, -1)))
    """

    noun: ClassVar[str] = "metric"

    trajectories: ClassVar[bool] = False
    """Whether states are [trial, time, unit], not [sample, unit]; then representations may differ
    in trials and times."""

    @abstractmethod
    def prepare(self, states: Array) -> Form:
        """The reduced form of one network's states [sample, unit]; ValueError if they are unusable.

        To be stacked, forms of different shapes are padded with zeros at the end of their axes;
        `compare` must not be changed by that.
        """

    @abstractmethod
    def compare(self, a: Form, b: Form) -> Array:
        """Similarities [...] of prepared forms a [..., *form] and b [..., *form], broadcast."""

    def table(self, a: Form, b: Form) -> Array:
        """Similarities [item, other] of stacked forms a [item, *form] and b [other, *form]."""
        return self.compare(*_crossed(a, b))

    def pair_bytes(self, form: Form) -> int:
        """Bytes that the comparison of one pair of such forms takes, beside the forms."""
        return sum(part.nbytes for part in parts(form).values())

    def similarity(self, x: Array, y: Array) -> float:
        """Similarity of two representations [sample, unit] of the same samples, at most 1."""
        return float(self.compare(*self._both(x, y)))

    def distance(self, x: Array, y: Array) -> float:
        """Distance of two representations [sample, unit]: 0 for a representation and itself."""
        a, b = self._both(x, y)
        return float(self.to_distance(self.compare(a, b), a, b))

    def distances(self, a: Form, b: Form) -> Array:
        """Distances [item, other] of stacked forms a [item, *form] and b [other, *form]."""
        return self.to_distance(self.table(a, b), *_crossed(a, b))

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Distances from similarities of forms: one minus, clipped at 0 against rounding."""
        return np.maximum(1.0 - similarity, 0.0)

    def _both(self, x: Array, y: Array) -> tuple[Form, Form]:
        if len(x) != len(y) and not self.trajectories:
            raise ValueError(f"x has {len(x)} samples, y has {len(y)}; they should be the same")
        return self.prepare(x), self.prepare(y)


class ProductMetric(Metric):
    """A metric that sees of a pair only the product of two matrices, one of each network.

    A form is {"rows": [row, sample], other parts}. All products of two stacks of forms are one
    large product of matrices, which takes a tenth of the time of many small ones.
    """

    @abstractmethod
    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products [..., row, other row] and the other parts of forms."""

    def compare(self, a: Form, b: Form) -> Array:
        """Similarities [...] of forms a and b, broadcast."""
        a, b = parts(a), parts(b)
        return self.judge(a["rows"] @ np.swapaxes(b["rows"], -1, -2), a, b)

    def table(self, a: Form, b: Form) -> Array:
        """Similarities [item, other] of stacked forms a and b."""
        a, b = parts(a), parts(b)
        (items, rows, samples), (others, columns, _) = a["rows"].shape, b["rows"].shape
        whole = a["rows"].reshape(-1, samples) @ b["rows"].reshape(-1, samples).T
        products = whole.reshape(items, rows, others, columns).swapaxes(1, 2)
        return self.judge(products, *map(parts, _crossed(a, b)))

    def pair_bytes(self, form: Form) -> int:
        """Bytes of the product of two such forms, and of its decomposition."""
        return 4 * 8 * len(parts(form)["rows"]) ** 2


def parts(form: Form) -> Mapping[str, Array]:
    """The arrays of a form by name; a bare array is called "form"."""
    return {"form": form} if isinstance(form, np.ndarray) else form


def stacked(forms: Sequence[Form]) -> Form:
    """Forms as one form with a leading item axis, padded with zeros to the largest of them."""
    if isinstance(forms[0], np.ndarray):
        return _stacked([parts(form)["form"] for form in forms])
    return {name: _stacked([parts(form)[name] for form in forms]) for name in forms[0]}


def _stacked(arrays: Sequence[Array]) -> Array:
    shape = np.max([array.shape for array in arrays], axis=0).astype(int)
    stack = np.zeros((len(arrays), *shape))
    for i, array in enumerate(arrays):
        filled: tuple[int | slice, ...] = (i, *(slice(size) for size in array.shape))
        stack[filled] = array
    return stack


def _crossed(a: Form, b: Form) -> tuple[Form, Form]:
    """Stacked forms with axes [item, 1, *form] and [1, other, *form]."""
    return _each(a, lambda part: part[:, None]), _each(b, lambda part: part[None])


def _each(form: Form, change: Callable[[Array], Array]) -> Form:
    if isinstance(form, np.ndarray):
        return change(form)
    return {name: change(part) for name, part in form.items()}


def centred(states: Array) -> Array:
    """States [sample, unit] in float64 with each unit's mean removed; all 0 if none varies.

    ValueError if they are no such matrix, have fewer than 2 samples, or are not finite.
    """
    states = np.asarray(states)
    if states.ndim != 2 or len(states) < 2 or states.shape[1] < 1:
        raise ValueError(
            f"states should be [sample, unit] with at least 2 samples, not of shape {states.shape}"
        )
    refuse_broken(states, ("sample", "unit"))
    moved = states - states.mean(axis=0, dtype=np.float64)
    return moved if np.linalg.norm(moved) > rounding(states) else np.zeros_like(moved)


def narrowed(rows: Array) -> Array:
    """Rows X [row, sample], or no more than samples with the same X'X: X without its rotations."""
    if rows.shape[0] <= rows.shape[1]:
        return rows
    return np.asarray(np.linalg.qr(rows, mode="r"))


def refuse_broken(states: Array, axes: tuple[str, ...]) -> None:
    """ValueError that says where states with these axes are not finite, if they are not."""
    if np.isfinite(states).all():
        return
    broken = np.argwhere(~np.isfinite(states))
    place = ", ".join(f"{axis} {at}" for axis, at in zip(axes, broken[0], strict=True))
    raise ValueError(
        f"states should be finite, {len(broken)} of {states.size} values are not (first at {place})"
    )


def rounding(states: Array) -> float:
    """Size (singular value) up to which a direction of `states` may be nothing but rounding.

    Rounding errors of a matrix have singular values of about one machine epsilon times its norm.
    The offset that centring removes counts, since values are rounded with it; so does the precision
    that the states came in.
    """
    states = np.asarray(states)
    epsilon = np.finfo(states.dtype if states.dtype.kind == "f" else np.float64).eps
    return float(10.0 * epsilon * np.linalg.norm(states.astype(np.float64)))


def settled(similarity: Array, lowest: float = 0.0) -> Array:
    """Similarities in [lowest, 1] without their last digits, which are rounding errors of the
    products; so that a representation is exactly 1 to itself, and to its rotations."""
    return np.clip(np.round(similarity, 12), lowest, 1.0)
