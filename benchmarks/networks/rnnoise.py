"""RNNoise removes noise: three GRUs of 384 cells behind two convolutions, out of a C library.

Weights are read by the names of their symbols. The library runs for its features, which are left
in its state, and for its layers, to be compared with: so this network alone runs a package's code.
Its two dense layers, the gains and whether there is a voice, read the outputs of the second
convolution and of all three GRUs; together they are the last layer of one accelerator.
"""

import ctypes
import struct
from pathlib import Path

import numpy as np

from ernn.importers.assemble import assemble
from ernn.importers.layers import Activation, Item, Joined, gru, linear
from ernn.importers.network import ImportedNetwork, checked
from networks import packages
from networks.network import Measure, Network, Part, Runs, with_wide_end
from networks.speech import describe, speech

_RATE, _FRAME, _CELLS = 48_000, 480, 384
_STATE, _MEMORY = 4744, 256  # in floats: where the second convolution's inputs are kept, how many
_TOLERANCE = 2e-3  # the library approximates sigmoid and tanh
_ROWS, _COLS = 8, 4  # of a block of weights
_GRUS, _DENSE = ("gru1", "gru2", "gru3"), ("dense_out", "vad_dense")
_SIGMOID = 1  # as the library calls it
_WORD = 16  # values that may move together: 33 outputs are padded to a multiple of it


