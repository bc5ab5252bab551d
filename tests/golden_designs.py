"""The net under the house: designs whose signals and figures a change of the code must not change.

`python tests/golden_designs.py` draws the designs again, plans and simulates them, and writes
tests/golden/designs.json (`--no-simulation` keeps the recorded digests of simulated signals, and
`--only NAME ...` writes some designs). A change that moves a figure on purpose runs it, and its
commit message says what moved and by how much.
"""

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from models import random_frames, random_integer_model

from ernn.errors import PlanError
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import resources
from ernn.hw.cycles import rate
from ernn.hw.explore import explore
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.parts.part import load_part
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import HardwareRecipe, QuantizationRecipe
from ernn.run.compare import golden_signals
from ernn.run.simulate import TRACE, simulate
from ernn.run.trace import read_trace
from ernn.run.trace_decoder import TraceDecoder

RECORD = Path(__file__).parent / "golden" / "designs.json"
SIZED, PLANNED = 32, 10  # random designs whose sizes are drawn, and whose sizes the planner chooses
PARTS = ("XC7Z020", "XCZU3EG", "LFE5U-85F", "XC7K325T")
PUBLISHED = {
    "lstm8": {"cell": "lstm", "blocks": 8, "projection": 512},
    "lstm16": {"cell": "lstm", "blocks": 16, "projection": 512},
    "gru8": {"cell": "gru_before", "blocks": 8},
    "gru16": {"cell": "gru_before", "blocks": 16},
}
CELLS = ("lstm", "gru_before", "gru_after")
MATRICES = ("input", "recurrent", "candidate", "projection", "output")


@dataclass(frozen=True)
class GoldenDesign:
    """What a design is drawn from; without sizes the planner chooses them."""

    name: str
    seed: int
    kinds: Mapping[str, Any]  # keywords of ernn.random_model.random_model
    bits: QuantizationRecipe
    hardware: HardwareRecipe
    sizes: Sizes | None = None
    frames: int = 4  # of each of two utterances

    @cached_property
    def model(self) -> IntegerModel:
        """The integer model."""
        rng = np.random.default_rng(self.seed)
        return random_integer_model(rng, self.bits, **self.kinds)

    @cached_property
    def plan(self) -> HardwarePlan:
        """The plan."""
        if self.sizes is None:
            return explore(self.model, self.hardware, self.name).chosen.plan
        target = Target(
            self.name, self.hardware.part, self.hardware.clock_mhz, self.hardware.streams
        )
        return build_plan(self.model, self.sizes, target)

    def figures(self) -> dict[str, Any]:
        """Return the plan's figures."""
        part = load_part(self.hardware.part)
        speed, used = rate(self.plan), resources(self.plan, part)
        return {
            "cycles_per_frame": speed.cycles_per_frame,
            "latency_cycles": speed.latency_cycles,
            "dsp": used.dsp,
            "bram36": used.bram36,
            "lut": used.lut,
            "ff": used.ff,
        }

    def speech(self) -> list[list[np.ndarray]]:
        """Return the utterances (T, F) of each stream: the first two streams speak."""
        rng = np.random.default_rng(self.seed + 1)
        count = min(2, self.plan.streams)
        return [
            [random_frames(rng, self.model.features, 1, frames)[0] for frames in (self.frames, 1)]
            for _ in range(count)
        ]

    def integer_digest(self) -> str:
        """Digest every signal of the integer model that its RTL shows."""
        golden, _ = golden_signals(self.model, self.speech())
        return _digest(
            {
                (name, stream): frames
                for name, signal in golden.items()
                for stream, frames in enumerate(signal.streams)
            }
        )

    def simulated_digest(self, simulator: str = "icarus") -> str:
        """Simulate, compare every word and cycle, and digest every signal that was seen."""
        with TemporaryDirectory() as folder:
            project, work = Path(folder) / "project", Path(folder) / "work"
            write_project(self.plan, self.model, project)
            simulate(
                project,
                self.plan,
                self.model,
                self.speech(),
                work_folder=work,
                simulator=simulator,
            )
            for run in read_trace(work / TRACE):
                words = list(TraceDecoder(self.plan, self.model).words(run))
        frames: dict[tuple[str, int], dict[tuple[int, int], int]] = {}
        for word in words:
            seen = frames.setdefault((word.signal, word.stream), {})
            for place, value in enumerate(word.packed.values, word.element):
                assert value is not None, f"{word.signal} has unknown bits"
                seen[word.frame, place] = value
        return _digest(
            {
                key: np.array([value for _, value in sorted(seen.items())])
                for key, seen in frames.items()
            }
        )


