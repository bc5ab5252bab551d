"""The chart of the search of bits: accuracy against each setting swept alone."""

from markupsafe import Markup

from ernn.report.content import BitsSearch, BitsTrial
from ernn.report.curves import Curve, Level, Point, curve_chart

SWEEPS = {
    "weight_bits": "Bits of the weights",
    "activation_bits": "Bits of the activations",
    "state_bits": "Bits of the state",
    "activation_error": "Segments of sigmoid and tanh together",
}


def bits_chart(found: BitsSearch) -> Markup:
    """Draw a panel per setting, coarse to fine, with lines for the dense model and the bound."""
    dense, chosen = found.dense.value, found.chosen
    curves = []
    for sweep, name in SWEEPS.items():
        trials = [trial for trial in reversed(found.trials) if trial.sweep == sweep]
        shown = "segments" if sweep == "activation_error" else sweep
        points = (
            Point(
                str(getattr(trial, shown)),
                trial.per.value,
                dense + trial.loss.low,
                dense + trial.loss.high,
                getattr(trial, sweep) == getattr(chosen, sweep),
            )
            for trial in trials
        )
        curves.append(Curve(name, tuple(points)))
    bound = dense + found.bound_points
    within = [dense + trial.loss.high for trial in found.trials if trial.within]
    return curve_chart(
        "bits-chart",
        "Phone error rate on the development set, per cent, against each setting alone",
        f"Chosen: {in_words(chosen)}. The table below has every figure.",
        curves,
        (Level(dense, "dense"), Level(bound, "bound")),
        max(dense + 2 * found.bound_points, *within),
    )


def in_words(trial: BitsTrial) -> str:
    """Return a choice as text."""
    return (
        f"weights {trial.weight_bits} bits, activations {trial.activation_bits}, state "
        f"{trial.state_bits}, {trial.segments} segments (error {trial.activation_error:g})"
    )
