"""The GRU of torch.nn.GRU: the reset gate acts after the product.

z, r = s(row); n = tanh(W x + b + r . (U h + b')); h' = h + z . (n - h). A model holds the E-RNN
paper's z: torch's, 1 - z, is stored with its sign turned.
"""

from ernn.graphs.cell import (
    Act,
    Cell,
    Lerp,
    Matrix,
    Matvec,
    Move,
    Mul,
    Node,
    Options,
    Parameter,
    State,
)


def _nodes(options: Options) -> tuple[Node, ...]:
    return (
        Matvec("zr", "zr", ("row_z", "row_r"), (("x", "input"), ("h", "recurrent"))),
        Matvec("nh", "n", ("row_nh",), (("h", "recurrent"),), bias="candidate_bias"),
        Matvec("nx", "n", ("row_nx",), (("x", "input"),)),
        Act("z", "sigmoid", "row_z"),
        Act("r", "sigmoid", "row_r"),
        Mul("row_n", "row", "r", "row_nh", add="row_nx"),
        Act("n", "tanh", "row_n"),
        Lerp("state_next", "state", "state", "n", "z"),
        Move("h", "vector", "state_next"),
    )


GRU_AFTER = Cell(
    name="gru_after",
    family="gru",
    reset="after",
    about="gated recurrent unit, reset after the product (torch)",
    matrices={"input": Matrix("zrn", "x"), "recurrent": Matrix("zrn", "h")},
    nodes=_nodes,
    units=("gru_after",),
    state=State("state", "state_next"),
    parameters={"candidate_bias": Parameter(("bias_n",), "row")},
    signals=("z",),
)
