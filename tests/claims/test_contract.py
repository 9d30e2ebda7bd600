"""Every claim of the catalogue keeps the contract; none is missing from it."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claims.populations import by_rule, population
from claims.test_prevalence import fixed_points
from task_inputs import compute

from rnnstudy import claims
from rnnstudy.claims import CLAIMS, Claim
from rnnstudy.claims.cube import MemoryCube
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.claims.separation import Separation
from rnnstudy.tasks import TASKS, Task
from rnnstudy.tasks.flip_flop import FlipFlop

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "own-tasks-and-cells.md"

REQUIRED: dict[str, dict[str, Any]] = {
    "geometry_depends_on": {"of": "svcca", "factor": "cell"},
    "alike_across": {
        "of": "topology",
        "factor": "cell",
        "margin": 3.0,
        "justification": "a tenth of the distance of a planted network",
        "permutations": 999,
    },
    "nearer_untrained": {"of": "svcca_controls"},
    "one_mode_or_several": {"cell": "vanilla", "expected": "one"},
}


def claim_of(kind: str, **fields: Any) -> Claim:
    return CLAIMS[kind](**(REQUIRED.get(kind, {}) | fields))


def tasks_of(claim: Claim) -> list[Task]:
    return [
        task
        for task in (TASKS[kind]() for kind in TASKS if kind != "neurogym")
        if claim.applies(task)
    ]


def test_no_claim_is_missing_from_the_catalogue() -> None:
    found: set[type] = set()
    for module in pkgutil.iter_modules(claims.__path__):
        names = vars(importlib.import_module(f"rnnstudy.claims.{module.name}")).values()
        found |= {c for c in names if isinstance(c, type) and issubclass(c, Claim)}
    assert found - {Claim, Prevalent, Separation, MemoryCube} == set(CLAIMS.values())


@pytest.mark.parametrize("kind", CLAIMS)
def test_an_entry_has_its_kind_and_its_address_knows_no_names_or_levels(kind: str) -> None:
    claim = claim_of(kind)
    assert CLAIMS[kind].kind == kind
    assert claim.title.isidentifier()
    other = claim.replace(name="other", alpha=0.01)
    assert other.title == "other"
    assert other.key() == claim.key()
    assert claim.replace(min_networks=9).key() != claim.key()


@pytest.mark.parametrize("kind", CLAIMS)
def test_an_entry_says_what_it_claims_and_how_that_is_judged(kind: str) -> None:
    claim = claim_of(kind)
    assert tasks_of(claim)
    for task in tasks_of(claim):
        sentence = claim.statement(task)
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    for clause in (claim.rule, claim.null, claim.statistic, claim.effect):
        assert clause[0].islower() or clause[0].isdigit() or clause.startswith(claim.needs())
        assert not clause.endswith(".")


@pytest.mark.parametrize("kind", CLAIMS)
def test_an_entry_can_be_about_networks_of_a_grid(kind: str) -> None:
    known = {name: [value] for name, value in population(1)[0].fields.items()}
    assert claim_of(kind).misfit(known) == ""


@pytest.fixture
def example() -> type[Claim]:
    """The claim that the contract shows."""
    blocks = doctest.DocTestFinder().find(Claim, "Claim", globs={"__name__": "mine"})
    (block,) = (each for each in blocks if each.name == "Claim")
    assert doctest.DocTestRunner().run(block, clear_globs=False).failed == 0
    found: type[Claim] = block.globs["Holds"]
    return found


def test_the_contracts_example_is_a_claim(example: type[Claim]) -> None:
    claim, members = example(of="fixed_points"), population(3)
    full, none = fixed_points([8, 12, 6, 1]), fixed_points([0, 2])
    evidence = compute(claim, FlipFlop(), members, [full] * len(members))
    assert evidence.statistic == 1.0
    assert by_rule(claim, evidence).outcome == "supported"
    evidence = compute(claim, FlipFlop(), members, [none] * len(members))
    assert np.isfinite(evidence.p)
    assert by_rule(claim, evidence).outcome == "not supported"


def test_the_claim_of_the_guide_is_a_claim() -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    found: dict[str, Any] = {"__name__": "mine"}
    exec(next(block for block in blocks if "Prevalent" in block), found)
    claim, members = found["Bistable"](least=0.8), population(3)
    several, one = fixed_points([2, 1]), fixed_points([1])
    words = []
    for record in (several, one):
        evidence = compute(claim, FlipFlop(), members, [record] * len(members))
        words.append(by_rule(claim, evidence).outcome)
    assert words == ["supported", "not supported"]
    assert claim.null == "at most 80% of the networks have two stable points or more"
