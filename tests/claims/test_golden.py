"""Evidence may only change together with a claim's `version`: a store keeps it by recipe.

After a change raise the version, note it in CHANGELOG.md under "Numbers changed", and write the new
numbers: PYTHONPATH=.:tests python tests/claims/test_golden.py
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims.populations import apart, controlled, population
from claims.test_contract import claim_of, tasks_of
from claims.test_cube_graph import connected
from claims.test_integration_modes import line, oscillation
from claims.test_prevalence import fixed_points
from task_inputs import evidence_of

from rnnstudy.claims import CLAIMS
from rnnstudy.core.record import Record
from rnnstudy.core.tags import tag_of

FILE = Path(__file__).with_name("golden.json")


def given(kind: str, members: Sequence[Any]) -> Sequence[Any]:
    """Return the inputs of a claim, in the order of its `needs()`."""
    geometry = apart(list(members), "cell", 1.0, seed=1)
    targets = np.linspace(0.01, 0.05, 9)
    each: dict[str, Any] = {
        "cube": lambda i: fixed_points([8, 12, 6 + (i % 5 == 0), 1]),
        "cube_graph": lambda i: connected([0] if i % 5 == 0 else []),
        "frequency_follows": lambda i: oscillation(targets if i % 4 else targets[::-1].copy()),
        "line_attractor": lambda i: line(slow=0.5 + 0.1 * (i % 6)),
        "one_mode_or_several": lambda i: line((1 + i % 3, 1 + i // 9)),
    }
    shared: dict[str, list[Record]] = {
        "geometry_depends_on": [geometry],
        "alike_across": [geometry],
        "nearer_untrained": [controlled(list(members), 3, activation=2.0, training=1.0)],
    }
    if kind in shared:
        return shared[kind]
    return [[each[kind](i) for i in range(len(members))]]


def numbers(kind: str) -> list[float]:
    claim, members = claim_of(kind), population(3)
    evidence = evidence_of(claim, tasks_of(claim)[0], members, *given(kind, members))
    return [evidence.statistic, evidence.effect, evidence.low, evidence.high, evidence.p]


def name_of(kind: str) -> str:
    return f"{tag_of(CLAIMS[kind])} {CLAIMS[kind].version}"


@pytest.mark.parametrize("kind", CLAIMS)
def test_evidence_changes_only_with_the_version(kind: str) -> None:
    golden = json.loads(FILE.read_text())
    assert name_of(kind) in golden, "a new claim or version: see the head of this file"
    # The same sums in the same order: only the last digits of BLAS and SciPy may differ.
    assert numbers(kind) == pytest.approx(golden[name_of(kind)], rel=1e-6, abs=1e-9)


if __name__ == "__main__":
    FILE.write_text(json.dumps({name_of(kind): numbers(kind) for kind in CLAIMS}, indent=1) + "\n")
