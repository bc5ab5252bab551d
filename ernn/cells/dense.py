"""A feed-forward layer, h = act(W x + b), and the output layer of a model, one without act.

The rows of the output layer leave as they are, in ROW: they are never multiplied again.
"""

from typing import cast

from ernn.graphs.cell import Act, Cell, Function, Matrix, Matvec, Move, Node, Options


def _nodes(options: Options) -> tuple[Node, ...]:
    product = Matvec("dense", "y", ("row_y",), (("x", "input"),))
    if options.cell_activation == "none":
        return product, Move("h", "vector", "row_y")
    squash = Act("y", cast(Function, options.cell_activation), "row_y")
    return product, squash, Move("h", "vector", "y")


def _output_nodes(options: Options) -> tuple[Node, ...]:
    return (Matvec("logits", "y", ("logits",), (("x", "output"),)),)


DENSE = Cell(
    name="dense",
    about="feed-forward layer",
    matrices={"input": Matrix("y", "x")},
    nodes=_nodes,
    units=("dense",),
    activations=("none", "relu", "sigmoid", "tanh"),
)

OUTPUT_LAYER = Cell(
    name="output",
    about="output layer: dense, its rows are the model's logits",
    matrices={"output": Matrix("y", "x")},
    nodes=_output_nodes,
    units=(),
)
