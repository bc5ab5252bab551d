"""The chart of the search of bits: accuracy against each setting swept alone."""

import math

from markupsafe import Markup

from ernn.report.judged import Judged
from ernn.report.model_content import BitsSearch, BitsTrial
from ernn.report.plot import Dot, Level, Panel, Series, plot, spread
from ernn.report.svg import axis_around

SWEEPS = {
    "weight_bits": "Bits of the weights",
    "activation_bits": "Bits of the activations",
    "state_bits": "Bits of the state",
    "activation_error": "Segments of sigmoid and tanh together",
}


def bits_chart(found: BitsSearch, judged: Judged) -> Markup:
    """Draw a panel per setting, coarse to fine, with lines for the dense model and the bound."""
    worse = 1 if judged.lower_is_better else -1
    dense, bound = found.dense.value, found.dense.value + worse * found.bound
    within = [dense + worse * trial.loss.high for trial in found.trials if trial.within]
    best = [dense + worse * trial.loss.low for trial in found.trials]
    best = [min(best)] if judged.lower_is_better else best  # an arrow leads to what is beyond
    shown = [*best, dense, dense + 2 * worse * found.bound, *within]
    axis = axis_around([math.floor(min(shown)), max(shown)])
    levels = (Level(dense, "dense"), Level(bound, "bound"))
    panels = [
        Panel(name, axis, *_swept(found, sweep, worse), levels=levels)
        for sweep, name in SWEEPS.items()
    ]
    return plot(
        "bits-chart",
        f"{judged.title} on the development set{judged.axis}, against each setting alone",
        f"Chosen: {in_words(found.chosen)}. The table below has every figure.",
        panels,
    )


def _swept(
    found: BitsSearch, sweep: str, worse: int
) -> tuple[tuple[Series, ...], tuple[tuple[float, str], ...]]:
    """Return the trials of a sweep, coarse to fine, and their ticks."""
    trials = [trial for trial in reversed(found.trials) if trial.sweep == sweep]
    shown = "segments" if sweep == "activation_error" else sweep
    across, dense = spread(len(trials)), found.dense.value
    dots = tuple(
        Dot(
            x,
            trial.score.value,
            dense + min(worse * trial.loss.low, worse * trial.loss.high),
            dense + max(worse * trial.loss.low, worse * trial.loss.high),
            chosen=getattr(trial, sweep) == getattr(found.chosen, sweep),
        )
        for x, trial in zip(across, trials, strict=True)
    )
    ticks = tuple((x, str(getattr(trial, shown))) for x, trial in zip(across, trials, strict=True))
    return (Series("dot", dots, joined=False),), ticks


def in_words(trial: BitsTrial) -> str:
    """Return a choice as text."""
    return (
        f"weights {trial.weight_bits} bits, activations {trial.activation_bits}, state "
        f"{trial.state_bits}, {trial.segments} segments (error {trial.activation_error:g})"
    )
