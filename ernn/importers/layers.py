"""What every source is brought to: a chain of layers in one order of gates, one set of equations.

Sizes are the source's, nothing is padded. Constructors take weights as the formats store them and
return them as `ernn.cells` wants them: gates in the cell's order, both biases added where the
equations allow it, and the GRU's z turned (sources have h' = (1 - z) n + z h, ernn h + z (n - h)).
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ernn.errors import ModelFileError

Array = np.ndarray

# The gates of the formats, in the order of their rows; ernn's letters.
TORCH = {"lstm": "ifgo", "gru": "rzn", "rnn": "n"}
ONNX = {"lstm": "iofg", "gru": "zrn", "rnn": "n"}
KERAS = {"lstm": "ifgo", "gru": "zrn", "rnn": "n"}


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer of a cell of ernn."""

    name: str  # as the source calls it
    cell: str
    matrices: dict[str, Array]  # (rows, cols) float64, by the cell's names
    bias: Array  # (gates * H,)
    parameters: dict[str, Array] = field(default_factory=dict)
    activation: str = "tanh"  # the cell's cell_activation

    @property
    def entering(self) -> Array:
        """What the input is multiplied by, (rows, cols)."""
        return self.matrices["input"]

    @property
    def hidden(self) -> int:
        """H, the values of its state."""
        return self.matrices.get("projection", self.matrices["recurrent"]).shape[1]

    @property
    def outputs(self) -> int:
        """Values that leave it."""
        projection = self.matrices.get("projection")
        return self.hidden if projection is None else projection.shape[0]


@dataclass(frozen=True)
class Linear:
    """W x + b at every step."""

    name: str
    weight: Array  # (rows, cols)
    bias: Array  # (rows,)


@dataclass(frozen=True)
class Activation:
    """A function of every value."""

    name: str
    function: str  # "relu", "sigmoid" or "tanh"


@dataclass(frozen=True)
class Affine:
    """scale . x + shift: a normalisation with constants, such as a BatchNorm that was trained."""

    name: str
    scale: Array  # (n,)
    shift: Array  # (n,)


@dataclass(frozen=True)
class LastStep:
    """From here on only the last step of a sequence is used."""

    name: str


@dataclass(frozen=True)
class Dropped:
    """Something that does nothing once a network is trained."""

    name: str
    reason: str


@dataclass(frozen=True)
class Joined:
    """What other items of the list made, side by side; of one alone: the list goes on there."""

    name: str
    parts: tuple[int, ...]  # numbers of items, -1: the input


@dataclass(frozen=True)
class Added:
    """The sum of what other items of the list made."""

    name: str
    parts: tuple[int, ...]  # as in `Joined`
    signs: tuple[float, ...]  # 1 or -1 for each


Item = Recurrent | Linear | Activation | Affine | LastStep | Dropped | Joined | Added


def lstm(
    name: str,
    inputs: Array,
    recurrent: Array,
    bias: Array,
    order: str,
    *,
    projection: Array | None = None,
    peepholes: Array | None = None,
    activation: str = "tanh",
) -> Recurrent:
    """Return an LSTM of weights (4 H, cols) and the sum of all biases (4 H,).

    Args:
        name: as the source calls it.
        inputs: W, (4 H, X).
        recurrent: R, (4 H, Y).
        bias: (4 H,).
        order: of the gates, such as `TORCH["lstm"]`.
        projection: (Y, H), or None.
        peepholes: (3, H) in the order i, f, o, or None.
        activation: of g.
    """
    chosen = {"input": _gates(inputs, order, "ifgo"), "recurrent": _gates(recurrent, order, "ifgo")}
    if projection is not None:
        chosen["projection"] = _double(projection)
    parameters = {} if peepholes is None else {"peepholes": _double(peepholes)}
    return Recurrent(name, "lstm", chosen, _gates(bias, order, "ifgo"), parameters, activation)


def gru(
    name: str,
    inputs: Array,
    recurrent: Array,
    bias: Array,
    recurrent_bias: Array,
    order: str,
    *,
    reset_after: bool,
) -> Recurrent:
    """Return a GRU of weights (3 H, cols) whose z keeps the state, as in torch, ONNX and Keras.

    Args:
        name: as the source calls it.
        inputs: W, (3 H, X).
        recurrent: R, (3 H, H).
        bias: of the input, (3 H,).
        recurrent_bias: (3 H,); of n it is inside the reset gate where that is behind the product.
        order: of the gates, such as `TORCH["gru"]`.
        reset_after: the reset gate multiplies the product and its bias, and not h.
    """
    w, r = (_gates(one, order, "zrn") for one in (inputs, recurrent))
    b, rb = (_gates(one, order, "zrn") for one in (bias, recurrent_bias))
    hidden = r.shape[1]
    w[:hidden], r[:hidden] = -w[:hidden], -r[:hidden]
    b[:hidden], rb[:hidden] = -b[:hidden], -rb[:hidden]
    if not reset_after:
        matrices = {"input": w, "recurrent": r[: 2 * hidden], "candidate": r[2 * hidden :]}
        return Recurrent(name, "gru_before", matrices, b + rb)
    both = b + rb
    both[2 * hidden :] = b[2 * hidden :]
    parameters = {"candidate_bias": rb[2 * hidden :]}
    return Recurrent(name, "gru_after", {"input": w, "recurrent": r}, both, parameters)


def rnn(
    name: str, inputs: Array, recurrent: Array, bias: Array, activation: str = "tanh"
) -> Recurrent:
    """Return a simple recurrent layer of W (H, X), R (H, H) and the sum of its biases (H,)."""
    matrices = {"input": _double(inputs), "recurrent": _double(recurrent)}
    return Recurrent(name, "rnn", matrices, _double(bias), {}, activation)


def linear(name: str, weight: Array, bias: Array | None = None) -> Linear:
    """Return a linear layer of W (rows, cols)."""
    weight = _double(weight)
    return Linear(name, weight, np.zeros(len(weight)) if bias is None else _double(bias))


def batch_norm(
    name: str,
    mean: Array,
    variance: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    epsilon: float = 1e-5,
) -> Affine:
    """Return a trained BatchNorm as scale and shift, all of (n,)."""
    scale = 1 / np.sqrt(_double(variance) + epsilon)
    if weight is not None:
        scale = scale * _double(weight)
    shift = -_double(mean) * scale
    return Affine(name, scale, shift if bias is None else shift + _double(bias))


def as_path(given: object) -> Path:
    """Return the path of a file.

    Raises:
        ModelFileError: it is none.
    """
    if isinstance(given, str | Path):
        return Path(given)
    raise ModelFileError(
        f"a {type(given).__name__} is no path", remedy="save it, and give the file's path"
    )


def require_shape(name: str, array: Array, shape: tuple[int, ...]) -> None:
    """Refuse weights of another shape, or with values that are no finite numbers.

    Raises:
        ModelFileError: they are.
    """
    if tuple(array.shape) != shape:
        raise ModelFileError(f"{name} has the shape {tuple(array.shape)}", allowed=str(shape))
    if not np.isfinite(array).all():
        remedy = "mend the network, or train it again"
        raise ModelFileError(f"{name} holds NaN or infinite values", remedy=remedy)


def _double(array: Array) -> Array:
    return np.array(array, np.float64)


def _gates(array: Array, order: str, wanted: str) -> Array:
    """Return the rows (gates * H, ...) of stacked gates in another order, as a new array."""
    parts = dict(zip(order, np.split(_double(array), len(order)), strict=True))
    return np.concatenate([parts[gate] for gate in wanted])
