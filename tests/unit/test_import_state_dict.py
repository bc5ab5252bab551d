"""State dicts: weights by name and a description, against torch's own layers."""

import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

import ernn.importers.torch.layers as torch_layers
from ernn.errors import MismatchError, ModelFileError
from ernn.importers.torch.state_dict import from_state_dict
from ernn.quant.float_model import run_float

torch.set_num_threads(1)
F = 3


def save(path, tensors):
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    elif path.suffix == ".npz":
        np.savez(path, **{name: one.numpy() for name, one in tensors.items()})
    else:
        torch.save(tensors, path)
    return path


def weights(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(one.shape, generator=generator) * 1.6 - (0 if "var" in name else 0.8)
        for name, one in module.state_dict().items()
        if "num_batches" not in name
    }


class Network(nn.Module):
    """What a user trained; the importer sees only its tensors."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleDict(layers)

    def forward(self, x):
        for layer in self.layers.values():
            x = layer(x)
            x = x[0] if isinstance(x, tuple) else x
        return x


@st.composite
def networks(draw):
    """Return a module, its description, and the order of the file's tensors."""
    layers, told, size = {}, [], F
    for index in range(draw(st.integers(1, 3))):
        name, hidden = f"part{index}", draw(st.integers(2, 5))
        kind = draw(st.sampled_from(["lstm", "gru", "rnn", "linear"] if index else ["lstm", "gru"]))
        bias = draw(st.booleans())
        if kind == "linear":
            layers[name], size = nn.Linear(size, hidden, bias=bias), hidden
        else:
            options = {"num_layers": draw(st.integers(1, 2)), "bias": bias, "batch_first": True}
            if kind == "lstm" and draw(st.booleans()):
                options["proj_size"] = draw(st.integers(1, hidden - 1))
            layers[name] = getattr(nn, kind.upper())(size, hidden, **options)
            size = options.get("proj_size", hidden)
        told.append({"kind": kind, "name": f"layers.{name}"})
    return Network(layers), told


@settings(max_examples=15, deadline=None)
@given(network=networks(), suffix=st.sampled_from([".pt", ".safetensors", ".npz"]))
def test_any_described_file_computes_what_its_module_does(network, suffix, tmp_path_factory):
    module, told = network
    tensors = weights(module)
    path = save(tmp_path_factory.mktemp("files") / f"w{suffix}", tensors)
    found = from_state_dict(path, told)
    assert found.names[0].startswith("layers.part0")
    module.load_state_dict(tensors)
    frames = np.random.default_rng(0).standard_normal((1, 9, F))
    name = found.model.leaving
    mine = run_float(found.model, frames, "dense", {name})[name]
    theirs = module.eval()(torch.tensor(frames, dtype=torch.float32)).detach().numpy()
    assert np.abs(mine - theirs).max() < 1e-5


TOML = """
[[layers]]
kind = "gru"
name = "gru"
[[layers]]
kind = "batch_norm"
name = "norm"
epsilon = 1e-3
[[layers]]
kind = "last"
[[layers]]
kind = "linear"
name = "head"
activation = "sigmoid"
"""


@pytest.fixture
def file(tmp_path):
    parts = {"gru": nn.GRU(F, 4), "norm": nn.BatchNorm1d(4), "head": nn.Linear(4, 2)}
    return save(tmp_path / "net.pt", {**weights(nn.ModuleDict(parts)), "extra": torch.zeros(1)})


def test_a_description_of_toml_and_what_is_told(file, tmp_path):
    (tmp_path / "net.toml").write_text(TOML)
    found = from_state_dict(file, tmp_path / "net.toml")
    assert found.names == ("gru", "head") and found.last
    assert "norm folded into head" in found.notes and found.notes[-1] == "not used: extra"
    lines = found.lines()
    assert lines[0] == "state dict net.pt: 3 values a frame"
    assert "  head: feed-forward layer, sigmoid, 2 values" in lines


