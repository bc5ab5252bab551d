"""Keras files that are not to be trusted: each is refused in one sentence, and nothing is run."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from ernn.errors import ModelFileError
from ernn.importers.keras.file import _keras, from_keras

keras = _keras()
layers = keras.layers
T, F = 5, 3


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "net.keras"
    start = keras.Input((T, F))
    keras.Model(start, layers.Dense(2)(layers.GRU(4, name="gru")(start))).save(path)
    return path


def changed(file, path, config=None, weights=None, drop=""):
    """Copy a file with its configuration, or its open weights, changed."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json" and config:
                told = json.loads(content)
                config(told["config"]["layers"], told)
                content = json.dumps(told).encode()
            if name == "model.weights.h5" and weights:
                held = io.BytesIO(content)
                with h5py.File(held, "r+") as opened:
                    weights(opened["layers/gru/cell/vars"])
                content = held.getvalue()
            if name != drop:
                new.writestr(name, content)
    return path


def replaced(index, **options):
    def change(group):
        old = group[str(index)][()]
        del group[str(index)]
        given = {"data": old, **options}
        if "shape" in options:
            given.pop("data")
        group.create_dataset(str(index), **given)

    return change


def linked(group):
    del group["0"]
    group["0"] = h5py.ExternalLink("/etc/other.h5", "/secret")


def soft(group):
    group["9"] = h5py.SoftLink("/layers")


def outside(group):
    del group["0"]
    group.create_dataset("0", (F, 12), "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def not_finite(group):
    group["1"][0, 0] = np.nan


BAD = {
    "external link": ({"weights": linked}, "link to another place"),
    "soft link": ({"weights": soft}, "link to another place"),
    "data outside": ({"weights": outside}, "lies outside the file"),
    "a terabyte": (
        {"weights": replaced(0, shape=(2**20, 2**18), dtype="f4", chunks=(64, 64))},
        "announces 1,099,511,627,776 bytes and holds far fewer",
    ),
    "another shape": (
        {"weights": replaced(0, data=np.zeros((F + 1, 12)))},
        r"variable 0 of gru has the shape \(4, 12\) \(allowed: \(3, 12\)\)",
    ),
    "no floats": ({"weights": replaced(0, data=np.zeros((F, 12), int))}, "holds int64"),
    "missing": ({"weights": lambda group: group.pop("2", None)}, "holds 2 variables"),
    "not finite": ({"weights": not_finite}, "variable 1 of gru holds NaN"),
    "a class of elsewhere": (
        {"config": lambda parts, told: parts[1].update(module="os", class_name="system")},
        "os.system, a class that is not Keras's",
    ),
    "units": (
        {"config": lambda parts, told: parts[1]["config"].update(units=10**12)},
        r"variable 0 of gru has the shape \(3, 12\)",
    ),
    "units of text": (
        {"config": lambda parts, told: parts[1]["config"].update(units="4")},
        "has units = 4",
    ),
    "many steps": (
        {"config": lambda parts, told: parts[0]["config"].update(batch_shape=[None, 10**12, F])},
        "sequences of 1,000,000,000,000 steps",
    ),
    "integers": (
        {"config": lambda parts, told: parts[1]["config"].update(dtype="int8")},
        "the dtype int8",
    ),
    "quantized": (
        {"config": lambda parts, told: parts[2]["config"].update(quantization_config={"a": 1})},
        "is quantized",
    ),
    "a class of models": (
        {"config": lambda parts, told: told.update(class_name="MyModel")},
        "a Keras model of the class MyModel",
    ),
    "Keras 2": (
        {"config": lambda parts, told: parts[1].update(inbound_nodes=[[["x", 0, 0, {}]]])},
        "as Keras 2 writes it",
    ),
    "a circle": (
        {"config": lambda parts, told: parts[1].update(inbound_nodes=parts[2]["inbound_nodes"])},
        "output is not behind the input",
    ),
    "no layers": ({"config": lambda parts, told: told["config"].pop("layers")}, "layers"),
    "no weights": ({"drop": "model.weights.h5"}, "no .*model.weights.h5"),
    "no configuration": ({"drop": "config.json"}, "no .*config.json"),
}


@pytest.mark.parametrize("why", BAD)
def test_a_bad_file_is_refused_in_one_sentence(file, tmp_path, why):
    change, sentence = BAD[why]
    with pytest.raises(ModelFileError, match=sentence) as refused:
        from_keras(changed(file, tmp_path / "bad.keras", **change))
    assert "\n" not in str(refused.value)


def test_files_that_are_no_keras_files_are_refused(file, tmp_path):
    (tmp_path / "cut.keras").write_bytes(file.read_bytes()[:4000])
    (tmp_path / "none.keras").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * 2**24)
    deep = '{"config": ' * 10**5 + "1" + "}" * 10**5
    with zipfile.ZipFile(tmp_path / "deep.keras", "w") as archive:
        archive.writestr("config.json", deep)
        archive.writestr("model.weights.h5", "")
    for name, sentence in {
        "cut": "no zip|not a zip",
        "none": "not a zip",
        "gone": "No such file",
        "bomb": "unpacks to 16,777,216 bytes",
        "deep": "nested too deep",
    }.items():
        with pytest.raises(ModelFileError, match=sentence):
            from_keras(tmp_path / f"{name}.keras")


def test_keras_gets_nothing_of_a_file_but_plain_values(file, tmp_path):
    """An initializer of any class is made by keras.saving; ours is left out of the copy."""

    def plant(parts, told):
        evil = {"module": "builtins", "class_name": "exit", "config": {"code": 3}}
        parts[1]["config"]["kernel_initializer"] = evil
        parts[1]["inbound_nodes"][0]["kwargs"] = {"mask": None, "training": False}
        told["compile_config"] = {"optimizer": evil}

    from_keras(changed(file, tmp_path / "planted.keras", plant))
