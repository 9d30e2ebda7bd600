import numpy as np
import pytest

from rnnstudy.comparison.distances import tiles
from rnnstudy.comparison.distances.pairs import assemble_tiles, pairwise_distances
from rnnstudy.comparison.distances.tiles import (
    DistanceTile,
    FormCache,
    PreparedForm,
    split_into_blocks,
    tile_distances,
)
from rnnstudy.metrics import CKA, METRICS, PWCCA, SVCCA
from rnnstudy.metrics.base import stack_forms


def representations(seed=0, samples=120, widths=(4, 9, 4, 33, 2, 9, 50)):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((samples, 3))
    return [
        latent @ generator.standard_normal((3, width)) + generator.standard_normal((samples, width))
        for width in widths
    ]


class OnDisk:
    """Forms that are there only while they are asked for; counts how often each was."""

    def __init__(self, forms):
        self.forms, self.asked = forms, [0] * len(forms)

    def __len__(self):
        return len(self.forms)

    def __getitem__(self, i):
        self.asked[i] += 1
        return self.forms[i]


@pytest.mark.parametrize(("count", "expected"), [(0, []), (3, [3]), (4, [4]), (9, [4, 4, 1])])
def test_blocks_are_full_but_for_the_last(count, expected):
    found = split_into_blocks(count, 4)
    assert [len(block) for block in found] == expected
    assert [i for block in found for i in block] == list(range(count))


def test_adding_to_the_end_leaves_full_blocks_alone():
    assert split_into_blocks(9, 4)[:2] == split_into_blocks(11, 4)[:2] == split_into_blocks(8, 4)


@pytest.mark.parametrize("kind", ["svcca", "pwcca", "cka", "dsa"])
@pytest.mark.parametrize("memory", [1, 40_000, 10**9])
def test_tiles_make_up_the_matrix_of_all_pairs(kind, memory, monkeypatch):
    """Whether the forms of a block fit into memory one at a time, some, or all at once."""
    monkeypatch.setattr(tiles, "PAIR_BLOCK_BYTES", memory)
    metric = METRICS[kind](**({"delays": 3, "rank": 3} if kind == "dsa" else {}))
    states = representations()
    states = [x.reshape(4, 30, -1) if metric.trajectories else x for x in states]
    forms = [metric.prepare(x) for x in states]
    split = [[6, 0, 3], [5, 1], [2, 4]]
    groups = [[forms[i] for i in each] for each in split]
    found = {
        (r, c): DistanceTile(tile_distances(groups[r], groups[c], metric))
        for r in range(3)
        for c in range(r, 3)
    }
    whole = assemble_tiles(7, dict(enumerate(split)), found)
    assert whole == pytest.approx(pairwise_distances(forms, metric).values, abs=1e-9)


def test_forms_are_held_only_as_many_as_fit(monkeypatch):
    metric = SVCCA(dimensions=4)
    forms = [metric.prepare(x) for x in representations(widths=(6,) * 12)]
    one = 8 * (4 * 120 + 1)
    monkeypatch.setattr(tiles, "PAIR_BLOCK_BYTES", 2 * 3 * one + 9 * metric.pair_bytes(forms[0]))
    sizes = []
    monkeypatch.setattr(
        tiles, "stack_forms", lambda held: sizes.append(len(held)) or stack_forms(held)
    )
    rows, columns = OnDisk(forms[:6]), OnDisk(forms[6:])
    tile_distances(rows, columns, metric)
    assert set(sizes) == {3}
    assert rows.asked == [1] * 6
    assert columns.asked == [2] * 6


def test_of_a_block_with_itself_each_pair_is_compared_once(monkeypatch):
    monkeypatch.setattr(tiles, "PAIR_BLOCK_BYTES", 1)
    metric, pairs = CKA(), []
    forms = [metric.prepare(x) for x in representations(widths=(3,) * 5)]

    class Counting(CKA):
        def table(self, a, b):
            pairs.append(1)
            return super().table(a, b)

    found = tile_distances(forms, forms, Counting())
    assert len(pairs) == 15
    assert np.array_equal(found, found.T)
    assert np.array_equal(np.diag(found), np.zeros(5))


@pytest.mark.parametrize("form", [np.arange(6.0).reshape(2, 3), PWCCA().prepare(np.eye(7, 3))])
def test_forms_survive_storage(form, tmp_path):
    PreparedForm.of(form).save(tmp_path)
    found = PreparedForm.load(tmp_path).form
    assert type(found) is type(form)
    np.testing.assert_equal(found, form)


def test_the_cache_drops_the_forms_that_were_not_used_for_longest():
    asked = []

    def form_of(key):
        return cache.get(key, lambda: asked.append(key) or np.zeros(2))

    cache = FormCache(memory=3 * 16)
    for key in ("a", "b", "c", "a", "d", "a", "b"):
        form_of(key)
    # With d there is no room for b, which was not used for longest; then none for c.
    assert asked == ["a", "b", "c", "d", "b"]
    cache.clear()
    form_of("a")
    assert asked[-1] == "a"


def test_a_form_beyond_the_memory_of_the_cache_is_made_at_each_use():
    cache, asked = FormCache(memory=8), []
    for _ in range(2):
        assert len(cache.get("a", lambda: asked.append(1) or np.ones(3))) == 3
    assert len(asked) == 2
