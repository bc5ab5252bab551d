"""What a vector is as a polynomial of other vectors, value by value, and as rows of matrices."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ernn.importers.layers import Linear
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Link, Links
from ernn.importers.onnx.origins import BITS, Origins

Key = bytes  # the origins of a vector; it names it
Terms = dict[tuple[Key, ...], np.ndarray]  # coefficients (n,) by factors; () for a constant
_MOST = 16  # terms of a polynomial; one with more stays whole


@dataclass(frozen=True)
class Rows:
    """Rows of a layer: matrices by the vectors that they multiply, a bias, and other terms."""

    operands: dict[Key, np.ndarray]  # (n, m)
    bias: np.ndarray  # (n,)
    rest: Terms

    def without(self, monomial: tuple[Key, ...]) -> "Rows":
        """Return these rows without a term of the rest."""
        return replace(self, rest={k: v for k, v in self.rest.items() if k != monomial})

    def plus(self, other: "Rows") -> "Rows":
        """Return the sum."""
        operands = dict(self.operands)
        for key, matrix in other.operands.items():
            operands[key] = operands[key] + matrix if key in operands else matrix
        return Rows(operands, self.bias + other.bias, _added(self.rest, other.rest))

    def renamed(self, operand: Key, to: Key) -> "Rows":
        """Return the rows with one vector taken for another."""
        return replace(
            self, operands={to if k == operand else k: m for k, m in self.operands.items()}
        )

    def turned(self) -> "Rows":
        """Return the rows with their sign turned."""
        rest = {key: -value for key, value in self.rest.items()}
        return Rows({k: -m for k, m in self.operands.items()}, -self.bias, rest)


class Polynomials:
    """Expressions of the vectors of a graph at one step."""

    def __init__(self, graph: Graph, origins: Origins, links: Links) -> None:
        self.graph, self.origins, self.links = graph, origins, links
        self._stops: set[Key] = set()
        self._known: dict[Key, Terms] = {}
        self._nodes = graph.producers

    def stop(self, vector: np.ndarray) -> None:
        """From now on a vector is not taken apart: it is a state."""
        self._stops.add(vector.tobytes())
        self._known.clear()

    @contextmanager
    def stopping(self, keys: Iterable[Key]) -> Iterator[None]:
        """Take some vectors for states, for now."""
        before, self._stops = self._stops, {*self._stops, *keys}
        self._known.clear()
        try:
            yield
        finally:
            self._stops = before
            self._known.clear()

    def vector(self, key: Key) -> np.ndarray:
        """Return the origins (n,) of a vector."""
        return np.frombuffer(key, np.int64)

    def maker(self, vector: np.ndarray) -> str:
        """Return the operation that made all of a vector, or ""."""
        node = self._node(vector)
        return "" if node is None else node.op_type

    def argument(self, vector: np.ndarray) -> np.ndarray:
        """Return the vector that a function was applied to."""
        view = self._operand(self._node(vector), 0, vector)
        return np.zeros(0, np.int64) if view is None else view

    def terms(self, vector: np.ndarray) -> Terms:
        """Return a vector as sums of products, down to functions, matrices, states and inputs."""
        key = vector.tobytes()
        if key not in self._known:
            made = None if key in self._stops else self._expanded(vector)
            whole = made is None or len(made) > _MOST
            self._known[key] = {(key,): np.ones(len(vector))} if whole else made or {}
        return self._known[key]

    def rows(self, terms: Mapping[tuple[Key, ...], np.ndarray]) -> Rows:
        """Return a polynomial as rows of the matrices in it."""
        size = len(next(iter(terms.values()), ()))
        made = Rows({}, np.zeros(size), {})
        for monomial, scale in terms.items():
            product = self._product(monomial[0], scale) if len(monomial) == 1 else None
            if not monomial:
                product = Rows({}, scale, {})
            made = made.plus(product or Rows({}, np.zeros(size), {monomial: scale}))
        return made

    def _product(self, key: Key, scale: np.ndarray) -> Rows | None:
        """Return the rows of a vector that a matrix makes of others, or None."""
        link = self._matrix(key)
        if link is None or not isinstance(link.item, Linear):
            return None
        first = self.origins.places(link.out.min())
        if (np.diff(link.out.ravel()) != 1).any():
            return None
        steps, columns = np.divmod(self.origins.places(self.vector(key)) - first, len(link.out[0]))
        if (steps != steps[0]).any():
            return None
        weight = scale[:, None] * link.item.weight[columns]
        made = Rows({}, scale * link.item.bias[columns], {})
        for part, values in self.parts(link.into[steps[0]]):
            constant = self.graph.constant(self.origins.made_by(values)[0])
            if constant is not None:
                known = constant.ravel()[self.origins.places(values)]
                made = replace(made, bias=made.bias + weight[:, part] @ known)
            elif self.terms(values):  # else it is zero
                made = made.plus(
                    Rows({values.tobytes(): weight[:, part]}, np.zeros(len(scale)), {})
                )
        return made

    def parts(self, vector: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield what a vector was put together from: where it lies, and its origins."""
        makers = vector >> BITS
        ends = [0, *(np.flatnonzero(np.diff(makers)) + 1), len(vector)]
        for first, last in pairwise(ends):
            yield slice(first, last), np.ascontiguousarray(vector[first:last])

    def _matrix(self, key: Key) -> Link | None:
        node = self._node(self.vector(key)) if key not in self._stops else None
        matrix = node is not None and node.op_type in ("MatMul", "Gemm", "Conv")
        return self.links.whole(node) if node is not None and matrix else None

    def _node(self, vector: np.ndarray):
        makers = self.origins.made_by(vector) if len(vector) else []
        return self._nodes.get(makers[0]) if len(makers) == 1 else None

    def _expanded(self, vector: np.ndarray) -> Terms | None:
        node = self._node(vector)
        if node is None or node.op_type not in ("Add", "Sub", "Mul", "Div", "Neg"):
            return None
        made: list[Terms] = []
        for at, name in enumerate(node.input):
            value = self.graph.constant(name)
            if value is not None:
                scale = self._constant(node, value, vector)
                made.append({(): scale} if scale.any() else {})
            elif (operand := self._operand(node, at, vector)) is not None:
                made.append(self.terms(operand))
            else:
                return None
        if node.op_type == "Neg":
            return _scaled(made[0], -1.0)
        one, two = made
        if node.op_type == "Add":
            return _added(one, two)
        if node.op_type == "Sub":
            return _added(one, _scaled(two, -1.0))
        if node.op_type == "Mul":
            return _multiplied(one, two)
        if set(two) != {()} or (two[()] == 0).any():
            return None
        return _scaled(one, 1 / two[()])

    def _constant(self, node, value: np.ndarray, vector: np.ndarray) -> np.ndarray:
        shape = self.graph.shapes[node.output[0]]
        places = self.origins.places(vector)
        return np.broadcast_to(value, shape).ravel()[places].astype(np.float64)

    def _operand(self, node, at: int, vector: np.ndarray) -> np.ndarray | None:
        """Return which values of an input went into those of an output, value by value."""
        if node is None:
            return None
        view, shape = self.origins.of(node.input[at]), self.graph.shapes.get(node.output[0])
        if view is None or shape is None:
            return None
        places = self.origins.places(vector)
        return np.ascontiguousarray(np.broadcast_to(view, shape).ravel()[places])


def _added(one: Terms, two: Terms) -> Terms:
    made = dict(one)
    for key, scale in two.items():
        made[key] = made[key] + scale if key in made else scale
    return {key: scale for key, scale in made.items() if scale.any()}


def _scaled(one: Terms, scale: float | np.ndarray) -> Terms:
    return {key: value * scale for key, value in one.items()}


def _multiplied(one: Terms, two: Terms) -> Terms | None:
    if len(one) * len(two) > _MOST:
        return None
    made: Terms = {}
    for key, scale in one.items():
        for other, more in two.items():
            made = _added(made, {tuple(sorted(key + other)): scale * more})
    return made
