"""Public names of rnnstudy and the modules that define them."""

from . import exhibits as exhibits
from . import metrics as metrics
from .analyses.base import MemberAnalysis as MemberAnalysis
from .analyses.base import TaskAnalysis as TaskAnalysis
from .cells import Cell as Cell
from .cells import Weight as Weight
from .cells import row as row
from .claims import Claim as Claim
from .comparison.distances.pairs import pairwise as pairwise
from .core.arguments.durations import Steps as Steps
from .core.record import Record as Record
from .core.record import array as array
from .core.record import arrays as arrays
from .dynamics.basins.basins import basins as basins
from .dynamics.connections.connections import connections as connections
from .dynamics.connections.transitions import transitions as transitions
from .dynamics.continuation.follow import continue_fixed_points as continue_fixed_points
from .dynamics.continuation.settings import (
    ContinuationSettings as ContinuationSettings,
)
from .dynamics.fixed_points.find import find_fixed_points as find_fixed_points
from .dynamics.fixed_points.record import FixedPoints as FixedPoints
from .dynamics.fixed_points.search import FixedPointSearch as FixedPointSearch
from .dynamics.invariant_circles.find import find_circles as find_circles
from .dynamics.invariant_circles.search import CircleSearch as CircleSearch
from .dynamics.linearisation.jacobians import input_jacobian as input_jacobian
from .dynamics.linearisation.modes import modes as modes
from .dynamics.linearisation.non_normality import non_normality as non_normality
from .dynamics.lyapunov import lyapunov_exponents as lyapunov_exponents
from .dynamics.periodic_orbits.find import find_cycles as find_cycles
from .dynamics.periodic_orbits.search import OrbitSearch as OrbitSearch
from .dynamics.states.sampling import grid as grid
from .keras_bridge.from_torch import from_torch as from_torch
from .keras_bridge.to_keras import DaleCell as DaleCell
from .keras_bridge.to_keras import GRUCell as GRUCell
from .keras_bridge.to_keras import LowRankCell as LowRankCell
from .keras_bridge.to_keras import LRUCell as LRUCell
from .keras_bridge.to_keras import LSTMCell as LSTMCell
from .keras_bridge.to_keras import MinGRUCell as MinGRUCell
from .keras_bridge.to_keras import RateCell as RateCell
from .keras_bridge.to_keras import UGRNNCell as UGRNNCell
from .keras_bridge.to_keras import VanillaCell as VanillaCell
from .keras_bridge.to_keras import keras_cell as keras_cell
from .keras_bridge.to_keras import to_model as to_model
from .metrics import Metric as Metric
from .population.population import Population as Population
from .recordings.compare import compare as compare
from .recordings.files import read_recording as read_recording
from .recordings.record import Recording as Recording
from .report.figures.figures import plot as plot
from .report.paper_figures.composing import paper_figure as paper_figure
from .runner import run as run
from .study.results.run import Run as Run
from .study.results.run import open_run as open_run
from .study.spec.study import SpecError as SpecError
from .study.spec.study import load_study as load_study
from .tasks import NumpyTask as NumpyTask
from .tasks import StaticInputs as StaticInputs
from .tasks import Task as Task
from .tasks import Trials as Trials

__version__: str
