"""The contract of a cell, over the whole catalogue, and its dynamics against slow loops."""

import importlib
import inspect
import pkgutil
import textwrap
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
from pydantic import BaseModel, ValidationError
from reference.cells import step as slow_step

import rnnstudy.cells
from rnnstudy.cells import CELLS, INITIALISERS, AnyCell, Cell
from rnnstudy.cells.base import ACTIVATION_BOUNDS, Activation
from rnnstudy.cells.dale import POSITIVE_ACTIVATIONS

UNITS, INPUTS, TRIALS = 4, 3, 5

VARIANTS = [
    ("vanilla", {}),
    ("ugrnn", {}),
    ("gru", {"reset_after": True}),
    ("gru", {"reset_after": False}),
    ("lstm", {}),
    ("lstm", {"clip": 0.3}),
    ("rate", {}),
    ("rate", {"readout": "currents", "dt": 5.0, "tau": 20.0}),
    ("low_rank", {"rank": 2}),
    ("dale", {"inhibition": 0.5}),
    ("min_gru", {}),
    ("lru", {}),
]
variants = pytest.mark.parametrize(("kind", "fields"), VARIANTS)
kinds = pytest.mark.parametrize("kind", CELLS)


def built(kind, activation="tanh", **fields):
    """A cell; a test is skipped for an activation that the cell refuses."""
    if kind == "dale" and activation not in POSITIVE_ACTIVATIONS:
        pytest.skip("rates are not negative")
    return CELLS[kind](units=UNITS, activation=activation, **fields)


class Holder(BaseModel):
    """A field that takes a cell, as a spec has it."""

    cell: AnyCell


def random_weights(cell, seed, members=()):
    draw = np.random.default_rng(seed)
    shapes = {name: weight.shape for name, weight in cell.weights(INPUTS).items()}
    return {name: draw.normal(0.0, 0.7, (*members, *shape)) for name, shape in shapes.items()}


def random_case(cell, seed=0, members=()):
    draw = np.random.default_rng(seed + 100)
    x = draw.normal(size=(*members, TRIALS, INPUTS))
    h = draw.normal(size=(*members, TRIALS, cell.state_size))
    return random_weights(cell, seed, members), x, h


def fast_step(cell, w, x, h):
    w = {name: tf.constant(values) for name, values in w.items()}
    return cell.step(w, cell.drive(w, tf.constant(x)), tf.constant(h)).numpy()


@variants
@pytest.mark.parametrize("activation", ["tanh", "relu", "mish"])
def test_a_step_equals_the_slow_loops(kind, fields, activation):
    cell = built(kind, activation, **fields)
    w, x, h = random_case(cell)
    options = {name: value for name, value in fields.items() if name not in ("readout", "rank")}
    expected = slow_step(kind, w, x, h, activation=activation, **options)
    # Double precision: only the order of additions differs.
    np.testing.assert_allclose(fast_step(cell, w, x, h), expected, rtol=0, atol=1e-13)


@variants
def test_members_together_equal_a_loop_over_members(kind, fields):
    cell = built(kind, "relu", **fields)
    w, x, h = random_case(cell, members=(2, 3))
    together = fast_step(cell, w, x, h)
    for i, j in np.ndindex(2, 3):
        own = {name: values[i, j] for name, values in w.items()}
        alone = fast_step(cell, own, x[i, j], h[i, j])
        np.testing.assert_allclose(together[i, j], alone, rtol=0, atol=1e-14)


