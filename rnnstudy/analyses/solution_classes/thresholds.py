"""Thresholds that decide the class of a solution."""

from typing import Annotated

from pydantic import Field

from rnnstudy.core.component import Component


class ClassThresholds(Component):
    """Times and thresholds of the classes of solutions, with their units and reasons.

    The unit of time is the length of a trial, since a solution must last as long as its task.
    Lengths are shares of the spread of the starts: their root mean square distance from their mean.

    Examples
    --------
    >>> ClassThresholds().least_ratio(100, 50) > 0.13
    True
    """

    settling: Annotated[float, Field(gt=0)] = 1.0
    """Time before the first window, in trial lengths: a solution must work by the end of a trial.
    Undecided states are followed again and again, each time for twice as long."""

    window: Annotated[float, Field(gt=0)] = 1.0
    """Duration of each of the two windows that are compared, in trial lengths. It contains a turn
    of the slowest oscillation that a trial can train."""

    horizon: Annotated[float, Field(gt=0)] = 60.0
    """Longest time that states are followed, in trial lengths. A network whose states have no
    attractor by then has none that its task can use."""

    slow: Annotated[float, Field(gt=0)] = 0.01
    """Largest step of a slow state, as a share of the spread. At this speed a state needs a hundred
    steps to cross the spread. It is the threshold of `line_attractor`."""

    turning: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Largest net displacement of an oscillation in a window, as a share of its path. It is 1 for
    straight motion, .64 for half a turn, and 0 for a full turn."""

    memory: Annotated[float, Field(gt=0)] = 1.0
    """Shortest time constant of a kept quantity, in trial lengths. The extent of a family, or the
    amplitude of an oscillation, is kept if it outlasts a trial."""

    contraction: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Largest share of a displacement across a family that is left after all these steps.
    Directions above it are not contracted. A line has one of them, and an oscillation one more."""

    extent: Annotated[float, Field(gt=0)] = 0.05
    """Smallest extent of a family, as a share of the spread. Below it all orbits are one."""

    dimension: Annotated[float, Field(gt=1)] = 1.5
    """Upper limit of the dimension of a line, a participation ratio: 1 on a line, 2 in a round
    plane. The limit is half-way."""

    roundness: Annotated[float, Field(gt=0)] = 0.2
    """Largest coefficient of variation of the radius of a ring: 0 on a circle, .35 in a disc."""

    merge: Annotated[float, Field(gt=0)] = 0.005
    """Largest diameter of a set of orbits that count as one, as a share of their extent. For
    oscillations, whose states are a sample, it is ten times as large."""

    distinct: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Largest number of such sets, as a share of the orbits, that are isolated. More sets fill a
    family."""

    gaps: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Smallest share of gaps in the length of the tree that joins the orbits, if these are
    isolated. A gap is longer than half the extent. On a line it is far smaller."""

    share: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Smallest share of the starts that must reach attractors. It leaves room for states near the
    border of two basins."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-3
    """Distance at which a state has reached a fixed point, as a share of the root mean square of
    the states. It is that of `topology`."""

    longest_orbit: Annotated[int, Field(ge=1)] = 16
    """Longest period, in steps, of a periodic orbit by its own name. A longer orbit counts as a
    cycle, like an invariant circle: which of the two it is hangs on tiny changes of the weights."""

    def steps(self, time: float, unit: int) -> int:
        """Return the number of steps in a time of so many trial lengths of `unit` steps."""
        return max(1, round(time * unit))

    def skips(self, unit: int) -> list[int]:
        """Return the steps to follow undecided states before each pair of windows."""
        windows, horizon = 2 * self.steps(self.window, unit), self.steps(self.horizon, unit)
        skips = [self.steps(self.settling, unit)]
        total = skips[0] + windows
        while total + windows < horizon:
            skips.append(min(2 * skips[-1], horizon - total - windows))
            total += skips[-1] + windows
        return skips

    def least_ratio(self, steps: int, unit: int) -> float:
        """Return the least ratio, after so many steps, of a quantity that outlasts a trial."""
        from math import exp

        return exp(-steps / (self.memory * unit))
