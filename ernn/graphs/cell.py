"""What a cell is: a small graph of products and element-wise operations on named values.

A cell of `ernn.cells` is one `Cell`; everything that computes, counts or builds a cell reads it:
training, the float model, the integer model, fine-tuning, memories, queues and units.

Every value has a name and a format by name. Widths and binary points belong to a model:

    row       what leaves a product, before an activation; relu stays here
    gate      what a sigmoid or a tanh makes, within [-1, 1]
    state     what a cell keeps from step to step
    vector    what a matrix multiplies; a vector's own format where a model gives it one
    peephole  constants that multiply a state

Element-wise values have H elements (one per cell of the layer), and Y in a region behind a
projection. An operation computes exactly, then rounds once: see `ernn.fixed.QFormat.requantize`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Format = Literal["row", "gate", "state", "vector", "peephole"]
Function = Literal["sigmoid", "tanh", "relu", "none"]

INPUT, OUTPUT = "x", "h"  # of a layer: what enters it, and what leaves it and may be fed back
SQUASHING = ("sigmoid", "tanh")  # functions with a table, from ROW to GATE


@dataclass(frozen=True)
class Matvec:
    """A product: rows = bias + the sum of matrices times vectors. Rows are in ROW.

    The vector "h" is the layer's output of the step before; every other vector but "x" is a value
    in "vector" that a node in front makes.
    """

    name: str  # of the product in traces and plans
    gates: str  # a letter per row value, in order; they lie side by side in the matrices too
    rows: tuple[str, ...]  # the ROW values that it makes, one per gate
    parts: tuple[tuple[str, str], ...]  # (vector, matrix): they share the rows; "x" first
    bias: str | None = "bias"  # "bias": the layer's own, at its gates; else a parameter, or none


@dataclass(frozen=True)
class Act:
    """out = function(row): in GATE for a sigmoid or a tanh, in ROW for relu and none."""

    out: str
    function: Function
    row: str

    @property
    def to(self) -> Format:
        """Format of the result."""
        return "gate" if self.function in SQUASHING else "row"


@dataclass(frozen=True)
class Mul:
    """out = a * b, rounded, + add (which is in the result's format), saturated."""

    out: str
    to: Format
    a: str
    b: str
    add: str | None = None


@dataclass(frozen=True)
class Dot2:
    """out = a * b + c * d: the products are aligned to the finer one, added, rounded once."""

    out: str
    to: Format
    a: str
    b: str
    c: str
    d: str


@dataclass(frozen=True)
class Lerp:
    """out = a + weight * (b - a): a and b are aligned to the finer one; rounded once."""

    out: str
    to: Format
    a: str
    b: str
    weight: str


@dataclass(frozen=True)
class Move:
    """out = a in another format."""

    out: str
    to: Format
    a: str


Operation = Act | Mul | Dot2 | Lerp | Move
Node = Matvec | Operation


def reads(node: Operation) -> tuple[str, ...]:
    """Return the values that an element-wise operation reads, in the order of its fields."""
    match node:
        case Act(row=row):
            return (row,)
        case Mul(a=a, b=b, add=add):
            return (a, b) if add is None else (a, b, add)
        case Dot2(a=a, b=b, c=c, d=d):
            return (a, b, c, d)
        case Lerp(a=a, b=b, weight=weight):
            return (a, b, weight)
        case Move(a=a):
            return (a,)


@dataclass(frozen=True)
class Matrix:
    """A weight matrix of a cell."""

    gates: str  # its rows, stacked: a letter for every H rows ("y": for the layer's Y outputs)
    vector: str  # that it multiplies


@dataclass(frozen=True)
class Parameter:
    """Constants beside matrices and the bias: an array (len(values), H), or (H,) for one."""

    values: tuple[str, ...]  # a name for every row of the array
    to: Format  # "peephole": read by operations; "row": the bias of a Matvec


@dataclass(frozen=True)
class State:
    """What a cell keeps: operations read ``name``; ``next`` takes its place for the next step.

    In a trace the signal ``name`` is the state behind the step: the value of ``next``.
    """

    name: str
    next: str


@dataclass(frozen=True)
class Options:
    """What a recipe may choose about a cell; a cell that has no such choice ignores it."""

    cell_activation: str = "tanh"  # of a gate that the cell leaves open
    peepholes: bool = False
    projection: bool = False


@dataclass(frozen=True)
class Region:
    """The operations between products: what one hardware unit computes, element by element."""

    unit: str  # its name
    nodes: tuple[Operation, ...]
    reads: tuple[str, ...]  # values from outside: rows, states, parameters, other regions' values
    writes: tuple[str, ...]  # values that are read outside: states, vectors, other regions' values


@dataclass(frozen=True)
class Cell:
    """One kind of layer; see the module. Instances are the files of `ernn.cells`."""

    name: str  # in models and plans
    about: str  # one line for people
    matrices: Mapping[str, Matrix]
    nodes: Callable[[Options], tuple[Node, ...]]  # in program order
    units: tuple[str, ...]  # a name per region, in order
    state: State | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    family: str = ""  # what a recipe calls it, where cells share a name; else its own
    reset: str = ""  # which of its family it is
    activations: tuple[str, ...] = ()  # that `Options.cell_activation` may be, the default first
    open_gates: str = ""  # whose bias training starts at 1 instead of 0
    signals: tuple[str, ...] = ()  # inner values that a trace shows beside rows, states, vectors

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def called(self) -> str:
        """What recipes and people call it."""
        return self.family or self.name

    @property
    def projects(self) -> bool:
        """Whether a projection may stand behind the cell."""
        return "projection" in self.matrices

    @property
    def recurrent(self) -> bool:
        """Whether a step needs the step before."""
        return self.state is not None or any(m.vector == OUTPUT for m in self.matrices.values())

    @property
    def gates(self) -> str:
        """The gates that the bias has rows for, as it stacks them: those of the first matrix."""
        return next(iter(self.matrices.values())).gates

    def products(self, options: Options) -> tuple[Matvec, ...]:
        """Return the products in program order."""
        return tuple(node for node in self.nodes(options) if isinstance(node, Matvec))

    def steps(self, options: Options) -> tuple[Matvec | Region, ...]:
        """Return products and regions in program order."""
        runs: dict[Node, Region] = {one.nodes[0]: one for one in self.regions(options)}
        found = (runs.get(node, node) for node in self.nodes(options))
        return tuple(step for step in found if isinstance(step, Matvec | Region))

    def matrices_of(self, options: Options) -> tuple[str, ...]:
        """Return the names of the matrices that the products use, in the cell's own order."""
        used = {matrix for product in self.products(options) for _, matrix in product.parts}
        return tuple(name for name in self.matrices if name in used)

    def gates_by_product(self, options: Options, matrix: str) -> tuple[int, ...]:
        """Return how many of a matrix's gates each product takes, in the order of its rows."""
        stacked = self.matrices[matrix].gates
        taken = [p.gates for p in self.products(options) if matrix in dict(p.parts).values()]
        return tuple(len(gates) for gates in sorted(taken, key=stacked.index))

    def vectors(self, options: Options) -> tuple[str, ...]:
        """Return the vectors that matrices multiply, and the output."""
        used = [vector for product in self.products(options) for vector, _ in product.parts]
        return tuple(dict.fromkeys([INPUT, OUTPUT, *used]))

    def formats(self, options: Options) -> dict[str, Format]:
        """Return the format of every element-wise value by name, products' rows included."""
        found: dict[str, Format] = {}
        if self.state:
            found[self.state.name] = "state"
        for parameter in self.parameters.values():
            found |= dict.fromkeys(parameter.values, parameter.to)
        for node in self.nodes(options):
            if isinstance(node, Matvec):
                found |= dict.fromkeys(node.rows, "row")
            else:
                found[node.out] = node.to
        return found

    def regions(self, options: Options) -> tuple[Region, ...]:
        """Return the regions in program order."""
        return _regions(self, options)

    def unbounded(self, options: Options) -> frozenset[str]:
        """Return the values that may leave [-1, 1], rows included: calibration finds their range.

        A sigmoid or a tanh is bounded; so are products of bounded values, and what lies between
        two of them.
        """
        free: set[str] = set()
        while True:  # a state is bounded if it is made of bounded values, itself among them
            found = {
                name for name, to in self.formats(options).items() if to in ("row", "peephole")
            }
            for node in self.nodes(options):
                if isinstance(node, Matvec | Act):
                    continue
                added = isinstance(node, Dot2) or (isinstance(node, Mul) and node.add is not None)
                if added or (found | free) & set(reads(node)):
                    found.add(node.out)
            if self.state and self.state.next in found:
                found.add(self.state.name)
            if found == free:
                return frozenset(found)
            free = found


@lru_cache
def _regions(cell: Cell, options: Options) -> tuple[Region, ...]:
    runs = list(_runs(cell.nodes(options)))
    made = [{node.out for node in run} for run in runs]
    kept = {cell.state.next} if cell.state else set()
    fed = {vector for product in cell.products(options) for vector, _ in product.parts} | {OUTPUT}
    wanted = [list(dict.fromkeys(name for node in run for name in reads(node))) for run in runs]
    regions = []
    for index, run in enumerate(runs):
        elsewhere = {name for other in wanted[:index] + wanted[index + 1 :] for name in other}
        entering = tuple(name for name in wanted[index] if name not in made[index])
        outs = (node.out for node in run)
        leaving = tuple(name for name in outs if name in kept | fed | elsewhere)
        regions.append(Region(cell.units[index], run, entering, leaving))
    return tuple(regions)


def _runs(nodes: tuple[Node, ...]) -> Iterator[tuple[Operation, ...]]:
    """Yield each run of element-wise operations."""
    run: list[Operation] = []
    for node in nodes:
        if not isinstance(node, Matvec):
            run.append(node)
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)
