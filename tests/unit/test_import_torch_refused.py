"""Torch modules that ernn cannot build: each is refused in a sentence that names what it is."""

import pytest
import torch
from torch import nn
from torch_modules import First

from ernn.errors import ModelFileError
from ernn.importers.torch.module import from_torch

torch.set_num_threads(1)
T, F = 6, 3


class Calls(nn.Module):
    """A GRU, and a function of its output, its state and its input."""

    def __init__(self, function, layer=None):
        super().__init__()
        self.function, self.layer = function, layer or nn.GRU(F, F, batch_first=True)

    def forward(self, x):
        return self.function(*self.layer(x), x)


class Reversed(nn.Module):
    def __init__(self, cells):
        super().__init__()
        self.cells = nn.ModuleList(cells)

    def forward(self, x):
        h, told = torch.zeros(1, F), []
        for step in reversed(range(T)) if len(self.cells) == 1 else range(T):
            h = self.cells[step % len(self.cells)](x[:, step], h)
            told.append(h)
        return torch.stack(told, 1)


class Begun(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.h = nn.GRU(F, 4, batch_first=True), nn.Parameter(torch.ones(1, 1, 4))

    def forward(self, x):
        return self.layer(x, self.h)


class Remembers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.GRU(F, 4, batch_first=True)
        self.register_buffer("h", torch.zeros(1, 1, 4))

    def forward(self, x):
        y, h = self.layer(x, self.h)
        self.h.copy_(h)
        return y


class ByHand(nn.Module):
    def __init__(self, alone):
        super().__init__()
        self.alone, self.w, self.u = alone, nn.Linear(F, 2 * F), nn.Linear(F, 2 * F)

    def forward(self, x):
        h = torch.zeros(1, F)
        for frame in x.unbind(1):
            rows = self.w(frame) + self.u(h) if self.alone else self.w(frame)
            z, n = rows.chunk(2, -1)
            h = h + torch.sigmoid(z) * (torch.tanh(n) - h)
        return h


def cast(y):
    with torch.autocast("cpu"):
        return y * 2


def packing(y, h, x):
    packed = nn.utils.rnn.pack_padded_sequence(y, [T], batch_first=True)
    return nn.GRU(F, 4)(packed)[0].data


def broken():
    layer = nn.GRU(F, 4, batch_first=True)
    with torch.no_grad():
        layer.weight_hh_l0[0, 0] = torch.nan
    return layer


REFUSED = {
    "bidirectional": (
        nn.LSTM(F, 4, bidirectional=True, batch_first=True),
        "reads the sequence backwards too.*train a unidirectional",
    ),
    "layer norm": (
        nn.Sequential(First(nn.GRU(F, 4, batch_first=True)), nn.LayerNorm(4)),
        r"aten\.layer_norm in 1: its mean and spread",
    ),
    "unknown function": (
        nn.Sequential(First(nn.GRU(F, 4, batch_first=True)), nn.GELU()),
        r"aten\.gelu in 1: .*import the recurrent submodule alone, or export .* ONNX",
    ),
    "softmax": (Calls(lambda y, h, x: y.softmax(-1)), "let the network end before it"),
    "autocast": (Calls(lambda y, h, x: cast(y)), "wrap_with_autocast.*has no layer for it"),
    "convolution": (Calls(lambda y, h, x: nn.functional.conv1d(y, torch.ones(1, T, 1))), "conv1d"),
    "half of the steps": (Calls(lambda y, h, x: y[:, ::2]), "it takes 3 of 6"),
    "another step": (Calls(lambda y, h, x: y[:, 2]), "the output is the step 2 of 6"),
    "one feature": (Calls(lambda y, h, x: y[..., 0]), "picks one of the features"),
    "steps beside each other": (Calls(lambda y, h, x: y.flatten(1)), r"makes \(1, 18\)"),
    "turned round": (Calls(lambda y, h, x: y.flip(1)), "turns the sequence round"),
    "a scale of steps": (Calls(lambda y, h, x: y * torch.ones(T, 1)), "one number for each feat"),
    "a product of outputs": (
        Calls(lambda y, h, x: y * y),
        "joins two outputs of layers in another way",
    ),
    "attention": (Calls(lambda y, h, x: y @ y.transpose(1, 2)), "weights are no constants"),
    "statistics of the input": (
        Calls(lambda y, h, x: nn.functional.instance_norm(y)),
        "instance_norm",
    ),
    "dropout that stays": (
        Calls(lambda y, h, x: nn.functional.dropout(y, 0.5, True)),
        "drops values at inference too",
    ),
    "a cell state": (
        Calls(lambda y, h, x: h[1], nn.LSTM(F, 4, batch_first=True)),
        "first output does not come from the frames",
    ),
    "all layers' states": (
        Calls(lambda y, h, x: h, nn.GRU(F, 4, 2, batch_first=True)),
        "first output does not come from the frames",
    ),
    "a cell by hand": (ByHand(True), "computes on a state alone, as a cell .* by hand"),
    "gates by hand": (ByHand(False), "takes 3 of 6 features, as a cell .* use nn.LSTM"),
    "packed sequences": (Calls(packing), "packs sequences"),
    "a branch": (Calls(lambda y, h, x: y if y.sum() > 0 else -y), "torch.export cannot follow"),
    "no recurrent layer": (nn.Linear(F, 4), "there is no recurrent layer"),
    "backwards": (Reversed([nn.GRUCell(F, F)]), "starts with zeros at the step 5"),
    "weights by step": (
        Reversed([nn.GRUCell(F, F), nn.GRUCell(F, F)]),
        "not the one that it left a step before with the same weights",
    ),
    "a beginning": (Begun(), "initial state that is not zero.*begin with zeros"),
    "a state of its own": (Remembers(), "the module changes h when it runs"),
    "steps as batch": (nn.GRU(F, 4), "takes axis 1 of the example.*for batch"),
    "NaN": (broken(), "holds NaN"),
    "jit": (torch.jit.script(nn.Linear(F, 4)), "ScriptModule"),
    "no module": (len, "no torch.nn.Module"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_ernn_cannot_build_is_refused_in_one_sentence(why):
    module, sentence = REFUSED[why]
    with pytest.raises(ModelFileError, match=sentence) as refused:
        from_torch(module, torch.zeros(1, T, F))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("example", "sentence"),
    [
        (torch.zeros(F), r"no sequence: \(3,\)"),
        (torch.zeros(1, 0, F), "no sequence"),
        ("text", "no sequence: str"),
        ((), "no sequence: tuple"),
        (torch.zeros(1, 1, F), "one step"),
        (torch.zeros(1, T, F + 1), "torch.export cannot follow GRU"),
        (torch.zeros(2, T, F), "for batch"),
    ],
)
def test_a_wrong_example_is_refused(example, sentence):
    with pytest.raises(ModelFileError, match=sentence):
        from_torch(nn.GRU(F, 4, batch_first=True), example)
