"""Metrics as estimators in the conventions of scikit-learn."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

from rnnstudy.core.component import Entry


class MissingTransform:
    """Attribute that a metric without an alignment lacks, so that `hasattr` is False."""

    def __get__(self, metric: Any, owner: type) -> Any:
        if metric is None:
            return self
        raise AttributeError(
            f"{metric.kind} must align states to have a transform, got a metric that aligns none. "
            "Use procrustes, cca, svcca, pwcca or principal_angles."
        )


class Estimator(Entry):
    """Base of metrics: `fit`, `score` and parameters in the conventions of scikit-learn.

    `cross_val_score(metric, x, y)` fits to the training rows and scores the held-out rows. By
    default `fit` learns nothing, `score` is the similarity of the rows, and there is no
    `transform`. Metrics that align override all three (`AligningMetric`).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from rnnstudy.metrics import CKA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> cross_val_score(CKA(), x, 2.0 * x).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """

    transform: ClassVar[Any] = MissingTransform()

    @abstractmethod
    def check_pair(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return two representations as arrays."""

    @abstractmethod
    def similarity(self, x: Any, y: Any) -> float:
        """Return the similarity of x and y."""

    def fit(self, x: Any, y: Any) -> Self:
        """Check the training rows of x and y; nothing is learnt.

        Parameters
        ----------
        x, y : array [sample, unit] or [trial, time, unit]
            Training rows of two representations.

        Returns
        -------
        Metric
            This metric.

        Raises
        ------
        ValueError
            The rows do not fit.

        Examples
        --------
        >>> from rnnstudy.metrics import RSA
        >>> RSA().fit([[1.0], [2.0]], [[2.0], [4.0]]).kind
        'rsa'
        """
        self.check_pair(x, y)
        return self

    def score(self, x: Any, y: Any) -> float:
        """Return the similarity of the rows of x and y; higher is more alike.

        Parameters
        ----------
        x, y : array [sample, unit] or [trial, time, unit]
            Rows of two representations, such as those of a held-out fold.

        Returns
        -------
        float
            Similarity, at most 1.

        Examples
        --------
        >>> from rnnstudy.metrics import CKA
        >>> CKA().score([[1.0], [2.0], [4.0]], [[2.0], [4.0], [8.0]])
        1.0
        """
        return self.similarity(x, y)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the fields by name.

        Parameters
        ----------
        deep : bool, default True
            Accepted for scikit-learn. Fields of a metric have no parameters of their own.

        Returns
        -------
        dict
            Field -> value.

        Examples
        --------
        >>> from rnnstudy.metrics import CKA
        >>> CKA().get_params()
        {'debiased': False}
        """
        return {name: getattr(self, name) for name in type(self).model_fields}

    def set_params(self, **fields: Any) -> Self:
        """Change fields of this object, as searches of scikit-learn do; a fit is forgotten.

        Everywhere else a metric is a fixed value, and `replace` returns a changed copy.

        Parameters
        ----------
        **fields
            Fields and their new values.

        Returns
        -------
        Metric
            This metric.

        Raises
        ------
        SettingError
            A field is unknown, or its value is not allowed.

        Examples
        --------
        >>> from rnnstudy.metrics import SVCCA
        >>> SVCCA().set_params(dimensions=3).dimensions
        3
        """
        changed = vars(self.replace(**fields))
        # Cached addresses and the fit belong to the former fields.
        vars(self).clear()
        vars(self).update(changed)
        return self

    def __delattr__(self, name: str) -> None:
        # scikit-learn notes its callbacks beside the fields, and removes them.
        if name in vars(self) and name not in type(self).model_fields:
            del vars(self)[name]
        else:
            super().__delattr__(name)

    def __sklearn_clone__(self) -> Self:
        return self.replace()

    def __sklearn_tags__(self) -> Any:
        from sklearn.base import BaseEstimator

        tags = BaseEstimator().__sklearn_tags__()
        tags.target_tags.required = True
        tags.requires_fit = hasattr(self, "transform")
        tags.input_tags.three_d_array = bool(getattr(self, "trajectories", False))
        return tags
