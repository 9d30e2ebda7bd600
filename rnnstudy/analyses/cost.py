"""What an answer takes, so far as that can be told before it is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cost:
    """How much of which work, and what of it is kept. Costs add up."""

    work: Mapping[str, int] = field(default_factory=dict)
    """What there is to do, in the plural -> how often."""
    bytes: int = 0
    """Bytes of the records in the store, so far as their sizes are known before."""

    def __add__(self, other: "Cost") -> "Cost":
        work = {
            what: self.work.get(what, 0) + other.work.get(what, 0)
            for what in (*self.work, *(what for what in other.work if what not in self.work))
        }
        return Cost(work, self.bytes + other.bytes)

    def times(self, count: int) -> "Cost":
        """The cost of so many of these."""
        return Cost({what: count * often for what, often in self.work.items()}, count * self.bytes)
