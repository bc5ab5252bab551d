"""Contents of the memories: weights, biases, input scales and peepholes as $readmemh files."""

import numpy as np

from ernn.hw.array_plan import JobPlan
from ernn.hw.gather import NONE, filled
from ernn.hw.plan import HardwarePlan
from ernn.hw.sources import by_source
from ernn.hw.steps import by_rows
from ernn.hw.storage_plan import LoadTarget
from ernn.hw.unit_plan import UnitPlan
from ernn.quant.integer_model import IntegerModel, Product


def memory_files(plan: HardwarePlan, model: IntegerModel) -> dict[str, str]:
    """Return every .mem file, {name: text}: a word per line, the first value in its low bits."""
    words = _memory_words(plan, model)
    files = {
        f"{target.name}.mem": _file(*words[target.name], target) for target in plan.load_targets
    }
    if plan.gather:  # part of the plan, and so not loaded with a model
        found = plan.gather
        control = LoadTarget("steps", found.control_bits, found.depth)
        files["steps.mem"] = _file(found.control[:, None], found.control_bits, control)
        paths = LoadTarget("paths", plan.paths * found.path_bits, found.depth)
        files["paths.mem"] = _file(found.addresses, found.path_bits, paths)
    return files


def _memory_words(plan: HardwarePlan, model: IntegerModel) -> dict[str, tuple[np.ndarray, int]]:
    """Return what every memory of `HardwarePlan.load_targets` holds: (words, values), and bits."""
    weights = weight_words(plan, model).reshape(-1, plan.pe_rows, plan.pe_columns * plan.pe_words)
    rows = range(plan.pe_rows)
    weights = plan.weight_code.encode(weights)
    contents = {f"weights_{row:03}": (weights[:, row], plan.pe_word_bits) for row in rows}
    contents["bias"] = _bias_words(plan, model), plan.row.width
    if plan.shift_bits:
        contents["row_shifts"] = _shift_words(plan, model), plan.shift_bits
    for memory in plan.memories:
        if memory.scaled:
            contents[f"scale_{memory.name}"] = _scales(plan, model, memory.name), memory.scale_bits
    for unit in plan.units:
        if unit.constants:
            contents[unit.constant_memory] = _constants(model, unit), plan.peephole.width
    return contents


def weight_words(plan: HardwarePlan, model: IntegerModel) -> np.ndarray:
    """Return (steps, rows * columns * words of a PE): what its memory holds for each step."""
    products = by_source(model, plan.recurrent_first)
    return np.concatenate(
        [_job_weights(plan, job, product) for job, product in zip(plan.jobs, products, strict=True)]
    )


def _job_weights(plan: HardwarePlan, job: JobPlan, product: Product) -> np.ndarray:
    order, gates = job.order, len(product.gates)
    stored = plan.stored(plan.modes[job.mode]).words
    parts = [filled(segment.spectra, order.subs) for segment in product.segments]
    spectra = np.concatenate(parts, axis=1)
    rows = by_rows(spectra, gates, order.subs, plan.tile_rows)
    rows = rows.reshape(*rows.shape[:3], -1) @ stored.T
    blocks = order.blocks.reshape(-1, plan.row_groups, plan.pe_columns)
    group = order.numbers[:, None, None] * plan.row_groups + np.arange(plan.row_groups)[:, None]
    met = (blocks != NONE) & (group < len(rows))
    # (steps, row groups, columns, rows of a group, words of a PE)
    words = np.zeros((*blocks.shape, plan.tile_rows, plan.pe_words), np.int64)
    words[met, :, : len(stored)] = rows[np.broadcast_to(group, blocks.shape)[met], blocks[met]]
    return words.swapaxes(2, 3).reshape(order.count, -1)


def _bias_words(plan: HardwarePlan, model: IntegerModel) -> np.ndarray:
    """Return (entries, drain_lanes * word): the biases of each drained entry."""
    found = [(job, model.products[job.product]) for job in plan.jobs]
    return np.concatenate([_drained(plan, job, one, one.bias, plan.word) for job, one in found])


