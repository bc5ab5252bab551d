"""`ernn bench --suite`: small networks, one stream, planned for latency, simulated, in a table.

Weights are random, as in `ernn.flow.bench`. Every row is a file of its own, kept as it comes: a
table is printed from what there is, and says what was not run.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ernn import __version__
from ernn.compressed import padded
from ernn.errors import PlanError, RecipeError
from ernn.files import write_text
from ernn.flow.measure import measure
from ernn.flow.planning import frame_energy
from ernn.flow.results import read_result, write_json
from ernn.folders import locked
from ernn.hw.explore import Exploration, explore
from ernn.machine import describe_machine
from ernn.parts.part import Part, load_part, part_names
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import HardwareRecipe, QuantizationRecipe
from ernn.report.bench import Measured
from ernn.report.suites import SuiteRow, in_words, markdown
from ernn.run.traffic import Traffic
from ernn.suites.suite import Case, Suite, load_suite
from ernn.tools import find

BOARD = "XC7VX690T"  # or the part with the least memory that holds what this does not
CLOCK_MHZ = 200.0
UTTERANCE = 10  # frames; longer ones would only repeat


@dataclass(frozen=True)
class Job:
    """Which cases of a suite are run, and how."""

    suite: Suite
    cases: tuple[Case, ...]
    frames: int = 50
    seed: int = 0
    simulated: bool = True
    board: str = BOARD


@dataclass(frozen=True)
class Kept:
    """The file of a row."""

    about: list[str]
    row: SuiteRow


def choose(
    suite: str, layers: str | None = None, frames: int = 50, seed: int = 0, simulated: bool = True
) -> Job:
    """Return the job of a choice of networks ("lstm_a") and rows ("lstm_a-k8"), or all.

    Raises:
        RecipeError: no such suite, network or row.
    """
    found = load_suite(suite)
    if layers is None:
        return Job(found, found.cases, frames, seed, simulated)
    words = {word for word in map(str.strip, layers.split(",")) if word}
    strange = words - {name for case in found.cases for name in (case.name, case.network.name)}
    if strange or not words:
        networks = ", ".join(network.name for network in found.networks)
        raise RecipeError(
            f"--layers {layers!r} names no network of the suite {suite}",
            remedy=f"choose among {networks}, or rows of them, such as {found.cases[-1].name}",
        )
    chosen = tuple(case for case in found.cases if words & {case.name, case.network.name})
    return Job(found, chosen, frames, seed, simulated)


def require_unset(suite: str, **options: object) -> None:
    """Refuse options that are of other suites.

    Raises:
        RecipeError: one of them is set.
    """
    for name, value in options.items():
        if value:
            raise RecipeError(
                f"--{name} is no option of the suite {suite}", remedy="leave one of the two out"
            )


def run_suite(
    job: Job, out: Path, results: Path | None = None, say: Callable[[str], None] = print
) -> dict[str, SuiteRow]:
    """Measure the chosen cases, the smallest network first; print the table of the whole suite.

    Args:
        job: what to run.
        out: folder of plans, projects and builds.
        results: folder of one file a row, kept as it comes; ``out/SUITE/results`` if not given.
        say: takes lines.

    Raises:
        MismatchError: a simulated word or cycle is not as planned.
        ToolError: a tool is missing or fails.
        ModelFileError: a row's file is not of this version.
        ProjectError: ``out`` is not ernn's, or in use.
    """
    with locked(out):
        folder = out / job.suite.name
        kept = results or folder / "results"
        kept.mkdir(parents=True, exist_ok=True)
        about = _about(job)
        for line in about:
            say(line)
        known = load_rows(job.suite, kept)
        for case in job.cases:
            before = known.get(case.name)
            row = _measure_case(job, case, before, folder / case.name, say)
            if row != before:
                write_json(kept / f"{case.name}.json", asdict(Kept(about, row)))
        rows = load_rows(job.suite, kept)
        table = markdown(job.suite, rows)
        write_text(folder / "table.md", table)
        say(f"\n{table}\nalso in {folder / 'table.md'}; its rows are in {kept}")
    return rows


def load_rows(suite: Suite, folder: Path) -> dict[str, SuiteRow]:
    """Return the rows that a folder holds, by the case's name.

    Raises:
        ModelFileError: a file is damaged, or of another version of ernn.
    """
    paths = {case.name: folder / f"{case.name}.json" for case in suite.cases}
    command = f"ernn bench --suite {suite.name} --layers"
    return {
        name: read_result(path, Kept, f"{command} {name}").row
        for name, path in paths.items()
        if path.is_file()
    }


def _about(job: Job) -> list[str]:
    """Return what is measured, and on what."""
    tool, bits = find("verilator"), QuantizationRecipe()
    return [
        f"ernn {__version__}, suite {job.suite.name}: one stream at {CLOCK_MHZ:g} MHz, for latency "
        f"on {job.board} or the part with the least memory that holds it, weights of "
        f"{bits.weight_bits} bits, activations of {bits.activation_bits}",
        f"weights and inputs are random (seed {job.seed}): speed does not depend on them",
        describe_machine("numpy") + (f", verilator {tool.version}" if tool else ""),
    ]


def make_model(case: Case, word: int, seed: int) -> IntegerModel:
    """Return a case's integer model with random weights, calibrated on random inputs.

    One output is a row of a block that has no others: a block-circulant matrix of one free row is
    any dense row, so that nothing is compressed.

    Args:
        case: network and block size.
        word: what every size is padded to a multiple of.
        seed: of weights and inputs.
    """
    network, block = case.network, case.block
    inputs = padded(network.inputs, word)
    rng = np.random.default_rng(seed)
    model = random_model(
        rng,
        network.cell,
        padded(network.hidden, word),
        network.layers,
        block,
        inputs,
        padded(network.outputs, word),
        peepholes=False,
        scales=False,
    )
    return quantize(model, QuantizationRecipe(), [rng.normal(size=(UTTERANCE, inputs))])


def _measure_case(
    job: Job, case: Case, before: SuiteRow | None, folder: Path, say: Callable[[str], None]
) -> SuiteRow:
    model, found, refusal = _fastest(job, case)
    if found is None:
        say(f"{case.name}: {in_words(case.network)}: does not fit: {refusal}")
        return SuiteRow(case.name, "", CLOCK_MHZ, refusal)
    part = load_part(found.chosen.plan.part)
    say(
        f"{case.name}: {in_words(case.network)}, on {part.name}: {found.chosen.latency_us:.3f} us "
        f"planned{'; building and simulating' * job.simulated}"
    )
    alone, busy = _measure(job, found, model, before, folder)
    return SuiteRow(
        *(case.name, part.name, CLOCK_MHZ, refusal, alone, busy),
        frame_energy(found.chosen, part),
    )


def _measure(
    job: Job, found: Exploration, model: IntegerModel, before: SuiteRow | None, folder: Path
) -> tuple[Measured, Measured]:
    """Return what a frame alone takes, and frames back to back."""
    frames = np.random.default_rng(job.seed + 1).normal(size=(job.frames, model.features))
    stream = np.array_split(frames, range(UTTERANCE, job.frames, UTTERANCE))
    streams = [stream] if job.simulated else None
    kinds = (
        (Traffic("single"), before.alone if before else None),
        (Traffic("saturated"), before.busy if before else None),
    )
    alone, busy = (
        measure(found, model, streams, traffic, folder, known) for traffic, known in kinds
    )
    return alone, busy


def _fastest(job: Job, case: Case) -> tuple[IntegerModel, Exploration | None, str]:
    """Return the padding whose plan is on the smallest part, and there the fastest, as `_plan`."""
    models = [make_model(case, word, job.seed) for word in case.words]
    plans = [(model, *_plan(job, case, model)) for model in models]
    able = [(found, one) for one in plans if (found := one[1])]
    if not able:
        return plans[0]

    def order(entry: tuple[Exploration, object]) -> tuple[int, int]:
        chosen = entry[0].chosen
        return load_part(chosen.plan.part).memory_kbit, chosen.rate.latency_cycles

    return min(able, key=order)[1]


def _plan(job: Job, case: Case, model: IntegerModel) -> tuple[Exploration | None, str]:
    """Return the plan on the smallest part that will do, the board first, and what was refused.

    What was refused is in the planner's words: why the board does not hold it, or, where none
    does, why the largest does not.
    """
    refusals: list[str] = []
    for part in (job.board, *_larger_parts(job.board)):
        asked = HardwareRecipe(part=part, clock_mhz=CLOCK_MHZ, streams=1, objective="latency")
        try:
            found = explore(model, asked, case.name)
        except PlanError as error:
            refusals.append(str(error))
        else:
            return found, refusals[0] if refusals else ""
    return None, refusals[-1]


def _larger_parts(board: str) -> Iterator[str]:
    """Yield the parts that ship with more memory than a board, smallest first."""

    def kbit(part: Part) -> int:
        return part.memory_kbit

    known = sorted(map(load_part, part_names()), key=kbit)
    yield from (part.name for part in known if kbit(part) > kbit(load_part(board)))
