"""Members split over devices become what they are on one, bit for bit on a CPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnstudy.training.sharding import blocks, devices_of, fill_block

HERE = Path(__file__).parent


def computed(logical, folder):
    """What a process with so many logical CPU devices computes on some of them."""
    file = folder / "found.npz"
    command = [sys.executable, HERE / "on_devices.py", str(logical), file]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return computed(2, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    return computed(4, tmp_path_factory.mktemp("four"))


def on(found, case, devices):
    """The arrays of one case on so many devices; 0 is the plain program."""
    start = f"{case}/{devices}/"
    return {name.removeprefix(start): v for name, v in found.items() if name.startswith(start)}


def assert_same_bits(given, expected):
    assert given.keys() == expected.keys() > {"loss", "recurrent_kernel", "diverged_at"}
    for name, values in given.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_two_devices_make_the_members_of_one(two):
    """Five members in blocks of 3 and 2, one of which diverges."""
    plain = on(two, "per_member", 0)
    assert_same_bits(on(two, "per_member", 2), plain)
    assert plain["diverged_at"].tolist() == [-1, -1, 1, -1, -1]
    learning = plain["loss"][[0, 1, 4]]
    assert (learning[:, -1] < 0.5 * learning[:, 0]).all()
    assert len(np.unique(plain["recurrent_kernel"][:, 0, 0])) == 5


@pytest.mark.slow
@pytest.mark.parametrize("devices", [3, 4])
def test_more_devices_make_the_members_of_one(two, four, devices):
    """Blocks of 2 + 2 + 1 and 2 + 1 + 1 + 1."""
    assert_same_bits(on(four, "per_member", devices), on(two, "per_member", 0))


@pytest.mark.slow
def test_devices_do_not_matter_where_members_are_one_batch_of_products(four):
    """Bit for bit, since 16 units fill whole vector registers."""
    assert_same_bits(on(four, "batched", 2), on(four, "batched", 0))


@pytest.mark.slow
def test_devices_do_not_matter_where_members_stop(four):
    """Fewer members remain than there are devices."""
    plain = on(four, "stopping", 0)
    assert sorted(plain["steps"].tolist()) == [1, 30, 30, 40, 40]
    assert_same_bits(on(four, "stopping", 4), plain)


def assert_nearly_same(given, expected):
    """Sums of gradients in another order: rounding of float32, grown over 40 steps."""
    assert given.keys() == expected.keys()
    lasting = [0, 1, 3, 4]  # the other diverged; its weights are of the order of 1e28
    for name, values in given.items():
        np.testing.assert_allclose(
            values[lasting], expected[name][lasting], rtol=1e-4, atol=1e-5, err_msg=name
        )
    np.testing.assert_array_equal(given["diverged_at"], expected["diverged_at"])


def test_two_devices_that_share_each_batch_learn_what_one_learns(two):
    """Their shares of a batch have other lengths and other numbers of time steps that count.

    The penalty on rates is on, which needs a weight of its own in each share.
    """
    plain = on(two, "penalised", 0)
    assert_nearly_same(on(two, "penalised", 2), plain)
    assert (on(two, "penalised", 2)["recurrent_kernel"] != plain["recurrent_kernel"]).any()
    assert (plain["loss"][[0, 1, 4], -1] < 0.7 * plain["loss"][[0, 1, 4], 0]).all()


@pytest.mark.slow
@pytest.mark.parametrize("devices", [2, 3, 4])
def test_devices_that_share_each_batch_without_a_penalty_learn_what_one_learns(two, four, devices):
    """Batches of 4 trials in shares of 2, of 1, 1 and 2, and of 1 each."""
    plain = on(four, "shared", 0)
    assert_nearly_same(on(four, "shared", devices), plain)
    assert (on(four, "shared", devices)["recurrent_kernel"] != plain["recurrent_kernel"]).any()
    assert (plain["loss"][[0, 1, 4], -1] < 0.7 * plain["loss"][[0, 1, 4], 0]).all()
    assert (on(two, "penalised", 0)["recurrent_kernel"] != plain["recurrent_kernel"]).any()


@pytest.mark.slow
def test_devices_share_batches_of_networks_that_run_one_by_one(four):
    """Two trials: two of four devices are idle."""
    assert_nearly_same(on(four, "shared one by one", 4), on(four, "shared one by one", 0))


@pytest.mark.parametrize("devices", range(1, 9))
@pytest.mark.parametrize("members", [1, 2, 3, 7, 8, 16, 37])
def test_every_member_is_in_one_block_in_order(members, devices):
    parts = blocks(members, devices)
    assert np.concatenate(parts).tolist() == list(range(members))
    sizes = [len(part) for part in parts]
    assert len(parts) == min(members, devices)
    assert max(sizes) - min(sizes) <= 1


def test_a_lone_member_is_filled_up_with_itself():
    assert fill_block(np.array([4])).tolist() == [4, 4]
    assert fill_block(np.array([4, 5, 6])).tolist() == [4, 5, 6]


def test_devices_are_those_that_tensorflow_sees():
    """The tests' process has one CPU device and no GPU."""
    assert devices_of() == devices_of(1) == devices_of(["CPU:0"]) == ("CPU:0",)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (2, r"must be at most 1, got 2\. TensorFlow sees CPU:0"),
        (["GPU:0"], "must be among CPU:0, got 'GPU:0'"),
        (["CPU:0", "CPU:0"], "must be different devices, got 'CPU:0' twice"),
    ],
)
def test_devices_that_are_not_there_are_refused(asked, sentence):
    with pytest.raises(ValueError, match=sentence):
        devices_of(asked)
