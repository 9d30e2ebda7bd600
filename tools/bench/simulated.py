"""Study whose training and searches are simulated: stored results in place of TensorFlow."""

from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.continua_record import Continua
from rnnstudy.dynamics.fixed_points.record import CONSISTENT, FixedPoints, SlowPoints
from rnnstudy.population.initialise import initial_population
from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.job import Context, Job
from rnnstudy.study.plan.outcomes import exclusion, write_network
from rnnstudy.study.plan.train import Train
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.training.train import TrainedNetworks

UNITS = 8
TRIALS, TIME = 8, 25
"""Probe trials of the simulated activity and their time steps."""

COMBINATIONS = 8
"""Cells times activations of the study."""

UNSOLVED = 50
"""One network in so many does not solve its task, so that results over all networks differ."""

MEMORY = {"kind": "flip_flop", "bits": 2}


def spec(networks: int, tasks: int, workers: int, claims: bool) -> dict[str, Any]:
    """Return the spec of a study of so many networks in all, a multiple of 8 for each task.

    claims: with claims, whose controls are sixteen times as many pairs.
    """
    return {
        "study": "simulated",
        "tasks": [{**MEMORY, "length": 50 + i, "name": f"memory{i}"} for i in range(tasks)],
        "networks": {
            "cells": ["vanilla", "ugrnn", "gru", "lstm"],
            "activations": ["tanh", "relu"],
            "units": UNITS,
            "seeds": networks // (COMBINATIONS * tasks),
        },
        "training": {"steps": 200, "batch": 8},
        "analyses": [
            {"kind": "fixed_points"},
            {"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 4}},
            {"kind": "embedding", "of": "svcca"},
        ],
        "claims": [{"kind": "geometry_depends_on", "factor": "cell", "of": "svcca"}] * claims,
        "report": {"formats": "svg"},
        "runtime": {"workers": workers, "forbid": "nothing"},
    }


def simulated(job: Job) -> Job:
    """Return a job with the same results that writes them without training and searching.

    Jobs that compare networks are returned as they are.
    """
    if isinstance(job, Train):
        return _as(SimulatedTraining, job)
    return _as(SimulatedAnalysis, job) if isinstance(job, AnalyseMembers) else job


def _as(kind: Any, job: Job) -> Job:
    copy: Job = kind(**{field.name: getattr(job, field.name) for field in fields(job)})
    return copy


class SimulatedTraining(Train):
    """Training that writes networks with their initial weights."""

    def run(self, context: Context) -> None:
        for network in self.networks:
            write_network(context.store, network, _trained(network))


class SimulatedAnalysis(AnalyseMembers):
    """Analysis of single networks that writes made-up records."""

    def run(self, context: Context) -> None:
        for network in self.networks:
            excluded = exclusion(context.store, network, self.choice)
            if isinstance(network, TrainedNetworkSpec) and not excluded:
                context.store.write(self._address(network), _record(self.analysis, network))


def _trained(network: TrainedNetworkSpec) -> TrainedNetworks:
    task, count = network.task, 1 + network.training.steps // network.training.record_every
    source = np.random.default_rng(network.seed)
    solved = network.seed % UNSOLVED != UNSOLVED - 1
    curve = np.geomspace(1.0, 0.01, count)[None] * source.uniform(0.8, 1.2, (1, count))
    return TrainedNetworks(
        population=initial_population(network.cell, task.inputs, task.outputs, [network.seed]),
        seed=np.array([network.seed]),
        attempt=np.array([0]),
        step=np.arange(count) * network.training.record_every,
        loss=curve,
        accuracy=1.0 - curve / 2,
        steps=np.array([network.training.steps]),
        diverged_at=np.array([-1]),
        evaluation_loss=np.array([source.uniform(0.001, 0.01) if solved else 0.5]),
        evaluation_accuracy=np.array([0.999 if solved else 0.6]),
        solved=np.array([solved]),
    )


def _record(analysis: MemberAnalysis, network: TrainedNetworkSpec) -> Record:
    if isinstance(analysis, Representations):
        return _activity(network)
    if isinstance(analysis, FixedPointAnalysis):
        return _fixed_points(network)
    raise ValueError(f"'{analysis.title}' has no simulation; leave it out of the spec")


def _activity(network: TrainedNetworkSpec) -> Activity:
    """Return random mixtures of signals that all networks share; cells differ in their mixtures."""
    source = np.random.default_rng([network.seed, len(network.cell.kind)])
    states = np.tanh(_signals() @ source.standard_normal((6, UNITS)))
    states += 0.05 * source.standard_normal(states.shape)
    probe = np.zeros((TRIALS, TIME, network.task.inputs), np.float32)
    targets = np.zeros((TRIALS, TIME, network.task.outputs), np.float32)
    return Activity(
        inputs=probe,
        targets=targets,
        outputs=targets,
        states=states.reshape(TRIALS, TIME, UNITS).astype(np.float32),
    )


@cache
def _signals() -> Array:
    source = np.random.default_rng(0)
    return source.standard_normal((TRIALS * TIME, 6)) * np.geomspace(1.0, 0.1, 6)


def _fixed_points(network: TrainedNetworkSpec) -> FixedPoints:
    """Return the nine points of a cube of two bits, with random Jacobians."""
    source, points = np.random.default_rng([network.seed, 2]), 9
    size, inputs = network.cell.state_size, network.task.inputs
    jacobian = source.standard_normal((points, size, size)) / np.sqrt(size)
    unstable, none = np.repeat([0, 1, 2], [4, 4, 1]), np.zeros(points, int)
    eigenvalues = np.linalg.eigvals(jacobian)
    order = np.argsort(-abs(eigenvalues), axis=1)
    one = np.zeros(1, int)
    return FixedPoints(
        slow=SlowPoints.none(size, inputs),
        continua=Continua.none(size, inputs),
        state=source.standard_normal((points, size)),
        inputs=np.zeros((points, inputs)),
        speed=np.full(points, 1e-30),
        jacobian=jacobian,
        eigenvalues=np.take_along_axis(eigenvalues, order, axis=1),
        n_unstable=unstable,
        index=1 - 2 * (unstable % 2),
        member=none,
        input_index=none,
        n_starts=np.full(points, 20),
        outcome=np.zeros(180, int),
        start_member=np.zeros(180, int),
        start_input=np.zeros(180, int),
        searches={"member": one, "input_index": one, "degenerate": one,
                  "verdict": np.array([CONSISTENT])},
    )  # fmt: skip