def _digest(signals: Mapping[tuple[str, int], np.ndarray]) -> str:
    """Return sixteen hex digits that differ where a signal does."""
    total = hashlib.sha256()
    for name, stream in sorted(signals):
        total.update(f"{name} {stream} ".encode())
        total.update(np.ascontiguousarray(signals[name, stream], "<i8").tobytes())
    return total.hexdigest()[:16]


def designs() -> dict[str, GoldenDesign]:
    """Return every design by name: random ones, and the published layers with random weights."""
    drawn = [_draw(index, sized=True) for index in range(SIZED)]
    drawn += [_draw(index, sized=False) for index in range(SIZED, SIZED + PLANNED)]
    for name, kinds in PUBLISHED.items():
        shape = {"hidden": 1024, "features": 153, "labels": 0}
        hardware = HardwareRecipe(part="XC7VX690T", clock_mhz=200.0, streams=2)
        drawn.append(GoldenDesign(name, 7, shape | kinds, QuantizationRecipe(), hardware, frames=2))
    return {design.name: design for design in drawn}


def _draw(index: int, sized: bool) -> GoldenDesign:
    """Draw a random design; cells take turns, everything else is free."""
    rng = np.random.default_rng(1000 + index)
    cell = CELLS[index % len(CELLS)]

    def choose(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    blocks: Any = choose(1, 2, 4, 8, 16, 32)
    if rng.random() < 0.4:
        blocks = {name: choose(1, 2, 4, 8) for name in MATRICES}
    largest = blocks if isinstance(blocks, int) else max(blocks.values())
    word = choose(None, 2 * largest) if largest <= 8 else None
    hidden = int(rng.integers(3, 13)) if word is None else 2 * word
    projection = choose(0, word or 5) if cell == "lstm" else 0
    kinds = {
        "cell": cell,
        "hidden": hidden,
        "layers": int(rng.integers(1, 4)) if largest < 16 else 1,
        "features": int(rng.integers(3, 13)) if word is None else word,
        "labels": 0 if word else choose(0, 5),
        "blocks": blocks,
        "projection": projection,
        "peepholes": bool(rng.integers(2)),
        "cell_activation": choose("tanh", "sigmoid"),
        "scales": bool(rng.integers(2)),
    }
    bits = QuantizationRecipe(
        weight_bits=int(rng.integers(8, 15)), activation_bits=int(rng.integers(8, 15))
    )
    streams = choose(1, 2, 2, 3, 4, 8, 16)
    hardware = HardwareRecipe(part=PARTS[index % len(PARTS)], clock_mhz=100.0, streams=streams)
    if not sized:
        return GoldenDesign(f"planned{index:02}-{cell}", 1000 + index, kinds, bits, hardware)
    lanes = choose(1, 2, 4)
    sizes = Sizes(
        pe_rows=lanes * int(rng.integers(1, 4)),
        pe_columns=int(rng.integers(1, 6)),
        drain_lanes=lanes,
        cell_lanes=choose(1, 2, 4) if word else 1,
        word=word,
        logic_macs=choose(0, 0, 1, 3),
    )
    return GoldenDesign(f"sized{index:02}-{cell}", 1000 + index, kinds, bits, hardware, sizes)


def recorded() -> dict[str, dict[str, Any]]:
    """Return the record by name."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def _write(record: Mapping[str, Mapping[str, Any]]) -> None:
    lines = [f'  "{name}": {json.dumps(entry)}' for name, entry in record.items()]
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Write the record, design by design."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-simulation", action="store_true")
    parser.add_argument("--only", nargs="*", default=None, metavar="NAME")
    chosen = parser.parse_args()
    before, all_designs = recorded(), designs()
    record = {name: before[name] for name in all_designs if name in before}
    for name, design in all_designs.items():
        if chosen.only and name not in chosen.only:
            continue
        try:
            entry = {"integer": design.integer_digest(), **design.figures()}
        except PlanError as error:
            raise SystemExit(f"{name} cannot be planned: {error}") from None
        simulated = before.get(name, {}).get("simulated")
        if not chosen.no_simulation:
            simulated = design.simulated_digest()
        record[name] = {"simulated": simulated, **entry}
        _write({each: record[each] for each in all_designs if each in record})
        print(name, record[name], flush=True)


if __name__ == "__main__":
    main()
