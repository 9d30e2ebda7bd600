"""Outcomes of starts and trajectories: name, code, sentence and remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array


@dataclass(frozen=True)
class OutcomeEntry:
    """One outcome. Records store its code."""

    code: int
    name: str
    sentence: str
    remedy: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.name or '(none)'}:", self.sentence, self.remedy)))

    __repr__ = __str__


class Outcomes(Mapping[str, OutcomeEntry]):
    """The outcomes that one class of record knows, by name. Codes count from 0 in their order.

    Parameters
    ----------
    sentences
        Name of each outcome -> its sentence, or its sentence and the remedy.

    Examples
    --------
    >>> outcomes = Outcomes({"done": "It ended.", "limit": ("It was cut off.", "Raise `limit`.")})
    >>> outcomes["limit"]
    limit: It was cut off. Raise `limit`.
    >>> outcomes.count(np.array([1, 1, 0]))
    {'done': 1, 'limit': 2}
    """

    def __init__(self, sentences: Mapping[str, str | tuple[str, str]]) -> None:
        self._outcomes = {
            name: OutcomeEntry(code, name, *((text,) if isinstance(text, str) else text))
            for code, (name, text) in enumerate(sentences.items())
        }
        self.names = tuple(self._outcomes)

    def __getitem__(self, name: str) -> OutcomeEntry:
        return self._outcomes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.values()))

    @property
    def codes(self) -> range:
        """The codes, in order."""
        return range(len(self))

    def name_of(self, code: int) -> str:
        """Return the name of a code."""
        return self.names[code]

    def names_of(self, codes: Array) -> Array:
        """Return the names of an array of codes, as an array of strings of the same shape."""
        names: Array = np.array(self.names, object)[codes]
        return names

    def count(self, codes: Array) -> "OutcomeCounts":
        """Return how often each outcome occurs in an array of codes."""
        return OutcomeCounts(self, codes)


class OutcomeCounts(dict[str, int]):
    """Number of occurrences by name of the outcome. `print` shows sentences and remedies."""

    def __init__(self, outcomes: Outcomes, codes: Array) -> None:
        super().__init__({name: int((codes == outcomes[name].code).sum()) for name in outcomes})
        self._outcomes = outcomes

    def __str__(self) -> str:
        lines = [f"{count} {self._outcomes[name]}" for name, count in self.items() if count]
        return "\n".join(lines) or "no outcomes"


class CountedOutcomes:
    """Part of a record that has codes in a field `outcome`. A subclass sets `outcome_table`."""

    outcome_table: ClassVar[Outcomes]
    """The outcomes that the codes in `outcome` stand for."""

    outcome: Array

    @property
    def outcomes(self) -> OutcomeCounts:
        """Number of starts or trajectories with each outcome. `print` explains them."""
        return self.outcome_table.count(self.outcome)
