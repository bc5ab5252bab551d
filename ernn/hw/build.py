"""build_plan: from an integer model and the sizes of the array to every number of the hardware."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import NamedTuple

from ernn.errors import PlanError
from ernn.hw.array_plan import JobPlan, SegmentPlan, bits_for
from ernn.hw.layout import Layout, Sizes, words_of
from ernn.hw.plan import HardwarePlan
from ernn.hw.program import Job, Reading, Unit, formats_of, is_output, named, unit_lane
from ernn.hw.rams import rams
from ernn.hw.storage_plan import OutputPlan, StatePlan
from ernn.hw.stored import stored_bits
from ernn.hw.unit_plan import Given, UnitJob, UnitPlan, pop_cycles
from ernn.hw.weight_code import weight_code
from ernn.hw.widths import Bounds, bounds, signed_bits
from ernn.quant.parameters import IntegerParameters
from ernn.quant.products import Product
from ernn.quant.program import signal

FANOUT = 8  # PE rows behind one register of the broadcast tree
MAX_ACC_BITS = 48  # of a DSP block's accumulator
MAX_ROWS = 999  # three digits in the names of their weight files
MAX_CHOICES = 4  # inputs of a multiplexer between two registers


@dataclass(frozen=True)
class Target:
    """What the user chooses."""

    name: str
    part: str
    clock_mhz: float
    streams: int


def build_plan(model: IntegerParameters, sizes: Sizes, target: Target) -> HardwarePlan:
    """Work out every number of one accelerator.

    Raises:
        PlanError: the model needs wider accumulators or multiplexers than the hardware has.
    """
    _check_sizes(model, sizes)
    plan = _Builder(model, sizes, target).plan()
    return replace(plan, rams=rams(plan))


def _check_sizes(model: IntegerParameters, sizes: Sizes) -> None:
    if sizes.drain_lanes not in (1, 2, 4) or sizes.pe_rows % sizes.drain_lanes:
        raise PlanError(
            f"drain_lanes = {sizes.drain_lanes} with pe_rows = {sizes.pe_rows}",
            remedy="use 1, 2 or 4 lanes that divide the rows",
        )
    if sizes.tile_rows and sizes.pe_rows % sizes.tile_rows:
        raise PlanError(
            f"tile_rows = {sizes.tile_rows} with pe_rows = {sizes.pe_rows}",
            remedy="use a divisor of the rows, or 0 for what the model's blocks need",
        )
    if sizes.pe_rows > MAX_ROWS:
        raise PlanError(
            f"pe_rows = {sizes.pe_rows}", remedy=f"use at most {MAX_ROWS}, and more pe_columns"
        )
    word = sizes.word or model.word
    if word not in words_of(model):
        allowed = ", ".join(map(str, words_of(model)))
        raise PlanError(f"word = {word} does not suit the model's vectors", remedy=f"use {allowed}")
    if sizes.cell_lanes > word or word % sizes.cell_lanes:
        raise PlanError(
            f"cell_lanes = {sizes.cell_lanes} does not divide the word of {word} values",
            remedy="use a divisor of it",
        )
    units = word // max(product.block for product in model.products)
    if sizes.slices and (sizes.pe_columns % sizes.slices or units % sizes.slices):
        raise PlanError(
            f"slices = {sizes.slices} with pe_columns = {sizes.pe_columns} and {units} of the "
            "largest blocks in a word",
            remedy="use a divisor of both, or 0 for what the model's blocks allow",
        )


class _Widths(NamedTuple):
    """Bits of what the array computes; see the fields of the plan."""

    operand: int
    acc: int
    sum: int
    add: int
    aligned: int


class _Builder:
    def __init__(self, model: IntegerParameters, sizes: Sizes, target: Target):
        self.model, self.sizes, self.target = model, sizes, target
        self.layout = Layout(model, sizes, target.streams)
        self.program = self.layout.program
        self.code = weight_code(model.products, self.layout.has_gaps)

    def plan(self) -> HardwarePlan:
        model, sizes = self.model, self.sizes
        fracs = [product.weight.frac_bits for product in model.products]
        finest = max(fracs)
        shift_bits = max(model.shift_bits, sizes.shift_bits)
        if shift_bits:  # bits that a shift drops must lie below the half that is rounded by
            finest = max(finest, model.row.frac_bits - model.vector.frac_bits + 1)
        aligns = tuple(sorted({finest - frac for frac in fracs}))
        if len(aligns) > MAX_CHOICES or len(self.layout.modes) > MAX_CHOICES:
            raise PlanError(
                f"the model has {len(self.layout.modes)} block sizes and {len(aligns)} weight "
                "binary points",
                allowed=f"{MAX_CHOICES} of each",
                remedy="give them fewer",
            )
        macs = max(mode.groups * mode.macs for mode in self.layout.modes)
        jobs = self._jobs(aligns, finest)
        widths = self._widths(jobs, aligns)
        sum_cycles = bits_for(sizes.pe_columns) if sizes.pe_columns > 1 else 0
        inverse_cycles = max(mode.inverse_cycles for mode in self.layout.modes)
        inverse_networks = tuple(
            self.layout.inverse_transform(mode, model.inverse_input, inverse_cycles)
            for mode in self.layout.modes
        )
        units = tuple(map(self._unit, self.program.units))
        top = model.layers[-1].vectors["h"]
        feature = model.layers[0].vectors["x"]
        widest = max(feature.width, top.width, model.row.width)
        return HardwarePlan(
            name=self.target.name,
            part=self.target.part,
            clock_mhz=self.target.clock_mhz,
            streams=self.target.streams,
            features=model.features,
            labels=model.labels if model.has_output_layer else 0,
            word=self.layout.word,
            input_words=self.layout.words("x", 0),
            element_bits=8 * -(-widest // 8),
            pe_rows=sizes.pe_rows,
            pe_columns=sizes.pe_columns,
            drain_lanes=sizes.drain_lanes,
            recurrent_first=sizes.recurrent_first,
            tile_rows=self.layout.tile_rows or sizes.pe_rows,
            slices=self.layout.slices,
            fanout=FANOUT,
            macs=macs,
            logic_macs=0 if self.code.powers else min(sizes.logic_macs, macs),
            operand_bits=widths.operand,
            weight_bits=self.code.bits,
            weight_powers=self.code.powers,
            weight_odd=self.code.odd,
            once_bits=self._once_bits(),
            acc_bits=widths.acc,
            sum_bits=widths.sum,
            add_bits=widths.add,
            aligned_bits=widths.aligned,
            sum_cycles=sum_cycles,
            acc_frac_bits=finest + model.vector.frac_bits,
            aligns=aligns,
            inverse_input=model.inverse_input,
            inverse_networks=inverse_networks,
            inverse_bits=max(
                net.out_bits + mode.align_bits
                for net, mode in zip(inverse_networks, self.layout.modes, strict=True)
            ),
            inverse_cycles=inverse_cycles,
            shift_bits=shift_bits,
            modes=self.layout.modes,
            jobs=jobs,
            weight_depth=max(2, sum(job.steps for job in jobs)),
            bias_depth=max(2, sum(job.entries for job in jobs)),
            memories=self.layout.memories,
            queues=tuple(self.layout.queues.values()),
            units=units,
            states=self._states(units),
            output=self._output(),
            row=model.row,
            gate=model.gate,
            state=model.state,
            peephole=model.peephole,
            vector=model.vector,
            top=top,
            feature=feature,
            circuits=_circuits(model),
        )

    def _once_bits(self) -> int:
        if not self.sizes.weights_once:
            return 0
        return stored_bits(self.model.products, self.layout.word, self.code.bits)

    def _widths(self, jobs: tuple[JobPlan, ...], aligns: tuple[int, ...]) -> _Widths:
        """Return the bits of all that the array computes."""
        columns = self.sizes.pe_columns
        found = [self._bounds(job) for job in jobs]
        operand_bits = max(
            *(signed_bits(one.operands) for one in found),
            *(memory.spectrum_bits for memory in self.layout.memories),
        )
        # A PE extends its products, so that a sum is no narrower than they are.
        acc_bits = max(
            operand_bits + self.code.value_bits, *(signed_bits(one.sums) for one in found)
        )
        if acc_bits > MAX_ACC_BITS:
            raise PlanError(
                f"sums need {acc_bits} bits and a DSP block adds {MAX_ACC_BITS}",
                remedy="use fewer activation or weight bits",
            )
        all_columns = [one.columns(columns) for one in found]
        sum_bits = max(acc_bits, *(signed_bits(one.sums) for one in all_columns))
        spectra = [one.spectrum for one in all_columns]
        return _Widths(
            operand=operand_bits,
            acc=acc_bits,
            sum=sum_bits,
            add=max(map(signed_bits, spectra)),
            aligned=max(
                signed_bits(
                    (low << aligns[job.align], high << aligns[job.align]) for low, high in one
                )
                for job, one in zip(jobs, spectra, strict=True)
            ),
        )

    def _bounds(self, job: JobPlan) -> Bounds:
        """Bound a job's numbers in one column of PEs."""
        product, mode = self.program.products[job.product], self.layout.modes[job.mode]
        vectors = tuple(
            (segment.scaled, job.order.most(place))
            for place, segment in enumerate(product.segments)
        )
        return bounds(mode.block, self.model.twiddle_bits, product.weight_range, vectors)

    # Jobs

    def _jobs(self, aligns: tuple[int, ...], finest: int) -> tuple[JobPlan, ...]:
        jobs: list[JobPlan] = []
        weight_base = bias_base = 0
        readers = [
            i
            for i, job in enumerate(self.program.jobs)
            if any(self.program.memory(r.memory).maker == "input" for r in job.readings)
        ]
        memory_names = list(self.program.makers)
        for index, job in enumerate(self.program.jobs):
            product = self.model.products[job.product]
            segments = tuple(self._segment(reading, memory_names) for reading in job.readings)
            order = self.layout.orders[index]
            entries = self.layout.entries(product)
            per_pass = self.sizes.pe_rows // self.sizes.drain_lanes
            jobs.append(
                JobPlan(
                    name=self._job_name(job, product),
                    product=job.product,
                    layer=product.layer,
                    mode=self.layout.mode_index(product.block),
                    order=order,
                    segments=segments,
                    weight_base=weight_base,
                    bias_base=bias_base,
                    entries=entries,
                    last_entries=entries - (order.passes - 1) * per_pass,
                    queue=self.layout.queue_index(job.queue),
                    align=aligns.index(finest - product.weight.frac_bits),
                    releases_input=index == max(readers),
                )
            )
            weight_base += order.count
            bias_base += entries
        return tuple(jobs)

    def _job_name(self, job: Job, product: Product) -> str:
        return signal(self.model.stack[product.layer].kind, product.layer, product.name)

    def _segment(self, reading: Reading, memory_names: list[str]) -> SegmentPlan:
        view = self.layout.view(reading.memory, reading.layer)
        return SegmentPlan(
            memory=memory_names.index(reading.memory),
            base=view.base,
            first_use=reading.first_use,
            previous=reading.previous,
        )

    # Units

    def _unit(self, unit: Unit) -> UnitPlan:
        layout, word = self.layout, self.layout.word
        formats = formats_of(self.model, unit)
        lane = unit_lane(self.model, unit)
        lanes = layout.lanes(unit)
        beats = word // lanes
        own = [queue for queue in self.program.queues if queue.reader == unit.name]
        paired = tuple(layout.queue_index(queue.name) for queue in own if queue.half)
        state = unit.kind.graph.state
        jobs, state_beats = self._unit_jobs(unit, lanes, paired)
        found = [*([state.name] if state and unit.state else []), *unit.constants]
        entry = max(layout.queues[queue.name].words for queue in own)
        pop = pop_cycles(lane, beats, entry, () if paired else found)
        return UnitPlan(
            name=unit.name,
            cell=unit.kind.cell,
            queues=tuple(layout.queue_index(queue.name) for queue in own if not queue.half),
            paired_queues=paired,
            jobs=jobs,
            lanes=lanes,
            beats=beats,
            lane=lane,
            pop_cycles=pop,
            latency_cycles=pop + bool(paired) + lane.cycles + (beats if beats > 1 else 0),
            vector=unit.vector,
            value_bits=formats["vector"].width,
            state=unit.state,
            state_in=state.name if state and unit.state else "",
            state_out=state.next if state and unit.writes_state else "",
            constants=unit.constants,
            constant_memory=self._constant_memory(unit),
            state_beats=state_beats if unit.state or unit.constants else 0,
            memories=tuple(
                i for i, maker in enumerate(self.program.makers.values()) if maker == unit.name
            ),
            given=tuple(
                Given(
                    queue.values[0],
                    layout.queue_index(queue.name),
                    layout.queues[queue.name].value_bits,
                )
                for queue in self.program.queues
                if queue.maker == unit.name
            ),
        )

    def _unit_jobs(
        self, unit: Unit, lanes: int, paired: tuple[int, ...]
    ) -> tuple[tuple[UnitJob, ...], int]:
        """Return a unit's jobs and the beats of all of them."""
        jobs, base, last = [], 0, len(self.model.layers) - 1
        halves = {job.product for job in self.program.jobs if self._queue(job) in paired}
        for layer in unit.kind.layers:
            size = self.layout.size(layer, unit.vector)
            jobs.append(
                UnitJob(
                    layer=layer,
                    words=size // self.layout.word,
                    state_base=base,
                    paired=any(self.model.products[one].layer == layer for one in halves),
                    top=unit.name == self.program.top and layer == last,
                )
            )
            base += size // lanes
        return tuple(jobs), base

    def _queue(self, job: Job) -> int:
        return self.layout.queue_index(job.queue)

    def _constant_memory(self, unit: Unit) -> str:
        owners = [other.name for other in self.program.units if other.constants]
        return named("peepholes", unit.name, owners) if unit.constants else ""

    def _states(self, units: tuple[UnitPlan, ...]) -> tuple[StatePlan, ...]:
        """Return the state memories."""
        return tuple(
            StatePlan(
                name=writer.state,
                signal=writer.state_in,
                writer=writer.name,
                readers=tuple(unit.name for unit in units if unit.state == writer.state),
                lanes=writer.lanes,
                beats=writer.state_beats,
                streams=self.target.streams,
            )
            for writer in units
            if writer.state_out
        )

    def _output(self) -> OutputPlan:
        model = self.model
        logits = next((p for p in model.products if is_output(model, p)), None)
        return OutputPlan(
            vector_queue=self.layout.queue_index("vector"),
            vector_words=model.layers[-1].output // self.layout.word,
            logit_queue=self.layout.queue_index(logits.name) if logits is not None else None,
            logit_words=self.layout.rows(logits) if logits is not None else 0,
        )


def _circuits(model: IntegerParameters) -> str:
    """Return twelve hex digits that differ where the constants of the circuits do."""
    lines = [
        [one.index_shift, one.slope_frac_bits, one.slopes.tolist(), one.intercepts.tolist()]
        for one in (model.sigmoid, model.tanh)
    ]
    return hashlib.sha256(json.dumps([model.twiddle_bits, lines]).encode()).hexdigest()[:12]
