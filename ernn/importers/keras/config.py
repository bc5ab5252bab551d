"""The configuration in a Keras file: which layers follow each other, and a copy without code.

Keras makes objects of any class that a configuration names, in its layers, initializers and calls.
So the copy that Keras gets to load, for the comparison, is written anew: known layers, and of them
only plain values.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ernn.errors import ModelFileError

_REMEDY = "make a model of the layers that ernn builds, and keep the others on the host"
_RECURRENT = "units activation recurrent_activation use_bias reset_after return_sequences"
_RECURRENT += " return_state go_backwards stateful dropout recurrent_dropout"
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
    """A layer of a configuration, one after the other in the order of the data."""

    kind: str  # its class
    name: str
    path: str  # of its group in the weights
    settings: dict[str, Any]  # as in `KNOWN`


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
    order = _chain(config)
    for clean in cleaned:
        name = clean["config"]["name"]
        before = order.get(name)
        shape = [None, None, None]  # Keras computes the shapes itself
        tensor = {"shape": shape, "dtype": dtype, "keras_history": [before, 0, 0]}
        call = {"args": [{"class_name": "__keras_tensor__", "config": tensor}], "kwargs": {}}
        clean |= {"name": name, "inbound_nodes": [call] if before is not None else []}
    names = list(order)
    made = {"name": _name(config["name"]), "layers": cleaned}
    made |= {"input_layers": [names[0], 0, 0], "output_layers": [names[-1], 0, 0]}
    if idle := groups.keys() - order.keys():
        raise ModelFileError(
            f"the layers {', '.join(sorted(idle))} are not in one chain from input to output",
            allowed="one input, one output, each layer behind the other",
            remedy=_REMEDY,
        )
    return [layer for name in names for layer in groups[name]], _serialized(kind, made)


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


def _chain(config: dict[str, Any]) -> dict[str, str | None]:
    """Return the layers of a functional model from input to output, each with the one before."""
    before: dict[str, str | None] = {}
    for one in config["layers"]:
        calls = one.get("inbound_nodes", [])
        if len(calls) > 1:
            raise ModelFileError(f"{one['name']} is called {len(calls)} times", allowed="once")
        before[_name(one["config"]["name"])] = _caller(one["name"], calls[0]) if calls else None
    name: str | None = _end(config["output_layers"], "outputs")
    first, found = _end(config["input_layers"], "inputs"), []
    while name is not None and name not in found:
        found.append(name)
        name = before[name]
    if found[-1] != first or name is not None:
        raise ModelFileError("the output is not behind the input", remedy="save the model again")
    return {name: before[name] for name in reversed(found)}


def _end(told: Any, what: str) -> str:
    ends = [told] if told and isinstance(told[0], str) else told
    if len(ends) != 1 or ends[0][1:] != [0, 0]:
        raise ModelFileError(
            f"the model has {len(ends)} {what}",
            allowed="one, the first output of its layer",
            remedy="make a keras.Model of one input and one output",
        )
    return _name(ends[0][0])


def _caller(name: str, call: Any) -> str:
    """Return the layer whose output a layer takes."""
    if not isinstance(call, dict) or "args" not in call:
        raise ModelFileError(
            f"{name} is called as Keras 2 writes it",
            remedy="load it with Keras 3 and save it again",
        )
    given = [*call["args"], *call.get("kwargs", {}).values()]
    tensors = [one for one in given if not isinstance(one, bool | None)]
    history = tensors[0]["config"]["keras_history"] if len(tensors) == 1 else None
    if history is None or len(call["args"]) != 1 or history[1:] != [0, 0]:
        raise ModelFileError(
            f"{name} takes more than the output of one layer, such as states or a mask",
            allowed="each layer behind the other",
            remedy=_REMEDY,
        )
    return _name(history[0])