def test_names_of_ones_own_cells_and_checkpoints(tmp_path):
    cell = weights(nn.GRUCell(F, 4))
    own = {f"enc_{name[0]}_{name[-2:]}": one for name, one in cell.items()}
    path = save(tmp_path / "own.npz", own)
    names = {name: f"enc_{name[0]}_{name[-2:]}" for name in cell}
    assert from_state_dict(path, [{"kind": "gru", "tensors": names}]).names == ("gru",)
    double = {name: one.double() for name, one in cell.items()}
    held = {"model_state": double, "optimizer": {"state": {0: {"moment": cell["weight_ih"]}}}}
    path = save(tmp_path / "checkpoint.pth", {**held, "step": 7, "betas": (0.9, 0.99)})
    found = from_state_dict(path, [{"kind": "gru"}])
    assert found.differences[0].value < 1e-12
    rnn = save(tmp_path / "rnn.pt", weights(nn.RNN(F, 4, 2)))
    told = [{"kind": "rnn", "activation": "relu"}]
    assert from_state_dict(rnn, told).model.layers[1].cell_activation == "relu"


def test_a_state_dict_without_a_description_gets_one_to_confirm(file):
    proposal = (
        r"gru, norm, head, extra; describe .*layers = "
        r'\[\{kind = "gru", name = "gru"\}, \{kind = "batch_norm", name = "norm"\}, '
        r'\{kind = "linear", name = "head"\}\]'
    )
    with pytest.raises(ModelFileError, match=proposal):
        from_state_dict(file)


def test_names_that_ernn_does_not_know_ask_for_the_names(tmp_path):
    path = save(tmp_path / "own.npz", {"w": torch.zeros(12, 3), "r": torch.zeros(12, 4)})
    with pytest.raises(ModelFileError, match=r"w, r; describe .*tensors = \{weight_ih = "):
        from_state_dict(path)


def test_a_wrong_order_of_gates_is_found(file, monkeypatch):
    monkeypatch.setitem(torch_layers.TORCH, "gru", "zrn")
    with pytest.raises(MismatchError, match="differs from the source's own runtime"):
        from_state_dict(file, [{"kind": "gru", "name": "gru"}])


GRU, HEAD = {"kind": "gru", "name": "gru"}, {"kind": "linear", "name": "head"}


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([HEAD, GRU], "gru gru takes 3 values a step.*2, as enter it.*order of the data"),
        ([{"kind": "lstm", "name": "gru"}, HEAD], 'gru is no lstm.*write kind = "gru"'),
        ([{**GRU, "name": "grew"}], "has no grew.weight_ih_l0, which gru grew needs"),
        ([{**GRU, "tensors": {"weight_hh_l0": "extra"}}], "extra has 1 axes"),
        ([{**GRU, "tensors": {"bias_hh_l0": "norm.bias"}}], r"norm.bias has the shape \(4,\)"),
        ([GRU, {"kind": "batch_norm", "name": "head"}], "has no head.running_mean"),
        ([GRU, {"kind": "conv"}], "layers.1.kind: Input should be"),
        ([{**GRU, "hidden": 4}], "layers.0.hidden: not a known key"),
        ([{"kind": "rnn", "name": "gru", "activation": "sigmoid"}], "is no rnn"),
        (["gru"], "layers.0"),
        ([HEAD], "no recurrent layer"),
        ([{"kind": "last"}], "has no layers"),
        ([], "has no layers"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(file, layers, sentence):
    with pytest.raises(ModelFileError, match=sentence) as refused:
        from_state_dict(file, layers)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weight_hh_l0": torch.full((12, 4), torch.nan)}, "weight_hh_l0 holds NaN"),
        ({"weight_hh_l0": torch.zeros(12, 5)}, "is no gru"),
        ({"weight_ih_l0": torch.zeros(0, 3)}, "holds 0 values"),
        ({"weight_ih_l0": torch.zeros(12, 3).int()}, "of torch.int32"),
        ({"weight_ih_l0_reverse": torch.zeros(12, 3)}, "backwards too.*train a unidirectional"),
        ({"bias_hh_l0": None}, "has no bias_hh_l0"),
        ({"weight_ih_l1": torch.zeros(12, 4)}, "has no weight_hh_l1"),
    ],
)
def test_weights_that_are_no_layer_are_refused(tmp_path, change, sentence):
    tensors = {**weights(nn.GRU(F, 4)), **change}
    held = {name: one for name, one in tensors.items() if one is not None}
    with pytest.raises(ModelFileError, match=sentence):
        from_state_dict(save(tmp_path / "w.pt", held), [{"kind": "gru"}])


