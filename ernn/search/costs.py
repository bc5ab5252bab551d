"""What a candidate costs on the recipe's part, as the planner says: seconds, and no synthesis.

Costs are remembered with the study, by the code of the planner and by all of the recipe that it
reads, so that a search that is continued, or another process of it, plans nothing twice.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from math import inf, log
from typing import Any

from ernn.errors import PlanError
from ernn.flow.chain import steps_of
from ernn.flow.dependencies import Code
from ernn.flow.fit_check import untrained
from ernn.flow.planning import frame_energy
from ernn.hw.explore import explore
from ernn.parts.part import load_part
from ernn.recipe import Recipe
from ernn.search.candidates import Candidate
from ernn.search.study import Study

# What may be bounded: its unit, and how it is told
COSTS = {
    "cycles": "cycles per frame",
    "memory": "36-kbit memory blocks",
    "energy": "uJ per frame",
}


@dataclass(frozen=True)
class Cost:
    """What the planner says of one candidate."""

    cycles: float = inf  # per frame, all streams busy
    memory: float = inf  # 36-kbit memory blocks
    energy: float = inf  # microjoules of a frame, estimated
    weights: int = 0  # stored, scales included
    missing: str = ""  # why the part cannot hold it; empty if it can

    def log(self, name: str) -> float:
        """Return the logarithm of a cost."""
        return log(max(getattr(self, name), 1e-9))

    @property
    def told(self) -> dict[str, Any]:
        """As a study keeps it."""
        known = {} if self.missing else {name: getattr(self, name) for name in COSTS}
        return {"weights": self.weights, "refused": self.missing, **known}


def plan(recipe: Recipe, features: int, outputs: int) -> Cost:
    """Plan the untrained model of a recipe.

    Args:
        recipe: of the candidate.
        features: values per frame.
        outputs: of the model.
    """
    model, integer = untrained(recipe, features, outputs)
    try:
        design = explore(integer, recipe.hardware, recipe.name).chosen
    except PlanError as error:
        return Cost(weights=model.parameters, missing=str(error.fault))
    energy = frame_energy(design, load_part(recipe.hardware.part)).typical
    used = design.used.bram36
    return Cost(float(design.rate.cycles_per_frame), float(used), energy, model.parameters)


class Costs:
    """The costs of candidates, each planned once."""

    def __init__(self, recipe: Recipe, features: int, outputs: int, study: Study) -> None:
        """Read what the study remembers.

        Args:
            recipe: of the search.
            features: values per frame.
            outputs: of the model.
            study: where costs are kept.

        Raises:
            ToolError: the database does not answer.
        """
        self.recipe, self.features, self.outputs, self.study = recipe, features, outputs, study
        step = next(step for step in steps_of(recipe) if step.name == "plan")
        hardware = recipe.hardware.model_dump(mode="json")
        bits = recipe.quantization.model_dump(mode="json")
        code = step.depends_on(Code(), recipe)
        read = json.dumps([hardware, bits, code, features, outputs], sort_keys=True)
        self.start = f"plan {hashlib.sha256(read.encode()).hexdigest()[:12]} "
        self.known = {
            key.removeprefix(self.start): Cost(**value)
            for key, value in study.recall(self.start).items()
        }

    def __call__(self, candidate: Candidate) -> Cost:
        """Return the cost of a candidate, however long it is trained."""
        name = candidate.full.name
        if name not in self.known:
            recipe = candidate.full.applied(self.recipe)
            cost = plan(recipe, self.features, self.outputs)
            kept = {key: value for key, value in asdict(cost).items() if value != inf}
            self.study.remember(f"{self.start}{name}", kept)
            self.known[name] = cost
        return self.known[name]
