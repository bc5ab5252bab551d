"""ONNX's own test cases of LSTM, GRU and RNN, and what becomes of each."""

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ernn.quant.float_model import run_float

IMPORTED = "imported"
_REVERSE, _BIDIRECTIONAL = "direction = reverse", "direction = bidirectional"

# What is imported; else what the refusal names
EXPECTED = {
    "test_gru_defaults": IMPORTED,
    "test_gru_with_initial_bias": IMPORTED,
    "test_gru_seq_length": IMPORTED,
    "test_gru_batchwise": IMPORTED,
    "test_gru_reverse": _REVERSE,
    "test_gru_bidirectional": _BIDIRECTIONAL,
    "test_lstm_defaults": IMPORTED,
    "test_lstm_with_initial_bias": IMPORTED,
    "test_lstm_with_peepholes": IMPORTED,
    "test_lstm_batchwise": IMPORTED,
    "test_lstm_reverse": _REVERSE,
    "test_lstm_bidirectional": _BIDIRECTIONAL,
    "test_simple_rnn_defaults": IMPORTED,
    "test_simple_rnn_with_initial_bias": IMPORTED,
    "test_rnn_seq_length": IMPORTED,
    "test_simple_rnn_batchwise": IMPORTED,
    "test_simple_rnn_reverse": _REVERSE,
    "test_simple_rnn_bidirectional": _BIDIRECTIONAL,
}


@dataclass(frozen=True)
class OnnxCase:
    """A case: one recurrent node, its weights as constants."""

    name: str
    model: bytes
    sequences: list[np.ndarray]  # (T, F) each, of the batch
    outputs: list[np.ndarray]  # (T, H) each, or (1, H) of a last step
    expected: str


@lru_cache
def onnx_cases() -> tuple[OnnxCase, ...]:
    """Return the cases in their order."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {case.name: case for case in collect_testcases(None) if case.name in EXPECTED}
    return tuple(_case(found[name], expected) for name, expected in EXPECTED.items())


def imported_cases() -> tuple[OnnxCase, ...]:
    """Return those that are not refused."""
    return tuple(case for case in onnx_cases() if case.expected == IMPORTED)


def _case(case, expected: str) -> OnnxCase:
    from onnx import ModelProto, helper, numpy_helper

    model = ModelProto()
    model.CopyFrom(case.model)
    given, made = case.data_sets[0]
    node = model.graph.node[0]
    names = [name for name in node.input if name]
    frames, *weights = given
    initial = [numpy_helper.from_array(w, n) for w, n in zip(weights, names[1:], strict=True)]
    model.graph.initializer.extend(initial)
    del model.graph.input[1:]
    layout = next((helper.get_attribute_value(a) for a in node.attribute if a.name == "layout"), 0)
    batch_first = frames if layout else frames.swapaxes(0, 1)
    outputs = dict(zip([name for name in node.output if name], made, strict=True))
    name, values = next(iter(outputs.items()))  # Y where there is one
    if name == "Y":  # (B, T, D, H) or (T, D, B, H)
        values = values[:, :, 0] if layout else values[:, 0].swapaxes(0, 1)
    else:  # (B, D, H) or (D, B, H)
        values = values[:, :1] if layout else values[0][:, None]
    return OnnxCase(case.name, model.SerializeToString(), [*batch_first], [*values], expected)


def imported_outputs(network, frames: np.ndarray) -> np.ndarray:
    """Return the outputs (T, n) of an imported network in float, the last step if only that."""
    model = network.model
    name = "logits" if model.output is not None else f"layer{len(model.layers) - 1}.h"
    made = run_float(model, np.asarray(frames, np.float64)[None], "dense", {name})[name][0]
    return made[-1:] if network.last else made
