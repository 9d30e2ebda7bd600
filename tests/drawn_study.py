"""A run of three tasks whose networks and records are made up, for figures of papers."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from pretended import pretended_network

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.comparison.distances.embedding import Coordinates, classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.study.plan.outcomes import write_network
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import resolve_study, study_of
from rnnstudy.study.store import StoreSnapshot
from rnnstudy.training.train import TrainedNetworks

UNITS, CUES = 4, 7

SPEC: dict[str, Any] = {
    "study": "drawn",
    "tasks": ["flip_flop", {"kind": "sine", "static_cues": CUES}, "integration"],
    "networks": {"cells": ["vanilla", "gru", "lstm"], "activations": ["tanh", "relu"]},
    "analyses": [
        {"kind": "fixed_points", "tasks": ["flip_flop"]},
        {"kind": "topology"},
        {"kind": "oscillations"},
        {"kind": "line_attractor"},
        {"kind": "pairs", "metric": "svcca"},
        {"kind": "embedding", "of": "svcca"},
        {"kind": "graph_distances"},
        {"kind": "point_geometry", "of": "oscillations"},
        {"kind": "point_geometry", "of": "line_attractor"},
    ],
}


def drawn_run(folder: Path, seeds: int = 2, **changes: Any) -> Run:
    """Return a run with the records of all figures. `changes` replaces sections of the spec."""
    networks = {**SPEC["networks"], "units": UNITS, "seeds": seeds}
    study = study_of({**SPEC, "networks": networks, **changes})
    run = Run(folder, study)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resolved.yaml").write_text(resolve_study(study), encoding="utf-8")
    populations: dict[Any, TrainedNetworks] = {}
    for position, (member, network) in enumerate(run.index.pairs):
        assert isinstance(network, TrainedNetworkSpec)
        kind = (member.fields["task"], member.fields["cell"])
        first = populations.get(kind) or pretended_network(network)
        populations[kind] = first
        loss = np.array([0.001 * (1 + position % seeds)])
        trained = replace(first, seed=np.array([network.seed]), evaluation_loss=loss)
        write_network(run.store, network, trained)
        for title, record in member_records(member, position).items():
            if title in run.index.by_title:
                bound = run.index.by_title[title]
                run.store.write(run.index.records(bound)[network.key()], record)
    run = Run(folder, study)
    for (title, task), result in run.index.selected.shared.items():
        members = [m for m in run.index.members if m.fields["task"] == task]
        distances = made_up_distances(members, len(title))
        record: Record = distances
        if result.analysis.yields is Coordinates:
            record = classical_mds(distances)
        run.store.write(result.address(StoreSnapshot(run.store)), record)
    return Run(folder, study)


def made_up_distances(members: list[Member], seed: int) -> Distances:
    """Return distances of points that depend on cell, activation and chance."""
    random = np.random.default_rng(seed)
    levels = {name: random.normal(size=3) for name in ("vanilla", "gru", "lstm", "tanh", "relu")}
    points = np.array([
        levels[m.fields["cell"]] + levels[m.fields["activation"]] + 0.3 * random.normal(size=3)
        for m in members
    ])  # fmt: skip
    values = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return Distances(tuple(m.name for m in members), values)


def member_records(member: Member, seed: int) -> dict[str, Record]:
    """Return the records of one network by analysis."""
    random = np.random.default_rng(seed)
    size = 2 * UNITS if member.fields["cell"] == "lstm" else UNITS
    return dict(MAKERS[member.fields["task"]](random, size))


def memory_records(random: np.random.Generator, size: int) -> Iterator[tuple[str, Record]]:
    """Yield the activity and the graph of a network that stores three bits in a cube."""
    pulses = random.choice([-1.0, 0.0, 1.0], p=[0.06, 0.88, 0.06], size=(10, 40, 3))
    pulses[:, 0] = random.choice([-1.0, 1.0], size=(10, 3))
    targets = pulses.copy()
    for time in range(1, targets.shape[1]):
        silent = pulses[:, time] == 0
        targets[:, time][silent] = targets[:, time - 1][silent]
    smooth = targets.copy()
    for time in range(1, targets.shape[1]):
        smooth[:, time] = 0.5 * smooth[:, time - 1] + 0.5 * targets[:, time]
    weights = random.normal(size=(3, UNITS))
    outputs = smooth + 0.02 * random.normal(size=smooth.shape)
    yield "representations", activity(pulses, targets, outputs, smooth @ weights)
    words = np.array(list(product([-1, 0, 1], repeat=3)))
    n_unstable = (words == 0).sum(axis=1)
    stable = np.flatnonzero(n_unstable == 0)
    links = [
        (source, target)
        for source in np.flatnonzero(n_unstable)
        for target in stable
        if all(a in (0, b) for a, b in zip(words[source], words[target], strict=True))
    ]
    source, target = np.array(links).T
    state = np.zeros((len(words), size))
    state[:, :UNITS] = 0.9 * words @ weights
    yield (
        "topology",
        Connections(
            state=state,
            outputs=0.9 * words.astype(float),
            n_unstable=n_unstable,
            member=np.zeros(len(words), int),
            input_index=np.zeros(len(words), int),
            source=source,
            target=target,
            outcome=np.zeros(len(source), int),
            steps=np.full(len(source), 50),
            has_labels=True,
        ),
    )


def activity(inputs: Any, targets: Any, outputs: Any, states: Any) -> Activity:
    """Return the activity of a network, in float32 as in a store."""
    parts = (np.asarray(part, np.float32) for part in (inputs, targets, outputs, states))
    return Activity(*parts)


def sine_records(random: np.random.Generator, size: int) -> Iterator[tuple[str, Record]]:
    """Yield the activity and the cycles of a network, which lacks the point of one cue."""
    cue, time = np.linspace(0.0, 1.0, CUES), np.arange(100)
    target = 0.01 + 0.04 * cue
    wave = np.sin(2 * np.pi * target[:, None] * time)[..., None]
    inputs = np.repeat(cue[:, None, None], len(time), axis=1)
    phase = 2 * np.pi * target[:, None] * time + 0.3
    circle = np.stack([np.cos(phase), np.sin(phase), np.repeat(cue[:, None], 100, 1)], axis=-1)
    plane = random.normal(size=(3, UNITS))
    yield "representations", activity(inputs, wave, wave + 0.02, circle @ plane)
    cycle = np.zeros((CUES, 100, size))
    cycle[..., :UNITS] = circle @ plane
    frequency = target * random.uniform(0.9, 1.2) + 0.001 * random.normal(size=CUES)
    frequency[-1] = np.nan
    points = np.where(np.isnan(frequency), 0, 1)
    ones = np.ones(CUES)
    yield (
        "oscillations",
        Oscillation(
            cue=cue,
            target=target,
            cycle_frequency=target,
            amplitude=ones,
            radius=ones,
            points=points,
            state=np.where(points[:, None] > 0, cycle.mean(axis=1), np.nan),
            offset=ones,
            n_unstable=np.where(points > 0, 2, -1),
            frequency=frequency,
            modulus=1.1 * ones,
            rank=np.zeros(CUES, int),
            turns=target,
            cycle=cycle,
        ),
    )


def integration_records(random: np.random.Generator, size: int) -> Iterator[tuple[str, Record]]:
    """Yield the activity and the lines of a network with two contexts."""
    streams = random.normal(size=(16, 50, 2)) + 0.2 * random.uniform(-1, 1, size=(16, 1, 2))
    context = np.eye(2)[np.arange(16) % 2][:, None].repeat(50, axis=1)
    target = 0.1 * np.cumsum((streams * context).sum(axis=-1, keepdims=True), axis=1)
    axis = random.normal(size=(4, UNITS))
    parts = np.concatenate([target, 0.3 * target**2, 0.05 * streams], axis=-1)
    inputs = np.concatenate([streams, context], axis=-1)
    yield "representations", activity(inputs, target, target + 0.02, parts @ axis)
    count = 24
    readout = np.tile(np.linspace(-1.0, 1.0, count // 2), 2)
    state = np.zeros((count, size))
    state[:, :UNITS] = np.stack([readout, 0.3 * readout**2], axis=1) @ axis[:2]
    moduli = np.sort(random.uniform(0.1, 0.9, size=(count, size)))[:, ::-1]
    moduli[:, 0] = 0.99
    share = np.cumsum(random.dirichlet(np.ones(size) / 2, size=count), axis=1)
    yield (
        "line_attractor",
        LineAttractor(
            length=50,
            slow_modulus=0.8,
            horizon=50,
            slow_share=np.ones(2),
            context_of=np.repeat([0, 1], count // 2),
            state=state,
            speed=np.zeros(count),
            first_readout=readout[:, None],
            readout=readout[:, None],
            later_readout=readout[:, None],
            eigenvalues=moduli + 0j,
            alignment=np.ones(count),
            selection=random.uniform(-1, 1, size=(count, 2)),
            gain=random.uniform(-0.2, 0.2, size=(count, 2)),
            linear_fit=np.ones(count),
            readout_share=share - 0.1,
            state_share=share,
            mean_error=1.0 - share,
            hankel=moduli,
        ),
    )


MAKERS = {
    "flip_flop": memory_records,
    "sine": sine_records,
    "integration": integration_records,
}
"""Task -> function that makes records up."""
