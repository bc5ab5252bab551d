"""The program of a model: its jobs, memories, queues and units, before any size is chosen.

Names here are the vocabulary of docs/hardware.md. Everything follows from the cells' graphs: a unit
for every region of operations, a vector memory for every vector that a unit makes and a matrix
multiplies, a queue for every product and for every value that crosses from unit to unit.
`ernn.hw.plan` adds the sizes.

Layers of the same cell, options and formats share their units, memories and queues; others have
their own, told apart by the unit that makes or reads them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ernn.cells import CELLS, OUTPUT_LAYER
from ernn.fixed import QFormat
from ernn.graphs.cell import INPUT, OUTPUT, Cell, Matvec, Options, Region
from ernn.graphs.reads import FEATURES
from ernn.hw.lane_plan import LanePlan, lane_plan
from ernn.hw.sources import Copy, by_source, copy_of, sources_of
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product
from ernn.quant.program import row_signal, signal, stem


@dataclass(frozen=True)
class Reading:
    """One vector read by a job: from which memory, and whether it is that vector's first use."""

    memory: str
    layer: int  # whose output or inner vector it is
    first_use: bool
    previous: bool  # of the frame before: masked in the first frame of an utterance


@dataclass(frozen=True)
class Job:
    """One product of one layer."""

    product: int  # index into Program.products
    queue: str
    readings: tuple[Reading, ...]  # one per segment


@dataclass(frozen=True)
class Queue:
    """Rows, or values that cross from unit to unit, on their way to their reader."""

    name: str
    reader: str  # a unit, or "output"
    values: tuple[str, ...]  # of a word, in order
    maker: str = ""  # a unit; empty: the array
    half: bool = False  # the second half of a pair


@dataclass(frozen=True)
class Memory:
    """A vector memory."""

    name: str  # "x", "m", "rec", "ff", ...; with its maker's name behind it where others have it
    maker: str  # "input" or a unit
    vector: str  # that it keeps, as the maker's cell calls it
    previous: bool  # it is read in the frame behind the one that made it
    copies: tuple[Copy, ...] = ()  # of vectors that enter layers, in the order of their first use


@dataclass(frozen=True)
class Kind:
    """Layers that share units."""

    name: str  # the cell's; with its first layer behind it where a cell has several kinds
    cell: str  # a key of ernn.cells.CELLS
    options: Options
    layers: tuple[int, ...]

    @property
    def graph(self) -> Cell:
        """What such a layer computes."""
        return CELLS[self.cell]

    @property
    def recurrent(self) -> bool:
        """Whether a frame's rows wait for the frame before."""
        products = self.graph.products(self.options)
        return any(vector == OUTPUT for product in products for vector, _ in product.parts)


@dataclass(frozen=True)
class Unit:
    """A cell unit: a region of operations for the layers of a kind."""

    name: str
    kind: Kind
    region: Region
    vector: str  # that its words are
    gives: tuple[str, ...]  # values for another unit
    constants: tuple[str, ...]  # values of its own memory
    state: str  # the memory of the state that it reads; empty: none
    writes_state: bool

    @property
    def formats(self) -> Mapping[str, str]:
        """Format of every value by name."""
        return self.kind.graph.formats(self.kind.options)


@dataclass(frozen=True)
class Program:
    """What the machine does for a frame, in order, and who makes which vector."""

    products: tuple[Product, ...]  # the model's, with a segment for each vector
    jobs: tuple[Job, ...]
    units: tuple[Unit, ...]
    memories: tuple[Memory, ...]
    queues: tuple[Queue, ...]  # the array's first

    @property
    def makers(self) -> dict[str, str]:
        """Vector memory -> "input" or the unit that writes it."""
        return {memory.name: memory.maker for memory in self.memories}

    def unit(self, name: str) -> Unit:
        """Return the unit of a name."""
        return next(unit for unit in self.units if unit.name == name)

    def memory(self, name: str) -> Memory:
        """Return the memory of a name."""
        return next(memory for memory in self.memories if memory.name == name)

    def layers(self, memory: str) -> tuple[int, ...]:
        """Return the layers whose vectors a memory's maker makes, in the order of its jobs."""
        maker = self.memory(memory).maker
        return (0,) if maker == "input" else self.unit(maker).kind.layers

    @property
    def top(self) -> str:
        """The unit that makes the output vector: the last one of the last layer."""
        last = max(layer for unit in self.units for layer in unit.kind.layers)
        return self.output_unit(last).name

    def output_unit(self, layer: int) -> Unit:
        """Return the unit that makes a layer's output."""
        return next(u for u in self.units if u.vector == OUTPUT and layer in u.kind.layers)


