"""Forward and backward pass of a cell's step, split at its products of states with weights.

The step of any cell is traced once as a graph, and its products are cut out. Their gradients are
then computed in the fastest form, and gradients by the weights for many steps at once. TensorFlow
differentiates the operations between the products.
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
"""Operations that the backward pass repeats, so that their results are not cached."""


@dataclass(frozen=True)
class SplitStep:
    """Functions of a step's forward and backward pass; weights are in the cell's order."""

    prepare: Callable[..., Tensors]
    """(*weights) -> arrays that all steps share: second factors of products, and transposes."""
    forward: Callable[..., Tensors]
    """(*weights, *prepared, drive, state) -> the new state, and the cached arrays."""
    backward: Callable[..., Tensors]
    """(*weights, *prepared, drive, state, *cached, gradient by the new state) -> gradients.

    They are by state and drive, then by `direct_weights`. Then follow, for each product, its first
    factor and the gradient by the product."""
    by_weights: Callable[..., Tensors]
    """(*weights, *gradients by the second factor of each product) -> gradients by the weights."""
    cached: tuple[Shape, ...]
    """Shapes of the arrays that `forward` returns for `backward`."""
    new_state_index: int | None
    """Index of the new state among the cached arrays, if it is one of them."""
    factors: tuple[Shape, ...]
    """Shapes of the second factors of the products."""
    direct_weights: tuple[int, ...]
    """Indices of the weights that also enter the step outside of a product."""


class _Step(NamedTuple):
    """The tensors of a step's graph."""

    weights: Tensors
    drive: Tensor
    state: Tensor
    new: Tensor
    products: list[Any]
    """Operations whose second factor, and no other, depends on weights alone."""


def split_step(cell: Cell, weights: Sequence[Tensor], drive: Tensor, state: Tensor) -> SplitStep:
    """Return the split step of a cell for arrays of these shapes.

    drive is [trial, drive], state [trial, state].
    """
    shapes = tuple(tuple(array.shape) for array in (*weights, drive, state))
    return _split_step(cell, tuple(cell.weights(1)), shapes, state.dtype)


@functools.lru_cache(maxsize=8)
def _split_step(
    cell: Cell, names: tuple[str, ...], shapes: tuple[Shape, ...], dtype: Any
) -> SplitStep:
    traced: list[_Step] = []

    def step(*arrays: Tensor) -> Tensor:
        *weights, drive, state = arrays
        new = cell.step(dict(zip(names, weights, strict=True)), drive, state)
        traced.append(_Step(weights, drive, state, new, _products(new.graph, weights)))
        return new

    # Any part of this graph can become a function.
    whole = tf.compat.v1.wrap_function(step, [tf.TensorSpec(shape, dtype) for shape in shapes])
    with whole.graph.as_default():
        return _parts(whole, traced[0])


def _products(graph: Any, weights: Tensors) -> list[Any]:
    """Return the products whose second factor, and no other, depends on weights alone."""
    fixed, products = {w.ref() for w in weights}, []
    for op in graph.get_operations():
        is_fixed = [tensor.ref() in fixed for tensor in op.inputs]
        if op.type != "Placeholder" and all(is_fixed):
            fixed |= {tensor.ref() for tensor in op.outputs}
        elif op.type == "MatMul" and is_fixed == [False, True] and not _transposing(op):
            products.append(op)
    return products


def _transposing(op: Any) -> bool:
    return bool(op.get_attr("transpose_a") or op.get_attr("transpose_b"))


def _parts(whole: Any, step: _Step) -> SplitStep:
    forward = set(whole.graph.get_operations())
    factors = [op.inputs[1] for op in step.products]
    transposes = [tf.transpose(factor) for factor in factors]
    shared = [f for f in factors if all(f is not w for w in step.weights)] + transposes
    upstream, *by_factors = (
        tf.compat.v1.placeholder(t.dtype, t.shape) for t in (step.new, *factors)
    )
    back = _back(step, transposes, upstream)
    arguments = [*step.weights, *shared, step.drive, step.state]
    cached = _select_cached(forward, arguments, back.all)
    by_weights = tf.gradients(factors, step.weights, by_factors, unconnected_gradients="zero")
    return SplitStep(
        prepare=_function(whole.graph, step.weights, shared),
        forward=_function(whole.graph, arguments, [step.new, *cached]),
        backward=_function(whole.graph, [*arguments, *cached, upstream], back.all),
        by_weights=_function(whole.graph, [*step.weights, *by_factors], by_weights),
        cached=tuple(tuple(array.shape) for array in cached),
        new_state_index=next((i for i, array in enumerate(cached) if array is step.new), None),
        factors=tuple(tuple(factor.shape) for factor in factors),
        direct_weights=back.direct_weights,
    )


