"""Exported torch programs (.pt2): read without torch.export.load, and without trust."""

import json
import pickle
import zipfile

import pytest
import torch
from torch import nn

from ernn.errors import ModelFileError
from ernn.importers.torch.module import from_torch

torch.set_num_threads(1)
T, F = 5, 3


class Network(nn.Module):
    """What needs states, buffers, views, several outputs and an affine constant."""

    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.LSTM(F, 4, 2, batch_first=True), nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 2)
        self.register_buffer("scale", torch.tensor([1.0, 3.0]), persistent=False)

    def forward(self, x, h, c):
        y, (h, c) = self.layer(x, (h, c))
        y = self.norm(y.transpose(1, 2)).transpose(1, 2)
        return (self.head(y) * self.scale).view(-1, 2), h, c


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(F, 4)

    def forward(self, x):
        h, told = None, []
        for frame in x.unbind(1):
            h = self.cell(frame, h)
            told.append(h)
        return torch.stack(told, 1)


STATES = (torch.zeros(2, 1, 4), torch.zeros(2, 1, 4))


def exported(path, module, *example, **options):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.9, 0.9)
        program = torch.export.export(module.eval(), example, strict=False, **options)
    torch.export.save(program, path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    return exported(folder / "network.pt2", Network(), torch.zeros(1, T, F), *STATES)


def test_a_program_agrees_with_what_it_computes(file, tmp_path):
    found = from_torch(file)
    assert found.names == ("layer layer 0", "layer layer 1", "head")
    assert "norm folded into head" in "\n".join(found.notes)
    assert found.differences[0].frames >= 4 * 30  # states are fed back
    cells = exported(tmp_path / "cells.pt2", Cells().double(), torch.zeros(1, T, F).double())
    assert from_torch(str(cells)).differences[0].value < 1e-12
    half = exported(tmp_path / "half.pt2", nn.GRU(F, 4).half(), torch.zeros(T, 1, F).half())
    from_torch(half)


def test_a_batch_that_may_vary_is_that_of_the_example(tmp_path):
    dynamic = {"input": {1: torch.export.Dim("batch", min=2, max=99)}}
    module, example = nn.GRU(F, 4), torch.zeros(T, 2, F)
    path = exported(tmp_path / "dynamic.pt2", module, example, dynamic_shapes=dynamic)
    with pytest.raises(ModelFileError, match=r"axis 1 of the example.*\(5, 2, 3\), for batch"):
        from_torch(path)


def changed(file, path, change=None, drop=(), compression=zipfile.ZIP_STORED):
    """Copy an archive; `change` gets the JSON of each entry that has some, and bytes of others."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w", compression) as new:
        for entry in old.infolist():
            name, content = entry.filename.partition("/")[2], old.read(entry)
            if name in drop:
                continue
            if change is not None:
                told = json.loads(content) if name.endswith(".json") else content
                told = change(name, told) or told
                content = told if isinstance(told, bytes) else json.dumps(told).encode()
            new.writestr(entry.filename, content)
    return path


def in_graph(edit):
    def change(name, told):
        if name == "models/model.json":
            edit(told["graph_module"])

    return change


def in_weights(edit):
    def change(name, told):
        if name == "data/weights/model_weights_config.json":
            edit(told["config"])

    return change


def first_node(**told):
    return in_graph(lambda module: module["graph"]["nodes"][0].update(told))


def call_of(target, inputs, shape):
    """Put a call in front of the graph and scale its output by the result."""

    def edit(module):
        graph = module["graph"]
        output = {"as_tensor": {"name": "planted"}}
        told = {"target": target, "inputs": inputs, "outputs": [output], "name": "planted"}
        graph["nodes"].insert(0, {**told, "metadata": {}})
        sizes = [{"as_int": size} for size in shape]
        graph["tensor_values"]["planted"] = {**graph["tensor_values"]["x"], "sizes": sizes}
        for node in graph["nodes"]:
            if node["target"] == "torch.ops.aten.mul.Tensor":
                node["inputs"][1]["arg"] = output

    return in_graph(edit)


def argument(name, **told):
    return {"name": name, "arg": told, "kind": 1}


def pickled(weights):
    weights["head.weight"]["use_pickle"] = True


def larger(weights):
    weights["head.weight"]["tensor_meta"]["sizes"] = [{"as_int": 10**6}, {"as_int": 10**6}]


def strided(weights):
    weights["head.weight"]["tensor_meta"]["strides"] = [{"as_int": 10**9}, {"as_int": 1}]


def other_shape(weights):
    weights["head.weight"]["tensor_meta"]["sizes"] = [{"as_int": 4}, {"as_int": 2}]


def lies(module):
    module["graph"]["tensor_values"]["linear"]["sizes"] = [{"as_int": n} for n in (1, T, 7)]


BAD = {
    "pickled weights": (in_weights(pickled), "head.weight is pickled"),
    "a terabyte": (in_weights(larger), r"shape \(1000000, 1000000\) and 32 bytes"),
    "strides beyond": (in_weights(strided), "cannot be read as a torch program"),
    "another shape": (in_weights(other_shape), "out of bounds for storage"),
    "sizes that are not": (in_graph(lies), "other sizes than the file tells|a constant of"),
    "a path outside": (
        in_weights(lambda told: told["head.weight"].update(path_name="../../../etc/passwd")),
        "KeyError",
    ),
    "an unknown operation": (first_node(target="torch.ops.evil.run.default"), "evil.run"),
    "a python function": (first_node(target="os.system"), "cannot be read|os.system"),
    "an overload that is none": (first_node(target="torch.ops.aten.lstm.__class__"), "not known"),
    "a file read": (
        call_of(
            "torch.ops.aten.from_file.default",
            [argument("filename", as_string="/etc/passwd"), argument("size", as_int=2)],
            [2],
        ),
        "computes a constant in a way that ernn does not follow",
    ),
    "a terabyte of zeros": (
        call_of("torch.ops.aten.zeros.default", [argument("size", as_ints=[2**38])], [2]),
        r"a constant of \(274877906944,\)",
    ),
    "no graph": (in_graph(lambda module: module.pop("graph")), "KeyError: 'graph'"),
    "a changed buffer": (
        in_graph(
            lambda module: module["signature"]["output_specs"].append(
                {"buffer_mutation": {"arg": {"name": "linear"}, "buffer_name": "memory"}}
            )
        ),
        "the module changes memory when it runs",
    ),
    "big-endian": (lambda name, told: b"big" if name == "byteorder" else None, "little-endian"),
    "not a number": (
        lambda name, told: b"\xff" * len(told) if name.startswith("data/weights/w") else None,
        "holds NaN",
    ),
    "short weights": (
        lambda name, told: told[:3] if name == "data/weights/weight_0" else None,
        "and 3 bytes",
    ),
}


@pytest.mark.parametrize("why", BAD)
def test_a_bad_program_is_refused_in_one_sentence(file, tmp_path, why):
    change, sentence = BAD[why]
    with pytest.raises(ModelFileError, match=sentence) as refused:
        from_torch(changed(file, tmp_path / "bad.pt2", change))
    assert "\n" not in str(refused.value)


def test_files_that_are_no_programs_are_refused(file, tmp_path):
    (tmp_path / "cut.pt2").write_bytes(file.read_bytes()[:-600])
    (tmp_path / "none.pt2").write_bytes(b"")
    changed(file, tmp_path / "old.pt2", drop=["models/model.json"])
    changed(file, tmp_path / "packed.pt2", compression=zipfile.ZIP_DEFLATED)
    for name, sentence in {
        "cut": "cannot be read as a torch program",
        "none": "BadZipFile",
        "gone": "No such file",
        "old": "export it again",
        "packed": "is compressed",
    }.items():
        with pytest.raises(ModelFileError, match=sentence):
            from_torch(tmp_path / f"{name}.pt2")
    with pytest.raises(ModelFileError, match="give a state dict to ernn"):
        from_torch(tmp_path / "net.pt")


def test_nothing_in_a_program_is_unpickled(file, tmp_path):
    """torch.export.load would run the example inputs of this file."""

    class Evil:
        def __reduce__(self):
            return (tmp_path / "ran").touch, ()

    def change(name, told):
        return pickle.dumps(Evil()) if name.startswith("data/sample_inputs") else None

    from_torch(changed(file, tmp_path / "evil.pt2", change))
    assert not (tmp_path / "ran").exists()
