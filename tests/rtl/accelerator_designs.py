"""Small designs for tests of whole accelerators, by name: cells, blocks, words, streams, stacks."""

from accelerators import Design

from ernn.hw.layout import Sizes
from ernn.recipe import QuantizationRecipe

NARROW = {"input": 8, "recurrent": 4, "projection": 2, "output": 1}

DESIGNS = {
    "lstm": Design(
        {"cell": "lstm", "hidden": 10, "features": 7, "blocks": 4}, Sizes(3, 1, 1, 4), streams=1
    ),
    "lstm-projected-mixed": Design(
        {
            "cell": "lstm",
            "hidden": 20,
            "layers": 2,
            "features": 9,
            "blocks": NARROW,
            "projection": 10,
        },
        Sizes(4, 2, 2, 2),
    ),
    "lstm-dense-plain": Design(
        {
            "cell": "lstm",
            "hidden": 5,
            "blocks": 1,
            "labels": 0,
            "peepholes": False,
            "cell_activation": "sigmoid",
        },
        Sizes(8, 3, 4, 1),
        streams=3,
    ),
    "lstm-three-layers": Design(
        {"cell": "lstm", "hidden": 6, "layers": 3, "blocks": 2, "projection": 4, "scales": False},
        Sizes(8, 4, 4, 1),
        streams=4,
    ),
    "gru_before": Design(
        {"cell": "gru_before", "hidden": 20, "layers": 2, "blocks": 8}, Sizes(2, 5, 2, 4), streams=2
    ),
    "gru_before-mixed": Design(
        {"cell": "gru_before", "hidden": 6, "blocks": {"input": 4, "recurrent": 1, "candidate": 2}},
        Sizes(6, 3, 2, 2),
        streams=1,
        bits=QuantizationRecipe(weight_bits=8, activation_bits=14),
    ),
    "gru_before-few-bits": Design(
        {"cell": "gru_before", "hidden": 12, "blocks": 4},
        Sizes(3, 2, 1, 2),
        bits=QuantizationRecipe(
            weight_bits=6, activation_bits=7, state_bits=6, activation_error=6.4e-2
        ),
    ),
    "gru_after-odd-bits": Design(
        {"cell": "gru_after", "hidden": 9, "blocks": 8},
        Sizes(2, 1, 1, 2),
        bits=QuantizationRecipe(
            weight_bits=15, activation_bits=6, state_bits=17, activation_error=8e-3
        ),
    ),
    "lstm-all-bits": Design(
        {"cell": "lstm", "hidden": 8, "blocks": 8},
        Sizes(4, 1, 1, 1),
        bits=QuantizationRecipe(
            weight_bits=16, activation_bits=16, state_bits=18, activation_error=2e-4
        ),
    ),
    "gru_after-wide": Design(
        {"cell": "gru_after", "hidden": 20, "features": 9, "blocks": 16, "labels": 0},
        Sizes(2, 1, 1, 4),
    ),
    "gru_before-wide-words": Design(
        {"cell": "gru_before", "hidden": 48, "features": 13, "blocks": 4, "labels": 0},
        Sizes(4, 2, 2, 4, word=16),
    ),
    "gru_before-sixteen-streams": Design(
        {"cell": "gru_before", "hidden": 8, "blocks": 4}, Sizes(2, 2, 1, 2), streams=16
    ),
    "lstm-wide-words-mixed": Design(
        {
            "cell": "lstm",
            "hidden": 30,
            "features": 14,
            "blocks": NARROW,
            "projection": 16,
            "labels": 13,
        },
        Sizes(2, 3, 1, 8, word=16),
    ),
    "lstm-early": Design(
        {"cell": "lstm", "hidden": 12, "layers": 2, "features": 9, "blocks": 4},
        Sizes(6, 2, 2, 4, recurrent_first=True),
        streams=1,
    ),
    "gru_before-early-dense": Design(
        {"cell": ["gru_before", "mgu"], "hidden": 8, "features": 23, "blocks": 1, "labels": 0},
        Sizes(6, 3, 1, 1, recurrent_first=True),
        streams=1,
    ),
    "lstm-recurrent-first": Design(
        {"cell": "lstm", "hidden": 12, "layers": 2, "features": 9, "blocks": 4, "projection": 4},
        Sizes(6, 2, 2, 2, recurrent_first=True),
    ),
    "gru_after-three-layers": Design(
        {"cell": "gru_after", "hidden": 6, "layers": 3, "blocks": {"input": 4, "recurrent": 2}},
        Sizes(4, 2, 2, 1),
        streams=4,
    ),
}

DESIGNS |= {
    "dense-relu": Design(
        {
            "cell": ["dense", "dense"],
            "cell_activation": "relu",
            "hidden": 10,
            "blocks": {"input": 2, "output": 1},
        },
        Sizes(3, 2, 1, 2),
        streams=3,
    ),
    "dense-none": Design(
        {"cell": "dense", "cell_activation": "none", "hidden": 6, "blocks": 2, "labels": 0},
        Sizes(2, 1, 2, 1),
    ),
    "dense-sigmoid": Design(
        {"cell": "dense", "cell_activation": "sigmoid", "hidden": 8, "blocks": 4}, Sizes(2, 1, 1, 2)
    ),
    "rnn": Design({"cell": ["rnn", "rnn"], "hidden": 10, "blocks": 4}, Sizes(3, 2, 1, 2)),
    "rnn-relu-mixed": Design(
        {
            "cell": ["rnn", "rnn"],
            "cell_activation": "relu",
            "hidden": 6,
            "blocks": {"input": 2, "recurrent": 4},
        },
        Sizes(2, 1, 1, 1),
        streams=1,
    ),
    "mgu": Design(
        {"cell": ["mgu", "mgu"], "hidden": 10, "blocks": {"input": 2, "recurrent": 4}},
        Sizes(4, 2, 2, 1),
        streams=3,
    ),
    "six-cells": Design(
        {
            "cell": ["dense", "lstm", "mgu", "rnn", "gru_before", "gru_after"],
            "hidden": 8,
            "blocks": {"input": 4, "recurrent": 2, "candidate": 4},
        },
        Sizes(4, 2, 2, 2),
        streams=4,
    ),
    "every-other-layer-sixteen-streams": Design(
        {"cell": ["gru_after", "mgu", "gru_after"], "hidden": 8, "blocks": 4, "labels": 0},
        Sizes(2, 3, 1, 8, word=8),
        streams=16,
    ),
    "projected-between-others": Design(
        {
            "cell": ["lstm", "gru_before", "lstm", "dense"],
            "projection": 4,
            "hidden": 6,
            "blocks": 2,
            "labels": 0,
        },
        Sizes(4, 1, 4, 2),
    ),
}
