"""A headless Chromium, and exhibits whose content is known exactly."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from browser import NAMES, Browser, browser_program

from rnnstudy.core.exhibit import (
    Curve,
    Curves,
    Exhibit,
    Forest,
    Graph,
    Intervals,
    Matrix,
    Note,
    Panels,
    Scatter,
    Space2D,
    Space3D,
    SpecificationCurve,
    StackedBars,
    Strip,
    Table,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file; they are skipped where none is installed."""
    program = browser_program()
    if program is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(NAMES)})")
    pytest.importorskip("playwright")
    found = Browser(program)
    yield found
    found.close()


CELLS, ACTIVATIONS = ("vanilla", "ugrnn", "gru", "lstm"), ("tanh", "relu")


def networks(seeds: int) -> list[tuple[str, str, str]]:
    """Name, cell and activation of so many networks of each combination."""
    return [
        (f"flip_flop-{cell}-{activation}-32-s{seed:03d}", cell, activation)
        for cell in CELLS
        for activation in ACTIVATIONS
        for seed in range(seeds)
    ]


def population(seeds: int) -> dict[str, Exhibit]:
    """One exhibit of each kind, about 8 combinations with so many seeds."""
    random = np.random.default_rng(0)
    names, cells, activations = zip(*networks(seeds), strict=True)
    combinations = [" ".join(pair) for pair in zip(cells, activations, strict=True)]
    points = random.normal(size=(len(names), 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    groups = {"cell": cells, "activation": activations}
    cube = np.array(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1])).reshape(3, 27).T.astype(float)
    index = [str(int(np.sum(point == 0))) for point in cube]
    paths = [np.cumsum(random.normal(size=(40, 3)), axis=0) / 10 for _ in range(3)]
    time = np.arange(60)
    return {
        "table": Table(title="Members", columns={"member": names, "loss": points[:, 0]}),
        "scatter": Scatter(title="Map", points=points, labels=names, groups=groups),
        "intervals": Intervals(
            title="Shares",
            values=points[:, 0],
            low=points[:, 0] - 0.2,
            high=points[:, 0] + 0.2,
            labels=combinations,
            panels=["cell"] * len(names),
            value_label="share",
            reference=0.0,
        ),
        "specifications": SpecificationCurve(
            title="Choices",
            effects=points[:, 0],
            low=points[:, 0] - 0.2,
            high=points[:, 0] + 0.2,
            supports=points[:, 0] > 0,
            choices={"metric": combinations},
            effect_label="effect",
        ),
        "strip": Strip(
            title="Losses",
            values=10 ** points[:, 0],
            categories=combinations,
            labels=names,
            value_label="loss",
            log=True,
            limit=0.01,
        ),
        "bars": StackedBars(
            title="Classes",
            categories=CELLS,
            values={"line": np.arange(len(CELLS)), "ring": np.ones(len(CELLS))},
            value_label="networks",
        ),
        "forest": Forest(
            title="Effects",
            rows=["cube", "svcca_depends_on_activation, a claim with a name that is very long"],
            notes=["supported", "uninformative"],
            row=[0, 0, 1, 1],
            series=["trained", "before training", "trained", "noise, zeros, ones"],
            values=np.array([0.9, 0.1, 0.5, np.nan]),
            low=np.array([0.7, 0.0, 0.3, np.nan]),
            high=np.array([1.0, 0.2, 0.7, np.nan]),
            value_label="effect",
            limits=[0.0],
        ),
        "matrix": Matrix(
            title="Distances", values=distances, labels=names, groups=groups, value_label="distance"
        ),
        "curves": Curves(
            title="Training",
            x_label="step",
            y_label="loss",
            log_y=True,
            curves=[
                Curve(
                    x=time,
                    y=np.exp(-time / 9),
                    low=np.exp(-time / 8),
                    high=np.exp(-time / 10),
                    label=activation,
                    panel=cell,
                )
                for cell in CELLS
                for activation in ACTIVATIONS
            ],
        ),
        "space": Space3D(title="States", lines=paths, points=cube, point_groups=index),
        "plane": Space2D(
            title="Plane",
            lines=[path[:, :2] for path in paths],
            points=cube[:, :2],
            point_groups=index,
        ),
        "panels": Panels(
            title="Spaces",
            exhibits=[
                Space3D(title=f"{cell} {activation}", lines=paths, points=cube, point_groups=index)
                for cell in CELLS
                for activation in ACTIVATIONS
            ],
        ),
        "graph": Graph(
            title="Ways",
            nodes=["a", "b", "c"],
            groups=["1", "0", "0"],
            edges=[(0, 1, 1.0), (0, 2, 0.5)],
        ),
        "note": Note(title="Remark", text="All is well."),
    }


@pytest.fixture(scope="session")
def exhibits() -> Callable[[int], dict[str, Exhibit]]:
    """Builds one exhibit of each kind for a number of seeds per combination."""
    return population
