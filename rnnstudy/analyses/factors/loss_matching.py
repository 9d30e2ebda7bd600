"""Networks that have come to the same loss, in sets of one per combination of some factors."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.comparison.statistics.matching import Matching, match_groups
from rnnstudy.core.arrays import Array

Caliper = Annotated[float, Field(gt=0, le=2)]

WORDS = " Only networks in sets of one per value of the factors whose losses are alike."
"""Added to captions of what is about matched networks."""


def by_loss(
    members: Sequence[Member], losses: Array, factors: Sequence[str], caliper: float
) -> Matching:
    """Members in sets of one per combination of factors, by the logarithms of their losses."""
    with np.errstate(divide="ignore"):
        logs = np.log(losses)
    kinds = [tuple(member.fields.get(name) for name in factors) for member in members]
    return match_groups(logs, kinds, caliper)


def summary(found: Matching) -> dict[str, float]:
    """What there is to tell of a matching, as plain numbers."""
    return {
        "networks": float(len(found.sets)),
        "matched": float(len(found.items)),
        "ratio": float(np.exp(found.width)),
        "before": found.before,
        "after": found.after,
    }


def sentence(told: dict[str, float]) -> str:
    """How many networks match, and how nearly the groups' losses then agree."""
    kept = f"Matched by loss: {told['matched']:.0f} of {told['networks']:.0f} networks"
    if not told["matched"]:
        return f"{kept} (losses within a factor of {told['ratio']:.2f})."
    return (
        f"{kept}, in sets whose losses agree within a factor of {told['ratio']:.2f}. Mean "
        f"logarithms of the loss differ by {told['after']:.2f} standard deviations between groups; "
        f"before matching by {told['before']:.2f}."
    )
