"""Performance of outputs on trials: losses, last errors, and words that are kept."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.tasks import Task, Trials


@dataclass(frozen=True, eq=False)
class Scores:
    """Performance of networks on one batch of trials, `[member]` each."""

    loss: Array
    accuracy: Array
    last_error: Array
    words: Array
    kept_words: Array


def score(task: Task, trials: Trials, outputs: Array) -> Scores:
    """Return the performance of outputs [member, trial, time, output]."""
    targets, mask = np.asarray(trials.targets), np.asarray(trials.mask)
    is_finite = np.isfinite(outputs).all(axis=(1, 2, 3))
    usable = np.where(is_finite[:, None, None, None], outputs, 0.0).astype(np.float32)
    loss = np.asarray(task.loss.value(usable, targets, mask), float)
    accuracy = np.asarray(task.accuracy(usable, targets, mask), float)
    last, final = _last_outputs(targets[None], mask)[0], _last_outputs(usable, mask)
    error = _last_error(final, last)
    words, kept_words = _count_words(last, final) if task.words else (0, 0)
    return Scores(
        loss=np.where(is_finite, loss, np.inf),
        accuracy=np.where(is_finite, accuracy, 0.0),
        last_error=np.where(is_finite, error, np.inf),
        words=np.full(len(outputs), words),
        kept_words=np.where(is_finite, kept_words, 0),
    )


def _last_outputs(values: Array, mask: Array) -> Array:
    """Return values [member, trial, time, output] at each trial's last step that counts."""
    last = mask.shape[1] - 1 - (mask[:, ::-1] > 0).argmax(axis=1)
    chosen: Array = values[:, np.arange(len(mask)), last]
    return chosen


def _last_error(outputs: Array, targets: Array) -> Array:
    """Return the root mean square error of last outputs, [member]; NaN without any target.

    outputs [member, trial, output]; targets [trial, output], NaN for none.
    """
    known = np.isfinite(targets)
    if not known.any():
        return np.full(len(outputs), np.nan)
    errors: Array = np.sqrt(np.mean((outputs - targets) ** 2, axis=(1, 2), where=known))
    return errors


def _count_words(targets: Array, outputs: Array) -> tuple[int, Array | int]:
    """Return the number of words of targets, and how many of them each member keeps, [member].

    targets [trial, output]; outputs [member, trial, output]. Trials whose target has no sign on an
    output do not count.
    """
    known = (np.abs(targets) > 0.0).all(axis=1)
    signs, correct = np.sign(targets[known]), (outputs * targets > 0.0).all(axis=2)[:, known]
    words, of = np.unique(signs, axis=0, return_inverse=True)
    of = of.reshape(-1)
    shares = [correct[:, of == word].mean(axis=1) for word in range(len(words))]
    return len(words), np.sum([share > 0.5 for share in shares], axis=0)