class Library:
    """The weights and functions of librnnoise.so, as it is in the pinned package."""

    def __init__(self, path: Path) -> None:
        self.code = ctypes.CDLL(str(path))
        self.file = path.read_bytes()
        self.symbols = _symbols(self.file)
        create, process = self.code.rnnoise_create, self.code.rnnoise_process_frame
        create.restype, create.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        process.restype, process.argtypes = ctypes.c_float, [ctypes.c_void_p] * 3
        self.size = self.code.rnnoise_get_size()

    def floats(self, name: str) -> np.ndarray:
        """Return the numbers of a symbol."""
        start, size = self.symbols[name]
        return np.frombuffer(self.file, np.float32, size // 4, start)

    def weights(self, name: str) -> np.ndarray:
        """Return the matrix (rows, cols) of a sparse layer, all of whose blocks are there."""
        bias, flat = self.floats(f"{name}_bias"), self.floats(f"{name}_weights_float")
        rows, cols = len(bias), len(flat) // len(bias)
        blocks = flat.reshape(rows // _ROWS, cols // _COLS, _COLS, _ROWS)
        return blocks.transpose(0, 3, 1, 2).reshape(rows, cols)

    def plain(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrix and bias of a layer without blocks."""
        bias = self.floats(f"{name}_bias")
        return self.floats(f"{name}_weights_float").reshape(-1, len(bias)).T, bias

    def listened(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what enters the second convolution (T, 384), and the GRUs' states (T, 3, 384).

        The library does not run its network in silence; such frames are left out.
        """
        own, out = self.code.rnnoise_create(None), np.zeros(_FRAME, np.float32)
        inner, states, before = [], [], np.zeros(_MEMORY, np.float32)
        for frame in (32768 * audio[: len(audio) // _FRAME * _FRAME]).reshape(-1, _FRAME):
            given = np.ascontiguousarray(frame, np.float32)
            self.code.rnnoise_process_frame(own, out.ctypes.data, given.ctypes.data)
            floats = np.frombuffer(ctypes.string_at(own, self.size), np.float32)[_STATE:]
            kept, found = floats[:_MEMORY], floats[_MEMORY : _MEMORY + 3 * _CELLS]
            if np.array_equal(kept, before):
                continue
            inner.append(np.concatenate([before, kept[_MEMORY // 2 :]]))
            states.append(found.reshape(3, _CELLS))
            before = kept
        self.code.rnnoise_destroy(ctypes.c_void_p(own))
        return np.stack(inner), np.stack(states)

    def run(self, frames: np.ndarray) -> np.ndarray:
        """Return gains and voice (T, 33) of the convolution's outputs (T, 384), by its own code."""
        outputs = [np.ascontiguousarray(frames, np.float32)]
        for name in _GRUS:
            outputs.append(self._run_gru(name, outputs[-1]))
        together = np.ascontiguousarray(np.concatenate(outputs, axis=1))
        return np.concatenate([self._run_dense(name, together) for name in _DENSE], axis=1)

    def _run_dense(self, name: str, frames: np.ndarray) -> np.ndarray:
        made = np.zeros((len(frames), len(self.floats(f"{name}_bias"))), np.float32)
        layer = self._layer(name, frames.shape[1], made.shape[1])
        for frame, out in zip(frames, made, strict=True):
            pointers = (array.ctypes.data_as(ctypes.c_void_p) for array in (out, frame))
            self.code.rnn_compute_generic_dense(ctypes.byref(layer), *pointers, _SIGMOID, 0)
        return made

    def _run_gru(self, name: str, frames: np.ndarray) -> np.ndarray:
        state, made = np.zeros(_CELLS, np.float32), []
        kinds = ("input", "recurrent")
        layers = [self._layer(f"{name}_{kind}", _CELLS, 3 * _CELLS) for kind in kinds]
        for frame in np.ascontiguousarray(frames, np.float32):
            pointers = (array.ctypes.data_as(ctypes.c_void_p) for array in (state, frame))
            self.code.rnn_compute_generic_gru(*map(ctypes.byref, layers), *pointers, 0)
            made.append(state.copy())
        return np.stack(made)

    def _layer(self, name: str, inputs: int, outputs: int) -> "_Layer":
        base = ctypes.cast(self.code.rnnoise_create, ctypes.c_void_p).value
        assert base is not None
        base -= self.symbols["rnnoise_create"][0]
        kinds = ("bias", "", "", "weights_float", "weights_idx", "weights_diag", "")
        places = [self.symbols.get(f"{name}_{kind}", (None,))[0] for kind in kinds]
        return _Layer(*(place and base + place for place in places), inputs, outputs)


class _Layer(ctypes.Structure):
    """A linear layer of the library."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("bias", "subias", "int8", "floats", "idx", "diag")),
        ("scale", ctypes.c_void_p),
        ("inputs", ctypes.c_int),
        ("outputs", ctypes.c_int),
    )


def make(cache: Path, speakers: int) -> Network:
    """Return the network, judged by how far its gains and decisions move."""
    library = Library(packages.files("rnnoise", cache)["librnnoise.so"])
    weights, bias = library.plain("conv2")
    dense = [library.plain(name) for name in _DENSE]

    def entering(audio: np.ndarray) -> np.ndarray:
        return np.tanh(library.listened(audio)[0] @ weights.T + bias)

    def answers(audio: np.ndarray, given: np.ndarray) -> np.ndarray:
        """Return the original's gains and voice (T, 33), by exact sigmoids."""
        together = np.concatenate([given, *library.listened(audio)[1].swapaxes(0, 1)], axis=1)
        made = [1 / (1 + np.exp(-together @ matrix.T - bias)) for matrix, bias in dense]
        return np.concatenate(made, axis=1)

    test = [one.noisy for one in speech(_RATE, speakers, seed=2)]
    frames = [entering(audio) for audio in test]
    source = np.concatenate(list(map(answers, test, frames)))

    def score(runs: Runs) -> tuple[float, float]:
        found = np.concatenate(runs["all"](frames))[:, : source.shape[1]]
        changed = (found[:, -1] > 0.5) != (source[:, -1] > 0.5)
        gains = found[:, :-1] - source[:, :-1]
        return 100 * float(changed.mean()), float(np.sqrt(np.square(gains).mean()))

    network = import_network(library)
    calibration = [entering(one.noisy) for one in speech(_RATE, 4, seed=1)]
    return Network(
        "RNNoise",
        packages.version("rnnoise"),
        host="features, and two convolutions",
        data=f"{sum(map(len, frames)):,} frames of {describe()}, 0 to 10 dB",
        frames_per_second=_RATE / _FRAME,
        parts={"all": Part(network, calibration, with_wide_end(network.model, _WORD))},
        measures=(Measure("changed decisions", "%", 2), Measure("rms change of gains", "", 4)),
        score=score,
    )


def import_network(library: Library) -> ImportedNetwork:
    """Return the GRUs, and the dense layers that read all of them, as one layer."""
    items: list[Item] = [_gru(library, name) for name in _GRUS]
    weights, biases = zip(*map(library.plain, _DENSE), strict=True)
    items.append(Joined("all outputs", (-1, 0, 1, 2)))
    items.append(linear(" and ".join(_DENSE), np.concatenate(weights), np.concatenate(biases)))
    items.append(Activation("sigmoid", "sigmoid"))
    return checked("RNNoise", assemble(items, _CELLS), library.run, tolerance=_TOLERANCE)


def _gru(library: Library, name: str) -> Item:
    """Return one GRU; the diagonal that is kept beside its recurrent weights is added to them."""
    recurrent = library.weights(f"{name}_recurrent").copy()
    diagonal = library.floats(f"{name}_recurrent_weights_diag").reshape(3, _CELLS)
    for gate, values in zip(recurrent.reshape(3, _CELLS, _CELLS), diagonal, strict=True):
        gate[np.diag_indices(_CELLS)] += values
    biases = (library.floats(f"{name}_{kind}_bias") for kind in ("input", "recurrent"))
    entering = library.weights(f"{name}_input")
    return gru(name, entering, recurrent, *biases, order="zrn", reset_after=True)


def _symbols(file: bytes) -> dict[str, tuple[int, int]]:
    """Return (offset, bytes) of the symbols of a 64-bit ELF file by name.

    Its read-only data lie in the file where they lie in memory.
    """
    (start,) = struct.unpack_from("<Q", file, 40)
    size, count = struct.unpack_from("<HH", file, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", file, start + i * size) for i in range(count)]
    table = next(one for one in sections if one[1] == 2)  # SHT_SYMTAB
    names = sections[table[6]][4]
    found = {}
    for place in range(table[4], table[4] + table[5], table[9]):
        name, _, _, section, value, length = struct.unpack_from("<IBBHQQ", file, place)
        if 0 < section < count and sections[section][3] == sections[section][4]:
            end = file.index(b"\0", names + name)
            found[file[names + name : end].decode()] = (value, length)
    return found
