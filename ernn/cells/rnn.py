"""The simple recurrent layer of Elman (1990), as in torch.nn.RNN: h' = act(W x + U h + b)."""

from typing import cast

from ernn.graphs.cell import Act, Cell, Function, Matrix, Matvec, Move, Node, Options


def _nodes(options: Options) -> tuple[Node, ...]:
    return (
        Matvec("rnn", "n", ("row_n",), (("x", "input"), ("h", "recurrent"))),
        Act("n", cast(Function, options.cell_activation), "row_n"),
        Move("h", "vector", "n"),
    )


RNN = Cell(
    name="rnn",
    about="simple recurrent layer",
    matrices={"input": Matrix("n", "x"), "recurrent": Matrix("n", "h")},
    nodes=_nodes,
    units=("rnn",),
    activations=("tanh", "relu"),
)
