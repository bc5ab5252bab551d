"""build_plan: from an integer model and the sizes of the array to every number of the hardware."""

from dataclasses import dataclass

from ernn.errors import PlanError
from ernn.fixed import QFormat
from ernn.hw import latency
from ernn.hw.plan import (
    HardwarePlan,
    JobPlan,
    MemoryPlan,
    Mode,
    NetworkPlan,
    OutputPlan,
    QueuePlan,
    SegmentPlan,
    UnitJob,
    UnitPlan,
    ViewPlan,
    bits_for,
)
from ernn.hw.program import UNITS, Job, Program, program
from ernn.quant.integer_model import IntegerModel, Product
from ernn.quant.network import forward, inverse

FANOUT = 8  # PE rows behind one register of the broadcast tree
MAX_ACC_BITS = 48  # of a DSP block's accumulator
MAX_CHOICES = 4  # inputs of a multiplexer between two registers


@dataclass(frozen=True)
class Sizes:
    """What the planner chooses."""

    pe_rows: int
    pe_columns: int
    drain_lanes: int
    cell_lanes: int


@dataclass(frozen=True)
class Target:
    """What the user chooses."""

    name: str
    part: str
    clock_mhz: float
    streams: int


def macs_of(block: int) -> int:
    """Multipliers of one block of a spectrum: real bins, and three for each complex bin."""
    return block if block <= 2 else 2 + 3 * (block // 2 - 1)


def build_plan(model: IntegerModel, sizes: Sizes, target: Target) -> HardwarePlan:
    """Work out every number of one accelerator.

    Raises:
        PlanError: the model needs wider accumulators or multiplexers than the hardware has.
    """
    _check_sizes(model, sizes)
    return _Builder(model, sizes, target).plan()


def _check_sizes(model: IntegerModel, sizes: Sizes) -> None:
    if sizes.drain_lanes not in (1, 2, 4) or sizes.pe_rows % sizes.drain_lanes:
        raise PlanError(
            f"drain_lanes = {sizes.drain_lanes} with pe_rows = {sizes.pe_rows}; use 1, 2 or 4 "
            "lanes that divide the rows"
        )
    if sizes.cell_lanes > model.word or model.word % sizes.cell_lanes:
        raise PlanError(
            f"cell_lanes = {sizes.cell_lanes} does not divide the word of {model.word} values"
        )


class _Builder:
    def __init__(self, model: IntegerModel, sizes: Sizes, target: Target):
        self.model, self.sizes, self.target = model, sizes, target
        self.program: Program = program(model)
        self.word = model.word
        self.vector = QFormat(0, model.activation_bits - 1)
        blocks = sorted({product.block for product in model.products}, reverse=True)
        self.modes = tuple(self._mode(block) for block in blocks)
        self.queues = self._queues()
        self.offsets, self.views = self._views()
        self.memories = tuple(self._memory(name) for name in self.program.makers)

    def plan(self) -> HardwarePlan:
        model, sizes = self.model, self.sizes
        spectrum_bits = max(memory.spectrum_bits for memory in self.memories)
        operand_bits = spectrum_bits + (self.modes[0].block > 2)
        fracs = [product.weight.frac_bits for product in model.products]
        aligns = tuple(sorted({max(fracs) - frac for frac in fracs}))
        if len(aligns) > MAX_CHOICES or len(self.modes) > MAX_CHOICES:
            raise PlanError(
                f"the model has {len(self.modes)} block sizes and {len(aligns)} weight binary "
                f"points; at most {MAX_CHOICES} of each can be built"
            )
        jobs = self._jobs(aligns, max(fracs))
        per_pass = max(job.steps // job.passes for job in jobs)
        acc_bits = operand_bits + model.weight_bits + 1 + max(1, bits_for(per_pass))
        if acc_bits > MAX_ACC_BITS:
            raise PlanError(
                f"sums need {acc_bits} bits and a DSP block adds {MAX_ACC_BITS}; use fewer "
                "activation or weight bits"
            )
        sum_cycles = bits_for(sizes.pe_columns) if sizes.pe_columns > 1 else 0
        inverse_input = QFormat(model.row.int_bits + self.word.bit_length(), model.row.frac_bits)
        inverse_cycles = max(mode.inverse_cycles for mode in self.modes)
        inverse_networks = tuple(
            self._inverse_network(mode, inverse_input, inverse_cycles) for mode in self.modes
        )
        top = model.layers[-1].vectors["h"]
        feature = model.layers[0].vectors["x"]
        widest = max(feature.width, top.width, model.row.width)
        return HardwarePlan(
            name=self.target.name,
            part=self.target.part,
            clock_mhz=self.target.clock_mhz,
            streams=self.target.streams,
            features=model.features,
            labels=model.labels,
            word=self.word,
            input_words=self._words("x", 0),
            element_bits=8 * -(-widest // 8),
            pe_rows=sizes.pe_rows,
            pe_columns=sizes.pe_columns,
            drain_lanes=sizes.drain_lanes,
            fanout=FANOUT,
            macs=max(mode.groups * mode.macs for mode in self.modes),
            operand_bits=operand_bits,
            weight_bits=model.weight_bits + 1,
            acc_bits=acc_bits,
            sum_bits=acc_bits + sum_cycles,
            sum_cycles=sum_cycles,
            acc_frac_bits=max(fracs) + model.activation_bits - 1,
            aligns=aligns,
            inverse_input=inverse_input,
            inverse_networks=inverse_networks,
            inverse_bits=max(
                net.out_bits + mode.align_bits
                for net, mode in zip(inverse_networks, self.modes, strict=True)
            ),
            inverse_cycles=inverse_cycles,
            rows_cycles=sum_cycles + inverse_cycles + 5,
            modes=self.modes,
            jobs=jobs,
            weight_depth=max(2, sum(job.steps for job in jobs)),
            bias_depth=max(2, sum(job.entries for job in jobs)),
            memories=self.memories,
            queues=tuple(self.queues.values()),
            units=tuple(self._unit(kind) for kind in self.program.units),
            output=self._output(),
            row=model.row,
            gate=model.gate,
            state=model.state,
            peephole=model.peephole,
            vector=self.vector,
            top=top,
            feature=feature,
        )

    def _mode(self, block: int) -> Mode:
        groups, twiddle_bits = self.word // block, self.model.twiddle_bits
        return Mode(
            block=block,
            macs=macs_of(block),
            groups=groups,
            align_bits=groups.bit_length() - 1,
            forward_cycles=forward(block, twiddle_bits).latency_cycles,
            inverse_cycles=inverse(block, twiddle_bits).latency_cycles,
        )

    def _mode_index(self, block: int) -> int:
        return next(index for index, mode in enumerate(self.modes) if mode.block == block)

    def _words(self, memory: str, layer: int) -> int:
        """Words of a vector."""
        at = self.model.layers[layer]
        if memory == "x":
            segment = next(s for p in self.model.products for s in p.segments if s.vector == "x")
            return segment.spectra.shape[1] * segment.spectra.shape[2] // self.word
        return (at.output if memory in ("rec", "ff") else at.hidden) // self.word

    def _groups(self, words: int) -> int:
        return -(-words // self.sizes.pe_columns)

    # Queues

    def _rows(self, product: Product) -> int:
        """Output words times gates."""
        return product.bias.size // self.word

    def _entries(self, product: Product) -> int:
        return -(-self._rows(product) // self.sizes.drain_lanes)

    def _queues(self) -> dict[str, QueuePlan]:
        model, streams = self.model, self.target.streams
        queues: dict[str, QueuePlan] = {}

        def add(name, from_array, gates, bits, depth):
            lanes = self.sizes.drain_lanes if from_array else 1
            words = max(1, lanes // gates)
            depth = max(2, depth)
            queues[name] = QueuePlan(
                name, from_array, lanes, gates, bits, depth, bits_for(depth * words + 1)
            )

        for name in dict.fromkeys(job.queue for job in self.program.jobs):
            products = [
                self.model.products[job.product] for job in self.program.jobs if job.queue == name
            ]
            gates = len(products[0].gates)
            entries = max(self._entries(product) for product in products)
            entries = -(-entries // max(1, gates // self.sizes.drain_lanes))
            ahead = 2 if name == "logits" else 1  # rounds that may be waiting
            add(name, True, gates, model.row.width, entries * streams * ahead)
        hidden = max(layer.hidden for layer in model.layers) // self.word
        if "gru_reset" in self.program.units:
            add("z", False, 1, model.gate.width, hidden * streams)
        last = model.layers[-1]
        top_words = last.output // self.word
        add("vector", False, 1, last.vectors["h"].width, top_words * streams * 2)
        return queues

    def _queue_index(self, name: str) -> int:
        return list(self.queues).index(name)

    # Vector memories

    def _readers(self, memory: str, layer: int) -> list[tuple[Product, int]]:
        """Products and segment numbers that read a vector."""
        return [
            (self.model.products[job.product], index)
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
            for layer in range(1 if memory == "x" else len(self.model.layers)):
                words = self._words(memory, layer)
                readers = self._readers(memory, layer)
                if not readers:
                    found.append(ViewPlan(False, 0, words, 0, False, 0))
                    continue
                product, index = readers[0]
                scaled = product.segments[index].scale is not None
                found.append(
                    ViewPlan(True, base, words, self._mode_index(product.block), scaled, scale_base)
                )
                base += self._groups(words)
                scale_base += words if scaled else 0
            offsets[memory], views[memory] = base, tuple(found)
        return offsets, views

    def _memory(self, name: str) -> MemoryPlan:
        model = self.model
        views = self.views[name]
        readers = [
            product.segments[index]
            for layer in range(len(views))
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
            _width(forward(self.modes[mode].block, model.twiddle_bits).bounds(low, -low - 1)[-1])
            for mode in modes
        )
        forward_cycles = max(self.modes[mode].forward_cycles for mode in modes)
        scaled = bool(scale_formats)
        tokens = self.offsets[name]
        made = [layer.vectors["h" if name in ("rec", "ff") else name] for layer in model.layers]
        return MemoryPlan(
            name=name,
            maker=self.program.makers[name],
            modes=modes,
            networks=tuple(
                self._network(self.modes[m], False, transform_bits, spectrum_bits, forward_cycles)
                for m in modes
            ),
            views=views,
            input_bits=made[0].width,
            transform_bits=transform_bits,
            scaled=scaled,
            scale_bits=scale_bits,
            scale_words=max(2, sum(view.words for view in views if view.scaled)),
            scale_shift=scale_frac,
            spectrum_bits=spectrum_bits,
            forward_cycles=forward_cycles,
            latency_cycles=1 + 3 * scaled + forward_cycles,
            offset_bits=bits_for(self.offsets[name]),
            initial_tokens=tokens if name == "rec" else 0,
            count_bits=bits_for(2 * tokens + 1),
        )

    # Jobs

    def _jobs(self, aligns: tuple[int, ...], finest: int) -> tuple[JobPlan, ...]:
        jobs: list[JobPlan] = []
        weight_base = bias_base = 0
        readers = [
            i
            for i, job in enumerate(self.program.jobs)
            if any(r.memory == "x" for r in job.readings)
        ]
        memory_names = list(self.program.makers)
        for index, job in enumerate(self.program.jobs):
            product = self.model.products[job.product]
            segments = tuple(self._segment(reading, memory_names) for reading in job.readings)
            mode = self._mode_index(product.block)
            passes = -(-self._rows(product) // self.sizes.pe_rows)
            steps = passes * sum(s.groups for s in segments) * self.modes[mode].groups
            entries = self._entries(product)
            per_pass = self.sizes.pe_rows // self.sizes.drain_lanes
            jobs.append(
                JobPlan(
                    name=self._job_name(job, product),
                    product=job.product,
                    layer=product.layer,
                    mode=mode,
                    passes=passes,
                    segments=segments,
                    steps=steps,
                    weight_base=weight_base,
                    bias_base=bias_base,
                    entries=entries,
                    last_entries=entries - (passes - 1) * per_pass,
                    queue=self._queue_index(job.queue),
                    align=aligns.index(finest - product.weight.frac_bits),
                    releases_input=index == max(readers),
                )
            )
            weight_base += steps
            bias_base += entries
        return tuple(jobs)

    def _job_name(self, job: Job, product: Product) -> str:
        return f"layer{product.layer}.{product.name}" if product.name != "logits" else "logits"

    def _segment(self, reading, memory_names: list[str]) -> SegmentPlan:
        view = self.views[reading.memory][reading.layer]
        return SegmentPlan(
            memory=memory_names.index(reading.memory),
            base=view.base,
            groups=self._groups(view.words),
            first_use=reading.first_use,
            previous=reading.previous,
        )

    # Units

    def _unit(self, kind: str) -> UnitPlan:
        model = self.model
        lanes = self.word if kind == "projection" else self.sizes.cell_lanes
        beats = self.word // lanes
        names = list(UNITS[kind])
        paired = [f"{name}_x" for name in names if f"{name}_x" in self.queues]
        peepholes = kind == "lstm" and any(at.peepholes is not None for at in model.layers)
        lane_cycles = _lane_cycles(kind, peepholes)
        jobs, state_base = [], 0
        for index, layer in enumerate(model.layers):
            size = layer.output if kind == "projection" else layer.hidden
            split = any(p.layer == index and f"{p.name}" in paired for p in model.products)
            jobs.append(
                UnitJob(
                    layer=index,
                    words=size // self.word,
                    state_base=state_base,
                    paired=split,
                    top=kind == self.program.top and index == len(model.layers) - 1,
                )
            )
            state_base += size // lanes
        is_top = kind == self.program.top
        gates = kind in ("gru_reset", "gru_update")
        return UnitPlan(
            name=kind,
            queues=tuple(
                self._queue_index(name) for name in names + ["z"] * (kind == "gru_update")
            ),
            paired_queues=tuple(self._queue_index(name) for name in paired),
            jobs=tuple(jobs),
            lanes=lanes,
            beats=beats,
            lane_cycles=lane_cycles,
            latency_cycles=3 + bool(paired) + lane_cycles + (beats if beats > 1 else 0),
            state_beats=0 if kind == "projection" else state_base,
            value_bits=(model.layers[0].vectors["h"] if is_top else self.vector).width,
            peepholes=peepholes,
            cell_activation=model.layers[0].cell_activation,
            memories=tuple(
                i for i, maker in enumerate(self.program.makers.values()) if maker == kind
            ),
            gate_queue=self._queue_index("z") if gates else None,
        )

    def _output(self) -> OutputPlan:
        model = self.model
        logits = next((p for p in model.products if p.name == "logits"), None)
        return OutputPlan(
            vector_queue=self._queue_index("vector"),
            vector_words=model.layers[-1].output // self.word,
            logit_queue=self._queue_index("logits") if logits is not None else None,
            logit_words=self._rows(logits) if logits is not None else 0,
        )

    def _network(self, mode: Mode, inverted: bool, in_bits: int, out_bits: int, slowest: int):
        """Name a transform after its size and widths; k = 1 needs none."""
        kind = "ifft" if inverted else "fft"
        cycles = mode.inverse_cycles if inverted else mode.forward_cycles
        return NetworkPlan(
            module=f"ernn_{kind}{mode.block}_{in_bits}_{out_bits}" if mode.block > 1 else "",
            block=mode.block,
            groups=mode.groups,
            inverse=inverted,
            in_bits=in_bits,
            out_bits=out_bits,
            wait_cycles=slowest - cycles,
        )

    def _inverse_network(self, mode: Mode, source: QFormat, slowest: int) -> NetworkPlan:
        bounds = inverse(mode.block, self.model.twiddle_bits).bounds(source.min_raw, source.max_raw)
        return self._network(mode, True, source.width, _width(bounds[-1]), slowest)


def _lane_cycles(kind: str, peepholes: bool) -> int:
    """Cycles of one lane of a unit."""
    if kind == "lstm":
        return latency.lstm_lane_cycles(peepholes)
    return {
        "projection": 1,
        "gru_reset": latency.gru_reset_lane_cycles(),
        "gru_update": latency.gru_update_lane_cycles(),
        "gru_after": latency.gru_after_lane_cycles(),
    }[kind]


def _width(bounds: list[tuple[int, int]]) -> int:
    """Bits of a signed number that holds every value of the intervals."""
    return max(1 + max(high.bit_length(), (-low - 1).bit_length()) for low, high in bounds)