def program(model: IntegerParameters, recurrent_first: bool = False) -> Program:
    """Derive the program of a model; see `by_source` for the order."""
    products, units = by_source(model, recurrent_first), _units(_kinds(model))
    memories = _memories(model, products, units)
    queues = _queues(model, units)
    return Program(products, _jobs(model, products, units, memories), units, memories, queues)


def named(name: str, owner: str, owners: Iterable[str]) -> str:
    """Return the name of what several may own: their own where they are several."""
    return name if len(set(owners)) == 1 else f"{name}_{owner}"


# Kinds and units


def _kinds(model: IntegerParameters) -> tuple[Kind, ...]:
    """Group the layers; constants that some layers of a kind lack are zeros for them."""
    found: dict[tuple, list[int]] = {}
    for index, layer in enumerate(model.layers):
        options = layer.options
        made = {name: form for name, form in layer.vectors.items() if name != INPUT}
        key = (layer.cell, replace(options, peepholes=False), tuple(sorted(made.items(), key=str)))
        found.setdefault(key, []).append(index)
    cells = [cell for cell, *_ in found]
    return tuple(
        Kind(
            cell if cells.count(cell) == 1 else f"{cell}_layer{layers[0]}",
            cell,
            replace(options, peepholes=any(model.layers[i].options.peepholes for i in layers)),
            tuple(layers),
        )
        for (cell, options, _), layers in found.items()
    )


def _units(kinds: tuple[Kind, ...]) -> tuple[Unit, ...]:
    regions = [(kind, region) for kind in kinds for region in kind.graph.regions(kind.options)]
    stateful = [kind.name for kind in kinds if kind.graph.state]
    units = []
    for kind, region in regions:
        cell, formats = kind.graph, kind.graph.formats(kind.options)
        vectors = [value for value in region.writes if value in cell.vectors(kind.options)]
        reads_state = cell.state is not None and cell.state.name in region.reads
        kept = cell.state.next if cell.state else ""
        units.append(
            Unit(
                name=region.unit + kind.name.removeprefix(cell.name),
                kind=kind,
                region=region,
                vector=vectors[0],
                gives=tuple(v for v in region.writes if v not in (*vectors, kept)),
                constants=tuple(
                    value
                    for parameter in cell.parameters.values()
                    for value in parameter.values
                    if value in region.reads and formats[value] == "peephole"
                ),
                state=named("state", kind.name, stateful) if reads_state else "",
                writes_state=kept in region.writes,
            )
        )
    return tuple(units)


# Memories


def _memories(
    model: IntegerParameters, products: tuple[Product, ...], units: tuple[Unit, ...]
) -> tuple[Memory, ...]:
    """Return the memories: features, inner vectors, outputs fed back, outputs fed on."""
    inner = [unit for unit in units if unit.vector != OUTPUT]
    fed_back = [unit for unit in units if unit.vector == OUTPUT and unit.kind.recurrent]
    copies = _copies(model, products)
    held = {unit: _held(copies, unit.kind.layers) for unit in units if unit.vector == OUTPUT}
    fed_on = [unit for unit, found in held.items() if found]
    found = [
        Memory(_numbered("x", n), "input", INPUT, False, one)
        for n, one in enumerate(_held(copies, (FEATURES,)))
    ]
    for unit in inner:
        owners = [other.name for other in inner if other.vector == unit.vector]
        found.append(Memory(named(unit.vector, unit.name, owners), unit.name, unit.vector, False))
    for unit in fed_back:
        name = named("rec", unit.name, [other.name for other in fed_back])
        found.append(Memory(name, unit.name, OUTPUT, True))
    for unit in fed_on:
        name = named("ff", unit.name, [other.name for other in fed_on])
        for n, one in enumerate(held[unit]):
            found.append(Memory(_numbered(name, n), unit.name, OUTPUT, False, one))
    return tuple(found)


def _copies(model: IntegerParameters, products: tuple[Product, ...]) -> list[Copy]:
    """Return every vector that enters a layer, once for each form, in the order of first uses."""
    read = [
        copy_of(product, segment, vector)
        for product in products
        for segment, vector in zip(product.segments, sources_of(model, product), strict=True)
        if segment.vector == INPUT
    ]
    return list(dict.fromkeys(read))


def _held(copies: list[Copy], vectors: tuple[int, ...]) -> list[tuple[Copy, ...]]:
    """Share copies of a maker's vectors out to memories.

    A memory has one count of tokens a stream for all its vectors, so they have to be used for the
    first time in the order in which they are made; and it keeps a vector in one form.
    """
    found: list[list[Copy]] = []
    for copy in copies:
        if copy.vector not in vectors:
            continue
        for held in found:
            if held[-1].vector < copy.vector:
                held.append(copy)
                break
        else:
            found.append([copy])
    return [tuple(held) for held in found]


