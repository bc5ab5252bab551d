"""How near the planner's resources are to synthesis, and the LUTs per bit that are fitted to it.

    .venv/bin/python benchmarks/cost_fit.py --out out/cost_fit

Synthesizes the published 1,024-cell layers as `ernn bench` plans them, and random small networks,
with Yosys; what is there from an earlier run is used again. DSP blocks, memories and flip-flops are
counted from the plan and only compared. LUTs are bits of logic by kind (ernn.hw.fabric) times LUTs
per bit, which least squares find from the random networks, every group of every design weighted by
its design's size. The published layers are only predicted; "left out" is a random network's error
by a fit to all others. --write puts the LUTs per bit into ernn/parts/families. Weights are random:
they do not change what is synthesized. Half an hour on one core.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ernn.errors import PlanError
from ernn.files import write_text
from ernn.flow import bench
from ernn.flow.results import read_json
from ernn.flow.run_folder import SYNTHESIS as RESULT
from ernn.flow.synth import synth
from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.cost import mac_blocks, resources
from ernn.hw.fabric import fabric
from ernn.hw.gates import Gates
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.parts import family as families
from ernn.parts.family import Costs, load_family
from ernn.parts.part import load_part
from ernn.quant.integer_model import IntegerModel
from ernn.quant.quantize import quantize
from ernn.random_model import random_model
from ernn.recipe import QuantizationRecipe

RANDOM = "random"
KINDS = [one.name for one in fields(Costs)]
SAME_COSTS = {"ultrascale": "7-series"}
GOAL = 15.0  # percent
CELLS = ("lstm", "gru_before", "gru_after")
SMALL = 20  # random networks for AMD's parts
ECP5 = 8  # for ECP5
GOWIN = 4  # and for GW2A, which fit nothing: LUTs per bit are ECP5's


@dataclass(frozen=True)
class Design:
    """A plan and what synthesis found."""

    plan: HardwarePlan
    found: dict[str, Any]
    logic: dict[str, Gates]  # of each group

    @property
    def family(self) -> str:
        """The family whose LUTs per bit it is planned with."""
        name = load_part(self.plan.part).family.name
        return SAME_COSTS.get(name, name)

    @property
    def random(self) -> bool:
        """Whether it is fitted to."""
        return self.plan.name.startswith(RANDOM)


def published(out: Path, layers: str | None) -> Iterator[tuple[HardwarePlan, IntegerModel]]:
    """Yield the published layers, as `ernn bench` plans them for throughput."""
    chosen = bench.choose(layers)
    train, _ = bench.make_speech(out / "speech", chosen.seed)
    for layer in chosen.layers:
        model = bench.make_model(layer, chosen.seed, train)
        for board in chosen.boards:
            rate, _ = bench.plans(chosen, model, layer, board)
            yield rate.chosen.plan, model


def small(count: int, parts: tuple[str, ...]) -> Iterator[tuple[HardwarePlan, IntegerModel]]:
    """Yield random networks of random sizes, which no planner chose."""
    seed = found = 0
    while found < count:
        rng = np.random.default_rng(seed)
        seed += 1
        try:
            yield _random(rng, f"{RANDOM}{seed - 1}", str(rng.choice(parts)))
        except PlanError:
            continue  # sizes that do not go together
        found += 1


def _random(rng: np.random.Generator, name: str, part: str) -> tuple[HardwarePlan, IntegerModel]:
    cell: Any = str(rng.choice(CELLS))
    block = int(rng.choice([1, 2, 4, 8, 8, 16]))
    kinds: dict[str, Any] = {
        "blocks": block,
        "hidden": int(rng.choice([16, 32, 48, 64])),
        "layers": int(rng.choice([1, 2])),
        "features": int(rng.choice([8, 13, 39, 40])),
        "labels": int(rng.choice([0, 5, 20])),
        "scales": bool(rng.integers(2)),
    }
    if block > 1 and rng.random() < 0.3:
        names = ("input", "recurrent", "candidate", "projection")
        kinds["blocks"] = {key: int(rng.choice([block, block // 2])) for key in names}
    if cell == "lstm":
        kinds |= {"projection": int(rng.choice([0, 16])), "peepholes": bool(rng.integers(2))}
    bits = int(rng.choice([8, 10, 12, 12, 16]))
    speech = list(rng.normal(size=(4, 24, kinds["features"])))
    settings = QuantizationRecipe(weight_bits=bits, activation_bits=bits)
    model = quantize(random_model(rng, cell, **kinds), settings, speech)
    drain = int(rng.choice([1, 2, 4]))
    sizes = Sizes(
        pe_rows=drain * int(rng.integers(1, 6)),
        pe_columns=int(rng.integers(1, 5)),
        drain_lanes=drain,
        cell_lanes=int(rng.choice([1, 2, 4])),
        logic_macs=int(rng.choice([0, 0, 0, 1])),
    )
    return build_plan(model, sizes, Target(name, part, 100.0, int(rng.integers(1, 5)))), model


def measure(plan: HardwarePlan, model: IntegerModel, folder: Path) -> Design:
    """Synthesize a design, unless that has been done."""
    part = load_part(plan.part)
    result = folder / f"synth-{part.name.lower()}" / RESULT
    found = read_json(result) if result.is_file() else {}
    if found.get("plan") != plan.digest:
        write_project(plan, model, folder / "generate")
        found = synth(folder, say=lambda line: None)
    logic: dict[str, Gates] = {}
    for group, piece in fabric(plan, part, mac_blocks(plan, part) > 1):
        logic.setdefault(group, Counter()).update(piece)
    return Design(plan, found, logic)


def fit(designs: list[Design]) -> np.ndarray:
    """Return the LUTs per bit of each kind that make the groups' LUTs nearest to synthesis."""
    rows, wanted = [], []
    for one in designs:
        scale = 1 / one.found["total"]["lut"]
        for group, logic in one.logic.items():
            lut = one.found["groups"].get(group, {"lut": 0})["lut"]
            rows.append([scale * logic[kind] for kind in KINDS])
            wanted.append(scale * (lut - logic["lut"]))
    return _nonnegative(np.array(rows), np.array(wanted))


