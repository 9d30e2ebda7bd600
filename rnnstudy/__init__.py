"""Populations of recurrent networks: trained, taken apart, compared.

Each name is imported when it is first used, so that `import rnnstudy` stays light.
"""

import importlib
from typing import TYPE_CHECKING, Any

from rnnstudy.core.deprecations import accept_former_modules, current_name
from rnnstudy.core.lazy_imports import after_import

if TYPE_CHECKING:
    from rnnstudy import metrics as metrics
    from rnnstudy.analyses.base import MemberAnalysis as MemberAnalysis
    from rnnstudy.analyses.base import TaskAnalysis as TaskAnalysis
    from rnnstudy.cells import Cell as Cell
    from rnnstudy.cells import Weight as Weight
    from rnnstudy.cells import row as row
    from rnnstudy.claims import Claim as Claim
    from rnnstudy.comparison.distances.pairs import pairwise as pairwise
    from rnnstudy.core.record import Record as Record
    from rnnstudy.dynamics.basins.basins import basins as basins
    from rnnstudy.dynamics.connections.connections import connections as connections
    from rnnstudy.dynamics.connections.transitions import transitions as transitions
    from rnnstudy.dynamics.continuation.follow import continue_fixed_points as continue_fixed_points
    from rnnstudy.dynamics.continuation.settings import (
        ContinuationSettings as ContinuationSettings,
    )
    from rnnstudy.dynamics.fixed_points.find import find_fixed_points as find_fixed_points
    from rnnstudy.dynamics.fixed_points.record import FixedPoints as FixedPoints
    from rnnstudy.dynamics.fixed_points.search import FixedPointSearch as FixedPointSearch
    from rnnstudy.dynamics.invariant_circles.find import find_circles as find_circles
    from rnnstudy.dynamics.invariant_circles.search import CircleSearch as CircleSearch
    from rnnstudy.dynamics.linearisation.jacobians import input_jacobian as input_jacobian
    from rnnstudy.dynamics.linearisation.modes import modes as modes
    from rnnstudy.dynamics.linearisation.non_normality import non_normality as non_normality
    from rnnstudy.dynamics.lyapunov import lyapunov_exponents as lyapunov_exponents
    from rnnstudy.dynamics.periodic_orbits.find import find_cycles as find_cycles
    from rnnstudy.dynamics.periodic_orbits.search import OrbitSearch as OrbitSearch
    from rnnstudy.dynamics.states.sampling import grid as grid
    from rnnstudy.keras_bridge.to_keras import GRUCell as GRUCell
    from rnnstudy.keras_bridge.to_keras import LSTMCell as LSTMCell
    from rnnstudy.keras_bridge.to_keras import UGRNNCell as UGRNNCell
    from rnnstudy.keras_bridge.to_keras import VanillaCell as VanillaCell
    from rnnstudy.keras_bridge.to_keras import keras_cell as keras_cell
    from rnnstudy.keras_bridge.to_keras import to_model as to_model
    from rnnstudy.metrics import Metric as Metric
    from rnnstudy.population.population import Population as Population
    from rnnstudy.report.figures.figures import plot as plot
    from rnnstudy.runner import run as run
    from rnnstudy.study.results.run import Run as Run
    from rnnstudy.study.results.run import open_run as open_run
    from rnnstudy.study.spec.study import SpecError as SpecError
    from rnnstudy.study.spec.study import load_study as load_study
    from rnnstudy.tasks import StaticInputs as StaticInputs
    from rnnstudy.tasks import Task as Task
    from rnnstudy.tasks import Trials as Trials

    __version__: str

_NAMES = {
    "rnnstudy.analyses.base": ("MemberAnalysis", "TaskAnalysis"),
    "rnnstudy.cells": ("Cell", "Weight", "row"),
    "rnnstudy.claims": ("Claim",),
    "rnnstudy.comparison.distances.pairs": ("pairwise",),
    "rnnstudy.dynamics.fixed_points.find": ("find_fixed_points",),
    "rnnstudy.dynamics.fixed_points.record": ("FixedPoints",),
    "rnnstudy.dynamics.continuation.settings": ("ContinuationSettings",),
    "rnnstudy.dynamics.basins.basins": ("basins",),
    "rnnstudy.dynamics.invariant_circles.find": ("find_circles",),
    "rnnstudy.dynamics.invariant_circles.search": ("CircleSearch",),
    "rnnstudy.dynamics.continuation.follow": ("continue_fixed_points",),
    "rnnstudy.dynamics.periodic_orbits.find": ("find_cycles",),
    "rnnstudy.dynamics.linearisation.jacobians": ("input_jacobian",),
    "rnnstudy.dynamics.lyapunov": ("lyapunov_exponents",),
    "rnnstudy.dynamics.linearisation.modes": ("modes",),
    "rnnstudy.dynamics.linearisation.non_normality": ("non_normality",),
    "rnnstudy.dynamics.fixed_points.search": ("FixedPointSearch",),
    "rnnstudy.dynamics.periodic_orbits.search": ("OrbitSearch",),
    "rnnstudy.dynamics.states.sampling": ("grid",),
    "rnnstudy.dynamics.connections.connections": ("connections",),
    "rnnstudy.dynamics.connections.transitions": ("transitions",),
    "rnnstudy.metrics": ("Metric",),
    "rnnstudy.keras_bridge.to_keras": (
        "GRUCell",
        "LSTMCell",
        "UGRNNCell",
        "VanillaCell",
        "keras_cell",
        "to_model",
    ),
    "rnnstudy.population.population": ("Population",),
    "rnnstudy.core.record": ("Record",),
    "rnnstudy.report.figures.figures": ("plot",),
    "rnnstudy.runner": ("run",),
    "rnnstudy.study.results.run": ("Run", "open_run"),
    "rnnstudy.study.spec.study": ("SpecError", "load_study"),
    "rnnstudy.tasks": ("StaticInputs", "Task", "Trials"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return importlib.import_module("rnnstudy.metrics")
    if name == "__version__":
        from importlib.metadata import version

        return version("rnnstudy")
    name = current_name(name) or name
    if name not in _HOME:
        raise AttributeError(f"module 'rnnstudy' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME, "metrics", "__version__"])


accept_former_modules()

# Keras finds the classes of a saved model of ours only once they are registered.
after_import("keras", lambda: importlib.import_module("rnnstudy.keras_bridge.to_keras"))
