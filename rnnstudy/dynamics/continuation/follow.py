"""Continuation of fixed points along a path of inputs."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_flag, check_number
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.deprecations import accept_former_arguments
from rnnstudy.core.threads import one_thread
from rnnstudy.dynamics.continuation.bifurcations import (
    BIFURCATION_KINDS,
    Bifurcation,
    find_bifurcations,
)
from rnnstudy.dynamics.continuation.branch_switching import Branch, reverse, switch_branches
from rnnstudy.dynamics.continuation.input_path import InputPath, check_input_path, path_through
from rnnstudy.dynamics.continuation.problem import (
    ContinuationPoint,
    ContinuationProblem,
    Linearisation,
    Linearise,
)
from rnnstudy.dynamics.continuation.pseudo_arclength import (
    BRANCH_OUTCOMES,
    Trace,
    newton_correct,
    run_in_batches,
    tangent_of,
    trace_branch,
)
from rnnstudy.dynamics.continuation.record import Branches
from rnnstudy.dynamics.continuation.settings import ContinuationSettings
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.linearisation.modes import (
    frequencies,
    n_unstable,
    wanted_continuous,
)
from rnnstudy.dynamics.networks.adapters import Networks, as_networks
from rnnstudy.dynamics.networks.arguments import (
    check_arguments,
    check_first_states,
    check_layer,
    instance_of,
    record_or,
    whole,
)
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled

MAX_CORRECTION = 1e-2
"""Largest distance by which Newton's method may move a start, in units of the scale."""

SAME_INPUT = 1e-9
"""Distance of inputs, relative to the path's, within which they are the same."""


@accept_former_arguments(stride="settings")
@check_arguments(
    start=record_or(FixedPoints, check_first_states),
    path=check_input_path,
    member=whole(remedy="It is the position of the network."),
    at=partial(check_number, least=0.0, most=1.0, remedy="It is the share of the path."),
    settings=instance_of(ContinuationSettings, "Use ContinuationSettings(ds=0.01)."),
    switch=check_flag,
    layer=check_layer,
    continuous=check_flag,
)
@one_thread()
def continue_fixed_points(
    network: Any,
    start: FixedPoints | Array,
    path: Array,
    member: int = 0,
    *,
    at: float = 0.0,
    settings: ContinuationSettings | None = None,
    switch: bool = False,
    layer: str | None = None,
    continuous: bool | None = None,
) -> Branches:
    """Follow fixed points h*(x) of a network along a path of inputs, one branch per start.

    Pseudo-arclength continuation passes folds. Folds, branch points (transcritical, pitchfork),
    flips and Neimark-Sacker bifurcations between two points are located by the root of a test
    function. A bifurcation at the very end of the path is not crossed. Its eigenvalue is within the
    margin of the unit circle. Branches of two starts may be the same.

    A vector field has Hopf bifurcations, where a pair of eigenvalues crosses the imaginary axis, in
    place of flips and Neimark-Sacker bifurcations.

    Parameters
    ----------
    network
        Network or networks, as for `find_fixed_points`.
    start
        Fixed points at x(s = `at`), `[state]` or `[start, state]`. A `FixedPoints` contributes its
        points of this member at that input.
    path
        Inputs on straight segments, `[step, input]`. The arclength s is the share of the whole
        length.
    member
        Position of the network.
    at
        Arclength of the starts. From inside the path both directions are followed.
    settings
        Settings of the continuation. None: the defaults of `ContinuationSettings`.
    switch
        Whether to follow the branches that these meet at branch points, and those that they meet.
    layer
        Name of the recurrent layer of a model with several.
    continuous
        Whether a function is a vector field (inputs, states) -> dh/dt. None: as the `FixedPoints`
        say, else a map, with a warning if it looks like a vector field.

    Returns
    -------
    Branches
        Points, eigenvalues and bifurcations of all branches.

    Raises
    ------
    ValueError
        If a shape does not fit, the path has one input only, or there is no start.

    References
    ----------
    Keller (1977), Numerical solution of bifurcation and nonlinear eigenvalue problems.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def unit(inputs, state):
    ...     return tf.tanh(2.0 * state + inputs)
    >>> branches = rnnstudy.continue_fixed_points(unit, np.array([-0.9993]), [[-2.0], [2.0]])
    >>> branches.bifurcations["kind"].tolist()
    ['fold', 'fold']
    """
    settings = settings or ContinuationSettings()
    first_states = start.state if isinstance(start, FixedPoints) else start
    networks = as_networks(
        network,
        layer,
        state_size=np.atleast_2d(first_states).shape[-1],
        input_size=np.atleast_2d(path).shape[-1],
        probes=np.atleast_2d(first_states),
        continuous=wanted_continuous(start, continuous),
    )
    if member not in range(len(networks)):
        raise ValueError(
            f"member must be 0 to {len(networks) - 1}, got {member}. It is a network's position."
        )
    input_path = _path(path, networks.inputs)
    inputs = input_path.inputs_at(at, input_path.segment_at(at))
    starts = _starts(start, networks.state_size, inputs, member, input_path)
    scale = _scale(settings, networks, starts)
    problem = ContinuationProblem(input_path, networks.state_size, scale, networks.is_continuous)
    linearise = _linearise(networks, member)
    branches = _branches(problem, linearise, starts, at, settings)
    if switch:
        branches += switch_branches(problem, linearise, branches, settings)
    return _record(problem, branches, member, settings.margin, networks.time_unit)