class _Back(NamedTuple):
    """Tensors that `SplitStep.backward` returns, and `SplitStep.direct_weights`."""

    all: Tensors
    direct_weights: tuple[int, ...]


def _back(step: _Step, transposes: Tensors, upstream: Tensor) -> _Back:
    """Return gradients through the operations between products, from the last product on."""
    results = [op.outputs[0] for op in step.products]
    ends, slopes = [step.new], [upstream]
    by_products: Tensors = []
    for op, factor in reversed(list(zip(step.products, transposes, strict=True))):
        (by_product,) = tf.gradients(
            ends, op.outputs, slopes, stop_gradients=results, unconnected_gradients="zero"
        )
        by_products.insert(0, by_product)
        ends.append(op.inputs[0])
        slopes.append(by_product @ factor)
    inputs = [step.state, step.drive, *step.weights]
    by_state, by_drive, *by_weights = tf.gradients(ends, inputs, slopes, stop_gradients=results)
    direct = tuple(index for index, by in enumerate(by_weights) if by is not None)
    pairs = zip((op.inputs[0] for op in step.products), by_products, strict=True)
    first = [_or_zeros(by_state, step.state), _or_zeros(by_drive, step.drive)]
    return _Back(
        [*first, *(by_weights[index] for index in direct), *(t for pair in pairs for t in pair)],
        direct,
    )


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    return tf.zeros_like(like) if gradient is None else gradient


def _select_cached(forward: set[Any], arguments: Tensors, outputs: Tensors) -> Tensors:
    """Return the forward results that the backward pass needs, in the order of the graph."""
    available = {tensor.ref() for tensor in arguments}
    used = [t for t in _select_needed(outputs, available, forward) if t.ref() not in available]
    used.sort(key=lambda tensor: tensor.op._id)
    cached = [tensor for tensor in used if tensor.op.type not in CHEAP and tensor.op.inputs]
    available |= {tensor.ref() for tensor in cached}

    def is_cheap(tensor: Tensor) -> bool:
        op = tensor.op
        cheap = op.type in CHEAP or not op.inputs
        return tensor.ref() in available or (cheap and all(is_cheap(each) for each in op.inputs))

    for tensor in used:
        if not is_cheap(tensor):
            cached.append(tensor)
            available.add(tensor.ref())
    return cached


def _select_needed(outputs: Tensors, available: set[Any], forward: set[Any]) -> Tensors:
    """Return the forward tensors from which backward tensors are computed directly."""
    needed, visited, queue = [], set(available), list(outputs)
    while queue:
        tensor = queue.pop()
        if tensor.ref() in visited:
            continue
        visited.add(tensor.ref())
        if tensor.op in forward:
            needed.append(tensor)
        else:
            queue += tensor.op.inputs
    return needed


def _function(graph: Any, feeds: Tensors, fetches: Tensors) -> Callable[..., Tensors]:
    """Return a part of a graph as a function of all feeds, used or not."""
    # Constants of the cell are captures of the graph: further inputs.
    feeds = [*feeds, *graph.internal_captures]
    indices = {feed.name: index for index, feed in enumerate(feeds)}
    operations = _between(feeds, fetches)
    part = _as_graph_def(graph, operations)
    read = sorted({t.name for op in operations for t in op.inputs} & indices.keys())
    computed = [tensor.name for tensor in fetches if tensor.name not in indices]

    def function(*arguments: Tensor) -> Tensors:
        values = [tf.identity(value) for value in (*arguments, *graph.external_captures)]
        inputs = {name: values[indices[name]] for name in read}
        tensors = tf.graph_util.import_graph_def(part, inputs, computed)
        results = dict(zip(computed, tensors, strict=True))
        return [results.get(t.name, values[indices.get(t.name, 0)]) for t in fetches]

    return tf.function(function, autograph=False)


def _between(feeds: Tensors, fetches: Tensors) -> set[Any]:
    """Return the operations that lead from feeds to fetches."""
    fed, operations, queue = {feed.ref() for feed in feeds}, set(), list(fetches)
    while queue:
        tensor = queue.pop()
        if tensor.ref() not in fed and tensor.op not in operations:
            operations.add(tensor.op)
            queue += tensor.op.inputs
    return operations


def _as_graph_def(graph: Any, operations: set[Any]) -> Any:
    """Return operations of a graph, whose inputs may lie outside, as a graph definition."""
    whole = graph.as_graph_def()
    names = {op.name: len(op.inputs) for op in operations}
    nodes = [node for node in whole.node if node.name in names]
    for node in nodes:
        # Control inputs and colocation have no effect on pure operations.
        del node.input[names[node.name] :]
        node.attr.pop("_class", None)
    return tf.compat.v1.GraphDef(node=nodes, versions=whole.versions, library=whole.library)
