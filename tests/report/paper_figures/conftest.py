"""The run that all tests of figures for papers draw from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from drawn_study import drawn_run

from rnnstudy.report.paper_figures.catalogue import FIGURES
from rnnstudy.report.paper_figures.composing import paper_figure
from rnnstudy.study.results.run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of three tasks with two networks of each combination, all made up."""
    return drawn_run(tmp_path_factory.mktemp("drawn") / "run")


@pytest.fixture(scope="session")
def drawn(run: Run) -> dict[str, Any]:
    """The three figures, each drawn once."""
    return {name: paper_figure(run, name) for name in FIGURES}


def panel_axes(figure: Any, letter: str) -> list[Any]:
    """Axes of one panel of a figure, without colour bars."""
    frames = [frame for strip in figure.subfigs for frame in strip.subfigs]
    (frame,) = (each for each in frames if each.get_suptitle() == letter)
    return [axes for axes in frame.axes if axes.get_label() != "<colorbar>"]


@pytest.fixture(scope="session")
def axes_of() -> Callable[[Any, str], list[Any]]:
    return panel_axes


def projected_distances(states: Any, shown: Any) -> Any:
    """Distances of `shown` in the three principal components of `states`, by the covariance.

    Distances do not depend on the signs of the components.
    """
    states, shown = np.asarray(states, float), np.asarray(shown, float)
    _, axes = np.linalg.eigh(np.cov(states.T))
    places = (shown - states.mean(axis=0)) @ axes[:, ::-1][:, :3]
    return np.linalg.norm(places[:, None] - places[None], axis=-1)


@pytest.fixture(scope="session")
def distances_in_components() -> Callable[[Any, Any], Any]:
    return projected_distances
