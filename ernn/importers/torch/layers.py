"""Operations of torch that compute: what each adds to the chain of layers of its input."""

from dataclasses import replace
from typing import Any

import numpy as np

from ernn.importers.layers import (
    TORCH,
    Activation,
    Added,
    Affine,
    Dropped,
    Item,
    batch_norm,
    gru,
    linear,
    lstm,
    rnn,
)
from ernn.importers.torch.graph import Node
from ernn.importers.torch.shapes import Operation, same_steps
from ernn.importers.torch.values import (
    BATCH,
    FEATURES,
    TIME,
    Axes,
    Chain,
    Constant,
    Frames,
    Initial,
    Known,
    States,
    refuse,
)


def key_of(value: Any) -> Any:
    """Return what is equal for values that are made in the same way."""
    if isinstance(value, Constant):
        return value.key
    return tuple(map(key_of, value)) if isinstance(value, list | tuple) else repr(value)


def _array(node: Node, value: Any) -> np.ndarray:
    if not isinstance(value, Constant):
        raise refuse(node, "its weights are no constants", "trained weights")
    return value.tensor.detach().cpu().double().numpy()


def _optional(node: Node, value: Any) -> np.ndarray | None:
    return None if value is None else _array(node, value)


def _frames(node: Node, value: Any) -> Frames:
    if not isinstance(value, Frames):
        raise refuse(node, "it does not compute on the frames", "layers that follow each other")
    return value


def _placed(node: Node, frames: Frames, place: int, axis: Any) -> Axes:
    """Return axes whose features are new, and are told to be features even where one was none."""
    axes = list(frames.axes)
    axes[place] = FEATURES if axis is None else axis
    return tuple(axes)


def _multiplied(known: Known, node: Node, value: Any, weight: Any, bias: Any, turned: bool):
    frames = _frames(node, value)
    axis = known.claim(node, frames.axes, -1, FEATURES)

    def make() -> Item:
        matrix = _array(node, weight)
        return linear(node.where, matrix if turned else matrix.T, _optional(node, bias))

    made = known.append(frames, ("linear", key_of(weight), key_of(bias), turned), make)
    return replace(made, axes=_placed(node, frames, -1, axis))


def _linear(known: Known, node: Node, args: dict[str, Any]) -> Frames:
    return _multiplied(known, node, args["input"], args["weight"], args["bias"], True)


def _addmm(known: Known, node: Node, args: dict[str, Any]) -> Frames:
    if args["alpha"] != 1 or args["beta"] != 1:
        raise refuse(node, f"alpha = {args['alpha']}, beta = {args['beta']}", "1")
    return _multiplied(known, node, args["mat1"], args["mat2"], args["self"], False)


def _matmul(known: Known, node: Node, args: dict[str, Any]) -> Frames:
    weight = args.get("mat2", args.get("other"))
    if isinstance(weight, Constant) and weight.tensor.dim() != 2:
        raise refuse(node, f"a product with {weight.tensor.dim()} axes", "a matrix")
    return _multiplied(known, node, args["self"], weight, None, False)


def _activation(known: Known, node: Node, args: dict[str, Any]) -> Frames:
    function = node.op.rstrip("_")
    frames = _frames(node, args["self"])
    return known.append(frames, function, lambda: Activation(node.where, function))


def _dropout(known: Known, node: Node, args: dict[str, Any]) -> Frames:
    if args["train"]:
        raise refuse(node, "it drops values at inference too", "dropout of training", "")
    return _dropped(known, _frames(node, args["input"]), node.where)


def _dropped(known: Known, frames: Frames, where: str) -> Frames:
    reason = "dropout does nothing once a network is trained"
    return known.append(frames, "dropout", lambda: Dropped(where, reason))


def _batch_norm(known: Known, node: Node, args: dict[str, Any]) -> Any:
    frames = _frames(node, args["input"])
    if args.get("training") or args["running_mean"] is None:
        raise refuse(node, "it norms with the statistics of its input", "trained statistics")
    known.claim(node, frames.axes, 1, FEATURES)
    names = ("running_mean", "running_var", "weight", "bias")
    mean, variance, weight, bias = (args[name] for name in names)

    def make() -> Item:
        statistics = _array(node, mean), _array(node, variance)
        trained = _optional(node, weight), _optional(node, bias)
        return batch_norm(node.where, *statistics, *trained, epsilon=args["eps"])

    made = known.append(frames, ("batch_norm", *map(key_of, (mean, variance, weight, bias))), make)
    return made if node.op == "batch_norm" else [made]


