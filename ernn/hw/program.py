"""The program of a model: its jobs, memories, queues and units, before any size is chosen.

Names here are the vocabulary of docs/hardware.md. Which unit writes which vector memory and which
job reads it follows from the cell alone; `ernn.hw.plan` adds the sizes.
"""

from dataclasses import dataclass

from ernn.errors import PlanError
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product

# Unit that turns the rows of a queue into a vector: kind, queues and gates of each queue. A queue
# "<name>_x" appears beside "<name>" where the input matrix has a block size of its own.
UNITS = {
    "lstm": {"gates": "ifgo"},
    "projection": {"projection": "y"},
    "gru_reset": {"zr": "zr"},
    "gru_update": {"n": "n"},
    "gru_after": {"zr": "zr", "nh": "n", "nx": "n"},
}


@dataclass(frozen=True)
class Reading:
    """One vector read by a job: from which memory, and whether it is that vector's first use."""

    memory: str
    layer: int  # whose output (memories "rec", "ff") or inner vector ("m", "rh") it is
    first_use: bool
    previous: bool  # of the frame before: masked in the first frame of an utterance


@dataclass(frozen=True)
class Job:
    """One product of one layer."""

    product: int  # index into IntegerModel.products
    queue: str
    readings: tuple[Reading, ...]  # one per segment


@dataclass(frozen=True)
class Program:
    """What the machine does for a frame, in order, and who makes which vector."""

    jobs: tuple[Job, ...]
    units: tuple[str, ...]  # kinds, keys of UNITS
    makers: dict[str, str]  # vector memory -> "input" or the unit that writes it

    @property
    def top(self) -> str:
        """The unit that makes the layers' output vectors."""
        return self.makers["rec"]


def program(model: IntegerParameters) -> Program:
    """Derive the program of a model.

    Raises:
        PlanError: layers whose cells differ in kind, which one set of units cannot serve.
    """
    kinds = {(layer.cell, "m" in layer.vectors, layer.cell_activation) for layer in model.layers}
    if len(kinds) > 1:
        raise PlanError(
            "the layers differ in cell, cell_activation or in having a projection; "
            "give every layer the same"
        )
    cell, projected, _ = kinds.pop()
    makers = {"x": "input"}
    if cell == "lstm":
        units = ("lstm", "projection") if projected else ("lstm",)
        if projected:
            makers["m"] = "lstm"
    elif cell == "gru_before":
        units = ("gru_reset", "gru_update")
        makers["rh"] = "gru_reset"
    else:
        units = ("gru_after",)
    makers["rec"] = units[-1]
    if len(model.layers) > 1 or model.labels:
        makers["ff"] = units[-1]
    return Program(_jobs(model), units, makers)


def _jobs(model: IntegerParameters) -> tuple[Job, ...]:
    used: set[tuple[str, int]] = set()
    jobs = []
    for index, product in enumerate(model.products):
        readings = []
        for segment in product.segments:
            memory, layer = _source(model, product, segment.vector)
            previous = memory == "rec"
            first = memory != "x" and (memory, layer) not in used
            used.add((memory, layer))
            readings.append(Reading(memory, layer, first, previous))
        queue = product.name.removesuffix("_h")
        jobs.append(Job(index, queue, tuple(readings)))
    return tuple(jobs)


def _source(model: IntegerParameters, product: Product, vector: str) -> tuple[str, int]:
    """Return the memory of a segment's vector and the layer that made it."""
    if product.layer == len(model.layers):
        return "ff", product.layer - 1
    if vector == "x":
        return ("ff", product.layer - 1) if product.layer else ("x", 0)
    return ("rec" if vector == "h" else vector), product.layer