def _shift_words(plan: HardwarePlan, model: IntegerModel) -> np.ndarray:
    """Return (entries, drain_lanes * shifts of a word): those of each drained entry."""
    parts, count = [], plan.modes[-1].groups  # block rows of the smallest blocks
    for job in plan.jobs:
        product, shifts = model.products[job.product], model.products[job.product].shifts
        if shifts is None:
            shifts = np.zeros(product.bias.size // product.block, np.int64)
        alike = count // plan.modes[job.mode].groups
        parts.append(_drained(plan, job, product, shifts.repeat(alike), count))
    return np.concatenate(parts)


def _drained(
    plan: HardwarePlan, job: JobPlan, product: Product, values: np.ndarray, count: int
) -> np.ndarray:
    """Return the values of a product's rows as they are drained, ``count`` of each word."""
    rows = values.reshape(len(product.gates), -1, count).swapaxes(0, 1).reshape(-1, count)
    padded = np.zeros((job.entries * plan.drain_lanes, count), np.int64)
    padded[: len(rows)] = rows
    return padded.reshape(job.entries, -1)


def _scales(plan: HardwarePlan, model: IntegerModel, name: str) -> np.ndarray:
    """Return (words, word): the scales of a memory's vectors, at one binary point."""
    index = [memory.name for memory in plan.memories].index(name)
    memory = plan.memories[index]
    words = np.zeros((memory.scale_words, plan.word), np.int64)
    for job, product in zip(plan.jobs, by_source(model, plan.recurrent_first), strict=True):
        for segment, placed in zip(product.segments, job.segments, strict=True):
            if placed.memory != index or segment.scale is None or segment.scale_format is None:
                continue
            view = next(v for v in memory.views if v.enabled and v.base == placed.base)
            raw = segment.scale << (memory.scale_shift - segment.scale_format.frac_bits)
            raw = np.pad(raw, (0, -raw.size % plan.word))
            words[view.scale_base : view.scale_base + view.words] = raw.reshape(-1, plan.word)
    return words


def _constants(model: IntegerModel, unit: UnitPlan) -> np.ndarray:
    """Return (beats, constants * lanes): those of the elements of each beat, layer by layer."""
    parts, count, lanes = [], len(unit.constants), unit.lanes
    for job in unit.jobs:
        layer = model.layers[job.layer]
        absent = np.zeros((count, layer.hidden), np.int64)
        kept = layer.parameters
        found = [kept[name] for name in layer.kind.parameters if name in kept]
        raw = np.concatenate(found) if found else absent
        parts.append(raw.reshape(count, -1, lanes).swapaxes(0, 1).reshape(-1, count * lanes))
    return np.concatenate(parts)


def memory_bytes(plan: HardwarePlan, model: IntegerModel) -> dict[str, np.ndarray]:
    """Return {name: (depth, bytes)} of `HardwarePlan.load_targets`, the highest byte first."""
    words = _memory_words(plan, model)
    return {target.name: _packed(*words[target.name], target) for target in plan.load_targets}


def _packed(words: np.ndarray, bits: int, target: LoadTarget) -> np.ndarray:
    """Pack values (words, values) into a memory's words, with zero words up to its depth."""
    raw = (words & ((1 << bits) - 1)).astype(np.uint64)
    places = np.arange(bits, dtype=np.uint64)
    ones = ((raw[..., None] >> places) & np.uint64(1)).astype(np.uint8)  # low bit first
    ones = ones.reshape(len(words), target.bits)
    ones = np.pad(ones, ((0, target.depth - len(words)), (0, -target.bits % 8)))
    return np.packbits(ones, axis=1, bitorder="little")[:, ::-1]


def _file(words: np.ndarray, bits: int, target: LoadTarget) -> str:
    """Print words in hex."""
    digits = -(-target.bits // 4)
    lines = [row.tobytes().hex()[-digits:] for row in _packed(words, bits, target)]
    header = f"// {target.depth} words of {words.shape[1]} values of {bits} bits\n"
    return header + "\n".join(lines) + "\n"