def _affine(known: Known, node: Node, args: dict[str, Any]) -> Frames:
    """Follow x + a, x - a, a - x, x * a or x / a, where a is constant."""
    x, a, op = args["self"], args.get("other"), node.op.rstrip("_")
    if isinstance(a, Frames):
        if isinstance(x, Frames):
            return _sum(known, node, [x, a], op, args.get("alpha", 1))
        x, a, op = a, x, {"sub": "rsub", "div": "over"}.get(op, op)
    if op == "over" or args.get("rounding_mode") or args.get("alpha", 1) != 1:
        raise refuse(node, "it divides by the frames, rounds, or has an alpha", "x / constant")
    frames = _frames(node, x)

    def make() -> Item:
        size = _size(known, node, frames)
        value = _spread(known, node, frames, a, size) if op != "neg" else np.zeros(size)
        scale, shift = {
            "add": (1.0, value),
            "sub": (1.0, -value),
            "rsub": (-1.0, value),
            "mul": (value, 0.0),
            "div": (1 / value if op == "div" else 1.0, 0.0),
            "neg": (-1.0, 0.0),
        }[op]
        return Affine(node.where, np.ones(size) * scale, np.zeros(size) + shift)

    return known.append(frames, (op, key_of(a)), make)


def _sum(known: Known, node: Node, parts: list[Frames], op: str, alpha: Any) -> Frames:
    """Follow x + y and x - y of two outputs of layers."""
    signs = {"add": (1.0, 1.0), "sub": (1.0, -1.0)}.get(op)
    if signs is None or alpha != 1:
        given = "it joins two outputs of layers in another way than their sum"
        raise refuse(node, given, "x + y, x - y, or both side by side by torch.cat")
    axis = known.axis(FEATURES)
    features = [n for n, one in enumerate(parts[0].axes) if one in (axis, FEATURES)]
    place = features[0] if features else len(parts[0].axes) - 1
    for part in parts:
        known.claim(node, part.axes, place, FEATURES)
    return known.together(same_steps(node, parts, place), Added(node.where or "a sum", (), signs))


def _size(known: Known, node: Node, frames: Frames) -> int:
    axis = known.axis(FEATURES)
    places = [place for place, one in enumerate(frames.axes) if one in (axis, FEATURES)]
    if not places and axis is not None:
        return 1  # one feature, whose axis was squeezed away
    place = places[0] if places else -1
    known.claim(node, frames.axes, place, FEATURES)
    return node.shapes[0][place]


def _spread(known: Known, node: Node, frames: Frames, value: Any, size: int) -> np.ndarray:
    """Return a constant as one number for each feature."""
    if not isinstance(value, Constant):
        return np.full(size, float(value))
    array = _array(node, value)
    array = array.reshape((1,) * (len(frames.axes) - array.ndim) + array.shape)
    wide = [place for place, one in enumerate(array.shape) if one > 1]
    if any(array.shape[place] != size for place in wide) or len(wide) > 1:
        raise refuse(node, f"a constant of {value.tensor.shape}", "one number for each feature")
    if wide:
        known.claim(node, frames.axes, wide[0], FEATURES)
    return np.resize(array, size)


def _layers(known: Known, node: Node, args: dict[str, Any]) -> list[Any]:
    """Follow nn.LSTM, nn.GRU or nn.RNN: its outputs, and the states that it ends with."""
    if node.overload != "input":
        raise refuse(node, "a packed sequence", "tensors", "give sequences without packing")
    if args["bidirectional"]:
        remedy = "train a unidirectional one, or keep this network on the host"
        raise refuse(node, "it reads the sequence backwards too", "one direction", remedy)
    kind, count = node.op.partition("_")[0], args["num_layers"]
    held = args["params"]
    each = len(held) // count
    frames = _frames(node, args["input"])
    time, batch = (1, 0) if args["batch_first"] else (0, 1)
    known.claim(node, frames.axes, batch, BATCH)
    if frames.step is None:
        known.claim(node, frames.axes, time, TIME)
    axis = known.claim(node, frames.axes, 2, FEATURES)
    made, chains = frames, []
    for layer in range(count):
        weights = held[layer * each : (layer + 1) * each]
        where = node.where + (f" layer {layer}" if count > 1 else "")
        made = _recurrent(known, node, made, kind, weights, args["has_biases"], where)
        chains.append(made.chain)
        if args["dropout"] and layer + 1 < count:
            made = _dropped(known, made, f"dropout behind {where}")
    given = args["hx"] if isinstance(args["hx"], list) else [args["hx"]]
    for role, state in zip("hc", given, strict=False):
        _require_start(known, node, state, tuple(chains), frames.step, role)
    end = known.last if frames.step is None else frames.step
    axes = (None, frames.axes[batch], FEATURES if axis is None else axis)
    states = [_states(tuple(chains), axes, end, role) for role in "hc"[: len(given)]]
    return [replace(made, axes=_placed(node, frames, 2, axis)), *states]


