"""Leaky rate network, the standard model of computational neuroscience."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.cells.base import (
    ACTIVATION_BOUNDS,
    Cell,
    Weight,
    Weights,
    jacobian_through,
    partials,
    row,
)
from rnnstudy.core.arguments.durations import MILLISECONDS
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf


class Rate(Cell):
    """Leaky rate network: tau dh/dt = -h + W f(h) + B x + b, in steps of Euler's method.

    The state h is the current into each unit, f(h) its rate. A step is
    h' = (1 - a) h + a (W f(h) + B x + b) with a = dt / tau. The noise of training is scaled by
    sqrt(2 dt / tau). So `state_noise` is the standard deviation of a current that only leaks, for
    any small dt. With a bounded f the certificate of completeness applies: a step from afar
    leads into a ball, whose radius depends on the weights.

    References
    ----------
    Sompolinsky, Crisanti & Sommers (1988), "Chaos in random neural networks".
    Song, Yang & Wang (2016), "Training excitatory-inhibitory recurrent neural networks for
    cognitive tasks", eqs. 1-7.

    Examples
    --------
    >>> from rnnstudy.cells.rate import Rate
    >>> Rate(units=8, dt=10.0, tau=100.0).share
    0.1
    """

    kind: ClassVar[str] = "rate"

    has_ungated_map: ClassVar[bool] = True

    dt: Annotated[float, Field(gt=0), MILLISECONDS] = 20.0
    """Length of a time step in ms."""

    tau: Annotated[float, Field(gt=0), MILLISECONDS] = 100.0
    """Time constant of the units in ms, at least `dt`."""

    readout: Literal["rates", "currents"] = "rates"
    """Input of the readout: the rates f(h), or the currents h."""

    @model_validator(mode="after")
    def _step_is_short(self) -> Self:
        if self.dt > self.tau:
            raise ValueError(f"dt must be at most tau, got {self.dt:g} and {self.tau:g}")
        return self

    @property
    def share(self) -> float:
        """Share a = dt / tau of the way to its target that a current goes in a step."""
        return self.dt / self.tau

    def weights(self, inputs: int) -> dict[str, Weight]:
        return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

    def connectivity(self, w: Weights) -> Tensor:
        """Return the connections [..., unit, unit] from unit (row) to unit (column).

        It is the transpose of W.
        """
        return w["recurrent_kernel"]

    def propagate(self, w: Weights, rates: Tensor) -> Tensor:
        """Return the recurrent currents W r of rates, [..., trial, unit] -> [..., trial, unit]."""
        return rates @ self.connectivity(w)

    def drive(self, w: Weights, x: Tensor) -> Tensor:
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w: Weights, drive: Tensor, h: Tensor) -> Tensor:
        target = drive + self.propagate(w, self.nonlinearity(h))
        return (1.0 - self.share) * h + self.share * target

    def linearise(self, w: Weights, drive: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        rates, (slopes,) = partials(self.nonlinearity, h)
        target = drive + self.propagate(w, rates)
        leak = (1.0 - self.share) * tf.eye(self.units, dtype=h.dtype)
        new = (1.0 - self.share) * h + self.share * target
        return new, leak + self.share * self._through_rates(w, slopes)

    def _through_rates(self, w: Weights, slopes: Tensor) -> Tensor:
        """Return the Jacobian [..., trial, unit, unit] of W f(h) for slopes [..., trial, unit]."""
        matrix = tf.linalg.matrix_transpose(self.connectivity(w))[..., None, :, :]
        return matrix * slopes[..., None, :]

    def visible(self, h: Tensor) -> Tensor:
        """Return the rates f(h), or the currents h, as `readout` has it."""
        return h if self.readout == "currents" else self.nonlinearity(tf.convert_to_tensor(h))

    def ungated(self, w: Weights, drive: Tensor, visible: Tensor) -> Tensor:
        """Return the currents W f(h) + B x + b to which the units leak."""
        return drive + self.propagate(w, self._rates(visible))

    def _rates(self, visible: Tensor) -> Tensor:
        return self.nonlinearity(visible) if self.readout == "currents" else visible

    def linearise_ungated(
        self, w: Weights, drive: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self.readout == "currents":
            rates, (slopes,) = partials(self.nonlinearity, visible)
            return drive + self.propagate(w, rates), self._through_rates(w, slopes)
        rates, (slopes,) = partials(self.nonlinearity, self.ungated(w, drive, visible))
        return rates, jacobian_through(slopes, self.connectivity(w))

    @property
    def bound(self) -> float | None:
        """Bound of the rates; for currents infinite if the rates are bounded."""
        bound = ACTIVATION_BOUNDS.get(self.activation)
        return np.inf if bound is not None and self.readout == "currents" else bound

    @property
    def noise_scale(self) -> float:
        """Standard deviation sqrt(2 dt / tau) of a step's noise, per unit of `state_noise`."""
        return float(np.sqrt(2.0 * self.share))