def _path(path: Array, channels: int) -> InputPath:
    points = as_float_array("path", path)
    if points.ndim != 2 or points.shape[1] != channels or len(points) < 2:
        raise ValueError(
            f"path must have shape [step, {channels}] with two steps or more, got {points.shape}. "
            "Give one row per step."
        )
    return path_through(points)


def _starts(start: Any, size: int, inputs: Array, member: int, path: InputPath) -> Array:
    """Return the first points of the branches, [start, state]."""
    if isinstance(start, FixedPoints):
        points = start.of(member=member)
        radius = SAME_INPUT * (1 + np.abs(path.knots).max())
        states: Array = points.state[(np.abs(points.inputs - inputs) <= radius).all(axis=1)]
        if not len(states):
            raise ValueError(
                f"start must have fixed points of member {member} at input {inputs}, got none. "
                "Search them at that input, or change `at`."
            )
        return states
    starts = np.atleast_2d(as_float_array("start", start))
    if starts.ndim != 2 or starts.shape[1] != size or not len(starts):
        raise ValueError(
            f"start must have shape [{size}] or [start, {size}], got {np.shape(start)}. "
            "Give one row per start."
        )
    return starts


def _scale(settings: ContinuationSettings, networks: Networks, starts: Array) -> float:
    """Return the length of a state that counts as much as the whole path."""
    size = networks.state_bound or max(1.0, float(np.sqrt(np.mean(starts**2, axis=1)).max()))
    return float((settings.scale or size) * np.sqrt(networks.state_size))


def _linearise(networks: Networks, member: int) -> Linearise:
    """Return a function that linearises at many states and inputs in one compiled call."""
    state_map = networks.state_map(np.array([member]), np.zeros((1, 1, networks.inputs)))

    def linearise(h: Array, x: Array) -> Linearisation:
        image, by_state, by_input = run_compiled(_linearise_at, state_map, h[None], x[None])
        return image.numpy()[0], by_state.numpy()[0], by_input.numpy()[0]

    return linearise