def _states(chains: tuple[Chain, ...], axes: Axes, step: int | None, role: str) -> Any:
    if len(chains) == 1:
        return Frames(chains[0], axes, step, role)
    return States(chains, axes, step, role)


def _cell(known: Known, node: Node, args: dict[str, Any]) -> Any:
    """Follow one step of a cell: a layer that is the same for every step."""
    frames = _frames(node, args["input"])
    known.claim(node, frames.axes, 0, BATCH)
    axis = known.claim(node, frames.axes, 1, FEATURES)
    if frames.step is None:
        known.steps = known.steps or 1
        if known.steps != 1:
            raise refuse(node, "it reads a whole sequence at once", "one step of it")
    weights = [args["w_ih"], args["w_hh"]]
    biases = args["b_ih"] is not None
    weights += [args["b_ih"], args["b_hh"]] if biases else []
    kind = node.op.partition("_")[0]
    made = _recurrent(known, node, frames, kind, weights, biases, node.where)
    made = replace(made, axes=_placed(node, frames, 1, axis))
    states = args["hx"] if isinstance(args["hx"], list) else [args["hx"]]
    for role, state in zip("hc", states, strict=False):
        _require_start(known, node, state, (made.chain,), frames.step, role)
    return [made, replace(made, role="c")] if kind == "lstm" else made


def _recurrent(
    known: Known,
    node: Node,
    frames: Frames,
    kind: str,
    weights: list[Any],
    biases: bool,
    where: str,
) -> Frames:
    """Return frames behind one recurrent layer of weights W, R, and maybe biases and P."""
    if frames.role != "h":
        raise refuse(node, "it reads a cell state", "outputs of layers")

    def make() -> Item:
        w, r, *rest = (_array(node, one) for one in weights)
        b, rb = rest[:2] if biases else (np.zeros(len(w)), np.zeros(len(w)))
        if kind == "lstm":
            projection = rest[-1] if len(rest) == (3 if biases else 1) else None
            return lstm(where, w, r, b + rb, TORCH["lstm"], projection=projection)
        if kind == "gru":
            return gru(where, w, r, b, rb, TORCH["gru"], reset_after=True)
        return rnn(where, w, r, b + rb, "relu" if "relu" in node.op else "tanh")

    return known.append(frames, (node.op.removesuffix("_cell"), key_of(weights)), make)


def _require_start(
    known: Known,
    node: Node,
    state: Any,
    chains: tuple[Chain, ...],
    step: int | None,
    role: str,
) -> None:
    """Refuse a layer that does not begin with zeros, or not where it ended the step before.

    Raises:
        ModelFileError: it does not.
    """
    if isinstance(state, Initial):
        known.fed[state.name] = (chains, role)
    if isinstance(state, Initial) or (isinstance(state, Constant) and not state.tensor.any()):
        if not step:
            return
        given = f"it starts with zeros at the step {step}"
        raise refuse(node, given, "a state that goes on from step to step")
    if isinstance(state, Constant):
        remedy = "begin with zeros; ernn's layers have no other initial state"
        raise refuse(node, "an initial state that is not zero", "zeros", remedy)
    came = getattr(state, "chains", None) or (getattr(state, "chain", None),)
    if came != chains or not step or (state.step, state.role) != (step - 1, role):
        raise refuse(
            node,
            "its state is not the one that it left a step before with the same weights",
            "a cell whose state and weights go on from step to step",
        )


COMPUTED: dict[str, Operation] = {
    "linear": _linear,
    "addmm": _addmm,
    **dict.fromkeys(("mm", "matmul"), _matmul),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "relu_", "sigmoid_", "tanh_"), _activation),
    **dict.fromkeys(("dropout", "dropout_", "feature_dropout", "alpha_dropout"), _dropout),
    **dict.fromkeys(("batch_norm", "_native_batch_norm_legit_no_training"), _batch_norm),
    **dict.fromkeys("add sub rsub mul div neg add_ sub_ mul_ div_".split(), _affine),
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _layers),
    **dict.fromkeys(("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"), _cell),
}
