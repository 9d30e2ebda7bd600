"""Bifurcation diagram of a network, with its truth.

- You learn: how fixed points change with the input of a network, and where two meet and vanish.
- It prints: the bifurcations that the continuation finds, and the same from a scalar equation.
- It takes: half a minute.
- Picture: fixed points over the input, stable or not, on the curve of the equation.

    python examples/bifurcations.py [bifurcations.png]
"""

import sys

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from scipy.optimize import brentq

import rnnstudy

# A rate network of rank one in continuous time. Its input x excites the units along m:
#     tau dh/dt = -h + m (n . tanh(h)) / units + m x
UNITS, TAU = 50, 0.1
draw = np.random.default_rng(0)
m = draw.standard_normal(UNITS)
n = 2.0 * m + 0.5 * draw.standard_normal(UNITS)


def field(x, h):
    """Return dh/dt [point, unit] of inputs [point, 1] and states [point, unit]."""
    overlap = tf.tanh(h) @ n[:, None] / UNITS
    return (-h + (overlap + x) * m) / TAU


# The truth. All currents lie along m, so every fixed point is h = u m with a number u:
#     x = u - n . tanh(u m) / units
# This is the whole diagram. It folds where the derivative of x by u vanishes.


def input_of(u):
    """Return the input for which u m is a fixed point."""
    return u - n @ np.tanh(u * m) / UNITS


def slope_of(u):
    """Return the derivative of `input_of`."""
    return 1.0 - (n * m) @ np.cosh(u * m) ** -2.0 / UNITS


def main(picture="bifurcations.png"):
    """Follow the fixed points along a path of inputs, and compare the folds with the truth."""
    path = np.array([[-1.0], [1.0]])
    points = rnnstudy.find_fixed_points(field, path[:1], state_size=UNITS, continuous=True)
    print(points)
    branches = rnnstudy.continue_fixed_points(field, points, path)
    bifurcations = branches.bifurcations
    print(bifurcations[["kind", "s", "change"]].to_string())

    folds = np.interp(bifurcations["s"], [0.0, 1.0], path[:, 0])
    truth = [input_of(brentq(slope_of, *ends)) for ends in ([-9.0, 0.0], [0.0, 9.0])]
    print("folds at inputs      ", np.round(np.sort(folds), 6))
    print("the equation says    ", np.round(np.sort(truth), 6))
    print(f"largest difference: {np.abs(np.sort(folds) - np.sort(truth)).max():.0e}")

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    u = np.linspace(-3.0, 3.0, 400)
    axes.plot([input_of(each) for each in u], u, color="0.75", linewidth=6, label="equation")
    x, heights = branches.inputs[:, 0], branches.state @ m / (m @ m)
    stable = branches.n_unstable == 0
    axes.plot(x[stable], heights[stable], "k.", label="stable fixed points")
    axes.plot(x[~stable], heights[~stable], "r.", label="saddles")
    axes.set(xlabel="input x", ylabel="state along m", xlim=path[:, 0])
    axes.legend(loc="upper left")
    figure.savefig(picture)
    print("picture:", picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
