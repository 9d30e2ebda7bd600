"""PERMANOVA: shares of squared distances that factors explain, with tests by permutation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf
from typing import Any, Literal

import numpy as np

from rnnstudy.comparison.distances.embedding import gower_centre
from rnnstudy.comparison.statistics.permutation import (
    PermutationTestResult,
    compare_with_null,
    integer_codes,
    random_orders,
)
from rnnstudy.comparison.statistics.separation_scores import Labels
from rnnstudy.core.arguments import (
    as_distances,
    as_float_array,
    check_name,
    check_whole,
    summarise_value,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread

ROUNDING = 1e-12
"""Share of the total sum of squares below which a residual is 0."""


@dataclass(frozen=True)
class Term:
    """Share of squared distances that one factor, covariate or interaction explains."""

    name: str
    """Names of its factors, joined by ` x `."""
    freedom: int
    """Degrees of freedom."""
    sum_of_squares: float
    """Explained sum of squares, in squared units of the distances."""
    share: float
    """Share of the total sum of squares (R2); freedom / (networks - 1) by chance."""
    adjusted: float
    """Share less its value by chance (omega squared); may be below 0."""
    partial: float
    """Adjusted share of the sum of squares of this term and the residual (partial omega squared).

    References: Keren & Lewis (1979), Partial omega squared for ANOVA designs.
    """
    pseudo_f: PermutationTestResult
    """Sum of squares over freedom, by the same of the residual; 1 by chance."""


@dataclass(frozen=True)
class Permanova:
    """Table of an analysis of variance: terms in the order of entry, and the residual."""

    terms: tuple[Term, ...]
    """Terms in the order of entry."""
    sums: str
    """`sequential`: each term after those before it.

    `marginal`: each term after all others that do not contain it.
    """
    total: float
    """Sum of squared distances over pairs, divided by the number of networks."""
    residual_share: float
    """Share of the total sum of squares that no term explains."""
    residual_freedom: int
    """Degrees of freedom of the residual."""
    aliased: tuple[str, ...]
    """Terms that were dropped, because others explain all that they could."""

    def term(self, name: str) -> Term:
        """Return a term by its name; KeyError if there is none."""
        for term in self.terms:
            if term.name == name:
                return term
        names = ", ".join(term.name for term in self.terms)
        raise KeyError(f"a term must be one of {names}, got {name!r}")


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
    """Compute pseudo-F, explained share and permutation p of factors and their interactions.

    The Gower-centred matrix is projected onto the part of the design that each term adds. Residuals
    of all that a term is adjusted for are permuted. The test is exact for a single factor.

    Parameters
    ----------
    distances : array [item, item]
        Distances between networks.
    factors : mapping of sequences [item]
        Labels of the networks for each factor, in the order of entry.
    covariates : mapping of arrays [item], optional
        Numbers that enter before the factors. Default: none.
    order : int, default 2
        Largest number of factors of an interaction. Aliased interactions are dropped and listed.
    sums : {"sequential", "marginal"}, default "sequential"
        Terms that a term is adjusted for: those before it, or all that do not contain it.
    permutations : int, default 999
        Permutations of residuals.
    seed : int, default 0
        Seed of the permutations.
    strata : sequence [item], optional
        Residuals are permuted within strata. Default: one stratum.

    Returns
    -------
    Permanova
        Terms and residual.

    Raises
    ------
    ValueError
        If no degree of freedom remains for the residual, lengths differ, or there is no factor.
    TypeError
        If factors are no mapping from names to labels.

    References
    ----------
    Anderson (2001), A new method for non-parametric multivariate analysis of variance.
    McArdle & Anderson (2001), Fitting multivariate models to community data.
    Freedman & Lane (1983), A nonstochastic interpretation of reported significance levels.
    Anderson & ter Braak (2003), Permutation tests for multi-factorial analysis of variance.

    Examples
    --------
    >>> points = np.array([0.0, 0.1, 5.0, 5.1])
    >>> distances = np.abs(points[:, None] - points)
    >>> table = permanova(distances, {"cell": ["gru", "gru", "lstm", "lstm"]})
    >>> round(table.term("cell").share, 3)
    1.0
    """
    check_whole("order", order)
    check_name("sums", sums, ("sequential", "marginal"))
    check_whole("permutations", permutations)
    check_factors(factors, covariates or {})
    inner = gower_centre(as_distances(distances))
    designs = _designs(factors, covariates or {}, order, len(inner))
    bases, aliased = _sequential_bases(designs)
    full = _stack_bases([*bases.values()], len(inner))
    freedom = len(inner) - 1 - full.shape[1]
    if freedom < 1:
        raise ValueError(
            f"degrees of freedom of the factors must be at most {len(inner) - 2} for {len(inner)} "
            f"networks, got {full.shape[1]}. Add seeds, or drop factors or interactions."
        )
    total = float(np.trace(inner))
    residual = _beyond_rounding(total - _explained_squares(inner, full), total)
    terms = []
    for name in bases:
        basis, reduced = _adjusted_basis(name, designs, bases, sums)
        rest = _orthonormal(full, _stack_bases([reduced, basis], len(inner)))
        orders = random_orders(len(inner), permutations, seed, strata)
        null = _null_pseudo_f(inner, basis, reduced, rest, orders)
        squares = _explained_squares(inner, basis)
        spread = residual / freedom
        terms.append(_term(name, squares, basis.shape[1], total, spread, len(inner), null))
    return Permanova(
        terms=tuple(terms),
        sums=sums,
        total=total,
        residual_share=_ratio(residual, total),
        residual_freedom=freedom,
        aliased=aliased,
    )


def marginal_bases(factors: Mapping[str, Labels], order: int = 2) -> dict[str, Array]:
    """Return orthonormal bases [item, direction] of the part that each term adds to the others.

    A term comes after all others that do not contain it. Terms that add nothing are left out.
    """
    items = len(next(iter(factors.values())))
    designs = _designs(factors, {}, order, items)
    bases, _ = _sequential_bases(designs)
    return {name: _adjusted_basis(name, designs, bases, "marginal")[0] for name in bases}


def check_factors(factors: Any, covariates: Mapping[str, Any]) -> None:
    """Raise TypeError unless factors are a mapping, ValueError without factor and covariate."""
    if not isinstance(factors, Mapping):
        raise TypeError(
            "factors must be a mapping from names to labels, got "
            f"{summarise_value(factors)}. Pass {{'cell': labels}}."
        )
    if not factors and not covariates:
        raise ValueError("factors must have at least one factor, got none. Pass {'cell': labels}.")


def _adjusted_basis(
    name: str, designs: Mapping[str, Array], bases: Mapping[str, Array], sums: str
) -> tuple[Array, Array]:
    """Return the basis of a term, and that of the terms that it is adjusted for."""
    others, items = _adjusted_for(name, list(bases), sums), len(designs[name])
    if sums == "sequential":
        return bases[name], _stack_bases([bases[other] for other in others], items)
    # Bases follow the order of entry; the part that a term adds to others is computed anew.
    reduced = _orthonormal(_stack_bases([designs[other] for other in others], items))
    return _orthonormal(designs[name], reduced), reduced


def _term(
    name: str, squares: float, freedom: int, total: float, spread: float, items: int, null: Array
) -> Term:
    """Return a term; spread is the residual per degree of freedom."""
    pseudo_f = _ratio(squares / freedom, spread)
    return Term(
        name=name,
        freedom=freedom,
        sum_of_squares=squares,
        share=_ratio(squares, total),
        adjusted=_ratio(squares - freedom * spread, total + spread),
        partial=_ratio(squares - freedom * spread, squares + (items - freedom) * spread),
        pseudo_f=compare_with_null(pseudo_f, null, (np.nan, np.nan)),
    )


def _designs(
    factors: Mapping[str, Labels],
    covariates: Mapping[str, Sequence[float] | Array],
    order: int,
    items: int,
) -> dict[str, Array]:
    """Return the columns [item, column] of each term, in the order of entry."""
    designs = {}
    for name, values in covariates.items():
        numbers = np.atleast_1d(as_float_array(f"the covariate {name}", values))
        _check_length(name, numbers, items)
        designs[name] = numbers[:, None]
    mains = {}
    for name, labels in factors.items():
        codes = integer_codes(labels, name)
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
        raise ValueError(f"{name} must have {items} values, one per network, got {len(values)}")


def _sequential_bases(designs: Mapping[str, Array]) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return orthonormal bases of the part that each term adds, and the terms that add none."""
    bases: dict[str, Array] = {}
    for name, columns in designs.items():
        before = _stack_bases([*bases.values()], len(columns))
        bases[name] = _orthonormal(columns, before)
    aliased = tuple(name for name, basis in bases.items() if not basis.shape[1])
    return {name: basis for name, basis in bases.items() if basis.shape[1]}, aliased


