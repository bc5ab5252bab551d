"""Torch modules: what is understood agrees with the module; what is not is refused by name."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch_modules import First

import ernn.importers.torch.layers as torch_layers
from ernn.errors import MismatchError, ModelFileError, ShapeError
from ernn.importers.torch.module import from_torch

torch.set_num_threads(1)
T, F = 6, 3


class Ended(nn.Module):
    """A stack, then a recurrent layer of which only the end is used, then a stack."""

    def __init__(self, front, layer, how, behind):
        super().__init__()
        self.front, self.layer, self.how, self.behind = front, layer, how, behind

    def forward(self, x):
        y, h = self.layer(self.front(x))
        axis = 1 if self.layer.batch_first else 0
        if self.how == "step":
            y = y.select(axis, -1)
        elif self.how == "slice":
            y = y.narrow(axis, T - 1, 1)
        elif self.how == "state":
            y = (h[0] if isinstance(h, tuple) else h)[-1]
        return self.behind(y)


def trained(module, seed):
    """Give a module weights that are not those of its start, and statistics that were seen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.6)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.running_mean.copy_(torch.randn(part.num_features, generator=generator))
                part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.3)
    return module


class Turned(nn.Module):
    """A BatchNorm1d, which wants its features before the steps."""

    def __init__(self, size):
        super().__init__()
        self.norm = nn.BatchNorm1d(size)

    def forward(self, x):
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


@st.composite
def recurrent(draw, size, batch_first):
    kind = draw(st.sampled_from([nn.LSTM, nn.GRU, nn.RNN]))
    hidden = draw(st.integers(2, 5))
    options = {
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "batch_first": batch_first,
        "dropout": draw(st.sampled_from([0.0, 0.5])),
    }
    if kind is nn.LSTM and draw(st.booleans()):
        options["proj_size"] = draw(st.integers(1, hidden - 1))
    if kind is nn.RNN:
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    return kind(size, hidden, **options), options.get("proj_size", hidden)


@st.composite
def stacks(draw, size, batch_first):
    """Return layers without memory, and the values that leave them."""
    layers = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["linear", "function", "dropped", "norm"]))
        if kind == "linear":
            out = draw(st.integers(1, 5))
            layers.append(nn.Linear(size, out, bias=draw(st.booleans())))
            size = out
        elif kind == "function":
            layers.append(draw(st.sampled_from([nn.ReLU, nn.Sigmoid, nn.Tanh]))())
        elif kind == "dropped":
            layers.append(draw(st.sampled_from([nn.Dropout(0.5), nn.Identity()])))
        elif batch_first:
            layers.append(Turned(size))
    return nn.Sequential(*layers), size


@st.composite
def networks(draw):
    batch_first = draw(st.booleans())
    front, size = draw(stacks(F, batch_first))
    if draw(st.booleans()):
        layer, size = draw(recurrent(size, batch_first))
        front.append(First(layer))
    layer, size = draw(recurrent(size, batch_first))
    how = draw(st.sampled_from(["every", "step", "slice", "state"]))
    behind, _ = draw(stacks(size, batch_first and how == "every"))
    example = (1, T, F) if batch_first else (T, 1, F)
    return Ended(front, layer, how, behind), example


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 9))
def test_any_network_of_known_layers_agrees_with_its_module(network, seed):
    module, example = network
    found = from_torch(trained(module, seed), torch.zeros(example))
    assert found.model.features == F
    assert found.last == (module.how != "every")
    assert found.differences[0].value <= 1e-5 * found.differences[0].scale


def test_a_network_is_told_as_it_was_understood():
    module = nn.Sequential(
        nn.Linear(F, 4),
        nn.ReLU(),
        nn.Identity(),
        First(nn.GRU(4, 5)),
        nn.Dropout(),
        nn.Linear(5, 2),
    )
    lines = "\n".join(from_torch(module, torch.zeros(T, 1, F)).lines())
    assert "torch module Sequential: 3 values a frame" in lines
    assert "0: feed-forward layer, relu, 4 values" in lines
    assert "3.layer: gated recurrent unit" in lines and "5: output layer, 2 values" in lines
    assert "2 dropped: it does nothing" in lines and "4 dropped: dropout" in lines


def test_the_module_of_the_user_is_left_as_it_is():
    module = nn.Sequential(First(nn.LSTM(F, 4, 2, dropout=0.5)), nn.Dropout()).train()
    before = copy.deepcopy(module.state_dict())
    from_torch(module, torch.zeros(T, 1, F))
    assert module.training and all(part.training for part in module.modules())
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())


class Loop(nn.Module):
    """Cells, called for each step."""

    def __init__(self, cell, *, keep=torch.stack, split=lambda x: x.unbind(1), last=False):
        super().__init__()
        self.cell, self.keep, self.split, self.last = cell, keep, split, last
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        state, told = None, []
        for frame in self.split(x):
            state = self.cell(frame, state)
            y = state[0] if isinstance(state, tuple) else state
            told.append(self.head(torch.relu(y)))
        return told[-1] if self.last else self.keep(told, 1)


def by_index(x):
    return [x[:, step] for step in range(x.shape[1])]


def joined(parts, axis):
    return torch.cat([part.unsqueeze(axis) for part in parts], axis)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_a_loop_over_cells_is_one_layer(kind, bias):
    options = {"split": by_index, "keep": joined} if bias else {"last": kind is nn.GRUCell}
    module = trained(Loop(kind(F, 4, bias=bias), **options), 1)
    found = from_torch(module, np.zeros((1, T, F)))
    assert found.names == ("cell", found.names[1], "head") and len(found.model.layers) == 2
    assert found.last == options.get("last", False)