class Evil:
    """Code of whoever wrote the file."""

    def __reduce__(self):
        return print, ("it ran",)


def header(name, shape):
    dtype = {"weight_hh": {"dtype": "F32", "shape": shape, "data_offsets": [0, 8]}}
    text = str(dtype).replace("'", '"').encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


def announced(path, shape):
    """Write an .npz file with the header of a larger array."""
    with zipfile.ZipFile(path, "w") as archive, archive.open("w.npy", "w") as file:
        told = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, told)
        file.write(bytes(8))


def resized(path, zipped):
    """Write a .pt file whose tensor is a terabyte by its sizes, and four bytes by its storage."""

    class Large:
        def __reduce__(self):
            from torch._utils import _rebuild_tensor_v2

            storage = torch.zeros(1).storage()
            return _rebuild_tensor_v2, (storage, 0, (2**20, 2**18), (2**18, 1), False, {})

    held = OrderedDict(weight_hh=Large())
    torch.save(held, path, _use_new_zipfile_serialization=zipped)


def test_files_that_are_not_to_be_trusted_are_refused(file, tmp_path, capsys):
    good = file.read_bytes()
    (tmp_path / "cut.pt").write_bytes(good[: len(good) // 2])
    (tmp_path / "none.pth").write_bytes(b"")
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    torch.save({"weight": Evil()}, tmp_path / "evil2.pt")
    torch.save(nn.GRU(F, 4), tmp_path / "module.pt")
    np.savez(tmp_path / "evil.npz", w=np.array([Evil()]))
    announced(tmp_path / "large.npz", (2**20, 2**18))
    np.savez_compressed(tmp_path / "bomb.npz", w=np.zeros(2**24, np.uint8))
    (tmp_path / "large.safetensors").write_bytes(header("weight_hh", [2**20, 2**18]))
    (tmp_path / "text.npz").write_text("no archive")
    resized(tmp_path / "large.pt", True)
    resized(tmp_path / "large.pth", False)
    two = {"a": {"w.weight": torch.zeros(2, 2)}, "b": {"w.weight": torch.zeros(2, 2)}}
    torch.save(two, tmp_path / "two.pt")
    torch.save([1, 2], tmp_path / "numbers.pt")
    for name, sentence in {
        "cut.pt": "cannot be read",
        "none.pth": "cannot be read",
        "gone.pt": "No such file",
        "evil.pt": "more than tensors .*which could run code",
        "evil2.pt": "more than tensors",
        "module.pt": "more than tensors .*save module.state_dict",
        "evil.npz": "w.npy holds object, no numbers",
        "large.npz": r"w.npy has the shape \(1048576, 262144\)",
        "bomb.npz": "unpack to 16,77",
        "large.safetensors": "cannot be read",
        "text.npz": "cannot be read",
        "large.pt": r"weight_hh has the shape \(1048576, 262144\)",
        "large.pth": "cannot be read",
        "two.pt": "it holds the state dicts a, b",
        "numbers.pt": "it holds the state dicts none",
        "what.bin": "is no state dict.*safetensors, .pt, .pth, .npz",
    }.items():
        with pytest.raises(ModelFileError, match=sentence) as refused:
            from_state_dict(tmp_path / name)
        assert "\n" not in str(refused.value)
    assert "it ran" not in capsys.readouterr().out