def _nonnegative(rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Least squares without negative costs: kinds that would have one are left out."""
    kept = rows.any(axis=0)
    while True:
        found = np.zeros(rows.shape[1])
        found[kept] = np.linalg.lstsq(rows[:, kept], wanted, rcond=None)[0]
        if (found >= 0).all():
            return found
        kept &= found >= 0


def luts(design: Design, per_bit: np.ndarray) -> float:
    """Return a design's LUTs by a fit."""
    gates = sum(design.logic.values(), Counter[str]())
    return gates["lut"] + sum(cost * gates[kind] for kind, cost in zip(KINDS, per_bit, strict=True))


def table(designs: list[Design], per_bit: np.ndarray) -> Iterator[str]:
    """Yield the planner's errors, design by design, and the largest."""
    yield (
        f"{'design':24}{'part':>12}{'DSP':>8}{'BRAM36':>9}{'LUT':>10}{'planned':>10}{'%':>7}"
        f"{'left out':>10}{'FF':>10}{'planned':>10}{'%':>7}{'s':>7}"
    )
    worst = [0.0, 0.0, 0.0]
    for one in designs:
        others = [other for other in designs if other is not one and other.random]
        part, found = load_part(one.plan.part), one.found["total"]
        planned = resources(one.plan, part)
        exact = [
            f"{found[key]:g}" + ("" if found[key] == getattr(planned, key) else " !")
            for key in ("dsp", "bram36")
        ]
        errors = [
            100 * (luts(one, per_bit) / found["lut"] - 1),
            100 * (luts(one, fit(others) if others else per_bit) / found["lut"] - 1),
            100 * (planned.ff / found["ff"] - 1),
        ]
        worst = [max(a, abs(b)) for a, b in zip(worst, errors, strict=True)]
        yield (
            f"{one.plan.name:24}{part.name:>12}{exact[0]:>8}{exact[1]:>9}{found['lut']:>10,}"
            f"{luts(one, per_bit):>10,.0f}{errors[0]:>+7.1f}{errors[1]:>+10.1f}{found['ff']:>10,}"
            f"{planned.ff:>10,}{errors[2]:>+7.1f}{one.found['seconds']:>7.0f}"
        )
    yield (
        f"largest error: LUT {worst[0]:.1f} %, {worst[1]:.1f} % left out, FF {worst[2]:.1f} % "
        f"(goal: {GOAL:g} %)"
    )


def write(fitted: dict[str, dict[str, float]]) -> None:
    """Put the fits into the families' files, where the costs are the last table."""
    for family, costs in fitted.items():
        path = Path(families.__file__).with_name("families") / f"{family}.toml"
        before = path.read_text(encoding="utf-8").partition("[costs]")[0]
        lines = [f"{kind} = {cost}" for kind, cost in costs.items()]
        write_text(path, "\n".join([f"{before}[costs]", *lines, ""]))


def main() -> None:
    """Synthesize, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/cost_fit"))
    parser.add_argument("--layers", help="of the published ones; all if not given")
    parser.add_argument("--small", type=int, default=SMALL, help="random networks, AMD")
    parser.add_argument("--ecp5", type=int, default=ECP5, help="random networks, ECP5")
    parser.add_argument("--gowin", type=int, default=GOWIN, help="random networks, GW2A")
    parser.add_argument("--write", action="store_true", help="keep it in ernn/parts/families")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    plans = [
        *small(asked.ecp5, ("LFE5U-85F",)),
        *small(asked.gowin, ("GW2AR-18",)),
        *small(asked.small, ("XC7A100T", "XC7Z020", "XC7K325T")),
        *(published(asked.out, asked.layers) if asked.layers != "" else ()),
    ]
    designs = []
    for plan, model in plans:
        part = plan.part.lower()
        folder = asked.out / (plan.name if part in plan.name else f"{plan.name}-{part}")
        designs.append(measure(plan, model, folder))
        found = designs[-1].found
        print(f"{folder.name}: {found['seconds']:.0f} s, {found['total']}", flush=True)
    fitted, families = {}, defaultdict(list)
    for one in designs:
        families[one.family].append(one)
    for family, chosen in sorted(families.items()):
        now = np.array(list(asdict(load_family(family, Path()).costs).values()))
        learnt = [one for one in chosen if one.random]
        per_bit = fit(learnt) if learnt else now
        fitted[family] = dict(zip(KINDS, np.round(per_bit, 3).tolist(), strict=True))
        print(f"\n{family}: {fitted[family]}")
        print("\n".join(table(chosen, per_bit)))
        kept = max(abs(100 * (luts(one, now) / one.found["total"]["lut"] - 1)) for one in chosen)
        print(f"with what ernn/parts/families says: LUT {kept:.1f} %")
    if asked.write:
        write(fitted)


if __name__ == "__main__":
    main()
