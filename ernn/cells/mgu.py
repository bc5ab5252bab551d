"""The minimal gated unit of Zhou, Wu, Zhang and Zhou (2016): a GRU whose two gates are one.

f = s(row); n = tanh(W x + U (f . h) + b); h' = h + f . (n - h).
"""

from ernn.graphs.cell import Act, Cell, Lerp, Matrix, Matvec, Move, Mul, Node, Options, State


def _nodes(options: Options) -> tuple[Node, ...]:
    return (
        Matvec("f", "f", ("row_f",), (("x", "input"), ("h", "recurrent"))),
        Act("f", "sigmoid", "row_f"),
        Mul("fh", "vector", "f", "state"),
        Matvec("n", "n", ("row_n",), (("x", "input"), ("fh", "candidate"))),
        Act("n", "tanh", "row_n"),
        Lerp("state_next", "state", "state", "n", "f"),
        Move("h", "vector", "state_next"),
    )


MGU = Cell(
    name="mgu",
    about="minimal gated unit",
    matrices={
        "input": Matrix("fn", "x"),
        "recurrent": Matrix("f", "h"),
        "candidate": Matrix("n", "fh"),
    },
    nodes=_nodes,
    units=("mgu_gate", "mgu_update"),
    state=State("state", "state_next"),
    signals=("f",),
)
