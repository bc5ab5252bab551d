"""Choose the sizes of an accelerator for a part; say what else was possible and what limits it.

Candidates are every word that suits the model, every split of the longest product into passes,
every column split and every number of drain and cell lanes. Multipliers that find no DSP block are
built from logic, unless the objective is energy, of which they take several times as much. A bound
on their cycles sorts the candidates, and the cycle model decides among the best.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil

import numpy as np

from ernn.bilinear import spectral
from ernn.errors import PlanError
from ernn.hw.build import MAX_ROWS, Target, build_plan
from ernn.hw.cost import Resources, most_macs, resources, shortages
from ernn.hw.cycles import Rate, rate
from ernn.hw.gather import Mask
from ernn.hw.layout import Sizes, masks_of, tiles, words_of
from ernn.hw.plan import HardwarePlan
from ernn.hw.program import program, unit_lane
from ernn.hw.refusal import Asked, fitted, forms_of, lacking, refusal
from ernn.hw.steps import cut
from ernn.hw.variants import with_bits
from ernn.hw.weight_code import least_bits
from ernn.parts.part import Part, load_part
from ernn.quant.integer_model import IntegerModel
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product
from ernn.recipe import MAX_STREAMS, HardwareRecipe
from ernn.structures.magnitude import MAGNITUDE, NOT_BUILT

MAX_COLUMNS = 8  # words read at once: banks of every vector memory
MAX_PATHS = 128  # words read at once where each PE column of some rows gathers its own
JUDGED = 24  # candidates that the cycle model looks at
FEW_BITS, WIDE_BITS = 8, 12  # a model of as few is compared with one of as many
TIE = 1.02  # among designs within it of the best, the smallest wins


@dataclass(frozen=True)
class Design:
    """A plan that fits its part, what it takes and how fast it is."""

    plan: HardwarePlan
    used: Resources
    rate: Rate

    @property
    def frames_per_second(self) -> float:
        """All streams together."""
        return self.rate.frames_per_second(self.plan.clock_mhz)

    @property
    def latency_us(self) -> float:
        """Of a frame that comes alone, in microseconds."""
        return self.rate.latency_cycles / self.plan.clock_mhz

    @property
    def multipliers(self) -> int:
        """DSP blocks, and multipliers built from logic."""
        return self.used.dsp + self.plan.pes * self.plan.logic_macs

    @property
    def fabric(self) -> int:
        """LUTs and flip-flops."""
        return self.used.lut + self.used.ff

    def beats(self, other: "Design") -> bool:
        """Whether it is as good in rate, latency and size, and better in one of them."""
        mine, theirs = self._merits, other._merits
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))

    @property
    def _merits(self) -> tuple[float, int, int, int]:
        cycles, latency = self.rate.cycles_per_frame, self.rate.latency_cycles
        return cycles, latency, self.used.dsp, self.used.lut


@dataclass(frozen=True)
class Exploration:
    """What a planner found."""

    part: Part  # a user's own one has no other home
    chosen: Design
    front: tuple[Design, ...]  # judged designs that no other one beats, fastest first
    roofline_cycles: float  # per frame, all DSP blocks of the part multiplying in every cycle
    limit: str  # what keeps the chosen design from being faster
    larger: str  # why the next faster design does not fit; empty if there is none
    wider: HardwarePlan | None  # of the same sizes at WIDE_BITS, if a model has fewer than it
    once: str = ""  # why weights are stored once; empty: they are not


def make_plan(model: IntegerModel, hardware: HardwareRecipe, name: str) -> HardwarePlan:
    """Return the plan that `explore` chooses."""
    return explore(model, hardware, name).chosen.plan


def explore(model: IntegerParameters, hardware: HardwareRecipe, name: str) -> Exploration:
    """Return the best design for the recipe's part and objective; sizes that it names are kept.

    Raises:
        PlanError: the part is not known, nothing fits it, or nothing is as fast as asked for; says
            by how much, and what would do. Or the model was pruned weight by weight.
    """
    if MAGNITUDE in model.meta:
        raise PlanError(NOT_BUILT).at(model.meta[MAGNITUDE].partition(",")[0])
    part = load_part(hardware.part)
    target = Target(name, part.name, hardware.clock_mhz, hardware.streams)
    asked = Asked(hardware, part, target)
    why, short = "the recipe asks for it" if hardware.weights else "", []
    for once in forms_of(model, hardware):
        explorer = _Explorer(model, asked, once)
        judged = explorer.judged()
        if judged:
            return explorer.run(judged, why if once else "")
        short = explorer.rejected[-1][1] if explorer.rejected else []
        missing = lacking(model, asked, [once]) or short
        why = why or f"stored thrice, it would need {', '.join(missing)}"
    raise PlanError(refusal(model, asked, short))


@dataclass(frozen=True)
class _Bound:
    """What no schedule of a candidate can beat."""

    sizes: Sizes
    array: int  # cycles of the array per frame: steps, or drains where they take longer
    cells: int
    buses: int
    latency_cycles: int
    multipliers: int

    @property
    def cycles_per_frame(self) -> int:
        return max(self.array, self.cells, self.buses)


class _Explorer:
    def __init__(self, model: IntegerParameters, asked: Asked, once: bool):
        self.model, self.once = model, once
        self.hardware, self.part, self.target = asked
        self.most_macs = most_macs(model.products, self.part)
        found = program(model)
        self.products = found.products
        self.multipliers = {u.name: unit_lane(model, u).multipliers for u in found.units}
        queues = {queue.name: queue.reader for queue in found.queues}
        self.readers = [queues[job.queue] for job in found.jobs]  # of each product's rows
        busy = [
            sum(model.layers[layer].hidden for layer in unit.kind.layers)
            for unit in found.units
            if self.multipliers[unit.name]
        ]
        self.busiest = max(busy, default=0)  # elements of a frame in one unit with multipliers
        self.rejected: list[tuple[_Bound, list[str]]] = []  # what does not fit, and why
        self.masks: dict[int, list[Mask]] = {}  # by word: of all products, if any leaves blocks out

    def judged(self) -> list[Design]:
        """Return the most promising designs that fit."""
        # Where weights are too many at any size, no candidate needs to be built to know it.
        fits = least_bits(self.model.products, self.once) <= self.part.most_bits
        return list(islice(self._fitting(), JUDGED)) if fits else []

    def run(self, judged: list[Design], why: str) -> Exploration:
        """Choose among designs; ``why`` weights are stored once."""
        chosen = self._choose(judged)
        front = tuple(
            sorted(
                (one for one in judged if not any(other.beats(one) for other in judged)),
                key=lambda one: one.rate.cycles_per_frame,
            )
        )
        roofline = sum(map(_multiplications, self.model.products)) / max(1, self.part.dsp)
        limit, larger = self._limit(chosen), self._larger(chosen)
        return Exploration(
            self.part, chosen, front, roofline, limit, larger, self._wider(chosen), why
        )

    def _choose(self, judged: list[Design]) -> Design:
        if self.hardware.objective == "smallest":
            asked = self.hardware.realtime_fps or 0
            able = [one for one in judged if one.frames_per_second >= asked]
            if not able:
                best = max(one.frames_per_second for one in judged)
                raise PlanError(
                    f"no design for {self.part.name} makes so many frames/s at "
                    f"{self.target.clock_mhz:g} MHz",
                    given=f"{asked:,.0f}",
                    allowed=f"up to {best:,.0f}, of the designs judged",
                    remedy="lower realtime_fps, raise clock_mhz or take a larger part",
                )
            return min(able, key=lambda one: (one.multipliers, one.used.lut))
        cycles = [self._cycles(one.rate) for one in judged]
        able = [
            one for one, found in zip(judged, cycles, strict=True) if found <= TIE * min(cycles)
        ]
        if self.hardware.objective == "energy":  # the fabric is what designs of a rate differ in
            return min(able, key=lambda one: one.fabric)
        return min(able, key=lambda one: (one.multipliers, one.used.lut))

    def _cycles(self, of: "Rate | _Bound") -> float:
        """Return the cycles that the objective counts."""
        latency = self.hardware.objective == "latency"
        return of.latency_cycles if latency else of.cycles_per_frame

    # Candidates, most promising first

    def _fitting(self) -> Iterator[Design]:
        for bound in sorted(map(self._bound, self._candidates()), key=self._order):
            plan = self._fitted(self.model, bound.sizes)
            used = resources(plan, self.part)
            missing = shortages(used, self.part, self.hardware.headroom)
            if missing:
                self.rejected.append((bound, missing))
            else:
                yield Design(plan, used, rate(plan))

    def _order(self, bound: _Bound) -> tuple[float, ...]:
        if self.hardware.objective != "smallest":
            return self._cycles(bound), bound.multipliers
        allowed = self.target.clock_mhz * 1e6 / (self.hardware.realtime_fps or 1)
        late = bound.cycles_per_frame > allowed
        return (late, bound.cycles_per_frame if late else bound.multipliers, bound.cycles_per_frame)

    def _candidates(self) -> Iterator[Sizes]:
        named = self.hardware
        first = named.objective == "latency"  # frames that come alone
        for word in [named.word] if named.word else words_of(self.model):
            most_pes = max(1, self.most_macs // self._pe_macs(word))  # with nothing else
            rows = max(product.bias.size // word for product in self.model.products)
            words = max(-(-s.columns // word) for p in self.products for s in p.segments)
            masks = self.masks[word] = masks_of(self.products, word)
            most = MAX_PATHS if masks else MAX_COLUMNS
            widths = range(1, min(most, words) + 1)
            lanes = [1 << bit for bit in range(word.bit_length())]
            for drain in [named.drain_lanes] if named.drain_lanes else (1, 2, 4):
                split = {drain * ceil(rows / (drain * passes)) for passes in range(1, rows + 1)}
                for count in [named.pe_rows] if named.pe_rows else sorted(split):
                    for width in [named.pe_columns] if named.pe_columns else widths:
                        too_many = count > MAX_ROWS or count * width > most_pes
                        if too_many and not named.pe_rows:
                            continue
                        for tile_rows, slices in self._tiles(count, width, drain, word):
                            for lane in [named.cell_lanes] if named.cell_lanes else lanes:
                                sizes = Sizes(count, width, drain, lane, word)
                                sizes = replace(sizes, tile_rows=tile_rows, slices=slices)
                                yield replace(sizes, recurrent_first=first, weights_once=self.once)

    def _tiles(self, rows: int, columns: int, drain: int, word: int) -> Iterator[tuple[int, int]]:
        """Yield the rows of a group and the slices of a word that are worth a look."""
        masks = self.masks[word]
        if not masks:
            yield 0, 0
            return
        units = masks[0].units
        for slices in range(1, units + 1):
            if columns % slices or units % slices:
                continue
            sizes = Sizes(rows, columns, drain, 1, word, slices=slices)
            tile_rows, found = tiles(self.products, masks, sizes, word)
            if rows // (tile_rows or rows) * columns <= MAX_PATHS:
                yield tile_rows, found

    def _bound(self, sizes: Sizes) -> _Bound:
        word = sizes.word or self.model.word
        array = latency = 0
        for number, (product, reader) in enumerate(zip(self.products, self.readers, strict=True)):
            lengths = self._lengths(number, product, sizes)
            array += int(np.maximum(lengths, sizes.pe_rows // sizes.drain_lanes).sum())
            rows = product.bias.size // word
            last = rows - (lengths.size - 1) * sizes.pe_rows  # of the last pass: nothing hides it
            lanes = sizes.cell_lanes if self.multipliers.get(reader, 0) else word
            behind = ceil(last / len(product.gates)) * word // lanes
            latency += int(lengths.sum()) + max(ceil(last / sizes.drain_lanes), behind)
        cells = self.busiest // sizes.cell_lanes
        logits = self.model.products[-1].bias.size if self.model.has_output_layer else 0
        inputs = ceil(self.model.features / word)
        output = (self.model.layers[-1].output + logits) // word
        macs = sizes.pe_rows * sizes.pe_columns * self._pe_macs(word)
        lanes = sizes.cell_lanes * sum(self.multipliers.values())
        return _Bound(sizes, array, cells, max(inputs, output), latency + inputs, macs + lanes)

    def _lengths(self, number: int, product: Product, sizes: Sizes) -> np.ndarray:
        """Return the steps of each pass of a product."""
        word, rows, columns = sizes.word or self.model.word, sizes.pe_rows, sizes.pe_columns
        if sizes.tile_rows:
            mask = self.masks[word][number]
            return mask.lengths(rows, columns, sizes.tile_rows, sizes.slices)
        return np.array(cut(product, word, rows, columns).lengths)

    def _pe_macs(self, word: int) -> int:
        return max(word // p.block * spectral(p.block).products for p in self.model.products)

    # What is said about them

    def _wider(self, chosen: Design) -> HardwarePlan | None:
        """Return the plan that few bits are compared with."""
        most = max(self.model.weight_bits, self.model.activation_bits)
        if most > FEW_BITS and not all(product.levels for product in self.model.products):
            return None
        variant = with_bits(self.model, WIDE_BITS)
        return self._fitted(variant, sizes_of(chosen.plan))

    def _fitted(self, model: IntegerParameters, sizes: Sizes) -> HardwarePlan:
        return fitted(build_plan(model, sizes, self.target), self.part, self.hardware)

    def _limit(self, chosen: Design) -> str:
        plan, cycles = chosen.plan, chosen.rate.cycles_per_frame
        bound = self._bound(sizes_of(plan))
        waits = cycles - bound.cycles_per_frame
        drain = ", and waits for its drain" if bound.array > plan.steps else ""
        where = {
            bound.buses: "the AXI4-Stream bus",
            bound.cells: "the cell lanes",
            bound.array: f"the array ({plan.steps} steps a frame{drain})",
        }[bound.cycles_per_frame]
        told = f"{where} is busy in {bound.cycles_per_frame} of {cycles:g} cycles a frame"
        if waits > 0.05 * cycles and plan.streams < MAX_STREAMS:
            told += "; more streams would fill the others"
        return told

    def _larger(self, chosen: Design) -> str:
        mine = self._cycles(self._bound(sizes_of(chosen.plan)))
        faster = [entry for entry in self.rejected if self._cycles(entry[0]) < mine]
        if not faster:
            return ""
        bound, missing = max(faster, key=lambda entry: self._cycles(entry[0]))
        sizes = bound.sizes
        return (
            f"{sizes.pe_rows} x {sizes.pe_columns} PEs, words of {sizes.word}, "
            f"drain lanes {sizes.drain_lanes}, cell lanes {sizes.cell_lanes}: {', '.join(missing)}"
        )


def sizes_of(plan: HardwarePlan) -> Sizes:
    """Return the sizes that a plan was built from."""
    lanes = next((unit.lanes for unit in plan.units if unit.lane.multipliers), plan.word)
    sizes = Sizes(
        plan.pe_rows,
        plan.pe_columns,
        plan.drain_lanes,
        lanes,
        plan.word,
        plan.logic_macs,
        plan.shift_bits,
        recurrent_first=plan.recurrent_first,
        weights_once=bool(plan.once_bits),
    )
    if plan.gather is None:
        return sizes
    return replace(sizes, tile_rows=plan.tile_rows, slices=plan.slices)


def _multiplications(product: Product) -> int:
    """Return those of a frame, without padding to passes and columns."""
    return sum(segment.blocks for segment in product.segments) * spectral(product.block).products
