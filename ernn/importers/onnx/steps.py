"""Single steps of cells that were taken apart, told by what they compute."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ernn.importers.layers import Recurrent, gru, lstm, rnn
from ernn.importers.onnx.graph import Graph
from ernn.importers.onnx.links import Links, named
from ernn.importers.onnx.origins import Origins
from ernn.importers.onnx.polynomials import Key, Polynomials, Rows, Terms

if TYPE_CHECKING:
    from onnx import NodeProto

_GATES = {"lstm": "ifgo", "gru": "zrn", "rnn": "n"}


@dataclass(frozen=True)
class Step:
    """One step of a cell: its gates as rows, and the states before and after it."""

    kind: str  # "lstm", "gru" or "rnn"
    node: "NodeProto"
    into: np.ndarray  # (X,) origins
    before: tuple[np.ndarray | None, ...]  # h, and c of an LSTM; None for zero
    after: tuple[np.ndarray, ...]
    inputs: np.ndarray  # (gates * H, X)
    recurrent: np.ndarray | None  # (gates * H, H); None if the state is zero
    bias: np.ndarray  # (gates * H,)
    inner: np.ndarray | None = None  # (H,) bias of the product that a GRU resets
    peepholes: np.ndarray | None = None  # (3, H)
    function: str = "tanh"
    reset_after: bool = True

    def continues(self, other: "Step") -> bool:
        """Whether this is the next step of the same layer."""
        if (self.kind, self.function) != (other.kind, other.function):
            return False
        pairs: list[tuple[np.ndarray | None, np.ndarray | None]]
        pairs = [(self.inputs, other.inputs), (self.bias, other.bias)]
        if other.recurrent is not None:
            pairs += [(self.recurrent, other.recurrent), (self.peepholes, other.peepholes)]
        elif self.kind != "rnn":  # gates that a zero state makes idle are not in the graph
            return self.inputs.shape == other.inputs.shape
        return all(
            one is two or (one is not None and two is not None and np.array_equal(one, two))
            for one, two in pairs
        )

    def layer(self) -> Recurrent:
        """Return the layer."""
        name, order = named(self.node), _GATES[self.kind]
        assert self.recurrent is not None
        weights = (name, self.inputs, self.recurrent, self.bias)
        if self.kind == "lstm":
            extra = {"peepholes": self.peepholes, "activation": self.function}
            return lstm(*weights, order, **extra)  # type: ignore[arg-type]
        if self.kind == "rnn":
            return rnn(*weights, self.function)
        inner = np.zeros_like(self.bias)
        if self.inner is not None:
            inner[-len(self.inner) :] = self.inner
        return gru(*weights, inner, order, reset_after=self.reset_after)


class Steps:
    """Recognises steps, in the order of the graph; see `find`."""

    def __init__(self, graph: Graph, origins: Origins, links: Links) -> None:
        self.graph, self.origins = graph, origins
        self.math = Polynomials(graph, origins, links)
        self.found: list[Step] = []
        self.by_state: dict[Key, Step] = {}  # by h or c after it
        # Vectors that are the first step of a layer only if a second one follows
        self._functions: dict[Key, Step] = {}  # act(W x + b), of an RNN
        self._idle: dict[Key, Step] = {}  # z . n, of a GRU
        self._gates: set[Key] = set()  # of LSTMs

    def find(self) -> list[Step]:
        """Return all steps."""
        vectors = []
        for node in self.graph.live:
            codes = self.origins.of(node.output[0])
            if codes is not None and codes.size == (codes.shape or (0,))[-1]:  # one step
                vectors.append((node, codes.ravel()))
        for node, out in vectors:
            if node.op_type == "Mul" and (step := self._lstm(node, out)):
                self._take(step)
        multiplied = self._multiplied()
        for node, out in vectors:
            step = None
            if node.op_type == "Add":
                step = self._gru_or_first(node, out)
            if node.op_type in ("Add", "Mul") and step is None:
                if out.tobytes() in multiplied:
                    self._note_idle(node, out)
            elif node.op_type in ("Tanh", "Relu"):
                step = self._rnn(node, out)
            if step is not None and step.kind == "rnn" and step.recurrent is None:
                self._functions[out.tobytes()] = step
            elif step is not None:
                self._take(step)
        return self.found

    def _multiplied(self) -> set[Key]:
        """Return the vectors that matrices multiply, as a state is."""
        found = set()
        for node in self.graph.live:
            for name in node.input if node.op_type in ("MatMul", "Gemm") else ():
                codes = None if name in self.graph.values else self.origins.of(name)
                if codes is not None and codes.size == (codes.shape or (0,))[-1]:
                    found |= {part.tobytes() for _, part in self.math.parts(codes.ravel())}
        return found

    def _take(self, step: Step) -> None:
        self.found.append(step)
        for state in step.after:
            self.by_state[state.tobytes()] = step
            self.math.stop(state)

    def _gru_or_first(self, node: "NodeProto", out: np.ndarray) -> Step | None:
        step = self._gru(node, out)
        if step is None and self._idle:
            with self.math.stopping(self._idle):
                step = self._gru(node, out)
            first = self._idle.get(key_of(step.before[0])) if step is not None else None
            if first is None:
                return None
            self._take(first)
        return step

    def _note_idle(self, node: "NodeProto", out: np.ndarray) -> None:
        """Note z . n: of a zero state it is all that a GRU gives."""
        gate, new = self._pair(self.math.terms(out), "Sigmoid", "Tanh")
        if gate is not None and new is not None and gate.tobytes() not in self._gates:
            step = self._assembled_gru(node, gate, new, True, None, out)
            if step is not None:
                self._idle[out.tobytes()] = step

    def _before(
        self, out: np.ndarray, operands: Iterable[Key], cell: np.ndarray | None = None
    ) -> np.ndarray | None:
        """Return the input of the graph that holds what an output gives out one step later.

        It has to be among the vectors that are multiplied, and not be the cell state. Where the
        frames have the shape of the state, the later input is the state, as exporters write them.
        """
        read = np.concatenate([self.math.vector(one) for one in operands] or [out[:0]])
        found = []
        for name in self.graph.outputs:
            codes = self.origins.of(name)
            if codes is None or not np.isin(out, codes).all():
                continue
            order = np.argsort(codes, axis=None)
            places = order[np.searchsorted(codes.ravel()[order], out)]
            for one in self.graph.inputs:
                given = self.origins.of(one.name)
                if given is None or given.shape != codes.shape:
                    continue
                values = given.ravel()[places]
                if np.isin(values, read).all() and not (cell is not None and values[0] in cell):
                    found.append(values)
        return found[-1] if found else None

    def _lstm(self, node: "NodeProto", out: np.ndarray) -> Step | None:
        """h = o . tanh(c), c = f . before + i . g."""
        gate, squashed = self._pair(self.math.terms(out), "Sigmoid", "Tanh")
        if gate is None or squashed is None:
            return None
        cell = self.math.argument(squashed)
        made = self.math.terms(cell)
        if () in made or not 1 <= len(made) <= 2 or any(len(key) != 2 for key in made):
            return None
        found: dict[str, np.ndarray] = {"o": gate}
        before = None
        for key in made:
            one, two = sorted((self.math.vector(k) for k in key), key=self._is_gate)
            if not self._is_gate(two) or (made[key] != 1).any():
                return None
            if self.math.maker(one) in ("Tanh", "Sigmoid") and one.tobytes() not in self.by_state:
                found |= {"g": one, "i": two}
            else:
                found["f"], before = two, one
        if "g" not in found or (before is None) != ("f" not in found):
            return None
        known = self.by_state.get(key_of(before))
        hidden = known.after[0] if known is not None else None
        self.math.stop(cell)
        rows = {name: self.math.rows(self._before_function(gate)) for name, gate in found.items()}
        if hidden is None and before is not None:
            operands = [key for one in rows.values() for key in one.operands]
            hidden = self._before(out, operands, before)
        self._gates |= {vector.tobytes() for vector in found.values()}
        function = self.math.maker(found["g"]).lower()
        return self._assembled_lstm(node, rows, function, (hidden, before), (out, cell))

    def _assembled_lstm(self, node, rows, function, before, after) -> Step | None:
        size = len(after[0])
        peepholes = np.zeros((3, size))
        for at, (name, state) in enumerate((("i", before[1]), ("f", before[1]), ("o", after[1]))):
            if name in rows and state is not None:
                peepholes[at] = rows[name].rest.pop((state.tobytes(),), 0)
        if any(one.rest for one in rows.values()):
            return None
        parts = self._split([rows.get(name) for name in "ifgo"], before[0], size)
        if parts is None:
            return None
        into, inputs, recurrent, bias = parts
        if before[1] is not None and np.isin(before[1], into).any():
            return None  # the cell state is multiplied by a matrix: no LSTM
        kept = peepholes if peepholes.any() else None
        weights = (inputs, recurrent, bias, None, kept, function)
        return Step("lstm", node, into, before, after, *weights)

    def _gru(self, node: "NodeProto", out: np.ndarray) -> Step | None:
        """h = (1 - z) . n + z . before, or with z and 1 - z exchanged."""
        made = dict(self.math.terms(out))
        single = [key for key in made if len(key) == 1]
        pairs = [key for key in made if len(key) == 2]
        if len(single) != 1 or not pairs or len(made) != 1 + len(pairs) or len(pairs) > 2:
            return None
        gates = [k for k in pairs[0] if self._is_gate(self.math.vector(k)) and k != single[0][0]]
        if len(gates) != 1 or any(gates[0] not in key for key in pairs):
            return None
        alone, z = single[0][0], gates[0]
        other = [k for key in pairs for k in key if k not in (z, alone)]
        signs = {key: 1.0 if key == single[0] or alone not in key else -1.0 for key in made}
        if any((made[key] != sign).any() for key, sign in signs.items()):
            return None
        turned = self.math.maker(self.math.vector(alone)) != "Tanh" or alone in self.by_state
        candidate = other[0] if turned and other else alone
        if turned and not other:
            return None
        state = alone if turned else next(iter(other), None)
        before = None if state is None else self.math.vector(state)
        gate, new = self.math.vector(z), self.math.vector(candidate)
        return self._assembled_gru(node, gate, new, turned, before, out)

    def _assembled_gru(self, node, z, candidate, turned, before, out) -> Step | None:
        if self.math.maker(candidate) != "Tanh":
            return None
        update = self.math.rows(self._before_function(z))
        new = self.math.rows(self._before_function(candidate))
        new, reset, inner, after = self._without_reset(new, before)
        gates = None if reset is None else self.math.rows(self._before_function(reset))
        rows = [update.turned() if turned else update, gates, new]
        if any(one is not None and one.rest for one in rows):
            return None
        parts = self._split(rows, before, len(out))
        if parts is None:
            return None
        into, inputs, recurrent, bias = parts
        weights = (inputs, recurrent, bias, inner)
        return Step("gru", node, into, (before,), (out,), *weights, reset_after=after)

    def _without_reset(self, new: Rows, before: np.ndarray | None):
        """Return a candidate without its reset gate, the gate, the bias in it, and where it acts.

        It multiplies the product of the state and its bias, or the state before the product.
        """
        reset, inner, after = None, np.zeros(len(new.bias)), True
        for monomial, scale in list(new.rest.items()):
            gate, product = self._pair({monomial: scale}, "Sigmoid", None)
            if gate is not None:
                made = self.math.rows({(product.tobytes(),): scale})
                reset, inner = gate, inner + made.bias
                new = new.without(monomial).plus(replace(made, bias=np.zeros(len(inner))))
            elif len(monomial) == 1 and self._is_gate(self.math.vector(monomial[0])):
                reset, inner = self.math.vector(monomial[0]), inner + scale
                new = new.without(monomial)
        for operand in list(new.operands):
            gate, state = self._pair(self.math.terms(self.math.vector(operand)), "Sigmoid", None)
            if gate is not None and state.tobytes() == key_of(before):
                reset, after = gate, False
                new = new.renamed(operand, key_of(before))
        return new, reset, inner, after

    def _rnn(self, node: "NodeProto", out: np.ndarray) -> Step | None:
        """h = act(W x + R before + b)."""
        rows = self.math.rows(self._before_function(out))
        if rows.rest or not rows.operands:
            return None
        for operand in rows.operands:
            known = self.by_state.get(operand) or self._functions.get(operand)
            if known is None or known.kind != "rnn" or len(known.after[0]) != len(out):
                continue
            step = self._assembled_rnn(node, rows, known.after[0], out)
            if step is not None and step.continues(known):
                if operand in self._functions:
                    self._take(self._functions.pop(operand))
                return step
        given = self._before(out, rows.operands)
        paired = None if given is None else self._assembled_rnn(node, rows, given, out)
        return paired or self._assembled_rnn(node, rows, None, out)

    def _assembled_rnn(self, node, rows: Rows, before, out) -> Step | None:
        parts = self._split([rows], before, len(out))
        if parts is None:
            return None
        into, inputs, recurrent, bias = parts
        weights = (inputs, recurrent, bias, None, None, node.op_type.lower())
        return Step("rnn", node, into, (before,), (out,), *weights)

    def _split(self, gates: Sequence[Rows | None], before: np.ndarray | None, size: int):
        """Return what enters, W, R and b of gates: what multiplies the state, and what the rest."""
        operands = list(dict.fromkeys(k for one in gates if one is not None for k in one.operands))
        columns = np.concatenate([self.math.vector(k) for k in operands] or [np.zeros(0, np.int64)])
        blocks = []
        for one in gates:
            made = [np.zeros((size, len(self.math.vector(k)))) for k in operands]
            for at, k in enumerate(operands):
                if one is not None and k in one.operands:
                    made[at] = one.operands[k]
            blocks.append(np.concatenate(made, axis=1) if made else np.zeros((size, 0)))
        weights = np.concatenate(blocks)
        bias = np.concatenate([np.zeros(size) if one is None else one.bias for one in gates])
        state = np.zeros(0, np.int64) if before is None else before
        inside = np.isin(columns, state)
        into, order = np.unique(columns[~inside], return_index=True)
        order = np.sort(order)
        into = columns[~inside][order]
        if not len(into):
            return None
        inputs = _gathered(weights[:, ~inside], columns[~inside], into)
        recurrent = _gathered(weights[:, inside], columns[inside], state) if len(state) else None
        return into, inputs, recurrent, bias

    def _before_function(self, vector: np.ndarray) -> Terms:
        """Return what a function was applied to."""
        return self.math.terms(self.math.argument(vector))

    def _pair(self, made, first: str, second: str | None):
        """Return the two vectors of a product of exactly two, the first made by an operation."""
        keys = list(made)
        if len(keys) != 1 or len(keys[0]) != 2 or (made[keys[0]] != 1).any():
            return None, None
        vectors = [self.math.vector(key) for key in keys[0]]
        for one, two in (vectors, vectors[::-1]):
            if self.math.maker(one) == first and second in (None, self.math.maker(two)):
                return one, two
        return None, None

    def _is_gate(self, vector: np.ndarray) -> bool:
        return self.math.maker(vector) == "Sigmoid"


def _gathered(weights: np.ndarray, columns: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return weights with a column for each wanted origin; those of one origin are added."""
    order = np.argsort(wanted)
    places = order[np.searchsorted(wanted[order], columns)]
    made = np.zeros((len(weights), len(wanted)))
    np.add.at(made.T, places, weights.T)
    return made


def key_of(vector: np.ndarray | None) -> Key:
    return b"" if vector is None else vector.tobytes()
