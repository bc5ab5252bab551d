"""The power model: public power reports, weighed against the power of the published boards.

A board takes `board + sum_c m_c w_c / regulators` watts, where w_c is what a vendor's tool would
say of component c (ernn.energy.power) and m_c how many times that it really is. m_c and `board` are
known beforehand as normal distributions; the published rows make them sharper (Bayesian linear
regression, in closed form). A published design's use of its part is not known either: one more
number per design, as uncertain. An interval then grows by itself with what no row can tell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ernn.energy.baselines import PIPELINES, Modelled, Pipeline, model_pipeline
from ernn.energy.power import COMPONENTS, DYNAMIC, Load, PowerData, component_watts
from ernn.energy.published import Design, Published
from ernn.energy.shape import benchmark_shape
from ernn.errors import ErnnError
from ernn.parts.part import Part, load_part


@dataclass(frozen=True)
class FitRow:
    """A published board and what the vendor's tool would say of the modelled design."""

    design: str
    cell: str
    block: int
    part: str
    power_w: float
    watts: dict[str, float]  # by component

    @property
    def machine(self) -> str:
        """C-LSTM or E-RNN."""
        return self.design.split()[0]


@dataclass(frozen=True)
class Fit:
    """What is known of the coefficients before and after the rows."""

    data: PowerData
    rows: tuple[FitRow, ...]
    names: tuple[str, ...]  # of the unknowns: board, components, published designs
    prior_mean: np.ndarray  # (n,)
    prior_covariance: np.ndarray  # (n, n)
    inputs: np.ndarray  # (rows, n)
    powers: np.ndarray  # (rows,)

    @cached_property
    def covariance(self) -> np.ndarray:
        """(n, n) covariance behind the rows."""
        noise = self.data.prior.measured_sd_w**2
        known = np.linalg.inv(self.prior_covariance)
        return np.linalg.inv(known + self.inputs.T @ self.inputs / noise)

    @cached_property
    def mean(self) -> np.ndarray:
        """(n,) mean behind the rows."""
        noise = self.data.prior.measured_sd_w**2
        known = np.linalg.solve(self.prior_covariance, self.prior_mean)
        found: np.ndarray = self.covariance @ (known + self.inputs.T @ self.powers / noise)
        return found

    @cached_property
    def left_out(self) -> np.ndarray:
        """(rows,) prediction of each row by a fit to the others, in closed form."""
        noise = self.data.prior.measured_sd_w**2
        leverage = np.einsum("ij,jk,ik->i", self.inputs, self.covariance, self.inputs) / noise
        residual = self.powers - self.inputs @ self.mean
        found: np.ndarray = self.powers - residual / (1 - leverage)
        return found

    @property
    def left_out_rms_w(self) -> float:
        """Root mean square of the errors of `left_out`."""
        return float(np.sqrt(np.square(self.left_out - self.powers).mean()))

    @property
    def left_out_percent(self) -> float:
        """Mean of their sizes, in per cent of the published power."""
        return float(100 * np.abs(self.left_out / self.powers - 1).mean())

    def value(self, name: str) -> tuple[float, float]:
        """Return the mean and the standard deviation of an unknown."""
        index = self.names.index(name)
        return float(self.mean[index]), float(np.sqrt(self.covariance[index, index]))

    def node_spread(self, node_nm: float) -> float:
        """Return what a chip of another node than the rows' adds to the uncertainty, as a share."""
        nodes = {float(load_part(row.part).node_nm) for row in self.rows}
        away = min(abs(math.log(node_nm / node)) for node in nodes)
        return self.data.prior.node * away / math.log(1.4)

    def predict(
        self,
        watts: dict[str, float],
        board: bool,
        node_spread: float = 0.0,
        machine: str | None = None,
    ) -> tuple[float, float]:
        """Return the power of a design and one standard deviation, in watts.

        Args:
            watts: what the vendor's tool would say, by component.
            board: of the whole board, or of the chip alone.
            node_spread: see `node_spread`.
            machine: C-LSTM or E-RNN; a design of ours if not given, whose blocks are known better.
        """
        prior = self.data.prior
        inputs = np.zeros(len(self.names))
        through = prior.regulators if board else 1.0
        inputs[0] = float(board)
        for index, name in enumerate(COMPONENTS, start=1):
            inputs[index] = watts[name] / through
        moving = float(inputs[1 : 1 + len(DYNAMIC)] @ self.mean[1 : 1 + len(DYNAMIC)])
        blocks = prior.own_resources
        if machine is not None and machine in self.names:
            inputs[self.names.index(machine)] = inputs[1 : 1 + len(DYNAMIC)].sum()
            blocks = 0.0
        variance = float(inputs @ self.covariance @ inputs)
        variance += moving**2 * (blocks**2 + node_spread**2)
        if board:  # what a row's power is known by, and the fit does not explain
            variance += max(prior.measured_sd_w, self.left_out_rms_w) ** 2
        return float(inputs @ self.mean), float(np.sqrt(variance))


