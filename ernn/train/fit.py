"""The engine of training: runs one phase in rounds.

A round ends with an evaluation on the development set and, when due, a checkpoint. The random
numbers of an update depend only on the seed, the phase and the update's number, so that every
update hears fresh noise and a run that was killed continues bit for bit from its last checkpoint.
Nothing here knows about speech: utterances are arrays, and the score is a function that the
caller gives.
"""

import json
import math
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ernn.errors import ModelFileError, RecipeError
from ernn.files import write_text
from ernn.recipe import TrainingRecipe
from ernn.train import distributed
from ernn.train.acoustic import AcousticModel
from ernn.train.admm import Admm
from ernn.train.allocator import keep_memory
from ernn.train.batches import Batch, Data
from ernn.train.checkpoint import load_tensors, pack, save_tensors, unpack
from ernn.train.losses import Loss, make_loss
from ernn.train.memory import out_of_memory
from ernn.train.precision import Precision

NOISE = 0.1  # on inputs, where classes are told and the recipe says nothing
CHECKPOINT = "ernn-checkpoint-1"
# phase, update, loss; gap in ADMM; dev_loss, not after every round of ADMM; score where asked for
Round = dict[str, Any]


def _silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Run:
    """How a training is carried out; nothing here changes its result but seed and device."""

    folder: Path  # for a checkpoint and a history (JSON) of each phase
    seed: int = 0
    device: str = "cpu"  # or "cuda"
    score: Callable[[list[np.ndarray]], float] | None = None  # of the development set's outputs
    progress: Callable[[int, int], None] = _silent
    checkpoint_seconds: float = 20.0  # time between checkpoints at least


@dataclass(frozen=True)
class Phase:
    """One stretch of training with an optimizer of its own."""

    name: str
    updates: int
    round_updates: int
    learning_rate: float
    admm: Admm | None = None

    @property
    def keeps_best(self) -> bool:
        """Whether it ends with its best model, at a rate that falls to 0, or with its last one.

        In ADMM the target moves: only the last weights are near it, and the rate stays.
        """
        return self.admm is None


