"""The configuration in a Keras file: which layers follow each other, and a copy without code.

Keras makes objects of any class that a configuration names, in its layers, initializers and calls.
So the copy that Keras gets to load, for the comparison, is written anew: known layers, and of them
only plain values.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ernn.errors import ModelFileError

_REMEDY = "make a model of the layers that ernn builds, and keep the others on the host"
_RECURRENT = "units activation recurrent_activation use_bias reset_after return_sequences"
_RECURRENT += " return_state go_backwards stateful dropout recurrent_dropout"
MERGES = ("Add", "Subtract")  # of several outputs, beside Concatenate
# Layers, and what of their configuration is read.
KNOWN = {
    "InputLayer": "batch_shape",
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _RECURRENT),
    "Dense": "units activation use_bias",
    "Activation": "activation",
    "ReLU": "max_value negative_slope threshold",
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "GaussianDropout", "AlphaDropout"), "rate"),
    "GaussianNoise": "stddev",
    "ActivityRegularization": "",
    "Identity": "",
    "BatchNormalization": "axis epsilon center scale renorm",
    "TimeDistributed": "",
    "Flatten": "",
    "Reshape": "target_shape",
    "Concatenate": "axis",
    **dict.fromkeys(MERGES, ""),
}
_REASONS = {
    "Bidirectional": "it reads the sequence backwards too; train a unidirectional layer",
    "Masking": "ernn takes sequences of their own lengths; leave out the steps that are masked",
    "Embedding": "look the vectors up on the host, and give ernn what follows",
    "Lambda": "it is code of whoever wrote the file",
    "LayerNormalization": "its mean and spread are those of every frame, so it does not fold",
    "RNN": "use the layers LSTM, GRU or SimpleRNN",
    "Softmax": "let the network end before it, and take softmax on the host",
}
_FLOATS = ("float16", "mixed_float16", "bfloat16", "mixed_bfloat16", "float32", "float64")


@dataclass(frozen=True)
class KerasLayer:
    """A layer of a configuration, in an order in which each comes behind those that it reads."""

    kind: str  # its class
    name: str
    path: str  # of its group in the weights
    settings: dict[str, Any]  # as in `KNOWN`
    before: tuple[int, ...] = ()  # places in the list of those that it reads; (): the one before it


@dataclass(frozen=True)
class KerasConfig:
    """What a configuration says."""

    name: str
    layers: list[KerasLayer]
    clean: dict[str, Any]  # for Keras to load
    dtype: str  # "float32" or "float64": of the computation
    narrow: bool  # the file says float16 or bfloat16


def read_config(told: dict[str, Any]) -> KerasConfig:
    """Return the layers of a configuration.

    Raises:
        ModelFileError: a layer is none that ernn knows, or they are no chain.
    """
    types = set(_types(told))
    if unknown := types - set(_FLOATS):
        raise ModelFileError(f"the dtype {sorted(unknown)[0]}", allowed=", ".join(_FLOATS))
    dtype = "float64" if "float64" in types else "float32"
    layers, clean = _model(told, "", dtype)
    name = str(told["config"].get("name", "model"))
    return KerasConfig(name, layers, clean, dtype, any("16" in one for one in types))


def _types(told: Any) -> Iterator[str]:
    """Yield every dtype that a configuration names."""
    if isinstance(told, dict):
        kind = told.get("dtype")
        if isinstance(kind, dict):
            kind = kind["config"].get("name", "") if kind["class_name"] == "DTypePolicy" else kind
        if kind is not None and "keras_history" not in told:
            yield str(kind)
        for value in told.values():
            yield from _types(value)
    elif isinstance(told, list):
        for value in told:
            yield from _types(value)


def _model(told: dict[str, Any], path: str, dtype: str) -> tuple[list[KerasLayer], dict[str, Any]]:
    """Return the layers of a model in the order of the data, and its clean configuration."""
    kind, config = str(told["class_name"]), told["config"]
    if kind not in ("Sequential", "Functional"):
        raise ModelFileError(
            f"a Keras model of the class {kind}",
            allowed="Sequential, or Functional by keras.Model(inputs, outputs)",
            remedy="build it of Keras's own layers, without a class of your own",
        )
    used: dict[str, int] = {}
    groups, cleaned = {}, []
    for one in config["layers"]:
        name = _name(one["config"].get("name"))
        inner, clean = _layer(one, f"{path}layers/{_unique(one['class_name'], used)}", dtype)
        groups[name] = inner
        cleaned.append(clean)
    if kind == "Sequential":
        made: dict[str, Any] = {"name": _name(config["name"]), "layers": cleaned}
        shape = config.get("build_input_shape")
        if isinstance(shape, list) and len(shape) == 3 and _plain(shape):
            made["build_input_shape"] = [None, *shape[1:]]
        return [layer for inner in groups.values() for layer in inner], _serialized(kind, made)
    order = _order(config)
    for clean in cleaned:
        name = clean["config"]["name"]
        tensors = [_tensor(before, dtype) for before in order.get(name, ())]
        several = clean["class_name"] in ("Concatenate", *MERGES)
        call: dict[str, Any] = {"args": [tensors] if several else tensors, "kwargs": {}}
        clean |= {"name": name, "inbound_nodes": [call] if tensors else []}
    names = list(order)
    made = {"name": _name(config["name"]), "layers": cleaned}
    made |= {"input_layers": [names[0], 0, 0], "output_layers": [names[-1], 0, 0]}
    if idle := groups.keys() - order.keys():
        raise ModelFileError(
            f"the layers {', '.join(sorted(idle))} are not between input and output",
            allowed="one input, one output, and layers that lead from one to the other",
            remedy=_REMEDY,
        )
    return _flat(order, groups), _serialized(kind, made)


def _flat(
    order: dict[str, tuple[str, ...]], groups: dict[str, list[KerasLayer]]
) -> list[KerasLayer]:
    """Return the layers of all groups behind each other, each with the places of what it reads."""
    found: list[KerasLayer] = []
    ends: dict[str, int] = {}  # place of the last layer of a group
    for name, callers in order.items():
        first, entering = len(found), tuple(ends[caller] for caller in callers)
        for place, layer in enumerate(groups[name]):
            inside = tuple(first + one for one in layer.before) or (first + place - 1,)
            found.append(replace(layer, before=inside if place else entering))
        ends[name] = len(found) - 1
    return found


def _tensor(before: str, dtype: str) -> dict[str, Any]:
    shape = [None, None, None]  # Keras computes the shapes itself
    told = {"shape": shape, "dtype": dtype, "keras_history": [before, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": told}


def _serialized(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    module = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
    registered = kind if kind == "Functional" else None
    place = {"module": module.get(kind, "keras.layers"), "registered_name": registered}
    return {"class_name": kind, "config": config, **place}


def _unique(kind: Any, used: dict[str, int]) -> str:
    """Return the name of a layer's group: its class, and a number from the second of a class on."""
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", str(kind))
    snake = re.sub(r"([a-z])([A-Z])", r"\1_\2", snake).lower()
    used[snake] = used.get(snake, -1) + 1
    return f"{snake}_{used[snake]}" if used[snake] else snake


