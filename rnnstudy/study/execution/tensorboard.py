"""Training curves for TensorBoard: quantiles over the networks of a cohort."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.files import short_name
from rnnstudy.core.lazy_imports import tf
from rnnstudy.training.protocol import Training
from rnnstudy.training.state import TrainingState

QUANTILES = {"lowest": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "highest": 1.0}


@contextmanager
def training_curves(folder: str | None, cohort: str, protocol: Training) -> Iterator[Any]:
    """Return a writer of training states to `folder/cohort`; it writes nothing without a folder.

    Tags: `loss/median` and so on, `accuracy/...`, and `members/training`, `stopped`, `diverged`.
    Quantiles are over the members that still train.
    """
    if folder is None:
        yield lambda course: None
        return
    writer = tf.summary.create_file_writer(str(Path(folder) / short_name(cohort.replace(" ", "_"))))

    def write(course: TrainingState) -> None:
        mark = (course.done - 1) // protocol.record_every
        with writer.as_default():
            for tag, value in _values(course, mark):
                _scalar(tag, value, mark * protocol.record_every)
        writer.flush()

    try:
        yield write
    finally:
        writer.close()


def _values(course: TrainingState, mark: int) -> Iterator[tuple[str, float]]:
    for name, curve in (("loss", course.loss), ("accuracy", course.accuracy)):
        now: Array = curve[:, mark]
        if np.isfinite(now).any():
            for quantile, share in QUANTILES.items():
                yield f"{name}/{quantile}", float(np.nanquantile(now, share))
    yield "members/training", float(len(course.active))
    yield "members/stopped", float((course.stopped_at >= 0).sum())
    yield "members/diverged", float((course.diverged_at >= 0).sum())


def _scalar(tag: str, value: float, step: int) -> None:
    """Write a scalar as `tf.summary.scalar` does, without TensorBoard installed."""
    kind = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    metadata = tf.compat.v1.SummaryMetadata(plugin_data=kind)
    tf.summary.write(tag, tf.constant(value, tf.float32), step, metadata)
