"""Record of a multiverse: the effect of a claim under each specification."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, SpecificationCurve, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array


@dataclass(frozen=True, eq=False, kw_only=True)
class MultiverseResult(Record):
    """Effects of a claim under all specifications, with a joint permutation test.

    Examples
    --------
    >>> result = MultiverseResult(
    ...     claim="svcca_depends_on_cell", effect_label="effect",
    ...     exchange="values of cell are exchanged", shuffles=199,
    ...     choices=({"of": "svcca"}, {"of": "cka"}), reasons=("", ""), median=0.3, median_p=0.005,
    ...     effect=np.array([0.4, 0.2]), low=np.array([0.2, 0.1]), high=np.array([0.6, 0.3]),
    ...     p=np.array([0.001, 0.03]), supports=np.array([True, False]),
    ... )
    >>> result.share
    0.5
    """

    claim: str
    """Name of the claim."""
    effect_label: str
    """Meaning of the effect."""
    exchange: str
    """Things that are exchanged at random in a joint shuffle, as a clause."""
    shuffles: int
    """Number of joint shuffles."""
    choices: tuple[dict[str, Any], ...]
    """Choice -> value, of each specification; absent where it does not apply."""
    reasons: tuple[str, ...]
    """Reason why a specification has no effect or supports nothing; empty without one."""
    median: float
    """Median effect over specifications."""
    median_p: float
    """p of a median effect as large, in joint shuffles."""
    effect: Array = array("specification")
    """Effect; NaN if the claim cannot be tested."""
    low: Array = array("specification")
    """Lower end of the 95 % interval."""
    high: Array = array("specification")
    """Upper end of the 95 % interval."""
    p: Array = array("specification")
    """p of the claim's test, not corrected."""
    supports: Array = array("specification")
    """True if p is small, the rule is met and the measure is informative."""

    @property
    def share(self) -> float:
        """Share of the specifications with an effect that support the claim."""
        tested = np.isfinite(self.effect)
        return float(np.asarray(self.supports)[tested].mean()) if tested.any() else float("nan")

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per specification."""
        numbers = {n: value for n, axes, _, value in self._arrays() if axes == ("specification",)}
        return pd.DataFrame(
            {**self.columns(), **numbers, "reason": self.reasons}, index=range(len(self.effect))
        )

    def columns(self) -> dict[str, list[Any]]:
        """Return the value of each choice in each specification; None where it does not apply."""
        names = dict.fromkeys(name for each in self.choices for name in each)
        return {name: [each.get(name) for each in self.choices] for name in names}

    def exhibits(self) -> Iterable[Exhibit]:
        """Return the specification curve and its table."""
        tested = int(np.isfinite(self.effect).sum())
        untested = len(self.effect) - tested
        summary = (
            f"{int(np.sum(self.supports))} of {tested} specifications support the claim"
            + (f"; {untested} more cannot be tested" if untested else "")
            + ". Median "
            f"effect {self.median:.3g}; it is as large with p {self.median_p:.2g} in "
            f"{self.shuffles} shuffles of all specifications together, in which {self.exchange} "
            "(Simonsohn et al. 2020)."
        )
        yield SpecificationCurve(
            title=f"Specification curve of {self.claim}",
            finding=f"{int(np.sum(self.supports))} of {tested} specifications support the claim, "
            f"with a median effect of {self.median:.3g}.",
            caption=f"{summary} Each column is one specification: its effect with a 95 % interval, "
            "above the choices that lead to it.",
            effects=self.effect,
            low=self.low,
            high=self.high,
            supports=np.asarray(self.supports, bool).tolist(),
            choices={
                name.removeprefix("where."): ["" if v is None else str(v) for v in values]
                for name, values in self.columns().items()
            },
            effect_label="effect",
        )
        yield Table(
            title=f"Specifications of {self.claim}",
            caption=f"{summary} Effect: {self.effect_label}. p is not corrected.",
            columns={
                **self.columns(),
                "effect": [_known(value) for value in self.effect],
                "low": [_known(value) for value in self.low],
                "high": [_known(value) for value in self.high],
                "p": [_known(value) for value in self.p],
                "supports": np.asarray(self.supports, bool).tolist(),
                "reason": list(self.reasons),
            },
        )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
