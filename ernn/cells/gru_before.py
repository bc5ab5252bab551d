"""The GRU of the E-RNN paper: the reset gate acts before the product.

z, r = s(row); n = tanh(W x + U (r . h) + b); h' = h + z . (n - h).
"""

from ernn.graphs.cell import Act, Cell, Lerp, Matrix, Matvec, Move, Mul, Node, Options, State


def _nodes(options: Options) -> tuple[Node, ...]:
    return (
        Matvec("zr", "zr", ("row_z", "row_r"), (("x", "input"), ("h", "recurrent"))),
        Act("z", "sigmoid", "row_z"),
        Act("r", "sigmoid", "row_r"),
        Mul("rh", "vector", "r", "state"),
        Matvec("n", "n", ("row_n",), (("x", "input"), ("rh", "candidate"))),
        Act("n", "tanh", "row_n"),
        Lerp("state_next", "state", "state", "n", "z"),
        Move("h", "vector", "state_next"),
    )


GRU_BEFORE = Cell(
    name="gru_before",
    family="gru",
    reset="before",
    about="gated recurrent unit, reset before the product (E-RNN)",
    matrices={
        "input": Matrix("zrn", "x"),
        "recurrent": Matrix("zr", "h"),
        "candidate": Matrix("n", "rh"),
    },
    nodes=_nodes,
    units=("gru_reset", "gru_update"),
    state=State("state", "state_next"),
    signals=("z",),
)
