"""The grid: which networks there are, in which order, what they are called, where results live."""

from typing import ClassVar

import pytest

from rnnstudy.cells import GRU, LSTM, Vanilla
from rnnstudy.cells.initialisers import Orthogonal
from rnnstudy.core.component import restore
from rnnstudy.core.source.classes import replaced_hashes
from rnnstudy.study.spec.networks import Networks, TrainedNetworkSpec
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.protocol import Training


def expand(tasks=("flip_flop",), **networks):
    data = {"study": "s", "tasks": list(tasks), "networks": networks}
    return study_of(data).expand()


def names(*args, **kwargs):
    return [member.name for member, _ in expand(*args, **kwargs)]


def test_a_grid_crosses_its_axes_in_order_the_seed_innermost():
    found = names(
        ["sine", {"kind": "flip_flop", "bits": 2, "name": "bits2"}],
        cells=["lstm", "vanilla"],
        activations=["relu", "tanh"],
        units=[8, 4],
        seeds=[5, 3],
    )
    assert found == [
        f"{task}-{cell}-{activation}-{units}-s00{seed}"
        for task in ("sine", "bits2")
        for cell in ("lstm", "vanilla")
        for activation in ("relu", "tanh")
        for units in (8, 4)
        for seed in (5, 3)
    ]


def test_a_network_is_what_its_name_says():
    grid = expand(cells=["gru", "lstm"], activations=["tanh", "relu"], units=[4, 8], seeds=2)
    for member, network in grid:
        fields = member.fields
        assert list(fields) == ["task", "cell", "activation", "units", "seed"]
        assert network.cell.kind == fields["cell"]
        assert network.cell.activation == fields["activation"]
        assert network.cell.units == fields["units"]
        assert network.seed == fields["seed"]
        assert network.task == FlipFlop()
        assert network.training == Training()


def test_one_value_is_an_axis_of_one():
    assert names(cells="gru", activations="relu", units=8) == ["flip_flop-gru-relu-8-s000"]


def test_defaults_are_those_of_the_cell():
    ((member, network),) = expand(cells="vanilla")
    assert member.name == "flip_flop-vanilla-tanh-32-s000"
    assert network.cell == Vanilla()


def test_a_training_axis_enters_names_and_fields_in_the_order_of_the_protocol():
    grid = expand(
        cells="gru", l2=[0, 1e-5], steps=[10, 20], train_initial_state=[True, False], batch=8
    )
    member, network = grid[-1]
    assert member.name == ("flip_flop-gru-tanh-32-steps=20-l2=1e-05-train_initial_state=false-s000")
    assert list(member.fields)[4:] == ["steps", "l2", "train_initial_state", "seed"]
    assert network.training == Training(steps=20, l2=1e-5, batch=8)
    assert len({member.name for member, _ in grid}) == 8


@pytest.mark.parametrize("name", Training.model_fields)
def test_every_training_field_may_be_an_axis(name):
    value = Training.model_fields[name].default
    assert Networks.model_validate({"cells": "gru", name: value}).training_axes == {name: (value,)}
    ((_, network),) = expand(cells="gru", **{name: [value]})
    assert network.training == Training()


def test_cells_of_one_kind_are_told_apart_by_the_fields_that_differ():
    cells = [
        "vanilla",
        {"kind": "gru", "gate_bias": 1},
        {"kind": "gru", "gate_bias": 1, "reset_after": False},
        {"kind": "lstm"},
        {"kind": "lstm", "clip": 10, "recurrent_initializer": {"kind": "orthogonal", "gain": 0.7}},
    ]
    grid = expand(cells=cells)
    assert [member.name for member, _ in grid] == [
        "flip_flop-vanilla-tanh-32-s000",
        "flip_flop-gru-tanh-32-reset_after=true-s000",
        "flip_flop-gru-tanh-32-reset_after=false-s000",
        "flip_flop-lstm-tanh-32-recurrent_initializer=orthogonal-clip=none-s000",
        "flip_flop-lstm-tanh-32-recurrent_initializer=orthogonal_gain=0.7-clip=10.0-s000",
    ]
    assert grid[0][0].fields["reset_after"] is None
    assert grid[1][0].fields["reset_after"] is True
    assert grid[4][1].cell == LSTM(clip=10.0, recurrent_initializer=Orthogonal(gain=0.7))