def fit_power(data: PowerData, published: Published) -> Fit:
    """Fit the power model to the published boards of C-LSTM and E-RNN.

    Raises:
        ErnnError: no such board has a published power.
    """
    rows = fit_rows(data, published)
    if not rows:
        raise ErnnError(
            "no published design has a model and a power_w, so power cannot be fitted",
            remedy="give rows of C-LSTM or E-RNN with block_size and power_w",
        )
    prior, machines = data.prior, sorted({row.machine for row in rows})
    names = ("board", *COMPONENTS, *machines)
    mean = np.array([prior.board_w, *np.ones(len(COMPONENTS)), *np.zeros(len(machines))])
    size = 1 + len(COMPONENTS)
    covariance = np.zeros((len(names), len(names)))
    covariance[0, 0] = prior.board_sd_w**2
    covariance[1:size, 1:size] = prior.common**2
    own = [data.spread[name] ** 2 for name in COMPONENTS]
    own += [prior.published_resources**2] * len(machines)
    covariance[1:, 1:] += np.diag(own)
    inputs = np.zeros((len(rows), len(names)))
    for index, row in enumerate(rows):
        board = [row.watts[name] / prior.regulators for name in COMPONENTS]
        inputs[index, :size] = [1.0, *board]
        inputs[index, names.index(row.machine)] = sum(board[: len(DYNAMIC)])
    powers = np.array([row.power_w for row in rows])
    return Fit(data, rows, names, mean, covariance, inputs, powers)


def fit_rows(data: PowerData, published: Published) -> tuple[FitRow, ...]:
    """Return the published boards that the power model is fitted to."""
    return tuple(
        FitRow(
            *(design.name, design.cell, design.block_size, design.part, design.power_w),
            published_watts(data, published, design),
        )
        for design in published.designs
        if design.name.split()[0] in PIPELINES and design.block_size and design.power_w
    )


def published_watts(data: PowerData, published: Published, design: Design) -> dict[str, float]:
    """Return what the vendor's tool would say of a published design.

    ESE's use of its part is published; of C-LSTM and E-RNN see `pipeline_watts`.
    """
    part = load_part(design.part)
    if design.used:
        return component_watts(data, part, published.clock_mhz, [Load(**design.used)])
    machine = PIPELINES[design.name.split()[0]]
    shape = benchmark_shape(design.cell, design.block_size or 1)
    told = model_pipeline(machine, shape, part, published.clock_mhz)
    return pipeline_watts(data, published, machine, told, part)


def pipeline_watts(
    data: PowerData, published: Published, machine: Pipeline, told: Modelled, part: Part
) -> dict[str, float]:
    """Return what the vendor's tool would say of C-LSTM or E-RNN on the part they are modelled on.

    Their use of the part is not known here: they get the DSP blocks of their model, LUTs,
    flip-flops and memories as ESE has them per DSP block and bit, and the reports' activity in the
    share of cycles in which the model's multipliers work.
    """
    mix, known = resource_mix(published.designs), data.activity
    wide = told.multipliers * machine.bits / mix.bits
    load = Load(
        dsp=told.multipliers,
        bram36=mix.bram36 * wide,
        lut=mix.lut * wide,
        ff=mix.ff * wide,
        toggles=known.logic * known.published,
        dsp_toggles=known.dsp * known.published,
        accesses=known.bram36 * told.busy,
    )
    watts = component_watts(data, part, told.clock_mhz, [load])
    busy = {name: watts[name] * told.busy for name in ("dsp", "lut", "ff", "nets")}
    return watts | busy


@dataclass(frozen=True)
class ResourceMix:
    """Blocks per DSP block of a published design whose use of its part is known."""

    bits: int
    bram36: float
    lut: float
    ff: float


def resource_mix(designs: Sequence[Design]) -> ResourceMix:
    """Return the first mix that is published: ESE's.

    Raises:
        ErnnError: no design tells what it uses.
    """
    for one in designs:
        used = one.used or {}
        if used.get("dsp"):
            each = [used.get(name, 0) / used["dsp"] for name in ("bram36", "lut", "ff")]
            return ResourceMix(one.bits, *each)
    raise ErnnError(
        "no published design tells its use of the part",
        remedy="give one of them used = { dsp = ..., bram36 = ..., lut = ..., ff = ... }, as "
        "ESE has",
    )