def _name(told: Any) -> str:
    if not isinstance(told, str) or not told:
        raise ModelFileError("a layer without a name", remedy="save the model again with Keras 3")
    return told


def _layer(told: dict[str, Any], path: str, dtype: str) -> tuple[list[KerasLayer], dict[str, Any]]:
    """Return the layers in a layer, one unless it is a model, and its clean configuration."""
    kind, config = str(told["class_name"]), told["config"]
    if kind in ("Sequential", "Functional"):
        return _model(told, f"{path}/", dtype)
    name = _name(config.get("name"))
    own = str(told.get("module")).partition(".")[0] != "keras"
    if kind not in KNOWN or own or told.get("registered_name") not in (None, kind):
        custom = told.get("registered_name") or f"{told.get('module')}.{kind}"
        reason = _REASONS.get(kind, "ernn has no layer for it")
        reason = f"it is {custom}, a class that is not Keras's" if own else reason
        raise ModelFileError(
            f"the layer {name} of the class {kind}",
            given=reason,
            allowed=", ".join(KNOWN),
            remedy=_REMEDY,
        )
    if config.get("quantization_config") or config.get("lora_rank"):
        raise ModelFileError(
            f"{name} is quantized or has LoRA", remedy="save the merged float model"
        )
    settings = {key: config[key] for key in KNOWN[kind].split() if key in config}
    for key, value in settings.items():
        if not _plain(value):
            given = value.get("config") if isinstance(value, dict) else value
            raise ModelFileError(
                f"{name} has the {key} {given}", allowed="names of Keras's own", remedy=_REMEDY
            )
    clean = {**settings, "name": name, "dtype": dtype}
    if kind == "InputLayer":
        clean["batch_shape"] = [None, *settings["batch_shape"][1:]]
    clean |= {"stateful": False} if "stateful" in clean else {}
    if kind != "TimeDistributed":
        return [KerasLayer(kind, name, path, settings)], _serialized(kind, clean)
    inner, clean["layer"] = _layer(config["layer"], f"{path}/layer", dtype)
    if len(inner) != 1 or inner[0].kind in ("LSTM", "GRU", "SimpleRNN", "Flatten", "Reshape"):
        raise ModelFileError(f"{name} takes {config['layer']['class_name']} at every step")
    return inner, _serialized(kind, clean)


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, int | None) for one in value)
    return value is None or isinstance(value, bool | int | float | str)


