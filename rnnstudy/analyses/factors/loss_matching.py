"""Matching of networks by loss, in sets of one per combination of factors."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.comparison.statistics.matching import Matching, match_groups
from rnnstudy.core.arrays import Array

Caliper = Annotated[float, Field(gt=0, le=2)]

MATCHED_NOTE = " Only networks in sets of one per value of the factors whose losses are alike."
"""Addition to captions about matched networks."""


def match_by_loss(
    members: Sequence[Member], losses: Array, factors: Sequence[str], caliper: float
) -> Matching:
    """Match members by the logarithms of their losses, one per combination of factors."""
    with np.errstate(divide="ignore"):
        log_losses = np.log(losses)
    combinations = [tuple(member.fields.get(name) for name in factors) for member in members]
    return match_groups(log_losses, combinations, caliper)


def matching_summary(matching: Matching) -> dict[str, float]:
    """Return the counts and the balance of a matching as plain numbers."""
    return {
        "networks": float(len(matching.sets)),
        "matched": float(len(matching.items)),
        "ratio": float(np.exp(matching.width)),
        "before": matching.before,
        "after": matching.after,
    }


def matching_sentence(summary: dict[str, float]) -> str:
    """Return the summary of a matching in words."""
    counts = f"Matched by loss: {summary['matched']:.0f} of {summary['networks']:.0f} networks"
    if not summary["matched"]:
        return f"{counts} (losses within a factor of {summary['ratio']:.2f})."
    return (
        f"{counts}, in sets whose losses agree within a factor of {summary['ratio']:.2f}. Mean "
        f"logarithms of the loss differ by {summary['after']:.2f} standard deviations between "
        f"groups; before matching by {summary['before']:.2f}."
    )