def _linearise_at(state_map: StateMap, h: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    at_inputs = replace(
        state_map, drive=state_map.step_function.drive(state_map.weights, x), inputs=x
    )
    return *at_inputs.linearise(h), at_inputs.by_input(h)


def _branches(
    problem: ContinuationProblem,
    linearise: Linearise,
    starts: Array,
    at: float,
    settings: ContinuationSettings,
) -> list[Branch]:
    """Return the branch of each start [start, state], followed in both directions."""
    traces = run_in_batches(
        {
            (i, direction): _trace_from_start(problem, h, at, direction, settings)
            for i, h in enumerate(starts)
            for direction in (-1, 1)
        },
        linearise,
    )
    branches = []
    for i in range(len(starts)):
        (backward, backward_outcome), (forward, forward_outcome) = traces[i, -1], traces[i, 1]
        points = _in_one_order(backward, forward, forward_outcome == "closed")
        bifurcations = find_bifurcations(problem, linearise, points, settings.margin)
        branches.append(Branch(points, (backward_outcome, forward_outcome), bifurcations))
    return branches


def _trace_from_start(
    problem: ContinuationProblem,
    h: Array,
    at: float,
    direction: int,
    settings: ContinuationSettings,
) -> Trace:
    """Return the branch of one start in one direction along the path."""
    segment = problem.path.segment_at(at)
    if direction < 0 and at == problem.path.s[segment] and segment > 0:
        segment -= 1
    v = np.append(h / problem.scale, at)
    along = np.append(np.zeros(len(h)), float(direction))
    point = yield from newton_correct(problem, v, np.abs(along), segment, along, lenient=True)
    if point is None or point.matrices is None or np.linalg.norm(point.v - v) > MAX_CORRECTION:
        return [], "no fixed point"
    matrix = problem.derivative(*point.matrices, segment)
    point = replace(point, tangent=tangent_of(matrix, np.abs(along), along))
    points, outcome = yield from trace_branch(problem, point, settings)
    is_untraced = len(points) == 1 and outcome in {"end", "beginning"}
    return points, "" if is_untraced else outcome


def _in_one_order(
    backward: Sequence[ContinuationPoint], forward: Sequence[ContinuationPoint], closed: bool
) -> list[ContinuationPoint]:
    """Return the points of a branch in one order. A closed branch was traced twice."""
    return list(forward) if closed or not forward else [*reverse(backward), *forward]


def _record(
    problem: ContinuationProblem,
    branches: Sequence[Branch],
    member: int,
    margin: float,
    time_unit: float,
) -> Branches:
    points = [point for branch in branches for point in branch.points]
    state, inputs = _states_and_inputs(problem, points)
    values = np.array([point.eigenvalues for point in points], np.complex128).reshape(state.shape)
    unstable = n_unstable(values, margin, problem.continuous)
    counts = [len(branch.points) for branch in branches]
    firsts = np.cumsum([0, *counts[:-1]])
    rows = [
        (i, first + position, bifurcation)
        for i, (first, branch) in enumerate(zip(firsts, branches, strict=True))
        for position, bifurcation in branch.bifurcations
    ]
    before = np.cumsum([0, *(len(branch.bifurcations) for branch in branches)])
    origins = [-1 if i < 0 else before[i] + k for i, k in (branch.origin for branch in branches)]
    codes = [[BRANCH_OUTCOMES[name].code for name in branch.outcome] for branch in branches]
    return Branches(
        s=np.array([point.s for point in points], np.float64),
        inputs=inputs,
        state=state,
        eigenvalues=values / time_unit,
        n_unstable=unstable,
        branch=np.repeat(np.arange(len(branches)), counts),
        outcome=np.array(codes),
        origin=np.array(origins),
        events=_columns(problem, rows, time_unit),
        member=member,
        margin=margin / time_unit,
        continuous=problem.continuous,
    )


def _states_and_inputs(
    problem: ContinuationProblem, points: Sequence[ContinuationPoint]
) -> tuple[Array, Array]:
    """Return states [point, state] and inputs [point, input] of points of branches."""
    path, size = problem.path, problem.size
    queries = [problem.query(point.v, path.segment_at(point.s)) for point in points]
    state = np.array([h for h, _ in queries], np.float64).reshape(-1, size)
    inputs = np.array([x for _, x in queries], np.float64).reshape(-1, path.knots.shape[1])
    return state, inputs


def _columns(
    problem: ContinuationProblem, rows: Sequence[tuple[int, int, Bifurcation]], time_unit: float
) -> dict[str, Array]:
    """Return the table of bifurcations from branch, point before it, and bifurcation."""
    bifurcations = [bifurcation for _, _, bifurcation in rows]
    state, inputs = _states_and_inputs(problem, [each.point for each in bifurcations])
    critical = [each.eigenvalue / time_unit for each in bifurcations]
    eigenvalue = np.array(critical, np.complex128)
    return {
        "branch": np.array([branch for branch, _, _ in rows], np.int64),
        "kind": np.array([BIFURCATION_KINDS.index(each.kind) for each in bifurcations], np.int64),
        "s": np.array([each.point.s for each in bifurcations], np.float64),
        "eigenvalue": eigenvalue,
        "frequency": frequencies(eigenvalue, problem.continuous),
        "change": np.array([each.change for each in bifurcations], np.int64),
        "located": np.array([each.width for each in bifurcations], np.float64),
        "point": np.array([point for _, point, _ in rows], np.int64),
        "inputs": inputs,
        "state": state,
    }
