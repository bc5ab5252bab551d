"""An ensemble of small networks that predict what a candidate's trial or plan would say.

They are fitted to the search's own trials and plans, each to a sample of its own with repetition (a
bootstrap), so that where they differ nobody knows. A network is a straight line and a few hidden
units beside it, whose own weights are drawn and stay: what is fitted has a closed form. It sees the
logarithms of block and share of tiles of each matrix, and how long the training is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import log2

import numpy as np

from ernn.score import Measure
from ernn.search.candidate_space import Space
from ernn.search.candidates import Candidate, Choice

MEMBERS = 8
HIDDEN = 16
LINE, UNITS = 0.03, 0.3  # ridges: few trials say little about how choices act together


def seen(candidate: Candidate) -> list[float]:
    """Return what a predictor sees of a candidate."""
    choices = [choice for _, choice in candidate.choices]
    sizes = [value for c in choices for value in (log2(c.block) / 5, -log2(c.keep) / 3)]
    return [*sizes, log2(candidate.fraction) / 2]


class Predictor:
    """Predicts one figure of candidates, with its uncertainty."""

    def __init__(self, known: Mapping[Candidate, float], seed: int) -> None:
        """Fit the members.

        Args:
            known: figures; at least one.
            seed: of hidden units and samples.
        """
        rng = np.random.default_rng(seed)
        inputs, figures = np.array([seen(c) for c in known]), np.array(list(known.values()))
        self.mean, self.spread = float(figures.mean()), float(figures.std()) or 1.0
        targets = (figures - self.mean) / self.spread
        count, size = inputs.shape
        self.into = rng.normal(size=(MEMBERS, size, HIDDEN)) * 2 * size**-0.5
        self.shift = rng.normal(size=(MEMBERS, 1, HIDDEN))
        ridge = np.diag([1e-6, *size * [LINE], *HIDDEN * [UNITS]])
        self.out = np.zeros((MEMBERS, 1 + size + HIDDEN, 1))
        for member, regressors in enumerate(self._regressors(inputs)):
            places = rng.integers(count, size=count)
            chosen, wanted = regressors[places], targets[places]
            self.out[member, :, 0] = np.linalg.solve(chosen.T @ chosen + ridge, chosen.T @ wanted)

    def _regressors(self, inputs: np.ndarray) -> np.ndarray:
        """(N, inputs) -> (members, N, 1 + inputs + hidden)."""
        hidden = np.tanh(inputs @ self.into + self.shift)
        line = np.broadcast_to(inputs, (MEMBERS, *inputs.shape))
        return np.concatenate([np.ones((*line.shape[:2], 1)), line, hidden], -1)

    def members(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """Return what each member says of each candidate, (members, N)."""
        inputs = np.array([seen(c) for c in candidates])
        return self.mean + self.spread * (self._regressors(inputs) @ self.out)[..., 0]

    def __call__(self, candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean of the members and how far they differ, (N,) each."""
        found = self.members(candidates)
        return found.mean(0), found.std(0)


Change = Callable[[Choice], Choice]


def effect(
    predictor: Predictor, candidates: Sequence[Candidate], matrix: str, now: Change, then: Change
) -> tuple[float, float]:
    """Return what a change of a matrix adds, on average over candidates, and how sure that is.

    Args:
        predictor: of losses.
        candidates: whose other matrices stay as they are.
        matrix: its name.
        now: what the matrix has before the change.
        then: what it has behind it.
    """

    def having(change: Change) -> np.ndarray:
        changed = [
            replace(
                c, choices=tuple((n, change(own) if n == matrix else own) for n, own in c.choices)
            )
            for c in candidates
        ]
        return predictor.members(changed).mean(1)

    differences = having(then) - having(now)
    return float(differences.mean()), float(differences.std())


def lessons(space: Space, losses: Mapping[Candidate, float], measure: Measure) -> Iterator[str]:
    """Say which matrices bear sparsity and blocks, and which want their weights.

    Args:
        space: of the search.
        losses: of all trials.
        measure: of the losses.
    """
    if len(losses) < 2 * len(space.matrices):
        return
    predictor = Predictor(losses, 0)
    candidates = [c.full for c in losses if c.compressed]
    least, smallest, largest = space.keeps[-1], space.blocks[0], space.blocks[-1]
    if least < space.keeps[0]:
        what = f"Tiles: {100 * least:g} % of them instead of {100 * space.keeps[0]:g} % cost"
        changes = (lambda c: replace(c, keep=space.keeps[0]), lambda c: replace(c, keep=least))
        yield _told(what, predictor, candidates, space, changes, measure)
    if smallest < largest:
        what = f"Blocks: those of {largest} instead of {smallest} cost"
        changes = (lambda c: replace(c, block=smallest), lambda c: replace(c, block=largest))
        yield _told(what, predictor, candidates, space, changes, measure)


def _told(
    what: str,
    predictor: Predictor,
    candidates: Sequence[Candidate],
    space: Space,
    changes: tuple[Change, Change],
    measure: Measure,
) -> str:
    """Return what a change costs each matrix, the one that bears it best first."""
    found = {name: effect(predictor, candidates, name, *changes) for name in space.matrices}
    most = max(mean for mean, _ in found.values())
    words = []
    for name in sorted(found, key=lambda name: found[name][0]):
        mean, spread = found[name]
        unsure = spread >= abs(mean)
        verdict = "not known yet" if unsure else "bears it" if mean <= most / 2 else "wants weights"
        words.append(f"{name} {measure.change(mean, '+')} ({verdict})")
    return f"{what} {', '.join(words)}; predicted from {len(candidates)} trainings."
