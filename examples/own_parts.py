"""A task, a cell, a metric, an analysis and a claim of your own, for the study own_parts.yaml.

- You learn: how small each of the five is, and that a spec names them like those of the package.
- It prints: the plan, the progress and the verdict on the claim.
- It takes: one minute.
- Pictures: those of the report, runs/own-parts/report/index.html

    rnnstudy run examples/own_parts.yaml --allow-plugins

A guide explains each class: docs/guide/own-tasks-and-cells.md
"""

from dataclasses import dataclass

import numpy as np

import rnnstudy
from rnnstudy.claims import Prevalent
from rnnstudy.exhibits import Table
from rnnstudy.metrics.base import centre_states, require_variation


class Hold(rnnstudy.NumpyTask):
    """Hold the sign of a number that is shown at the first time step."""

    inputs: int = 1
    outputs: int = 1
    length: int = 20

    def draw(self, generator, trials):
        """Return inputs, targets, and the mask: 1 where the loss counts."""
        inputs = np.zeros((trials, self.length, 1))
        inputs[:, 0] = generator.choice([-1.0, 1.0], size=(trials, 1))
        targets = np.repeat(inputs[:, :1], self.length, axis=1)
        mask = np.ones((trials, self.length))
        mask[:, :3] = 0.0  # Three steps to settle.
        return inputs, targets, mask


class Leaky(rnnstudy.Cell):
    """A leaky vanilla network: h' = (1 - leak) h + leak f(W x + R h + b)."""

    leak: float = 0.2

    def weights(self, inputs):
        """Return the shape of each weight array."""
        return self.kernels(inputs, blocks=1) | {"bias": rnnstudy.Weight((self.units,))}

    def drive(self, w, x):
        """Return what the inputs add to a step."""
        return x @ w["kernel"] + rnnstudy.row(w["bias"])

    def step(self, w, drive, h):
        """Return the next state."""
        new = self.nonlinearity(drive + h @ w["recurrent_kernel"])
        return (1.0 - self.leak) * h + self.leak * new

    @property
    def bound(self):
        """Radius of a box that no step leaves. With it a search for fixed points is certified."""
        return 1.0 if self.activation == "tanh" else None


class Cosine(rnnstudy.Metric):
    """Cosine of the angle between the centred activity of two networks of one size."""

    def prepare(self, states):
        """Return what is needed of one network's states [sample, unit]."""
        x = centre_states(states)
        require_variation(x)
        return x / np.linalg.norm(x)

    def compare(self, a, b):
        """Return the similarity of two networks: 1 for equal activity."""
        return (a * b).sum(axis=(-2, -1))


@dataclass(frozen=True, eq=False, kw_only=True)
class Radius(rnnstudy.Record):
    """Spectral radius of the recurrent weights of one network."""

    value: float


class SpectralRadius(rnnstudy.MemberAnalysis):
    """Spectral radius of the recurrent weights of each network."""

    yields = Radius

    def run(self, population, task):
        """Return one record for each network of a population."""
        kernels = np.asarray(population.weights["recurrent_kernel"])  # [member, unit, gate x unit]
        square = kernels[:, :, -kernels.shape[1] :]  # the block of the candidate
        return [Radius(value=float(abs(np.linalg.eigvals(one)).max())) for one in square]

    def show(self, section):
        """Return the tables and figures of the report."""
        records = section.records[self.title]
        values = [record.value for record in records.values()]
        yield Table(title="Spectral radius", columns={"network": list(records), "radius": values})


class Bistable(Prevalent):
    """Networks hold the sign in two stable points or more."""

    takes = rnnstudy.FixedPoints
    of: str = "fixed_points"

    @property
    def trait(self):
        """Return the property that networks may have."""
        return "two stable points or more"

    def statement(self, task):
        """Return the sentence that is tested."""
        return f"Networks that learn {task.title} have more than one stable point."

    def has(self, record, task):
        """Return whether a network has the property, by its fixed points."""
        return int((record.n_unstable == 0).sum()) >= 2