def test_seeds_are_numbered_to_three_digits_and_beyond():
    assert [name[-5:] for name in names(cells="gru", seeds=[7, 1234])] == ["-s007", "s1234"]


def test_a_number_of_seeds_counts_from_zero():
    assert Networks.model_validate({"cells": "gru", "seeds": 3}).seeds == (0, 1, 2)


def test_networks_of_different_names_have_different_keys():
    grid = expand(
        ["sine", "flip_flop"],
        cells=["gru", {"kind": "gru", "reset_after": False}],
        activations=["tanh", "relu"],
        units=[4, 8],
        l2=[0, 1e-6],
        seeds=2,
    )
    assert len({member.name for member, _ in grid}) == len(grid) == 64
    assert len({network.key() for _, network in grid}) == len(grid)


def test_labels_of_a_task_change_names_and_not_keys():
    ((one, network),) = expand(cells="gru")
    ((other, same),) = expand([{"kind": "flip_flop", "name": "memory"}], cells="gru")
    assert (one.name, other.name) == ("flip_flop-gru-tanh-32-s000", "memory-gru-tanh-32-s000")
    assert network.key() == same.key()


def test_more_values_on_an_axis_keep_the_keys_of_the_others():
    few = {network.key() for _, network in expand(cells="gru", seeds=2)}
    many = {network.key() for _, network in expand(cells=["lstm", "gru"], seeds=4, l2=[1e-6, 0])}
    assert few < many


@pytest.mark.usefixtures("plugins")
def test_a_cell_that_refuses_a_part_of_the_grid_says_so(tmp_path, monkeypatch):
    (tmp_path / "own_even.py").write_text(
        "from pydantic import model_validator\n"
        "from rnnstudy.cells.vanilla import Vanilla\n"
        "class Even(Vanilla):\n"
        "    @model_validator(mode='after')\n"
        "    def _even(self):\n"
        "        if self.units % 2:\n"
        "            raise ValueError(f'units {self.units} should be even')\n"
        "        return self\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert names(cells="own_even:Even", units=[2, 4]) == [
        "flip_flop-even-tanh-2-s000",
        "flip_flop-even-tanh-4-s000",
    ]
    message = r"^study: networks.cells cannot be used: units 3 should be even$"
    with pytest.raises(SpecError, match=message):
        names(cells="own_even:Even", units=[2, 3])


class Counting(Task):
    """A task whose fields no other change touches."""

    __module__ = "somewhere"
    __qualname__ = "Counting"
    kind: ClassVar[str] = "counting"

    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 1
    length: ClassVar[int] = 10

    def sample(self, seed, trials):
        raise NotImplementedError

    def static_inputs(self):
        raise NotImplementedError


def test_the_key_of_a_network_never_changes():
    """A literal: whoever changes it must know that no stored network will be found again."""
    network = TrainedNetworkSpec(
        task=Counting(),
        cell=GRU(units=16, activation="relu", reset_after=False),
        training=Training(steps=100, l2=1e-5),
        seed=3,
    )
    # Without a source, as classes of this package are.
    with replaced_hashes({"somewhere:Counting": ""}):
        assert network.key().in_format_1 == "c813815e8d89e635d74a04ea6d12f16d9ecff4c2"


def test_a_network_is_rebuilt_from_what_is_stored():
    for _, network in expand(["sine"], cells=["gru", "lstm"], l2=[0, 1e-3]):
        assert restore(network.serialise()) == network


@pytest.mark.parametrize(
    ("networks", "sentence"),
    [
        (
            {"cells": ["gru", "dale"]},
            r"cells\[1\] cannot be used: activation of a dale network must be .*, got 'tanh'\. G",
        ),
        (
            {"cells": [{"kind": "low_rank", "rank": 6}], "units": [8, 4]},
            r"networks.cells\[0\] cannot be used: rank must be at most units, got 6 and 4",
        ),
    ],
)
def test_a_cell_that_refuses_an_axis_is_named(networks, sentence):
    with pytest.raises(SpecError, match=sentence):
        expand(**networks)


def test_a_cell_with_an_activation_of_its_own_joins_a_grid_of_others():
    dale = {"kind": "dale", "activation": "relu"}
    assert names(cells=["gru", dale], activations="tanh", units=8) == [
        "flip_flop-gru-tanh-8-s000",
        "flip_flop-dale-relu-8-s000",
    ]