def _order(config: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the layers of a functional model from input to output, each with those it reads."""
    before: dict[str, tuple[str, ...]] = {}
    for one in config["layers"]:
        calls = one.get("inbound_nodes", [])
        if len(calls) > 1:
            raise ModelFileError(f"{one['name']} is called {len(calls)} times", allowed="once")
        several = one["class_name"] in ("Concatenate", *MERGES)
        callers = _callers(one["name"], calls[0], several) if calls else ()
        before[_name(one["config"]["name"])] = callers
    first = _end(config["input_layers"], "inputs")
    found: dict[str, tuple[str, ...]] = {}
    waiting, open_ones = [_end(config["output_layers"], "outputs")], set()
    while waiting:
        name = waiting[-1]
        missing = [one for one in before[name] if one not in found]
        if (name in open_ones and missing) or (not before[name] and name != first):
            raise ModelFileError(
                "the output is not behind the input", remedy="save the model again"
            )
        if missing:
            open_ones.add(name)
            waiting += [one for one in missing if one not in waiting] or missing
            continue
        waiting.pop()
        found[name] = before[name]
    return found


def _end(told: Any, what: str) -> str:
    ends = [told] if told and isinstance(told[0], str) else told
    if len(ends) != 1 or ends[0][1:] != [0, 0]:
        raise ModelFileError(
            f"the model has {len(ends)} {what}",
            allowed="one, the first output of its layer",
            remedy="make a keras.Model of one input and one output",
        )
    return _name(ends[0][0])


def _callers(name: str, call: Any, several: bool) -> tuple[str, ...]:
    """Return the layers whose outputs a layer takes."""
    if not isinstance(call, dict) or "args" not in call:
        raise ModelFileError(
            f"{name} is called as Keras 2 writes it",
            remedy="load it with Keras 3 and save it again",
        )
    given = [*call["args"], *call.get("kwargs", {}).values()]
    tensors = [one for one in given if not isinstance(one, bool | None)]
    if several and len(tensors) == 1 and isinstance(tensors[0], list):
        tensors = tensors[0]
    elif len(tensors) != 1 or len(call["args"]) != 1:
        tensors = []
    histories = [one["config"]["keras_history"] for one in tensors]
    if not histories or any(history[1:] != [0, 0] for history in histories):
        raise ModelFileError(
            f"{name} takes more than the output of one layer, such as states or a mask",
            allowed="each layer behind the other, or Concatenate, Add and Subtract",
            remedy=_REMEDY,
        )
    return tuple(_name(history[0]) for history in histories)
