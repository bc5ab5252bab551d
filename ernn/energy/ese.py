"""ESE run at any network: its matrices pruned or trained, encoded, and worked off cycle by cycle.

`ernn.energy.baselines.model_ese` divides a share of the weights by PEs, and takes waiting from the
published row. Here both follow: padding zeros from the encoding, waiting from PEs and queues.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ernn.energy.shape import Matrix, Shape
from ernn.errors import ModelFileError
from ernn.ese.encoding import PES, WEIGHT_BITS, encode
from ernn.ese.machine import Machine
from ernn.fixed import QFormat
from ernn.parts.part import Part
from ernn.structures.magnitude import Balance

# The paper prunes ten-fold, of which its abstract speaks; the 11.2 % of its weights that are
# published as stored are more because of padding zeros.
KEEP = 0.10

Weights = Mapping[str, np.ndarray]  # (rows, cols) by name, "layer0.input" ... "output"


@dataclass(frozen=True)
class Sparse:
    """What ESE's machine is given: integers, without padding, and where they are from in words."""

    weights: Weights
    origin: str


@dataclass(frozen=True)
class EseRun:
    """One network on ESE's machine."""

    origin: str  # of the weights, in words
    dense: int  # weights without compression
    weights: int  # that are not 0
    padding: int  # zeros stored with them
    bits: dict[str, int]  # of weights, indices and pointers
    cycles: int  # of one frame of every channel
    busy: float  # share of the PEs' cycles with a weight or padding zero
    computed_us: float  # entries over PEs, as the paper computes its latency
    latency_us: float
    channels: int
    fits: bool  # what is stored, into the part's block RAM

    @property
    def stored_bits(self) -> int:
        """All of them."""
        return sum(self.bits.values())

    @property
    def stored_share(self) -> float:
        """Entries, padding zeros with them, as a share of the weights without compression."""
        return (self.weights + self.padding) / self.dense


def run_ese(
    shape: Shape,
    sparse: Sparse,
    part: Part,
    clock_mhz: float,
    machine: Machine | None = None,
    stacked: bool = False,
) -> EseRun:
    """Encode the matrices of a network and count the cycles of a frame.

    Gates are matrices of their own, as in the paper. Products whose vectors are known at the same
    time follow each other without a pause; candidate, projection, output and the next layer wait
    for the ones before. Cells take no time: ESE works on them beside the products.

    Args:
        shape: of the network.
        sparse: its weights.
        part: whose memories must hold what is stored.
        clock_mhz: clock.
        machine: what works on it; None: as published.
        stacked: the gates of a matrix are encoded as one, with a pointer for all of them.
    """
    machine = machine or Machine()
    cycles, entries, padding, bits = 0, 0, 0, {"weights": 0, "indices": 0, "pointers": 0}
    for step in steps(shape):
        gates = [
            one
            for name, count in step
            for one in np.split(sparse.weights[name], 1 if stacked else count)
        ]
        coded = [encode(one, machine.pes) for one in gates]
        cycles += machine.cycles(coded)[0]
        entries += sum(one.stored for one in coded)
        padding += sum(one.padding for one in coded)
        bits = {name: bits[name] + sum(one.bits[name] for one in coded) for name in bits}
    return EseRun(
        *(sparse.origin, shape.dense, entries - padding, padding, bits),
        *(cycles, entries / (machine.pes * cycles), entries / machine.pes / clock_mhz),
        *(cycles / clock_mhz, machine.channels, sum(bits.values()) <= 1024 * part.memory_kbit),
    )


def steps(shape: Shape) -> Iterator[list[tuple[str, int]]]:
    """Yield the matrices whose vectors are known at the same time, and the gates in each."""
    for index, layer in enumerate(shape.layers):
        at, hidden = f"layer{index}", layer.hidden
        gates = [("input", layer.input), ("recurrent", layer.recurrent)]
        yield [(f"{at}.{name}", one.rows // hidden) for name, one in gates]
        if layer.candidate:
            yield [(f"{at}.candidate", 1)]
        if layer.projection:
            yield [(f"{at}.projection", 1)]
    if shape.output:
        yield [("output", 1)]


def sizes(shape: Shape) -> dict[str, tuple[int, int]]:
    """Return the rows and columns of every matrix by name, without padding."""
    found: dict[str, tuple[int, int]] = {}
    for index, layer in enumerate(shape.layers):
        known: dict[str, Matrix | None] = {
            "input": layer.input,
            "recurrent": layer.recurrent,
            "candidate": layer.candidate,
            "projection": layer.projection,
        }
        found |= {f"layer{index}.{name}": (m.rows, m.cols) for name, m in known.items() if m}
    if shape.features is not None:
        found["layer0.input"] = found["layer0.input"][0], shape.features
    if shape.output:
        labels = shape.output.rows if shape.labels is None else shape.labels
        found["output"] = labels, shape.output.cols
    return found


def random_sparse(shape: Shape, keep: float = KEEP, seed: int = 0) -> Sparse:
    """Return matrices of 0 and 1: a share of the weights, as many in every PE, at random places."""
    rng, known = np.random.default_rng(seed), sizes(shape)
    found = {}
    for name, gates in (one for step in steps(shape) for one in step):
        chosen = Balance(keep, PES, gates).choose(rng.random(known[name]))
        found[name] = chosen.astype(np.int64)
    return Sparse(found, f"{100 * keep:g} % of the weights, at random places")


def trained_sparse(shape: Shape, matrices: Weights, origin: str, bits: int = WEIGHT_BITS) -> Sparse:
    """Return a model's matrices as integers, without padding.

    Args:
        shape: of the network that they have to be of.
        matrices: floats by name.
        origin: of the weights, in words.
        bits: of a weight; the format is the finest of each matrix.

    Raises:
        ModelFileError: they are of another network.
    """
    found, known = {}, sizes(shape)
    if unknown := sorted(set(matrices) - set(known)):
        raise ModelFileError(
            f"the sparse model has {unknown[0]}",
            allowed=", ".join(known),
            remedy="give a model of the same cell and layers",
        )
    for name, (rows, cols) in known.items():
        given = matrices.get(name)
        if given is None or given.shape[0] < rows or given.shape[1] < cols:
            told = "no such matrix" if given is None else f"{given.shape[0]} x {given.shape[1]}"
            raise ModelFileError(
                f"{name} of the sparse model",
                given=told,
                allowed=f"{rows} x {cols}",
                remedy="give a model of the same cell and sizes",
            )
        matrix = given[:rows, :cols]
        found[name] = QFormat.for_range(float(np.abs(matrix).max()), bits).quantize(matrix)
    return Sparse(found, origin)