def fit(
    model: AcousticModel,
    phase: Phase,
    recipe: TrainingRecipe,
    data: Data,
    run: Run,
    loss: Loss | None = None,
) -> list[Round]:
    """Run one phase, or what is left of it after the last checkpoint in `run.folder`.

    Args:
        model: trained in place.
        phase: how long, how fast, and with ADMM or not.
        recipe: batches, noise, clipping, patience.
        data: utterances, already in the model's frame rate.
        run: folder, seed, device, score, progress.
        loss: what to minimise, if not simply the recipe's loss.

    Returns:
        One entry per round; see `Round`.

    Raises:
        RecipeError: training diverged, or the batch is too large for the GPU or too small for
            the processes that share it.
        ModelFileError: the checkpoint is damaged.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    model.to(run.device)
    keep_memory()
    with _threads(recipe.threads):
        return _Fit(model, phase, recipe, data, run, loss or make_loss(data, recipe)).rounds()


class _Fit:
    """The state of a phase while it runs."""

    def __init__(
        self,
        model: AcousticModel,
        phase: Phase,
        recipe: TrainingRecipe,
        data: Data,
        run: Run,
        loss: Loss,
    ) -> None:
        self.model, self.phase, self.recipe, self.data, self.run = model, phase, recipe, data, run
        self.loss, self.source = loss, loss.source(data.train, recipe, run.device)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=phase.learning_rate)
        self.precision = Precision(recipe.precision, run.device)
        self.best: dict[str, Tensor] = {}
        self.history: list[Round] = []
        self.path = run.folder / f"{phase.name}.checkpoint.safetensors"
        self.saved_at = time.monotonic()

    def rounds(self) -> list[Round]:
        """Run every round that is left and return the history of all."""
        if self.path.exists():
            self._resume()
        phase, update = self.phase, last_update(self.history)
        while update < phase.updates and not self._over():
            stop = min(update + phase.round_updates, phase.updates)
            losses = []
            while update < stop:
                losses.append(self._update(update))
                update += 1
                self.run.progress(update, phase.updates)
            self._end_round(update, float(np.mean(losses)))
        self._save()
        if phase.keeps_best:
            self.model.load_state_dict(self.best)
        return self.history

    def _update(self, update: int) -> float:
        """Do one step of Adam and return the loss before it."""
        phase, parameters = self.phase, list(self.model.parameters())
        batch = self._draw(update)
        loss = self._gradients(batch, self._share(batch))
        distributed.add_up([loss, *(p.grad for p in parameters if p.grad is not None)])
        if not torch.isfinite(loss):
            raise RecipeError(
                f"the loss became {loss.item()} in update {update} of phase {phase.name!r} at "
                f"learning rate {phase.learning_rate}",
                remedy="lower the learning rate or clip_norm",
            )
        self.precision.unscale(self.optimizer)
        nn.utils.clip_grad_norm_(parameters, self.recipe.clip_norm)
        if phase.admm:
            phase.admm.penalty().backward()  # after clipping: the pull must not be weakened
        if phase.keeps_best:
            for group in self.optimizer.param_groups:
                group["lr"] = phase.learning_rate * (1 - update / phase.updates)
        self.precision.step(self.optimizer)
        return loss.item()

    def _draw(self, update: int) -> Batch:
        """Return the batch of all processes together."""
        generator = torch.Generator(self.run.device)
        # One generator per update, so that nothing about random numbers has to be saved.
        words = [self.run.seed, update, *self.phase.name.encode()]
        generator.manual_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
        noise = self.recipe.input_noise
        if noise is None:
            noise = NOISE if self.loss.of_classes else 0.0
        return self.source.draw(self.recipe.batch, noise, generator)

    def _share(self, batch: Batch) -> Batch:
        """Return this process's sequences."""
        processes = distributed.world()
        if len(batch.labels) < processes:
            raise RecipeError(
                f"training.batch = {len(batch.labels)} does not go round {processes} processes",
                remedy=f"set batch = {processes} or more, or start fewer processes",
            )
        return batch.take(slice(distributed.rank(), None, processes))

    def _gradients(self, batch: Batch, mine: Batch) -> Tensor:
        """Compute this process's part of the gradients and return its part of the loss."""
        frames = batch.counted.sum().clamp(min=1)  # all may be ignored

        def compute(mine: Batch) -> Tensor:
            self.optimizer.zero_grad()
            with self.precision.forward():
                scores = self.model(mine.features).float()
                loss = self.loss.total(scores, mine) / frames
            self.precision.backward(loss)
            return loss.detach()

        try:
            return compute(mine)
        except torch.cuda.OutOfMemoryError:
            pass  # ask later: the handler keeps the tensors of the failed update alive
        raise out_of_memory(
            self.optimizer,
            lambda count: compute(mine.take(slice(count))),
            len(mine.labels),
            distributed.world(),
        )

    def _end_round(self, update: int, loss: float) -> None:
        """Let ADMM move its targets, evaluate, remember the best model, save if it is time."""
        entry: Round = {"phase": self.phase.name, "update": update, "loss": loss}
        if self.phase.admm:
            self.phase.admm.update()
            entry["gap"] = self.phase.admm.gap()
        if self.phase.keeps_best or self._due(update):
            entry |= distributed.from_first(self._judge)
        self.history.append(entry)
        if self.phase.keeps_best and self._age() == 0:
            self.best = {n: value.clone() for n, value in self.model.state_dict().items()}
        if time.monotonic() - self.saved_at >= self.run.checkpoint_seconds:
            self._save()

    def _due(self, update: int) -> bool:
        """Tell whether the first round that ends at or after a time to evaluate ends now."""
        every, rounds = self.recipe.evaluate_every, self.phase.round_updates
        return update == self.phase.updates or update % every < rounds

    def _judge(self) -> dict[str, float]:
        """Return the model's figures on the development set."""
        outputs = self.model.predict([features for features, _ in self.data.dev])
        judged = {"dev_loss": self.loss.evaluate(outputs, self.data.dev)}
        if not math.isfinite(judged["dev_loss"]):
            raise RecipeError(
                f"the loss on the development set became {judged['dev_loss']} in phase "
                f"{self.phase.name!r}",
                remedy="lower the learning rate or clip_norm",
            )
        if self.run.score:
            judged["score"] = float(self.run.score(outputs))
        return judged

    def _age(self) -> int:
        """Return the number of rounds since the one with the least development loss."""
        losses = [entry["dev_loss"] for entry in self.history]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    def _over(self) -> bool:
        """Tell whether more updates would be of no use: no progress, or a gap that is closed."""
        if self.phase.admm:
            closed = bool(self.history) and self.history[-1]["gap"] <= self.phase.admm.closed
            return closed and self.phase.admm.arrived
        return self._age() >= self.recipe.patience

    def _header(self) -> dict[str, Any]:
        """Return what a checkpoint must agree with to be continued."""
        phase = self.phase
        return {
            "format": CHECKPOINT,
            "phase": [phase.name, phase.updates, phase.round_updates, phase.learning_rate],
            "admm": list(phase.admm.schedule) if phase.admm else [],
            "recipe": self.recipe.model_dump(exclude={"threads"}),
            "loss": self.loss.describe(),
            "seed": self.run.seed,
            "shapes": {name: list(p.shape) for name, p in self.model.named_parameters()},
        }

    def _save(self) -> None:
        """Write a checkpoint and the history; the first process does it for all."""
        if distributed.rank():
            return
        tensors = pack(self.model, self.optimizer, self.best, self.phase.admm)
        header = {**self._header(), "history": self.history, "scaler": self.precision.state()}
        save_tensors(self.path, tensors, header)
        text = json.dumps(self.history, indent=1) + "\n"
        write_text(self.run.folder / f"{self.phase.name}.json", text)
        self.saved_at = time.monotonic()

    def _resume(self) -> None:
        """Continue from the checkpoint, unless it belongs to another training."""
        tensors, header = load_tensors(self.path, CHECKPOINT)
        history, scaler = header.pop("history", None), header.pop("scaler", {})
        if header != self._header():
            return
        try:
            self.best = unpack(tensors, self.model, self.optimizer, self.phase.admm)
            self.history = history
            self.precision.load_state(scaler)
        except (KeyError, RuntimeError):
            raise ModelFileError(
                f"{self.path} lacks a part of the training", remedy="delete it and train again"
            ) from None


def last_update(history: list[Round]) -> int:
    """Return the number of updates that a history is about."""
    return history[-1]["update"] if history else 0


@contextmanager
def _threads(count: int):
    """Let torch use this many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