def _orthonormal(columns: Array, beyond: Array | None = None) -> Array:
    """Return an orthonormal basis of the columns [item, column] beyond the constant and a basis."""
    rest = columns - columns.mean(axis=0)
    size = np.linalg.norm(rest, 2) if rest.size else 0.0
    if beyond is not None:
        # Twice, since one projection leaves rounding errors of the part that it removes.
        for _ in range(2):
            rest = rest - beyond @ (beyond.T @ rest)
    basis, values, _ = np.linalg.svd(rest, full_matrices=False)
    return basis[:, values > 1e-9 * size] if size > 0.0 else basis[:, :0]


def _stack_bases(bases: Sequence[Array], items: int) -> Array:
    return np.concatenate([np.zeros((items, 0)), *bases], axis=1)


def _adjusted_for(name: str, names: Sequence[str], sums: str) -> list[str]:
    if sums == "sequential":
        return list(names[: names.index(name)])
    factors = set(name.split(" x "))
    return [other for other in names if not factors <= set(other.split(" x "))]


def _explained_squares(inner: Array, basis: Array) -> float:
    """Return tr(H G), with H the projection onto a basis [item, direction]."""
    return float(np.einsum("ij,ij->", basis, inner @ basis))


def _null_pseudo_f(
    inner: Array, basis: Array, reduced: Array, others: Array, orders: Iterator[Array]
) -> Array:
    """Return pseudo-F [permutation] of a term under permuted residuals of the reduced model.

    basis, reduced, others: bases of the term, of the terms that it is adjusted for, of all else.
    Permuted rows of the bases stand for permuted rows and columns of the matrix.
    """
    across = inner - reduced @ (reduced.T @ inner)
    rest = across - (across @ reduced) @ reduced.T
    total, width = float(np.trace(rest)), basis.shape[1]
    bases = np.concatenate([basis, reduced, others], axis=1)
    freedom = len(inner) - 1 - bases.shape[1]
    values = [np.zeros(0)]
    for order in orders:
        moved = np.moveaxis(bases[order], 0, 1)
        product = (rest @ moved.reshape(len(rest), -1)).reshape(moved.shape)
        explained = np.einsum("ipk,ipk->pk", moved, product)
        term, model = explained[:, :width].sum(axis=1), explained.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            rest_squares = np.where(total - model > ROUNDING * total, total - model, 0.0)
            ratios = (term / width) / (rest_squares / freedom)
            values.append(np.nan_to_num(ratios, nan=0.0, posinf=inf))
    return np.concatenate(values)


def _beyond_rounding(squares: float, total: float) -> float:
    """Return a sum of squares, 0 for one that rounding errors of the total explain."""
    return squares if squares > ROUNDING * total else 0.0


def _ratio(part: float, whole: float) -> float:
    if whole == 0.0:
        return 0.0 if part == 0.0 else inf
    return part / whole
