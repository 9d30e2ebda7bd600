#!/usr/bin/env python3
"""Accuracy in the decision period on tasks of NeuroGym, beside chance and a plain Keras model.

Each environment is learned by networks of rnnstudy, and by a Keras model that is trained on
NeuroGym's own data set for as many steps and as many time steps per batch. Both are evaluated on
the same fresh trials. Needs the extra `neurogym`.

Usage: tools/bench/neurogym_tasks.py [--steps N] [--seeds N] [--units N] [--only NAME ...] [--out F]

The file F is written after each environment. Environments that it has already are not run again.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pandas as pd
from rich.console import Console

from rnnstudy.cells.gru import GRU
from rnnstudy.tasks.neurogym.task import NeuroGym
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

warnings.filterwarnings("ignore")


class Case(NamedTuple):
    """An environment, and the accuracy that networks are to reach."""

    env: str
    aim: float
    dt: float = 100.0
    kwargs: dict[str, Any] = {}  # noqa: RUF012 - never changed


CASES = [
    # Trials without coherence are a fifth, so that nobody is right in more than nine of ten.
    Case("PerceptualDecisionMaking-v0", 0.75),
    Case("ContextDecisionMaking-v0", 0.75, kwargs={"use_expl_context": True}),
    Case("DelayComparison-v0", 0.8),
    Case("DelayMatchSample-v0", 0.9),
    Case("DelayMatchCategory-v0", 0.8),
    Case("DelayPairedAssociation-v0", 0.95),
    Case("GoNogo-v0", 0.95),
    Case("AntiReach-v0", 0.9, kwargs={"dim_ring": 8}),
    Case("MultiSensoryIntegration-v0", 0.8),
    Case("IntervalDiscrimination-v0", 0.8),
]
"""Environments with the accuracy that is aimed at, stated before any of them was trained."""

BATCH, LEARNING_RATE = 64, 3e-3


def task_of(case: Case) -> NeuroGym:
    """Return the task of a case."""
    return NeuroGym(env=case.env, dt=case.dt, kwargs=dict(case.kwargs), solved_accuracy=case.aim)


def chance(task: NeuroGym) -> float:
    """Return the accuracy of the choice that is correct most often."""
    trials = task.evaluation()
    decides = np.asarray(trials.mask) == 1.0
    shares = np.asarray(trials.targets)[decides].mean(axis=0)
    return float(shares.max())


def by_rnnstudy(task: NeuroGym, steps: int, seeds: int, units: int) -> list[float]:
    """Return the accuracy of each trained network."""
    training = Training(
        steps=steps, batch=BATCH, learning_rate=LEARNING_RATE, record_every=max(steps // 10, 1)
    )
    found = train(GRU(units=units), task, [training] * seeds, range(seeds))
    return [float(accuracy) for accuracy in found.evaluation_accuracy]


def by_keras(case: Case, task: NeuroGym, steps: int, units: int) -> float:
    """Return the accuracy of a Keras model that is trained on NeuroGym's data set."""
    import neurogym

    keras.utils.set_random_seed(0)
    kwargs = {"dt": int(case.dt), **case.kwargs}
    dataset = neurogym.Dataset(
        case.env, env_kwargs=kwargs, batch_size=BATCH, seq_len=task.length, batch_first=True
    )
    dataset.seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((None, task.inputs)),
            keras.layers.GRU(units, return_sequences=True),
            keras.layers.Dense(task.outputs),
        ]
    )
    model.compile(
        keras.optimizers.Adam(LEARNING_RATE, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    for _ in range(steps):
        model.train_on_batch(*dataset())
    trials = task.evaluation()
    outputs = model.predict(np.asarray(trials.inputs), batch_size=BATCH, verbose=0)
    return float(task.accuracy(outputs, trials.targets, trials.mask))


def kept_rows(path: Path | None, conditions: dict[str, int]) -> list[dict[str, Any]]:
    """Return the rows of an earlier run under the same conditions, from its file."""
    if path is None or not path.exists():
        return []
    earlier = json.loads(path.read_text())
    if {name: earlier.get(name) for name in conditions} != conditions:
        raise SystemExit(f"{path} has other conditions than {conditions}. Give another file.")
    rows: list[dict[str, Any]] = earlier["rows"]
    return rows


def main() -> None:
    """Train on all environments, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    conditions = {name: getattr(options, name) for name in ("steps", "seeds", "units")}
    rows, console = kept_rows(options.out, conditions), Console(soft_wrap=True)
    done = {row["environment"] for row in rows}
    for case in CASES:
        if options.only and case.env.removesuffix("-v0") not in options.only:
            continue
        clock, task = time.process_time(), task_of(case)
        if task.title in done:
            continue
        own = by_rnnstudy(task, options.steps, options.seeds, options.units)
        rows.append(
            {
                "environment": task.title,
                "chance": round(chance(task), 3),
                "aim": case.aim,
                "rnnstudy (median)": round(float(np.median(own)), 3),
                "rnnstudy (lowest)": round(min(own), 3),
                "Keras": round(by_keras(case, task, options.steps, options.units), 3),
                "core seconds": round(time.process_time() - clock),
            }
        )
        console.print(json.dumps(rows[-1]))
        if options.out:
            options.out.write_text(json.dumps({**conditions, "rows": rows}, indent=1) + "\n")
    console.print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
