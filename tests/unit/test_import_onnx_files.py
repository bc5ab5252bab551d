"""ONNX files that nobody should trust: one sentence each, and no memory for what they announce."""

import resource
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import imported_cases

from ernn.errors import ErnnError, ModelFileError
from ernn.importers.onnx.network import from_onnx

HUGE = 2**38  # float32 values: 1 TB


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.onnx"


def gru(**more):
    """Return a model of one GRU; more: initializers that take the place of its weights."""
    rng = np.random.default_rng(0)
    shapes = {"W": (1, 6, 3), "R": (1, 6, 2), "B": (1, 12)}
    weights = [
        numpy_helper.from_array(rng.standard_normal(shape).astype("f4"), name)
        for name, shape in shapes.items()
        if name not in more
    ]
    node = helper.make_node("GRU", ["X", "W", "R", "B"], ["Y"], name="gru", hidden_size=2)
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, (4, 1, 3))],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, (4, 1, 1, 2))],
        [*weights, *more.values()],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def announced(dims, name="W", **fields):
    return TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims, **fields)


def external(location, **entries):
    tensor = announced((1, 6, 3), data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return gru(W=tensor)


def refused(model, path, match):
    if not isinstance(model, bytes):
        model = model.SerializeToString()
    path.write_bytes(model)
    with pytest.raises(ModelFileError, match=match) as error:
        from_onnx(path)
    assert "\n" not in str(error.value)


def with_domain():
    model = gru()
    model.graph.node[0].domain = "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def with_opset(version):
    model = gru()
    model.opset_import[0].version = version
    return model


def grown(kind):
    """A constant that a node makes 1 TB of."""
    model = gru()
    size = numpy_helper.from_array(np.array([HUGE]), "size")
    model.graph.initializer.append(size)
    if kind == "ConstantOfShape":
        nodes = [helper.make_node(kind, ["size"], ["big"])]
    else:
        one = numpy_helper.from_array(np.ones(1, "f4"), "one")
        model.graph.initializer.append(one)
        nodes = [helper.make_node(kind, ["one", "size"], ["big"])]
    nodes.append(helper.make_node("ReduceSum", ["big"], ["sum"]))
    nodes.append(helper.make_node("Add", ["Y", "sum"], ["Z"]))
    model.graph.node.extend(nodes)
    model.graph.output[0].name = "Z"
    return model


BAD = {
    "text": (b"no network at all", "no ONNX file"),
    "cut off": (gru().SerializeToString()[:-40], "no ONNX file|announces"),
    "empty": (b"", "holds no graph"),
    "1 TB": (gru(W=announced((1, HUGE, 3), raw_data=b"1234")), "announces 3,298,534,883,328 bytes"),
    "1 TB of no bytes": (gru(W=announced((HUGE,))), "announces more than|announces 1,099"),
    "negative": (gru(W=announced((-1, 6, 3))), r"has the shape \[-1, 6, 3\]"),
    "too few": (gru(W=announced((1, 6, 3), float_data=[1.0])), "announces 72 bytes and has 4"),
    "other shape": (
        gru(W=numpy_helper.from_array(np.zeros((1, 9, 3), "f4"), "W")),
        r"W of gru has the shape \(1, 9, 3\)",
    ),
    "nan": (
        gru(W=numpy_helper.from_array(np.full((1, 6, 3), np.nan, "f4"), "W")),
        "NaN or infinite",
    ),
    "float8": (
        gru(W=TensorProto(name="W", data_type=TensorProto.FLOAT8E4M3FN, dims=(1, 6, 3))),
        "FLOAT8E4M3FN",
    ),
    "domain": (with_domain(), "com.microsoft"),
    "opset of tomorrow": (with_opset(99), "written for opset 99"),
    "opset of long ago": (with_opset(6), "written for opset 6"),
    "outside the folder": (external("../weights"), r"lies in '\.\./weights'"),
    "absolute": (external("/etc/passwd"), "lies in '/etc/passwd'"),
    "missing beside": (external("weights"), "which is missing"),
    "grown": (grown("ConstantOfShape"), "grow beyond"),
    "expanded": (grown("Expand"), "grow beyond"),
    "tiled": (grown("Tile"), "grow beyond"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_sentence(name, path):
    refused(*BAD[name][:1], path, BAD[name][1])


def test_no_memory_is_taken_for_what_is_announced(tmp_path):
    """In a process that may take 4 GB at most."""
    for index, name in enumerate(("1 TB", "1 TB of no bytes", "grown", "expanded", "tiled")):
        model = BAD[name][0]
        (tmp_path / f"{index}.onnx").write_bytes(model.SerializeToString())
    code = (
        "import sys, pathlib\n"
        "from ernn.errors import ModelFileError\n"
        "from ernn.importers.onnx.network import from_onnx\n"
        f"for path in sorted(pathlib.Path({str(tmp_path)!r}).glob('*.onnx')):\n"
        "    try:\n        from_onnx(path)\n    except ModelFileError:\n        print('refused')\n"
    )

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))

    ran = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == 5 * ["refused"]


def test_a_file_that_is_missing(path):
    with pytest.raises(ModelFileError, match="is no file"):
        from_onnx(path)


def test_weights_beside_the_file(path):
    """They are read where they lie in the same folder; each size is checked."""
    weights = np.random.default_rng(1).standard_normal((1, 6, 3)).astype("f4")
    (path.parent / "weights").write_bytes(b"skip" + weights.tobytes())
    model = external("weights", offset=4, length=72)
    path.write_bytes(model.SerializeToString())
    network = from_onnx(path)
    stored = network.model.layers[0].matrices["input"].generators
    assert set(np.abs(stored).ravel()) == set(np.abs(weights.astype(float)).ravel())
    refused(external("weights", offset=8, length=72), path, "announces 72 bytes: 72 from byte 8")
    refused(external("weights", offset=-4, length=72), path, "from byte -4")
    refused(external("weights", length=2**40), path, "announces 72 bytes: 1,099,511,627,776")
    refused(external("weights", offset="x"), path, "no number of bytes")
    (path.parent / "link").symlink_to("/etc/hostname")
    refused(external("link"), path, "lies in 'link'")


def test_a_loop_is_named(path):
    """Only one whose rounds are known is written out."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["goes"]),
            helper.make_node("Tanh", ["state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("at", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, (1, 3)),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, (1, 3)),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["count", "", "x"], ["y"], name="steps", body=body)],
        "net",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3)),
            helper.make_tensor_value_info("count", TensorProto.INT64, ()),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 3))],
    )
    opsets = [helper.make_opsetid("", 17)]
    refused(helper.make_model(graph, opset_imports=opsets, ir_version=8), path, "Loop steps")


def test_random_damage_ends_in_a_sentence_or_in_a_network(path):
    rng = np.random.default_rng(0)
    models = [case.model for case in imported_cases()]
    refusals = 0
    for index in range(120):
        damaged = bytearray(models[index % len(models)])
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            from_onnx(path)
        except ErnnError:
            refusals += 1
    assert refusals > 20


def test_the_checker_of_onnx_has_its_say(path):
    model = gru()
    model.graph.node[0].output[0] = "X"
    refused(model, path, "no valid ONNX")
    assert onnx.load(path).graph.node
