"""A cell's step taken apart: its way forward, and its way back without a product done again.

The step of any cell is traced once, as a graph. Products of states with weights are cut out of it,
so that their gradients can be computed in the form that runs fastest, and those by the weights for
many steps at once. What lies between the products is differentiated by TensorFlow.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

Tensors = list[Any]
Shape = tuple[int, ...]

CHEAP = frozenset({
    "AddV2", "Cast", "ConcatV2", "ExpandDims", "Identity", "Mul", "Neg", "Reshape", "Slice",
    "Split", "SplitV", "Square", "StridedSlice", "Sub", "Transpose",
})  # fmt: skip
"""Operations that are done again on what is kept, rather than their results kept."""


@dataclass(frozen=True)
class Halves:
    """Functions that make up a step; weights come in the order of the cell's own."""

    prepared: Callable[..., Tensors]
    """(*weights) -> what all steps share: weights that states are multiplied by, and transposes."""
    forward: Callable[..., Tensors]
    """(*weights, *prepared, drive, state) -> the new state, and the arrays that `backward` needs.
    """
    backward: Callable[..., Tensors]
    """(*weights, *prepared, drive, state, *kept, gradient by the new state) -> gradients by state
    and drive, then by `others`, then of each product its first factor and the gradient by it."""
    by_weights: Callable[..., Tensors]
    """(*weights, *gradients by the second factor of each product) -> gradients by the weights."""
    kept: tuple[Shape, ...]
    """Shapes of the arrays that `backward` needs and `forward` returns."""
    new: int | None
    """Place of the new state among them, if it is one of them."""
    factors: tuple[Shape, ...]
    """Shapes of the second factors of the products."""
    others: tuple[int, ...]
    """Places, among the weights, of those that enter the step otherwise than by a product too."""


class _Step(NamedTuple):
    """The tensors of a step's graph."""

    weights: Tensors
    drive: Tensor
    state: Tensor
    new: Tensor
    products: list[Any]
    """Operations that multiply something by what depends on weights alone."""


def halves(cell: Cell, weights: Sequence[Tensor], drive: Tensor, state: Tensor) -> Halves:
    """The parts of a cell's step for arrays such as these: drive [trial, drive], state
    [trial, state]."""
    shapes = tuple(tuple(array.shape) for array in (*weights, drive, state))
    return _halves(cell, tuple(cell.weights(1)), shapes, state.dtype)


@functools.lru_cache(maxsize=64)
def _halves(cell: Cell, names: tuple[str, ...], shapes: tuple[Shape, ...], dtype: Any) -> Halves:
    traced: list[_Step] = []

    def step(*given: Tensor) -> Tensor:
        *weights, drive, state = given
        new = cell.step(dict(zip(names, weights, strict=True)), drive, state)
        traced.append(_Step(weights, drive, state, new, _products(new.graph, weights)))
        return new

    # A graph of which any part can be taken as a function.
    whole = tf.compat.v1.wrap_function(step, [tf.TensorSpec(shape, dtype) for shape in shapes])
    with whole.graph.as_default():
        return _parts(whole, traced[0])


def _products(graph: Any, weights: Tensors) -> list[Any]:
    """Products whose second factor, and it alone, depends on nothing but weights."""
    fixed, found = {w.ref() for w in weights}, []
    for op in graph.get_operations():
        given = [tensor.ref() in fixed for tensor in op.inputs]
        if op.type != "Placeholder" and all(given):
            fixed |= {tensor.ref() for tensor in op.outputs}
        elif op.type == "MatMul" and given == [False, True] and not _transposing(op):
            found.append(op)
    return found


def _transposing(op: Any) -> bool:
    return bool(op.get_attr("transpose_a") or op.get_attr("transpose_b"))


def _parts(whole: Any, step: _Step) -> Halves:
    forward = set(whole.graph.get_operations())
    factors = [op.inputs[1] for op in step.products]
    turned = [tf.transpose(factor) for factor in factors]
    shared = [f for f in factors if all(f is not w for w in step.weights)] + turned
    upstream, *by_factors = (
        tf.compat.v1.placeholder(t.dtype, t.shape) for t in (step.new, *factors)
    )
    back = _back(step, turned, upstream)
    given = [*step.weights, *shared, step.drive, step.state]
    kept = _kept(forward, given, back.all)
    by_weights = tf.gradients(factors, step.weights, by_factors, unconnected_gradients="zero")
    return Halves(
        prepared=_function(whole.graph, step.weights, shared),
        forward=_function(whole.graph, given, [step.new, *kept]),
        backward=_function(whole.graph, [*given, *kept, upstream], back.all),
        by_weights=_function(whole.graph, [*step.weights, *by_factors], by_weights),
        kept=tuple(tuple(array.shape) for array in kept),
        new=next((place for place, array in enumerate(kept) if array is step.new), None),
        factors=tuple(tuple(factor.shape) for factor in factors),
        others=back.others,
    )


