"""Train two integrators of 32 units that oscillate, for the tests:

python tests/analyses/solution_classes/train_oscillating.py

The networks have normal initial weights and a high learning rate, and both solve the task.
"""

from pathlib import Path

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.tasks.integration import Integration
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

SEEDS = (1, 2)

if __name__ == "__main__":
    cell = Vanilla(units=32, recurrent_initializer={"kind": "normal", "gain": 1.0})
    protocol = Training(steps=2500, batch=64, learning_rate=2e-2)
    networks = train(cell, Integration(), [protocol] * len(SEEDS), SEEDS)
    if not networks.solved.all():
        raise SystemExit(f"all networks must solve the task, got {networks.evaluation_loss}")
    networks.population.save(Path(__file__).parent / "oscillating_integrators")
