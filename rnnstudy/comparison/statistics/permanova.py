"""Shares of all distances that factors explain: analysis of variance by permutation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf
from typing import Literal

import numpy as np

from rnnstudy.comparison.distances.embedding import gower_centre
from rnnstudy.comparison.statistics.permutation import (
    PermutationTestResult,
    compare_with_null,
    integer_codes,
    random_orders,
)
from rnnstudy.comparison.statistics.separation_scores import Labels
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread


@dataclass(frozen=True)
class Term:
    """What one factor, covariate or interaction explains of squared distances."""

    name: str
    """Names of its factors, joined by ` x `."""
    freedom: int
    sum_of_squares: float
    share: float
    """Of the total sum of squares (R2); chance alone gives freedom / (networks - 1)."""
    adjusted: float
    """The share without what chance alone would give (omega squared); may be below 0."""
    pseudo_f: PermutationTestResult
    """Sum of squares over freedom, by the same of the residual; 1 by chance."""


@dataclass(frozen=True)
class Permanova:
    """A whole analysis: terms in the order in which they entered."""

    terms: tuple[Term, ...]
    sums: str
    """`sequential`: each term after those before it; `marginal`: each after all others that do not
    contain it."""
    total: float
    """Sum of squared distances over pairs, by the number of networks."""
    residual_share: float
    residual_freedom: int
    aliased: tuple[str, ...]
    """Terms left out, since others explain all that they could."""

    def term(self, name: str) -> Term:
        """A term by its name; KeyError if it is not there."""
        for term in self.terms:
            if term.name == name:
                return term
        raise KeyError(f"no term {name!r}; there are: {', '.join(t.name for t in self.terms)}")


@one_thread()
def permanova(
    distances: Array,
    factors: Mapping[str, Labels],
    *,
    covariates: Mapping[str, Sequence[float] | Array] | None = None,
    order: int = 2,
    sums: Literal["sequential", "marginal"] = "sequential",
    permutations: int = 999,
    seed: int = 0,
    strata: Labels | None = None,
) -> Permanova:
    """Pseudo-F, explained share and permutation p of each factor and of their interactions.

    The Gower-centred matrix is projected onto each term's part of the design (McArdle & Anderson
    2001); with one factor this is Anderson (2001). `covariates` are numbers [item] and
    enter first. Interactions of up to `order` factors are in; those that others already explain
    are left out and listed. Permuted are the residuals of all that a term is adjusted for
    (Freedman & Lane 1983; Anderson & ter Braak 2003), within `strata` [item] where given: exact for
    a single factor. ValueError where no degree of freedom is left for the residual.
    """
    inner = gower_centre(np.asarray(distances, float))
    designs = _designs(factors, covariates or {}, order, len(inner))
    bases, aliased = _sequential_bases(designs)
    full = _stack_bases([*bases.values()], len(inner))
    freedom = len(inner) - 1 - full.shape[1]
    if freedom < 1:
        raise ValueError(
            f"{len(inner)} networks and {full.shape[1]} degrees of freedom of the factors leave "
            "none for the residual: add seeds, or leave out factors or interactions"
        )
    total = float(np.trace(inner))
    residual = total - _explained_squares(inner, full)
    terms = []
    for name in bases:
        others = _adjusted_for(name, list(bases), sums)
        own, reduced = bases[name], _stack_bases([bases[other] for other in others], len(inner))
        if sums == "marginal":
            # Bases follow the order of entry; what a term adds to others must be found anew.
            reduced = _orthonormal(_stack_bases([designs[other] for other in others], len(inner)))
            own = _orthonormal(designs[name], reduced)
        found = _explained_squares(inner, own)
        rest = _orthonormal(full, _stack_bases([reduced, own], len(inner)))
        null = _null_pseudo_f(inner, own, reduced, rest,
                     random_orders(len(inner), permutations, seed, strata))  # fmt: skip
        spread = residual / freedom
        terms.append(
            Term(
                name=name,
                freedom=own.shape[1],
                sum_of_squares=found,
                share=_ratio(found, total),
                adjusted=_ratio(found - own.shape[1] * spread, total + spread),
                pseudo_f=compare_with_null(
                    _ratio(found / own.shape[1], spread), null, (np.nan, np.nan)
                ),
            )
        )
    return Permanova(
        terms=tuple(terms),
        sums=sums,
        total=total,
        residual_share=_ratio(residual, total),
        residual_freedom=freedom,
        aliased=aliased,
    )


def _designs(
    factors: Mapping[str, Labels],
    covariates: Mapping[str, Sequence[float] | Array],
    order: int,
    items: int,
) -> dict[str, Array]:
    """Columns of each term, in the order of entry: [item, column]."""
    designs = {}
    for name, values in covariates.items():
        numbers = np.asarray(values, float)
        _check_length(name, numbers, items)
        if not np.isfinite(numbers).all():
            raise ValueError(f"the covariate {name} should be finite")
        designs[name] = numbers[:, None]
    mains = {}
    for name, labels in factors.items():
        codes = integer_codes(labels)
        _check_length(name, codes, items)
        mains[name] = (codes[:, None] == np.arange(codes.max(initial=-1) + 1)).astype(float)
    for depth in range(1, max(order, 1) + 1):
        for names in combinations(mains, depth):
            columns = np.ones((items, 1))
            for name in names:
                columns = (columns[:, :, None] * mains[name][:, None, :]).reshape(items, -1)
            designs[" x ".join(names)] = columns
    return designs


def _check_length(name: str, values: Array, items: int) -> None:
    if len(values) != items:
        raise ValueError(f"{name} has {len(values)} values for {items} networks")


def _sequential_bases(designs: Mapping[str, Array]) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Orthonormal bases of what each term adds to those before it, and the terms that add none."""
    bases: dict[str, Array] = {}
    for name, columns in designs.items():
        before = _stack_bases([*bases.values()], len(columns))
        bases[name] = _orthonormal(columns, before)
    aliased = tuple(name for name, basis in bases.items() if not basis.shape[1])
    return {name: basis for name, basis in bases.items() if basis.shape[1]}, aliased