@variants
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_fixed_point_is_where_the_cell_rests(kind, fields, activation):
    cell = built(kind, activation, **fields)
    if not cell.has_ungated_map:
        pytest.skip("it has no gates")
    w = {n: 0.3 * v for n, v in random_weights(cell, 0).items()}
    w = {n: tf.constant(v, tf.float64) for n, v in w.items()}
    drive = cell.drive(w, tf.ones([1, INPUTS], tf.float64))
    h = tf.zeros([1, cell.state_size], tf.float64)
    for _ in range(400):  # weights this small make the step a contraction
        h = cell.step(w, drive, h)
    np.testing.assert_allclose(cell.step(w, drive, h), h, atol=1e-14)
    np.testing.assert_allclose(cell.ungated(w, drive, cell.visible(h)), h, atol=1e-13)
    elsewhere = cell.visible(h) + 0.1
    assert np.abs(cell.visible(cell.ungated(w, drive, elsewhere)) - elsewhere).max() > 1e-3


@variants
def test_shapes_are_as_declared(kind, fields):
    cell = built(kind, "relu", **fields)
    w, x, h = random_case(cell)
    new = fast_step(cell, w, x, h)
    assert new.shape == (TRIALS, cell.state_size)
    assert cell.visible(new).shape == (TRIALS, UNITS)
    assert w["kernel"].shape[0] == INPUTS
    assert w.get("recurrent_kernel", np.eye(UNITS)).shape[0] == UNITS


@variants
@pytest.mark.parametrize("activation", ACTIVATION_BOUNDS)
def test_the_bounded_box_is_never_left(kind, fields, activation):
    cell = built(kind, activation, **fields)
    assert cell.bound is not None
    w, x, h = random_case(cell)
    w = {name: 5.0 * values for name, values in w.items()}
    h = np.clip(h, -cell.bound, cell.bound)
    for _ in range(20):
        h = fast_step(cell, w, x, h)
        assert np.abs(cell.visible(h)).max() <= cell.bound * (1.0 + 1e-14)


@kinds
def test_an_unbounded_activation_promises_no_bound(kind):
    unbounded = set(get_args(Activation)) - set(ACTIVATION_BOUNDS)
    if kind == "dale":
        unbounded &= set(POSITIVE_ACTIVATIONS)
    # The state of a linear recurrence is bounded whatever reads it.
    expected = np.inf if kind in ("min_gru", "lru") else None
    assert {CELLS[kind](units=UNITS, activation=name).bound for name in unbounded} == {expected}


def test_the_activations_with_a_bound_are_those_that_keep_it():
    """All of Keras's, over a range in which the others leave any box of this size."""
    x = tf.constant(np.linspace(-100.0, 100.0, 20_001))
    reach = {
        name: np.abs(CELLS["vanilla"](activation=name).nonlinearity(x)).max()
        for name in get_args(Activation)
    }
    assert {name for name, far in reach.items() if far <= 10.0} == set(ACTIVATION_BOUNDS)
    assert all(
        reach[name] == pytest.approx(far, rel=0.02) for name, far in ACTIVATION_BOUNDS.items()
    )


@pytest.mark.parametrize("clip", [0.2, 1.5, 10.0])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_a_clipped_lstm_stays_within_what_its_memory_can_show(activation, clip):
    cell = CELLS["lstm"](units=UNITS, activation=activation, clip=clip)
    shown = cell.nonlinearity(tf.constant(np.linspace(-clip, clip, 4001)))
    most = np.abs(shown).max()
    assert cell.bound >= most * (1.0 - 1e-12)
    assert activation in ACTIVATION_BOUNDS or cell.bound == pytest.approx(most, rel=1e-12)


def test_a_clip_that_bounds_nothing_promises_nothing():
    assert CELLS["lstm"](units=UNITS, activation="exponential", clip=1e4).bound is None


def test_a_clipped_lstm_keeps_its_memory_within_the_clip():
    cell = CELLS["lstm"](units=UNITS, activation="relu", clip=0.5)
    w, x, h = random_case(cell)
    memory = fast_step(cell, w, 10.0 * x, h)[:, UNITS:]
    assert np.abs(memory).max() == 0.5


