"""The best rotation between vector fields, against cases whose answer is known."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import linear_sum_assignment

from rnnstudy.metrics.linear_dynamics.conjugation import (
    _derivatives,
    _rotate,
    align_fields,
    sum_of_powers,
)


def rotations(generator, count, size):
    return np.linalg.qr(generator.standard_normal((count, size, size)))[0]


def starts(size, count=4, seed=0):
    drawn = rotations(np.random.default_rng(seed), count, size)
    return np.concatenate([np.eye(size)[None], drawn])


def unit(fields):
    return fields / np.linalg.norm(fields, axis=(-2, -1), keepdims=True)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 10])
def test_a_field_in_other_coordinates_is_the_same_field(size):
    generator = np.random.default_rng(size)
    a = unit(generator.standard_normal((8, size, size)))
    b = _rotate(a, rotations(generator, 8, size))
    assert align_fields(a, b, starts(size)) == pytest.approx(np.ones(8), abs=1e-9)


def test_symmetric_fields_are_aligned_by_their_sorted_eigenvalues():
    """The rearrangement inequality: no start is needed but the one from their eigenvectors."""
    generator = np.random.default_rng(1)
    a, b = generator.standard_normal((2, 5, 6, 6))
    a, b = unit(a + a.swapaxes(-1, -2)), unit(b + b.swapaxes(-1, -2))
    expected = (np.linalg.eigvalsh(a) * np.linalg.eigvalsh(b)).sum(axis=-1)
    assert align_fields(a, b, starts(6)) == pytest.approx(expected, abs=1e-8)


def test_normal_fields_are_aligned_by_the_best_assignment_of_eigenvalues():
    """Hoffman & Wielandt 1953, for fields whose rotations are of one sense after reflection."""
    generator = np.random.default_rng(2)
    for _ in range(5):
        fields, spectra = [], []
        for _ in range(2):
            radius, angle = generator.uniform(0.5, 1.0, 3), generator.uniform(0.1, 3.0, 3)
            field = np.zeros((6, 6))
            for k, (r, w) in enumerate(zip(radius, angle, strict=True)):
                turn = [[np.cos(w), -np.sin(w)], [np.sin(w), np.cos(w)]]
                field[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = r * np.array(turn)
            fields.append(_rotate(field, rotations(generator, 1, 6)[0]))
            spectra.append(radius * np.exp(1j * angle))
        gain = np.real(spectra[0][:, None] * np.conj(spectra[1])[None])
        expected = 2 * gain[linear_sum_assignment(-gain)].sum()
        found = align_fields(fields[0][None], fields[1][None], starts(6, count=16))
        assert found == pytest.approx([expected], abs=1e-8)


def test_more_starts_find_no_less():
    generator = np.random.default_rng(3)
    a, b = unit(generator.standard_normal((2, 20, 6, 6)))
    few, many = (align_fields(a, b, starts(6, count)) for count in (0, 40))
    assert (many >= few - 1e-3).all()
    assert many.mean() > few.mean()


def test_brute_force_finds_no_more_in_the_plane():
    """All rotations and reflections of the plane, a thousandth of a turn apart."""
    generator = np.random.default_rng(4)
    a, b = unit(generator.standard_normal((2, 30, 2, 2)))
    angle = np.linspace(0, 2 * np.pi, 1001)[:, None, None]
    turn = np.cos(angle) * np.eye(2) + np.sin(angle) * np.array([[0.0, -1.0], [1.0, 0.0]])
    every = np.concatenate([turn, turn @ np.diag([1.0, -1.0])])
    best = np.einsum("pij,tpij->tp", a, _rotate(b[None], every[:, None])).max(axis=0)
    # Between two rotations the largest overlap rises by at most the square of half their angle.
    assert align_fields(a, b, starts(2)) == pytest.approx(best, abs=4e-5)


def test_derivatives_are_differences():
    generator = np.random.default_rng(5)
    a, b = unit(generator.standard_normal((2, 1, 4, 4)))
    rotation = rotations(generator, 1, 4)
    gradient, curvature = _derivatives(a, b, rotation)
    first, second = np.triu_indices(4, 1)

    def value(turns):
        w = np.zeros((4, 4))
        w[first, second], w[second, first] = turns, -turns
        turned = np.linalg.solve(np.eye(4) - w / 2, (np.eye(4) + w / 2) @ rotation[0])
        return float((a[0] * _rotate(b[0], turned)).sum())

    step, each = 1e-4, np.eye(6)
    slope = [(value(step * e) - value(-step * e)) / (2 * step) for e in each]
    bend = [
        [(value(step * (e + f)) - value(step * (e - f)) - value(step * (f - e))
          + value(-step * (e + f))) / (4 * step**2) for f in each]
        for e in each
    ]  # fmt: skip
    assert gradient[0] == pytest.approx(np.array(slope), abs=1e-7)
    assert curvature[0] == pytest.approx(np.array(bend), abs=1e-6)


def test_fields_of_zero_have_nothing_to_align():
    assert align_fields(np.zeros((2, 3, 3)), np.zeros((2, 3, 3)), starts(3)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_system_in_other_coordinates_is_the_same_system(size):
    """Fields and input maps: the rotation of both is found, and the sum of both overlaps is 1."""
    generator = np.random.default_rng(size)
    a = unit(generator.standard_normal((8, size, size)))
    entry = unit(generator.standard_normal((8, size, 2)))
    turn = rotations(generator, 8, size)
    linear = 0.5 * turn @ entry @ entry.swapaxes(-1, -2)
    found = align_fields(0.5 * _rotate(a, turn), a, starts(size), linear)
    assert found == pytest.approx(np.ones(8), abs=1e-9)


def test_without_fields_the_linear_term_has_its_nuclear_norm():
    linear = np.random.default_rng(0).standard_normal((5, 4, 4))
    none = np.zeros((5, 4, 4))
    expected = np.linalg.svd(linear, compute_uv=False).sum(axis=-1)
    assert align_fields(none, none, starts(4), linear) == pytest.approx(expected, abs=1e-9)


def test_derivatives_of_the_linear_term_are_those_of_small_rotations():
    """Against central differences of <A, C B C'> + <L, C> along exp(t W)."""
    generator = np.random.default_rng(5)
    a, b, linear = generator.standard_normal((3, 1, 4, 4))
    turn = rotations(generator, 1, 4)
    gradient, curvature = _derivatives(a, b, turn, linear)
    step = generator.standard_normal(6)
    first, second = np.triu_indices(4, 1)
    plane = np.zeros((4, 4))
    plane[first, second], plane[second, first] = step, -step

    def value(t):
        moved = expm(t * plane) @ turn
        return float((a * _rotate(b, moved)).sum() + (linear * moved).sum())

    h = 1e-4
    slope = (value(h) - value(-h)) / (2 * h)
    bend = (value(h) - 2 * value(0.0) + value(-h)) / h**2
    assert gradient[0] @ step == pytest.approx(slope, rel=1e-5)
    assert step @ curvature[0] @ step == pytest.approx(bend, rel=1e-4, abs=1e-4)


def test_sums_of_powers_are_products_of_controllability_matrices():
    generator = np.random.default_rng(6)
    a, b = generator.standard_normal((2, 3, 3))
    g, h = generator.standard_normal((2, 3, 2))
    first, second = (
        np.hstack([np.linalg.matrix_power(field, i) @ entry for i in range(4)])
        for field, entry in ((a, g), (b, h))
    )
    assert sum_of_powers(a, b, g @ h.T, 4) == pytest.approx(first @ second.T)
