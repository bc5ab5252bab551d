"""What was tried for ADMM's penalty: schedules of rho, lengths of rounds, learning rates.

    .venv/bin/python benchmarks/admm_schedules.py --out out/schedules

Takes the dense model of benchmarks/methods.toml to blocks of 8 and 16, without scales and without
distillation, by ADMM with each schedule and the same retraining. Prints the relative gap that ADMM
leaves and the phone error rate of the development set, before the projection, behind it and after
retraining. The product has the geometric schedule; the others live here.
"""

import argparse
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import torch
from train_variants import train_all, variant
from training_methods import Method

from ernn.recipe import Recipe
from ernn.speech.corpus import Split, load_split
from ernn.speech.scorer import fit_scorer
from ernn.speech.utterance import frame_labels
from ernn.train import loop
from ernn.train.acoustic import AcousticModel
from ernn.train.admm import Admm
from ernn.train.batches import Data
from ernn.train.fit import Run


class PerLayer(Admm):
    """rho in inverse proportion to each matrix's mean square: all are pulled alike."""

    def penalty(self) -> torch.Tensor:
        """Return rho_l / 2 * sum ||W - Z + U||^2 with rho_l of the mean rho."""
        squares = {name: w.data.square().mean() for name, w in self.weights.items()}
        mean = torch.stack([1 / square for square in squares.values()]).mean()
        gaps = [
            (w - self.target[name] + self.dual[name]).square().sum() / squares[name] / mean
            for name, w in self.weights.items()
        ]
        return self.rho / 2 * torch.stack(gaps).sum()


class Balanced(Admm):
    """rho doubled or halved where one residual is ten times the other (Boyd et al. 2011, 3.4.1)."""

    @torch.no_grad()
    def update(self) -> None:
        """End a round, with a growth that depends on its residuals."""
        primal = dual = 0.0
        for name, weight in self.weights.items():
            target = self.structures[name].nearest(weight + self.dual[name])
            primal += float((weight - target).square().sum())
            dual += float(self.rho**2 * (target - self.target[name]).square().sum())
        self.growth = 2.0 if primal > 100 * dual else 0.5 if dual > 100 * primal else 1.0
        super().update()


@dataclass(frozen=True)
class Schedule:
    """One way to run ADMM."""

    name: str
    compression: dict = field(default_factory=dict)
    kind: type[Admm] = Admm


def constant(rho: float) -> dict:
    """Return the keys of a rho that stays."""
    return {"rho_start": rho, "rho_end": rho}


SCHEDULES = [
    Schedule("geometric, 3e-4 to 3e-2"),
    Schedule("geometric, 1e-4 to 1e-2", {"rho_start": 1e-4, "rho_end": 1e-2}),
    Schedule("geometric, 1e-3 to 1e-1", {"rho_start": 1e-3, "rho_end": 1e-1}),
    Schedule("constant, 3e-4", constant(3e-4)),
    Schedule("constant, 3e-3", constant(3e-3)),
    Schedule("constant, 3e-2", constant(3e-2)),
    Schedule("geometric, per layer", kind=PerLayer),
    Schedule("residual-balanced from 3e-3", constant(3e-3), Balanced),
    Schedule("rounds of 5 updates", {"updates_per_round": 5}),
    Schedule("rounds of 80 updates", {"updates_per_round": 80}),
    Schedule("learning rate 3e-3", {"learning_rate": 3e-3}),
]


class Bench:
    """The speech and the dense model that all schedules start from."""

    def __init__(self, base: Recipe, out: Path) -> None:
        (dense,) = train_all([base], out, 1, "train")
        self.dense, self.speech = dense.folder / "dense.safetensors", out / "speech" / "corpus"
        train, self.dev = (load_split(self.speech, split) for split in ("train", "dev"))
        self.data = Data(_pairs(train), _pairs(self.dev), len(train.phones))
        self.scorer = fit_scorer(train, base.training)

    def percent(self, model: AcousticModel) -> float:
        """Return the error rate on the development set."""
        return self.scorer.score(model.predict([u.features for u in self.dev]), self.dev).value

    def run(self, recipe: Recipe, schedule: Schedule) -> str:
        """Compress the dense model by one schedule and tell how it went."""
        features, labels = self.dev.feature_size, len(self.dev.phones)
        model = AcousticModel(recipe.model, features, labels, recipe.seed)
        model.load(self.dense)
        pulled = projected = float("nan")
        constrain = model.constrain

        def judge() -> None:
            nonlocal pulled, projected
            pulled = self.value(model)
            constrain()
            projected = self.value(model)

        with (
            tempfile.TemporaryDirectory() as folder,
            patch.object(loop, "Admm", schedule.kind),
            patch.object(model, "constrain", judge),
        ):
            run = Run(Path(folder), recipe.seed)
            history = loop.compress(model, recipe.compression, recipe.training, self.data, run)
        gap = [entry["gap"] for entry in history if "gap" in entry][-1]
        return f"{gap:8.3f} {pulled:9.2f} {projected:9.2f} {self.value(model):9.2f}"


def _pairs(split: Split) -> list:
    return [(u.features, labels) for u, labels in zip(split, frame_labels(split), strict=True)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/schedules"))
    parser.add_argument("--seed", type=int, default=0, help="of corpus and training")
    parser.add_argument("--blocks", type=int, nargs="+", default=[8, 16])
    given = parser.parse_args()
    base = Recipe.load(Path(__file__).with_name("methods.toml"))
    base = variant(base, seed=given.seed, corpus={"seed": given.seed}, model={"pad": 16})
    bench = Bench(base, given.out)
    print(f"synthetic speech, corpus and training seed {given.seed}; development set")
    for block in given.blocks:
        print(f"blocks of {block:<20}      gap  pulled %  projected  retrained", flush=True)
        for schedule in SCHEDULES:
            recipe = Method("ADMM", schedule.compression).recipe(base, block)
            print(f"{schedule.name:30} {bench.run(recipe, schedule)}", flush=True)


if __name__ == "__main__":
    main()
