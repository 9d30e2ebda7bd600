"""Study of networks that learn a task of NeuroGym: does their cell decide how they solve it?

- You learn: how a few lines train a population on an environment of NeuroGym, and compare it.
- It prints: the accuracy of each network in the decision period beside chance, and the fixed points
  of one network.
- It takes: two minutes. Results are kept: a second call draws the picture at once.
- Picture: a map of the networks, near each other if their activity is alike.

    pip install 'rnnstudy[neurogym]'
    python examples/neurogym_study.py [neurogym_study.png [STEPS]]

STEPS of training are 500 without it; 5 show in seconds that everything runs.
"""

import sys

import numpy as np

import rnnstudy


def spec_of(steps):
    """Return the study. It may be a YAML file as well."""
    return {
        "study": f"decisions-{steps}",
        "tasks": [
            # Two noisy stimuli: which is stronger? Any environment of trials will do.
            {"kind": "neurogym", "env": "PerceptualDecisionMaking-v0", "dt": 100}
        ],
        "networks": {
            # A rate network beside gated ones. tau is in ms, like dt.
            "cells": [{"kind": "rate", "dt": 100, "tau": 200}, "vanilla", "gru"],
            "units": 32,
            "seeds": 3,
        },
        "training": {"steps": steps, "batch": 64, "learning_rate": 3e-3},
        # All trained networks: after a few steps none has solved the task.
        "analyses": [
            {"kind": "fixed_points", "networks": "trained"},
            {"kind": "pairs", "metric": "cka", "networks": "trained"},
            {"kind": "embedding", "of": "cka", "networks": "trained"},
        ],
    }


def main(picture="neurogym_study.png", steps="500"):
    """Run the study, print what the networks reach, and draw the map of them."""
    study = rnnstudy.load_study(spec_of(int(steps)))
    run = rnnstudy.run(study)  # into runs/decisions-500, with a report
    print(run.members[["member", "loss", "accuracy", "solved"]].to_string(index=False))

    (task,) = study.tasks
    trials = task.evaluation()
    choices = np.asarray(trials.targets)[np.asarray(trials.mask) == 1.0]
    print(f"chance: {choices.mean(axis=0).max():.2f}")

    name = run.members["member"].iloc[-1]
    print(f"{name} has {run.fixed_points(name)}")
    print("at the inputs of", "; ".join(task.static_inputs().labels))
    rnnstudy.plot(run.embedding("cka")).savefig(picture)
    print("picture:", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
