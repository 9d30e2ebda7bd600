"""Linear recurrent unit with a nonlinear readout."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.cells.base import (
    ACTIVATION_BOUNDS,
    Activation,
    Cell,
    Weight,
    Weights,
    jacobian_through,
    partials,
    row,
)
from rnnstudy.cells.initialisers import AnyInitialiser, Orthogonal
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf


class LRU(Cell):
    """Linear recurrent unit (LRU): a diagonal complex recurrence, and f reads its state.

    A step is s' = L s + g B x with complex s, then y' = f(Re(C s') + D x + d), which enters the
    readout. L has the eigenvalues exp(-exp(nu) + i exp(theta)), inside the unit circle, and
    g = sqrt(1 - |L|^2). The flat state is [Re s, Im s, y], real numbers alone. At a constant input
    there is exactly one fixed point, which is stable: a negative control of studies of attractors.

    References
    ----------
    Orvieto et al. (2023), "Resurrecting recurrent neural networks for long sequences". g is
    computed here from L at all times, and not trained.

    Examples
    --------
    >>> from rnnstudy.cells.lru import LRU
    >>> LRU(units=8).state_size
    24
    """

    kind: ClassVar[str] = "lru"

    has_ungated_map: ClassVar[bool] = True

    activation: Activation = "tanh"
    """Nonlinearity of the readout's hidden units y. The recurrence is linear."""

    recurrent_initializer: AnyInitialiser = Orthogonal()
    """Initialiser of the weights C from the state to the hidden units."""

    min_radius: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Least modulus of the eigenvalues at the start."""

    max_radius: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """Largest modulus of the eigenvalues at the start."""

    max_phase: Annotated[float, Field(gt=0)] = 2.0 * np.pi
    """Largest angle of the eigenvalues at the start, in radians per step."""

    @model_validator(mode="after")
    def _radii_rise(self) -> Self:
        if self.min_radius >= self.max_radius:
            raise ValueError(
                f"max_radius must be above min_radius, got {self.max_radius:g} and "
                f"{self.min_radius:g}"
            )
        return self

    def weights(self, inputs: int) -> dict[str, Weight]:
        return {
            "kernel": Weight((inputs, 3 * self.units), self.kernel_initializer, 3),
            "log_decay": Weight((self.units,), distribution=self._draw_decay),
            "log_phase": Weight((self.units,), distribution=self._draw_phase),
            "hidden_kernel": Weight((2 * self.units, self.units), self.recurrent_initializer),
            "bias": Weight((self.units,)),
        }

    def _draw_decay(self, generator: np.random.Generator) -> Array:
        """Return nu of eigenvalues that are uniform in the ring between the radii."""
        squares = generator.uniform(self.min_radius**2, self.max_radius**2, self.units)
        return np.log(-0.5 * np.log(np.maximum(squares, np.finfo(float).tiny)))

    def _draw_phase(self, generator: np.random.Generator) -> Array:
        return np.log(self.max_phase * (1.0 - generator.uniform(size=self.units)))

    def _eigenvalues(self, w: Weights) -> tuple[Tensor, Tensor]:
        """Return real and imaginary part of the eigenvalues, [..., 1, unit] each."""
        modulus = tf.exp(-tf.exp(row(w["log_decay"])))
        angle = tf.exp(row(w["log_phase"]))
        return modulus * tf.cos(angle), modulus * tf.sin(angle)

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        real, imaginary, direct = tf.split(x @ w["kernel"], 3, axis=-1)
        gain = tf.sqrt(-tf.math.expm1(-2.0 * tf.exp(row(w["log_decay"]))))
        return tf.concat([gain * real, gain * imaginary, direct + row(w["bias"])], axis=-1)

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        real, imaginary, _ = tf.split(h, 3, axis=-1)
        real_drive, imaginary_drive, direct = tf.split(drive, 3, axis=-1)
        a, b = self._eigenvalues(w)
        memory = tf.concat(
            [a * real - b * imaginary + real_drive, a * imaginary + b * real + imaginary_drive],
            axis=-1,
        )
        return self._state(w, memory, direct)

    def _state(self, w: Weights, memory: Tensor, direct: Tensor) -> Tensor:
        hidden = self.nonlinearity(memory @ w["hidden_kernel"] + direct)
        return tf.concat([memory, hidden], axis=-1)

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        new = self.step(w, drive, h)
        memory, direct = new[..., : 2 * self.units], drive[..., 2 * self.units :]
        _, (slopes,) = partials(self.nonlinearity, memory @ w["hidden_kernel"] + direct)
        a, b = self._eigenvalues(w)
        by_real, by_imaginary = tf.split(jacobian_through(slopes, w["hidden_kernel"]), 2, axis=-1)
        zeros = tf.zeros_like(by_real)
        a, b = a[..., None, :], b[..., None, :]
        eye = tf.eye(self.units, dtype=h.dtype) + zeros
        rows = [
            [a * eye, -b * eye, zeros],
            [b * eye, a * eye, zeros],
            [a * by_real + b * by_imaginary, a * by_imaginary - b * by_real, zeros],
        ]
        return new, tf.concat([tf.concat(parts, axis=-1) for parts in rows], axis=-2)

    @property
    def state_size(self) -> int:
        return 3 * self.units

    def visible(self, h: Tensor) -> Tensor:
        """Return the hidden units y."""
        return h[..., 2 * self.units :]

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return the fixed point s = g B x / (1 - L), whatever the state, and its hidden units."""
        real, imaginary, direct = tf.split(drive, 3, axis=-1)
        a, b = self._eigenvalues(w)
        norm = (1.0 - a) ** 2 + b**2
        memory = [(1.0 - a) * real - b * imaginary, (1.0 - a) * imaginary + b * real]
        return self._state(w, tf.concat([part / norm for part in memory], axis=-1), direct)

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        new = self.visible(self.ungated(w, drive, visible))
        return new, tf.zeros_like(new)[..., None] * tf.zeros_like(new)[..., None, :]

    @property
    def bound(self) -> float | None:
        """Bound of the hidden units; infinite for an unbounded f, since the state stays bounded."""
        return ACTIVATION_BOUNDS.get(self.activation, np.inf)

    @property
    def noise_scale(self) -> Array:
        """Noise on the recurrent state s alone, [state]."""
        return np.repeat([1.0, 1.0, 0.0], self.units)