def _numbered(name: str, index: int) -> str:
    return f"{name}_{index + 1}" if index else name


# Queues


def _queues(model: IntegerParameters, units: tuple[Unit, ...]) -> tuple[Queue, ...]:
    found: dict[str, Queue] = {}
    for product in model.products:
        name = _queue_name(model, units, product)
        if is_output(model, product):
            found.setdefault(name, Queue(name, "output", ("row_y",)))
            continue
        unit, matvec = _reader(units, product)
        half = product.name.endswith("_x")
        found.setdefault(name, Queue(name, unit.name, matvec.rows, half=half))
    crossing = [(unit, value) for unit in units for value in unit.gives]
    for maker, value in crossing:
        (reader,) = (u for u in units if u.kind is maker.kind and value in u.region.reads)
        owners = [unit.name for unit, other in crossing if other == value]
        name = named(value, maker.name, [*owners, *(queue for queue in found if queue == value)])
        found[name] = Queue(name, reader.name, (value,), maker=maker.name)
    return tuple(found.values())


def is_output(model: IntegerParameters, product: Product) -> bool:
    """Whether a product's rows are the logits."""
    return model.stack[product.layer].kind is OUTPUT_LAYER


def _reader(units: tuple[Unit, ...], product: Product) -> tuple[Unit, Matvec]:
    """Return the unit that reads the rows of a product, and the product in its cell."""
    own = [unit for unit in units if product.layer in unit.kind.layers]
    kind = own[0].kind
    name = stem(product.name)
    matvec = next(m for m in kind.graph.products(kind.options) if m.name == name)
    return next(u for u in own if set(matvec.rows) & set(u.region.reads)), matvec


def _queue_name(model: IntegerParameters, units: tuple[Unit, ...], product: Product) -> str:
    if is_output(model, product):
        return product.name
    name, unit = stem(product.name), _reader(units, product)[0].name
    owners = [
        _reader(units, other)[0].name
        for other in model.products
        if not is_output(model, other) and stem(other.name) == name
    ]
    return named(name, unit, owners) + ("_x" if product.name.endswith("_x") else "")


# Jobs


def _jobs(
    model: IntegerParameters,
    products: tuple[Product, ...],
    units: tuple[Unit, ...],
    memories: tuple[Memory, ...],
) -> tuple[Job, ...]:
    used: set[tuple[str, int]] = set()
    jobs = []
    for index, product in enumerate(products):
        readings = []
        for segment, maker in zip(product.segments, sources_of(model, product), strict=True):
            if segment.vector == INPUT:
                copy = copy_of(product, segment, maker)
                memory = next(memory for memory in memories if copy in memory.copies)
            else:
                memory = _own_memory(units, memories, product.layer, segment.vector)
            layer = max(maker, 0)  # features count as the first layer's
            first = memory.maker != "input" and (memory.name, layer) not in used
            used.add((memory.name, layer))
            readings.append(Reading(memory.name, layer, first, memory.previous))
        jobs.append(Job(index, _queue_name(model, units, product), tuple(readings)))
    return tuple(jobs)


def _own_memory(
    units: tuple[Unit, ...], memories: tuple[Memory, ...], layer: int, vector: str
) -> Memory:
    """Return the memory of a vector that a layer makes for itself."""
    makers = {unit.name for unit in units if layer in unit.kind.layers}
    return next(
        memory
        for memory in memories
        if memory.maker in makers and (memory.vector, memory.previous) == (vector, vector == OUTPUT)
    )


def formats_of(model: IntegerParameters, unit: Unit) -> dict[str, QFormat]:
    """Return what the names of formats mean in a unit."""
    vectors = model.layers[unit.kind.layers[0]].vectors
    return {
        "row": model.row,
        "gate": model.gate,
        "state": model.state,
        "vector": vectors[unit.vector],
        "peephole": model.peephole,
    }


def unit_lane(model: IntegerParameters, unit: Unit) -> LanePlan:
    """Return the lane of a unit."""
    return lane_plan(unit.region, unit.formats, formats_of(model, unit))


def shown(model: IntegerParameters) -> Iterator[str]:
    """Yield the signals that leave a unit or the array, and so appear in a simulation."""
    for product in model.products:
        yield row_signal(model.stack[product.layer].kind, product.layer, product.name)
    for unit in program(model).units:
        state = unit.kind.graph.state
        kept = [state.name] if state and unit.writes_state else []
        for layer in unit.kind.layers:
            for name in (unit.vector, *kept, *unit.gives):
                yield signal(unit.kind.graph, layer, name)