def _orthonormal(columns: Array, beyond: Array | None = None) -> Array:
    """Orthonormal basis of what columns [item, column] add to the constant and to a basis."""
    left = columns - columns.mean(axis=0)
    size = np.linalg.norm(left, 2) if left.size else 0.0
    if beyond is not None:
        # Twice, since one projection leaves rounding errors of the part that it removes.
        for _ in range(2):
            left = left - beyond @ (beyond.T @ left)
    basis, values, _ = np.linalg.svd(left, full_matrices=False)
    return basis[:, values > 1e-9 * size] if size > 0.0 else basis[:, :0]


def _stack_bases(bases: Sequence[Array], items: int) -> Array:
    return np.concatenate([np.zeros((items, 0)), *bases], axis=1)


def _adjusted_for(name: str, names: Sequence[str], sums: str) -> list[str]:
    if sums == "sequential":
        return list(names[: names.index(name)])
    own = set(name.split(" x "))
    return [other for other in names if not own <= set(other.split(" x "))]


def _explained_squares(inner: Array, basis: Array) -> float:
    """tr(H G) with H the projection onto a basis [item, direction]."""
    return float(np.einsum("ij,ij->", basis, inner @ basis))


def _null_pseudo_f(
    inner: Array, own: Array, reduced: Array, others: Array, orders: Iterator[Array]
) -> Array:
    """Pseudo-F [permutation] of a term under permuted residuals of the model that it is added to.

    own, reduced, others: bases of the term, of what it is adjusted for, of all else. To permute
    rows and columns of the matrix is to permute the rows of the bases; all meet it in one product.
    """
    across = inner - reduced @ (reduced.T @ inner)
    rest = across - (across @ reduced) @ reduced.T
    total, width = float(np.trace(rest)), own.shape[1]
    bases = np.concatenate([own, reduced, others], axis=1)
    freedom = len(inner) - 1 - bases.shape[1]
    found = [np.zeros(0)]
    for order in orders:
        moved = np.moveaxis(bases[order], 0, 1)
        product = (rest @ moved.reshape(len(rest), -1)).reshape(moved.shape)
        explained = np.einsum("ipk,ipk->pk", moved, product)
        term, model = explained[:, :width].sum(axis=1), explained.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((term / width) / ((total - model) / freedom))
    return np.concatenate(found)


def _ratio(part: float, whole: float) -> float:
    if whole == 0.0:
        return 0.0 if part == 0.0 else inf
    return part / whole
