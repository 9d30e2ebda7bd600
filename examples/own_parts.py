"""A task, a cell, a metric, an analysis and a claim of your own, for the study own_parts.yaml.

- You learn: how small each of the five is, and that a spec names them like those of the package.
- It prints: the networks with the spectral radius of each, and the verdict on the claim.
- It takes: one minute. Results are kept: a second call draws the picture at once.
- Picture: distances between the networks, by the metric. The report has more.

    python examples/own_parts.py [own_parts.png]

The command for the same study is this:

    rnnstudy run examples/own_parts.yaml --allow-plugins

A guide explains each class: docs/guide/own-tasks-and-cells.md
"""

import sys
from dataclasses import dataclass
from pathlib import Path

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


def main(picture="own_parts.png"):
    """Run the study of the spec beside this file, print what it finds, and draw the distances."""
    study = rnnstudy.load_study(Path(sys.argv[0]).with_suffix(".yaml"), allow_plugins=True)
    run = rnnstudy.run(study)  # into runs/own-parts, with a report
    for name in run.members["member"]:
        print(f"{name}: spectral radius {run.record('spectralradius', name).value:.2f}")
    for claim in run.claims.itertuples():
        print(f"{claim.statement}\n{claim.verdict}: {claim.note}")
    rnnstudy.plot(run.distances("cosine")).savefig(picture)
    print("picture:", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
