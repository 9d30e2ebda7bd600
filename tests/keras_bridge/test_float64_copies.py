"""Copies of Keras layers in float64: types at any depth, functions, weights, and what can't be."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from rnnstudy.keras_bridge.float64_copies import float64_copy, float64_policy


class Nested(layers.Layer):
    """A layer with others inside: one from its config, one of its own making."""

    def __init__(self, inner, scale=None, **options):
        super().__init__(**options)
        self.inner = inner
        self.own = layers.Dense(3)
        self.scale = scale or (lambda x: x)

    def build(self, shape):
        self.inner.build(shape)
        self.own.build((None, self.inner.units))

    def call(self, x):
        return self.own(self.scale(self.inner(x)))

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "inner": inner, "scale": self.scale}

    @classmethod
    def from_config(cls, config):
        inner = keras.saving.deserialize_keras_object(config.pop("inner"))
        return cls(inner, **config)


def nested(**options):
    layer = Nested(layers.Dense(4, activation="tanh"), **options)
    layer.build((None, 2))
    return layer


@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_float16", "bfloat16"])
def test_every_part_is_float64_with_the_same_weights(dtype):
    layer = nested(dtype=dtype)
    twin = float64_copy(layer)
    for mine, its in zip(layer.weights, twin.weights, strict=True):
        assert its.dtype == "float64"
        np.testing.assert_array_equal(its.numpy(), tf.cast(mine.value, tf.float64).numpy())
    assert twin(np.ones((1, 2))).dtype == tf.float64
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_functions_of_the_user_and_what_they_close_over_stay():
    factor = 3.0

    def thrice(x):
        return factor * x

    for function in (lambda x: factor * x, thrice):
        twin = float64_copy(nested(scale=function))
        assert twin.scale is function
        dense = layers.Dense(2, activation=function)
        dense.build((None, 2))
        np.testing.assert_allclose(float64_copy(dense)(np.eye(2)), dense(np.eye(2)), rtol=1e-6)


def test_layers_of_one_make_share_a_copy_if_asked_to_unless_functions_of_the_user_are_in_it():
    first, second = nested(), nested()
    assert float64_copy(first) is not float64_copy(second)
    plain = [layers.Dense(2, activation=name) for name in ("tanh", "tanh", "relu")]
    for layer in plain:
        layer.build((None, 3))
    twins = [float64_copy(layer, shared=True) for layer in plain]
    assert twins[0] is twins[1]
    assert twins[0] is not twins[2]
    # The copy has the weights of the last.
    np.testing.assert_array_equal(twins[0].kernel.numpy(), plain[1].kernel.numpy().astype(float))
    assert float64_copy(first, shared=True) is not float64_copy(second, shared=True)


def test_what_cannot_be_rebuilt_is_refused():
    class Forgetful(layers.Layer):
        def __init__(self, size, **options):
            super().__init__(**options)
            self.size = size

        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], self.size), dtype=self.variable_dtype)

        def get_config(self):
            return {}

    layer = Forgetful(3)
    layer.build((None, 2))
    with pytest.raises(ValueError, match=r"must be rebuilt in float64 .*: .*'size'"):
        float64_copy(layer)

    class Smaller(Forgetful):
        def get_config(self):
            return {"size": 2}

    layer = Smaller(3)
    layer.build((None, 2))
    with pytest.raises(ValueError, match=r"must have the shapes \[\(2, 3\)\], got \[\(2"):
        float64_copy(layer)

    class Stubborn(Forgetful):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(2, 2), dtype="float32", name="kernel")

        def get_config(self):
            return {"size": 2}

    layer = Stubborn(2)
    layer.build((None, 2))
    with pytest.raises(
        ValueError, match=r"weight '.*kernel' of Stubborn '.*' must be float64 .* got float32"
    ):
        float64_copy(layer)


def test_the_global_types_return_after_an_error():
    def fail():
        with float64_policy():
            raise RuntimeError(keras.config.floatx())

    with pytest.raises(RuntimeError, match="float64"):
        fail()
    assert keras.config.floatx() == "float32"