class Writing(nn.Module):
    """Writes every step into a tensor of its own."""

    def __init__(self, steps):
        super().__init__()
        self.cell, self.head, self.steps = nn.GRUCell(F, 4), nn.Linear(4, 2), steps

    def forward(self, x):
        out, h = x.new_zeros(1, T, 2), torch.zeros(1, 4)
        for step in range(T):
            h = self.cell(x[:, step], h)
            if step in self.steps:
                out[:, step] = self.head(h)
        return torch.tanh(out)


def test_steps_that_are_written_one_by_one():
    assert len(from_torch(trained(Writing(range(T)), 1), torch.zeros(1, T, F)).model.layers) == 2
    with pytest.raises(ModelFileError, match=r"aten\.copy_ in .*another way than each step once"):
        from_torch(Writing([1, 2]), torch.zeros(1, T, F))


class TwoCells(nn.Module):
    """Cells over cells, with dropout and zeros made by forward() itself."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LSTMCell(F, 4), nn.GRUCell(4, 5)

    def forward(self, x):
        h, c, g = x.new_zeros(1, 4), torch.zeros(1, 4), torch.zeros(1, 5)
        told = []
        for frame in x:
            h, c = self.first(frame, (h, c))
            g = self.second(nn.functional.dropout(h, 0.3, self.training), g)
            told.append(g)
        return torch.stack(told)


def test_cells_over_cells_are_layers_over_layers():
    found = from_torch(trained(TwoCells(), 2), torch.zeros(T, 1, F))
    assert found.names == ("first", "second")
    assert [note for note in found.notes if "dropout" in note]


class Streaming(nn.Module):
    """One step a call; the state is the host's."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.LSTMCell(F, 4), nn.Linear(4, 2)

    def forward(self, x, h, c):
        h, c = self.cell(x, (h, c))
        return self.head(h), h, c


class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(F, 4, 2, batch_first=True)

    def forward(self, x, state):
        return self.layer(x, state)


def test_states_that_are_inputs_are_fed_back_and_told():
    found = from_torch(trained(Streaming(), 3), (torch.zeros(1, F), *torch.zeros(2, 1, 4)))
    assert found.differences[0].frames > 64 and "h, c: states, zero" in found.notes[-1]
    state = (torch.ones(2, 1, 4), torch.ones(2, 1, 4))
    assert not from_torch(trained(Stateful(), 4), (torch.zeros(1, T, F), state)).last
    one = from_torch(trained(Stateful(), 4), (torch.zeros(1, 1, F), state))
    assert not one.last and len(one.model.layers) == 2


class Scaled(nn.Module):
    """Features first, constants around, one value a step."""

    def __init__(self):
        super().__init__()
        self.norm, self.layer = nn.BatchNorm1d(F), nn.GRU(F, 4, batch_first=True)
        self.head = nn.Linear(4, 1, bias=False)
        self.register_buffer("mean", torch.tensor([1.0, -2.0, 0.5]))

    def forward(self, x):
        x = (self.norm(x).transpose(1, 2) - self.mean) / 2
        return 1 - self.head(self.layer(x)[0]).squeeze(-1) * 3


class ByHand(nn.Module):
    """Products of matrices, views, and a layer that reads piece after piece."""

    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(F, 4, 2)
        self.matrix, self.bias = nn.Parameter(torch.ones(4, 2)), nn.Parameter(torch.ones(2))

    def forward(self, x):
        state, told = None, []
        for piece in x.split(1):
            y, state = self.layer(piece, state)
            told.append(y)
        y = torch.cat(told).view(-1, 4)
        return (torch.addmm(self.bias, y, self.matrix) @ self.matrix.t()).unsqueeze(1).contiguous()


def test_constants_products_and_views_are_followed():
    assert len(from_torch(trained(Scaled(), 5), torch.zeros(1, F, T)).model.layers) == 1
    found = from_torch(trained(ByHand(), 6), torch.zeros(T, 1, F))
    assert len(found.model.layers) == 3
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(4, 2))
    from_torch(nn.Sequential(First(nn.RNN(F, 4)), normed), torch.zeros(T, F))


@pytest.mark.parametrize("kind", ["double", "half", "bfloat16"])
def test_other_types_of_numbers(kind):
    module = getattr(trained(nn.Sequential(First(nn.GRU(F, 4)), nn.Linear(4, 2)), 7), kind)()
    found = from_torch(module, torch.zeros(T, 1, F))
    assert found.differences[0].value < (1e-12 if kind == "double" else 1e-5)
    assert next(module.parameters()).dtype == getattr(torch, kind)


def test_the_users_own_frames_are_compared_too():
    data = [np.random.default_rng(0).standard_normal((20, F))]
    found = from_torch(nn.GRU(F, 4), torch.zeros(T, 1, F), data=data)
    assert [one.frames for one in found.differences] == [24, 18]


@pytest.mark.parametrize("shape", [(T, F + 1), (F,), (0, F), (2, T, F)])
def test_frames_of_another_network_are_refused(shape):
    with pytest.raises(ShapeError, match=r"frames of the shape .*\(T, 3\) for each sequence"):
        from_torch(nn.GRU(F, 4), torch.zeros(T, 1, F), data=[np.zeros(shape)])


def test_a_wrong_order_of_gates_is_found(monkeypatch):
    monkeypatch.setitem(torch_layers.TORCH, "gru", "zrn")
    with pytest.raises(MismatchError, match="differs from the source's own runtime by"):
        from_torch(trained(nn.GRU(F, 4), 8), torch.zeros(T, 1, F))