@kinds
@pytest.mark.parametrize("activation", get_args(Activation))
def test_every_activation_gives_a_finite_gradient(kind, activation):
    cell = built(kind, activation)
    w, x, h = random_case(cell)
    w = {name: tf.constant(values) for name, values in w.items()}
    state = tf.constant(h)
    with tf.GradientTape() as tape:
        tape.watch(state)
        new = cell.step(w, cell.drive(w, tf.constant(x)), state)
    assert new.shape == state.shape
    assert np.isfinite(tape.gradient(new, state)).all()


def test_the_catalogue_lists_every_cell_under_its_kind():
    for module in pkgutil.iter_modules(rnnstudy.cells.__path__):
        importlib.import_module(f"rnnstudy.cells.{module.name}")
    ours, bases = set(), [Cell]
    while bases:
        bases = [cls for base in bases for cls in base.__subclasses__()]
        ours |= {cls for cls in bases if cls.__module__.startswith("rnnstudy.cells.")}
    assert ours == set(CELLS.values())
    assert all(cls.kind == kind for kind, cls in CELLS.items())


@kinds
def test_every_field_is_described(kind):
    fields = CELLS[kind].model_fields
    assert [name for name, field in fields.items() if not field.description] == []


@kinds
def test_a_cell_survives_being_stored(kind):
    cell = CELLS[kind](units=7, activation="relu", recurrent_initializer={"kind": "identity"})
    assert Holder(cell=cell.model_dump(mode="json")).cell == cell


def test_gate_biases_begin_where_they_say():
    biases = {
        kind: CELLS[kind](units=2, gate_bias=1.5).weights(1)["bias"].draw(None)
        for kind in ("ugrnn", "gru", "lstm")
    }
    np.testing.assert_array_equal(biases["ugrnn"], [1.5, 1.5, 0, 0])
    np.testing.assert_array_equal(biases["gru"], [[1.5, 1.5, 0, 0, 0, 0], [0] * 6])
    np.testing.assert_array_equal(biases["lstm"], [0, 0, 1.5, 1.5, 0, 0, 0, 0])


@pytest.mark.parametrize(("rows", "columns"), [(40, 40), (40, 25), (25, 40)])
def test_orthogonal_blocks_are_orthogonal(rows, columns):
    initialiser = INITIALISERS["orthogonal"](gain=0.7)
    block = initialiser.draw(np.random.default_rng(0), rows, columns)
    values = np.linalg.svd(block, compute_uv=False)
    np.testing.assert_allclose(values, 0.7, atol=1e-13)


def test_orthogonal_matrices_are_uniform_under_rotations():
    # Without the correction of signs the trace of a 2 x 2 matrix has a mean far from 0.
    draw = np.random.default_rng(0)
    traces = [np.trace(INITIALISERS["orthogonal"]().draw(draw, 2, 2)) for _ in range(2000)]
    # Its variance is 1 under the uniform distribution, so the mean of 2000 has an error of 0.022.
    assert abs(np.mean(traces)) < 0.09
    assert np.var(traces) == pytest.approx(1.0, abs=0.15)


def test_normal_blocks_have_the_standard_deviation_that_they_say():
    block = INITIALISERS["normal"](gain=2.0).draw(np.random.default_rng(0), 100, 400)
    # 40 000 entries: the standard deviation's relative error is 0.35 %.
    assert block.std() == pytest.approx(2.0 / np.sqrt(100), rel=0.02)
    assert abs(block.mean()) < 0.005


def test_identity_blocks_are_a_multiple_of_the_identity():
    block = INITIALISERS["identity"](gain=0.9).draw(np.random.default_rng(0), 3, 3)
    np.testing.assert_array_equal(block, 0.9 * np.eye(3))


@pytest.mark.parametrize("kind", ["vanilla", "ugrnn", "gru", "lstm", "rate"])
def test_each_gate_has_a_block_of_its_own(kind):
    weight = CELLS[kind](units=UNITS).weights(INPUTS)["recurrent_kernel"]
    drawn = weight.draw(np.random.default_rng(0))
    blocks = np.split(drawn, weight.blocks, axis=1)
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(UNITS), atol=1e-13)
    if weight.blocks > 1:
        assert not np.allclose(blocks[0], blocks[1])


