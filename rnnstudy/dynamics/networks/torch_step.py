"""PyTorch functions as step functions. Their derivatives are PyTorch's."""

import copy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.keras_bridge.cell_dynamics import restore_leading_axes
from rnnstudy.keras_bridge.float64_copies import reason


def torch_result(function: Callable[..., Any], inputs: Array, states: Array) -> bool:
    """Return whether a function maps PyTorch tensors, and no others, to one.

    PyTorch is not imported: a function of it shows that it has been.
    """
    torch = sys.modules.get("torch")
    if not hasattr(torch, "Tensor") or torch is None:
        return False
    try:
        tensors = tf.constant(inputs, tf.float64), tf.constant(states, tf.float64)
        if isinstance(function(*tensors), tf.Tensor):
            return False
    except Exception:  # A user's code may raise anything.
        pass
    try:
        with torch.no_grad():
            result = function(torch.tensor(inputs), torch.tensor(states))
    except Exception as error:
        # A network in float32 is one of PyTorch as well.
        return "dtype" in str(error)
    return isinstance(result, torch.Tensor)


def float64_module(module: Any) -> Any:
    """Return a copy of a PyTorch module in float64, in inference; ValueError if it has no copy."""
    try:
        return copy.deepcopy(module).double().eval()
    except Exception as error:
        raise ValueError(
            f"PyTorch module {type(module).__name__} must be copyable, got: {reason(error)}. "
            "Wrap one step of it in a function (inputs, state) -> state."
        ) from error


def check_torch_step(name: str, step: "TorchStep", inputs: Array, states: Array) -> None:
    """Raise ValueError, with PyTorch's reason, unless a step and its gradient can be computed."""
    try:
        step.pull_back(inputs, step.image(inputs, states), states)
    except Exception as error:  # A user's code may raise anything.
        raise ValueError(
            f"{name} must be callable on PyTorch's float64 tensors, got: {reason(error)}"
        ) from error


@dataclass(frozen=True, eq=False)
class TorchStep:
    """Step of a PyTorch function (inputs `[row, input]`, states `[row, state]`) -> states.

    It is computed by PyTorch in float64, outside of TensorFlow's program. Therefore it is slower
    than a step that TensorFlow can compile.
    """

    function: Callable[..., Any]

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the inputs unchanged."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state."""
        lead = tf.shape(h)[:-1]
        count = tf.reduce_prod(lead)
        inputs = tf.reshape(drive, [count, drive.shape[-1]])
        states = tf.reshape(h, [count, h.shape[-1]])
        return restore_leading_axes(_differentiable(self)(inputs, states), lead)

    def image(self, inputs: Array, states: Array) -> Array:
        """Return the next states of rows. ValueError unless they are states in float64."""
        torch = sys.modules["torch"]
        with torch.no_grad():
            new = self._call(torch.tensor(inputs), torch.tensor(states))
        image: Array = new.cpu().numpy()
        return image

    def pull_back(self, inputs: Array, states: Array, upstream: Array) -> list[Array]:
        """Return gradients by inputs and states, given those by the next states."""
        torch = sys.modules["torch"]
        with torch.enable_grad():
            arguments = [torch.tensor(a).requires_grad_() for a in (inputs, states)]
            new = self._call(*arguments)
            if not new.requires_grad:
                return [np.zeros_like(inputs), np.zeros_like(states)]
            gradients = torch.autograd.grad(
                new, arguments, torch.tensor(upstream, device=new.device), allow_unused=True
            )
        pairs = zip(gradients, (inputs, states), strict=True)
        return [np.zeros_like(a) if g is None else g.cpu().numpy() for g, a in pairs]

    def _call(self, inputs: Any, states: Any) -> Any:
        new = self.function(inputs, states)
        kind, shape = getattr(new, "dtype", type(new).__name__), getattr(new, "shape", ())
        if str(kind) != "torch.float64" or tuple(shape) != tuple(states.shape):
            raise ValueError(
                f"its result must be float64 of shape {tuple(states.shape)}, got {kind} of shape "
                f"{tuple(shape)}"
            )
        return new


def _differentiable(step: TorchStep) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a step of rows as an operation of TensorFlow, with its first derivative alone."""

    def pull_back(*arguments: Tensor) -> tuple[Any, Callable[..., Any]]:
        gradients = tf.numpy_function(step.pull_back, arguments, [tf.float64, tf.float64])
        for gradient, values in zip(gradients, arguments[:2], strict=True):
            gradient.set_shape(values.shape)
        return gradients, _refuse

    def image(inputs: Tensor, states: Tensor) -> tuple[Tensor, Callable[..., Any]]:
        new = tf.numpy_function(step.image, [inputs, states], tf.float64)
        new.set_shape(states.shape)
        gradients = tf.custom_gradient(pull_back)
        return new, lambda upstream: tuple(gradients(inputs, states, upstream))

    differentiable: Callable[[Tensor, Tensor], Tensor] = tf.custom_gradient(image)
    return differentiable


def _refuse(*_: Tensor) -> Any:
    raise ValueError("a step of PyTorch must be differentiated once, got a second derivative")
