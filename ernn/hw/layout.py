"""Layout: where every row and vector of a plan lies, and the transforms in front of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ernn.bilinear import spectral
from ernn.fixed import QFormat
from ernn.graphs.cell import INPUT, OUTPUT
from ernn.graphs.fourier import forward, inverse
from ernn.graphs.reads import FEATURES
from ernn.hw.array_plan import Mode, TransformPlan, bits_for
from ernn.hw.gather import Mask, arrange
from ernn.hw.program import Program, Queue, Unit, formats_of, program, unit_lane
from ernn.hw.sources import by_source
from ernn.hw.steps import cut
from ernn.hw.storage_plan import MemoryPlan, QueuePlan, ViewPlan
from ernn.hw.widths import signed_bits
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product
from ernn.recipe import BLOCK_SIZES


@dataclass(frozen=True)
class Sizes:
    """What the planner chooses."""

    pe_rows: int
    pe_columns: int
    drain_lanes: int
    cell_lanes: int
    word: int | None = None  # values that move together; the model's word if not given
    logic_macs: int = 0  # multipliers of each PE that are built from logic, the first ones
    shift_bits: int = 0  # of the block rows' own binary points, more than the model asks for
    tile_rows: int = 0  # PE rows that gather their blocks together; 0: what the model's blocks need
    slices: int = 0  # see ernn.hw.gather; 0: the most that take no more cycles
    recurrent_first: bool = False  # in each job, before x
    weights_once: bool = False  # stored; where no block is of 4 or more, nothing changes


def words_of(model: IntegerParameters) -> list[int]:
    """Return the words that every vector of a model is a multiple of, smallest first.

    Where blocks are left out, features are filled up to whole words, at no step's cost.
    """
    sizes = {size for layer in model.layers for size in (layer.hidden, layer.output)}
    segments = [segment for product in by_source(model) for segment in product.segments]
    partial = any(one.present is not None and not one.present.all() for one in segments)
    sizes |= {one.columns for one in segments if not (partial and one.vector == INPUT)}
    sizes |= {product.bias.size // len(product.gates) for product in model.products}
    largest = max(product.block for product in model.products)
    return [
        word for word in BLOCK_SIZES if word >= largest and not any(size % word for size in sizes)
    ]


def masks_of(products: Sequence[Product], word: int) -> list[Mask]:
    """Return which blocks have weights, of each product; none where all of all have."""
    if all(segment.present is None for product in products for segment in product.segments):
        return []
    units = word // max(product.block for product in products)
    found = [Mask(product, word // product.block, units) for product in products]
    return [] if all(mask.complete for mask in found) else found


def tiles(
    products: Sequence[Product], masks: Sequence[Mask], sizes: Sizes, word: int
) -> tuple[int, int]:
    """Return the rows of a group and the slices of a word; 0, 1 where to gather gains nothing."""
    if not masks:
        return 0, 1
    rows, columns = sizes.pe_rows, sizes.pe_columns
    if sizes.tile_rows:
        return sizes.tile_rows, sizes.slices
    least = rows // sizes.drain_lanes
    tile_rows, slices = arrange(masks, rows, columns, least, sizes.slices)
    every = [np.array(cut(one, word, rows, columns).lengths) for one in products]
    found = [mask.lengths(rows, columns, tile_rows, slices) for mask in masks]
    gains = _cycles(found, least) < _cycles(every, least)
    return (tile_rows, slices) if gains else (0, 1)


def _cycles(passes: Sequence[np.ndarray], least: int) -> tuple[int, int]:
    """Return the cycles of all passes if none is shorter than ``least``, and their steps."""
    busy = sum(int(np.maximum(lengths, least).sum()) for lengths in passes)
    return busy, sum(int(lengths.sum()) for lengths in passes)


class Layout:
    """Sizes of everything that is stored, for one model and one choice of sizes."""

    def __init__(self, model: IntegerParameters, sizes: Sizes, streams: int):
        self.model, self.sizes, self.streams = model, sizes, streams
        self.program: Program = program(model, sizes.recurrent_first)
        self.word = sizes.word or model.word
        blocks = sorted({product.block for product in model.products}, reverse=True)
        self.modes = tuple(self._mode(block) for block in blocks)
        masks = masks_of(self.program.products, self.word)
        self.tile_rows, self.slices = tiles(self.program.products, masks, sizes, self.word)
        self.gathers = self.tile_rows > 0
        self.orders = [
            cut(
                self.program.products[job.product],
                self.word,
                sizes.pe_rows,
                sizes.pe_columns,
                (self.tile_rows, self.slices, masks[job.product]) if self.gathers else None,
                [reading.memory if reading.first_use else "" for reading in job.readings],
            )
            for job in self.program.jobs
        ]
        self.queues = self._queues()
        self.offsets, self.views = self._views()
        self.memories = tuple(self._memory(name) for name in self.program.makers)

    def _mode(self, block: int) -> Mode:
        groups, twiddle_bits = self.word // block, self.model.twiddle_bits
        return Mode(
            block=block,
            macs=spectral(block).products,
            groups=groups,
            align_bits=groups.bit_length() - 1,
            forward_cycles=forward(block, twiddle_bits).latency_cycles,
            inverse_cycles=inverse(block, twiddle_bits).latency_cycles,
        )

    def mode_index(self, block: int) -> int:
        return next(index for index, mode in enumerate(self.modes) if mode.block == block)

    def words(self, memory: str, layer: int) -> int:
        """Words of a vector."""
        vector = self.program.memory(memory).vector
        if vector == INPUT:
            return -(-self.model.size(FEATURES) // self.word)
        return self.size(layer, vector) // self.word

    def size(self, layer: int, vector: str) -> int:
        """Elements of a vector that a layer makes."""
        at = self.model.layers[layer]
        return at.output if vector == OUTPUT else at.hidden

    def lanes(self, unit: Unit) -> int:
        """Elements that a unit makes a cycle: a word, where lanes have no multipliers."""
        return self.sizes.cell_lanes if unit_lane(self.model, unit).multipliers else self.word

    def addresses(self, words: int) -> int:
        """Return the addresses of a vector: a copy has all words, a bank one of each group."""
        return words if self.gathers else -(-words // self.sizes.pe_columns)

    @property
    def has_gaps(self) -> bool:
        """Whether places without a weight meet values, or make rows that leave the array."""
        columns, lanes = self.sizes.pe_columns, self.sizes.drain_lanes
        segments = [segment for product in self.program.products for segment in product.segments]
        masks = [one.present for one in segments if one.present is not None]
        return (
            not all(mask.all() for mask in masks)
            or any(words % columns for order in self.orders for words in order.words)
            or any(self.rows(product) % lanes for product in self.model.products)
        )

    # Queues

    def rows(self, product: Product) -> int:
        """Output words times gates."""
        return product.bias.size // self.word

    def entries(self, product: Product) -> int:
        return -(-self.rows(product) // self.sizes.drain_lanes)

    def _queues(self) -> dict[str, QueuePlan]:
        model, streams, word = self.model, self.streams, self.word
        queues: dict[str, QueuePlan] = {}

        def add(name, from_array, values, bits, depth):
            lanes = self.sizes.drain_lanes if from_array else 1
            depth = max(2, depth)
            count_bits = bits_for(depth * max(1, lanes // len(values)) + 1)
            queues[name] = QueuePlan(name, from_array, lanes, values, bits, depth, count_bits)

        for queue in self.program.queues:
            ahead = self._rounds_ahead(queue)
            if queue.maker:
                unit = self.program.unit(queue.maker)
                words = max(model.layers[layer].hidden for layer in unit.kind.layers) // word
                bits = formats_of(model, unit)[unit.formats[queue.values[0]]].width
                add(queue.name, False, queue.values, bits, words * streams * ahead)
                continue
            entries = max(
                self.entries(model.products[job.product])
                for job in self.program.jobs
                if job.queue == queue.name
            )
            entries = -(-entries // max(1, len(queue.values) // self.sizes.drain_lanes))
            add(queue.name, True, queue.values, model.row.width, entries * streams * ahead)
        last = model.layers[-1]
        words = last.output // word
        add("vector", False, (OUTPUT,), last.vectors[OUTPUT].width, words * streams * 2)
        return queues

    def _rounds_ahead(self, queue: Queue) -> int:
        """Rounds whose words may wait in a queue.

        The array begins a round when the one before is still on its way, but with a single layer
        that is fed back it waits for each stream's vector. With more it fills the queues with the
        next layer, or the next round's first, while the unit is at work on the one before.
        """
        if queue.reader == "output":
            return 2
        kind = self.program.unit(queue.reader).kind
        return 1 if len(kind.layers) == 1 and kind.recurrent else 2

    def queue_index(self, name: str) -> int:
        return list(self.queues).index(name)

    # Vector memories

    def view(self, memory: str, layer: int) -> ViewPlan:
        """Where a layer's vector lies."""
        return self.views[memory][self.program.layers(memory).index(layer)]

    def _readers(self, memory: str, layer: int) -> list[tuple[Product, int]]:
        """Products and segment numbers that read a vector."""
        return [
            (self.program.products[job.product], index)
            for job in self.program.jobs
            for index, reading in enumerate(job.readings)
            if (reading.memory, reading.layer) == (memory, layer)
        ]

    def _views(self) -> tuple[dict[str, int], dict[str, tuple[ViewPlan, ...]]]:
        """Lay out every vector of every memory: banks' words per frame, and the views."""
        offsets: dict[str, int] = {}
        views: dict[str, tuple[ViewPlan, ...]] = {}
        for memory in self.program.makers:
            base = scale_base = 0
            found = []
            for layer in self.program.layers(memory):
                words = self.words(memory, layer)
                readers = self._readers(memory, layer)
                if not readers:
                    found.append(ViewPlan(False, 0, words, 0, False, 0))
                    continue
                product, index = readers[0]
                scaled = product.segments[index].scale is not None
                found.append(
                    ViewPlan(
                        True,
                        base,
                        words,
                        self.mode_index(product.block),
                        scaled,
                        scale_base if scaled else 0,
                    )
                )
                base += self.addresses(words)
                scale_base += words if scaled else 0
            offsets[memory], views[memory] = base, tuple(found)
        return offsets, views

    def _silent(self, name: str) -> tuple[int, ...]:
        """Return the offsets of a memory that no first use waits for."""
        return tuple(
            self.view(name, reading.layer).base + word
            for job, order in zip(self.program.jobs, self.orders, strict=True)
            if order.gather
            for segment, (reading, words) in enumerate(zip(job.readings, order.words, strict=True))
            if reading.memory == name and reading.first_use
            for word in range(words)
            if all(token[1:] != (segment, word) for token in order.tokens)
        )

    def _memory(self, name: str) -> MemoryPlan:
        model = self.model
        views = self.views[name]
        readers = [
            product.segments[index]
            for layer in self.program.layers(name)
            for product, index in self._readers(name, layer)
        ]
        formats = {segment.scaled for segment in readers}
        transform_bits = max(fmt.width for fmt in formats)
        scale_formats = [s.scale_format for s in readers if s.scale_format is not None]
        scale_frac = max((fmt.frac_bits for fmt in scale_formats), default=0)
        scale_bits = max((f.width + scale_frac - f.frac_bits for f in scale_formats), default=1)
        modes = tuple(sorted({view.mode for view in views if view.enabled}))
        low = -(1 << (transform_bits - 1))
        spectrum_bits = max(
            signed_bits(
                forward(self.modes[mode].block, model.twiddle_bits).bounds(low, -low - 1)[-1]
            )
            for mode in modes
        )
        forward_cycles = max(self.modes[mode].forward_cycles for mode in modes)
        scaled = bool(scale_formats)
        # Words that come in pieces, or that nobody reads, would move the transform for nothing.
        maker = self.program.memory(name).maker
        steady = maker == "input" or self.lanes(self.program.unit(maker)) == self.word
        direct = steady and all(view.enabled for view in views) and forward_cycles and not scaled
        silent = self._silent(name)
        tokens = self.offsets[name] - len(silent)
        memory = self.program.memory(name)
        made = model.layers[self.program.layers(name)[0]].vectors[memory.vector]
        return MemoryPlan(
            name=name,
            maker=memory.maker,
            modes=modes,
            networks=tuple(
                self._transform(self.modes[m], False, transform_bits, spectrum_bits, forward_cycles)
                for m in modes
            ),
            views=views,
            input_bits=made.width,
            transform_bits=transform_bits,
            scaled=scaled,
            scaled_bits=max((s.scaled.width for s in readers if s.scale is not None), default=0),
            scale_bits=scale_bits,
            scale_words=max(2, sum(view.words for view in views if view.scaled)),
            scale_shift=scale_frac,
            spectrum_bits=spectrum_bits,
            forward_cycles=forward_cycles,
            latency_cycles=(not direct) + 3 * scaled + forward_cycles,
            offset_bits=bits_for(self.offsets[name]),
            initial_tokens=tokens if memory.previous else 0,
            count_bits=bits_for(2 * tokens + 1),
            silent=silent,
        )

    def _transform(self, mode: Mode, inverted: bool, in_bits: int, out_bits: int, slowest: int):
        """Name a transform after its size and widths; k = 1 needs none."""
        kind = "ifft" if inverted else "fft"
        cycles = mode.inverse_cycles if inverted else mode.forward_cycles
        return TransformPlan(
            module=f"ernn_{kind}{mode.block}_{in_bits}_{out_bits}" if mode.block > 1 else "",
            block=mode.block,
            groups=mode.groups,
            inverse=inverted,
            in_bits=in_bits,
            out_bits=out_bits,
            wait_cycles=slowest - cycles,
        )

    def inverse_transform(self, mode: Mode, source: QFormat, slowest: int) -> TransformPlan:
        bounds = inverse(mode.block, self.model.twiddle_bits).bounds(source.min_raw, source.max_raw)
        return self._transform(mode, True, source.width, signed_bits(bounds[-1]), slowest)
