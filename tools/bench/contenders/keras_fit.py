"""Keras: a model with its own layers, trained with `fit`."""

import time
from typing import Any

import numpy as np

from contenders.base import Contender
from contenders.case import BETA1, BETA2, CHANNELS, CLIP, EPSILON, RATE, Case
from rnnstudy.core.lazy_imports import keras, tf

STEPS_PER_CALL = 10
"""Steps that `fit` takes between two visits to Python."""

POOL = 20
"""Batches that the data hold; a training goes round and round."""


class KerasFit(Contender):
    """One network at a time; the number of members makes no difference to each."""

    multiple = STEPS_PER_CALL
    one_by_one = True

    def __init__(self, threads: int, jobs: int) -> None:
        super().__init__(threads, jobs)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_tensor_float_32_execution(False)

    def unfit(self, case: Case) -> str:
        return "Keras has no UGRNN" if case.cell == "ugrnn" else ""

    def prepare(self, case: Case) -> None:
        keras.backend.clear_session()
        self._model = _model(case, STEPS_PER_CALL)
        self._data = _data(case)
        self.run(STEPS_PER_CALL)

    def run(self, steps: int) -> float:
        calls: list[float] = []
        watch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: calls.append(time.perf_counter())
        )
        # One call more: a long training hardly feels what `fit` needs to start.
        self._model.fit(
            self._data, steps_per_epoch=steps + STEPS_PER_CALL, callbacks=[watch],
            shuffle=False, verbose=0,
        )  # fmt: skip
        return calls[-1] - calls[0]

    def parameters(self) -> int:
        return int(sum(np.prod(w.shape) for w in self._model.trainable_weights))

    def losses(self, case: Case, steps: int) -> list[float]:
        model, (inputs, targets) = _model(case, 1), case.batches(1)
        losses = []
        for _ in range(steps):
            model.reset_metrics()  # Keras 3.11 returns the mean loss since the last reset.
            losses.append(float(model.train_on_batch(inputs[0], targets[0])))
        return losses

    def device(self) -> str:
        gpus = tf.config.list_physical_devices("GPU")
        return f"{'GPU' if gpus else 'CPU'}, Keras {keras.__version__}"


def _model(case: Case, steps_per_call: int) -> Any:
    weights = case.weights(1)
    inputs = keras.Input((case.time, CHANNELS), batch_size=case.batch)
    states = _layer(case)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(CHANNELS)(states))
    model.set_weights([w[0] for w in weights.values()])
    adam = keras.optimizers.Adam(
        RATE, beta_1=BETA1, beta_2=BETA2, epsilon=EPSILON, global_clipnorm=CLIP
    )
    model.compile(adam, "mse", steps_per_execution=steps_per_call)
    return model


def _layer(case: Case) -> Any:
    given = {"activation": case.activation, "return_sequences": True}
    layers = {
        "vanilla": lambda: keras.layers.SimpleRNN(case.units, **given),
        "gru": lambda: keras.layers.GRU(case.units, reset_after=True, **given),
        "gru_before": lambda: keras.layers.GRU(case.units, reset_after=False, **given),
        "lstm": lambda: keras.layers.LSTM(case.units, **given),
    }
    return layers[case.cell]()


def _data(case: Case) -> Any:
    inputs, targets = case.batches(POOL)
    return tf.data.Dataset.from_tensor_slices((inputs, targets)).cache().repeat().prefetch(4)
