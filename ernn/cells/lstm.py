"""The LSTM of Sak, Senior and Beaufays (2014); peepholes and projection are optional.

i, f = s(row + p . c); c' = f . c + i . g; o = s(row + p . c'); m = o . tanh(c'); h = P m. Without
peepholes and projection it is torch.nn.LSTM.
"""

from typing import cast

from ernn.graphs.cell import (
    Act,
    Cell,
    Dot2,
    Function,
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
    squash = cast(Function, options.cell_activation)
    m = "m" if options.projection else "h"
    peep_if: tuple[Node, ...] = ()
    peep_o: tuple[Node, ...] = ()
    i, f, o = "row_i", "row_f", "row_o"
    if options.peepholes:
        i, f, o = "peeped_i", "peeped_f", "peeped_o"
        peep_if = (
            Mul(i, "row", "peep_i", "c", add="row_i"),
            Mul(f, "row", "peep_f", "c", add="row_f"),
        )
        peep_o = (Mul(o, "row", "peep_o", "c_next", add="row_o"),)
    rows = ("row_i", "row_f", "row_g", "row_o")
    project: tuple[Node, ...] = (
        Matvec("projection", "y", ("row_y",), (("m", "projection"),), bias=None),
        Move("h", "vector", "row_y"),
    )
    return (
        Matvec("gates", "ifgo", rows, (("x", "input"), ("h", "recurrent"))),
        *peep_if,
        Act("i", "sigmoid", i),
        Act("f", "sigmoid", f),
        Act("g", squash, "row_g"),
        Dot2("c_next", "state", "f", "c", "i", "g"),
        *peep_o,
        Act("o", "sigmoid", o),
        Move("row_c", "row", "c_next"),
        Act("tanh_c", "tanh", "row_c"),
        Mul(m, "vector", "o", "tanh_c"),
        *(project if options.projection else ()),
    )


LSTM = Cell(
    name="lstm",
    about="long short-term memory, with optional peepholes and projection",
    matrices={
        "input": Matrix("ifgo", "x"),
        "recurrent": Matrix("ifgo", "h"),
        "projection": Matrix("y", "m"),
    },
    nodes=_nodes,
    units=("lstm", "projection"),
    state=State("c", "c_next"),
    parameters={"peepholes": Parameter(("peep_i", "peep_f", "peep_o"), "peephole")},
    activations=("tanh", "sigmoid"),
    open_gates="f",
)
