"""Results of claims with made-up evidence, without networks."""

from typing import Any

import numpy as np
from claims.studied import Large

from rnnstudy.claims import Evidence
from rnnstudy.claims.evidence.record import ControlResult, collect_controls
from rnnstudy.study.results.verdict_table import ClaimEvidence, ClaimResult, evaluate_claims
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.sine import Sine

SEES = ControlResult("twins", "positive", 0.9, p=1e-6, holds=True)


def evidence(p: float = 1e-6, controls: Any = None, **changes: Any) -> Evidence:
    numbers: dict[str, Any] = {
        "statistic": 1.0, "effect": 0.883, "low": 0.751, "high": 0.949, "p": p, "floor": 1e-9,
        "holds": True, "uninformative": "",
    }  # fmt: skip
    return Evidence(
        groups=("gru tanh",),
        networks=np.array([20]),
        values=np.array([1.0]),
        controls=collect_controls([SEES]) if controls is None else controls,
        **{**numbers, **changes},
    )


def findings(*kinds: str) -> list[ClaimResult]:
    """Return results of claims about two tasks, by turns, with verdicts of some kinds."""
    made = {
        "supported": lambda: evidence(),
        "not supported": lambda: evidence(p=0.5),
        "uninformative": lambda: evidence(uninformative="it sees nothing", effect=np.nan),
        "not computed": lambda: None,
    }
    tasks = (FlipFlop(bits=1, length=12), Sine())
    return evaluate_claims([
        ClaimEvidence(Large(name=f"claim_{i}"), tasks[i % 2], made[kind]())
        for i, kind in enumerate(kinds)
    ])  # fmt: skip