class _Back(NamedTuple):
    """Tensors of the way back, as `Halves.backward` returns them, and `Halves.others`."""

    all: Tensors
    others: tuple[int, ...]


def _back(step: _Step, turned: Tensors, upstream: Tensor) -> _Back:
    """Gradients through what lies between the products, from the last product to the first."""
    made = [op.outputs[0] for op in step.products]
    ends, slopes = [step.new], [upstream]
    by_products: Tensors = []
    for op, factor in reversed(list(zip(step.products, turned, strict=True))):
        (by_product,) = tf.gradients(
            ends, op.outputs, slopes, stop_gradients=made, unconnected_gradients="zero"
        )
        by_products.insert(0, by_product)
        ends.append(op.inputs[0])
        slopes.append(by_product @ factor)
    inputs = [step.state, step.drive, *step.weights]
    by_state, by_drive, *by_weights = tf.gradients(ends, inputs, slopes, stop_gradients=made)
    others = tuple(place for place, by in enumerate(by_weights) if by is not None)
    pairs = zip((op.inputs[0] for op in step.products), by_products, strict=True)
    first = [_or_zeros(by_state, step.state), _or_zeros(by_drive, step.drive)]
    return _Back(
        [*first, *(by_weights[place] for place in others), *(t for pair in pairs for t in pair)],
        others,
    )


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    return tf.zeros_like(like) if gradient is None else gradient


def _kept(forward: set[Any], given: Tensors, wanted: Tensors) -> Tensors:
    """Results of the way forward that the way back starts from, in the order of their making."""
    at_hand = {tensor.ref() for tensor in given}
    used = [t for t in _needed(wanted, at_hand, forward) if t.ref() not in at_hand]
    used.sort(key=lambda tensor: tensor.op._id)
    dear = [tensor for tensor in used if tensor.op.type not in CHEAP and tensor.op.inputs]
    at_hand |= {tensor.ref() for tensor in dear}

    def free(tensor: Tensor) -> bool:
        op = tensor.op
        cheap = op.type in CHEAP or not op.inputs
        return tensor.ref() in at_hand or (cheap and all(free(each) for each in op.inputs))

    for tensor in used:
        if not free(tensor):
            dear.append(tensor)
            at_hand.add(tensor.ref())
    return dear


def _needed(wanted: Tensors, at_hand: set[Any], forward: set[Any]) -> Tensors:
    """Tensors of the way forward that tensors of the way back are computed from directly."""
    found, visited, open_ = [], set(at_hand), list(wanted)
    while open_:
        tensor = open_.pop()
        if tensor.ref() in visited:
            continue
        visited.add(tensor.ref())
        if tensor.op in forward:
            found.append(tensor)
        else:
            open_ += tensor.op.inputs
    return found


def _function(graph: Any, feeds: Tensors, fetches: Tensors) -> Callable[..., Tensors]:
    """A part of a graph as a function of all feeds, whether it needs them or not."""
    # What the cell holds of its own, the graph has taken in as one more input.
    feeds = [*feeds, *graph.internal_captures]
    places = {feed.name: place for place, feed in enumerate(feeds)}
    operations = _between(feeds, fetches)
    part = _as_graph_def(graph, operations)
    read = sorted({t.name for op in operations for t in op.inputs} & places.keys())
    made = [tensor.name for tensor in fetches if tensor.name not in places]

    def function(*given: Tensor) -> Tensors:
        values = [tf.identity(value) for value in (*given, *graph.external_captures)]
        inputs = {name: values[places[name]] for name in read}
        found = dict(zip(made, tf.graph_util.import_graph_def(part, inputs, made), strict=True))
        return [found.get(t.name, values[places.get(t.name, 0)]) for t in fetches]

    return tf.function(function, autograph=False)


def _between(feeds: Tensors, fetches: Tensors) -> set[Any]:
    """Operations that lead from feeds to fetches."""
    fed, found, open_ = {feed.ref() for feed in feeds}, set(), list(fetches)
    while open_:
        tensor = open_.pop()
        if tensor.ref() not in fed and tensor.op not in found:
            found.add(tensor.op)
            open_ += tensor.op.inputs
    return found


def _as_graph_def(graph: Any, operations: set[Any]) -> Any:
    """Some operations of a graph, whose inputs need not be among them."""
    whole = graph.as_graph_def()
    names = {op.name: len(op.inputs) for op in operations}
    kept = [node for node in whole.node if node.name in names]
    for node in kept:
        # Neither the order of pure operations nor their place is of interest.
        del node.input[names[node.name] :]
        node.attr.pop("_class", None)
    return tf.compat.v1.GraphDef(node=kept, versions=whole.versions, library=whole.library)
