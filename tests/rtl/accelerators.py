"""Small accelerators of random models, and speech for them: random, and from the synthesizer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from models import random_frames, random_integer_model

from ernn.hdl.project import write_project
from ernn.hw.build import Target, build_plan
from ernn.hw.layout import Sizes
from ernn.hw.plan import HardwarePlan
from ernn.quant.integer_model import IntegerModel
from ernn.recipe import CorpusRecipe, FeatureRecipe, QuantizationRecipe
from ernn.run.simulate import Simulation, simulate
from ernn.run.traffic import Traffic
from ernn.speech.corpus import build_corpus, load_split


@dataclass(frozen=True)
class Design:
    """What an accelerator is drawn from."""

    model: dict[str, Any]  # keywords of models.random_model
    sizes: Sizes
    streams: int = 2
    bits: QuantizationRecipe = field(default_factory=QuantizationRecipe)
    seed: int = 1
    part: str = "xc7a35t"


@dataclass(frozen=True)
class Accelerator:
    """A project on disk, and the folder in which it is simulated."""

    plan: HardwarePlan
    model: IntegerModel
    folder: Path

    @classmethod
    def write(cls, design: Design, folder: Path) -> "Accelerator":
        """Draw the model, plan it and write its project."""
        rng = np.random.default_rng(design.seed)
        model = random_integer_model(rng, design.bits, **design.model)
        target = Target("test", design.part, 200.0, design.streams)
        plan = build_plan(model, design.sizes, target)
        write_project(plan, model, folder / "project")
        return cls(plan, model, folder)

    @property
    def rtl(self) -> Path:
        """Where its Verilog lies."""
        return self.folder / "project" / "rtl"

    def speech(self, *lengths: Sequence[int]) -> list[list[np.ndarray]]:
        """Return utterances of these lengths for each stream."""
        rng = np.random.default_rng(7)
        return [
            [random_frames(rng, self.model.features, 1, length)[0] for length in stream]
            for stream in lengths
        ]

    def work(self, testbench: str = "cocotb") -> Path:
        """Where a testbench is built and run."""
        return self.folder / ("work" if testbench == "cocotb" else testbench)

    def run(
        self,
        *lengths: Sequence[int],
        simulator: str = "verilator",
        testbench: str = "cocotb",
        **traffic: Any,
    ) -> Simulation:
        """Simulate random utterances of these lengths for each stream."""
        return self.simulate(self.speech(*lengths), simulator, testbench, **traffic)

    def simulate(
        self,
        streams: Sequence[Sequence[np.ndarray]],
        simulator: str,
        testbench: str = "cocotb",
        **traffic: Any,
    ) -> Simulation:
        """Simulate utterances (T, F) for each stream."""
        return simulate(
            self.folder / "project",
            self.plan,
            self.model,
            streams,
            work_folder=self.work(testbench),
            simulator=simulator,
            testbench=testbench,
            traffic=Traffic(**traffic),
        )


@lru_cache
def spoken() -> list[np.ndarray]:
    """Return features (T, 27) of test utterances of the synthetic corpus."""
    corpus = CorpusRecipe(train_minutes=0.05, dev_minutes=0.05, test_minutes=0.5)
    with TemporaryDirectory() as folder:
        build_corpus(corpus, FeatureRecipe(mel_bands=8), 5, Path(folder))
        return [utterance.features for utterance in load_split(Path(folder), "test")]


def real_speech(features: int, streams: int, frames: int) -> list[list[np.ndarray]]:
    """Return for each stream whole utterances, the last cut, of this many frames and features."""
    supply = cycle(spoken())
    dealt = []
    for _ in range(streams):
        stream, missing = [], frames
        while missing:
            stream.append(next(supply)[:missing, :features].astype(np.float64))
            missing -= len(stream[-1])
        dealt.append(stream)
    return dealt
