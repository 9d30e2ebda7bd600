"""Others that a trained network may be near to: of its own kind or not, trained or not.

Masks are [network, item]: for each trained network of a record, in order, some of all its items.
"""

import numpy as np

from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, Controlled
from rnnstudy.analyses.factors.fields import NO_FACTORS, strata_of, values_of
from rnnstudy.comparison.statistics.nearness import Nearness, nearness_test
from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.core.arrays import Array

ITSELF = "itself, untrained"


def controls_of(found: Controlled) -> list[str]:
    """What others of a network's kind have learnt: nothing (`untrained`), or another task."""
    return [each for each in dict.fromkeys(found.learnt) if each != TRAINED]


def itself(found: Controlled) -> Array:
    """Each network before training."""
    return _one_network(found) & _with(found, UNTRAINED)


def same_kind(found: Controlled, learnt: str) -> Array:
    """Others that have learnt this and agree with a network in all but the seed."""
    kinds = integer_codes(_kinds(found))
    alike = kinds[found.at(TRAINED), None] == kinds
    return alike & _with(found, learnt) & ~_one_network(found)


def other_value(found: Controlled, factor: str) -> Array:
    """Trained others that differ from a network in a factor, and in nothing else but the seed."""
    strata = integer_codes(strata_of(factor, found.members))
    values = integer_codes(values_of(factor, found.members))
    at = found.at(TRAINED)
    differ: Array = (strata[at, None] == strata) & (values[at, None] != values)
    return differ & _with(found, TRAINED)


def mean_distances(found: Controlled, mask: Array) -> Array:
    """Mean distance of each trained network to its others under a mask; NaN if it has none."""
    count = mask.sum(axis=1)
    total = (found.values[found.at(TRAINED)] * mask).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def nearer_to(found: Controlled, control: str, factor: str) -> tuple[Nearness, list[int]]:
    """Are trained networks nearer to controls of their own kind than to trained ones of another
    value of a factor? Also the positions of the networks that have others of both kinds.

    ValueError if there are none.
    """
    own, another = same_kind(found, control), other_value(found, factor)
    both = own.any(axis=1) & another.any(axis=1)
    if not both.any():
        raise ValueError(
            f"no network has others of its kind, {control}, and trained ones of another {factor}"
        )
    own, another, used = own[both], another[both], np.array(found.at(TRAINED))[both]
    met: Array = np.asarray((own | another).any(axis=0))
    met[used] = True
    numbers = integer_codes([name for name, here in zip(found.networks, met, strict=True) if here])
    first = np.unique(numbers, return_index=True)[1]
    place = np.cumsum(met) - 1
    result = nearness_test(
        found.values[np.ix_(used, met)],
        own[:, met],
        another[:, met],
        (numbers[place[used]], numbers),
        _groups(found)[met][first],
    )
    return result, used.tolist()


def _with(found: Controlled, learnt: str) -> Array:
    return np.array([each == learnt for each in found.learnt], bool)


def _one_network(found: Controlled) -> Array:
    names = integer_codes(found.networks)
    mask: Array = names[found.at(TRAINED), None] == names
    return mask


def _groups(found: Controlled) -> Array:
    """Of each item, the group of its network whose size the study fixes: one task and kind."""
    return integer_codes(list(zip(_kinds(found), values_of("task", found.members), strict=True)))


def _kinds(found: Controlled) -> list[tuple[str, ...]]:
    """Of each item, the fields of its network that say of what kind it is."""
    return [
        tuple(f"{name}={value}" for name, value in fields.items() if name not in NO_FACTORS)
        for fields in found.fields
    ]