@pytest.mark.usefixtures("plugins")
def test_the_example_in_the_contract_runs_as_a_cell_of_ones_own(tmp_path, monkeypatch):
    contract = inspect.cleandoc(Cell.__doc__)
    text = textwrap.dedent(contract.partition("network:\n")[2].partition("\n\nExamples\n")[0])
    module = "from rnnstudy.cells import Cell, Weight, row\n\n\n" + text
    (tmp_path / "own_cells.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    cell = Holder(cell={"kind": "own_cells:Leaky", "units": UNITS, "leak": 0.3}).cell
    w, x, h = random_case(cell)
    expected = 0.7 * h + 0.3 * slow_step("vanilla", w, x, h)
    np.testing.assert_allclose(fast_step(cell, w, x, h), expected, rtol=0, atol=1e-13)
    assert Holder(cell=cell.model_dump(mode="json")).cell == cell


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "gruu",
            r"'gruu' is not a known cell; known: .*; did you mean 'gru'",
        ),
        ({"units": 3}, r"needs the key 'kind'; known: vanilla, ugrnn, gru, lstm"),
        (7, r"should be the name of a cell or a mapping with 'kind'"),
        ({"kind": "gru", "units": 0}, r"greater than or equal to 1"),
        ({"kind": "gru", "units": 2.0}, r"valid integer"),
        ({"kind": "gru", "units": True}, r"valid integer"),
        ({"kind": "gru", "clip": 3.0}, r"is not a known key; known keys: units, "),
        ({"kind": "lstm", "clip": -1.0}, r"greater than 0"),
        ({"kind": "lstm", "activation": "tahn"}, r"Input should be 'celu'"),
        ({"kind": "gru", "gate_bias": float("nan")}, r"finite number"),
        (
            "no_such_module:Leaky",
            r"'no_such_module:Leaky' runs code of the module 'no_such_module'; add",
        ),
        ("math:pi", r"'math:pi' cannot be loaded: math:pi is not a class"),
        ("collections:Counter", r"'collections:Counter' is not a rnnstudy cell"),
    ],
)
def test_a_mistake_says_what_is_allowed(given, message):
    with pytest.raises(ValidationError, match=message):
        Holder(cell=given)


@pytest.mark.parametrize(("rows", "columns", "gain"), [(3, 400, 1.0), (300, 20, 0.5)])
def test_glorot_entries_have_the_variance_of_their_definition(rows, columns, gain):
    block = INITIALISERS["glorot_uniform"](gain=gain).draw(np.random.default_rng(0), rows, columns)
    bound = gain * np.sqrt(6.0 / (rows + columns))
    assert np.abs(block).max() <= bound
    # Of uniform entries. The variance of 1,200 has a relative standard error of 2.6 %.
    assert block.var() == pytest.approx(gain**2 * 2.0 / (rows + columns), rel=0.15)
    assert np.abs(block).max() == pytest.approx(bound, rel=0.01)


@pytest.mark.parametrize("kind", ["vanilla", "ugrnn", "gru", "lstm"])
def test_standard_cells_begin_without_a_gate_bias(kind):
    cell = CELLS[kind](units=5, activation="relu").standard()
    assert (cell.units, cell.activation) == (5, "relu")
    bias = cell.weights(inputs=3)["bias"].draw(np.random.default_rng(0))
    assert not bias.any()
    recurrent = cell.weights(inputs=3)["recurrent_kernel"].draw(np.random.default_rng(0))
    for block in np.split(recurrent, recurrent.shape[1] // 5, axis=1):
        np.testing.assert_allclose(block @ block.T, np.eye(5), atol=1e-12)
